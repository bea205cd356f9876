// A time limit that knows when it comes late. Late says that this host, or this process, did not run: what was awaited may not have run either,
// or may be in a buffer that was not read. Late by more than the limit, nothing is known of what was awaited; late by less, it gets that time
// back, once.

/// How long something has, and until when.
public struct TimeAllowance: Hashable, Sendable {
    /// What it means that the time has come.
    public enum Expiry: Hashable, Sendable {
        /// There was time enough.
        case over
        /// It goes on until then: the deadline came late.
        case extended(until: Instant)
        /// The host did not run for longer than the limit.
        case paused
    }

    /// A turn of a loop may take so long without anything being wrong.
    private static let longTurn = Duration.milliseconds(100)

    private let allowance: Duration
    /// When to ask what it means.
    public private(set) var deadline = Instant.distantFuture
    private var wasExtended = false

    /// So much time, not begun.
    public init(_ allowance: Duration) {
        self.allowance = allowance
    }

    /// Begins, or begins anew.
    /// - Returns: `deadline`.
    @discardableResult
    public mutating func begin(at now: Instant) -> Instant {
        wasExtended = false
        deadline = now + allowance
        return deadline
    }

    /// The deadline has come, at the latest now.
    public mutating func expire(at now: Instant) -> Expiry {
        let delay = now - deadline
        if delay > max(allowance, Self.longTurn) { return .paused }
        guard Self.isLate(by: delay, of: allowance), !wasExtended else { return .over }
        wasExtended = true
        deadline = now + delay
        return .extended(until: deadline)
    }

    /// The deadline came and nobody looked: what happened since may be the work of a pause of this host.
    public func isOverdue(at now: Instant) -> Bool {
        let delay = now - deadline
        return delay > Self.longTurn && Self.isLate(by: delay, of: allowance)
    }

    /// Whether a limit that was looked at so long after its end was looked at late: by more than an eighth.
    public static func isLate(by delay: Duration, of limit: Duration) -> Bool { delay > limit / 8 }
}
