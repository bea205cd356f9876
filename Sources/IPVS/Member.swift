// One real server of a pool: what is known about its health, what a person decided about it, whether the kernel takes it, and what weight
// follows from all three.

public import Configuration

/// What is known about a real server's health.
public enum Health: Equatable, Sendable {
    /// How the kernel had a server when its service was adopted.
    public enum Presence: String, Equatable, Sendable {
        /// Not in the table.
        case absent
        /// In the table with weight 0.
        case quiesced
        /// In the table with a weight above 0.
        case serving
    }

    /// All of its checkers are up.
    case up
    /// One of its checkers is down.
    case down
    /// Nobody has said anything yet. A server of an adopted service stays as the kernel has it; any other starts in the table, or out
    /// of it under `alpha` (reference/keepalived.md §3 fact 1).
    case unknown(adopted: Presence?)
}

/// What a person decided about a real server; it outlives restarts and reloads until it is reset.
public struct ServerOverride: Equatable, Sendable {
    /// What was decided about new connections.
    public enum Mode: String, Equatable, Sendable, CaseIterable {
        /// As health and configuration say.
        case enabled
        /// Weight 0: no new connections, established ones go on. When they have ended, `left` follows.
        case drained
        /// Drained, and not in the table any more.
        case left
        /// Not in the table.
        case disabled
    }

    /// Weight instead of the configured one; nil = the configured one.
    public var weight: Int32?
    /// Whether it takes part.
    public var mode: Mode
    /// A drain ends after so many seconds, whatever connections are left; nil: when there are none.
    public var drainLimit: UInt32?

    /// A decision.
    public init(weight: Int32? = nil, mode: Mode = .enabled, drainLimit: UInt32? = nil) {
        self.weight = weight
        self.mode = mode
        self.drainLimit = drainLimit
    }

    /// True when it decides nothing.
    public var isEmpty: Bool { self == ServerOverride() }
}

/// A real server in a pool.
public struct Member: Equatable, Sendable {
    /// Whether the kernel takes the server as it is wanted.
    public enum Acceptance: Equatable, Sendable {
        /// Nothing was refused.
        case accepted
        /// The kernel refuses it as it is wanted, and has it with this weight meanwhile; nil = not at all.
        case refused(heldWeight: Int32?)
    }

    /// Its `real_server` block.
    public var configuration: RealServerConfiguration
    /// What is known about it.
    public var health: Health
    /// What a person decided about it.
    public var override = ServerOverride()
    /// What its checks add to the configured weight.
    public internal(set) var weightChange: Int64 = 0
    /// The health is what checkd takes it for: no probe has confirmed it.
    public internal(set) var isAssumed = false
    /// The health is what an earlier process knew; nobody has said anything to this one.
    var isRemembered = false
    /// What the kernel says to it.
    public var acceptance = Acceptance.accepted
    /// The configuration does not have it any more; nil: it has.
    public internal(set) var departure: Departure?

    init(_ configuration: RealServerConfiguration, health: Health, override: ServerOverride) {
        self.configuration = configuration
        self.health = configuration.checkers.isEmpty ? .up : health
        self.override = override
    }

    /// The weight it has whenever it may serve: a person's, else the configured one and what its checks add (keepalived's `real_weight`).
    public var servingWeight: Int32 { override.weight ?? checkedWeight }

    private var checkedWeight: Int32 {
        let (sum, overflow) = Int64(configuration.weight).addingReportingOverflow(weightChange)
        return overflow ? .max : Int32(clamping: max(0, sum))
    }

    /// True when it gets new connections unless its weight is 0 or the sorry server serves: it is healthy, nobody took it out, and the
    /// kernel has it or is going to.
    public var isAlive: Bool { isWilling && acceptance != .refused(heldWeight: nil) }

    /// True when neither its health nor a person nor the configuration keeps it from serving.
    var isWilling: Bool {
        guard override.mode == .enabled, departure == nil else { return false }
        switch health {
        case .up: return true
        case .down: return false
        case .unknown(.some(let presence)): return presence == .serving
        case .unknown(nil): return !configuration.alpha
        }
    }

    /// True when its own health or a person's decision is why it gets no new connections: nothing keeps it in. One that departs goes on
    /// serving where its replacement does not serve yet.
    var isOut: Bool {
        if health == .down || override.mode != .enabled { return true }
        return override.weight.map { $0 == 0 } ?? (weightChange < 0 && checkedWeight == 0)
    }

    /// True when a verdict is all that it needs to serve: nobody said that it cannot.
    var isUndecided: Bool { !isWilling && !isOut && servingWeight > 0 && departure == nil }

    /// What it counts towards the quorum: weights, not heads (reference/keepalived.md §3 fact 27), as the kernel has them.
    var quorumWeight: Int64 {
        guard isWilling else { return 0 }
        return switch acceptance {
        case .accepted: Int64(servingWeight)
        case .refused(let weight): Int64(weight ?? 0)
        }
    }

    /// How the table should have it; nil = not at all. `isSuspended`: the sorry server serves instead. A living server of weight 0 stays
    /// even then: its established connections go on, which is what weight 0 is for.
    func destination(isSuspended: Bool) -> DestinationAttributes? {
        switch override.mode {
        case .disabled, .left: return nil
        case .drained: return DestinationAttributes(configuration, weight: 0)
        case .enabled where departure != nil: return DestinationAttributes(configuration, weight: 0)
        case .enabled: break
        }
        if isWilling, !isSuspended || servingWeight == 0 {
            return DestinationAttributes(configuration, weight: servingWeight)
        }
        let staysWithoutWeight = configuration.inhibitOnFailure || health == .unknown(adopted: .quiesced)
        return staysWithoutWeight ? DestinationAttributes(configuration, weight: 0) : nil
    }
}
