// Generated from Sources/Bus/interfaces/io.evenkeel.Check.varlink: change that and run `make generate`.
// The methods and errors of `io.evenkeel.Check`: a call is its parameters, `Reply` what comes back.
public import JSON
public import Varlink

extension CheckAPI {
    /// Health of all real servers.
    public struct List: VarlinkMethod {
        public static let method = "io.evenkeel.Check.List"

        public init() {}

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
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
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// After the probes.
            public var health: ServerHealth

            public init(health: ServerHealth) {
                self.health = health
            }
        }
    }

    /// How the checks of a server did.
    public struct ShowHistory: VarlinkMethod {
        public static let method = "io.evenkeel.Check.ShowHistory"
        /// SERVICE/ADDR:PORT.
        public var server: String

        public init(server: String) {
            self.server = server
        }

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// The server now.
            public var health: ServerHealth
            /// Of each of its checks that runs.
            public var checks: [CheckHistory]

            public init(health: ServerHealth, checks: [CheckHistory]) {
                self.health = health
                self.checks = checks
            }
        }
    }

    /// How long the probes of all checks took since checkd has watched their servers.
    public struct ListLatencies: VarlinkMethod {
        public static let method = "io.evenkeel.Check.ListLatencies"

        public init() {}

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// Limits of the classes, the shortest first.
            public var upToMicroseconds: [Int]
            /// In the order of the configuration, without those that have no check. With more, possibly several
            /// replies; without, more than 1 MiB is refused with TooLarge.
            public var servers: [ServerLatency]

            public init(upToMicroseconds: [Int], servers: [ServerLatency]) {
                self.upToMicroseconds = upToMicroseconds
                self.servers = servers
            }
        }
    }

    /// Probes a server once, with every check and everything that the check asks for, and says what happened. Verdicts,
    /// counters and schedules stay as they are.
    public struct ProbeOnce: VarlinkMethod {
        public static let method = "io.evenkeel.Check.ProbeOnce"
        /// SERVICE/ADDR:PORT.
        public var server: String

        public init(server: String) {
            self.server = server
        }

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// In the order of the checks.
            public var trials: [Trial]

            public init(trials: [Trial]) {
                self.trials = trials
            }
        }
    }

    /// Gets a page once, as HTTP_GET and SSL_GET do, and answers with what `digest` must be for it. Whatever its status
    /// is.
    public struct ComputeDigest: VarlinkMethod {
        public static let method = "io.evenkeel.Check.ComputeDigest"
        /// ADDR:PORT of the server.
        public var target: String
        /// As SSL_GET does.
        public var tls: Bool
        /// From the slash on.
        public var path: String
        /// The Host header, and with tls the server name; none: ADDR:PORT, and no name.
        public var virtualhost: String?

        public init(target: String, tls: Bool, path: String, virtualhost: String? = nil) {
            self.target = target
            self.tls = tls
            self.path = path
            self.virtualhost = virtualhost
        }

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// MD5 of the body, 32 hexadecimal digits.
            public var digest: String

            public init(digest: String) {
                self.digest = digest
            }
        }
    }

    /// Sends a test message to everybody who is to be alerted and answers with what became of each; takes as long as
    /// the mail server does.
    public struct TestAlerts: VarlinkMethod {
        public static let method = "io.evenkeel.Check.TestAlerts"

        public init() {}

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// Empty when the configuration names nobody.
            public var deliveries: [AlertDelivery]

            public init(deliveries: [AlertDelivery]) {
                self.deliveries = deliveries
            }
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

    /// The page could not be had.
    public struct NoPage: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Check.NoPage"
        /// Why, for people.
        public var reason: String

        public init(reason: String) {
            self.reason = reason
        }
    }

    /// Somebody else's test of alerts is under way; there is one at a time.
    public struct TestUnderWay: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Check.TestUnderWay"

        public init() {}
    }

    /// The answer does not fit one message; call with more.
    public struct TooLarge: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Check.TooLarge"

        public init() {}
    }
}
