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

    /// Packet forwarding method.
    public enum Forwarding: OpenEnumeration {
        case nat, dr, tun
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.nat, .dr, .tun]

        public var rawValue: String {
            switch self {
            case .nat: "nat"
            case .dr: "dr"
            case .tun: "tun"
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

    /// weight: another weight than the configured one; drain: no new connections; disable: out at once.
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
