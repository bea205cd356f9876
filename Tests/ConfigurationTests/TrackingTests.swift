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
}
