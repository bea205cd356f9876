// Generated from Sources/Bus/interfaces/io.evenkeel.Bus.varlink: change that and run `make generate`.
// The types of `io.evenkeel.Bus`; methods and errors are in BusAPI+Methods.swift.
public import JSON

/// The message bus: calls are routed by interface, events are fanned out, the latest event of each subject is kept.
///
/// A message has at most 1 MiB; from those who only read, and in calls that busd answers itself (Publish apart), at
/// most 64 KiB and 1,024 JSON values. One user may have 256 connections, 128 subscriptions with 512 patterns, 128 calls
/// that daemons have not finished (oneway calls too), 16 connections to each daemon (more calls wait their turn), 32
/// MiB of unread output and incomplete input, and 65,536 kept events of 64 MiB. Root and the daemons' users have two to
/// four times as much. What goes beyond is the error QuotaExceeded.
///
/// Above a method, Role: the least that its caller must be (reader, daemon or administrator); Needs: more, when it
/// makes no sense without. Above a type, Event: the type of the events whose data it is. A peer may be newer: ignore
/// fields that you do not know, and expect values of enumerations that you do not know.
public enum BusAPI {
    /// The interface.
    public static let interface = "io.evenkeel.Bus"

    /// A CloudEvents 1.0 object.
    public struct Event: JSONStructure, Hashable, Sendable {
        /// CloudEvents version: "1.0", and nothing else.
        public var specversion: String
        /// Unique within the source; 1 to 255 octets.
        public var id: String
        /// Who says so: "/vrrpd"; 1 to 255 octets. Belongs to one user: only vrrpd's may say "/vrrpd".
        public var source: String
        /// Reverse-domain name of the kind of event: "io.evenkeel.vrrp.instance"; at most 255 octets. What begins with
        /// "io.evenkeel." belongs to the daemons, each its own part of it.
        public var type: String
        /// What it is about: "VI_1"; 1 to 1,024 octets without control characters. With the type, the key under which
        /// the latest event is kept.
        public var subject: String
        /// When it happened: RFC 3339, UTC.
        public var time: String
        /// The state of the subject after the event. Absent: the subject is gone and is no longer kept.
        public var data: JSONValue?
        /// Place in the one total order of this bus; set by busd, absent in Publish.
        public var seq: Int?

        public init(
            specversion: String, id: String, source: String, type: String, subject: String, time: String,
            data: JSONValue? = nil, seq: Int? = nil
        ) {
            self.specversion = specversion
            self.id = id
            self.source = source
            self.type = type
            self.subject = subject
            self.time = time
            self.data = data
            self.seq = seq
        }
    }

    /// A daemon that is attached.
    public struct Service: JSONStructure, Hashable, Sendable {
        /// The daemon: "vrrpd".
        public var name: String
        /// What it serves.
        public var interfaces: [String]
        /// Its private socket as a Varlink address.
        public var address: String
        /// User of the process that registered it.
        public var uid: Int
        /// Process that registered it.
        public var pid: Int
        /// When it registered: RFC 3339, UTC.
        public var since: String

        public init(name: String, interfaces: [String], address: String, uid: Int, pid: Int, since: String) {
            self.name = name
            self.interfaces = interfaces
            self.address = address
            self.uid = uid
            self.pid = pid
            self.since = since
        }
    }

    /// Whether an interface is there; the event's subject is the interface.
    /// Data of the event `io.evenkeel.bus.interface`.
    public struct InterfaceState: JSONStructure, Hashable, Sendable {
        /// Whether calls can be routed.
        public var state: Attachment
        /// The daemon: "vrrpd".
        public var service: String

        public init(state: Attachment, service: String) {
            self.state = state
            self.service = service
        }
    }

    /// Something that needs a person, said by a daemon; the event's subject is DAEMON/KEY. Over when published without
    /// data.
    /// Data of the event `io.evenkeel.daemon.alarm`.
    public struct DaemonAlarm: JSONStructure, Hashable, Sendable {
        /// Always true while the alarm stands.
        public var active: Bool
        /// What is wrong, for people.
        public var message: String
        /// What to do about it.
        public var remedy: String

        public init(active: Bool, message: String, remedy: String) {
            self.active = active
            self.message = message
            self.remedy = remedy
        }
    }

    /// The configuration that a daemon has in force; the event's subject is the daemon.
    /// Data of the event `io.evenkeel.daemon.config`.
    public struct DaemonConfiguration: JSONStructure, Hashable, Sendable {
        /// Digest of the text.
        public var digest: String
        /// The file it came from.
        public var file: String
        /// When it was loaded: RFC 3339, UTC.
        public var loaded: String
        /// The daemons that it gives something to do; null where the daemon is too old to say.
        public var needs: [String]?

        public init(digest: String, file: String, loaded: String, needs: [String]? = nil) {
            self.digest = digest
            self.file = file
            self.loaded = loaded
            self.needs = needs
        }
    }

    /// Counters of the bus.
    public struct Statistics: JSONStructure, Hashable, Sendable {
        /// Place of the latest event.
        public var seq: Int
        /// Open client connections.
        public var connections: Int
        /// Running subscriptions.
        public var subscriptions: Int
        /// Subjects whose latest event is kept.
        public var kept: Int
        /// Octets waiting for clients to read them.
        public var queuedBytes: Int
        /// Events accepted since start.
        public var published: Int
        /// Subscriptions ended because their reader was too slow.
        public var overruns: Int
        /// Calls refused by policy or quota since start.
        public var refused: Int

        public init(
            seq: Int, connections: Int, subscriptions: Int, kept: Int, queuedBytes: Int, published: Int, overruns: Int,
            refused: Int
        ) {
            self.seq = seq
            self.connections = connections
            self.subscriptions = subscriptions
            self.kept = kept
            self.queuedBytes = queuedBytes
            self.published = published
            self.overruns = overruns
            self.refused = refused
        }
    }
}
