// Generated from Sources/Bus/interfaces/io.evenkeel.Ipvs.varlink: change that and run `make generate`.
// The methods and errors of `io.evenkeel.Ipvs`: a call is its parameters, `Reply` what comes back.
public import JSON
public import Varlink

extension IpvsAPI {
    /// All virtual services with their servers.
    public struct ListServices: VarlinkMethod {
        public static let method = "io.evenkeel.Ipvs.ListServices"

        public init() {}

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// In the order of the configuration. With more, possibly several replies; without, a table beyond 1 MiB is
            /// refused with TooLarge.
            public var services: [Service]
            /// Decisions about servers that are not configured; absent when there are none.
            public var orphans: [Orphan]?
            /// Of connections with another director; absent when it is not configured.
            public var synchronisation: Synchronisation?
            /// How long before this answer the kernel was asked for connections and counters; absent when they could
            /// not be read.
            public var countersAgeMilliseconds: Int?

            public init(
                services: [Service], orphans: [Orphan]? = nil, synchronisation: Synchronisation? = nil,
                countersAgeMilliseconds: Int? = nil
            ) {
                self.services = services
                self.orphans = orphans
                self.synchronisation = synchronisation
                self.countersAgeMilliseconds = countersAgeMilliseconds
            }
        }
    }

    /// One virtual service with its servers.
    public struct ShowService: VarlinkMethod {
        public static let method = "io.evenkeel.Ipvs.ShowService"
        /// The service.
        public var name: String

        public init(name: String) {
            self.name = name
        }

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// As it is now.
            public var service: Service

            public init(service: Service) {
                self.service = service
            }
        }
    }

    /// What went through in the last minutes, of every service in the kernel's table and every server; beyond 1000
    /// services or 1000 servers only of the first. It is noted whenever ipvsd compares the table, and begins with
    /// ipvsd.
    public struct ListTraffic: VarlinkMethod {
        public static let method = "io.evenkeel.Ipvs.ListTraffic"
        /// Only this one and its servers.
        public var service: String?

        public init(service: String? = nil) {
            self.service = service
        }

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// A service before its servers. With more, possibly several replies; without, more than 1 MiB is refused
            /// with TooLarge.
            public var histories: [TrafficHistory]

            public init(histories: [TrafficHistory]) {
                self.histories = histories
            }
        }
    }

    /// The kernel's table as it is, of whatever origin.
    public struct ListTable: VarlinkMethod {
        public static let method = "io.evenkeel.Ipvs.ListTable"
        /// Only this one, which is ServiceNotFound when the kernel does not have it.
        public var service: String?

        public init(service: String? = nil) {
            self.service = service
        }

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// In the kernel's order. With more, in as many replies as it takes; without, a table beyond 1 MiB is
            /// refused with TooLarge.
            public var services: [TableService]
            /// In the first reply.
            public var timeouts: ConnectionTimeouts?
            /// Synchronisation daemons that run; in the first reply.
            public var daemons: [SyncDaemon]?
            /// The kernel's IPVS: "1.2.1"; in the first reply.
            public var version: String?
            /// Buckets of the kernel's table of connections; in the first reply.
            public var connectionTableSize: Int?

            public init(
                services: [TableService], timeouts: ConnectionTimeouts? = nil, daemons: [SyncDaemon]? = nil,
                version: String? = nil, connectionTableSize: Int? = nil
            ) {
                self.services = services
                self.timeouts = timeouts
                self.daemons = daemons
                self.version = version
                self.connectionTableSize = connectionTableSize
            }
        }
    }

    /// Does commands in order until one fails; those before it stay done. A command that is malformed lets nothing be
    /// done (InvalidParameter); one that ipvsadm would refuse fails in its turn, with EINVAL. What it adds is kept:
    /// across restarts and reboots, repaired when somebody changes it, until it is deleted or the configuration brings
    /// it. Services of the configuration stay as it says, but their servers can be given a weight (as SetWeight does)
    /// and more servers can be added to them; zero, setTimeouts and the daemons are the kernel's as they are.
    public struct ChangeTable: VarlinkMethod {
        public static let method = "io.evenkeel.Ipvs.ChangeTable"
        /// At most 2000.
        public var commands: [TableCommand]

        public init(commands: [TableCommand]) {
            self.commands = commands
        }

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// How many were done.
            public var done: Int
            /// The one that was not.
            public var failure: CommandFailure?
            /// Services of the configuration that a flush has left.
            public var left: Int?
            /// What was done is in force, but it could not be kept: where, and why. It is lost when ipvsd restarts,
            /// unless a later attempt succeeds, which ipvsd makes by itself.
            public var notKept: String?

            public init(done: Int, failure: CommandFailure? = nil, left: Int? = nil, notKept: String? = nil) {
                self.done = done
                self.failure = failure
                self.left = left
                self.notKept = notKept
            }
        }
    }

    /// Gives a server a weight of its own until Reset.
    public struct SetWeight: VarlinkMethod {
        public static let method = "io.evenkeel.Ipvs.SetWeight"
        /// SERVICE/ADDR:PORT.
        public var server: String
        /// 0 to 2147483647; with 0 the server gets no new connections.
        public var weight: Int

        public init(server: String, weight: Int) {
            self.server = server
            self.weight = weight
        }

        public typealias Reply = ChangeReply
    }

    /// No new connections; running ones go on. When neither connections nor persistent clients are left, the server
    /// leaves the kernel's table, and stays out until Enable or Reset.
    public struct Drain: VarlinkMethod {
        public static let method = "io.evenkeel.Ipvs.Drain"
        /// SERVICE/ADDR:PORT.
        public var server: String
        /// It leaves after so long whatever connections are left, which are cut off. A restart of ipvsd begins the time
        /// anew.
        public var limitSeconds: Int?

        public init(server: String, limitSeconds: Int? = nil) {
            self.server = server
            self.limitSeconds = limitSeconds
        }

        public typealias Reply = ChangeReply
    }

    /// Takes a server out at once.
    public struct Disable: VarlinkMethod {
        public static let method = "io.evenkeel.Ipvs.Disable"
        /// SERVICE/ADDR:PORT.
        public var server: String

        public init(server: String) {
            self.server = server
        }

        public typealias Reply = ChangeReply
    }

    /// Ends a drain or a disable: the checks rule again. A weight given by hand stays.
    public struct Enable: VarlinkMethod {
        public static let method = "io.evenkeel.Ipvs.Enable"
        /// SERVICE/ADDR:PORT.
        public var server: String

        public init(server: String) {
            self.server = server
        }

        public typealias Reply = ChangeReply
    }

    /// Ends what was decided by hand: configuration and checks rule again.
    public struct Reset: VarlinkMethod {
        public static let method = "io.evenkeel.Ipvs.Reset"
        /// SERVICE/ADDR:PORT.
        public var server: String

        public init(server: String) {
            self.server = server
        }

        public typealias Reply = ChangeReply
    }

    /// Ends the drains of what has left the configuration: it leaves the table at once, and its connections are cut
    /// off.
    public struct CutDepartures: VarlinkMethod {
        public static let method = "io.evenkeel.Ipvs.CutDepartures"

        public init() {}

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// How many servers that were.
            public var servers: Int

            public init(servers: Int) {
                self.servers = servers
            }
        }
    }

    /// No virtual service has that name.
    public struct ServiceNotFound: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Ipvs.ServiceNotFound"
        /// What was asked for.
        public var name: String

        public init(name: String) {
            self.name = name
        }
    }

    /// No real server has that name.
    public struct ServerNotFound: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Ipvs.ServerNotFound"
        /// What was asked for.
        public var name: String

        public init(name: String) {
            self.name = name
        }
    }

    /// The decision is in force, but it could not be kept: it is lost when ipvsd restarts, unless a later attempt
    /// succeeds.
    public struct NotKept: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Ipvs.NotKept"
        /// Whom it is about.
        public var server: String
        /// Where it could not be written.
        public var path: String
        /// Why.
        public var problem: String

        public init(server: String, path: String, problem: String) {
            self.server = server
            self.path = path
            self.problem = problem
        }
    }

    /// The decision is kept, but the table does not have what follows from it; ipvsd goes on trying. Either the kernel
    /// refuses the server or its service (the scheduler's module is missing, say); or the table cannot be kept at all
    /// (no IPVS in the kernel, no CAP_NET_ADMIN, answers lost again and again); or it is not written yet, because
    /// something else of the service was refused that has to come first, or because the table is still being read or
    /// written.
    public struct NotTaken: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Ipvs.NotTaken"
        /// Whom it is about.
        public var server: String
        /// Which of these: what the kernel said, or what is wrong with the table and what to do about it.
        public var problem: String

        public init(server: String, problem: String) {
            self.server = server
            self.problem = problem
        }
    }

    /// The decision is kept for when the configuration has the server again. It has left, and drains at weight 0 until
    /// then.
    public struct Leaving: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Ipvs.Leaving"
        /// Whom it is about.
        public var server: String
        /// The file that does not have it any more.
        public var file: String

        public init(server: String, file: String) {
            self.server = server
            self.file = file
        }
    }

    /// The kernel's table cannot be read.
    public struct NoTable: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Ipvs.NoTable"
        /// What is wrong.
        public var problem: String
        /// What to do about it.
        public var remedy: String

        public init(problem: String, remedy: String) {
            self.problem = problem
            self.remedy = remedy
        }
    }

    /// The answer does not fit one message; call with more.
    public struct TooLarge: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Ipvs.TooLarge"

        public init() {}
    }
}
