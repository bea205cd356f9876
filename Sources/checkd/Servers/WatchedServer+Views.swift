// A watched server as others see it: the bus type, and the saved form.
import Bus
import Configuration
import HealthCheck
import Net
import Platform

extension WatchedServer {
    /// What its checkers add to its configured weight.
    var weightChange: Int64 { records.reduce(0) { $0.addingSaturated($1.weightChange) } }

    /// Data of the event and answer of List and Run.
    var health: CheckAPI.ServerHealth {
        let checks = zip(zip(names, checkers), zip(records, machine.checkers)).map { checker, now in
            CheckAPI.Check(name: checker.0, context: checker.1.context, runtime: runtime(of: now.0, now.1))
        }
        return CheckAPI.ServerHealth(
            server: name, state: machine.verdict.health, verified: machine.isVerified, since: since,
            reason: withSuspension(reason), checks: checks,
            weightChange: Self.published(weightChange), weighed: isWeighed ? true : nil,
            suspended: isSuspended ? true : nil, heldSince: heldSince, heldUntil: heldUntil)
    }

    /// With why nothing is probed, if nothing is.
    private func withSuspension(_ reason: String) -> String {
        guard isSuspended, let home else { return reason }
        return "not checked while \(home) is not on this host; before: \(reason)"
    }

    /// The names of the checks: `TCP_CHECK 1`.
    var names: [String] {
        checkers.enumerated().map { position, checker in "\(checker.probe.keyword) \(position + 1)" }
    }

    /// Its part of ListLatencies.
    var latencies: CheckAPI.ServerLatency {
        CheckAPI.ServerLatency(
            server: name,
            checks: zip(names, records).map {
                CheckAPI.CheckLatency(name: $0, probes: $1.history.latency.buckets.map(\.count))
            })
    }

    /// Answer of ShowHistory.
    var history: CheckAPI.ShowHistory.Reply {
        CheckAPI.ShowHistory.Reply(health: health, checks: zip(names, records).map { $1.history.history($0) })
    }

    private static func published(_ change: Int64) -> Int? { change == 0 ? nil : Int(change) }

    private func runtime(of record: Record, _ checker: Checker) -> CheckAPI.CheckRuntime {
        let reason = record.hindrance.map { "cannot be asked from here: \($0); before: \(record.reason)" }
        return CheckAPI.CheckRuntime(
            state: checker.verdict.health, since: record.since, reason: withSuspension(reason ?? record.reason),
            successes: checker.successes, failures: checker.failures,
            lastProbe: record.lastProbe.map { SystemClock.timestamp(at: $0) },
            durationMicroseconds: record.lastDuration.map { Int($0.nanoseconds / 1000) }, lastLine: record.lastLine,
            certificateEnd: record.certificateEnd.map { SystemClock.timestamp(at: $0 * 1_000_000_000) },
            certificateDays: record.certificateEnd.map(Self.days), weightChange: Self.published(record.weightChange),
            sharedBy: record.shared.count > 1 ? record.shared.count : nil)
    }

    /// Whole days from now until then.
    private static func days(until seconds: Int64) -> Int {
        let day: Int64 = 86_400
        let left = seconds - SystemClock.wallNanoseconds / 1_000_000_000
        return Int(left >= 0 ? left / day : (left - day + 1) / day)
    }

    /// What outlives the process.
    var saved: SavedServer {
        SavedServer(
            server: name, state: SavedState(machine.verdict), since: since, reason: reason,
            checks: zip(records, machine.checkers).map { record, checker in
                SavedCheck(
                    check: record.identity, state: SavedState(checker.verdict), since: record.since,
                    reason: record.reason, weightChange: record.weightChange == 0 ? nil : record.weightChange)
            }, changes: machine.damping?.changes.map(\.nanoseconds), heldSince: heldSince)
    }
}

extension Verdict {
    /// On the bus.
    var health: CheckAPI.Health {
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
        let target = if case .bfd(let name) = probe { "bfd_instance \(name)" } else { "\(self.target.endpoint)" }
        return CheckAPI.CheckContext(
            kind: probe.keyword, target: target, delayMilliseconds: milliseconds(schedule.delayLoop),
            retryDelayMilliseconds: milliseconds(schedule.delayBeforeRetry),
            timeoutMilliseconds: milliseconds(schedule.connectTimeout), rise: schedule.rise, fall: schedule.fall)
    }
}

extension Int64 {
    fileprivate func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}
