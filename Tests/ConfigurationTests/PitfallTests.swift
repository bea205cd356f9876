// What is allowed and hurts: each classic of an operator's file is said, with why and the mend; and what two directors must have in common.
import Net
import Testing

@testable import Configuration

@Suite struct PitfallTests {
    /// Text, a part of the message, a part of the remedy.
    private static let classics: [(String, String, String)] = [
        (instanceText("state MASTER"), "state MASTER without a priority means 255", "write the priority"),
        (
            instanceText("state MASTER\npriority 150\nnopreempt"), "nopreempt does not go with state MASTER",
            "state BACKUP"
        ),
        (instanceText("advert_int 0.3"), "version 2 has whole seconds", "version 3"),
        (
            instanceText("authentication {\nauth_type PASS\nauth_pass ninebytes\n}"), "longer than 8 bytes",
            "8 bytes or fewer"
        ),
        (instanceText("") + instanceText("", name: "VI_2"), "have the same virtual_router_id 51", "its own number"),
        (
            "virtual_server 192.0.2.1 53 {\nreal_server 192.0.2.11 53 {\n}\n}\n", "has no protocol; UDP is used",
            "protocol TCP"
        ),
        (serviceText("sorry_server 192.0.2.11 80"), "192.0.2.11:80 is a real_server of", "nothing but the apology"),
        (
            serviceText("persistence_timeout 60\nops", protocol: "UDP"), "ops spreads nothing",
            "remove persistence_timeout"
        ),
        (
            serviceText(server: "", kind: "DR").replacing("192.0.2.11 80", with: "192.0.2.11 8080"),
            "cannot change the port", "lb_kind NAT"
        ),
        (serviceText("quorum 2"), "quorum 2 is more than all weights together", "lower it"),
        (serviceText("quorum 2\nhysteresis 1", server: "weight 2"), "it never is", "lower hysteresis"),
        (
            instanceText("unicast_src_ip 198.51.100.2\nunicast_peer {\n198.51.100.3\n}")
                .replacing("192.0.2.51", with: "192.0.2.51/24"),
            "192.0.2.51/24 is in another network", "dev IF"
        ),
        ("include conf.d/*.conf\n", "conf.d/locked.conf cannot be read", "evenkeel-private"),
        ("static_routes {\n192.0.2.0/24 via 192.0.2.999 dev eth0\n}\n", "192.0.2.999", "write"),
    ]

    /// A file that is there and cannot be read.
    private struct LockedFile: FileLoader {
        let files: MemoryFiles
        func read(_ path: String, limit: Int) throws(FileLoaderError) -> [UInt8] {
            if path == "conf.d/locked.conf" { throw FileLoaderError(reason: "Permission denied", kind: .forbidden) }
            if path == "conf.d/old.conf" { throw FileLoaderError(reason: "Is a directory", kind: .directory) }
            if path == "conf.d/gone.conf" { throw FileLoaderError(reason: "no such file") }
            return try files.read(path, limit: limit)
        }
        func paths(matching pattern: String) throws(FileLoaderError) -> [String] {
            if pattern == "closed.d/*.conf" { throw FileLoaderError(reason: "Permission denied", kind: .forbidden) }
            let name = pattern.dropFirst("conf.d/".count).dropLast("*".count)
            return pattern.hasPrefix("conf.d/")
                ? ["conf.d/\(name == "*.con" ? "locked" : name).conf"] : files.paths(matching: pattern)
        }
    }

    /// Else a service that is in it goes with the next start, and nobody has been told.
    @Test(arguments: [
        ("conf.d/*.conf", true), ("closed.d/*.conf", true), ("conf.d/gone*", true), ("conf.d/old*", false),
    ])
    func `what a pattern finds and cannot be read is an error, but for directories`(_ pattern: String, isError: Bool) {
        let files = LockedFile(files: MemoryFiles(["test.conf": "include \(pattern)\n"]))
        let loaded = Configuration.load(files: files, path: "test.conf")
        #expect((loaded.configuration == nil) == isError && loaded.diagnostics.count == 1, "\(loaded.diagnostics)")
    }

