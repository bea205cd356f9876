// What many servers follow changes again while its last change is on its way to them: all of them end with what it is now, and at once.
import Configuration
import HealthCheck
import Net
import Platform
import Testing

@testable import checkd

/// A check of a thing that says at once how it stands, and when it stands otherwise.
private final class FollowedKind: ProbeKind {
    let title = "FOLLOWED"
    let identity = "FOLLOWED"
    let rounds = CheckRounds()
    private var followers: [() -> Void] = []
    var isGood = true {
        didSet { for changed in followers { changed() } }
    }

    private final class Run: RunningProbe { func cancel() {} }

    func follow(_ changed: @escaping () -> Void) -> AnyObject? {
        followers.append(changed)
        return self
    }

    func start(step: Int, for attempt: ProbeAttempt) -> any RunningProbe {
        attempt.finish(isGood ? .success : .failure(.tracked("bad")))
        return Run()
    }
}

@Suite struct FollowedTests {
    private static let endpoint = Endpoint(.v4(IPv4Address(10, 99, 1, 1)), port: 80)

    private func configuration(services: Int) -> Configuration {
        var schedule = CheckSchedule()
        (schedule.delayLoop, schedule.warmup, schedule.retry) = (.seconds(60), .zero, 0)
        var server = RealServerConfiguration(endpoint: Self.endpoint)
        server.checkers = [
            CheckerConfiguration(probe: .ping, schedule: schedule, target: CheckTarget(endpoint: Self.endpoint))
        ]
        return Configuration(
            virtualServers: (1...services).map { port in
                var service = VirtualServerConfiguration(
                    identity: .address(.tcp, Endpoint(.v4(IPv4Address(10, 99, 0, 1)), port: UInt16(port))))
                service.realServers = [server]
                return service
            })
    }

    @Test(arguments: 0...12)
    func `a change that comes while the one before is told is not lost`(turnsBetween: Int) {
        let turns = SimulatedTurns()
        let bus = SimulatedBus(turns)
        let kind = FollowedKind()
        let daemon = CheckDaemon(
            CheckWorld(
                turns: turns, events: bus, alarms: bus, verdicts: SimulatedDisk(turns), boot: "boot",
                limit: ProbeLimit(descriptors: 68), logger: Logger(level: .error), kind: { _ in kind }))
        daemon.start(configuration(services: 450))
        turns.run(for: .seconds(1))
        kind.isGood = false
        func later(_ count: Int, _ work: @escaping () -> Void) {
            if count == 0 { work() } else { turns.soon { later(count - 1, work) } }
        }
        later(turnsBetween) { kind.isGood = true }
        turns.run(for: .seconds(1))
        #expect(daemon.servers.count == 450)
        #expect(daemon.servers.count { $0.machine.verdict == .down } == 0)
    }
}
