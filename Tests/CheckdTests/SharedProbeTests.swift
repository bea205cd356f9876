// What several virtual servers ask alike is asked once: how many probes are made, and that each server keeps a verdict of its own.
import Bus
import Configuration
import HealthCheck
import Net
import Platform
import Testing

@testable import checkd

@Suite struct SharedProbeTests {
    private final class Addresses {
        var away: Set<IPAddress> = []
    }

    private let turns: SimulatedTurns
    private let network: SimulatedNetwork
    private var bus: SimulatedBus
    private let disk: SimulatedDisk
    private let addresses = Addresses()
    private var daemon: CheckDaemon

    init() {
        let turns = SimulatedTurns()
        self.turns = turns
        network = SimulatedNetwork(turns, seed: 1)
        bus = SimulatedBus(turns)
        disk = SimulatedDisk(turns)
        daemon = Self.daemon(turns, network, bus, disk, addresses)
    }

    private static func daemon(
        _ turns: SimulatedTurns, _ network: SimulatedNetwork, _ bus: SimulatedBus, _ disk: SimulatedDisk,
        _ addresses: Addresses
    ) -> CheckDaemon {
        CheckDaemon(
            CheckWorld(
                turns: turns, events: bus, alarms: bus, verdicts: disk, boot: "boot",
                limit: ProbeLimit(descriptors: 5000), logger: Logger(level: .error),
                kind: { network.kind(of: $0) }, isHere: { !addresses.away.contains($0) }))
    }

    private func home(_ number: UInt32) -> IPAddress { .v4(IPv4Address(rawValue: 0x0A63_0000 + number)) }

    /// A service with the servers of ports 1 to `servers`, checked every 5 s; `urls` 0 is a TCP_CHECK.
    private func service(
        _ number: UInt32, servers: UInt16 = 1, delay: Int = 5, urls: Int = 0, suspends: Bool = false, mark: UInt32 = 0
    ) -> VirtualServerConfiguration {
        var service = VirtualServerConfiguration(identity: .address(.tcp, Endpoint(home(number), port: 80)))
        service.suspendsWithoutAddress = suspends
        var schedule = CheckSchedule()
        (schedule.delayLoop, schedule.warmup, schedule.retry) = (.seconds(delay), .seconds(5), 1)
        service.realServers = (1...servers).map { port in
            let endpoint = Endpoint(.v4(IPv4Address(rawValue: 0x0A63_0101)), port: port)
            var target = CheckTarget(endpoint: endpoint)
            target.firewallMark = mark
            let requests = (0..<urls).map { HTTPRequest(path: "/\($0)", host: "www") }
            var server = RealServerConfiguration(endpoint: endpoint)
            server.checkers = [
                CheckerConfiguration(
                    probe: urls == 0 ? .tcp : .http(HTTPProbe(urls: requests)), schedule: schedule, target: target)
            ]
            return server
        }
        return service
    }

    private func server(_ number: Int, _ port: Int = 1) -> CheckAPI.ServerHealth? {
        bus.servers["tcp/10.99.0.\(number):80/10.99.1.1:\(port)"]
    }

    private func listed(_ number: Int) -> CheckAPI.CheckRuntime? {
        daemon.byName["tcp/10.99.0.\(number):80/10.99.1.1:1"]?.health.checks.first?.runtime
    }

    private var probes: Int { network.probes[1] ?? 0 }

    @Test func `two hundred checks that ask a hundred questions are a hundred probes a round`() {
        daemon.start(Configuration(virtualServers: [service(1, servers: 100), service(2, servers: 100)]))
        turns.run(for: .seconds(60))
        #expect(bus.servers.count == 200 && bus.servers.values.allSatisfy { $0.state == .up && $0.verified })
        // Within 60 s a server that is asked 5 s after its last answer is asked 11 to 12 times.
        #expect(network.probes.count == 100)
        #expect(network.probes.values.allSatisfy { (11...12).contains($0) })
        #expect(listed(1)?.sharedBy == 2 && listed(2)?.sharedBy == 2)
        #expect(listed(1)?.successes == listed(2)?.successes)
    }

    @Test func `each server has its own verdict, event and saved line`() {
        network.manners[1] = .refuses
        daemon.start(Configuration(virtualServers: [service(1), service(2)]))
        turns.run(for: .seconds(15))
        for number in [1, 2] {
            #expect(server(number)?.state == .down)
            #expect(server(number)?.reason == "SIMULATED 10.99.1.1:1: connection refused")
        }
        let saved = try? SavedVerdicts(parsing: disk.content ?? [], boot: "boot")
        #expect(saved?.servers.values.map(\.server.state) == [.down, .down])
        network.manners[1] = .good
        turns.run(for: .seconds(6))
        #expect(server(1)?.state == .up && server(2)?.state == .up)
    }

