// Counters of one virtual router: those of the VRRP MIBs (RFC 2787, RFC 6527).

public import Net

/// What a virtual router has sent, received and refused since it was started.
public struct Statistics: Hashable, Sendable {
    /// Times it became master.
    public internal(set) var becameMaster: UInt64 = 0
    /// Times it ceased to be master.
    public internal(set) var releasedMaster: UInt64 = 0
    /// Times it entered FAULT.
    public internal(set) var becameFault: UInt64 = 0
    /// Between the last advertisement of the master before and the latest takeover from it; nil while there was none.
    public internal(set) var latestTakeover: Duration?
    /// Advertisements sent, priority 0 included; in unicast one per round, not per peer.
    public internal(set) var sent: UInt64 = 0
    /// Advertisements accepted for processing, priority 0 included.
    public internal(set) var received: UInt64 = 0
    /// Advertisements of priority 0 sent.
    public internal(set) var priorityZeroSent: UInt64 = 0
    /// Advertisements of priority 0 received.
    public internal(set) var priorityZeroReceived: UInt64 = 0
    /// Times its timer fired late: see `LateTimer`.
    public internal(set) var lateTimers: UInt64 = 0
    /// The longest of those.
    public internal(set) var longestLateness = Duration.zero
    /// Addresses that somebody else took off and that were put back.
    public internal(set) var addressesPutBack: UInt64 = 0
    /// Routes and rules, likewise.
    public internal(set) var routesPutBack: UInt64 = 0
    /// Refused advertisements by reason; `addressList` counts accepted ones whose addresses differ.
    public private(set) var refused: [Reason: UInt64] = [:]

    /// Kinds of refusal remembered; whoever invents more senders than that fills no log with them.
    private static let newsLimit = 64
    private var saidRefusals: Set<Refusal> = []

    private struct Refusal: Hashable, Sendable {
        var reason: Reason
        var source: IPAddress?
    }

    /// No events yet.
    public init() {}

    /// Counts a refused (or remarked) advertisement.
    /// - Returns: true when it is news: a reason and sender not seen since the last change of state, up to a limit. Log
    ///   only then (RFC 9568 §7.1: subject to rate-limiting).
    public mutating func refuse(_ reason: Reason, from source: IPAddress?) -> Bool {
        refused[reason, default: 0] += 1
        guard saidRefusals.count < Self.newsLimit else { return false }
        return saidRefusals.insert(Refusal(reason: reason, source: source)).inserted
    }

    /// Forgets what was logged, so that the next refusal is news: after a change of state.
    mutating func forgetRefusals() {
        saidRefusals = []
    }
}
