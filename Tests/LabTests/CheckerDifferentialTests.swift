// The checkers beside keepalived's: one configuration, director 1 runs keepalived and director 2 Evenkeel, both ask the same servers, which
// answer well, badly and not at all, and both tables end up the same, and people are told the same. SMTP_CHECK, DNS_CHECK, UDP_CHECK, PING_CHECK, `regex`
// and BFD_CHECK.
import Glibc
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
struct CheckerDifferentialTests {
    /// A real server of web1 by its port, its checker, and whether it is up.
    private struct Case {
        let port: UInt16
        let checker: String
        let isUp: Bool

        init(_ port: UInt16, _ kind: String, _ words: String = "", up isUp: Bool) {
            self.port = port
            self.isUp = isUp
            checker = "\(kind) {\n connect_timeout 1\n retry 0\n \(words)\n}"
        }

        init(_ port: UInt16, session: String, _ words: String = "", up isUp: Bool) {
            self.port = port
            self.isUp = isUp
            checker = "BFD_CHECK {\n name \(session)\n \(words)\n}"
        }
    }

    private static let wants = "require_reply 0a xx 4x\n min_reply_length 3\n max_reply_length 5"
    private static func page(_ words: String) -> String { "url {\n path /\n \(words)\n }" }

    /// What the servers do stands in Fixtures/checkers/misbehaving.py.
    private static let cases = [
        Case(2001, "SMTP_CHECK", "helo_name lb", up: true), Case(2002, "SMTP_CHECK", up: false),
        Case(2003, "SMTP_CHECK", up: false),
        Case(2004, "SMTP_CHECK", up: false), Case(2005, "SMTP_CHECK", up: false), Case(2006, "SMTP_CHECK", up: false),
        Case(2007, "SMTP_CHECK", up: false), Case(2008, "SMTP_CHECK", up: false), Case(2009, "SMTP_CHECK", up: false),
        Case(2010, "SMTP_CHECK", up: false), Case(2011, "SMTP_CHECK", up: true), Case(2012, "SMTP_CHECK", up: false),
        Case(2101, "HTTP_GET", page("regex \"wor.d\""), up: true),
        Case(2102, "HTTP_GET", page("regex wor.d"), up: false),
        Case(2103, "HTTP_GET", page("regex world"), up: true),
        Case(2301, "DNS_CHECK", "type a\n name www.example.com", up: true), Case(2302, "DNS_CHECK", up: false),
        Case(2303, "DNS_CHECK", up: false), Case(2304, "DNS_CHECK", up: false), Case(2305, "DNS_CHECK", up: true),
        Case(2306, "DNS_CHECK", up: false),
        Case(2401, "UDP_CHECK", up: true), Case(2402, "UDP_CHECK", wants, up: true),
        Case(2403, "UDP_CHECK", wants, up: false),
        Case(2404, "UDP_CHECK", wants, up: false), Case(2405, "UDP_CHECK", wants, up: false),
        Case(2406, "UDP_CHECK", "require_reply 6b", up: true), Case(2407, "UDP_CHECK", up: false),
        Case(2501, "PING_CHECK", up: true), Case(2502, "PING_CHECK", "connect_ip 192.168.200.250", up: false),
        Case(2601, session: "web1", up: true), Case(2602, session: "nobody", up: false),
        Case(2603, session: "web1", "alpha", up: true), Case(2604, session: "nobody", "alpha", up: false),
    ]

    private static func session(_ name: String, with neighbor: String) -> String {
        "bfd_instance \(name) {\n neighbor_ip \(neighbor)\n min_rx 100\n min_tx 100\n multiplier 5\n}\n"
    }

    private func configuration() -> String {
        let servers = Self.cases.map { "real_server \(Host.web1.address) \($0.port) {\n\($0.checker)\n}" }
        return Self.session("web1", with: Host.web1.address) + Self.session("nobody", with: "192.168.200.250")
            + """
            global_defs {
                router_id lab
                notification_email {
                    ops@example.com
                    boss@example.com
                }
                notification_email_from lb@example.com
                smtp_server \(Host.web1.address) 2525
            }
            virtual_server \(virtualAddress) 81 {
                lb_algo rr
                lb_kind NAT
                protocol TCP
                smtp_alert
                real_server \(Host.web1.address) 2701 {
                    BFD_CHECK {
                        name web1
                    }
                }
            }
            virtual_server \(virtualAddress) 80 {
                delay_loop 1
                warmup 0
                lb_algo rr
                lb_kind NAT
                protocol TCP
                \(servers.joined(separator: "\n"))
            }
            """
    }

