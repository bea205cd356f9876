// `ha_suspend` in simulated time: which servers are probed while an address comes and goes.
import Bus
import Configuration
import HealthCheck
import Net
import Platform
import Testing

@testable import checkd

@Suite struct SuspensionTests {
    private final class Addresses {
        var here: Set<IPAddress> = []
    }

    private let turns: SimulatedTurns
    private let network: SimulatedNetwork
    private let bus: SimulatedBus
    private let daemon: CheckDaemon
    private let addresses = Addresses()
    private let home = IPAddress.v4(IPv4Address(10, 99, 0, 1))
    private let name = "tcp/10.99.0.1:80/10.99.1.1:80"

    init() {
        let turns = SimulatedTurns()
        let network = SimulatedNetwork(turns, seed: 1)
        self.turns = turns
        self.network = network
        bus = SimulatedBus(turns)
        let addresses = addresses
        daemon = CheckDaemon(
            CheckWorld(
                turns: turns, events: bus, alarms: bus, verdicts: SimulatedDisk(turns), boot: "boot",
                limit: ProbeLimit(descriptors: 68), logger: Logger(level: .error),
                kind: { network.kind(of: $0) }, isHere: { addresses.here.contains($0) }))
    }

    private func configuration(suspends: Bool) -> Configuration {
        var service = VirtualServerConfiguration(identity: .address(.tcp, Endpoint(home, port: 80)))
        service.suspendsWithoutAddress = suspends
        let endpoint = Endpoint(.v4(IPv4Address(10, 99, 1, 1)), port: 80)
        var schedule = CheckSchedule()
        (schedule.delayLoop, schedule.warmup) = (.seconds(5), .seconds(5))
        var server = RealServerConfiguration(endpoint: endpoint)
        server.checkers = [
            CheckerConfiguration(probe: .tcp, schedule: schedule, target: CheckTarget(endpoint: endpoint))
        ]
        service.realServers = [server]
        return Configuration(virtualServers: [service])
    }

    private func move(here: Bool) {
        addresses.here = here ? [home] : []
        daemon.addressesChanged()
        turns.run(for: .zero)
    }

    private var state: (state: CheckAPI.Health?, isSuspended: Bool) {
        (bus.servers[name]?.state, bus.servers[name]?.suspended == true)
    }

    @Test func `checks run while the address is here, and verdicts stay while it is not`() {
        network.manners[80] = .refuses
        daemon.start(configuration(suspends: true))
        turns.run(for: .seconds(100))
        #expect(state == (.up, true))
        #expect(bus.servers[name]?.verified == false)
        move(here: true)
        #expect(state == (.up, false))
        turns.run(for: .seconds(12))
        #expect(state == (.down, false))
        move(here: false)
        network.manners[80] = .good
        turns.run(for: .seconds(100))
        #expect(state == (.down, true))
        #expect(
            bus.servers[name]?.reason.hasPrefix("not checked while 10.99.0.1 is not on this host; before: ") == true)
        move(here: true)
        turns.run(for: .seconds(6))
        #expect(state == (.up, false))
    }

    @Test func `without the word nothing is suspended, and a reload brings and takes it`() {
        daemon.start(configuration(suspends: false))
        turns.run(for: .seconds(6))
        #expect(state == (.up, false) && bus.servers[name]?.verified == true)
        #expect(daemon.changes(to: configuration(suspends: true)) == ["ha_suspend of \(name): change"])
        daemon.reload(configuration(suspends: true))
        turns.run(for: .zero)
        #expect(state == (.up, true))
        network.manners[80] = .refuses
        turns.run(for: .seconds(100))
        #expect(state == (.up, true))
        daemon.reload(configuration(suspends: false))
        turns.run(for: .seconds(12))
        #expect(state == (.down, false))
    }

    @Test func `somebody who asks gets an answer while it is suspended`() {
        network.manners[80] = .refuses
        daemon.start(configuration(suspends: true))
        turns.run(for: .zero)
        var answers = 0
        for _ in 0..<2 {
            daemon.server(named: name)?.run { _ in answers += 1 }
            turns.run(for: .seconds(1))
        }
        #expect(answers == 2)
        #expect(state == (.down, true))
        turns.run(for: .seconds(100))
        daemon.server(named: name)?.run { _ in answers += 1 }
        turns.run(for: .seconds(3))
        // It was not due: nobody waits for it.
        #expect(answers == 3 && bus.lateness == 0)
        network.manners[80] = .good
        #expect(state == (.down, true))
    }

    @Test func `firewall marks have no address to wait for, each address of a group its own`() {
        var service = VirtualServerConfiguration(identity: .firewallMark(7, .inet))
        service.suspendsWithoutAddress = true
        #expect(service.suspendingAddress == nil)
        service.marked = MarkedAddresses(transport: .tcp, ranges: [MarkedAddresses.Range(addresses: [home], port: 80)])
        #expect(service.suspendingAddress == home, "the first of a group that nftables marks")
        service.identity = .address(.tcp, Endpoint(home, port: 80))
        service.group = "g"
        #expect(service.suspendingAddress == home)
    }
}
