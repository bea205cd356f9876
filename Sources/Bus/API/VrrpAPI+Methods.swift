// The methods and errors of `io.evenkeel.Vrrp`: a call is its parameters, `Reply` what comes back.
public import Varlink

extension VrrpAPI {
    /// All virtual routers.
    public struct List: VarlinkMethod {
        public static let method = "io.evenkeel.Vrrp.List"

        public init() {}

        /// What it returns.
        public struct Reply: Codable, Hashable, Sendable {
            /// In the order of the configuration. With more, possibly several replies.
            public var instances: [Instance]

            public init(instances: [Instance]) {
                self.instances = instances
            }
        }
    }

    /// One virtual router.
    public struct Show: VarlinkMethod {
        public static let method = "io.evenkeel.Vrrp.Show"
        /// The instance.
        public var name: String

        public init(name: String) {
            self.name = name
        }

        /// What it returns.
        public struct Reply: Codable, Hashable, Sendable {
            /// As it is now.
            public var instance: Instance

            public init(instance: Instance) {
                self.instance = instance
            }
        }
    }

    /// Steps down: an advert of priority 0, then backup at priority 1 until Resume, which takes over only when nobody else
    /// does. The members of a sync group step down together. Survives a restart.
    public struct Failover: VarlinkMethod {
        public static let method = "io.evenkeel.Vrrp.Failover"
        /// The instance.
        public var name: String

        public init(name: String) {
            self.name = name
        }

        /// What it returns.
        public struct Reply: Codable, Hashable, Sendable {
            /// The event this change caused; absent while the bus is away or when nothing changed.
            public var seq: Int?

            public init(seq: Int? = nil) {
                self.seq = seq
            }
        }
    }

    /// Takes part again after Failover.
    public struct Resume: VarlinkMethod {
        public static let method = "io.evenkeel.Vrrp.Resume"
        /// The instance.
        public var name: String

        public init(name: String) {
            self.name = name
        }

        /// What it returns.
        public struct Reply: Codable, Hashable, Sendable {
            /// The event this change caused; absent while the bus is away or when nothing changed.
            public var seq: Int?

            public init(seq: Int? = nil) {
                self.seq = seq
            }
        }
    }

    /// Reads and checks the configuration file without acting on it. A second call replaces what the first
    /// prepared.
    public struct PrepareReload: VarlinkMethod {
        public static let method = "io.evenkeel.Vrrp.PrepareReload"

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
        public static let method = "io.evenkeel.Vrrp.CommitReload"
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
        public static let method = "io.evenkeel.Vrrp.AbortReload"

        public init() {}

        /// What it returns.
        public struct Reply: Codable, Hashable, Sendable {

            public init() {}
        }
    }

    /// No virtual router has that name.
    public struct InstanceNotFound: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Vrrp.InstanceNotFound"
        /// What was asked for.
        public var name: String

        public init(name: String) {
            self.name = name
        }
    }

    /// The answer does not fit one message; call with more.
    public struct TooLarge: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Vrrp.TooLarge"

        public init() {}
    }

    /// The configuration file cannot be used; the running one stays.
    public struct ConfigurationRefused: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Vrrp.ConfigurationRefused"
        /// Everything that is wrong, each as FILE:LINE:COLUMN: text.
        public var diagnostics: [String]

        public init(diagnostics: [String]) {
            self.diagnostics = diagnostics
        }
    }

    /// The configuration of that digest is not prepared; prepare again.
    public struct NotPrepared: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Vrrp.NotPrepared"
        /// What the caller asked for.
        public var digest: String

        public init(digest: String) {
            self.digest = digest
        }
    }
}
