// The machine, one behaviour per test: events in, actions and deadlines out; time is a number.

import Net
import Testing

@testable import VRRP

private let t0 = Instant(nanoseconds: 1_000_000_000_000)
private let ours = IPAddress.v4(IPv4Address(10, 0, 0, 2))
private let lower = IPAddress.v4(IPv4Address(10, 0, 0, 1))
private let higher = IPAddress.v4(IPv4Address(10, 0, 0, 3))
/// Priority 100 at 1 s: 3 s + 156/256 s.
private let masterDown = Duration.milliseconds(3609) + .microseconds(375)
private let skew = Duration.microseconds(609_375)

private func router(
    _ priority: UInt8 = 100, version: ProtocolVersion = .v3, _ change: (inout RouterConfiguration) -> Void = { _ in }
) -> VirtualRouter {
    var configuration = RouterConfiguration(version: version, virtualRouterID: 1, priority: priority)
    change(&configuration)
    return VirtualRouter(configuration, sourceAddress: ours)
}

private func backup(
    _ priority: UInt8 = 100, version: ProtocolVersion = .v3, _ change: (inout RouterConfiguration) -> Void = { _ in }
) -> VirtualRouter {
    var router = router(priority, version: version, change)
    _ = router.start(at: t0)
    return router
}

private func master(
    _ priority: UInt8 = 100, version: ProtocolVersion = .v3, _ change: (inout RouterConfiguration) -> Void = { _ in }
) -> VirtualRouter {
    var router = router(priority, version: version, change)
    _ = router.start(at: t0, continuing: true)
    return router
}

private func advert(_ priority: UInt8, every interval: Duration = .seconds(1)) -> Advertisement {
    Advertisement(version: .v3, virtualRouterID: 1, priority: priority, interval: interval, addresses: [])
}

private func report(_ from: StateName, _ to: StateName, _ cause: Cause) -> Action {
    .report(Transition(from: from, to: to, cause: cause))
}

@Suite struct TimingTests {
    @Test(arguments: [
        (ProtocolVersion.v2, UInt8(100), Duration.seconds(1), Duration.microseconds(3_609_375)),
        (.v2, 50, .seconds(1), .nanoseconds(3_804_687_500)),
        (.v2, 100, .seconds(10), .microseconds(30_609_375)),
        (.v3, 100, .seconds(10), .nanoseconds(36_093_750_000)),
        (.v3, 254, .milliseconds(10), .nanoseconds(30_078_125)),
        (.v3, 1, .milliseconds(100), .nanoseconds(399_609_375)),
        (.v3, 255, .seconds(1), .nanoseconds(3_003_906_250)),
    ])
    func `the master-down interval is exact`(
        version: ProtocolVersion, priority: UInt8, interval: Duration, expected: Duration
    ) {
        #expect(Timing.masterDown(version, priority: priority, interval: interval, missed: 3) == expected)
    }
}

@Suite struct VirtualRouterTests {
    @Test func `a router below 255 starts as backup for a master-down interval`() {
        var router = router()
        #expect(router.start(at: t0) == [report(.initialize, .backup, .started)])
        #expect(router.deadline == t0 + masterDown)
    }

