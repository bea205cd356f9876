// The checkers beside keepalived's: one configuration, director 1 runs keepalived and director 2 Evenkeel, both ask the same servers, which
// answer well, badly and not at all, and both tables end up the same. SMTP_CHECK, DNS_CHECK, UDP_CHECK, PING_CHECK and `regex`.
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
    ]

    private func configuration() -> String {
        let servers = Self.cases.map { "real_server \(Host.web1.address) \($0.port) {\n\($0.checker)\n}" }
        return """
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
        let misbehaving = try Program(
            [
                "/usr/bin/python3", Lab.repository + "/Tests/LabTests/Fixtures/checkers/misbehaving.py",
                Host.web1.address,
            ],
            on: .web1, log: lab.directory + "/misbehaving.log", loop: lab.loop)
        try lab.eventually("the servers are there", within: .seconds(20)) { misbehaving.output.contains("ready") }
        for director in [Host.director1, .director2] {
            try lab.run(["/sbin/sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647"], on: director)
        }
        let path = lab.directory + "/checkers.conf"
        try FileSystem.replace(path, with: Array(configuration().utf8), durable: false)
        let (theirs, ours) = (
            try Director(on: .director1, configurationAt: path, lab: lab),
            try Director(on: .director2, configurationAt: path, lab: lab)
        )
        try theirs.startKeepalived()
        for daemon in [Daemon.busd, .ipvsd, .checkd] { try ours.start(daemon) }
        let up = Self.cases.filter(\.isUp).map { "\(Host.web1.address):\($0.port)" }
        for (name, host) in [("keepalived", Host.director1), ("Evenkeel", .director2)] {
            var last: [String] = []
            do {
                try lab.eventually("\(name) has the servers in the table that answer well", within: .seconds(25)) {
                    last = try lab.table(of: host).dropFirst().compactMap {
                        $0.split(separator: " ").first.map(String.init)
                    }.sorted()
                    return last == up
                }
            } catch {
                Issue.record(
                    "\(name): too many \(Set(last).subtracting(up).sorted()), too few \(Set(up).subtracting(last).sorted())"
                )
            }
        }
        withExtendedLifetime((theirs, ours, misbehaving)) {}
    }
}
