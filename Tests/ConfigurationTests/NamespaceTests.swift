// `net_namespace` and `net_namespace_ipvs`: which network each daemon works in, and what a reload may not change.
import Testing

@testable import Configuration

@Suite struct NamespaceTests {
    private func global(_ text: String) throws -> GlobalDefinitions {
        let loaded = load(text + "\nglobal_defs {\n}\n")
        #expect(loaded.diagnostics.isEmpty, "\(loaded.diagnostics)")
        #expect(loaded.inactions.isEmpty)
        return try #require(loaded.configuration).global
    }

    @Test(
        arguments: [
            ("", nil, nil),
            ("net_namespace blue", "/run/netns/blue", "/run/netns/blue"),
            ("net_namespace blue\nnet_namespace_ipvs red", "/run/netns/blue", "/run/netns/red"),
            ("net_namespace blue\nnet_namespace_ipvs", "/run/netns/blue", "/proc/1/ns/net"),
            ("net_namespace_ipvs red", nil, "/run/netns/red"),
            ("net_namespace blue\nnet_namespace blue\ninstance east", "/run/netns/blue", "/run/netns/blue"),
        ] as [(String, String?, String?)])
    func `vrrpd, checkd and scripts are in the one, the table in the other`(
        text: String, usual: String?, table: String?
    ) throws {
        let loaded = load(text)
        let global = try #require(loaded.configuration).global
        #expect(loaded.inactions.isEmpty)
        #expect(global.networkNamespace?.path == usual)
        #expect(global.scriptRules.networkNamespace?.path == usual)
        #expect(global.tableNamespace?.path == table)
    }

    @Test(arguments: [
        "net_namespace", "net_namespace ../blue", "net_namespace .", "net_namespace \"\"", "net_namespace_ipvs a/b",
    ])
    func `what is no name of a network namespace is refused`(text: String) {
        #expect(load(text).hasErrors)
    }

    @Test func `of two different ones none is taken, since keepalived takes the first`() {
        let loaded = load("net_namespace blue\nnet_namespace red\n")
        #expect(loaded.hasErrors)
        #expect(loaded.diagnostics.contains { $0.message.contains("another net_namespace before this one, blue") })
    }

    @Test func `a running daemon can go over to everything but another network`() throws {
        let running = try global("net_namespace blue")
        let other = try global("net_namespace blue\nglobal_defs {\n router_id x\n}")
        #expect(other.obstacle(after: running, in: "f") == nil)
        let moved = try #require(try global("net_namespace red\nnet_namespace_ipvs").obstacle(after: running, in: "f"))
        #expect(
            moved.message
                == "net_namespace was blue and is red, net_namespace_ipvs was absent and is of the host: "
                + "a daemon that runs stays in its network namespace")
        #expect(moved.severity == .error)
        #expect(try global("").obstacle(after: running, in: "f") != nil)
    }

    @Test(arguments: ["net_namespace gone", "net_namespace_ipvs gone"])
    func `a namespace that is not there is said with the word that names it`(_ line: String) throws {
        let said = try #require(load(line + "\n", machine: SmallMachine()).diagnostics.first)
        #expect(said.message == "there is no network namespace gone")
        #expect(said.severity == .warning)
        #expect(said.position.column == line.utf8.count - 3)
    }

    @Test func `interfaces are looked for in the network that the file names`() {
        struct TwoNetworks: MachineFacts {
            var hostName = "left"
            func hasInterface(_ name: String, in namespace: NetworkNamespaceName?) -> Bool? {
                namespace == .named("blue") ? name == "eth7" : name == "eth0"
            }
            func problem(withNamespace name: NetworkNamespaceName) -> (problem: String, remedy: String)? { nil }
            func hasUser(_ name: String) -> Bool? { nil }
            func hasGroup(_ name: String) -> Bool? { nil }
            func problem(withPattern pattern: RegexCheck) -> String? { nil }
            func problem(withProgram program: String) -> String? { nil }
            func replaceablePart(ofProgram program: String) -> String? { nil }
            func environment(_ name: String) -> String? { nil }
            func routingNames(_ file: RoutingNames) -> [String: UInt32]? { nil }
            func secret(inFile path: String, limit: Int) -> SecretFile { .unknown }
        }
        func said(_ interface: String) -> [String] {
            let words = "interface \(interface)\n virtual_router_id 5\n virtual_ipaddress {\n 192.0.2.1\n }"
            let text = "net_namespace blue\nvrrp_instance A {\n \(words)\n}\n"
            return load(text, machine: TwoNetworks()).diagnostics.map(\.message)
        }
        #expect(said("eth7") == [])
        #expect(said("eth0") == ["net_namespace blue has no interface eth0"])
    }
}