    @Test func `keepalived and Evenkeel find the same servers up`() throws {
        let lab = try Lab()
        let misbehaving = try startServers(lab)
        for director in [Host.director1, .director2] {
            try lab.run(["/sbin/sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647"], on: director)
        }
        // UDP_CHECK of a closed port lives by an ICMP error for every probe; the kernel sends one a second.
        try lab.run(["/sbin/sysctl", "-qw", "net.ipv4.icmp_ratelimit=0"], on: .web1)
        let (theirs, ours) = try startBoth(configuration(), lab)
        let neighbor = try startNeighbor(lab)
        let up = (Self.cases.filter(\.isUp).map(\.port) + [2701]).map { "\(Host.web1.address):\($0)" }
        try become(up, lab)
        neighbor.signal(SIGSTOP)
        try become(up.filter { name in ![":2601", ":2603", ":2701"].contains { name.hasSuffix($0) } }, lab)
        neighbor.signal(SIGCONT)
        try become(up, lab)
        // The kernel comes before the bus: checkd has yet to hear of the quorum.
        try lab.observe(for: .milliseconds(500))
        try ours.end(.checkd)
        try compareMails(misbehaving, lab)
        withExtendedLifetime((theirs, ours, misbehaving)) {}
    }

    /// What the table and the mail server of both directors meet.
    private func startServers(_ lab: Lab) throws -> Program {
        let servers = try Program(
            [
                "/usr/bin/python3", Lab.repository + "/Tests/LabTests/Fixtures/checkers/misbehaving.py",
                Host.web1.address,
            ],
            on: .web1, log: lab.directory + "/misbehaving.log", loop: lab.loop)
        try lab.eventually("the servers are there", within: .seconds(20)) { servers.output.contains("ready") }
        return servers
    }

    /// keepalived and Evenkeel with one configuration.
    private func startBoth(_ text: String, _ lab: Lab) throws -> (theirs: Director, ours: Director) {
        let path = lab.directory + "/checkers.conf"
        try FileSystem.replace(path, with: Array(text.utf8), durable: false)
        let theirs = try Director(on: .director1, configurationAt: path, lab: lab)
        let ours = try Director(on: .director2, configurationAt: path, lab: lab)
        try theirs.startKeepalived()
        for daemon in Daemon.allCases { try ours.start(daemon) }
        return (theirs, ours)
    }

    @Test func `with omega neither of them tells anybody by mail that it ends`() throws {
        let lab = try Lab()
        let servers = try startServers(lab)
        func server(_ port: Int) -> String {
            "real_server \(Host.web1.address) \(port) {\n TCP_CHECK {\n connect_timeout 1\n retry 0\n }\n }\n"
        }
        let (theirs, ours) = try startBoth(
            """
            global_defs {
                notification_email {
                    ops@example.com
                }
                notification_email_from lb@example.com
                smtp_server \(Host.web1.address) 2525
            }
            virtual_server \(virtualAddress) 80 {
                delay_loop 1
                warmup 0
                lb_algo rr
                lb_kind NAT
                protocol TCP
                omega
                smtp_alert
                \(server(2001))
                \(server(2999))
            }

            """, lab)
        try become(["\(Host.web1.address):2001"], lab)
        func said(_ host: Host) -> [String] {
            told(servers.output, by: host, to: "ops@example.com").map { "\($0.subject) \($0.text)" }.sorted()
        }
        let before = [
            "Realserver [\(Host.web1.address)]:tcp:2999 of virtual server [\(virtualAddress)]:tcp:80 - DOWN "
                + "=> TCP CHECK failed on service <=",
            "Virtualserver [\(virtualAddress)]:tcp:80 - UP => Starting with quorum up 1+0=1 <= 2 <=",
        ]
        try lab.eventually("both have told what is", within: .seconds(20)) {
            said(.director1) == before && said(.director2) == before
        }
        try theirs.end("keepalived")
        for daemon in [Daemon.checkd, .ipvsd, .vrrpd, .busd] { try ours.end(daemon) }
        // keepalived makes mails ("Shutting down"), and ends before they can leave.
        try lab.observe(for: .seconds(3))
        #expect(said(.director1) == before)
        #expect(said(.director2) == before)
    }

