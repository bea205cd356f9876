// One receiver of alerts: up to where he has been told, and when he is told more: at once when something happens after a quiet time, together
// when much does, ever more seldom about what will not keep still, and again and again until it was taken. What he waits for is in the log that
// all receivers share (`AlertLog`); that something happens costs a receiver a comparison.
//
//   settling   a first change waits a moment for what happens with it (500 servers that fail are one message)
//   holding    a subject that was told of a moment ago waits longer before it is told of again, twice as long each time
//   gap        between any two messages, longer while one follows the other
//   retrying   what was not taken is sent again, with what has happened since

public import Net

/// Where one receiver is.
public struct AlertChannel: Equatable, Sendable {
    /// How often, and how much.
    public enum Limits {
        /// From a change to its message, at the soonest.
        public static let settling = Duration.seconds(2)
        /// Between two messages.
        public static let gaps: [Duration] = [.seconds(15), .seconds(30), .seconds(60)]
        /// From a message about a subject to the next.
        public static let holds: [Duration] = [.seconds(60), .seconds(120), .seconds(300), .seconds(600)]
        /// From an attempt that failed to the next.
        public static let retries: [Duration] = [15, 30, 60, 120, 300].map { .seconds($0) }
    }

    /// A subject that was told of.
    private struct Hold: Equatable {
        var until: Instant
        var step: Int
    }

    /// A message that is under way.
    private struct Attempt: Equatable {
        /// The number of the last change in it.
        let last: Int
        /// What stood in its way may be gone since: that it fails says nothing.
        var isOutdated = false
    }

    /// What is to be told.
    public struct Waiting: Equatable, Sendable {
        /// In the order in which it happened.
        public var changes: [AlertChange] = []
        /// Changes before them that are not listed any more.
        public var dropped = 0

        /// Nothing.
        public init() {}

        /// Changes, listed or not.
        public var count: Int { changes.count + dropped }
    }

    /// The number of the last change that he took. What is under way has not been taken yet.
    public private(set) var position: Int
    /// Why the last attempt failed; nil when it did not.
    public private(set) var failure: String?
    /// Attempts that failed in a row.
    public private(set) var failures = 0
    private var underWay: Attempt?
    /// `distantFuture` while nothing waits.
    private var due: Instant = .distantFuture
    private var notBefore: Instant = .zero
    private var gapStep = 0
    private var lastSent: Instant?
    private var holds: [AlertSubject: Hold] = [:]

    /// A receiver who has been told up to `position`; what there is after it is sent soon.
    public init(at position: Int, in log: AlertLog, at now: Instant) {
        self.position = position
        if position < log.end { due = now + Limits.settling }
    }

    /// When `take` gives something; `distantFuture` when nothing waits.
    public var deadline: Instant { underWay == nil ? max(due, notBefore) : .distantFuture }

    /// Something happened.
    public mutating func add(_ change: AlertChange, at now: Instant) {
        // Later than this it is not sent: nothing is to be looked up.
        guard due > now + Limits.settling else { return }
        due = min(due, dueTime(of: change, at: now))
    }

    /// What is to be sent now; nil when nothing is. `finished` is to follow.
    public mutating func take(from log: AlertLog, at now: Instant) -> Waiting? {
        guard due != .distantFuture, deadline <= now else { return nil }
        underWay = Attempt(last: log.end)
        return log.waiting(after: position)
    }

    /// The last attempt ended: nil when everything was taken, else why not.
    public mutating func finished(_ failure: String?, in log: AlertLog, at now: Instant) {
        guard let attempt = underWay else { return }
        underWay = nil
        if failure != nil, attempt.isOutdated { return notBefore = now }
        self.failure = failure
        guard failure == nil else {
            notBefore = now + Limits.retries[min(failures, Limits.retries.count - 1)]
            failures += 1
            return
        }
        failures = 0
        hold(Set(log.waiting(after: position, through: attempt.last).changes.map(\.subject)), at: now)
        position = attempt.last
        keepGap(at: now)
        due = log.waiting(after: position).changes.reduce(.distantFuture) { min($0, dueTime(of: $1, at: now)) }
    }

    /// What stood in the way may be gone: what was not taken is sent at once, as if for the first time.
    public mutating func tryAgain(at now: Instant) {
        underWay?.isOutdated = true
        guard failures > 0 else { return }
        (failure, failures, notBefore) = (nil, 0, now)
    }

    /// Sends what waits as soon as possible: the process ends.
    public mutating func hurry() {
        if due != .distantFuture { due = .zero }
        notBefore = .zero
    }

    private func dueTime(of change: AlertChange, at now: Instant) -> Instant {
        max(now + Limits.settling, holds[change.subject]?.until ?? .zero)
    }

    /// What was told of, and forgets those that have kept still for as long as they were held again.
    private mutating func hold(_ subjects: Set<AlertSubject>, at now: Instant) {
        holds = holds.filter { $0.value.until + Limits.holds[$0.value.step] > now }
        for subject in subjects {
            let step = holds[subject].map { min($0.step + 1, Limits.holds.count - 1) } ?? 0
            holds[subject] = Hold(until: now + Limits.holds[step], step: step)
        }
    }

    /// Messages that follow each other closely get further apart.
    private mutating func keepGap(at now: Instant) {
        let isBusy = lastSent.map { now - $0 < Limits.gaps[gapStep] * 4 } ?? false
        gapStep = isBusy ? min(gapStep + 1, Limits.gaps.count - 1) : 0
        lastSent = now
        notBefore = now + Limits.gaps[gapStep]
    }
}
