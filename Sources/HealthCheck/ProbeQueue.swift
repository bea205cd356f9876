// Bounds how many probes run at once. Thousands of servers that stop answering together would otherwise hold thousands of
// descriptors for connect_timeout; the rest waits its turn, first come first served.
public import DequeModule

/// First-come-first-served admission to a fixed number of places. Inlinable: unspecialised it costs as much as the rest of a probe's way to
/// its start.
public struct ProbeQueue<Ticket> {
    /// How many may run at once, at least 1.
    public let limit: Int
    @usableFromInline var taken = 0
    @usableFromInline var waiting: Deque<Ticket> = []

    /// A queue with `limit` places.
    @inlinable
    public init(limit: Int) {
        self.limit = max(1, limit)
    }

    /// How many run.
    @inlinable
    public var running: Int { taken }

    /// How many wait for a place.
    @inlinable
    public var waitingCount: Int { waiting.count }

    /// A probe wants to run.
    @inlinable
    public mutating func add(_ ticket: Ticket) {
        waiting.append(ticket)
    }

    /// The next probe to start, counted as running from now on; nil when none waits or every place is taken.
    @inlinable
    public mutating func next() -> Ticket? {
        guard taken < limit, let ticket = waiting.popFirst() else { return nil }
        taken += 1
        return ticket
    }

    /// A probe that `next` returned has ended or was not wanted any more.
    @inlinable
    public mutating func ended() {
        taken = max(0, taken - 1)
    }
}
