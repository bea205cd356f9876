// The one total order of events, and the latest of each subject. A frame is made once, as the octets of a Subscribe
// reply, and shared by everybody who gets it.
//
// A subject has one record, which holds its latest event. The log says in which order records were written; an entry
// whose record has been written again since is a hole, and holes are swept when they outnumber the rest. A reader of
// the snapshot remembers only the last `seq` it was sent and asks for what follows, so that a slow reader costs nothing
// and a change during its snapshot reaches it in its place. Removals stay in the log while a reader is on its way that
// may have been sent what was removed; a reader that began after a removal does not need it.
import Bus
import Glibc

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
    /// The subject's record, when it was found on the way.
    var record: EventRecord?
}

/// The latest event of one subject.
final class EventRecord {
    /// What is known of it; replaced as a whole.
    struct Content {
        let seq: Int
        let source: String
        /// The connection it came from; 0 is busd itself.
        let publisher: Int
        let isRemoval: Bool
        /// The reply that tells it.
        let frame: [UInt8]
        /// Who is charged for keeping it.
        let account: Account?
    }

    let key: EventKey
    fileprivate(set) var content: Content?
    /// It is the one that is found for its key.
    fileprivate var isFound = false
    /// The channels that want it, as they were at `channelsVersion`.
    var channels: [Channel] = []
    var channelsVersion = -1

    fileprivate init(_ key: EventKey) {
        self.key = key
    }

    fileprivate func isNamed(_ type: UnsafeRawBufferPointer, _ subject: UnsafeRawBufferPointer) -> Bool {
        key.type.isEqual(to: type) && key.subject.isEqual(to: subject)
    }
}

extension String {
    /// Whether its octets are these.
    func isEqual(to octets: UnsafeRawBufferPointer) -> Bool {
        guard utf8.count == octets.count else { return false }
        return utf8.withContiguousStorageIfAvailable { own in
            guard let own = own.baseAddress, let octets = octets.baseAddress else { return true }
            return memcmp(own, octets, utf8.count) == 0
        } ?? utf8.elementsEqual(octets)
    }
}

struct EventStore {
    private static let leastSweep = 1024

    /// Place of the latest event.
    private(set) var seq: Int
    /// Readers that are between the start and the end of their snapshot.
    private(set) var readersUnderWay = 0
    /// Removals in the log; bounded by whoever ends the readers for which they are kept.
    private(set) var removals = 0
    /// Octets of the frames that are kept.
    private(set) var keptOctets = 0
    private var log: [(seq: Int, record: EventRecord)] = []
    private var latest: [EventKey: EventRecord] = [:]
    private var sweepAt = EventStore.leastSweep
    /// The records that were found last, by a hash of their names' octets: most events are about a subject that was told before, and its names
    /// need not be made into texts again to find it.
    private var recent: [EventRecord?] = Array(repeating: nil, count: 256)

    /// Starts the order at `seq`.
    init(startingAt seq: Int) {
        self.seq = seq
    }

    /// Subjects whose latest event is kept.
    var kept: Int { latest.count }

    /// What is kept of a key.
    func kept(_ key: EventKey) -> EventRecord.Content? { latest[key]?.content }

    /// The record of names, if it is among those that were found last.
    func recent(_ type: UnsafeRawBufferPointer, _ subject: UnsafeRawBufferPointer) -> EventRecord? {
        guard let record = recent[slot(subject)], record.isFound, record.isNamed(type, subject) else { return nil }
        return record
    }

