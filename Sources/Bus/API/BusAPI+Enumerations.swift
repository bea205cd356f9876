// Generated from Sources/Bus/interfaces/io.evenkeel.Bus.varlink: change that and run `make generate`.
// The enumerations of `io.evenkeel.Bus`; a value from a newer peer is `.other`.

extension BusAPI {
    /// Whether somebody serves an interface.
    public enum Attachment: OpenEnumeration {
        case attached, lost
        /// A value that a newer peer knows.
        case other(String)

        public static let known: [Self] = [.attached, .lost]

        public var rawValue: String {
            switch self {
            case .attached: "attached"
            case .lost: "lost"
            case .other(let word): word
            }
        }
    }
}
