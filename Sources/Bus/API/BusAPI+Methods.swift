// Generated from Sources/Bus/interfaces/io.evenkeel.Bus.varlink: change that and run `make generate`.
// The methods and errors of `io.evenkeel.Bus`: a call is its parameters, `Reply` what comes back.
public import JSON
public import Varlink

extension BusAPI {
    /// First the kept events, then one snapshotComplete, then every change in order. A reader that falls behind gets
    /// what was queued, then Overrun, then the end of the connection. At most 64 patterns of 4 KiB together.
    public struct Subscribe: VarlinkMethod {
        public static let method = "io.evenkeel.Bus.Subscribe"
        /// Types wanted; a trailing * matches any ending. Absent: all.
        public var types: [String]?
        /// Subjects wanted; a trailing * matches any ending. Absent: all.
        public var subjects: [String]?
        /// Begin with the kept events; absent means true.
        public var retained: Bool?

        public init(types: [String]? = nil, subjects: [String]? = nil, retained: Bool? = nil) {
            self.types = types
            self.subjects = subjects
            self.retained = retained
        }

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// The next event; absent in the snapshotComplete reply.
            public var event: Event?
            /// True once, after the kept events and before the first change.
            public var snapshotComplete: Bool?
            /// With snapshotComplete: the place up to which the snapshot is complete.
            public var seq: Int?

            public init(event: Event? = nil, snapshotComplete: Bool? = nil, seq: Int? = nil) {
                self.event = event
                self.snapshotComplete = snapshotComplete
                self.seq = seq
            }
        }
    }

    /// Adds events to the order, keeps the latest of each subject and sends them to the subscribers: all of them, or
    /// none when one is not right. PermissionDenied for a source or type that is not the caller's.
    public struct Publish: VarlinkMethod {
        public static let method = "io.evenkeel.Bus.Publish"
        /// In order.
        public var events: [Event]
        /// A source that has said on this connection all it has to say: what is kept of it from elsewhere is removed.
        public var completeSource: String?

        public init(events: [Event], completeSource: String? = nil) {
            self.events = events
            self.completeSource = completeSource
        }

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// Place of the last of them.
            public var seq: Int

            public init(seq: Int) {
                self.seq = seq
            }
        }
    }

    /// Answers once at once and then stays open: the connection is the lease, its end detaches the interfaces.
    /// PermissionDenied for an interface that is not the caller's.
    public struct Register: VarlinkMethod {
        public static let method = "io.evenkeel.Bus.Register"
        /// The daemon: "vrrpd"; letters, digits, "-", "_" and ".", at most 64.
        public var name: String
        /// What it serves: 1 to 16, each once.
        public var interfaces: [String]
        /// Its private socket as a Varlink address: in the run directory's private/, where the caller's user listens
        /// already.
        public var address: String

        public init(name: String, interfaces: [String], address: String) {
            self.name = name
            self.interfaces = interfaces
            self.address = address
        }

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            public init() {}
        }
    }

    /// The daemons that are attached.
    public struct ListServices: VarlinkMethod {
        public static let method = "io.evenkeel.Bus.ListServices"

        public init() {}

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// By name.
            public var services: [Service]

            public init(services: [Service]) {
                self.services = services
            }
        }
    }

    /// Counters of the bus.
    public struct GetStatistics: VarlinkMethod {
        public static let method = "io.evenkeel.Bus.GetStatistics"

        public init() {}

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// Since busd started.
            public var statistics: Statistics

            public init(statistics: Statistics) {
                self.statistics = statistics
            }
        }
    }

    /// The daemon that serves the interface is not attached, or went away during the call.
    public struct ServiceUnavailable: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Bus.ServiceUnavailable"
        /// The interface that was called.
        public var interface: String

        public init(interface: String) {
            self.interface = interface
        }
    }

    /// The subscriber was too slow. Last reply of a subscription.
    public struct Overrun: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Bus.Overrun"
        /// The event that no longer fitted; subscribe again for a fresh snapshot.
        public var seq: Int

        public init(seq: Int) {
            self.seq = seq
        }
    }

    /// The calling user has too much open, or asks too much at once.
    public struct QuotaExceeded: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Bus.QuotaExceeded"
        /// Which. Of the user: connections, subscriptions, userPatterns, calls, queuedBytes, kept, keptBytes. Of one
        /// subscription: patterns, patternBytes. Of one message: messageBytes (the connection ends), callBytes,
        /// callValues.
        public var quota: String
        /// How much there may be.
        public var limit: Int

        public init(quota: String, limit: Int) {
            self.quota = quota
            self.limit = limit
        }
    }

    /// Another connection serves the interface.
    public struct AlreadyRegistered: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Bus.AlreadyRegistered"
        /// The interface.
        public var interface: String

        public init(interface: String) {
            self.interface = interface
        }
    }
}