    @Test func `an owner starts as master`() {
        var router = router(255)
        #expect(
            router.start(at: t0) == [
                .send(priority: 255), .announce(.becameMaster), report(.initialize, .master, .owner),
            ])
        #expect(router.deadline == t0 + .seconds(1))
    }

    @Test func `the timer makes a backup master: advertisement first, then addresses, then ARP`() {
        var router = backup()
        let due = t0 + masterDown
        #expect(router.timerExpired(at: due - .nanoseconds(1)) == [])
        #expect(
            router.timerExpired(at: due) == [
                .send(priority: 100), .announce(.becameMaster),
                report(.backup, .master, .masterDown(nil, silent: masterDown)),
            ])
        #expect(router.deadline == due + .seconds(1))
    }

    @Test func `a master keeps its rhythm although its timer fires late`() {
        var router = master()
        #expect(router.timerExpired(at: t0 + .milliseconds(1003)) == [.send(priority: 100)])
        #expect(router.deadline == t0 + .seconds(2))
        #expect(router.timerExpired(at: t0 + .seconds(9)) == [.send(priority: 100)])
        #expect(router.deadline == t0 + .seconds(10))
    }

    @Test(arguments: [UInt8(100), 150])
    func `an equal or higher advertisement restarts the timer`(priority: UInt8) {
        var router = backup()
        let t1 = t0 + .seconds(2)
        let peer = Peer(address: lower, priority: priority)
        #expect(router.received(advert(priority), from: lower, at: t1) == [.follow(peer)])
        #expect(router.deadline == t1 + masterDown)
        #expect(router.received(advert(priority), from: lower, at: t1) == [])
    }

    @Test func `a lower advertisement does not restart the timer`() {
        var router = backup()
        for step in 1...3 {
            #expect(router.received(advert(99), from: higher, at: t0 + .seconds(step)) == [])
        }
        #expect(router.deadline == t0 + masterDown)
    }

    @Test func `a master's silence counts from when its advertisement came in`() {
        var router = backup()
        let late = t0 + .seconds(1)
        _ = router.received(advert(200), from: higher, arrived: late - .milliseconds(3), at: late)
        #expect(router.deadline == late - .milliseconds(3) + masterDown)
        _ = router.received(advert(0), from: higher, arrived: late - .milliseconds(2), at: late)
        #expect(router.deadline == late - .milliseconds(2) + skew)
        // Of a master too that yields.
        var other = master()
        _ = other.received(advert(200), from: higher, arrived: late - .milliseconds(3), at: late)
        #expect(other.deadline == late - .milliseconds(3) + masterDown)
    }

    @Test func `without preemption a lower master is followed`() {
        var router = backup { $0.preemption = .disabled }
        let t1 = t0 + .seconds(1)
        _ = router.received(advert(10), from: lower, at: t1)
        #expect(router.deadline == t1 + masterDown)
    }

    @Test func `an owner preempts even with nopreempt`() {
        var router = router(255) { $0.preemption = .disabled }
        #expect(router.faultsChanged(to: [.interfaceDown("eth0")], at: t0) == [])
        #expect(router.start(at: t0) == [report(.initialize, .fault, .fault(.interfaceDown("eth0")))])
        _ = router.faultsChanged(to: [], at: t0)
        #expect(router.state.name == .master)
    }

    @Test func `preempt_delay counts from the first lower advertisement`() {
        var router = backup { $0.preemption = .delayed(.seconds(10)) }
        for second in 1...10 {
            _ = router.received(advert(50), from: lower, at: t0 + .seconds(second))
        }
        let last = t0 + .seconds(10)
        #expect(router.deadline == last + masterDown)
        for second in 11...13 {
            _ = router.received(advert(50), from: lower, at: t0 + .seconds(second))
        }
        #expect(router.deadline == last + masterDown)
    }

    @Test func `an advertisement of our rank cancels preempt_delay`() {
        var router = backup { $0.preemption = .delayed(.seconds(10)) }
        _ = router.received(advert(50), from: lower, at: t0 + .seconds(1))
        _ = router.received(advert(120), from: higher, at: t0 + .seconds(2))
        _ = router.received(advert(50), from: lower, at: t0 + .seconds(11))
        #expect(router.deadline == t0 + .seconds(11) + masterDown)
    }

    @Test func `version 3 counts in the master's interval, version 2 in its own`() {
        var third = backup()
        _ = third.received(advert(200, every: .milliseconds(100)), from: higher, at: t0)
        #expect(third.deadline == t0 + .nanoseconds(360_937_500))
        var second = backup(version: .v2)
        _ = second.received(advert(200, every: .milliseconds(100)), from: higher, at: t0)
        #expect(second.deadline == t0 + masterDown)
    }

    @Test func `a new master advertises at its own interval again`() {
        var router = backup()
        _ = router.received(advert(200, every: .milliseconds(100)), from: higher, at: t0)
        _ = router.timerExpired(at: t0 + .seconds(1))
        #expect(router.deadline == t0 + .seconds(2))
    }

    @Test func `priority 0 leaves a backup the skew, in the learned interval`() {
        var router = backup()
        #expect(router.received(advert(0), from: higher, at: t0) == [])
        #expect(router.deadline == t0 + skew)
        var fast = backup()
        _ = fast.received(advert(200, every: .milliseconds(100)), from: higher, at: t0)
        _ = fast.received(advert(0, every: .milliseconds(100)), from: higher, at: t0)
        #expect(fast.deadline == t0 + .nanoseconds(60_937_500))
        #expect(fast.statistics.priorityZeroReceived == 1)
    }

    @Test func `a master answers priority 0 at once`() {
        var router = master()
        let t1 = t0 + .milliseconds(300)
        #expect(router.received(advert(0), from: higher, at: t1) == [.send(priority: 100)])
        #expect(router.deadline == t1 + .seconds(1))
    }

    @Test func `a master yields to a higher priority without priority 0`() {
        var router = master()
        let peer = Peer(address: lower, priority: 101)
        #expect(
            router.received(advert(101), from: lower, at: t0)
                == [report(.master, .backup, .outranked(peer))])
        #expect(router.deadline == t0 + masterDown)
    }

    @Test func `higher_prio_send_advert sends one more before yielding`() {
        var router = master { $0.answersHigherPriority = true }
        let peer = Peer(address: lower, priority: 101)
        #expect(
            router.received(advert(101), from: lower, at: t0)
                == [.send(priority: 100), report(.master, .backup, .outranked(peer))])
    }

    @Test func `between equals the higher address stays master`() {
        var router = master()
        _ = router.received(advert(100), from: lower, at: t0)
        #expect(router.state.name == .master)
        _ = router.received(advert(100), from: higher, at: t0)
        #expect(router.state.name == .backup)
    }

    @Test func `a master answers a lower advertisement and announces again`() {
        var router = master()
        #expect(
            router.received(advert(50), from: higher, at: t0 + .milliseconds(300))
                == [.send(priority: 100), .announce(.lowerPriorityHeard)])
        var silent = master { $0.answersLowerPriority = false }
        // Nobody is answered, but the other one may have been master beside this one.
        #expect(silent.received(advert(50), from: higher, at: t0) == [.announce(.lowerPriorityHeard)])
    }

    @Test func `our own advertisement coming back is no event`() {
        var router = master()
        #expect(router.received(advert(100), from: ours, at: t0) == [])
        #expect(router.statistics.received == 0)
    }

    @Test func `stopping a master sends priority 0 before the addresses go`() {
        var router = master()
        #expect(
            router.stop() == [.send(priority: 0), report(.master, .initialize, .stopped)])
        #expect(router.deadline == nil)
        #expect(router.statistics.priorityZeroSent == 1)
    }

    @Test func `stopping a backup sends nothing`() {
        var router = backup()
        #expect(router.stop() == [report(.backup, .initialize, .stopped)])
    }

    @Test func `a fault takes a master off with priority 0`() {
        var router = master()
        #expect(
            router.faultsChanged(to: [.interfaceDown("eth0")], at: t0) == [
                .send(priority: 0), report(.master, .fault, .fault(.interfaceDown("eth0"))),
            ])
        #expect(router.received(advert(200), from: higher, at: t0) == [])
        #expect(router.timerExpired(at: t0 + .seconds(100)) == [])
    }

    @Test func `FAULT ends with the last fault`() {
        var router = backup()
        _ = router.faultsChanged(to: [.interfaceDown("eth0")], at: t0)
        #expect(router.faultsChanged(to: [.interfaceDown("eth0"), .interfaceDown("eth1")], at: t0) == [])
        #expect(router.faultsChanged(to: [.interfaceDown("eth1")], at: t0) == [])
        let t1 = t0 + .seconds(9)
        #expect(router.faultsChanged(to: [], at: t1) == [report(.fault, .backup, .faultsEnded)])
        #expect(router.deadline == t1 + masterDown)
        #expect(router.statistics.becameFault == 1)
    }

    @Test func `a takeover says why`() {
        var router = backup()
        let peer = Peer(address: higher, priority: 200)
        _ = router.received(advert(200), from: higher, at: t0)
        #expect(
            router.timerExpired(at: t0 + masterDown).last
                == report(.backup, .master, .masterDown(peer, silent: masterDown)))
        #expect("\(Cause.masterDown(peer, silent: masterDown))" == "no advertisement from 10.0.0.3 for 3.609 s")
        #expect(router.statistics.latestTakeover == masterDown)
        router = backup()
        _ = router.received(advert(200), from: higher, at: t0)
        let t1 = t0 + .seconds(2)
        _ = router.received(advert(200), from: higher, at: t1)
        _ = router.received(advert(0), from: higher, at: t1 + .milliseconds(300))
        _ = router.received(advert(0), from: higher, at: t1 + .milliseconds(400))
        let end = t1 + .milliseconds(300) + skew
        #expect(router.timerExpired(at: end).last == report(.backup, .master, .masterGaveUp(peer)))
        #expect(router.statistics.latestTakeover == skew)
        // Where nobody was heard before, nothing was taken over.
        router = backup()
        _ = router.timerExpired(at: t0 + masterDown)
        #expect(router.statistics.latestTakeover == nil)
    }

    @Test func `a weight moves the running timer by the difference of the skews`() {
        var router = backup()
        router.weightChanged(to: -50)
        #expect(router.priority == 50)
        #expect(router.deadline == t0 + masterDown + .nanoseconds(50 * 1_000_000_000 / 256))
        router.weightChanged(to: -1000)
        #expect(router.priority == 1)
        router.weightChanged(to: 1000)
        #expect(router.priority == 254)
    }

    @Test func `weights do not touch an owner`() {
        var router = master(255)
        router.weightChanged(to: -100)
        #expect(router.priority == 255)
    }

    @Test func `stepping down gives up once and follows anybody`() {
        var router = master(200)
        #expect(
            router.stepDown(at: t0) == [.send(priority: 0), report(.master, .backup, .steppedDown)])
        #expect(router.priority == 1)
        let t1 = t0 + .seconds(1)
        _ = router.received(advert(50), from: lower, at: t1)
        #expect(router.deadline == t1 + .nanoseconds(3_996_093_750))
        #expect(router.stepDown(at: t1) == [])
        router.resume()
        _ = router.received(advert(50), from: lower, at: t1 + .seconds(1))
        #expect(router.deadline == t1 + .nanoseconds(3_218_750_000))
    }

    @Test func `alone after stepping down it takes the addresses back`() {
        var router = master(200)
        _ = router.stepDown(at: t0)
        #expect(router.timerExpired(at: t0 + .seconds(4)).contains(.announce(.becameMaster)))
    }

    @Test func `a new configuration leaves a master in place and says so at once`() {
        var router = master()
        var configuration = router.configuration
        #expect(router.reconfigure(configuration, at: t0) == [])
        configuration.priority = 120
        #expect(router.reconfigure(configuration, at: t0) == [.send(priority: 120)])
        #expect(router.state.name == .master)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `a backup whose interval is shortened waits a new master-down interval from now`(version: ProtocolVersion) {
        var machine = backup(version: version) { $0.interval = .seconds(10) }
        var parameters = machine.configuration
        parameters.interval = .seconds(1)
        let now = t0 + .seconds(2)
        #expect(machine.reconfigure(parameters, at: now) == [])
        #expect(machine.deadline == now + masterDown)
    }

    @Test func `a backup whose interval grows counts the longer one from what it last heard`() {
        var machine = backup(version: .v2)
        var parameters = machine.configuration
        parameters.interval = .seconds(10)
        _ = machine.reconfigure(parameters, at: t0 + .seconds(2))
        #expect(machine.deadline == t0 + .seconds(30) + skew)
    }

    @Test func `a refusal is news once per sender and reason until the state changes`() {
        var router = backup()
        #expect(router.refused(.checksum(1), from: lower) == true)
        #expect(router.refused(.checksum(2), from: lower) == false)
        #expect(router.refused(.checksum(2), from: higher) == true)
        #expect(router.refused(.timeToLive(1), from: higher) == true)
        #expect(router.refused(.checksum(3), from: lower) == false)
        _ = router.timerExpired(at: t0 + .seconds(4))
        #expect(router.refused(.timeToLive(1), from: higher) == true)
        #expect(router.statistics.refused == [.checksum: 4, .timeToLive: 2])
    }

    @Test func `invented senders are news only so often`() {
        var router = backup()
        let news = (0..<1000).count {
            router.refused(.checksum(1), from: .v4(IPv4Address(rawValue: 0x0A00_0000 + UInt32($0))))
        }
        #expect(news == 64)
        #expect(router.statistics.refused == [.checksum: 1000])
    }
}
