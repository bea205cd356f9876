// What a dump of the kernel gives: the table with its counters, for people to look at. Decisions are made on `KernelTable`, which has none.

public import Configuration
public import Net

/// What IPVS counts for a service or a destination, since it was added or zeroed, and the kernel's two-second rate estimates.
public struct Counters: Equatable, Sendable {
    /// Connections scheduled.
    public var connections: UInt64 = 0
    /// Packets from clients.
    public var inPackets: UInt64 = 0
    /// Packets to clients (NAT only).
    public var outPackets: UInt64 = 0
    /// Octets from clients.
    public var inBytes: UInt64 = 0
    /// Octets to clients (NAT only).
    public var outBytes: UInt64 = 0
    /// Connections per second.
    public var connectionRate: UInt64 = 0
    /// Packets per second from clients.
    public var inPacketRate: UInt64 = 0
    /// Packets per second to clients.
    public var outPacketRate: UInt64 = 0
    /// Octets per second from clients.
    public var inByteRate: UInt64 = 0
    /// Octets per second to clients.
    public var outByteRate: UInt64 = 0

    /// All zero.
    public init() {}
}

/// What the kernel's IPVS is.
public struct KernelFacts: Equatable, Sendable {
    /// Three octets: 0x010201 is 1.2.1.
    public var version: UInt32 = 0
    /// Buckets of the table of connections.
    public var connectionTableSize: UInt32 = 0
    /// Seconds for which an established TCP connection is kept without a packet.
    public var tcpTimeout: UInt32 = 0
    /// Seconds for one after a FIN.
    public var tcpFinTimeout: UInt32 = 0
    /// Seconds for UDP.
    public var udpTimeout: UInt32 = 0

    /// Nothing known.
    public init() {}
}

/// A destination as dumped.
public struct DestinationSnapshot: Equatable, Sendable {
    /// Its address and port.
    public var endpoint: Endpoint
    /// What can be edited.
    public var attributes: DestinationAttributes
    /// Established connections.
    public var activeConnections: UInt32 = 0
    /// Connections in other states.
    public var inactiveConnections: UInt32 = 0
    /// Persistence templates.
    public var persistentConnections: UInt32 = 0
    /// Traffic.
    public var counters = Counters()

    /// A destination without traffic.
    public init(endpoint: Endpoint, attributes: DestinationAttributes) {
        self.endpoint = endpoint
        self.attributes = attributes
    }
}

/// A service as dumped.
public struct ServiceSnapshot: Equatable, Sendable {
    /// What it is.
    public var identity: VirtualServerIdentity
    /// What can be edited.
    public var attributes: ServiceAttributes
    /// Traffic.
    public var counters = Counters()
    /// In the kernel's order.
    public var destinations: [DestinationSnapshot] = []
    /// IPVS_SVC_ATTR_NETMASK as a number: an IPv4 mask, which somebody else may have made no prefix, or an IPv6 prefix length.
    public var netmask: UInt32
    /// The persistence engine, which a service without persistence can have too.
    public var engine: String?

    /// A service without destinations or traffic.
    public init(identity: VirtualServerIdentity, attributes: ServiceAttributes) {
        self.identity = identity
        self.attributes = attributes
        netmask = ServiceRule(identity, attributes).netmask
        engine = attributes.persistence?.engine
    }
}
