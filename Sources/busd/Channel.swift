// Subscribers that want the same events. What they get within one turn is put together once and queued as one
// piece to each of them, so that a reader costs one write for many events.
import Bus

/// What a subscription asks for.
struct EventFilter: Hashable {
    /// Texts, and beginnings of texts where the pattern ended in `*`.
    private struct Patterns: Hashable {
        private var texts: Set<String> = []
        private var beginnings: Set<[UInt8]> = []

        init(_ patterns: [String]) {
            for pattern in patterns {
                if pattern.utf8.last == UInt8(ascii: "*") {
                    beginnings.insert(Array(pattern.utf8.dropLast()))
                } else {
                    texts.insert(pattern)
                }
            }
        }

        var count: Int { texts.count + beginnings.count }

        func matches(_ text: String) -> Bool {
            if !texts.isEmpty, texts.contains(text) { return true }
            return !beginnings.isEmpty && beginnings.contains { text.utf8.starts(with: $0) }
        }
    }

    /// Nil matches everything.
    private let types: Patterns?
    private let subjects: Patterns?

    init(_ request: BusAPI.Subscribe) {
        types = request.types.map { Patterns($0) }
        subjects = request.subjects.map { Patterns($0) }
    }

    /// Patterns in it.
    var patterns: Int { (types?.count ?? 0) + (subjects?.count ?? 0) }

    func matches(_ key: EventKey) -> Bool {
        types?.matches(key.type) != false && subjects?.matches(key.subject) != false
    }
}

final class Channel {
    let filter: EventFilter
    private(set) var members: [ObjectIdentifier: Client] = [:]
    private var pending: [UInt8] = []
    private var firstPending = 0

    init(_ filter: EventFilter) {
        self.filter = filter
    }

    /// Adds a subscriber that has everything up to now: what is pending is for the others.
    func join(_ client: Client) {
        flush()
        members[ObjectIdentifier(client)] = client
    }

    func leave(_ client: Client) {
        members[ObjectIdentifier(client)] = nil
    }

    /// Adds an event; true when it is the first since the last flush.
    func add(_ frame: [UInt8], _ seq: Int) -> Bool {
        let isFirst = pending.isEmpty
        if isFirst { firstPending = seq }
        pending += frame
        if pending.count >= Limits.outputPiece { flush() }
        return isFirst
    }

    /// Queues what is pending to every subscriber.
    func flush() {
        guard !pending.isEmpty else { return }
        let piece = pending
        pending = []
        for client in members.values { client.deliver(piece, first: firstPending) }
    }
}