    private let quorum = "Virtualserver [\(virtualAddress)]:tcp:81"
    private func name(_ port: UInt16, of service: Int = 80) -> String {
        "Realserver [\(Host.web1.address)]:tcp:\(port) of virtual server [\(virtualAddress)]:tcp:\(service)"
    }

    /// What each of the two was told by a director: subject and text.
    private func told(_ output: String, by host: Host, to recipient: String) -> [(subject: String, text: String)] {
        output.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
            .filter { $0.count == 5 && $0[0] == "mail" && $0[1] == host.address && $0[2] == recipient }
            .map { ($0[3], $0[4]) }
    }

    /// keepalived's first word about sessions is that they are down; where the neighbor is there in time, Evenkeel has nothing to say of them then.
    /// A stall of the machine is a session lost on either side: what is compared is what the test itself brings about.
    private func compareMails(_ sink: Program, _ lab: Lab) throws {
        let sessions = [name(2601), name(2701, of: 81), quorum]
        for recipient in ["ops@example.com", "boss@example.com"] {
            func words(_ host: Host) -> [String: [String]] {
                var words: [String: [String]] = [:]
                for (subject, text) in told(sink.output, by: host, to: recipient) {
                    let parts = subject.split(separator: " - ").map(String.init)
                    let isOurText = subject.hasPrefix("Virtual") || text.contains("BFD")
                    words[parts[0], default: []].append((parts.last ?? "") + (isOurText ? " \(text)" : ""))
                }
                return words
            }
            var theirs: [String: [String]] = [:]
            do {
                try lab.eventually("keepalived has told \(recipient) everything", within: .seconds(20)) {
                    theirs = words(.director1)
                    return (theirs[quorum] ?? []).count >= 5 && (theirs[name(2603)] ?? []).count >= 3
                }
            } catch {
                Issue.record("\(theirs)")
            }
            var ours = words(.director2)
            let (first, last) = (theirs[quorum]?.first, ours[quorum]?.first)
            #expect(first == "UP => Starting with quorum up 1+0=1 <= 1 <=" && last == first)
            for (session, count) in sessions.map({ ($0, 2) }) + [(name(2603), 3)] {
                ours[session] = ours[session]?.suffix(count)
                theirs[session] = theirs[session]?.suffix(count)
            }
            #expect(Set(theirs.keys).symmetricDifference(ours.keys) == [])
            for (subject, words) in theirs { #expect(ours[subject] == words, "\(subject)") }
            #expect(
                theirs[name(2601)] == [
                    "DOWN => BFD CHECK web1 failed on service <=", "UP => BFD CHECK web1 succeeded on service <=",
                ])
        }
    }

    /// The other end of the sessions of both directors, on web1.
    private func startNeighbor(_ lab: Lab) throws -> Program {
        let directory = lab.directory + "/neighbor"
        try FileSystem.makeDirectory(directory + "/run/private", mode: 0o755)
        let text = [Host.director1, .director2].map { Self.session($0.rawValue, with: $0.address) }.joined()
        try FileSystem.replace(directory + "/bfd.conf", with: Array(text.utf8), durable: false)
        return try Program(
            [
                "\(Program.directory)/vrrpd", "--config", directory + "/bfd.conf", "--run-dir", directory + "/run",
                "--state-dir", directory + "/state",
            ], on: .web1, log: directory + "/log", loop: lab.loop)
    }

    /// Both tables come to have these servers.
    private func become(_ up: [String], _ lab: Lab) throws {
        for (name, host) in [("keepalived", Host.director1), ("Evenkeel", .director2)] {
            var last: [String] = []
            do {
                try lab.eventually("\(name) has the servers in the table that answer well", within: .seconds(25)) {
                    last = try lab.table(of: host).compactMap { $0.split(separator: " ").first.map(String.init) }
                        .filter { $0.hasPrefix("\(Host.web1.address):") }.sorted()
                    return last == up
                }
            } catch {
                Issue.record(
                    "\(name): too many \(Set(last).subtracting(up).sorted()), too few \(Set(up).subtracting(last).sorted())"
                )
            }
        }
    }
}
