// The next deadline of many routers as one. A deadline that moves later costs nothing: its entry is moved when it comes up, which is
// what a backup does at every advertisement.

internal import HeapModule
internal import Net

/// Deadlines by router.
struct DeadlineQueue {
    private struct Entry: Comparable {
        var at: Instant
        var router: RouterID

        static func < (left: Entry, right: Entry) -> Bool { (left.at, left.router) < (right.at, right.router) }
    }

    private var heap = Heap<Entry>()
    private var deadlines: [RouterID: Instant] = [:]
    /// The entry of the heap that stands for the router.
    private var queued: [RouterID: Instant] = [:]

    /// Entries that come up so soon after one another are moved together: the timer fires once for all of them.
    private static let horizon = Duration.milliseconds(50)

    /// The time of the first entry: never later than the first deadline, perhaps earlier.
    var first: Instant? { heap.min?.at }

    /// Sets or (nil) takes away a router's deadline.
    mutating func set(_ router: RouterID, _ deadline: Instant?) {
        deadlines[router] = deadline
        guard let deadline else { return }
        if let entry = queued[router], entry <= deadline { return }
        queued[router] = deadline
        heap.insert(Entry(at: deadline, router: router))
    }

    /// Takes out the routers whose deadline has come, first things first.
    mutating func due(at now: Instant) -> [RouterID] {
        var due: [RouterID] = []
        while let entry = heap.min, entry.at <= now {
            heap.removeMin()
            guard queued[entry.router] == entry.at else { continue }
            queued[entry.router] = nil
            guard let deadline = deadlines[entry.router] else { continue }
            if deadline <= now {
                deadlines[entry.router] = nil
                due.append(entry.router)
            } else {
                set(entry.router, deadline)
            }
        }
        moveStale(before: now + Self.horizon)
        return due
    }

    /// Moves entries that stand for a later deadline, as far as they come first.
    private mutating func moveStale(before limit: Instant) {
        while let entry = heap.min, entry.at < limit,
            queued[entry.router] != entry.at || deadlines[entry.router] != entry.at
        {
            heap.removeMin()
            guard queued[entry.router] == entry.at else { continue }
            queued[entry.router] = nil
            set(entry.router, deadlines[entry.router])
        }
    }
}
