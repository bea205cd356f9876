// The one total order of events, and the latest of each subject. A frame is made once, as the octets of a Subscribe
// reply, and shared by everybody who gets it.
//
// The log is in order of `seq`. An event that is superseded leaves a hole; holes are swept when they outnumber the rest.
// A reader of the snapshot remembers only the last `seq` it was sent and asks for what follows, so that a slow reader
// costs nothing and a change during its snapshot reaches it in its place. Removals stay in the log while a reader is
// on its way, because it may have been sent what was removed.
import Bus

/// The key under which the latest event is kept.
struct EventKey: Hashable {
    let type: String
    let subject: String
}

/// An event as it came from a publisher, checked.
struct IncomingEvent {
    let key: EventKey
    let source: String
    /// No data: the subject is gone.
    let isRemoval: Bool
    /// The event's JSON object without its closing brace.
    let open: UnsafeRawBufferPointer
}

struct EventStore {
    /// One place in the order.
    struct Entry {
        let seq: Int
        let key: EventKey
        let source: String
        /// The connection it came from; 0 is busd itself.
        let publisher: Int
        let account: Account?
        let isRemoval: Bool
        /// The reply; empty when the event has been superseded.
        var frame: [UInt8]
    }

    private(set) var seq: Int
    private var log: [Entry] = []
    private var latest: [EventKey: Int] = [:]
    private var sweepAt = 1024
    /// Removals in the log; bounded by whoever ends the readers for which they are kept.
    private(set) var removals = 0
    /// Readers that are between the start and the end of their snapshot.
    var readersUnderWay = 0

    /// Starts the order at `seq`.
    init(startingAt seq: Int) {
        self.seq = seq
    }

    /// Subjects whose latest event is kept.
    var kept: Int { latest.count }

    /// Whether an event of that key is kept.
    func keeps(_ key: EventKey) -> Bool { latest[key] != nil }

    /// Gives the event its place and returns its frame.
    mutating func add(_ event: IncomingEvent, from publisher: Int, _ account: Account?) -> [UInt8] {
        seq += 1
        let frame = Self.frame(event.open, seq)
        if let old = latest[event.key] {
            release(old)
            if event.isRemoval { latest[event.key] = nil }
        }
        if !event.isRemoval {
            latest[event.key] = seq
            account?.kept += 1
        }
        if !event.isRemoval || readersUnderWay > 0 {
            log.append(
                Entry(
                    seq: seq, key: event.key, source: event.source, publisher: publisher, account: account,
                    isRemoval: event.isRemoval, frame: frame))
            removals += event.isRemoval ? 1 : 0
            sweepIfSparse()
        }
        return frame
    }

    /// Keys of events of a source that did not come from `publisher`.
    func keys(of source: String, notFrom publisher: Int) -> [EventKey] {
        log.filter { !$0.frame.isEmpty && !$0.isRemoval && $0.source == source && $0.publisher != publisher }.map(\.key)
    }

    /// Calls `body` with the entries after `seq` in order until it returns false.
    func read(after seq: Int, _ body: (Entry) -> Bool) {
        for entry in log[position(after: seq)...] where !entry.frame.isEmpty {
            guard body(entry) else { return }
        }
    }

    private mutating func release(_ old: Int) {
        let index = position(after: old - 1)
        guard index < log.count, log[index].seq == old else { return }
        log[index].account?.kept -= 1
        log[index].frame = []
    }

    /// Index of the first entry whose place is after `seq`.
    private func position(after seq: Int) -> Int {
        var low = 0
        var high = log.count
        while low < high {
            let middle = (low + high) / 2
            if log[middle].seq > seq { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private mutating func sweepIfSparse() {
        guard log.count >= sweepAt else { return }
        let keepsRemovals = readersUnderWay > 0
        log.removeAll { $0.frame.isEmpty || $0.isRemoval && !keepsRemovals }
        if !keepsRemovals { removals = 0 }
        sweepAt = max(1024, 2 * log.count)
    }

    private static func frame(_ open: UnsafeRawBufferPointer, _ seq: Int) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(open.count + 80)
        frame += #"{"parameters":{"event":"#.utf8
        frame += open
        frame += #","seq":"#.utf8
        frame += String(seq).utf8
        frame += "}},\"continues\":true}\0".utf8
        return frame
    }
}
