// Reloading, which is the same in every daemon's interface: prepare in all, compare the digests, then commit in all or
// abort in all. `VrrpAPI.PrepareReload` is `ReloadPreparation<VrrpAPI>`, and so on.
public import Varlink

/// An interface with PrepareReload, CommitReload and AbortReload.
public protocol ReloadableAPI: Sendable {
    /// The interface.
    static var interface: String { get }
}

extension ReloadableAPI {
    public typealias PrepareReload = ReloadPreparation<Self>
    public typealias CommitReload = ReloadCommit<Self>
    public typealias AbortReload = ReloadAbort<Self>
    public typealias ConfigurationRefused = ReloadRefusal<Self>
    public typealias NotPrepared = ReloadNotPrepared<Self>
}

/// Reads and checks the configuration file without acting on it. A second call replaces what the first prepared.
public struct ReloadPreparation<API: ReloadableAPI>: VarlinkMethod {
    public static var method: String { API.interface + ".PrepareReload" }

    public init() {}

    /// What it returns.
    public struct Reply: Codable, Hashable, Sendable {
        /// Digest of the configuration text that was read, to be compared between the daemons.
        public var digest: String
        /// What a commit would change, one line each, for people.
        public var changes: [String]

        public init(digest: String, changes: [String]) {
            self.digest = digest
            self.changes = changes
        }
    }
}

/// Acts on the difference between the running and the prepared configuration.
public struct ReloadCommit<API: ReloadableAPI>: VarlinkMethod {
    public static var method: String { API.interface + ".CommitReload" }
    /// What PrepareReload returned.
    public var digest: String

    public init(digest: String) {
        self.digest = digest
    }

    /// What it returns.
    public struct Reply: Codable, Hashable, Sendable {
        public init() {}
    }
}

/// Forgets the prepared configuration; nothing prepared is not an error.
public struct ReloadAbort<API: ReloadableAPI>: VarlinkMethod {
    public static var method: String { API.interface + ".AbortReload" }

    public init() {}

    /// What it returns.
    public struct Reply: Codable, Hashable, Sendable {
        public init() {}
    }
}

/// The configuration file cannot be used; the running one stays.
public struct ReloadRefusal<API: ReloadableAPI>: VarlinkFailure, Hashable {
    public static var error: String { API.interface + ".ConfigurationRefused" }
    /// Everything that is wrong, each as FILE:LINE:COLUMN: text.
    public var diagnostics: [String]

    public init(diagnostics: [String]) {
        self.diagnostics = diagnostics
    }
}

/// The configuration of that digest is not prepared; prepare again.
public struct ReloadNotPrepared<API: ReloadableAPI>: VarlinkFailure, Hashable {
    public static var error: String { API.interface + ".NotPrepared" }
    /// What the caller asked for.
    public var digest: String

    public init(digest: String) {
        self.digest = digest
    }
}
