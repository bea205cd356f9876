// When decisions fall, beside keepalived's: director 1 runs keepalived and director 2 Evenkeel, both ask the same servers, which all become bad at one
// moment and good again at another, each bad in a way of its own. From the change to the kernel's table both may take what the configuration says:
// no less, and no more than what a probe that had just ended costs, and the machine's own time.
import Glibc
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
struct CheckerTimesTests {
    private static let delayLoop = Duration.milliseconds(1000)
    private static let retryDelay = Duration.milliseconds(400)
    private static let timeout = Duration.milliseconds(500)
    /// For a busy machine, and for probes that keepalived begins a little later.
    private static let slack = Duration.milliseconds(1000)

    /// A real server of web1 by its port and its checker.
    private struct Case {
        let port: UInt16
        let kind: String
        let words: String
        /// What is bad about it is only known when connect_timeout is over.
        let isSilent: Bool

        init(_ port: UInt16, _ kind: String, _ words: String = "", silent isSilent: Bool = false) {
            (self.port, self.kind, self.words, self.isSilent) = (port, kind, words, isSilent)
        }

        /// How long a probe takes that fails.
        private var failing: Duration { isSilent ? CheckerTimesTests.timeout : .zero }

        /// From the change to a table without it: two probes fail.
        var leaves: ClosedRange<Duration> {
            let least = CheckerTimesTests.retryDelay + failing
            return least...least + failing + CheckerTimesTests.delayLoop + CheckerTimesTests.slack
        }

        /// From the change to a table with it. A probe that had begun may fail yet; keepalived asks a web server twice before it is up.
        func returns(asked times: Int) -> ClosedRange<Duration> {
            .zero...failing + CheckerTimesTests.delayLoop * times + CheckerTimesTests.slack
        }

        var isWeb: Bool { kind == "HTTP_GET" || kind == "SSL_GET" }

        var checker: String {
            """
            \(kind) {
             connect_timeout 0.5
             retry 1
             delay_before_retry 0.4
             \(words)
            }
            """
        }
    }

    private static let url = "url {\n path /\n status_code 200\n }"
    private static let reply = "require_reply 0a xx 4x"

    /// How each is bad stands in Fixtures/checkers/misbehaving.py.
    private static let cases =
        [Case(3001, "TCP_CHECK")]
        + (3101...3107).map { Case($0, "HTTP_GET", url, silent: $0 == 3106) }
        + (3201...3205).map { Case($0, "SSL_GET", url, silent: $0 == 3205) }
        + (3301...3305).map { Case($0, "SMTP_CHECK", silent: $0 == 3304) }
        + (3401...3404).map { Case($0, "DNS_CHECK", "type a\n name www.example.com", silent: $0 != 3401) }
        + [Case(3501, "UDP_CHECK", reply, silent: true), Case(3502, "UDP_CHECK", reply)]

    private var configuration: String {
        let servers = Self.cases.map { "real_server \(Host.web1.address) \($0.port) {\n\($0.checker)\n}" }
        return """
            virtual_server \(virtualAddress) 80 {
                delay_loop 1
                lb_algo rr
                lb_kind NAT
                protocol TCP
                alpha
                \(servers.joined(separator: "\n"))
            }

            """
    }

    /// Waits until both tables have all servers, or none; how long after `start` each server came or went, by director and port.
    private func follow(_ lab: Lab, from start: Instant, until isThere: Bool) throws -> [Host: [UInt16: Duration]] {
        var times: [Host: [UInt16: Duration]] = [.director1: [:], .director2: [:]]
        try lab.eventually("all servers \(isThere ? "return" : "leave")", within: .seconds(10)) {
            for host in [Host.director1, .director2] {
                let ports = Set(try lab.table(of: host).compactMap { $0.split(separator: " ").first }.map(String.init))
                let now = lab.loop.refreshNow()
                for item in Self.cases where ports.contains("\(Host.web1.address):\(item.port)") == isThere {
                    if times[host]?[item.port] == nil { times[host]?[item.port] = now - start }
                }
            }
            return times.values.allSatisfy { $0.count == Self.cases.count }
        }
        return times
    }

    @Test func `servers leave and return when keepalived's do`() throws {
        let lab = try Lab()
        let identity = (key: lab.directory + "/key.pem", certificate: lab.directory + "/certificate.pem")
        try lab.run([
            "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days",
            "2", "-subj", "/CN=web1", "-keyout", identity.key, "-out", identity.certificate,
        ])
        let servers = try Program(
            [
                "/usr/bin/python3", Lab.repository + "/Tests/LabTests/Fixtures/checkers/misbehaving.py",
                Host.web1.address, identity.certificate, identity.key,
            ],
            on: .web1, log: lab.directory + "/misbehaving.log", loop: lab.loop)
        try lab.eventually("the servers are there", within: .seconds(20)) { servers.output.contains("ready") }
        let path = lab.directory + "/times.conf"
        try FileSystem.replace(path, with: Array(configuration.utf8), durable: false)
        let (theirs, ours) = (
            try Director(on: .director1, configurationAt: path, lab: lab),
            try Director(on: .director2, configurationAt: path, lab: lab)
        )
        try theirs.startKeepalived()
        for daemon in [Daemon.busd, .ipvsd, .checkd] { try ours.start(daemon) }
        _ = try follow(lab, from: lab.loop.refreshNow(), until: true)

        for (signal, isThere) in [(SIGUSR1, false), (SIGUSR2, true)] {
            let start = lab.loop.refreshNow()
            servers.signal(signal)
            let times = try follow(lab, from: start, until: isThere)
            for item in Self.cases {
                for (host, asked) in [(Host.director1, item.isWeb ? 2 : 1), (.director2, 1)] {
                    let time = try #require(times[host]?[item.port])
                    let window = isThere ? item.returns(asked: asked) : item.leaves
                    let what = "\(host) \(item.kind) \(item.port) \(isThere ? "returns" : "leaves") after \(time)"
                    #expect(window.contains(time), "\(what), not \(window)")
                }
            }
        }
        withExtendedLifetime((theirs, ours)) {}
    }
}