    /// Whoever makes subjects collide makes them slower to find, no more.
    private func slot(_ subject: UnsafeRawBufferPointer) -> Int {
        var hash = UInt64(subject.count)
        var position = 0
        while position + 8 <= subject.count {
            hash = (hash ^ subject.loadUnaligned(fromByteOffset: position, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
            position += 8
        }
        while position < subject.count {
            hash = (hash ^ UInt64(subject[position])) &* 0x9E37_79B9_7F4A_7C15
            position += 1
        }
        return Int(truncatingIfNeeded: hash >> 40) & (recent.count - 1)
    }

    private mutating func remember(_ record: EventRecord?, at key: EventKey) {
        if recent.count < latest.count { recent = Array(repeating: nil, count: 2 * recent.count) }
        key.subject.utf8.withContiguousStorageIfAvailable { subject in
            recent[slot(UnsafeRawBufferPointer(subject))] = record
        }
    }

    // MARK: Readers

    /// A reader of the snapshot begins.
    mutating func readerBegins() {
        if readersUnderWay == 0, removals > 0 { sweep(removalsNeededAfter: .max) }
        readersUnderWay += 1
    }

    /// A reader has the whole snapshot, or is gone.
    mutating func readerEnds() {
        readersUnderWay -= 1
    }

    /// The place of the removal before which, and with which, there are `count` removals in the log; nil with fewer.
    func place(ofRemoval count: Int) -> Int? {
        var found = 0
        for entry in log {
            guard let content = entry.record.content, content.seq == entry.seq, content.isRemoval else { continue }
            found += 1
            if found == count { return entry.seq }
        }
        return nil
    }

    /// Gives the event its place. The record it is in now.
    mutating func add(_ event: IncomingEvent, from publisher: Int, _ account: Account?) -> EventRecord {
        seq += 1
        let frame = Self.frame(event.open, seq)
        let record = record(of: event)
        let charged = event.isRemoval ? nil : account
        if let old = record.content, !old.isRemoval {
            old.account?.kept -= 1
            old.account?.keptOctets -= old.frame.count
            keptOctets -= old.frame.count
        }
        if !event.isRemoval {
            charged?.kept += 1
            charged?.keptOctets += frame.count
            keptOctets += frame.count
        }
        record.content = .init(
            seq: seq, source: event.source, publisher: publisher, isRemoval: event.isRemoval, frame: frame,
            account: charged)
        if event.isRemoval {
            guard readersUnderWay > 0 else { return record }
            removals += 1
        }
        log.append((seq, record))
        if log.count >= sweepAt { sweep(removalsNeededAfter: readersUnderWay > 0 ? 0 : .max) }
        return record
    }

    /// The record to write: that of the subject, or a new one. The record of a removed subject is no longer found.
    private mutating func record(of event: IncomingEvent) -> EventRecord {
        if event.isRemoval {
            let record = latest.removeValue(forKey: event.key) ?? EventRecord(event.key)
            record.isFound = false
            remember(nil, at: record.key)
            return record
        }
        if let record = event.record, record.isFound { return record }
        let record = latest[event.key] ?? EventRecord(event.key)
        if !record.isFound {
            record.isFound = true
            latest[event.key] = record
        }
        remember(record, at: record.key)
        return record
    }

    /// Keys of events of a source that did not come from `publisher`.
    func keys(of source: String, notFrom publisher: Int) -> [EventKey] {
        latest.values.filter { $0.content?.source == source && $0.content?.publisher != publisher }.map(\.key)
    }

    /// Calls `body` with the events after `seq` in order until it returns false. True when there are no more.
    func read(after seq: Int, _ body: (EventKey, EventRecord.Content) -> Bool) -> Bool {
        var position = position(after: seq)
        while position < log.count {
            let entry = log[position]
            position += 1
            guard let content = entry.record.content, content.seq == entry.seq else { continue }
            guard body(entry.record.key, content) else { return position == log.count }
        }
        return true
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

    /// Drops holes, and the removals up to `place`, which no reader needs any more.
    mutating func sweep(removalsNeededAfter place: Int) {
        var kept = 0
        log.removeAll { entry in
            guard let content = entry.record.content, content.seq == entry.seq else { return true }
            guard content.isRemoval else { return false }
            if entry.seq > place { kept += 1 }
            return entry.seq <= place
        }
        removals = kept
        sweepAt = max(Self.leastSweep, 2 * log.count)
    }

    /// Octets of a frame beyond its event, at most.
    static let frameOctets = 80
    private static let frameStart = Array(#"{"parameters":{"event":"#.utf8)
    private static let frameMiddle = Array(#","seq":"#.utf8)
    private static let frameEnd = Array("}},\"continues\":true}\0".utf8)

    private static func frame(_ open: UnsafeRawBufferPointer, _ seq: Int) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(open.count + frameOctets)
        frame += frameStart
        frame += open
        frame += frameMiddle
        frame += String(seq).utf8
        frame += frameEnd
        return frame
    }
}
