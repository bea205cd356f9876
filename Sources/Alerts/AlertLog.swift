// What happened, once for all who are told of it, in order. Each receiver has a position in it (`AlertChannel`); what all of them have taken goes.

internal import DequeModule

/// The changes of one kind of alert. Their numbers have no gaps.
public struct AlertLog: Equatable, Sendable {
    /// Changes that are kept; of those before them only the number is known.
    public static let limit = 500

    private var kept: Deque<AlertChange>
    /// The number of the last change.
    public private(set) var end: Int

    /// A log that has come to `end`, with the last changes before. What does not fit together is counted and not listed.
    public init(_ changes: [AlertChange] = [], end: Int = 0) {
        let hasNoGap = zip(changes, changes.dropFirst()).allSatisfy { $0.number &+ 1 == $1.number }
        let fits = hasNoGap && changes.last?.number == end && end >= changes.count
        kept = Deque(fits ? changes.suffix(Self.limit) : [])
        self.end = end
    }

    /// What is kept.
    public var changes: [AlertChange] { Array(kept) }

    /// Something happened; its number follows the last one's.
    mutating func add(_ change: AlertChange) {
        kept.append(change)
        end = change.number
        if kept.count > Self.limit { kept.removeFirst() }
    }

    /// Nobody waits for what came before any more.
    mutating func forget(through position: Int) {
        kept.removeFirst(max(0, min(kept.count, position - start)))
    }

    /// How many there are after a position, and how many of them are not kept.
    func count(after position: Int) -> (all: Int, dropped: Int) { (end - position, max(0, start - position)) }

    /// What there is after a position, and up to another (nil: to the end).
    func waiting(after position: Int, through last: Int? = nil) -> AlertChannel.Waiting {
        let last = min(last ?? end, end)
        let first = max(position, start)
        var waiting = AlertChannel.Waiting()
        if first < last { waiting.changes = Array(kept[(first - start)..<(last - start)]) }
        waiting.dropped = max(0, min(last, first) - position)
        return waiting
    }

    /// The number before the first change that is kept.
    private var start: Int { end - kept.count }
}