    @Test func `another schedule or another question is another probe`() {
        daemon.start(
            Configuration(virtualServers: [service(1), service(2, delay: 6), service(3, mark: 7)]))
        turns.run(for: .seconds(6))
        #expect((1...3).allSatisfy { server($0)?.verified == true && listed($0)?.sharedBy == nil })
        #expect(probes >= 3)
    }

    @Test func `one that pauses stops nothing for the others, and goes on where they stand`() {
        addresses.away = [home(2)]
        daemon.start(Configuration(virtualServers: [service(1), service(2, suspends: true)]))
        turns.run(for: .seconds(10))
        #expect(server(1)?.verified == true)
        #expect(server(2)?.verified == false && server(2)?.suspended == true)
        network.manners[1] = .refuses
        turns.run(for: .seconds(12))
        #expect(server(1)?.state == .down && server(2)?.state == .up)
        let before = probes
        addresses.away = []
        daemon.addressesChanged()
        turns.run(for: .zero)
        // What is known needs no probe.
        #expect(probes == before)
        #expect(server(2)?.state == .down && server(2)?.verified == true)
        #expect(server(2)?.reason == "SIMULATED 10.99.1.1:1: connection refused")
        addresses.away = [home(2)]
        daemon.addressesChanged()
        network.manners[1] = .good
        turns.run(for: .seconds(12))
        #expect(server(1)?.state == .up && server(2)?.state == .down)
    }

    @Test(arguments: [Manner.good, .refuses])
    func `a service that a reload adds disturbs nobody, begins with what is known, and costs no probe`(manner: Manner) {
        network.manners[1] = manner
        daemon.start(Configuration(virtualServers: [service(1)]))
        turns.run(for: .seconds(20))
        let (before, known) = (probes, daemon.byName.values.map(ObjectIdentifier.init))
        let health = server(1)
        daemon.reload(Configuration(virtualServers: [service(1), service(2)]))
        turns.run(for: .zero)
        #expect(probes == before)
        #expect(server(2)?.state == (manner == .good ? .up : .down) && server(2)?.verified == true)
        #expect(server(1) == health)
        #expect(known.allSatisfy { id in daemon.byName.values.contains { ObjectIdentifier($0) == id } })
        turns.run(for: .seconds(50))
        #expect((9...10).contains(probes - before))
        #expect(server(1) == health)
    }

