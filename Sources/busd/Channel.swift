// Subscribers that want the same events. What they get within one turn is put together once and queued as one
// piece to each of them, so that a reader costs one write for many events.
import Bus

/// What a subscription asks for.
struct EventFilter: Hashable {
    /// A text, or the beginning of one when the pattern ended in `*`.
    private struct Pattern: Hashable {
        let octets: [UInt8]
        let isPrefix: Bool

        init(_ text: String) {
            isPrefix = text.utf8.last == UInt8(ascii: "*")
            octets = Array(isPrefix ? text.utf8.dropLast() : text.utf8[...])
        }

        func matches(_ text: String) -> Bool {
            var text = text
            return text.withUTF8 { text in
                guard isPrefix ? text.count >= octets.count : text.count == octets.count else { return false }
                for (index, octet) in octets.enumerated() where text[index] != octet { return false }
                return true
            }
        }
    }

    /// Nil matches everything.
    private let types: Set<Pattern>?
    private let subjects: Set<Pattern>?

    init(_ request: BusAPI.Subscribe) {
        types = request.types.map { Set($0.map(Pattern.init)) }
        subjects = request.subjects.map { Set($0.map(Pattern.init)) }
    }

    func matches(_ key: EventKey) -> Bool {
        types?.contains { $0.matches(key.type) } != false && subjects?.contains { $0.matches(key.subject) } != false
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
