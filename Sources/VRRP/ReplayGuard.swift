// `auth_hmac`: the sequence number that a virtual router sent last, and the highest of each sender, below which nothing counts any more. Only
// who has a key gets a place here, so the places are few: one for each unicast peer, four in multicast, where the one that was silent longest
// gives way.

internal import Net

/// Sequence numbers of one virtual router; they survive a reload.
struct ReplayGuard {
    /// Multicast: more hosts that speak at the same time are none of a virtual router's.
    static let multicastSenders = 4

    private struct Mark {
        let sender: IPAddress
        var sequence: TrailerSequence
        var use: UInt64
    }

    /// The last number, of this process or of the one before it.
    var sent: TrailerSequence?
    private var marks: [Mark] = []
    private var uses: UInt64 = 0

    /// The number for the next advertisement: the time, or the last number and one. In mode `time` a number that others must take for one
    /// from the future is left behind.
    mutating func next(_ time: WallTime, window: Int?) -> TrailerSequence {
        let clock = TrailerSequence(time)
        let next: TrailerSequence
        if let sent, !clock.isAfter(sent) {
            let ahead = Int(Int32(bitPattern: sent.seconds &- clock.seconds))
            next = ahead > window ?? .max ? clock : TrailerSequence(value: sent.value &+ 1)
        } else {
            next = clock
        }
        sent = next
        return next
    }

    /// True for a number that is new from this sender, which counts from then on.
    /// - Parameter isExpired: whether a mark is so far from the present that it orders only what is refused for its time anyway.
    mutating func accepts(
        _ sequence: TrailerSequence, from sender: IPAddress, limit: Int, isExpired: (TrailerSequence) -> Bool
    ) -> Bool {
        uses += 1
        if let place = marks.firstIndex(where: { $0.sender == sender }) {
            marks[place].use = uses
            guard isExpired(marks[place].sequence) || sequence.isAfter(marks[place].sequence) else { return false }
            marks[place].sequence = sequence
            return true
        }
        let mark = Mark(sender: sender, sequence: sequence, use: uses)
        if marks.count >= max(limit, 1), let oldest = marks.indices.min(by: { marks[$0].use < marks[$1].use }) {
            marks[oldest] = mark
        } else {
            marks.append(mark)
        }
        return true
    }
}
