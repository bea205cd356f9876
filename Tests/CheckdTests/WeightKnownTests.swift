// What is said of a server's weight while one of its checks cannot be asked, and probes that share a connection.
import Bus
import Configuration
import HealthCheck
import Net
import Platform
import Testing

@testable import checkd

/// A check that adds 5 to the weight, or that only keeps its place.
private final class ScriptedKind: ProbeKind {
    let title: String
    let movesWeight: Bool
    let fixedConnection: FixedConnection?
    let turns: SimulatedTurns
    /// Probes that have begun, and how they end.
    private(set) var running: [ProbeAttempt] = []

    init(_ title: String, _ turns: SimulatedTurns, movesWeight: Bool = false, connection: FixedConnection? = nil) {
        self.title = title
        self.turns = turns
        self.movesWeight = movesWeight
        fixedConnection = connection
    }

    var identity: String { title }
    var rounds: CheckRounds { CheckRounds() }

    private final class Run: RunningProbe { func cancel() {} }

    func start(step: Int, for attempt: ProbeAttempt) -> any RunningProbe {
        running.append(attempt)
        if movesWeight {
            attempt.weight = .change(5)
            turns.soon { attempt.finish(.success) }
        }
        return Run()
    }

    func endFirst() { running.removeFirst().finish(.success) }
}

@Suite struct WeightKnownTests {
    private static let endpoint = Endpoint(.v4(IPv4Address(10, 99, 1, 1)), port: 80)
    private let name = "tcp/10.99.0.1:80/10.99.1.1:80"

    private func configuration(_ probes: [Probe]) -> Configuration {
        var service = VirtualServerConfiguration(
            identity: .address(.tcp, Endpoint(.v4(IPv4Address(10, 99, 0, 1)), port: 80)))
        var schedule = CheckSchedule()
        (schedule.delayLoop, schedule.warmup) = (.seconds(5), .seconds(5))
        var server = RealServerConfiguration(endpoint: Self.endpoint)
        server.checkers = probes.map {
            CheckerConfiguration(probe: $0, schedule: schedule, target: CheckTarget(endpoint: Self.endpoint))
        }
        service.realServers = [server]
        return Configuration(virtualServers: [service])
    }

    @Test func `a weight goes with the check that set it, although the other checks cannot be asked`() {
        let turns = SimulatedTurns()
        let network = SimulatedNetwork(turns, seed: 1)
        let bus = SimulatedBus(turns)
        let mover = ScriptedKind("mover", turns, movesWeight: true)
        let daemon = CheckDaemon(
            CheckWorld(
                turns: turns, events: bus, alarms: bus, verdicts: SimulatedDisk(turns), boot: "boot",
                limit: ProbeLimit(descriptors: 68), logger: Logger(level: .error),
                kind: { if case .ping = $0.probe { mover } else { network.kind(of: $0) } }))
        network.trouble = .system("no descriptor")
        daemon.start(configuration([.ping, .tcp]))
        turns.run(for: .seconds(12))
        #expect(bus.servers[name]?.weightChange == 5)
        #expect(bus.servers[name]?.weighed == true && bus.servers[name]?.verified == false)
        daemon.reload(configuration([.tcp]))
        turns.run(for: .seconds(12))
        #expect(bus.servers[name]?.weightChange == nil)
        #expect(bus.servers[name]?.weighed == true, "what it was is over, whatever is known of the verdict")
        #expect(bus.servers[name]?.verified == false)
    }

    @Test func `probes of one connection follow each other, others run beside them`() {
        let turns = SimulatedTurns()
        let runner = ProbeRunner(limit: 10, on: turns)
        let connection = FixedConnection(port: 5000, target: Self.endpoint)
        let (first, other) = (ScriptedKind("a", turns, connection: connection), ScriptedKind("b", turns))
        var ended = 0
        let attempts = [first, first, first, other].map { kind in
            runner.run(kind, step: 0, timeout: .seconds(5)) { _ in ended += 1 }
        }
        turns.run(for: .zero)
        #expect(first.running.count == 1 && other.running.count == 1)
        // One that waits and is not wanted any more is in nobody's way.
        attempts[1].cancel()
        first.endFirst()
        turns.run(for: .zero)
        #expect(first.running.count == 1 && first.running.first === attempts[2])
        first.endFirst()
        turns.run(for: .zero)
        let again = runner.run(first, step: 0, timeout: .seconds(5)) { _ in ended += 1 }
        turns.run(for: .zero)
        #expect(first.running.first === again)
        #expect(ended == 2)
    }
}
