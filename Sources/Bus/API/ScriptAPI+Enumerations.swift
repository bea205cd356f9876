// Generated from Sources/Bus/interfaces/io.evenkeel.Script.varlink: change that and run `make generate`.
// The enumerations of `io.evenkeel.Script`; a value from a newer peer is `.other`.

extension ScriptAPI {
    /// How a run ended; accepted: it was taken on and has not ended.
    public enum Outcome: OpenEnumeration {
        case accepted, exited, signalled, timedOut
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.accepted, .exited, .signalled, .timedOut]

        public var rawValue: String {
            switch self {
            case .accepted: "accepted"
            case .exited: "exited"
            case .signalled: "signalled"
            case .timedOut: "timedOut"
            case .other(let word): word
            }
        }
    }

    /// Why a program is not run.
    public enum Reason: OpenEnumeration {
        case notFound, notExecutable, insecure, unknownUser, impossible
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.notFound, .notExecutable, .insecure, .unknownUser, .impossible]

        public var rawValue: String {
            switch self {
            case .notFound: "notFound"
            case .notExecutable: "notExecutable"
            case .insecure: "insecure"
            case .unknownUser: "unknownUser"
            case .impossible: "impossible"
            case .other(let word): word
            }
        }
    }
}
