// `flap_limit`: a server that changes its state more often than N times within SECONDS is held down until it has changed nothing for SECONDS.
// The kin of vrrpd's damping of links, where a single change has to last; here it is many changes that count.
public import Configuration
public import Net

/// How often a server has changed lately, and whether it is held down for that.
public struct FlapDamping: Hashable, Sendable {
    public let limit: FlapLimit
    /// When what its checkers say changed, within the window before the last change, the newest last; at most one more than the limit.
    public private(set) var changes: [Instant] = []
    public private(set) var isHeld = false

    /// With what an earlier process or configuration knew. A hold that the new limit would not have begun is over.
    public init(_ limit: FlapLimit, changes: [Instant] = [], wasHeld: Bool = false, at now: Instant) {
        self.limit = limit
        let known = changes.filter { $0 <= now }
        self.changes = known.filter { (known.last ?? now) - $0 <= limit.window }.suffix(limit.changes + 1)
        isHeld = wasHeld && self.changes.count > limit.changes
    }

    /// When it is held no longer, if nothing changes; nil while it is not held.
    public var releaseAt: Instant? { isHeld ? changes.last.map { $0 + limit.window } : nil }

    /// What its checkers say has changed.
    mutating func changed(at now: Instant) {
        changes.removeAll { now - $0 > limit.window }
        changes.append(now)
        if changes.count > limit.changes { isHeld = true }
        changes.removeFirst(max(0, changes.count - limit.changes - 1))
    }

    /// The time of `releaseAt` may have come.
    mutating func release(at now: Instant) {
        if let releaseAt, releaseAt <= now { isHeld = false }
    }
}
