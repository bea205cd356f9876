// The words of ipvsadm 1.31's command line: its commands, its options, and which option goes with which command. Names are those of its
// messages; what a user types is in `OptionScanner.words`.

/// A command of ipvsadm.
enum CommandName: String, CaseIterable, Sendable {
    case addService = "add-service"
    case editService = "edit-service"
    case deleteService = "delete-service"
    /// `--clear`, `-C`.
    case flush
    case list
    case addServer = "add-server"
    case deleteServer = "delete-server"
    case editServer = "edit-server"
    case set
    case startDaemon = "start-daemon"
    case stopDaemon = "stop-daemon"
    case restore
    case save
    case zero
}

/// An option of ipvsadm, in the order in which it checks them.
enum OptionName: UInt8, CaseIterable, Sendable {
    case numeric, connection, service, scheduler, persistent, netmask, server, forwarding, weight, upperThreshold,
        lowerThreshold, multicastInterface, timeout, daemon, stats, rate, thresholds, persistentConnections, noSort,
        syncID, exact, onePacket, engine, schedulerFlags, multicastGroup, multicastPort, multicastTTL, maximumLength,
        tunnelInformation, tunnelType, tunnelPort, tunnelNoChecksum, tunnelChecksum, tunnelRemoteChecksum

    /// Those that belong to a tunnel.
    static let ofTunnels: OptionNames = [
        .tunnelType, .tunnelPort, .tunnelNoChecksum, .tunnelChecksum, .tunnelRemoteChecksum,
    ]

    /// What ipvsadm's messages call it.
    var text: String {
        switch self {
        case .numeric: "numeric"
        case .connection: "connection"
        case .service: "service-address"
        case .scheduler: "scheduler"
        case .persistent: "persistent"
        case .netmask: "netmask"
        case .server: "real-server"
        case .forwarding: "forwarding-method"
        case .weight: "weight"
        case .upperThreshold: "u-threshold"
        case .lowerThreshold: "l-threshold"
        case .multicastInterface: "mcast-interface"
        case .timeout: "timeout"
        case .daemon: "daemon"
        case .stats: "stats"
        case .rate: "rate"
        case .thresholds: "thresholds"
        case .persistentConnections: "persistent-conn"
        case .noSort: "nosort"
        case .syncID: "syncid"
        case .exact: "exact"
        case .onePacket: "ops"
        case .engine: "pe"
        case .schedulerFlags: "sched-flags"
        case .multicastGroup: "mcast-group"
        case .multicastPort: "mcast-port"
        case .multicastTTL: "mcast-ttl"
        case .maximumLength: "sync-maxlen"
        case .tunnelInformation: "tun-info"
        case .tunnelType: "tun-type"
        case .tunnelPort: "tun-port"
        case .tunnelNoChecksum: "tun-nocsum"
        case .tunnelChecksum: "tun-csum"
        case .tunnelRemoteChecksum: "tun-remcsum"
        }
    }
}

/// Several options: a restore checks those of every line, and a bit is quicker than a name.
struct OptionNames: ExpressibleByArrayLiteral, Sendable {
    private var bits: UInt64 = 0

    init(arrayLiteral options: OptionName...) { for option in options { bits |= 1 << UInt64(option.rawValue) } }

    func contains(_ option: OptionName) -> Bool { bits >> UInt64(option.rawValue) & 1 == 1 }

    func isDisjoint(with other: OptionNames) -> Bool { bits & other.bits == 0 }

    func union(_ other: OptionNames) -> OptionNames {
        var both = self
        both.bits |= other.bits
        return both
    }
}

/// Which options a command, or a tunnel type, needs, allows, and allows one of.
struct OptionRule: Sendable {
    var required: OptionNames = []
    var exclusive: OptionNames = []
    var optional: OptionNames = []

    /// Checks `given` against the rule, option by option in `order`.
    /// - Parameter owner: `'list' command`, `'gue' tunnel type`.
    func check(
        _ given: OptionNames, of owner: @autoclosure () -> String, in order: [OptionName] = OptionName.allCases
    ) throws(DialectError) {
        var earlier: OptionName?
        for option in order {
            guard given.contains(option) else {
                guard required.contains(option) else { continue }
                throw .usage("You need to supply the '\(option.text)' option for the \(owner())")
            }
            if exclusive.contains(option) {
                if let earlier {
                    throw .usage(
                        "The option '\(option.text)' conflicts with the '\(earlier.text)' option in the \(owner())"
                    )
                }
                earlier = option
            } else if !required.contains(option), !optional.contains(option) {
                throw .usage("Illegal '\(option.text)' option with the \(owner())")
            }
        }
    }
}

extension CommandName {
    /// What goes with the command.
    var rule: OptionRule {
        switch self {
        case .addService, .editService:
            OptionRule(
                required: [.service],
                optional: [.scheduler, .persistent, .netmask, .onePacket, .engine, .schedulerFlags])
        case .deleteService: OptionRule(required: [.service])
        case .flush, .set, .restore: OptionRule()
        case .list:
            OptionRule(
                exclusive: [.connection, .service, .timeout, .daemon],
                optional: [
                    .numeric, .stats, .rate, .thresholds, .persistentConnections, .noSort, .syncID, .exact,
                    .tunnelInformation,
                ])
        case .addServer, .editServer:
            OptionRule(
                required: [.service, .server],
                optional: OptionName.ofTunnels.union([.forwarding, .weight, .upperThreshold, .lowerThreshold]))
        case .deleteServer: OptionRule(required: [.service, .server])
        case .startDaemon:
            OptionRule(optional: [
                .multicastInterface, .syncID, .multicastGroup, .multicastPort, .multicastTTL, .maximumLength,
            ])
        case .stopDaemon: OptionRule(optional: [.syncID])
        case .save: OptionRule(optional: [.numeric])
        case .zero: OptionRule(optional: [.service])
        }
    }
}

/// `--tun-type`.
enum TunnelName: String, Sendable {
    case ipip, gue, gre

    /// What goes with the type.
    var rule: OptionRule {
        switch self {
        case .ipip: OptionRule()
        case .gue:
            OptionRule(
                required: [.tunnelPort], exclusive: [.tunnelNoChecksum, .tunnelChecksum, .tunnelRemoteChecksum])
        case .gre: OptionRule(exclusive: [.tunnelNoChecksum, .tunnelChecksum])
        }
    }

    /// Checks the options of an addition or edit of a server.
    func check(_ given: OptionNames) throws(DialectError) {
        try rule.check(
            given, of: "'\(rawValue)' tunnel type",
            in: [.tunnelPort, .tunnelNoChecksum, .tunnelChecksum, .tunnelRemoteChecksum])
    }
}
