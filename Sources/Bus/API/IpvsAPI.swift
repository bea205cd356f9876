// Generated from Sources/Bus/interfaces/io.evenkeel.Ipvs.varlink: change that and run `make generate`.
// The types of `io.evenkeel.Ipvs`; methods and errors are in IpvsAPI+Methods.swift.
public import JSON

/// The IPVS table of this director: virtual services and their real servers.
public enum IpvsAPI: ReloadableAPI {
    /// The interface.
    public static let interface = "io.evenkeel.Ipvs"

    /// A virtual service with its servers.
    public struct Service: JSONStructure, Hashable, Sendable {
        /// "tcp/192.168.200.254:80", "fwmark/1/inet".
        public var name: String
        /// What is configured.
        public var context: ServiceContext
        /// What is going on.
        public var runtime: ServiceRuntime
        /// Its real servers in the order of the configuration.
        public var servers: [Server]
        /// Who made it; absent: the configuration.
        public var origin: Origin?

        public init(
            name: String, context: ServiceContext, runtime: ServiceRuntime, servers: [Server], origin: Origin? = nil
        ) {
            self.name = name
            self.context = context
            self.runtime = runtime
            self.servers = servers
            self.origin = origin
        }
    }

    /// A virtual service without its servers, which have events of their own.
    /// Data of the event `io.evenkeel.ipvs.service`.
    public struct ServiceSummary: JSONStructure, Hashable, Sendable {
        /// "tcp/192.168.200.254:80", "fwmark/1/inet".
        public var name: String
        /// What is configured.
        public var context: ServiceContext
        /// What is going on.
        public var runtime: ServiceRuntime
        /// Who made it; absent: the configuration.
        public var origin: Origin?

        public init(name: String, context: ServiceContext, runtime: ServiceRuntime, origin: Origin? = nil) {
            self.name = name
            self.context = context
            self.runtime = runtime
            self.origin = origin
        }
    }

    /// What the configuration says about a service.
    public struct ServiceContext: JSONStructure, Hashable, Sendable {
        /// TCP, UDP or SCTP; absent for a firewall mark.
        public var transport: Transport?
        /// Virtual address; absent for a firewall mark.
        public var address: String?
        /// Virtual port; absent for a firewall mark.
        public var port: Int?
        /// The mark that selects the packets.
        public var firewallMark: Int?
        /// Of the virtual address.
        public var family: Family?
        /// "rr", "wrr", "lc", "sh" …
        public var scheduler: String?
        /// "sh-port", "sh-fallback" …
        public var schedulerFlags: [String]?
        /// A client stays with its server that long; absent: not persistent.
        public var persistenceTimeoutSeconds: Int?
        /// Clients of one prefix of that length count as one.
        public var persistencePrefixLength: Int?
        /// "sip".
        public var persistenceEngine: String?
        /// Every UDP datagram is scheduled by itself.
        public var onePacket: Bool?
        /// Weight that must be up.
        public var quorum: Int?
        /// Margin around the quorum before the verdict changes.
        public var hysteresis: Int?
        /// ADDR:PORT that serves while the quorum is lost.
        public var sorryServer: String?

        public init(
            transport: Transport? = nil, address: String? = nil, port: Int? = nil, firewallMark: Int? = nil,
            family: Family? = nil, scheduler: String? = nil, schedulerFlags: [String]? = nil,
            persistenceTimeoutSeconds: Int? = nil, persistencePrefixLength: Int? = nil,
            persistenceEngine: String? = nil, onePacket: Bool? = nil, quorum: Int? = nil, hysteresis: Int? = nil,
            sorryServer: String? = nil
        ) {
            self.transport = transport
            self.address = address
            self.port = port
            self.firewallMark = firewallMark
            self.family = family
            self.scheduler = scheduler
            self.schedulerFlags = schedulerFlags
            self.persistenceTimeoutSeconds = persistenceTimeoutSeconds
            self.persistencePrefixLength = persistencePrefixLength
            self.persistenceEngine = persistenceEngine
            self.onePacket = onePacket
            self.quorum = quorum
            self.hysteresis = hysteresis
            self.sorryServer = sorryServer
        }
    }