    @Test func `a service that is added learns from one that is checked, not from one that pauses`() {
        daemon.start(Configuration(virtualServers: [service(1, suspends: true), service(2)]))
        turns.run(for: .seconds(20))
        addresses.away = [home(1)]
        daemon.addressesChanged()
        network.manners[1] = .refuses
        turns.run(for: .seconds(20))
        daemon.reload(
            Configuration(virtualServers: [service(1, suspends: true), service(2), service(3), service(4)]))
        turns.run(for: .zero)
        for number in [3, 4] { #expect(server(number)?.state == .down && server(number)?.verified == true) }
        // Whom they learned from leaves, or pauses: others know too.
        daemon.reload(Configuration(virtualServers: [service(1, suspends: true), service(4, suspends: true)]))
        addresses.away = []
        daemon.addressesChanged()
        turns.run(for: .zero)
        #expect(server(1)?.state == .down)
        addresses.away = [home(4)]
        daemon.addressesChanged()
        daemon.reload(
            Configuration(
                virtualServers: [service(1, suspends: true), service(4, suspends: true), service(5)]))
        turns.run(for: .zero)
        #expect(server(5)?.state == .down && server(5)?.verified == true)
    }

    @Test func `nothing is known yet: who is new is taken out by nobody`() {
        network.manners[1] = .silent
        daemon.start(Configuration(virtualServers: [service(1)]))
        turns.run(for: .seconds(5))
        daemon.reload(Configuration(virtualServers: [service(1), service(2)]))
        turns.run(for: .zero)
        #expect(server(2)?.state == .up && server(2)?.verified == false)
        // The probe that is under way is its own too.
        turns.run(for: .seconds(5))
        #expect(listed(2)?.failures == 1 && listed(1)?.failures == 1)
        turns.run(for: .seconds(30))
        #expect(server(2)?.state == .down && server(2)?.verified == true)
    }

    @Test func `a service that leaves while a probe is under way takes nothing from the others`() {
        network.manners[1] = .drips
        daemon.start(Configuration(virtualServers: [service(1), service(2)]))
        turns.run(for: .seconds(7))
        #expect(probes == 1)
        daemon.reload(Configuration(virtualServers: [service(2), service(3)]))
        turns.run(for: .seconds(120))
        #expect(server(1) == nil)
        #expect(server(2)?.state == .down && server(3)?.state == .down)
        let before = probes
        daemon.reload(Configuration(virtualServers: [service(3, mark: 1)]))
        turns.run(for: .zero)
        #expect(network.probes[1] == before && listed(3)?.sharedBy == nil)
    }

    @Test mutating func `several urls go in step too, wherever their services began`() {
        // One service was there before, and down; the other is new.
        network.manners[1] = .refuses
        daemon.start(Configuration(virtualServers: [service(1, urls: 3)]))
        turns.run(for: .seconds(30))
        disk.processEnded()
        bus = SimulatedBus(turns)
        daemon = Self.daemon(turns, network, bus, disk, addresses)
        daemon.start(Configuration(virtualServers: [service(1, urls: 3), service(2, urls: 3)]))
        // Wherever in their rounds they are, they fail once and come back.
        for seconds in [7, 11, 13, 17] {
            network.manners[1] = .good
            turns.run(for: .seconds(seconds))
            network.manners[1] = .refuses
            turns.run(for: .seconds(6))
        }
        network.manners[1] = .good
        turns.run(for: .seconds(100))
        #expect(bus.servers.count == 2 && bus.servers.values.allSatisfy { $0.state == .up && $0.verified })
        let before = probes
        turns.run(for: .seconds(500))
        #expect((97...100).contains(probes - before))
    }

    @Test func `one that pauses is not counted among those that a probe is for`() {
        addresses.away = [home(2)]
        let all = (1...3).map { service(UInt32($0), suspends: $0 == 2) }
        daemon.start(Configuration(virtualServers: all))
        turns.run(for: .seconds(6))
        #expect(listed(1)?.sharedBy == 2 && listed(2)?.sharedBy == 2)
        addresses.away = []
        daemon.addressesChanged()
        #expect(listed(1)?.sharedBy == 3)
        addresses.away = [home(2)]
        daemon.addressesChanged()
        daemon.reload(Configuration(virtualServers: [all[0], all[1]]))
        turns.run(for: .seconds(1))
        #expect(listed(1)?.sharedBy == nil)
        daemon.reload(Configuration(virtualServers: [all[0], all[2]]))
        turns.run(for: .seconds(1))
        #expect(listed(1)?.sharedBy == 2)
    }

    @Test func `a result reaches a thousand servers in several turns, and those that leave meanwhile are not missed`() {
        let all = (1...1000).map { service(UInt32($0)) }
        let counter = Counter()
        daemon.start(Configuration(virtualServers: all))
        turns.ended = { [daemon, turns, counter] in
            let known = daemon.byName.values.count { $0.machine.isVerified }
            counter.most = max(counter.most, known - counter.known)
            if counter.known == 0, known > 0 {
                counter.began = turns.now
                daemon.reload(
                    Configuration(virtualServers: all.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)))
            }
            counter.known = known
        }
        turns.run(for: .seconds(4))
        #expect(probes == 1)
        #expect(daemon.byName.count == 500 && daemon.byName.values.allSatisfy { $0.machine.isVerified })
        // In the turn in which it comes, and at the end of that.
        #expect((1...200).contains(counter.most))
        // All in one go, nothing in between.
        #expect(
            daemon.byName.values.allSatisfy { $0.records[0].history.latency.buckets.reduce(0) { $0 + $1.count } == 1 })
        turns.ended = {}
    }

    private final class Counter {
        var (known, most, began) = (0, 0, Instant.zero)
    }

    @Test func `whoever asks for a probe has one made for all`() {
        daemon.start(Configuration(virtualServers: [service(1, delay: 600), service(2, delay: 600)]))
        turns.run(for: .seconds(10))
        network.manners[1] = .refuses
        for _ in 0..<2 {
            var answers: [CheckAPI.Health] = []
            for number in [1, 2] {
                daemon.byName["tcp/10.99.0.\(number):80/10.99.1.1:1"]?.run { answers.append($0.health.state) }
            }
            turns.run(for: .milliseconds(200))
            #expect(answers.count == 2)
        }
        #expect(probes == 3)
        #expect(server(1)?.state == .down && server(2)?.state == .down)
    }
}
