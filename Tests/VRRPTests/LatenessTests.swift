// Timers that fire late in virtual time: hosts that are paused while the others go on.

import Configuration
import Net
import Testing

@testable import VRRP
@testable import vrrpd

@Suite struct LatenessTests {
    private func pair(yieldsTo: UInt8? = nil, preempt: Bool = true) -> SimulatedNetwork {
        var high = block(priority: 150)
        high.lateYieldsTo = yieldsTo
        high.preempt = preempt
        let network = hosts([[high], [block(priority: 100)]])
        for host in network.hosts { host.start() }
        network.run(.seconds(10))
        for host in network.hosts { host.forget() }
        return network
    }

    private func pause(_ host: ScriptedHost, _ time: Duration, in network: SimulatedNetwork) {
        host.pausedUntil = network.now + time
        network.run(time)
    }

    private func late(_ host: ScriptedHost) -> [LateTimer] {
        host.remarks.compactMap { if case .late(_, let late) = $0 { late } else { nil } }
    }

    @Test func `a backup that was paused hears what waits before it acts`() throws {
        let network = pair()
        let backup = network.hosts[1]
        pause(backup, .seconds(20), in: network)
        network.run(.seconds(5))
        #expect(backup.state() == .backup)
        #expect(backup.sent.isEmpty)
        let late = try #require(late(backup).first)
        #expect(late.state == .backup && !late.gaveWay)
        #expect(late.lateness > .seconds(15) && late.lateness < .seconds(20))
        let statistics = try #require(backup.view()).machine.statistics
        #expect(statistics.lateTimers == 1 && statistics.longestLateness == late.lateness)
    }

    @Test func `a backup whose timer runs out while it is paused takes over when nothing waits`() throws {
        let network = pair()
        network.hosts[0].crash()
        pause(network.hosts[1], .seconds(20), in: network)
        network.run(.milliseconds(10))
        // What the dead master had said before waited, too.
        #expect(network.hosts[1].state() == .backup || network.hosts[1].state() == .master)
        network.run(.seconds(4))
        #expect(network.hosts[1].state() == .master)
    }

    @Test func `a paused master of higher priority goes on, and says so at once`() throws {
        let network = pair()
        pause(network.hosts[0], .seconds(10), in: network)
        #expect(network.hosts[1].state() == .master)
        network.run(.milliseconds(10))
        #expect(network.hosts[0].state() == .master && network.hosts[1].state() == .backup)
        #expect(!network.hosts[0].sent.contains { $0.priority == 0 })
        #expect(late(network.hosts[0]).map(\.state) == [.master])
    }

    @Test func `with timer_expired_backup it gives way before it hears or says anything else`() throws {
        let network = pair(yieldsTo: 254, preempt: false)
        pause(network.hosts[0], .seconds(10), in: network)
        network.run(.milliseconds(10))
        #expect(network.hosts[0].state() == .backup && network.hosts[1].state() == .master)
        #expect(network.hosts[0].sent.map(\.priority) == [0])
        #expect(late(network.hosts[0]).map(\.gaveWay) == [true])
        #expect(network.hosts[0].shown(2) == ["10.0.0.1/24"])
        network.run(.seconds(20))
        #expect(network.hosts[1].state() == .master)
    }

    @Test func `it gives way exactly when a router of that priority may have taken over`() {
        let start = Instant(nanoseconds: 1_000_000_000_000)
        for (other, patience) in [
            (UInt8(254), Duration.nanoseconds(3_007_812_500)), (100, .nanoseconds(3_609_375_000)),
        ] {
            var configuration = RouterConfiguration(version: .v3, virtualRouterID: 1, priority: 120)
            configuration.yieldsTo = other
            var router = VirtualRouter(configuration, sourceAddress: address("10.0.0.2"))
            _ = router.start(at: start, continuing: true)
            var early = router
            #expect(early.overslept(at: start + patience - .nanoseconds(1)) == [])
            #expect(early.state.name == .master)
            #expect(router.overslept(at: start + patience).first == .send(priority: 0))
            #expect(router.state.name == .backup)
            configuration.yieldsTo = nil
            var stubborn = VirtualRouter(configuration, sourceAddress: address("10.0.0.2"))
            _ = stubborn.start(at: start, continuing: true)
            #expect(stubborn.overslept(at: start + .seconds(1000)) == [])
        }
    }

