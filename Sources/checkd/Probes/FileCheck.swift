// FILE_CHECK: the number in a track_file is added to the server's weight, multiplied; with weight 0 any number but 0 is a failure, with `reverse`
// 0 is (keepalived's check_file.c and track_file.c).
import Configuration
import HealthCheck
import VRRP

/// A number in a file.
struct FileCheck: ProbeKind {
    let tracked: TrackedObject
    let things: TrackedThings

    var title: String { "FILE_CHECK \(tracked.name)" }
    var identity: String { "\(title) weight \(tracked.weight)\(tracked.isReversed ? " reverse" : "")" }
    var rounds: CheckRounds { CheckRounds() }
    var movesWeight: Bool { true }

    func follow(_ changed: @escaping () -> Void) -> AnyObject? { things.follow(.file(tracked.name), changed) }

    func start(step: Int, for attempt: ProbeAttempt) -> any RunningProbe {
        TrackedProbe(.file(tracked.name), of: things, attempt) { tracked.check($0) }
    }
}

extension TrackedObject {
    /// What the number of a tracked file means for a server: a product that 32 bits do not hold is a failure below 0, and the limit above.
    /// A check that fails adds nothing.
    func check(_ report: TrackerReport) -> (ProbeOutcome, ProbeWeight?) {
        guard case .number(let number) = report.standing else { return (.inconclusive(.unknown(report.words)), nil) }
        let failure = ProbeOutcome.failure(.tracked("the file says \(report.words)"))
        guard weight != 0 else { return (number != 0) != isReversed ? (failure, .change(0)) : (.success, .change(0)) }
        let product = Int64(number).multipliedReportingOverflow(by: Int64(weight) * (isReversed ? -1 : 1))
        let isBelow =
            product.overflow ? ((number < 0) != (weight < 0)) != isReversed : product.partialValue <= Int32.min
        if isBelow { return (failure, .change(0)) }
        return (.success, .change(product.overflow ? Int64(Int32.max) : min(product.partialValue, Int64(Int32.max))))
    }
}
