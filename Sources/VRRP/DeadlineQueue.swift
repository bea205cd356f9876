// The next deadline of many routers, or sessions, as one. A deadline that moves later costs nothing: its entry is moved when it comes up, which is
// what a backup does at every advertisement.

internal import HeapModule
public import Net

/// Deadlines by what they are of.
public struct DeadlineQueue<Key: Hashable & Comparable> {
    private struct Entry: Comparable {
        var at: Instant
        var key: Key

        static func < (left: Entry, right: Entry) -> Bool { (left.at, left.key) < (right.at, right.key) }
    }

    private struct Slot {
        var deadline: Instant?
        /// The entry of the heap that stands for it.
        var queued: Instant?
    }

    private var heap = Heap<Entry>()
    private var slots: [Key: Slot] = [:]

    /// None yet.
    public init() {}

    /// Entries that come up so soon after one another are moved together: the timer fires once for all of them.
    private static var horizon: Duration { .milliseconds(50) }

    /// The time of the first entry: never later than the first deadline, perhaps earlier.
    public var first: Instant? { heap.min?.at }

    /// Sets or (nil) takes away a deadline.
    public mutating func set(_ key: Key, _ deadline: Instant?) {
        guard let index = slots.index(forKey: key) else {
            guard let deadline else { return }
            slots[key] = Slot(deadline: deadline, queued: deadline)
            heap.insert(Entry(at: deadline, key: key))
            return
        }
        set(index, deadline)
    }

    private mutating func set(_ index: Dictionary<Key, Slot>.Index, _ deadline: Instant?) {
        slots.values[index].deadline = deadline
        guard let deadline else { return }
        if let entry = slots.values[index].queued, entry <= deadline { return }
        slots.values[index].queued = deadline
        heap.insert(Entry(at: deadline, key: slots.keys[index]))
    }

    /// Takes out those whose deadline has come, first things first.
    public mutating func due(at now: Instant) -> [Key] {
        var due: [Key] = []
        while let entry = heap.min, entry.at <= now {
            heap.removeMin()
            guard let index = dequeue(entry), let deadline = slots.values[index].deadline else { continue }
            if deadline <= now {
                slots.values[index].deadline = nil
                due.append(entry.key)
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
        guard let slot = slots[entry.key] else { return true }
        return slot.queued != entry.at || slot.deadline != entry.at
    }

    /// An entry has left the heap: the slot for which it stood; nil when another one stands for that. What has no deadline is forgotten.
    private mutating func dequeue(_ entry: Entry) -> Dictionary<Key, Slot>.Index? {
        guard let index = slots.index(forKey: entry.key), slots.values[index].queued == entry.at else { return nil }
        slots.values[index].queued = nil
        if slots.values[index].deadline == nil {
            slots.remove(at: index)
            return nil
        }
        return index
    }
}