    @Test func `a group gives way together`() {
        var blocks = [block(priority: 150), block("VI_2", router: 52, priority: 150, addresses: ["10.0.0.110/24"])]
        blocks[0].lateYieldsTo = 254
        let others = blocks.map {
            var other = $0
            (other.priority, other.preempt) = (100, false)
            return other
        }
        for index in blocks.indices { blocks[index].preempt = false }
        let group = SyncGroupConfiguration(name: "VG", members: ["VI_1", "VI_2"])
        let network = hosts([blocks, others], groups: [group])
        network.hosts[0].start()
        network.run(.seconds(6))
        network.hosts[1].start()
        network.run(.seconds(6))
        #expect(network.hosts[0].state() == .master && network.hosts[0].state("VI_2") == .master)
        pause(network.hosts[0], .seconds(10), in: network)
        network.run(.seconds(2))
        for name in ["VI_1", "VI_2"] {
            #expect(network.hosts[0].state(name) == .backup && network.hosts[1].state(name) == .master)
        }
    }

    @Test func `a host that is late all the time counts all of it and says it every ten seconds`() throws {
        let (network, host) = loneMaster()
        for _ in 0..<15 {
            pause(host, .milliseconds(1800), in: network)
            network.run(.milliseconds(200))
        }
        let counted = try #require(host.view()).machine.statistics.lateTimers
        #expect(counted >= 14)
        #expect((3...4).contains(late(host).count), "\(late(host).count)")
    }

    @Test func `half an interval is late, within bounds`() {
        #expect(Lateness.limit(.milliseconds(10)) == .milliseconds(50))
        #expect(Lateness.limit(.milliseconds(400)) == .milliseconds(200))
        #expect(Lateness.limit(.seconds(40)) == .seconds(1))
    }

    @Test func `one missed deadline counts once, however many advertisements waited`() throws {
        // It answers none of them, so that its own timer stays where it was.
        var quiet = block(priority: 150)
        quiet.lowerPriorityNoAdvert = true
        let network = hosts([[quiet], [block(priority: 100)]])
        for host in network.hosts { host.start() }
        network.run(.seconds(10))
        pause(network.hosts[0], .seconds(20), in: network)
        network.run(.milliseconds(1))
        #expect(try #require(network.hosts[0].view()).machine.statistics.lateTimers == 1)
    }

    // MARK: What others take off

    @Test func `what somebody else takes off is put back and counted`() throws {
        let (network, host) = loneMaster()
        for _ in 0..<2 {
            host.remove("10.0.0.100/24", from: 2)
            network.run(.milliseconds(10))
            #expect(host.shown(2).contains("10.0.0.100/24"))
        }
        let statistics = try #require(host.view()).machine.statistics
        #expect(statistics.addressesPutBack == 2 && statistics.routesPutBack == 0)
    }

    // MARK: Delays of the start

    @Test func `nothing is elected until the machine has been up for so long, nor before the startup delay`() {
        let (network, host) = lone()
        host.configuration.global.delayAfterBoot = .seconds(20)
        host.configuration.global.startupDelay = .seconds(5)
        host.start()
        // The network's clock began at 1 s.
        network.run(.seconds(18))
        #expect(host.state() == .initialize)
        #expect(host.sent.isEmpty)
        network.run(.milliseconds(1100))
        #expect(host.state() == .backup)
        network.run(.seconds(4))
        #expect(host.state() == .master)
        // A process that is started again is not held off by the boot, but by its own start.
        host.stop()
        host.start()
        network.run(.milliseconds(4900))
        #expect(host.state() == .initialize)
        network.run(.milliseconds(200))
        #expect(host.state() == .backup)
    }

    @Test func `a reload that shortens the delay ends it`() {
        let (network, host) = lone()
        host.configuration.global.delayAfterBoot = .seconds(1000)
        host.start()
        network.run(.seconds(10))
        #expect(host.state() == .initialize)
        var shorter = host.configuration
        shorter.global.delayAfterBoot = .seconds(5)
        host.reload(shorter)
        network.run(.milliseconds(1))
        #expect(host.state() == .backup)
    }

    @Test func `a master that is back inside its interval is not held off`() {
        let (network, host) = loneMaster()
        host.configuration.global.delayAfterBoot = .seconds(1000)
        host.crash()
        host.start()
        network.run(.milliseconds(10))
        #expect(host.state() == .master)
    }
}
