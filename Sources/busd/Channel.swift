// Subscribers that want the same events. What they get within one turn is put together once and queued as one
// piece to each of them, so that a reader costs one write for many events.
import Bus

/// What a subscription asks for.
struct EventFilter: Hashable {
    /// Patterns; nil matches everything. A trailing `*` matches any ending.
    let types: [String]?
    let subjects: [String]?

    init(_ request: BusAPI.Subscribe) {
        types = request.types.map { Array(Set($0)).sorted() }
        subjects = request.subjects.map { Array(Set($0)).sorted() }
    }

    func matches(_ key: EventKey) -> Bool {
        Self.matches(key.type, types) && Self.matches(key.subject, subjects)
    }

    private static func matches(_ text: String, _ patterns: [String]?) -> Bool {
        guard let patterns else { return true }
        return patterns.contains { pattern in
            pattern.utf8.last == UInt8(ascii: "*")
                ? text.utf8.starts(with: pattern.utf8.dropLast()) : text == pattern
        }
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
        if pending.count >= Client.outputPiece { flush() }
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