    /// State of a service.
    public struct ServiceRuntime: JSONStructure, Hashable, Sendable {
        /// Whether the quorum is there. A service with a sorry server and without any real server is up: that is how it
        /// is configured.
        public var state: ServiceState
        /// When that began: RFC 3339, UTC; absent of a foreign service.
        public var since: String?
        /// Why, for people.
        public var reason: String
        /// Sum of the weights that count towards the quorum.
        public var weightUp: Int
        /// The sorry server serves.
        public var onSorryServer: Bool
        /// The kernel has the service.
        public var inKernel: Bool
        /// Why the kernel does not have what is wanted, and what to do.
        public var problem: String?
        /// From the kernel.
        public var counters: Counters?
        /// It left the configuration: no new connections, and it goes with the last of its servers. Absent: it did not.
        public var isLeaving: Bool?
        /// Times that ipvsd put it right after somebody else had changed the kernel's table, since ipvsd started.
        public var repairs: Int?

        public init(
            state: ServiceState, since: String? = nil, reason: String, weightUp: Int, onSorryServer: Bool,
            inKernel: Bool, problem: String? = nil, counters: Counters? = nil, isLeaving: Bool? = nil,
            repairs: Int? = nil
        ) {
            self.state = state
            self.since = since
            self.reason = reason
            self.weightUp = weightUp
            self.onSorryServer = onSorryServer
            self.inKernel = inKernel
            self.problem = problem
            self.counters = counters
            self.isLeaving = isLeaving
            self.repairs = repairs
        }
    }

    /// A real server of a service.
    /// Data of the event `io.evenkeel.ipvs.server`.
    public struct Server: JSONStructure, Hashable, Sendable {
        /// SERVICE/ADDR:PORT.
        public var name: String
        /// What is configured.
        public var context: ServerContext
        /// What is going on.
        public var runtime: ServerRuntime
        /// Who made it; absent: the configuration.
        public var origin: Origin?

        public init(name: String, context: ServerContext, runtime: ServerRuntime, origin: Origin? = nil) {
            self.name = name
            self.context = context
            self.runtime = runtime
            self.origin = origin
        }
    }

    /// What the configuration says about a server.
    public struct ServerContext: JSONStructure, Hashable, Sendable {
        /// Its address.
        public var address: String?
        /// Its port.
        public var port: Int?
        /// How packets reach it.
        public var forwarding: Forwarding?
        /// Share of the load, 0 to 2147483647.
        public var weight: Int?
        /// Connections at which it gets no more; 0: no limit.
        public var upperThreshold: Int?
        /// Connections below which it gets some again.
        public var lowerThreshold: Int?
        /// Weight 0 instead of removal when down.
        public var inhibitOnFailure: Bool?

        public init(
            address: String? = nil, port: Int? = nil, forwarding: Forwarding? = nil, weight: Int? = nil,
            upperThreshold: Int? = nil, lowerThreshold: Int? = nil, inhibitOnFailure: Bool? = nil
        ) {
            self.address = address
            self.port = port
            self.forwarding = forwarding
            self.weight = weight
            self.upperThreshold = upperThreshold
            self.lowerThreshold = lowerThreshold
            self.inhibitOnFailure = inhibitOnFailure
        }
    }

    /// State of a server.
    public struct ServerRuntime: JSONStructure, Hashable, Sendable {
        /// Verdict of the checks, or of what was heard last.
        public var health: Health
        /// When that began: RFC 3339, UTC; absent where nobody knows: of a server that is not checked, or of which
        /// checkd has not told yet.
        public var since: String?
        /// Why, for people: "connection refused".
        public var reason: String
        /// checkd is away; the verdict is the last one heard.
        public var stale: Bool
        /// The kernel has the server.
        public var inKernel: Bool
        /// Weight in the kernel; 0 when it is not there.
        public var effectiveWeight: Int
        /// What a person decided by hand.
        public var override: Override?
        /// From the kernel.
        public var activeConnections: Int?
        /// From the kernel.
        public var inactiveConnections: Int?
        /// From the kernel.
        public var persistentConnections: Int?
        /// From the kernel.
        public var counters: Counters?
        /// It left the configuration, and its connections have not ended yet; absent: it is configured, or made by
        /// hand.
        public var departure: Departure?
        /// What its checks add to its configured weight, less than 0: take away; absent: nothing. A weight given by
        /// hand counts without it.
        public var weightChange: Int?

        public init(
            health: Health, since: String? = nil, reason: String, stale: Bool, inKernel: Bool, effectiveWeight: Int,
            override: Override? = nil, activeConnections: Int? = nil, inactiveConnections: Int? = nil,
            persistentConnections: Int? = nil, counters: Counters? = nil, departure: Departure? = nil,
            weightChange: Int? = nil
        ) {
            self.health = health
            self.since = since
            self.reason = reason
            self.stale = stale
            self.inKernel = inKernel
            self.effectiveWeight = effectiveWeight
            self.override = override
            self.activeConnections = activeConnections
            self.inactiveConnections = inactiveConnections
            self.persistentConnections = persistentConnections
            self.counters = counters
            self.departure = departure
            self.weightChange = weightChange
        }
    }

