// What keeps clients from being served beside the table, provoked in a real kernel: each alarm is raised with its remedy, and gone once the command
// that it names was run. What ipvsd finds in which state of a host is in IPVSTests/PitfallTests.

import Bus
import Glibc
import JSON
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab), .timeLimit(.minutes(5)))
struct PitfallTests {
    private let lab: Lab
    private let director: Director

    init() throws {
        lab = try Lab()
        director = try Director(on: .director1, configurationAt: lab.directory + "/ipvsd.conf", lab: lab)
    }

    /// Two looks of ipvsd, and a busy machine.
    private let patience = Duration.seconds(45)

    /// Writes the configuration and starts what reads it.
    private func start(_ text: String, _ daemons: [Daemon] = [.busd, .ipvsd]) throws {
        try FileSystem.replace(director.configuration, with: Array(text.utf8), durable: false)
        for daemon in daemons { try director.start(daemon) }
    }

    private func set(_ host: Host, _ lines: [String]) throws {
        try lab.run(["/bin/bash", "-ec", lines.joined(separator: "\n")], on: host)
    }

    /// The alarms of ipvsd that stand, as `lbctl status` has them: remedies by subject.
    private func alarms() throws -> [String: String] {
        let text = try lab.run(
            ["\(Program.directory)/lbctl", "status", "--json", "--socket", "\(director.directory)/run/bus.sock"])
        guard case .object(let status) = try JSONValue(parsing: Array(text.utf8)) else { return [:] }
        return (status["events"]?.array ?? []).reduce(into: [:]) { alarms, event in
            guard case .object(let event) = event, event["type"]?.string == EventType.alarm,
                let subject = event["subject"]?.string, subject.hasPrefix("ipvsd/"),
                case .object(let data) = event["data"] ?? .null, data["active"]?.bool == true
            else { return }
            alarms[subject] = data["remedy"]?.string ?? ""
        }
    }

    /// Waits until exactly these stand.
    private func wait(for subjects: Set<String>) throws -> [String: String] {
        var found: [String: String] = [:]
        try lab.eventually("the alarms are \(subjects.sorted())", within: patience) {
            try lab.observe(for: .milliseconds(500))
            found = try alarms()
            return Set(found.keys) == subjects
        }
        return found
    }

    /// The command that a remedy names first.
    private func command(of remedy: String?) throws -> [String] {
        let quoted = try #require(remedy).split(separator: "'", omittingEmptySubsequences: false)
        try #require(quoted.count > 2, "no command in \(remedy ?? "")")
        let words = quoted[1].split(separator: " ").map(String.init)
        return words.first == "lbctl" ? ["\(Program.directory)/lbctl"] + words.dropFirst() : words
    }

    private static func service(_ name: String, _ method: String, _ servers: [String], _ words: String = "") -> String {
        let servers = servers.map { "real_server \($0) }\n" }.joined()
        return
            "virtual_server \(name) {\n protocol TCP\n lvs_sched rr\n lvs_method \(method)\n delay_loop 1\n \(words)\n"
            + "\(servers)}\n"
    }

    @Test func `settings of this host: each alarm goes with the command that it names`() throws {
        try set(
            .director1,
            [
                "modprobe -d /run/lab ipip",
                "ip link show tunl0 >/dev/null 2>&1 || ip link add tunl0 type ipip",
                "ip link set tunl0 up",
                "ip address add 10.9.0.1/32 dev lo", "ip address add 10.9.0.2/32 dev lo",
                "ip address add fd00:c8::101/64 dev eth0 nodad", "ip link set eth0 mtu 1300",
                "sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 net.ipv4.conf.tunl0.rp_filter=1",
                "sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=0",
                "sysctl -qw net.ipv4.conf.eth0.arp_ignore=0 net.ipv4.conf.eth0.arp_announce=0",
                "sysctl -qw net.ipv4.vs.conn_reuse_mode=0 net.ipv4.vs.expire_nodest_conn=0",
                "sysctl -qw net.ipv4.vs.expire_quiescent_template=0",
            ])
        let refusing = "192.168.200.104 81 {\n inhibit_on_failure\n TCP_CHECK {\n connect_timeout 1\n retry 0\n }\n"
        try start(
            Self.service("10.9.0.1 80", "DR", ["192.168.200.101 80 {\n"])
                + Self.service("10.9.0.2 80", "TUN", ["192.168.200.101 80 {\n"])
                + Self.service("10.9.0.3 80", "NAT", ["192.168.200.103 80 {\n", "192.168.200.104 80 {\n weight 0\n"])
                + Self.service("10.9.0.4 80", "NAT", [refusing], "persistence_timeout 60")
                + Self.service("fd00:9::1 80", "NAT", ["fd00:c8::103 80 {\n"])
                + Self.service("10.9.0.5 80", "TUN", ["fd00:c8::104 80 {\n"]),
            [.busd, .ipvsd, .checkd])
        let found = try wait(for: [
            "ipvsd/forwarding/ipv4", "ipvsd/forwarding/ipv6", "ipvsd/arp", "ipvsd/tunnel-filter", "ipvsd/tunnel-mtu",
            "ipvsd/settings/conn_reuse_mode", "ipvsd/settings/expire_quiescent_template",
        ])
        for (_, remedy) in found.sorted(by: { $0.key < $1.key }) {
            try lab.run(try command(of: remedy), on: .director1)
        }
        _ = try wait(for: [])
        #expect(director.output(of: .ipvsd).contains("tunnel-mtu: over:"), "said in the log as well")
    }

