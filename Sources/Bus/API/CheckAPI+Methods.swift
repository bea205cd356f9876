// The methods and errors of `io.evenkeel.Check`: a call is its parameters, `Reply` what comes back.
public import Varlink

extension CheckAPI {
    /// Health of all real servers.
    public struct List: VarlinkMethod {
        public static let method = "io.evenkeel.Check.List"

        public init() {}

        /// What it returns.
        public struct Reply: Codable, Hashable, Sendable {
            /// In the order of the configuration. With more, possibly several replies; without, more than 1 MiB is
            /// refused with TooLarge.
            public var servers: [ServerHealth]

            public init(servers: [ServerHealth]) {
                self.servers = servers
            }
        }
    }

    /// Probes a server now and answers when the probes have ended.
    public struct Run: VarlinkMethod {
        public static let method = "io.evenkeel.Check.Run"
        /// SERVICE/ADDR:PORT.
        public var server: String

        public init(server: String) {
            self.server = server
        }

        /// What it returns.
        public struct Reply: Codable, Hashable, Sendable {
            /// After the probes.
            public var health: ServerHealth

            public init(health: ServerHealth) {
                self.health = health
            }
        }
    }

    /// Reads and checks the configuration file without acting on it. A second call replaces what the first
    /// prepared.
    public struct PrepareReload: VarlinkMethod {
        public static let method = "io.evenkeel.Check.PrepareReload"

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
    public struct CommitReload: VarlinkMethod {
        public static let method = "io.evenkeel.Check.CommitReload"
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
    public struct AbortReload: VarlinkMethod {
        public static let method = "io.evenkeel.Check.AbortReload"

        public init() {}

        /// What it returns.
        public struct Reply: Codable, Hashable, Sendable {

            public init() {}
        }
    }

    /// No real server of that name is checked.
    public struct ServerNotFound: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Check.ServerNotFound"
        /// What was asked for.
        public var name: String

        public init(name: String) {
            self.name = name
        }
    }

    /// The answer does not fit one message; call with more.
    public struct TooLarge: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Check.TooLarge"

        public init() {}
    }

    /// The configuration file cannot be used; the running one stays.
    public struct ConfigurationRefused: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Check.ConfigurationRefused"
        /// Everything that is wrong, each as FILE:LINE:COLUMN: text.
        public var diagnostics: [String]

        public init(diagnostics: [String]) {
            self.diagnostics = diagnostics
        }
    }

    /// The configuration of that digest is not prepared; prepare again.
    public struct NotPrepared: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Check.NotPrepared"
        /// What the caller asked for.
        public var digest: String

        public init(digest: String) {
            self.digest = digest
        }
    }
}
