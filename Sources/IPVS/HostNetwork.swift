// This host's network as far as it decides whether clients are served: what ipvsd looks at beside the table. A value, so that every judgement on it
// can be tested without a host that is like that.

public import Net

/// `net.ipv4.conf.IF.arp_…`.
public struct ARPSettings: Equatable, Sendable {
    /// `arp_ignore`.
    public var ignore: Int
    /// `arp_announce`.
    public var announce: Int

    /// An interface's.
    public init(ignore: Int, announce: Int) {
        self.ignore = ignore
        self.announce = announce
    }

    /// Whether an interface does not answer for an address of lo: asked at the address's interface alone (1), by its neighbours alone (2), or
    /// never (8). 3 goes by the scope of the address, and whatever else answers like 0: arp_ignore() in net/ipv4/arp.c.
    public static func isSilent(ignore: Int) -> Bool { ignore == 1 || ignore == 2 || ignore == 8 }

    /// Whether requests name an address of their own interface as their source. More than 2 is like 0: arp_solicit() in net/ipv4/arp.c.
    public static func isSilent(announce: Int) -> Bool { announce == 2 }
}

/// How sysctl(8) wants a setting of IPv4 at an interface called: names of VLANs have dots, and are taken for what they are behind a slash alone.
public func sysctlName(_ setting: String, of interface: String) -> String {
    interface.contains(".") ? "net/ipv4/conf/\(interface)/\(setting)" : "net.ipv4.conf.\(interface).\(setting)"
}

/// An interface that is up.
public struct HostInterface: Equatable, Sendable {
    /// Its name.
    public var name: String
    /// It is lo.
    public var isLoopback = false
    /// Neighbours find it by ARP.
    public var answersARP = true
    /// Octets of payload per frame.
    public var mtu: UInt32 = 1500
    /// Its addresses.
    public var prefixes: [IPPrefix] = []
    /// What is in force there: of the interface and of `all` the larger value.
    public var arp = ARPSettings(ignore: 0, announce: 0)
    /// `rp_filter` as it is in force there: 1 = a packet is dropped whose source is routed by another interface.
    public var reversePathFilter = 0

    /// An interface with the kernel's own settings.
    public init(name: String) {
        self.name = name
    }
}

/// How this host treats packets.
public struct HostNetwork: Equatable, Sendable {
    /// How full the kernel's table of connections (nf_conntrack) is.
    public struct Tracking: Equatable, Sendable {
        /// `nf_conntrack_count`.
        public var count: UInt64
        /// `nf_conntrack_max`; beyond it packets that would make an entry are dropped.
        public var limit: UInt64

        /// A table.
        public init(count: UInt64, limit: UInt64) {
            self.count = count
            self.limit = limit
        }
    }

    /// Settings of IPVS in this network namespace (`net.ipv4.vs.…`) that decide about servers of weight 0.
    public enum Setting: String, CaseIterable, Sendable {
        /// 0: a new connection from a port that is known goes where the old one went.
        case reuse = "conn_reuse_mode"
        /// 1: connections to a server that is out of the table, or has weight 0, end with the client's next packet or its next connection.
        case expireConnections = "expire_nodest_conn"
        /// 0: persistent clients keep a server that has weight 0.
        case expireTemplates = "expire_quiescent_template"
    }

    /// Families in which it forwards packets, at one of its interfaces at least.
    public var families: Set<AddressFamily> = []
    /// Its interfaces that are up.
    public var interfaces: [HostInterface] = []
    /// Nil: connections are not tracked.
    public var tracking: Tracking?
    /// Packets that `rp_filter` dropped since boot (IPReversePathFilter); nil: unknown.
    public var filtered: UInt64?
    /// As far as they are known.
    public var settings: [Setting: Int] = [:]

    /// A host without interfaces.
    public init() {}

    /// Its own addresses.
    public var addresses: Set<IPAddress> { Set(interfaces.flatMap { $0.prefixes.map(\.address) }) }
}