    /// A server that left the configuration: it gets no new connections, and leaves the table when it has none and no
    /// persistent client.
    public struct Departure: JSONStructure, Hashable, Sendable {
        /// When the configuration without it came into force, or ipvsd was started: RFC 3339, UTC.
        public var since: String
        /// It leaves after so long, whatever connections are left. A restart of ipvsd begins the time anew.
        public var limitSeconds: Int

        public init(since: String, limitSeconds: Int) {
            self.since = since
            self.limitSeconds = limitSeconds
        }
    }

    /// A decision made by hand; it survives restarts and ends with Reset.
    public struct Override: JSONStructure, Hashable, Sendable {
        /// What was decided.
        public var kind: OverrideKind
        /// The weight given by hand, with any kind.
        public var weight: Int?
        /// When: RFC 3339, UTC.
        public var since: String
        /// The user who did it.
        public var uid: Int?
        /// A drain is over: the server is not in the kernel's table any more.
        public var isOver: Bool?
        /// A drain ends after so long, whatever connections are left.
        public var limitSeconds: Int?

        public init(
            kind: OverrideKind, weight: Int? = nil, since: String, uid: Int? = nil, isOver: Bool? = nil,
            limitSeconds: Int? = nil
        ) {
            self.kind = kind
            self.weight = weight
            self.since = since
            self.uid = uid
            self.isOver = isOver
            self.limitSeconds = limitSeconds
        }
    }

    /// A decision about a server that is not configured (any more). It is in force when the server comes back, and ends
    /// with Reset.
    public struct Orphan: JSONStructure, Hashable, Sendable {
        /// SERVICE/ADDR:PORT.
        public var server: String
        /// What was decided.
        public var override: Override

        public init(server: String, override: Override) {
            self.server = server
            self.override = override
        }
    }

    /// `lvs_sync_daemon`: connections are told to, or taken from, the other director.
    public struct Synchronisation: JSONStructure, Hashable, Sendable {
        /// The interface of the messages.
        public var interface: String
        /// The VRRP instance that decides which daemon runs; absent: both run.
        public var instance: String?
        /// Those that run in the kernel.
        public var daemons: [SyncDaemon]
        /// Why not those that should.
        public var problem: String?

        public init(interface: String, instance: String? = nil, daemons: [SyncDaemon], problem: String? = nil) {
            self.interface = interface
            self.instance = instance
            self.daemons = daemons
            self.problem = problem
        }
    }

    /// A synchronisation daemon of the kernel.
    public struct SyncDaemon: JSONStructure, Hashable, Sendable {
        /// It sends (master) or receives (backup).
        public var role: SyncRole
        /// The interface of its messages.
        public var interface: String
        /// Whose messages: 0 to 255.
        public var syncID: Int
        /// Their multicast group.
        public var group: String
        /// Their UDP port.
        public var port: Int
        /// Their TTL.
        public var timeToLive: Int
        /// Octets of the longest message; absent in a command: the kernel's choice.
        public var maximumLength: Int?

        public init(
            role: SyncRole, interface: String, syncID: Int, group: String, port: Int, timeToLive: Int,
            maximumLength: Int? = nil
        ) {
            self.role = role
            self.interface = interface
            self.syncID = syncID
            self.group = group
            self.port = port
            self.timeToLive = timeToLive
            self.maximumLength = maximumLength
        }
    }

    /// Totals since the kernel made the entry.
    public struct Counters: JSONStructure, Hashable, Sendable {
        /// Connections scheduled.
        public var connections: Int
        /// Packets towards the servers.
        public var packetsIn: Int
        /// Packets from the servers (NAT).
        public var packetsOut: Int
        /// Octets towards the servers.
        public var bytesIn: Int
        /// Octets from the servers (NAT).
        public var bytesOut: Int
        /// The kernel's estimate of the last seconds, and so are the next four.
        public var connectionsPerSecond: Int?
        /// Packets towards the servers.
        public var packetsInPerSecond: Int?
        /// Packets from the servers (NAT).
        public var packetsOutPerSecond: Int?
        /// Octets towards the servers.
        public var bytesInPerSecond: Int?
        /// Octets from the servers (NAT).
        public var bytesOutPerSecond: Int?

