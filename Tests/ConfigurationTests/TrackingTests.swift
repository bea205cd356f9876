// What instances and groups track: interfaces, files, processes.

import Net
import Testing

@testable import Configuration

@Suite struct TrackingTests {
    @Test func `delays of links have a down and an up time`() throws {
        let loaded = load("interface_up_down_delays {\n eth0 1.5 3\n eth1 2\n}")
        #expect(
            loaded.configuration?.linkDelays == [
                "eth0": LinkDelays(down: .milliseconds(1500), up: .seconds(3)),
                "eth1": LinkDelays(down: .seconds(2), up: .zero),
            ])
        #expect(summary(loaded) == [])
        #expect(loaded.inactions == [])
        #expect(summary(load("interface_up_down_delays {\n eth0\n}")) == ["2:2 error missingValue"])
        #expect(load("interface_up_down_delays {\n eth0 256\n}").configuration == nil)
    }

    @Test func `a down delay ends before the backups take over`() throws {
        let loaded = load(instanceText("") + "interface_up_down_delays {\n eth0 5 9\n}")
        #expect(loaded.configuration?.linkDelays == ["eth0": LinkDelays(down: .seconds(2), up: .seconds(9))])
        #expect(loaded.diagnostics.map(\.code) == [.adjusted])
    }

    @Test func `an instance's own interface is tracked anyway`() throws {
        let loaded = load(instanceText("track_interface {\neth0 weight 10\neth1 weight -5 reverse\n}"))
        #expect(
            loaded.configuration?.instances.first?.trackedInterfaces
                == [TrackedObject("eth1", weight: -5, isReversed: true)])
        #expect(loaded.diagnostics.map(\.code) == [.adjusted])
    }

    @Test func `files and processes are acted on, with the block's own weight where a line has none`() throws {
        let loaded = load(
            "track_file f {\nfile /run/f\nweight 2\ninit_file 3 overwrite\n}\nvrrp_track_process p {\nprocess nginx\n}\n"
                + instanceText("track_file {\nf weight -4\n}\ntrack_process {\np\n}"))
        #expect(loaded.inactions == [])
        #expect(summary(loaded) == [])
        let instance = try #require(loaded.configuration?.instances.first)
        #expect(instance.trackedFiles == [TrackedObject("f", weight: -4)])
        #expect(instance.trackedProcesses == [TrackedObject("p")])
        #expect(loaded.configuration?.trackFiles.first?.initialValue == 3)
    }

    @Test(arguments: [
        ("process nginx", TrackProcessConfiguration.ParameterMatch.any), ("process nginx -g", .exact),
        ("process nginx\nparam_match", .exact), ("process nginx -g\nparam_match initial", .initial),
        ("process nginx -g\nparam_match partial", .partial),
    ])
    func `param_match says how arguments are compared`(
        _ lines: String, _ match: TrackProcessConfiguration.ParameterMatch
    ) {
        let loaded = load("vrrp_track_process p {\n\(lines)\n}")
        #expect(loaded.configuration?.trackProcesses.first?.parameters == match)
    }

    @Test func `a name that no process can have is said`() {
        #expect(summary(load("vrrp_track_process p {\nprocess /usr/sbin/nginx\n}")).count == 1)
        #expect(summary(load("vrrp_track_process p {\nprocess /usr/sbin/nginx\nfull_command\n}")) == [])
        #expect(load("vrrp_track_process p {\nprocess a\nparam_match some\n}").configuration == nil)
    }

    @Test func `a BFD session has keepalived's defaults, but a TTL that RFC 5881 accepts`() throws {
        let loaded = load(
            "bfd_instance b {\nneighbor_ip 10.0.0.2\n}\nbfd_instance c {\nneighbour_ip 2001:db8::2\nmultihop\nmin_rx 3.5\nweight -9 reverse\n}\n"
                + instanceText("track_bfd {\nb\nc\n}"))
        #expect(loaded.inactions == [])
        #expect(summary(loaded) == [])
        let sessions = try #require(loaded.configuration?.bfdSessions)
        var b = BFDConfiguration(name: "b", neighbor: .v4(IPv4Address(10, 0, 0, 2)))
        (b.timeToLive, b.maximumHops) = (255, 0)
        #expect(sessions.first == b)
        #expect(sessions.last?.maximumHops == nil && sessions.last?.receive == .microseconds(3500))
        #expect(
            loaded.configuration?.instances.first?.trackedSessions
                == [TrackedObject("b"), TrackedObject("c", weight: -9, isReversed: true)])
    }

    @Test(arguments: [
        "", "neighbor_ip 10.0.0.2\nsource_ip 2001:db8::1", "neighbor_ip 10.0.0.2\nmin_tx 0.1", "neighbor_ip here",
    ])
    func `a BFD session that cannot be is refused`(_ lines: String) {
        #expect(load("bfd_instance b {\n\(lines)\n}").configuration == nil)
    }

    private func session(_ name: String = "b", _ lines: String = "", neighbor: String = "10.0.0.2") -> String {
        "bfd_instance \(name) {\nneighbor_ip \(neighbor)\n\(lines)\n}\n"
    }

    private func check(_ lines: String) -> String { serviceText(server: "BFD_CHECK {\n\(lines)\n}") }

    @Test func `a BFD_CHECK names its session; it is asked at once and never again`() throws {
        let loaded = load(session() + serviceText("retry 4\nalpha", server: "BFD_CHECK {\nname b\n}"))
        #expect(loaded.inactions == [] && summary(loaded) == [])
        let configuration = try #require(loaded.configuration)
        #expect(configuration.checkedSessions == ["b"])
        #expect(configuration.neededDaemons == ["vrrpd", "ipvsd", "checkd"])
        let checker = try #require(configuration.virtualServers.first?.realServers.first?.checkers.first)
        #expect(checker.probe == .bfd("b"))
        #expect((checker.schedule.retry, checker.schedule.warmup, checker.schedule.alpha) == (0, .zero, true))
        let other = load(session() + serviceText("alpha", server: "BFD_CHECK {\nname b\nalpha off\n}")).configuration
        #expect(other?.virtualServers.first?.realServers.first?.checkers.first?.schedule.alpha == false)
        // A server starts down when one of its checkers does, whatever stands beside them.
        #expect(other?.virtualServers.first?.realServers.first?.alpha == false)
        let mixed = load(session() + serviceText(server: "TCP_CHECK {\n}\nBFD_CHECK {\nname b\nalpha\n}")).configuration
        #expect(mixed?.virtualServers.first?.realServers.first?.alpha == true)
    }

    @Test func `vrrp and checker say whom a session is for; both or neither: all`() throws {
        let tracking = instanceText("track_bfd {\nb\n}")
        for (lines, instances, checks) in [
            ("", true, true), ("vrrp\nchecker", true, true), ("vrrp", true, false), ("checker", false, true),
        ] {
            #expect((load(session("b", lines) + tracking).configuration != nil) == instances, "\(lines)")
            #expect((load(session("b", lines) + check("name b")).configuration != nil) == checks, "\(lines)")
        }
        let refused = load(session("b", "vrrp") + tracking + check("name b")).diagnostics
        #expect(refused.map(\.code) == [.contradiction] && refused.first?.message.hasSuffix("the word checker") == true)
    }

    @Test(arguments: [
        ("name c", "unknownReference"), ("", "missingKeyword"), ("name", "missingValue"),
        ("name b\nretry 2", "misplacedKeyword"), ("name b\nweight 2", "misplacedKeyword"),
        ("name b\n}\nBFD_CHECK {\nname b", "duplicateName"),
    ])
    func `a BFD_CHECK that keepalived complains about is refused`(_ lines: String, _ code: String) {
        let loaded = load(session() + check(lines))
        #expect(loaded.configuration == nil)
        #expect(loaded.diagnostics.contains { $0.severity == .error && $0.code.rawValue == code })
    }

    @Test func `a neighbor has one session, and one that nothing looks at is said`() {
        #expect(load(session("b") + session("c") + check("name b")).configuration == nil)
        #expect(load(session("b") + session("c", "multihop") + check("name b")).configuration != nil)
        let loaded = load(session("b") + session("c", neighbor: "10.0.0.3") + check("name b"))
        #expect(loaded.configuration != nil)
        #expect(loaded.diagnostics.map(\.code) == [.unused])
    }

    @Test func `a unit is a service unless its name says something else`() throws {
        let loaded = load(
            "track_unit u {\nunit nginx\nweight -20\nmax_restarts 5\nwindow 600\n}\ntrack_unit v {\nunit a.mount\n}\n"
                + instanceText("track_unit {\nu\n}"))
        #expect(summary(loaded) == [])
        let units = try #require(loaded.configuration?.trackUnits)
        #expect(units.map(\.unit) == ["nginx.service", "a.mount"])
        #expect((units[0].maximumRestarts, units[0].window, units[0].weight) == (5, .seconds(600), -20))
        #expect(loaded.configuration?.instances.first?.trackedUnits == [TrackedObject("u", weight: -20)])
        #expect(load("track_unit u {\nunit a/b\n}").configuration == nil)
        #expect(load("track_unit u {\n}").configuration == nil)
    }

    @Test(
        arguments: [
            ("quorum 2\nquorum_max 1", 2, nil, 1), ("quorum_max 0", 0, 0, 0), ("quorum 2\nquorum_max 3", 2, 3, 0),
            ("quorum 2\nquorum_max 0", 2, nil, 1),
        ] as [(String, Int, Int?, Int)])
    func `a quorum_max below quorum is ignored, and 0 alone means that none may run`(
        _ lines: String, _ quorum: Int, _ most: Int?, _ warnings: Int
    ) throws {
        let loaded = load("vrrp_track_process p {\nprocess nginx\n\(lines)\n}")
        let process = try #require(loaded.configuration?.trackProcesses.first)
        #expect(process.quorum == quorum)
        #expect(process.maximum == most)
        #expect(loaded.diagnostics.count == warnings)
    }

    @Test(arguments: [
        "track_interface {\neth0:1\n}", "virtual_ipaddress {\n192.0.2.9/24 dev eth0:1\n}", "interface eth0:1",
        "virtual_routes {\n198.51.100.0/24 via 192.0.2.1 dev a/b\n}", "track_interface {\na2345678901234567890\n}",
    ])
    func `what cannot be an interface's name is an error wherever one is named`(_ lines: String) throws {
        let loaded = load(instanceText(lines, interface: nil))
        let mistake = try #require(loaded.diagnostics.first { $0.code == .badValue })
        #expect(mistake.severity == .error)
        #expect(mistake.remedy?.contains("label eth0:1") == lines.contains(":1"))
    }
}
