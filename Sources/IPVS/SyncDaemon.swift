// The kernel's synchronisation of connections (`ipvsadm --start-daemon`): one thread sends what this director's connections are, another
// receives those of another director, so that they survive a change of the master. A network namespace has at most one of each.

public import Configuration
public import Net

/// Which of the two.
public enum SyncRole: UInt32, Hashable, Sendable, CaseIterable {
    /// Sends: IP_VS_STATE_MASTER.
    case master = 1
    /// Receives: IP_VS_STATE_BACKUP.
    case backup = 2

    /// The other one.
    public var other: SyncRole { self == .master ? .backup : .master }
}

/// A daemon with its parameters.
public struct SyncDaemon: Hashable, Sendable, CustomStringConvertible {
    /// Which.
    public var role: SyncRole
    /// The interface of the messages.
    public var interface: String
    /// 0...255; a receiver takes only messages of its own, or any with 0.
    public var syncID: UInt8
    /// Their multicast group.
    public var group: IPAddress
    /// Their UDP port.
    public var port: UInt16
    /// Their TTL.
    public var timeToLive: UInt8
    /// Longest message; nil = the kernel's choice.
    public var maximumLength: UInt16?

    /// A daemon.
    public init(
        role: SyncRole, interface: String, syncID: UInt8, group: IPAddress, port: UInt16, timeToLive: UInt8,
        maximumLength: UInt16? = nil
    ) {
        self.role = role
        self.interface = interface
        self.syncID = syncID
        self.group = group
        self.port = port
        self.timeToLive = timeToLive
        self.maximumLength = maximumLength
    }

    /// What is configured, in a role.
    public init(_ configuration: SyncDaemonConfiguration, _ role: SyncRole) {
        self.init(
            role: role, interface: configuration.interface, syncID: configuration.syncID, group: configuration.group,
            port: configuration.port, timeToLive: configuration.timeToLive,
            maximumLength: configuration.maximumLength)
    }

    public var description: String {
        "sync daemon \(role) on \(interface) (id \(syncID), group \(group), port \(port), ttl \(timeToLive))"
    }

    /// The kernel's is as it is wanted. The kernel fits the length into limits of its own, so that is not compared.
    public func isAs(_ wanted: SyncDaemon) -> Bool {
        var copy = wanted
        copy.maximumLength = maximumLength
        return self == copy
    }
}

/// What to ask of the kernel.
public enum SyncCommand: Hashable, Sendable, CustomStringConvertible {
    /// Start it; there is none of its role.
    case start(SyncDaemon)
    /// Stop the one of that role.
    case stop(SyncRole)

    public var description: String {
        switch self {
        case .start(let daemon): "started \(daemon)"
        case .stop(let role): "stopped sync daemon \(role)"
        }
    }
}

/// Wanted daemons against the kernel's. What is wanted follows the configuration and the state of an instance; what the kernel has is read
/// anew before every comparison.
public struct SyncPlan: Sendable {
    /// `lvs_sync_daemon`; nil = this director starts none.
    public private(set) var configuration: SyncDaemonConfiguration?
    /// The role of the instance that is followed; nil = not known yet, and what is there stays.
    public private(set) var role: SyncRole?
    /// What this process has started, as it was asked for.
    public private(set) var started: [SyncRole: SyncDaemon] = [:]

    /// Nothing is wanted.
    public init() {}

    /// Goes over to a configuration. Another instance is not known yet.
    public mutating func configure(_ configuration: SyncDaemonConfiguration?) {
        if configuration?.instance != self.configuration?.instance { role = nil }
        self.configuration = configuration
    }

    /// The instance is master, or is not.
    public mutating func follow(_ role: SyncRole) { self.role = role }

    /// The daemons to have; nil = whatever is there, because nothing is known of the instance.
    public var wanted: [SyncDaemon]? {
        guard let configuration else { return [] }
        guard configuration.instance != nil else { return SyncRole.allCases.map { SyncDaemon(configuration, $0) } }
        return role.map { [SyncDaemon(configuration, $0)] }
    }

    /// What turns `held` into what is wanted: stops first, because a role cannot be there twice. Without a configuration only what this
    /// process has started is stopped.
    public func commands(holding held: [SyncDaemon]) -> [SyncCommand] {
        guard let wanted else { return [] }
        var stops: [SyncCommand] = []
        var starts: [SyncCommand] = []
        for role in SyncRole.allCases {
            let there = held.first { $0.role == role }
            let want = wanted.first { $0.role == role }
            switch (there, want) {
            case (nil, nil): continue
            case (nil, let want?): starts.append(.start(want))
            case (.some, nil):
                if configuration != nil || started[role] != nil { stops.append(.stop(role)) }
            case (let there?, let want?):
                let isOlder = started[role].map { $0.maximumLength != want.maximumLength } ?? false
                guard !there.isAs(want) || isOlder else { continue }
                stops.append(.stop(role))
                starts.append(.start(want))
            }
        }
        return stops + starts
    }

    /// The kernel has done it.
    public mutating func took(_ command: SyncCommand) {
        switch command {
        case .start(let daemon): started[daemon.role] = daemon
        case .stop(let role): started[role] = nil
        }
    }

    /// What to stop when this process ends for good.
    public func lastCommands(holding held: [SyncDaemon]) -> [SyncCommand] {
        held.filter { there in started[there.role].map { there.isAs($0) } ?? false }.map { .stop($0.role) }
    }
}
