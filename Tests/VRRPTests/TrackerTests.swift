// What tracked things do to priorities and faults (keepalived's vrrp_track.c), sync groups included, and the damping of links, in virtual
// time.

import Configuration
import Net
import Testing

@testable import VRRP
@testable import vrrpd

private func tracked(_ name: String, _ weight: Int = 0, reverse: Bool = false) -> TrackedObject {
    TrackedObject(name, weight: weight, isReversed: reverse)
}

@Suite struct TrackingEffectTests {
    /// Seen with keepalived 2.2.7: `weight 7 reverse` on a link that is up makes 93 of 100.
    @Test(arguments: [
        (10, false, TrackerStanding.good, TrackingEffect.weight(10)), (10, false, .failed, .weight(0)),
        (-10, false, .good, .weight(0)), (-10, false, .failed, .weight(-10)),
        (10, true, .good, .weight(-10)), (10, true, .failed, .weight(0)),
        (-10, true, .good, .weight(0)), (-10, true, .failed, .weight(10)),
        (0, false, .good, .weight(0)), (0, false, .failed, .fault), (0, true, .good, .fault),
        (0, true, .failed, .weight(0)), (0, true, .unknown, .weight(0)), (0, false, .unknown, .weight(0)),
        (10, false, .unknown, .weight(0)), (-10, false, .unknown, .weight(0)), (10, true, .unknown, .weight(0)),
        (-10, true, .unknown, .weight(0)),
    ])
    func `a weight counts, or a fault`(
        _ weight: Int, _ reverse: Bool, _ standing: TrackerStanding, _ effect: TrackingEffect
    ) {
        #expect(tracked("x", weight, reverse: reverse).effect(of: standing) == effect)
    }

    @Test(arguments: [
        (1, false, 5, TrackingEffect.weight(5)), (10, false, -3, .weight(-30)), (10, true, 3, .weight(-30)),
        (1, false, -253, .weight(-253)), (1, false, -254, .fault), (2, false, -127, .fault), (-2, false, 127, .fault),
        (1, false, 254, .weight(253)), (254, false, 2_147_483_648, .weight(253)), (254, true, 2_147_483_648, .fault),
        (0, false, 0, .weight(0)), (0, false, 1, .fault), (0, false, -1, .fault), (0, true, 0, .fault),
        (0, true, 7, .weight(0)),
    ])
    func `a number is multiplied, and -254 is a fault`(
        _ weight: Int, _ reverse: Bool, _ number: Int, _ effect: TrackingEffect
    ) {
        #expect(tracked("x", weight, reverse: reverse).effect(of: .number(number)) == effect)
    }

    @Test func `where an instance and its group track one thing the group's weight counts`() {
        let merged = TrackedObject.merged(
            [tracked("a", 5), tracked("b"), tracked("c", 1)], with: [tracked("a", 9), tracked("b", 9), tracked("d", 2)])
        #expect(merged == [tracked("a", 9), tracked("b"), tracked("c", 1), tracked("d", 2)])
    }
}

@Suite struct TrackedInterfaceTests {
    /// A host with eth1 beside eth0.
    private func host(_ block: VRRPInstanceConfiguration, groups: [SyncGroupConfiguration] = []) -> (
        SimulatedNetwork, ScriptedHost
    ) {
        let (network, host) = lone([block], groups: groups)
        for index: Int32 in [3, 4] { host.set(index, "eth\(index - 2)", segment: Int(index)) }
        host.start()
        network.run(.seconds(14))
        return (network, host)
    }

    private func priority(_ host: ScriptedHost) -> UInt8? { host.view()?.machine.priority }

    @Test func `weights of several interfaces add up, and the sum is bounded once`() {
        var block = block(priority: 200)
        block.trackedInterfaces = [tracked("eth1", 100), tracked("eth2", -250), tracked("eth9", -3)]
        let (network, host) = host(block)
        #expect(priority(host) == 254)
        host.set(4, "eth2", segment: 4, up: false)
        network.run(.seconds(1))
        #expect(priority(host) == 47)
        host.set(3, "eth1", segment: 3, up: false)
        network.run(.seconds(1))
        #expect(priority(host) == 1)
        host.set(4, "eth2", segment: 4)
        network.run(.seconds(1))
        #expect(priority(host) == 197)
    }

    @Test func `an owner's priority stays`() {
        var block = block(priority: 255)
        block.trackedInterfaces = [tracked("eth1", -100), tracked("eth9", -100)]
        let (_, host) = host(block)
        #expect(priority(host) == 255)
    }

    @Test func `with reverse and no weight an interface that is up is the fault`() {
        var block = block()
        block.trackedInterfaces = [tracked("eth1", reverse: true)]
        let (network, host) = host(block)
        #expect(host.state() == .fault)
        #expect(host.view()?.machine.faults == [.interfaceUp("eth1")])
        host.set(3, "eth1", segment: 3, up: false)
        network.run(.seconds(5))
        #expect(host.state() == .master)
    }

