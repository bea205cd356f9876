// `track_group` on a scripted host: instances are in FAULT while a static address, route or rule of their group cannot be there.

import Configuration
import Net
import Netlink
import Testing
import VRRP

@testable import vrrpd

@Suite struct TrackGroupTests {
    /// VI_1 needs 10.8.0.1/24 on eth1, VI_2 does not.
    private func configuration(_ trackGroup: String? = "G") -> Configuration {
        var line = AddressLine(prefix("10.8.0.1/24"), device: "eth1")
        line.trackGroup = trackGroup
        var configuration = Configuration(
            instances: [block(), block("VI_2", router: 52, addresses: ["10.0.0.110/24"])], staticAddresses: [line])
        configuration.trackGroups = [TrackGroupConfiguration(name: "G", members: ["VI_1"])]
        return configuration
    }

    private func started(_ configuration: Configuration) -> (SimulatedNetwork, ScriptedHost) {
        let (network, host) = lone([])
        host.configuration = configuration
        host.set(3, "eth1", segment: 1)
        host.start()
        network.run(.seconds(5))
        return (network, host)
    }

    private func states(_ host: ScriptedHost) -> [StateName?] { [host.state("VI_1"), host.state("VI_2")] }

    @Test func `its interface counts like the instance's own`() {
        let (network, host) = started(configuration())
        #expect(host.shown(3) == ["10.8.0.1/24"])
        #expect(states(host) == [.master, .master])
        host.set(3, "eth1", segment: 1, up: false)
        network.run(.milliseconds(10))
        #expect(states(host) == [.fault, .master])
        host.delete(3)
        network.run(.seconds(5))
        #expect(states(host) == [.fault, .master])
        host.set(4, "eth1", segment: 1)
        network.run(.seconds(5))
        #expect(states(host) == [.master, .master])
        #expect(host.shown(4) == ["10.8.0.1/24"])
    }

    @Test func `one that is taken off is put back and nothing moves; one that cannot be is a fault until it can`() {
        let (network, host) = started(configuration())
        host.remove("10.8.0.1/24", from: 3)
        network.run(.milliseconds(10))
        #expect(host.shown(3) == ["10.8.0.1/24"])
        #expect(host.view()?.machine.statistics.becameMaster == 1)
        host.refuses = { if case .add = $0 { .refused(code: 1, message: "") } else { nil } }
        host.remove("10.8.0.1/24", from: 3)
        network.run(.milliseconds(10))
        #expect(states(host) == [.fault, .master])
        #expect(host.concerns().faults.map { "\($0)" } == ["static address 10.8.0.1/24 is missing"])
        host.refuses = { _ in nil }
        network.run(.seconds(6))
        #expect(states(host) == [.master, .master])
        #expect(host.concerns().isEmpty)
    }

    @Test func `routes and rules count alike`() throws {
        var configuration = Configuration(instances: [block()])
        configuration.trackGroups = [TrackGroupConfiguration(name: "G", members: ["VI_1"])]
        var route = RouteLine(to: prefix("192.0.2.0/24"))
        route.kind = .blackhole
        route.trackGroup = "G"
        configuration.staticRoutes = [route]
        var rule = RuleLine(.inet)
        rule.priority = 300
        rule.trackGroup = "G"
        configuration.staticRules = [rule]
        let (network, host) = started(configuration)
        #expect(host.state() == .master)
        host.refusesAny = { _ in .refused(code: 1, message: "") }
        host.applyRouting(.rule(.delete(try #require(host.routes.snapshot.rules.first))))
        network.run(.milliseconds(10))
        #expect(host.concerns().faults.map { "\($0)" } == ["static rule priority 300 from all table 254 is missing"])
        host.applyRouting(.route(.delete(try #require(host.routes.snapshot.routes.first))))
        network.run(.milliseconds(10))
        #expect(host.concerns().faults.count == 2)
        host.refusesAny = { _ in nil }
        network.run(.seconds(6))
        #expect(host.state() == .master)
    }

    @Test func `a reload brings a group in and out; no_track is no need`() {
        let (network, host) = started(configuration(nil))
        host.set(3, "eth1", segment: 1, up: false)
        network.run(.milliseconds(10))
        #expect(states(host) == [.master, .master])
        host.reload(configuration())
        network.run(.milliseconds(10))
        #expect(states(host) == [.fault, .master])
        var free = configuration()
        free.staticAddresses[0].isTracked = false
        host.reload(free)
        network.run(.seconds(5))
        #expect(states(host) == [.master, .master])
    }
}
