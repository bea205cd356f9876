// Generated from Sources/Bus/interfaces/io.evenkeel.Ipvs.varlink: change that and run `make generate`.
// The enumerations of `io.evenkeel.Ipvs`; a value from a newer peer is `.other`.

extension IpvsAPI {
    /// Direction of synchronisation.
    public enum SyncRole: OpenEnumeration {
        case master, backup
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.master, .backup]

        public var rawValue: String {
            switch self {
            case .master: "master"
            case .backup: "backup"
            case .other(let word): word
            }
        }
    }

    /// Transport protocol.
    public enum Transport: OpenEnumeration {
        case tcp, udp, sctp
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.tcp, .udp, .sctp]

        public var rawValue: String {
            switch self {
            case .tcp: "tcp"
            case .udp: "udp"
            case .sctp: "sctp"
            case .other(let word): word
            }
        }
    }

    /// Address family.
    public enum Family: OpenEnumeration {
        case inet, inet6
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.inet, .inet6]

        public var rawValue: String {
            switch self {
            case .inet: "inet"
            case .inet6: "inet6"
            case .other(let word): word
            }
        }
    }

    /// Packet forwarding method. local and bypass are only found in tables of others.
    public enum Forwarding: OpenEnumeration {
        case nat, dr, tun, local, bypass
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.nat, .dr, .tun, .local, .bypass]

        public var rawValue: String {
            switch self {
            case .nat: "nat"
            case .dr: "dr"
            case .tun: "tun"
            case .local: "local"
            case .bypass: "bypass"
            case .other(let word): word
            }
        }
    }

    /// What a tunnelled packet is wrapped in.
    public enum TunnelKind: OpenEnumeration {
        case ipip, gue, gre
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.ipip, .gue, .gre]

        public var rawValue: String {
            switch self {
            case .ipip: "ipip"
            case .gue: "gue"
            case .gre: "gre"
            case .other(let word): word
            }
        }
    }

    /// Checksums of a tunnel: none, whole packet, remote offload.
    public enum TunnelChecksum: OpenEnumeration {
        case nocsum, csum, remcsum
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.nocsum, .csum, .remcsum]

        public var rawValue: String {
            switch self {
            case .nocsum: "nocsum"
            case .csum: "csum"
            case .remcsum: "remcsum"
            case .other(let word): word
            }
        }
    }

    /// Who made a service or a server: the configuration; a person or program by hand, through ipvsd, which keeps and
    /// repairs it and forgets it when it is deleted; or somebody else, of whom ipvsd changes nothing unless a command
    /// asks for it.
    public enum Origin: OpenEnumeration {
        case configuration, hand, foreign
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.configuration, .hand, .foreign]

        public var rawValue: String {
            switch self {
            case .configuration: "configuration"
            case .hand: "hand"
            case .foreign: "foreign"
            case .other(let word): word
            }
        }
    }

    /// What a command does. The same as ipvsadm -A -E -D -a -e -d -C -Z --set --start-daemon --stop-daemon.
    public enum TableAction: OpenEnumeration {
        case addService
        case editService
        case deleteService
        case addServer
        case editServer
        case deleteServer
        case flush
        case zero
        case setTimeouts
        case startDaemon
        case stopDaemon
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [
            .addService, .editService, .deleteService, .addServer, .editServer, .deleteServer, .flush, .zero,
            .setTimeouts, .startDaemon, .stopDaemon,
        ]

        public var rawValue: String {
            switch self {
            case .addService: "addService"
            case .editService: "editService"
            case .deleteService: "deleteService"
            case .addServer: "addServer"
            case .editServer: "editServer"
            case .deleteServer: "deleteServer"
            case .flush: "flush"
            case .zero: "zero"
            case .setTimeouts: "setTimeouts"
            case .startDaemon: "startDaemon"
            case .stopDaemon: "stopDaemon"
            case .other(let word): word
            }
        }
    }

    /// Whether a service has its quorum.
    public enum ServiceState: OpenEnumeration {
        case up, down
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.up, .down]

        public var rawValue: String {
            switch self {
            case .up: "up"
            case .down: "down"
            case .other(let word): word
            }
        }
    }

    /// Verdict about a server; unknown before the first check ended.
    public enum Health: OpenEnumeration {
        case up, down, unknown
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.up, .down, .unknown]

        public var rawValue: String {
            switch self {
            case .up: "up"
            case .down: "down"
            case .unknown: "unknown"
            case .other(let word): word
            }
        }
    }

    /// weight: another weight than the configured one; drain: no new connections, and out when there are none; disable:
    /// out at once.
    public enum OverrideKind: OpenEnumeration {
        case weight, drain, disable
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.weight, .drain, .disable]

        public var rawValue: String {
            switch self {
            case .weight: "weight"
            case .drain: "drain"
            case .disable: "disable"
            case .other(let word): word
            }
        }
    }
}
