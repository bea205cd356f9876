// nftables_ipvs in a real kernel: the rules beside keepalived 2.2.7's for the same file, connections to every address of a group, and whoever
// deletes rules or kills ipvsd. User-mode Linux has no nf_tables for ip and ip6, so this runs in the emulated lab (deploy/test emulated).

import Configuration
import Glibc
import Net
import Netlink
import Platform
import Testing

@Suite(
    .serialized,
    .enabled(if: inEmulatedLab, "user-mode Linux has no nf_tables for ip and ip6: 'deploy/test emulated' runs this"),
    .timeLimit(.minutes(5)))
struct GroupMarkTests {
    private let lab: Lab
    private let director: Director

    init() throws {
        lab = try Lab()
        director = try Director(on: .director1, configurationAt: lab.directory + "/groups.conf", lab: lab)
    }

    // MARK: The table

    /// What nft says of the tables, one line for each thing in them; what has no order is sorted.
    private func rules() throws -> [String] {
        Self.semantics(of: try lab.run(["/usr/sbin/nft", "-s", "list", "ruleset"], on: .director1))
    }

    /// `table ip t / map tcp_map / elements = …` for each line, and each element by itself.
    static func semantics(of text: String) -> [String] {
        var result: [String] = []
        var blocks: [String] = []
        var isList = false
        for line in text.split(separator: "\n") {
            var line = line.drop { $0.isWhitespace }
            let isEnd = line == "}"
            if isEnd, !blocks.isEmpty {
                blocks.removeLast()
            } else if line.hasSuffix(" {") {
                blocks.append(String(line.dropLast(2)))
            } else {
                let start = "elements = { "
                if line.hasPrefix(start) { (line, isList) = (line.dropFirst(start.count), true) }
                let isLast = isList && line.hasSuffix("}")
                let parts = isList ? line.split { $0 == "," || $0 == "}" } : [line]
                for part in parts {
                    let text = part.split(separator: " ").joined(separator: " ")
                    if !text.isEmpty { result.append((blocks + [text]).joined(separator: " / ")) }
                }
                if isLast { isList = false }
            }
        }
        return result.sorted()
    }

    private func write(_ defs: String, _ groups: [(name: String, lines: [String])], _ servers: [String]) throws {
        let text =
            "global_defs {\n\(defs)\n}\n"
            + groups.map { "virtual_server_group \($0.name) {\n\($0.lines.joined(separator: "\n"))\n}\n" }.joined()
            + servers.joined()
        try FileSystem.replace(director.configuration, with: Array(text.utf8), durable: false)
    }

    private static func server(
        _ group: String, _ transport: String = "TCP", v6: Bool = false, port: Int = 80
    ) -> String {
        let real = ["103", "104"].map { last in
            "real_server \(v6 ? "fd00:c8::\(last)" : "192.168.200.\(last)") \(port) {\nweight 1\n}\n"
        }
        return
            "virtual_server group \(group) {\nprotocol \(transport)\nlvs_sched rr\nlvs_method NAT\n\(real.joined())}\n"
    }

    // MARK: The same file, read by both

