// Who was heard, one record for each sender: what it speaks, how much of it was accepted, and why the rest was not. For people; no decision
// looks at it. Anybody on the link can invent senders, so there is room for a few only, and the one that was silent longest gives way.

public import Net

/// What was heard from one sender.
public struct PeerRecord: Hashable, Sendable {
    /// When it was heard last.
    public internal(set) var heardAt: Instant
    /// Advertisements accepted from it.
    public internal(set) var received: UInt64 = 0
    /// The last accepted one.
    public internal(set) var last: Last?
    /// Advertisements dropped by reason; `addressList` counts accepted ones whose addresses differ.
    public internal(set) var refused: [Reason: UInt64] = [:]
    /// Why the last one was dropped; nil = it was accepted.
    public internal(set) var refusal: DecodeError?

    /// What an accepted advertisement said.
    public struct Last: Hashable, Sendable {
        /// 0 = it gave up.
        public var priority: UInt8
        /// Its version.
        public var version: ProtocolVersion
        /// Its advertisement interval.
        public var interval: Duration
        /// How it makes the checksum: a choice in version 3 over IPv4 only.
        public var checksum: ChecksumForm
    }
}

/// Senders by address.
struct PeerTable {
    /// Senders that are remembered.
    static let limit = 32

    private(set) var records: [IPAddress: PeerRecord] = [:]

    /// Every record, in the order of the addresses.
    var sorted: [(address: IPAddress, record: PeerRecord)] {
        records.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// An advertisement was accepted.
    mutating func heard(_ received: ReceivedAdvertisement, at now: Instant) {
        let advertisement = received.advertisement
        update(received.source, at: now) { record in
            record.received += 1
            record.refusal = nil
            record.last = PeerRecord.Last(
                priority: advertisement.priority, version: advertisement.version, interval: advertisement.interval,
                checksum: received.checksum)
        }
    }

    /// An advertisement was dropped, or (`isAccepted`) accepted although something about it is odd.
    mutating func refused(_ error: DecodeError, from source: IPAddress, isAccepted: Bool, at now: Instant) {
        update(source, at: now) { record in
            record.refused[error.reason, default: 0] += 1
            if !isAccepted { record.refusal = error }
        }
    }

    private mutating func update(_ source: IPAddress, at now: Instant, _ change: (inout PeerRecord) -> Void) {
        if let index = records.index(forKey: source) {
            records.values[index].heardAt = now
            return change(&records.values[index])
        }
        if records.count >= Self.limit, let oldest = records.min(by: { $0.value.heardAt < $1.value.heardAt }) {
            records[oldest.key] = nil
        }
        var record = PeerRecord(heardAt: now)
        change(&record)
        records[source] = record
    }
}
