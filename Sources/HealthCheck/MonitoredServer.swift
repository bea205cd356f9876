// One real server of one service: up while every checker is up (keepalived check_api.c counts failed checkers too). The same
// address under another service is another monitored server with verdicts of its own.
//
// Translates events of single checkers into actions of the server, so that a server's change is reported once however many
// of its checkers agree. With `flap_limit` it is also down while it is held for changing too often.
public import Configuration
public import Net

/// The checkers of a real server and the verdict they add up to.
public struct MonitoredServer: Sendable {
    /// What the driver shall do, in this order.
    public enum Action: Hashable, Sendable {
        /// Something about one checker, for the driver's timers, probes and log.
        case checker(Int, Checker.Action)
        /// The server's own verdict changed.
        case changed(Verdict)
        /// The last checker whose verdict was not probed yet has been; the server's verdict stays.
        case verified
        /// It is held down from now on for changing too often, or no longer. Its own change, if there is one, follows.
        case held(Bool)
    }

    /// In configuration order.
    public private(set) var checkers: [Checker]

    /// nil: it may change as often as it likes.
    public private(set) var damping: FlapDamping?

    /// It begins down (`alpha`), and has not been up yet: its coming up is no change.
    private var isComingUp: Bool

    /// A server with these checkers; without any it is up.
    public init(checkers: [Checker], damping: FlapDamping? = nil) {
        self.checkers = checkers
        self.damping = damping
        isComingUp = checkers.contains { $0.verdict == .down && !$0.isRemembered }
    }

    /// Up when no checker is down and it is not held.
    public var verdict: Verdict {
        failedCheckers == 0 && !isHeld ? .up : .down
    }

    /// Down for changing too often.
    public var isHeld: Bool { damping?.isHeld == true }

    /// When to call `released`; nil: not now. A hold ends when what its checkers say was found by probing.
    public var releaseAt: Instant? { isVerified ? damping?.releaseAt : nil }

    /// How many checkers are down.
    public var failedCheckers: Int {
        // By index: nothing of a checker is copied.
        checkers.indices.count { checkers[$0].verdict == .down }
    }

    /// True when the verdict rests on probes of this process: all checkers are probed, or one of those probed is down.
    public var isVerified: Bool {
        checkers.indices.allSatisfy { checkers[$0].isVerified }
            || checkers.indices.contains { checkers[$0].isVerified && checkers[$0].verdict == .down }
    }

    /// A probe of a checker is under way.
    public var isProbing: Bool { checkers.indices.contains { checkers[$0].isProbing } }

    // MARK: Events

    /// All checkers begin.
    public mutating func started(at now: Instant, using generator: inout some RandomNumberGenerator) -> [Action] {
        var actions: [Action] = []
        for index in checkers.indices {
            actions += checkers[index].started(at: now, using: &generator).map { .checker(index, $0) }
        }
        return actions
    }

    /// No checker probes by itself from now on; verdicts stay.
    public mutating func suspended() {
        for index in checkers.indices { checkers[index].suspended() }
    }

    /// All checkers probe again.
    public mutating func resumed(at now: Instant, using generator: inout some RandomNumberGenerator) -> [Action] {
        var actions: [Action] = []
        for index in checkers.indices {
            actions += checkers[index].resumed(at: now, using: &generator).map { .checker(index, $0) }
        }
        return actions
    }

    /// The wake-up of one checker has come.
    public mutating func due(checker index: Int, at now: Instant) -> [Action] {
        forward(to: index, at: now) { $0.due(at: now) }
    }

    /// Results are wanted now, of every checker.
    public mutating func probeRequested() -> [Action] {
        checkers.indices.flatMap { probeRequested(checker: $0) }
    }

    /// A result of one checker is wanted now.
    public mutating func probeRequested(checker index: Int) -> [Action] {
        checkers.indices.contains(index) ? checkers[index].probeRequested().map { .checker(index, $0) } : []
    }

    /// A probe that `other` has begun, which asks the same, answers one checker too.
    public mutating func joins(checker index: Int, _ other: Checker, at now: Instant) -> [Action] {
        forward(to: index, at: now) { $0.joins(other, at: now) }
    }

    /// One checker takes over what `other`, which asks the same, has found out.
    public mutating func goesOn(checker index: Int, as other: Checker, at now: Instant) -> [Action] {
        forward(to: index, at: now) { $0.goesOn(as: other, at: now) }
    }

    /// A probe of one checker has ended.
    public mutating func finished(checker index: Int, _ outcome: ProbeOutcome, at now: Instant) -> [Action] {
        forward(to: index, at: now) { $0.finished(outcome, at: now) }
    }

    /// The time of `releaseAt` has come.
    public mutating func released(at now: Instant) -> [Action] {
        compared(at: now) { server in
            if server.releaseAt != nil { server.damping?.release(at: now) }
            return []
        }
    }

    /// Another `flap_limit` counts, or none. A hold that it would not have begun is over.
    public mutating func adopt(_ limit: FlapLimit?, at now: Instant) -> [Action] {
        guard limit != damping?.limit else { return [] }
        return compared(at: now) { server in
            server.damping = limit.map {
                FlapDamping($0, changes: server.damping?.changes ?? [], wasHeld: server.isHeld, at: now)
            }
            return []
        }
    }

    private mutating func forward(
        to index: Int, at now: Instant, _ event: (inout Checker) -> [Checker.Action]
    ) -> [Action] {
        guard checkers.indices.contains(index) else { return [] }
        return compared(at: now) { server in event(&server.checkers[index]).map { .checker(index, $0) } }
    }

    /// What an event does, and what becomes of the server by it.
    private mutating func compared(at now: Instant, _ event: (inout MonitoredServer) -> [Action]) -> [Action] {
        let before = (verdict: verdict, verified: isVerified, isHeld: isHeld, hasFailed: failedCheckers > 0)
        var actions = event(&self)
        if before.hasFailed != (failedCheckers > 0) {
            if !isComingUp { damping?.changed(at: now) }
            isComingUp = false
        }
        if isHeld != before.isHeld { actions.append(.held(isHeld)) }
        if verdict != before.verdict {
            actions.append(.changed(verdict))
        } else if isVerified && !before.verified {
            actions.append(.verified)
        }
        return actions
    }
}