        public init(
            connections: Int, packetsIn: Int, packetsOut: Int, bytesIn: Int, bytesOut: Int,
            connectionsPerSecond: Int? = nil, packetsInPerSecond: Int? = nil, packetsOutPerSecond: Int? = nil,
            bytesInPerSecond: Int? = nil, bytesOutPerSecond: Int? = nil
        ) {
            self.connections = connections
            self.packetsIn = packetsIn
            self.packetsOut = packetsOut
            self.bytesIn = bytesIn
            self.bytesOut = bytesOut
            self.connectionsPerSecond = connectionsPerSecond
            self.packetsInPerSecond = packetsInPerSecond
            self.packetsOutPerSecond = packetsOutPerSecond
            self.bytesInPerSecond = bytesInPerSecond
            self.bytesOutPerSecond = bytesOutPerSecond
        }
    }

    /// What went through in a stretch of time, of about ten seconds.
    public struct TrafficSample: JSONStructure, Hashable, Sendable {
        /// How long ago it ended.
        public var endedMillisecondsAgo: Int
        /// How long it was.
        public var milliseconds: Int
        /// Connections scheduled in it.
        public var connections: Int
        /// Packets towards the servers.
        public var packetsIn: Int
        /// Packets from the servers (NAT).
        public var packetsOut: Int
        /// Octets towards the servers.
        public var bytesIn: Int
        /// Octets from the servers (NAT).
        public var bytesOut: Int
        /// Established connections at its end.
        public var activeConnections: Int

        public init(
            endedMillisecondsAgo: Int, milliseconds: Int, connections: Int, packetsIn: Int, packetsOut: Int,
            bytesIn: Int, bytesOut: Int, activeConnections: Int
        ) {
            self.endedMillisecondsAgo = endedMillisecondsAgo
            self.milliseconds = milliseconds
            self.connections = connections
            self.packetsIn = packetsIn
            self.packetsOut = packetsOut
            self.bytesIn = bytesIn
            self.bytesOut = bytesOut
            self.activeConnections = activeConnections
        }
    }

    /// The last five minutes of a service or a server.
    public struct TrafficHistory: JSONStructure, Hashable, Sendable {
        /// "tcp/192.168.200.254:80" or SERVICE/ADDR:PORT.
        public var name: String
        /// Oldest first; none before ipvsd has looked twice.
        public var samples: [TrafficSample]

        public init(name: String, samples: [TrafficSample]) {
            self.name = name
            self.samples = samples
        }
    }

    /// A service as it is in the kernel's table, whoever made it.
    public struct TableService: JSONStructure, Hashable, Sendable {
        /// "tcp/192.168.200.254:80", "fwmark/1/inet".
        public var name: String
        /// Who made it.
        public var origin: Origin
        /// What can be edited.
        public var settings: ServiceSettings
        /// From the kernel.
        public var counters: Counters
        /// In the kernel's order. A service with very many servers comes in several parts, one after the other, each
        /// with the service's name.
        public var servers: [TableServer]

        public init(
            name: String, origin: Origin, settings: ServiceSettings, counters: Counters, servers: [TableServer]
        ) {
            self.name = name
            self.origin = origin
            self.settings = settings
            self.counters = counters
            self.servers = servers
        }
    }

    /// What can be edited about a service of the kernel's table.
    public struct ServiceSettings: JSONStructure, Hashable, Sendable {
        /// The kernel's name: "rr", "wlc", "mh" …
        public var scheduler: String
        /// Of "flag-1" (sh-fallback, mh-fallback), "flag-2" (sh-port, mh-port), "flag-3"; absent: none.
        public var schedulerFlags: [String]?
        /// A client stays with its server that long; absent: not persistent, and the next two mean nothing.
        public var persistenceTimeoutSeconds: Int?
        /// Clients of one prefix of that length count as one; absent: 32, 128 with IPv6.
        public var persistencePrefixLength: Int?
        /// "sip".
        public var persistenceEngine: String?
        /// Every datagram is scheduled by itself; absent: no.
        public var onePacket: Bool?

        public init(
            scheduler: String, schedulerFlags: [String]? = nil, persistenceTimeoutSeconds: Int? = nil,
            persistencePrefixLength: Int? = nil, persistenceEngine: String? = nil, onePacket: Bool? = nil
        ) {
            self.scheduler = scheduler
            self.schedulerFlags = schedulerFlags
            self.persistenceTimeoutSeconds = persistenceTimeoutSeconds
            self.persistencePrefixLength = persistencePrefixLength
            self.persistenceEngine = persistenceEngine
            self.onePacket = onePacket
        }
    }

    /// A server as it is in the kernel's table.
    public struct TableServer: JSONStructure, Hashable, Sendable {
        /// ADDR:PORT.
        public var name: String
        /// Who made it.
        public var origin: Origin
        /// What can be edited.
        public var settings: ServerSettings
        /// Established connections.
        public var activeConnections: Int
        /// Connections in other states.
        public var inactiveConnections: Int
        /// Persistence templates.
        public var persistentConnections: Int
        /// From the kernel.
        public var counters: Counters

