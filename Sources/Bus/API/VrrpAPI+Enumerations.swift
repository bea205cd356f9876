// Generated from Sources/Bus/interfaces/io.evenkeel.Vrrp.varlink: change that and run `make generate`.
// The enumerations of `io.evenkeel.Vrrp`; a value from a newer peer is `.other`.

extension VrrpAPI {
    /// What a version 3 checksum over IPv4 covers: keepalived's default, what RFC 9568 says (v3_checksum_as_v2), or
    /// what old keepalived sends over unicast (old_unicast_checksum).
    public enum Checksum: OpenEnumeration {
        case pseudoHeader, messageOnly, groupPseudoHeader
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.pseudoHeader, .messageOnly, .groupPseudoHeader]

        public var rawValue: String {
            switch self {
            case .pseudoHeader: "pseudoHeader"
            case .messageOnly: "messageOnly"
            case .groupPseudoHeader: "groupPseudoHeader"
            case .other(let word): word
            }
        }
    }

    /// Kinds of what is tracked.
    public enum TrackerKind: OpenEnumeration {
        case interface, file, process, unit, bfd
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.interface, .file, .process, .unit, .bfd]

        public var rawValue: String {
            switch self {
            case .interface: "interface"
            case .file: "file"
            case .process: "process"
            case .unit: "unit"
            case .bfd: "bfd"
            case .other(let word): word
            }
        }
    }

    /// How a tracked thing stands; a file has a number.
    public enum TrackerState: OpenEnumeration {
        case unknown, good, failed, number
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.unknown, .good, .failed, .number]

        public var rawValue: String {
            switch self {
            case .unknown: "unknown"
            case .good: "good"
            case .failed: "failed"
            case .number: "number"
            case .other(let word): word
            }
        }
    }

    /// What the runs of a script say: unknown until the first has ended.
    public enum ScriptState: OpenEnumeration {
        case unknown, good, failed
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.unknown, .good, .failed]

        public var rawValue: String {
            switch self {
            case .unknown: "unknown"
            case .good: "good"
            case .failed: "failed"
            case .other(let word): word
            }
        }
    }

    /// State of a virtual router.
    public enum State: OpenEnumeration {
        case initialize, backup, master, fault
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.initialize, .backup, .master, .fault]

        public var rawValue: String {
            switch self {
            case .initialize: "initialize"
            case .backup: "backup"
            case .master: "master"
            case .fault: "fault"
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
}
