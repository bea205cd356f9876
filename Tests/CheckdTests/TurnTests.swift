// How much checkd does in one turn of the loop, with ten thousand servers.
import Bus
import Configuration
import HealthCheck
import Net
import Platform
import Testing

@testable import checkd

@Suite struct TurnTests {
    /// Ten thousand servers in fifty services, each with one TCP_CHECK; `mark` is part of the question of some.
    private func configuration(
        services: ClosedRange<UInt32> = 1...50, mark: UInt32 = 0, edited: Int = 0
    ) -> Configuration {
        var configuration = Configuration()
        configuration.virtualServers = services.map { number in
            let address = IPAddress.v4(IPv4Address(rawValue: 0x0A63_0000 + number))
            var service = VirtualServerConfiguration(identity: .address(.tcp, Endpoint(address, port: 80)))
            service.realServers = (0..<200).map { index in
                let endpoint = Endpoint(.v4(IPv4Address(rawValue: 0x0A64_0000 + UInt32(index))), port: 80)
                var target = CheckTarget(endpoint: endpoint)
                if index < edited { target.firewallMark = mark }
                var server = RealServerConfiguration(endpoint: endpoint)
                server.checkers = [CheckerConfiguration(probe: .tcp, target: target)]
                return server
            }
            return service
        }
        return configuration
    }

    private final class Bench {
        let turns = SimulatedTurns()
        let bus: SimulatedBus
        let disk: SimulatedDisk
        let daemon: CheckDaemon
        /// Servers that were published, by turn.
        var published: [Int] = [0]
        /// How often a server was published in all.
        var said: Int { published.reduce(0, +) }

        init() {
            let turns = self.turns
            let network = SimulatedNetwork(turns, seed: 1)
            bus = SimulatedBus(turns)
            disk = SimulatedDisk(turns)
            daemon = CheckDaemon(
                CheckWorld(
                    turns: turns, events: bus, alarms: bus, verdicts: disk, boot: "boot",
                    limit: ProbeLimit(descriptors: 5000), logger: Logger(level: .error),
                    kind: { network.kind(of: $0) }))
            bus.published = { [weak self] _, _, _ in self?.published[self?.published.indices.last ?? 0] += 1 }
            turns.ended = { [weak self] in self?.published.append(0) }
        }
    }

    @Test func `a start takes over some servers a turn and then says that its state is whole`() {
        let bench = Bench()
        bench.daemon.start(configuration())
        #expect(!bench.bus.isComplete)
        bench.turns.run(for: .milliseconds(1))
        #expect(bench.bus.servers.count == 10_000 && bench.daemon.servers.count == 10_000 && bench.bus.isComplete)
        #expect((bench.published.max() ?? 0) <= 400)
        #expect(bench.daemon.servers.first?.name == "tcp/10.99.0.1:80/10.100.0.0:80")
    }

    @Test func `a reload that changes nothing publishes and writes nothing`() {
        let bench = Bench()
        bench.daemon.start(configuration())
        bench.turns.run(for: .milliseconds(1))
        let (said, writes) = (bench.said, bench.disk.writes)
        let known = bench.daemon.servers.map(ObjectIdentifier.init)
        bench.daemon.reload(configuration())
        bench.turns.run(for: .milliseconds(1))
        #expect(bench.said == said && bench.disk.writes == writes)
        #expect(bench.daemon.servers.map(ObjectIdentifier.init) == known)
    }

    @Test func `a reload takes over, and lets go of, some servers a turn`() {
        let bench = Bench()
        bench.daemon.start(configuration())
        bench.turns.run(for: .milliseconds(1))
        bench.published = [0]
        bench.daemon.reload(configuration(services: 11...60, mark: 7, edited: 100))
        bench.turns.run(for: .milliseconds(1))
        let (come, gone, edited) = (2000, 2000, 4000)
        #expect(bench.said == come + gone + edited)
        #expect((bench.published.max() ?? 0) <= 400)
        #expect(Set(bench.bus.servers.keys) == Set(bench.daemon.servers.map(\.name)))
        #expect(bench.daemon.byName.count == 10_000)
    }

    @Test func `a second reload takes the place of one that is half done`() {
        let bench = Bench()
        bench.daemon.start(configuration())
        bench.daemon.reload(configuration(services: 31...80))
        bench.daemon.reload(configuration(services: 21...70))
        bench.turns.run(for: .milliseconds(1))
        #expect(bench.daemon.servers.count == 10_000 && bench.bus.isComplete)
        #expect(bench.daemon.servers.first?.name == "tcp/10.99.0.21:80/10.100.0.0:80")
        #expect(Set(bench.bus.servers.keys) == Set(bench.daemon.servers.map(\.name)))
    }

    @Test func `signs of life say how late the latest probe began since the one before`() {
        let bench = Bench()
        bench.daemon.start(configuration(services: 1...1))
        bench.turns.run(for: .seconds(61))
        #expect(bench.bus.lateness == 0)
        bench.turns.stopProcess(for: .seconds(20))
        bench.turns.run(for: .seconds(2))
        // Of two hundred checks a minute one is due at once.
        #expect((18_000_000...20_000_000).contains(bench.bus.lateness ?? 0))
        bench.turns.run(for: .seconds(4))
        #expect(bench.bus.lateness == 0)
    }

    @Test func `a storm of verdicts is a few writes`() {
        let bench = Bench()
        bench.daemon.start(configuration(services: 1...5))
        bench.turns.run(for: .seconds(70))
        #expect(bench.daemon.servers.allSatisfy { $0.machine.isVerified })
        // The disk takes 20 ms for each; a thousand verdicts came within a minute.
        #expect(bench.disk.writes <= 1001)
        let saved = try? SavedVerdicts(parsing: bench.disk.content ?? [], boot: "boot")
        #expect(saved?.servers.count == 1000)
    }
}
