// Generated from Sources/Bus/interfaces/io.evenkeel.Check.varlink: change that and run `make generate`.
// The enumerations of `io.evenkeel.Check`; a value from a newer peer is `.other`.

extension CheckAPI {
    /// What a probe says about the server; inconclusive: nothing, this host is in the way.
    public enum TrialOutcome: OpenEnumeration {
        case success, failure, inconclusive
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.success, .failure, .inconclusive]

        public var rawValue: String {
            switch self {
            case .success: "success"
            case .failure: "failure"
            case .inconclusive: "inconclusive"
            case .other(let word): word
            }
        }
    }

    /// Verdict; unknown is the state of a check that this version does not run.
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

    /// Whom an alert is about.
    public enum AlertKind: OpenEnumeration {
        case instance, group, service, server
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.instance, .group, .service, .server]

        public var rawValue: String {
            switch self {
            case .instance: "instance"
            case .group: "group"
            case .service: "service"
            case .server: "server"
            case .other(let word): word
            }
        }
    }
}