    @Test(arguments: classics)
    func `a classic is said with why and the mend`(_ text: String, _ message: String, _ remedy: String) throws {
        let loaded = Configuration.load(files: LockedFile(files: MemoryFiles(["test.conf": text])), path: "test.conf")
        let found = loaded.diagnostics.first { $0.message.contains(message) }
        let diagnostic = try #require(found, "\(loaded.diagnostics.map(\.message))")
        #expect(diagnostic.remedy?.contains(remedy) == true, "\(diagnostic.remedy ?? "")")
        #expect(diagnostic.position.line > 0)
    }

    @Test func `a password of fewer than 8 bytes is padded by everybody, and no pitfall`() {
        #expect(summary(load(instanceText("authentication {\nauth_type PASS\nauth_pass 1111\n}"))) == [])
    }

    private struct Networks: MachineFacts {
        let networks: [IPPrefix]?
        let unknown = UnknownMachine()
        var hostName: String { unknown.hostName }
        func hasInterface(_ name: String, in namespace: NetworkNamespaceName?) -> Bool? { nil }
        func networks(in namespace: NetworkNamespaceName?) -> [String: [IPPrefix]]? { networks.map { ["eth0": $0] } }
        func problem(withNamespace name: NetworkNamespaceName) -> (problem: String, remedy: String)? { nil }
        func hasUser(_ name: String) -> Bool? { nil }
        func hasGroup(_ name: String) -> Bool? { nil }
        func problem(withProgram program: String) -> String? { nil }
        func problem(withPattern pattern: RegexCheck) -> String? { nil }
        func replaceablePart(ofProgram program: String) -> String? { nil }
        func environment(_ name: String) -> String? { nil }
        func routingNames(_ file: RoutingNames) -> [String: UInt32]? { nil }
        func secret(inFile path: String, limit: Int) -> SecretFile { .unknown }
    }

    @Test(arguments: [
        (["192.0.2.7/24"], "", 0), (["198.51.100.7/24"], "", 1), (["198.51.100.7/24", "192.0.2.7/24"], "", 0),
        // What the instance holds itself, and link-local addresses, say nothing.
        (["192.0.2.51/32", "198.51.100.7/24"], "", 1), (["fe80::1/64"], "", 0), ([], "", 0),
        // The machine knows better than the file.
        (["192.0.2.7/24"], "unicast_src_ip 198.51.100.2\nunicast_peer {\n198.51.100.3\n}", 0),
        // Where the address is on an interface of its own nobody can tell.
        (["198.51.100.7/24"], "use_vmac", 0),
    ])
    func `whether an address is in its interface's network is asked of the machine`(
        _ networks: [String], _ lines: String, _ count: Int
    ) {
        let machine = Networks(networks: networks.compactMap { IPPrefix($0) })
        let said = load(instanceText(lines), machine: machine).diagnostics.filter {
            $0.message.contains("another network")
        }
        #expect(said.count == count)
    }

    @Test func `a link-local virtual address is in every interface's network`() {
        let text = """
            vrrp_instance V {
                interface eth0
                virtual_router_id 51
                virtual_ipaddress {
                    fe80::64/64
                    2001:db8::64/64
                }
            }
            """
        let machine = Networks(networks: ["2001:db8::11/64", "fe80::1/64"].compactMap { IPPrefix($0) })
        #expect(load(text, machine: machine).diagnostics == [])
    }

    // MARK: Two directors

    private func disagreements(_ own: String, _ other: String) -> [String] {
        var options = LoadOptions()
        options.collectsValues = true
        return load(own, options: options).disagreements(with: load(other, options: options), named: "right.conf")
            .map(\.message)
    }

    private static let left = instanceText(
        "priority 150\nadvert_int 1\nauthentication {\nauth_type PASS\nauth_pass 1111\n}")

    @Test func `directors that differ in priority alone agree`() {
        #expect(disagreements(Self.left + serviceText(), Self.left.replacing("150", with: "100") + serviceText()) == [])
    }

