// Sync groups: up together, down together, in FAULT together.

import Net
import Testing

@testable import VRRP

private let t0 = Instant(nanoseconds: 1_000_000_000)
private let ours = IPAddress.v4(IPv4Address(10, 0, 0, 2))
private let other = IPAddress.v4(IPv4Address(10, 0, 0, 3))

private func pair(continuing: Bool = false) -> RouterSet {
    var set = RouterSet()
    for (identifier, name) in [(1, "VI_1"), (2, "VI_2")] as [(UInt8, String)] {
        let configuration = RouterConfiguration(version: .v2, virtualRouterID: identifier, isGrouped: true)
        set.insert(VirtualRouter(configuration, sourceAddress: ours), named: name)
    }
    set.setGroups(["VG_1": ["VI_1", "VI_2"]])
    for name in ["VI_1", "VI_2"] { _ = set.apply(to: name, at: t0) { $0.start(at: t0, continuing: continuing) } }
    return set
}

private func states(_ set: RouterSet) -> [StateName?] {
    ["VI_1", "VI_2"].map { set[$0]?.state.name }
}

private func advert(_ identifier: UInt8, _ priority: UInt8) -> Advertisement {
    Advertisement(version: .v2, virtualRouterID: identifier, priority: priority, interval: .seconds(1), addresses: [])
}

@Suite struct RouterSetTests {
    @Test func `a member waits until all are ready, then all become master at once`() {
        var set = pair()
        let t1 = t0 + .seconds(2)
        _ = set.apply(to: "VI_2", at: t1) { $0.received(advert(2, 150), from: other, at: t1) }
        let t2 = t0 + .seconds(4)
        #expect(set.apply(to: "VI_1", at: t2) { $0.timerExpired(at: t2) }.flatMap(\.actions) == [])
        #expect(states(set) == [.backup, .backup])
        let t3 = t0 + .seconds(6)
        let outcomes = set.apply(to: "VI_2", at: t3) { $0.timerExpired(at: t3) }
        #expect(outcomes.filter { !$0.actions.isEmpty }.map(\.router) == ["VI_1", "VI_2"])
        #expect(states(set) == [.master, .master])
    }

    @Test func `hearing a master again withdraws readiness`() {
        var set = pair()
        let t1 = t0 + .seconds(4)
        _ = set.apply(to: "VI_1", at: t1) { $0.timerExpired(at: t1) }
        _ = set.apply(to: "VI_1", at: t1) { $0.received(advert(1, 150), from: other, at: t1) }
        _ = set.apply(to: "VI_2", at: t1) { $0.timerExpired(at: t1) }
        #expect(states(set) == [.backup, .backup])
    }

    @Test func `one outranked member takes the other along, without priority 0`() {
        var set = pair(continuing: true)
        let outcomes = set.apply(to: "VI_2", at: t0) { $0.received(advert(2, 150), from: other, at: t0) }
        #expect(states(set) == [.backup, .backup])
        #expect(outcomes.last { !$0.actions.isEmpty }?.router == "VI_1")
        #expect(outcomes.last { !$0.actions.isEmpty }?.actions.first == .remove)
    }

    @Test func `a fault of one is a fault of all, and ends with the last`() {
        var set = pair(continuing: true)
        let outcomes = set.apply(to: "VI_1", at: t0) { $0.faultBegan(.interfaceDown("bond0")) }
        #expect(states(set) == [.fault, .fault])
        #expect(outcomes.last { !$0.actions.isEmpty }?.actions.first == .send(priority: 0))
        #expect(set["VI_2"]?.faults == [.group("VG_1")])
        _ = set.apply(to: "VI_2", at: t0) { $0.faultBegan(.interfaceDown("eth2")) }
        _ = set.apply(to: "VI_1", at: t0) { $0.faultEnded(.interfaceDown("bond0"), at: t0) }
        #expect(states(set) == [.fault, .fault])
        _ = set.apply(to: "VI_2", at: t0) { $0.faultEnded(.interfaceDown("eth2"), at: t0) }
        #expect(states(set) == [.backup, .backup])
        #expect(set["VI_1"]?.faults.isEmpty == true)
    }

    @Test func `every touched router is named, also when only its deadline moved`() {
        var set = pair()
        _ = set.apply(to: "VI_1", at: t0) { $0.received(advert(1, 150), from: other, at: t0) }
        let outcomes = set.apply(to: "VI_1", at: t0) { $0.received(advert(1, 0), from: other, at: t0) }
        #expect(outcomes.first?.router == "VI_1")
        #expect(set["VI_1"]?.deadline.map { $0 < t0 + .seconds(1) } == true)
    }
}
