// Bounds how many probes run at once. Thousands of servers that stop answering together would otherwise hold thousands of
// descriptors for connect_timeout; the rest waits its turn, first come first served.
import DequeModule

/// First-come-first-served admission to a fixed number of places.
public struct ProbeQueue<Ticket> {
    /// How many may run at once, at least 1.
    public let limit: Int
    /// How many run.
    public private(set) var running = 0
    private var waiting: Deque<Ticket> = []

    /// A queue with `limit` places.
    public init(limit: Int) {
        self.limit = max(1, limit)
    }

    /// How many wait for a place.
    public var waitingCount: Int { waiting.count }

    /// A probe wants to run.
    public mutating func add(_ ticket: Ticket) {
        waiting.append(ticket)
    }

    /// The next probe to start, counted as running from now on; nil when none waits or every place is taken.
    public mutating func next() -> Ticket? {
        guard running < limit, let ticket = waiting.popFirst() else { return nil }
        running += 1
        return ticket
    }

    /// A probe that `next` returned has ended or was not wanted any more.
    public mutating func ended() {
        running = max(0, running - 1)
    }
}