    @Test(arguments: [
        "nftables_ipvs", "nftables_ipvs mine\nnftables_ipvs_priority -7\nnftables_ipvs_start_fwmark 77",
        "nftables_ipvs\nnftables_counters",
    ])
    func `the tables are keepalived's`(defs: String) throws {
        try write(
            defs,
            [
                ("web", ["10.1.0.100-104 80", "10.1.0.110 8080", "10.1.0.120-121 443"]),
                ("names", ["10.1.0.130 53", "10.1.0.131-133 53"]),
                ("six", ["fd00:1::100-10f 80", "fd00:1::200 443"]),
                ("any", ["10.1.0.140 0", "10.1.0.141-142"]), ("sctp", ["10.1.0.150 99"]),
            ],
            [
                Self.server("names", "UDP", port: 53), Self.server("web"), Self.server("six", v6: true),
                Self.server("names", port: 53), Self.server("sctp", "SCTP"),
            ])
        try director.startKeepalived()
        // The rule of the last group is there when all is.
        try lab.eventually("keepalived has made its services", within: .seconds(30)) {
            try lab.observe(for: .milliseconds(500))
            return try lab.table(of: .director1).count == 15
        }
        try lab.observe(for: .seconds(1))
        let (wanted, table) = (try rules(), try lab.table(of: .director1))
        try director.end("keepalived")
        try lab.run(["/usr/sbin/nft", "flush", "ruleset"], on: .director1)
        try lab.run(["/sbin/ipvsadm", "-C"], on: .director1)

        try director.start(.ipvsd)
        var found: [String] = []
        try lab.eventually("ipvsd has made its own", within: .seconds(30)) {
            try lab.observe(for: .milliseconds(500))
            found = try rules()
            return try !found.isEmpty && lab.table(of: .director1) == table
        }
        #expect(
            found == wanted,
            "\nmissing \(Set(wanted).subtracting(found).sorted())\nalien \(Set(found).subtracting(wanted).sorted())")
    }

    // MARK: Traffic

    private func makeNetwork() throws {
        try lab.run(
            [
                "/bin/bash", "-ec",
                """
                sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
                sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0
                ip address add 10.1.0.1/24 dev eth0
                ip address add fd00:1::1/64 dev eth0 nodad; ip address add fd00:c8::101/64 dev eth0 nodad
                ip route add local 10.1.0.96/27 dev lo
                for last in 100 101 102; do ip address add fd00:1::$last/128 dev eth0 nodad; done
                """,
            ], on: .director1)
        try lab.run(
            [
                "/bin/bash", "-ec",
                "ip address add 10.1.0.2/24 dev eth0; ip address add fd00:1::2/64 dev eth0 nodad",
            ], on: .client)
        for host in [Host.web1, .web2] {
            try lab.run(
                [
                    "/bin/bash", "-ec",
                    """
                    ip address add fd00:c8::\(host == .web1 ? 103 : 104)/64 dev eth0 nodad
                    # All are on one wire: a director tells an IPv6 server to answer its client directly, and nothing stops it from that.
                    sysctl -qw net.ipv6.conf.eth0.accept_redirects=0
                    ip route add 10.1.0.0/24 via 192.168.200.101; ip route add fd00:1::/64 via fd00:c8::101
                    """,
                ], on: host)
        }
    }

    /// Who answers at an address and port; nil: nobody.
    private func answer(at address: String, _ port: UInt16) throws -> String? {
        let family: AddressFamily = address.contains(":") ? .inet6 : .inet
        let socket = FileDescriptor(owning: try Host.client.inside { try TCP.socket(SOCK_STREAM, family) })
        _ = TCP.withAddress(address, port) { connect(socket.number, $0, $1) }
        var hasAsked = false
        var text: String?
        let end = lab.loop.refreshNow() + .seconds(5)
        while text == nil, lab.loop.refreshNow() < end {
            try lab.loop.turn(timeoutMilliseconds: 5)
            do throws(Errno) {
                if !hasAsked { try TCP.write("GET / HTTP/1.0\r\n\r\n", to: socket.number) }
                hasAsked = true
                text = try TCP.read(socket.number)
            } catch {
                // EAGAIN of a connection that is not there yet; ECONNREFUSED and all others are no answer.
                guard error.code == EAGAIN || error.code == ENOTCONN else { return nil }
            }
        }
        return text?.split(separator: "\r\n").last.map(String.init)
    }

    private static let four = (name: "four", lines: ["10.1.0.100-103 80", "10.1.0.110 8080", "10.1.0.111 0"])
    private static let six = (name: "six", lines: ["fd00:1::100-101 80"])
    /// Rules of such a file: who deletes or changes one of them leaves another number or text.
    private func wait(for wanted: [String], _ why: String) throws {
        try lab.eventually("the rules are there: \(why)", within: .seconds(20)) { try rules() == wanted }
    }

    @Test func `connections to every address of a group are spread; others' hands, kills and reloads change nothing`()
        throws
    {
        try makeNetwork()
        let web = try [Host.web1, .web2].map { try WebServer(on: $0, loop: lab.loop) }
        defer { withExtendedLifetime(web) {} }
        let servers = [Self.server("four"), Self.server("six", v6: true)]
        try write("nftables_ipvs", [Self.four, Self.six], servers)
        try director.start(.ipvsd)
        try lab.eventually("the services are written", within: .seconds(30)) {
            try lab.table(of: .director1).count == 6
        }
        try lab.eventually("and their marks", within: .seconds(10)) { try rules().count > 8 }
        let places: [(String, UInt16)] =
            (100...103).map { ("10.1.0.\($0)", 80) }
            + [("10.1.0.110", 8080), ("10.1.0.111", 80), ("10.1.0.111", 7), ("fd00:1::100", 80), ("fd00:1::101", 80)]
        for (address, port) in places {
            let who = Set(try (0..<2).compactMap { _ in try answer(at: address, port) })
            #expect(who == ["web1", "web2"], "\(address) \(port)")
        }
        for (address, port) in [("10.1.0.100", 81), ("10.1.0.104", 80), ("10.1.0.110", 80), ("fd00:1::102", 80)] {
            #expect(try answer(at: address, UInt16(port)) == nil, "\(address) \(port) is in no group")
        }

        let talks = Conversations(loop: lab.loop)
        try talks.open(4, to: .masquerading4)
        try lab.eventually("they are answered", within: .seconds(15)) { talks.fewestAnswers >= 1 }
        let wanted = try rules()
        try attackRules(wanted)
        try attackProcess(wanted, servers) { talks.broken }
        #expect(try answer(at: "10.1.0.101", 80) != nil)
    }

    /// What a change of ours tells is not taken for somebody else's, and somebody else's right behind it is heard: else it would stay.
    @Test func `changes of others are told apart from our own`() throws {
        let (own, other, monitor) = try Host.director1.inside {
            (try Nftables(table: "t"), try Nftables(table: "t"), try NftablesMonitor(table: "t"))
        }
        let address = try #require(IPAddress("192.0.2.1"))
        let rules = MarkRules([
            MarkRules.Entry(
                MarkedAddresses(transport: .tcp, ranges: [MarkedAddresses.Range(addresses: [address], port: 80)]),
                mark: 1000)
        ])
        try own.mark(rules)
        #expect(!monitor.isTouched(butBy: own.port))
        try own.mark(rules)
        try other.mark(MarkRules())
        #expect(monitor.isTouched(butBy: own.port))
        try own.mark(rules)
        #expect(monitor.isTouched(), "who asks about all hears all")
        try own.mark(MarkRules())
    }

    /// More than a datagram of the usual length holds, and than a page of messages.
    @Test func `a group of many addresses`() throws {
        let ranges = try (0..<3000).flatMap { index in
            try ["10.\(64 + index / 250).\(index % 250).1", "fd00:2::\(String(index * 2, radix: 16))"].map { text in
                MarkedAddresses.Range(addresses: [try #require(IPAddress(text))], port: 80)
            }
        }
        let entry = MarkRules.Entry(MarkedAddresses(transport: .tcp, ranges: ranges), mark: 1000)
        try Host.director1.inside { try Nftables(table: "many") }.mark(MarkRules([entry]))
        #expect(try rules().count { $0.hasSuffix(". 80 : 0x000003e8") } == 6000)
    }

    private func nft(_ words: String) throws {
        try lab.run(["/usr/sbin/nft"] + words.split(separator: " ").map(String.init), on: .director1)
    }

    /// Somebody else deletes and adds.
    private func attackRules(_ wanted: [String]) throws {
        for words in [
            "flush ruleset", "delete table ip keepalived_ipvs", "flush table ip6 keepalived_ipvs",
            "flush chain ip keepalived_ipvs in", "flush map ip keepalived_ipvs tcp_map",
            "add rule ip keepalived_ipvs in drop", "delete element ip keepalived_ipvs tcp_map { 10.1.0.110 . 8080 }",
            "add element ip keepalived_ipvs tcp_map { 10.1.0.104 . 80 : 1000 }",
            "add chain ip keepalived_ipvs mine",
        ] {
            try nft(words)
            try wait(for: wanted, words)
        }
        try lab.run(
            ["/bin/bash", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do nft flush ruleset; done"], on: .director1)
        try wait(for: wanted, "ten in a row")
        // A table of somebody else's stays.
        try nft("add table ip others")
        try nft("add chain ip others in { type filter hook input priority 0 ; }")
        try nft("add rule ip others in accept")
        try nft("delete table ip keepalived_ipvs")
        try lab.eventually("both are there", within: .seconds(20)) {
            let rules = try rules()
            return rules.contains { $0.contains("others") } && Set(rules).isSuperset(of: wanted)
        }
        try nft("delete table ip others")
        try wait(for: wanted, "the other table has gone")
    }

    /// It is killed, meets another table and another file.
    private func attackProcess(_ wanted: [String], _ servers: [String], broken: () -> [String]) throws {
        func restart() throws {
            try director.kill(.ipvsd)
            try director.start(.ipvsd)
        }
        try director.kill(.ipvsd)
        #expect(try rules() == wanted, "they stay")
        try nft("flush ruleset")
        try director.start(.ipvsd)
        try wait(for: wanted, "a new process")

        // The group has another name, and the table too, while nobody is there; then by a reload; then it is killed in the middle.
        let renamed = (name: "renamed", lines: Self.four.lines)
        let others = [Self.server("renamed"), Self.server("six", v6: true)]
        try write("nftables_ipvs t1", [renamed, Self.six], others)
        try restart()
        func named(_ table: String) -> [String] { wanted.map { $0.replacing("keepalived_ipvs", with: table) }.sorted() }
        try wait(for: named("t1"), "another name while it was dead")
        try write("nftables_ipvs t2", [renamed, Self.six], others)
        director.reload(.ipvsd)
        try wait(for: named("t2"), "another name by reload")
        for round in 3...6 {
            try write("nftables_ipvs t\(round)", [renamed, Self.six], others)
            director.reload(.ipvsd)
            try lab.observe(for: .milliseconds(Int64(round - 2) * 60))
            try restart()
            try wait(for: named("t\(round)"), "killed during the reload")
        }

        // A group leaves: its packets are not marked any more, and connections go on.
        try write("nftables_ipvs", [renamed], [others[0]])
        director.reload(.ipvsd)
        try wait(for: wanted.filter { !$0.contains("table ip6") }, "a group has left")
        #expect(try answer(at: "fd00:1::100", 80) == nil)
        try write("nftables_ipvs", [], [])
        director.reload(.ipvsd)
        try wait(for: [], "all have left")
        try lab.observe(for: .seconds(1))
        try write("nftables_ipvs\nlvs_flush_on_stop", [Self.four, Self.six], servers)
        director.reload(.ipvsd)
        try wait(for: wanted, "all are back")
        #expect(broken().isEmpty, "\(broken())")
        try director.end(.ipvsd)
        #expect(try rules().isEmpty, "lvs_flush_on_stop")
        #expect(try lab.table(of: .director1).isEmpty)
        try write("nftables_ipvs", [Self.four, Self.six], servers)
        try director.start(.ipvsd)
        try wait(for: wanted, "once more")
        try lab.eventually("and the services", within: .seconds(20)) { try lab.table(of: .director1).count == 6 }
    }
}
