// What people ask about a check beyond its last result: how long its probes took, and when its verdict changed. Of bounded size, and only in the
// answer of a call, not in events.
import Bus
import HealthCheck
import Net

/// The past of one check.
struct CheckRecord {
    private static let most = 16

    var latency = LatencyHistogram()
    private(set) var changes: [(time: String, verdict: Verdict, reason: String)] = []

    mutating func changed(to verdict: Verdict, _ time: String, _ reason: String) {
        if changes.count == Self.most { changes.removeFirst() }
        changes.append((time, verdict, reason))
    }

    /// For the bus; `name` is the check's.
    func history(_ name: String) -> CheckAPI.CheckHistory {
        CheckAPI.CheckHistory(
            name: name,
            changes: changes.map {
                CheckAPI.CheckChange(time: $0.time, state: $0.verdict.health, reason: $0.reason)
            },
            latency: latency.buckets.map {
                CheckAPI.LatencyBucket(upToMicroseconds: $0.bound.map { Int($0.nanoseconds / 1000) }, probes: $0.count)
            })
    }
}
