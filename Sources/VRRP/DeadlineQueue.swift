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

    private struct Slot {
        var deadline: Instant?
        /// The entry of the heap that stands for the router.
        var queued: Instant?
    }

    private var heap = Heap<Entry>()
    private var slots: [RouterID: Slot] = [:]

    /// Entries that come up so soon after one another are moved together: the timer fires once for all of them.
    private static let horizon = Duration.milliseconds(50)

    /// The time of the first entry: never later than the first deadline, perhaps earlier.
    var first: Instant? { heap.min?.at }

    /// Sets or (nil) takes away a router's deadline.
    mutating func set(_ router: RouterID, _ deadline: Instant?) {
        guard let index = slots.index(forKey: router) else {
            guard let deadline else { return }
            slots[router] = Slot(deadline: deadline, queued: deadline)
            heap.insert(Entry(at: deadline, router: router))
            return
        }
        set(index, deadline)
    }

    private mutating func set(_ index: Dictionary<RouterID, Slot>.Index, _ deadline: Instant?) {
        slots.values[index].deadline = deadline
        guard let deadline else { return }
        if let entry = slots.values[index].queued, entry <= deadline { return }
        slots.values[index].queued = deadline
        heap.insert(Entry(at: deadline, router: slots.keys[index]))
    }

    /// Takes out the routers whose deadline has come, first things first.
    mutating func due(at now: Instant) -> [RouterID] {
        var due: [RouterID] = []
        while let entry = heap.min, entry.at <= now {
            heap.removeMin()
            guard let index = dequeue(entry), let deadline = slots.values[index].deadline else { continue }
            if deadline <= now {
                slots.values[index].deadline = nil
                due.append(entry.router)
            } else {
                set(index, deadline)
            }
        }
        moveStale(before: now + Self.horizon)
        return due
    }

    /// Moves entries that stand for a later deadline, as far as they come first.
    private mutating func moveStale(before limit: Instant) {
        while let entry = heap.min, entry.at < limit, isStale(entry) {
            heap.removeMin()
            guard let index = dequeue(entry) else { continue }
            set(index, slots.values[index].deadline)
        }
    }

    private func isStale(_ entry: Entry) -> Bool {
        guard let slot = slots[entry.router] else { return true }
        return slot.queued != entry.at || slot.deadline != entry.at
    }

    /// An entry has left the heap: the slot for which it stood; nil when another one stands for that. A router without a deadline is forgotten.
    private mutating func dequeue(_ entry: Entry) -> Dictionary<RouterID, Slot>.Index? {
        guard let index = slots.index(forKey: entry.router), slots.values[index].queued == entry.at else { return nil }
        slots.values[index].queued = nil
        if slots.values[index].deadline == nil {
            slots.remove(at: index)
            return nil
        }
        return index
    }
}