    @Test func `dont_track_primary keeps an instance on a link that is down`() {
        var block = block()
        block.tracksPrimaryInterface = false
        let (network, host) = host(block)
        host.set(2, "eth0", up: false)
        network.run(.seconds(5))
        #expect(host.state() == .master)
    }

    @Test func `people see what is tracked, since when it stands so, and what it does`() {
        var block = block()
        block.trackedInterfaces = [tracked("eth1", -30)]
        let (network, host) = host(block)
        host.set(3, "eth1", segment: 3, up: false)
        network.run(.milliseconds(500))
        let down = "\(network.now)"
        network.run(.seconds(5))
        guard let daemon = host.daemon, let id = daemon.director.router(named: "VI_1"),
            let thing = daemon.director.trackedThings(of: id).first
        else {
            Issue.record("nothing is shown")
            return
        }
        #expect(thing.report == TrackerReport(.failed, "down"))
        #expect(thing.effect == .weight(-30))
        #expect(daemon.trackerStandings[thing.tracker]?.since ?? down < down)
        #expect(host.remarks.contains(.tracker(.interface("eth1"), TrackerReport(.failed, "down"))))
    }

    /// Seen with keepalived 2.2.7: 90 of 100, with `sync_group_tracking_weight` or without.
    @Test func `a group's weights move all its members`() {
        for counts in [false, true] {
            var group = SyncGroupConfiguration(name: "G", members: ["VI_1"])
            group.trackedInterfaces = [tracked("eth9", -10)]
            group.usesTrackingWeights = counts
            let (_, host) = host(block(), groups: [group])
            #expect(priority(host) == 90)
        }
    }

    @Test func `what fails in a group's list is a fault of every member`() {
        var group = SyncGroupConfiguration(name: "G", members: ["VI_1", "VI_2"])
        group.trackedInterfaces = [tracked("eth1")]
        let blocks = [block(), block("VI_2", router: 52, addresses: ["10.0.0.101/24"])]
        let (network, host) = lone(blocks, groups: [group])
        host.set(3, "eth1", segment: 3)
        host.start()
        network.run(.seconds(14))
        #expect((host.state("VI_1"), host.state("VI_2")) == (.master, .master))
        host.set(3, "eth1", segment: 3, up: false)
        network.run(.milliseconds(100))
        #expect((host.state("VI_1"), host.state("VI_2")) == (.fault, .fault))
        #expect(host.view("VI_2")?.machine.faults.contains(.interfaceDown("eth1")) ?? false)
        host.set(3, "eth1", segment: 3)
        network.run(.seconds(14))
        #expect((host.state("VI_1"), host.state("VI_2")) == (.master, .master))
    }
}

@Suite struct LinkDampingTests {
    private func host(down: Duration, up: Duration) -> (SimulatedNetwork, ScriptedHost) {
        let (network, host) = lone()
        host.configuration.linkDelays = ["eth0": LinkDelays(down: down, up: up)]
        host.start()
        network.run(.seconds(14))
        return (network, host)
    }

    @Test func `a link that was down for less than its delay moved nothing`() {
        let (network, host) = host(down: .seconds(2), up: .zero)
        host.set(2, "eth0", up: false)
        network.run(.milliseconds(1900))
        #expect(host.state() == .master)
        host.set(2, "eth0")
        network.run(.seconds(3))
        #expect(host.state() == .master)
        host.set(2, "eth0", up: false)
        network.run(.milliseconds(2100))
        #expect(host.state() == .fault)
        #expect(host.view()?.machine.faults == [.interfaceDown("eth0")])
    }

    @Test func `a link that is back counts when it has stayed`() {
        let (network, host) = host(down: .zero, up: .seconds(5))
        host.set(2, "eth0", up: false)
        network.run(.milliseconds(100))
        #expect(host.state() == .fault)
        for _ in 0..<5 {
            host.set(2, "eth0")
            network.run(.seconds(4))
            #expect(host.state() == .fault)
            host.set(2, "eth0", up: false)
            network.run(.seconds(1))
        }
        host.set(2, "eth0")
        network.run(.milliseconds(5100))
        #expect(host.state() == .backup)
    }

    @Test func `an interface that is gone is gone at once, and one that comes new counts as it is`() {
        let (network, host) = host(down: .seconds(2), up: .seconds(2))
        host.delete(2)
        network.run(.milliseconds(100))
        #expect(host.state() == .fault)
        host.set(2, "eth0")
        host.add("10.0.0.1/24", to: 2)
        network.run(.milliseconds(100))
        #expect(host.state() == .backup)
    }

    @Test func `a reload that takes the delay away lets the link count as it is`() {
        let (network, host) = host(down: .seconds(200), up: .zero)
        host.set(2, "eth0", up: false)
        network.run(.seconds(20))
        #expect(host.state() == .master)
        var without = host.configuration
        without.linkDelays = [:]
        host.reload(without)
        network.run(.milliseconds(100))
        #expect(host.state() == .fault)
    }
}
