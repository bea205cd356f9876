// A watched server as others see it: the bus type, and the saved form.
import Bus
import Configuration
import HealthCheck
import Net

extension WatchedServer {
    /// Data of the event and answer of List and Run.
    var health: CheckAPI.ServerHealth {
        var running = zip(records, machine.checkers).makeIterator()
        let checks = zip(configuration.checkers, supports).enumerated().map { position, checker in
            let (configuration, support) = checker
            let runtime: CheckAPI.CheckRuntime =
                switch support {
                case .runs: running.next().map(Self.runtime) ?? Self.unknown(since: since, "not checked yet")
                case .unsupported(let reason): Self.unknown(since: since, reason)
                }
            return CheckAPI.Check(
                name: "\(configuration.probe.keyword) \(position + 1)", context: configuration.context, runtime: runtime
            )
        }
        return CheckAPI.ServerHealth(
            server: name, state: machine.verdict.health, verified: machine.isVerified, since: since,
            reason: reason, checks: checks)
    }

    private static func unknown(since: String, _ reason: String) -> CheckAPI.CheckRuntime {
        CheckAPI.CheckRuntime(state: .unknown, since: since, reason: reason, successes: 0, failures: 0)
    }

    private static func runtime(of record: Record, _ checker: Checker) -> CheckAPI.CheckRuntime {
        let reason = record.hindrance.map { "cannot be asked from here: \($0); before: \(record.reason)" }
        return CheckAPI.CheckRuntime(
            state: checker.verdict.health, since: record.since, reason: reason ?? record.reason,
            successes: checker.successes, failures: checker.failures, lastProbe: record.lastProbe,
            durationMicroseconds: record.lastDuration.map { Int($0.nanoseconds / 1000) }, lastLine: record.lastLine)
    }

    /// What outlives the process.
    var saved: SavedServer {
        SavedServer(
            server: name, state: SavedState(machine.verdict), since: since, reason: reason,
            checks: zip(records, machine.checkers).map { record, checker in
                SavedCheck(
                    check: record.identity, state: SavedState(checker.verdict), since: record.since,
                    reason: record.reason)
            })
    }
}

extension Verdict {
    fileprivate var health: CheckAPI.Health {
        switch self {
        case .up: .up
        case .down: .down
        }
    }
}

extension CheckerConfiguration {
    /// What the configuration says, for people.
    fileprivate var context: CheckAPI.CheckContext {
        func milliseconds(_ duration: Duration) -> Int { Int(duration.nanoseconds / 1_000_000) }
        return CheckAPI.CheckContext(
            kind: probe.keyword, target: "\(target.endpoint)", delayMilliseconds: milliseconds(schedule.delayLoop),
            retryDelayMilliseconds: milliseconds(schedule.delayBeforeRetry),
            timeoutMilliseconds: milliseconds(schedule.connectTimeout), rise: schedule.rise, fall: schedule.fall)
    }
}