    @Test(arguments: [
        ("priority 150", "priority 150", "has priority 150 too"),
        ("virtual_router_id 51", "virtual_router_id 52", "nobody takes over"),
        ("advert_int 1", "advert_int 2", "version 2 drops adverts of another interval"),
        ("advert_int 1", "version 3", "neither hears the other"),
        ("auth_pass 1111", "auth_pass 2222", "another authentication"),
        ("192.0.2.51", "192.0.2.52", "a takeover loses it"),
        ("advert_int 1", "unicast_peer {\n192.0.2.3\n}", "one of the two sends to a group"),
        ("advert_int 1", "mcast_dst_ip 224.0.0.99", "both become master"),
    ])
    func `what two directors must not differ in, or must, is said`(_ old: String, _ new: String, _ expected: String) {
        let right = Self.left.replacing("priority 150", with: "priority 100").replacing(old, with: new)
        let said = disagreements(Self.left, old == new ? Self.left : right)
        #expect(said.contains { $0.contains(expected) }, "\(said)")
    }

    @Test func `addresses that are excluded from the adverts are compared too`() {
        func director(_ priority: Int, _ excluded: String...) -> String {
            instanceText(
                "priority \(priority)\nvirtual_ipaddress_excluded {\n\(excluded.joined(separator: "\n"))\n}")
        }
        let (left, right) = (director(150, "192.0.2.60", "2001:db8::1"), director(100, "2001:db8::1", "192.0.2.60"))
        #expect(disagreements(left, right) == [])
        #expect(
            disagreements(left, director(100, "192.0.2.60", "2001:db8::2"))
                == ["only one of the two has 2001:db8::1, 2001:db8::2: a takeover loses it"])
        #expect(disagreements(director(150), director(100, "192.0.2.60")).count == 1)
        let other = instanceText("priority 100").replacing("192.0.2.51", with: "192.0.2.51\n192.0.2.60")
        let said = disagreements(director(150, "192.0.2.60"), other)
        #expect(said.map { $0.hasPrefix("only one of the two advertises 192.0.2.60, ") } == [true], "\(said)")
    }

    @Test func `whether peers name a director that does not say from where it sends cannot be seen, which is said`() {
        func director(_ own: String, _ priority: Int) -> String {
            instanceText("priority \(priority)\n\(own)unicast_peer {\n192.0.2.9\n}")
        }
        let known = "unicast_src_ip 192.0.2.8\n"
        let said = disagreements(director("", 150), director(known, 100))
        #expect(said.count == 2 && said[0].hasPrefix("this file has no unicast_src_ip: "), "\(said)")
        #expect(said.last?.hasPrefix("192.0.2.8 is not among the unicast_peer of this file") == true)
        #expect(
            disagreements(director("", 150), director("", 100)).map { $0.prefix { $0 != " " } } == [
                "this", "right.conf",
            ])
    }

    @Test func `peers name each other`() {
        func director(_ own: String, _ peer: String, _ priority: Int) -> String {
            instanceText("priority \(priority)\nunicast_src_ip \(own)\nunicast_peer {\n\(peer)\n}")
        }
        #expect(disagreements(director("192.0.2.2", "192.0.2.3", 150), director("192.0.2.3", "192.0.2.2", 100)) == [])
        let said = disagreements(director("192.0.2.2", "192.0.2.4", 150), director("192.0.2.3", "192.0.2.2", 100))
        #expect(said.map { $0.hasPrefix("192.0.2.3 is not among the unicast_peer of this file") } == [true])
    }

    @Test func `services and servers that one of them lacks are said`() {
        let right = Self.left.replacing("150", with: "100")
        #expect(
            disagreements(Self.left + serviceText(), right).map {
                $0.hasPrefix("right.conf has no virtual_server tcp/")
            } == [true])
        #expect(disagreements(Self.left, right + serviceText()).map { $0.contains("which is not here") } == [true])
        let other = serviceText().replacing("192.0.2.11", with: "192.0.2.12")
        #expect(
            disagreements(Self.left + serviceText(), right + other).map { $0.contains("a takeover changes who serves") }
                == [true])
    }
}
