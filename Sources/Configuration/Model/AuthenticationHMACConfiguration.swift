// `auth_hmac` of keepalived 2.4: adverts signed with HMAC-SHA-256, keys that can be changed while running, and what counts as a replay.

/// `auth_hmac { … }`.
public struct AuthenticationHMACConfiguration: Hashable, Sendable {
    /// A line `key`.
    public struct Key: Hashable, Sendable {
        /// 1...255; in every advert that it signs.
        public var id: UInt8
        /// 32...64 octets; empty in a process that may not read key files and has no use for them.
        public var secret: AuthenticationSecret

        /// A key.
        public init(id: UInt8, secret: AuthenticationSecret) {
            self.id = id
            self.secret = secret
        }
    }

    /// `mode`: what happens to adverts that are not signed.
    public enum Mode: String, Hashable, Sendable, CaseIterable {
        /// They are dropped.
        case enforce
        /// They are accepted.
        case permissive
        /// They are accepted, and what this director sends is not signed.
        case receiveOnly = "receive-only"
    }

    /// `anti_replay`: how a repeated advert is recognised.
    public enum AntiReplay: String, Hashable, Sendable, CaseIterable {
        /// By its time, which must be near this host's, and by its number.
        case time
        /// By its number alone, which must grow.
        case monotonic
    }

    /// `key`, in file order; never two of one id.
    public var keys: [Key]
    /// `active_key`: the key that signs.
    public var activeKey: UInt8
    /// `time_window`, in seconds.
    public var window: Int
    /// `anti_replay`.
    public var antiReplay: AntiReplay
    /// `mode`.
    public var mode: Mode

    /// The block.
    public init(
        keys: [Key], activeKey: UInt8, window: Int = 5, antiReplay: AntiReplay = .time, mode: Mode = .enforce
    ) {
        self.keys = keys
        self.activeKey = activeKey
        self.window = window
        self.antiReplay = antiReplay
        self.mode = mode
    }

    /// The secret of a key; nil when there is no such key.
    public func secret(of id: UInt8) -> AuthenticationSecret? { keys.first { $0.id == id }?.secret }

    /// What this director sends is signed.
    public var signs: Bool { mode != .receiveOnly }
}

/// A secret: whatever prints it prints only that it is one.
public struct AuthenticationSecret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The octets.
    public let octets: [UInt8]

    /// A secret.
    public init(_ octets: [UInt8]) {
        self.octets = octets
    }

    public var description: String { "(secret)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// What there is to say about a file that holds a secret.
public enum SecretFile: Equatable, Sendable {
    /// Its content.
    case content([UInt8])
    /// Why it is not used: it cannot be read, or others can read it.
    case unusable(String)
    /// Nobody may or needs to know here.
    case unknown
}
