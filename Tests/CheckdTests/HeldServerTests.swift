// `flap_limit` in the daemon: what is published and kept of a server that changes its state too often, over restarts and reloads.
import Bus
import Configuration
import HealthCheck
import Net
import Platform
import Testing

@testable import checkd

@Suite struct HeldServerTests {
    private let turns: SimulatedTurns
    private let network: SimulatedNetwork
    private let disk: SimulatedDisk
    private var bus: SimulatedBus
    private var daemon: CheckDaemon
    private let name = "tcp/10.99.0.1:80/10.99.1.1:80"

    init() {
        turns = SimulatedTurns()
        network = SimulatedNetwork(turns, seed: 1)
        disk = SimulatedDisk(turns)
        bus = SimulatedBus(turns)
        daemon = Self.daemon(turns, network, disk, bus)
    }

    private static func daemon(
        _ turns: SimulatedTurns, _ network: SimulatedNetwork, _ disk: SimulatedDisk, _ bus: SimulatedBus
    ) -> CheckDaemon {
        CheckDaemon(
            CheckWorld(
                turns: turns, events: bus, alarms: bus, verdicts: disk, boot: "boot",
                limit: ProbeLimit(descriptors: 68), logger: Logger(level: .error), kind: { network.kind(of: $0) }))
    }

    private func configuration(_ limit: FlapLimit? = FlapLimit(changes: 5, window: .seconds(600))) -> Configuration {
        let home = Endpoint(.v4(IPv4Address(10, 99, 0, 1)), port: 80)
        var service = VirtualServerConfiguration(identity: .address(.tcp, home))
        let endpoint = Endpoint(.v4(IPv4Address(10, 99, 1, 1)), port: 80)
        var schedule = CheckSchedule()
        (schedule.delayLoop, schedule.warmup, schedule.retry) = (.seconds(5), .seconds(5), 0)
        var server = RealServerConfiguration(endpoint: endpoint)
        server.flapLimit = limit
        server.checkers = [
            CheckerConfiguration(probe: .tcp, schedule: schedule, target: CheckTarget(endpoint: endpoint))
        ]
        service.realServers = [server]
        return Configuration(virtualServers: [service])
    }

    private var health: CheckAPI.ServerHealth? { bus.servers[name] }

    /// Goes down and up, 20 s for each, until it is held.
    private func flap() {
        daemon.start(configuration())
        turns.run(for: .seconds(10))
        #expect(health?.state == .up && health?.heldSince == nil)
        for number in 1...6 {
            network.manners[80] = number.isMultiple(of: 2) ? .good : .refuses
            turns.run(for: .seconds(10))
        }
    }

    private mutating func restart() {
        disk.processEnded()
        bus = SimulatedBus(turns)
        daemon = Self.daemon(turns, network, disk, bus)
        daemon.start(configuration())
        turns.run(for: .zero)
    }

    @Test func `the sixth change in ten minutes holds it down, with since when and why, until it has kept still`() {
        flap()
        #expect(health?.state == .down && health?.verified == true && health?.heldSince != nil)
        #expect(
            health?.reason == "held down, more than 5 changes in 600 s (flap_limit); now: the check succeeds")
        #expect(health?.checks.first?.runtime.state == .up)
        turns.run(for: .seconds(580))
        #expect(health?.state == .down)
        turns.run(for: .seconds(20))
        #expect(health?.state == .up && health?.heldSince == nil)
        #expect(health?.reason == "the check succeeds")
    }

    @Test mutating func `when it ends is said, anew after each change, and not before its checks were made`() {
        flap()
        let first = health?.heldUntil
        #expect(first != nil)
        turns.run(for: .seconds(500))
        #expect(health?.heldUntil == first)
        network.manners[80] = .refuses
        turns.run(for: .seconds(10))
        #expect(health?.heldUntil != nil && health?.heldUntil != first)
        restart()
        #expect(health?.heldSince != nil && health?.heldUntil == nil)
        turns.run(for: .seconds(10))
        #expect(health?.heldUntil != nil)
        turns.run(for: .seconds(600))
        #expect(health?.heldSince == nil && health?.heldUntil == nil)
    }

    @Test func `a change begins the wait anew, and is seen in the reason`() {
        flap()
        turns.run(for: .seconds(500))
        network.manners[80] = .refuses
        turns.run(for: .seconds(300))
        #expect(health?.reason.hasSuffix("(flap_limit); now: SIMULATED 10.99.1.1:80: connection refused") == true)
        turns.run(for: .seconds(310))
        #expect(health?.state == .down && health?.heldSince == nil)
        #expect(health?.reason == "SIMULATED 10.99.1.1:80: connection refused")
        network.manners[80] = .good
        turns.run(for: .seconds(10))
        #expect(health?.state == .up)
    }

    @Test mutating func `a restart holds on, and ends when it would have ended`() {
        flap()
        let before = health
        turns.run(for: .seconds(5))
        restart()
        #expect(health?.state == .down && health?.heldSince == before?.heldSince && health?.since == before?.since)
        turns.run(for: .seconds(300))
        restart()
        turns.run(for: .seconds(270))
        #expect(health?.state == .down && health?.heldSince == before?.heldSince)
        turns.run(for: .seconds(30))
        #expect(health?.state == .up && health?.heldSince == nil)
        // What was counted is over, too.
        restart()
        #expect(health?.state == .up && health?.heldSince == nil)
    }

    @Test func `a reload that takes the word, or allows more, lets go at once; one that leaves it alone does not`() {
        flap()
        daemon.reload(configuration())
        turns.run(for: .zero)
        #expect(health?.heldSince != nil)
        let more = FlapLimit(changes: 6, window: .seconds(600))
        #expect(daemon.changes(to: configuration(more)) == ["flap_limit of \(name): change"])
        daemon.reload(configuration(more))
        turns.run(for: .zero)
        #expect(health?.state == .up && health?.heldSince == nil)
        network.manners[80] = .refuses
        turns.run(for: .seconds(10))
        #expect(health?.state == .down && health?.heldSince != nil)
        daemon.reload(configuration(nil))
        turns.run(for: .zero)
        #expect(health?.state == .down && health?.heldSince == nil)
        network.manners[80] = .good
        turns.run(for: .seconds(10))
        #expect(health?.state == .up)
    }

    @Test func `an edited question keeps the hold`() {
        flap()
        var edited = configuration()
        edited.virtualServers[0].realServers[0].checkers[0].target.firewallMark = 7
        daemon.reload(edited)
        turns.run(for: .zero)
        #expect(health?.state == .down && health?.heldSince != nil)
        turns.run(for: .seconds(610))
        #expect(health?.state == .up)
    }
}
