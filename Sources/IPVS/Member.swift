// One real server of a pool: what is known about its health, what a person decided about it, and what weight follows from both.

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
        /// Weight 0: no new connections, established ones go on.
        case drained
        /// Not in the table.
        case disabled
    }

    /// Weight instead of the configured one; nil = the configured one.
    public var weight: Int32?
    /// Whether it takes part.
    public var mode: Mode

    /// A decision.
    public init(weight: Int32? = nil, mode: Mode = .enabled) {
        self.weight = weight
        self.mode = mode
    }

    /// True when it decides nothing.
    public var isEmpty: Bool { self == ServerOverride() }
}

/// A real server in a pool.
public struct Member: Equatable, Sendable {
    /// Its `real_server` block.
    public var configuration: RealServerConfiguration
    /// What is known about it.
    public var health: Health
    /// What a person decided about it.
    public var override = ServerOverride()

    init(_ configuration: RealServerConfiguration, health: Health) {
        self.configuration = configuration
        self.health = configuration.checkers.isEmpty ? .up : health
    }

    /// The weight it has whenever it may serve.
    public var servingWeight: Int32 { override.weight ?? Int32(clamping: configuration.weight) }

    /// True when it may get new connections.
    public var isAlive: Bool {
        guard override.mode == .enabled else { return false }
        switch health {
        case .up: return true
        case .down: return false
        case .unknown(.some(let presence)): return presence == .serving
        case .unknown(nil): return !configuration.alpha
        }
    }

    /// What it counts towards the quorum: weights, not heads (reference/keepalived.md §3 fact 27).
    var quorumWeight: Int64 { isAlive ? Int64(servingWeight) : 0 }

    /// How the table should have it; nil = not at all. `isSuspended`: the sorry server serves instead.
    func destination(isSuspended: Bool) -> DestinationAttributes? {
        switch override.mode {
        case .disabled: return nil
        case .drained: return DestinationAttributes(configuration, weight: 0)
        case .enabled: break
        }
        if isAlive, !isSuspended { return DestinationAttributes(configuration, weight: servingWeight) }
        let staysWithoutWeight = configuration.inhibitOnFailure || health == .unknown(adopted: .quiesced)
        return staysWithoutWeight ? DestinationAttributes(configuration, weight: 0) : nil
    }
}