    /// Masqueraded servers that are not heard: they know no way back, or their answers come in where rp_filter does not want them.
    @Test(arguments: [false, true])
    func `connections without answers, until the answers pass`(filtered: Bool) throws {
        let web = try WebServer(on: .web1, loop: lab.loop)
        defer { withExtendedLifetime(web) {} }
        try set(.client, ["ip address add 10.1.0.2/24 dev eth0"])
        try set(
            .director1,
            [
                "ip address add 10.1.0.1/24 dev eth0", "ip address add 10.1.0.100/32 dev eth0",
                "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0",
                "sysctl -qw net.ipv4.conf.eth0.send_redirects=0 net.ipv4.conf.all.rp_filter=0",
            ])
        if filtered {
            // What web1 says comes in at eth0, and the route to web1 leads by another interface of the same wire.
            try set(
                .director1,
                [
                    "ip link set eth0 address 02:00:00:00:00:01", "ip link add side link eth0 type macvlan mode bridge",
                    "ip link set side up", "ip route add 192.168.200.103/32 dev side",
                    "sysctl -qw net.ipv4.conf.side.rp_filter=0 net.ipv4.conf.eth0.rp_filter=1",
                ])
            try set(
                .web1,
                [
                    "ip neigh replace 192.168.200.101 lladdr 02:00:00:00:00:01 dev eth0",
                    "ip route add 10.1.0.0/24 via 192.168.200.101",
                ])
        } else {
            try set(.director1, ["sysctl -qw net.ipv4.conf.eth0.rp_filter=0"])
        }
        try start(Self.service("10.1.0.100 80", "NAT", ["192.168.200.103 80 {\n"]))
        try lab.eventually("the service is written", within: .seconds(10)) {
            try lab.table(of: .director1).count == 2
        }
        let traffic = Traffic(of: "10.1.0.100", every: .milliseconds(500), loop: lab.loop)
        let remedy = try wait(for: ["ipvsd/answers"])["ipvsd/answers"]
        #expect(Traffic.answers(traffic.requests).isEmpty)
        if filtered {
            #expect(try command(of: remedy).last == "net.ipv4.conf.eth0.rp_filter=2")
            try lab.run(try command(of: remedy), on: .director1)
        } else {
            #expect(remedy?.contains("default gateway") == true, "\(remedy ?? "")")
            try set(.web1, ["ip route add default via 192.168.200.101"])
        }
        try lab.eventually("the answers pass", within: .seconds(15)) {
            Traffic.answers(traffic.requests).contains("web1")
        }
        _ = try wait(for: [])
    }

    /// With direct routing nothing of IPVS's own is in that table, and yet every packet needs room in it for a moment: nf_conntrack_in() comes at
    /// PREROUTING, before IPVS at LOCAL_IN, and ip_vs_send_or_cont() lets go of what it made there.
    @Test func `a full table of connections stops direct routing too, running connections included`() throws {
        let web = try [Host.web1, .director1].map { try WebServer(on: $0, loop: lab.loop) }
        defer { withExtendedLifetime(web) {} }
        let limit = 40
        try ForwardingNetwork.make(in: lab, for: [.direct4])
        let before = try lab.run(["/sbin/sysctl", "-n", "net.netfilter.nf_conntrack_max"])
            .trimmingPrefix { $0.isWhitespace }.split(separator: "\n").first.map(String.init)
        let usual = try #require(before)
        defer { _ = try? lab.run(["/sbin/sysctl", "-qw", "net.netfilter.nf_conntrack_max=\(usual)"]) }
        try lab.run(["/sbin/sysctl", "-qw", "net.netfilter.nf_conntrack_max=\(limit)"])
        // A masqueraded service of FTP has IPVS turn tracking on, in this kernel that has no firewall.
        try start(
            Forwarding.direct4.configuration([(.web1, 1)])
                + Self.service("10.1.0.1 21", "NAT", ["192.168.200.104 21 {\n"]))
        try lab.eventually("the services are written", within: .seconds(10)) {
            try lab.table(of: .director1).count == 4
        }
        let talks = Conversations(loop: lab.loop)
        try talks.open(1, to: .direct4)
        try lab.eventually("it is answered", within: .seconds(10)) { talks.fewestAnswers >= 2 }

        var held: [Int32] = []
        defer { for socket in held { close(socket) } }
        func hold(_ count: Int) throws {
            for _ in 0..<count {
                let socket = try Host.client.inside { try TCP.socket() }
                held.append(socket)
                _ = TCP.withAddress("10.1.0.1", 80) { connect(socket, $0, $1) }
            }
            try lab.observe(for: .milliseconds(500))
        }
        try hold(limit * 9 / 10)
        let remedy = try wait(for: ["ipvsd/conntrack"])["ipvsd/conntrack"]
        #expect(talks.broken.isEmpty, "\(talks.broken)")

        try hold(limit / 10 + 5)
        let answers = talks.fewestAnswers
        let traffic = Traffic(
            of: Forwarding.direct4.address, every: .milliseconds(200), limit: .seconds(2), loop: lab.loop)
        try lab.observe(for: .seconds(4))
        #expect(talks.fewestAnswers <= answers + 1, "a running connection is stopped")
        #expect(!traffic.requests.isEmpty && Traffic.answers(traffic.requests).isEmpty, "\(traffic.requests)")

        // It is the whole host's, and can be set in the host's own network namespace only.
        #expect(remedy?.contains("the host's own network namespace") == true)
        try lab.run(try command(of: remedy))
        try lab.eventually("both go on", within: .seconds(15)) {
            talks.fewestAnswers > answers + 1 && Traffic.answers(traffic.requests).contains("web1")
        }
        _ = try wait(for: [])
        #expect(talks.broken.isEmpty, "\(talks.broken)")
    }
}