        public init(
            name: String, origin: Origin, settings: ServerSettings, activeConnections: Int, inactiveConnections: Int,
            persistentConnections: Int, counters: Counters
        ) {
            self.name = name
            self.origin = origin
            self.settings = settings
            self.activeConnections = activeConnections
            self.inactiveConnections = inactiveConnections
            self.persistentConnections = persistentConnections
            self.counters = counters
        }
    }

    /// What can be edited about a server of the kernel's table.
    public struct ServerSettings: JSONStructure, Hashable, Sendable {
        /// How packets reach it; local and bypass cannot be asked for.
        public var forwarding: Forwarding
        /// With tun; absent: ipip.
        public var tunnel: Tunnel?
        /// Share of the load, 0 to 2147483647.
        public var weight: Int
        /// Connections at which it gets no more; absent or 0: no limit.
        public var upperThreshold: Int?
        /// Connections below which it gets some again; absent or 0: three quarters of that limit.
        public var lowerThreshold: Int?

        public init(
            forwarding: Forwarding, tunnel: Tunnel? = nil, weight: Int, upperThreshold: Int? = nil,
            lowerThreshold: Int? = nil
        ) {
            self.forwarding = forwarding
            self.tunnel = tunnel
            self.weight = weight
            self.upperThreshold = upperThreshold
            self.lowerThreshold = lowerThreshold
        }
    }

    /// What a tunnelled packet is wrapped in.
    public struct Tunnel: JSONStructure, Hashable, Sendable {
        /// The wrapping.
        public var kind: TunnelKind
        /// The UDP port of gue.
        public var port: Int?
        /// With gue and gre; absent: nocsum. remcsum with gue only.
        public var checksum: TunnelChecksum?

        public init(kind: TunnelKind, port: Int? = nil, checksum: TunnelChecksum? = nil) {
            self.kind = kind
            self.port = port
            self.checksum = checksum
        }
    }

    /// How long the kernel keeps connections on which nothing happens. In a command 0 keeps what there is.
    public struct ConnectionTimeouts: JSONStructure, Hashable, Sendable {
        /// Established TCP connections.
        public var tcpSeconds: Int
        /// TCP connections after a FIN.
        public var tcpFinSeconds: Int
        /// UDP.
        public var udpSeconds: Int

        public init(tcpSeconds: Int, tcpFinSeconds: Int, udpSeconds: Int) {
            self.tcpSeconds = tcpSeconds
            self.tcpFinSeconds = tcpFinSeconds
            self.udpSeconds = udpSeconds
        }
    }

    /// One command to the table, with what its action needs.
    public struct TableCommand: JSONStructure, Hashable, Sendable {
        /// What to do.
        public var action: TableAction
        /// The service; zero without one means all.
        public var service: String?
        /// ADDR:PORT, for addServer, editServer and deleteServer.
        public var server: String?
        /// For addService and editService.
        public var serviceSettings: ServiceSettings?
        /// For addServer and editServer.
        public var serverSettings: ServerSettings?
        /// For setTimeouts.
        public var timeouts: ConnectionTimeouts?
        /// For startDaemon.
        public var daemon: SyncDaemon?
        /// For stopDaemon.
        public var role: SyncRole?

        public init(
            action: TableAction, service: String? = nil, server: String? = nil, serviceSettings: ServiceSettings? = nil,
            serverSettings: ServerSettings? = nil, timeouts: ConnectionTimeouts? = nil, daemon: SyncDaemon? = nil,
            role: SyncRole? = nil
        ) {
            self.action = action
            self.service = service
            self.server = server
            self.serviceSettings = serviceSettings
            self.serverSettings = serverSettings
            self.timeouts = timeouts
            self.daemon = daemon
            self.role = role
        }
    }

    /// A command that was not done.
    public struct CommandFailure: JSONStructure, Hashable, Sendable {
        /// Which: its place among the commands, from 0.
        public var index: Int
        /// errno, as the kernel gives it to ipvsadm: 17 it exists, 3 no such service, 2 no such server, scheduler or
        /// persistence engine, 1 the configuration says otherwise, 92 the kernel has no IPVS.
        public var code: Int
        /// What is wrong and what to do about it.
        public var problem: String
        /// The configuration or the daemon says no where the kernel would not: only `problem` says why.
        public var byDaemon: Bool

        public init(index: Int, code: Int, problem: String, byDaemon: Bool) {
            self.index = index
            self.code = code
            self.problem = problem
            self.byDaemon = byDaemon
        }
    }
}
