// Lines of virtual_routes, static_routes, virtual_rules and static_rules, in the terms of rtnetlink: names are numbers already, only
// interfaces are still names, because they come and go.
public import Net

/// A route to configure: the words of `ip route`.
public struct RouteLine: Hashable, Sendable {
    /// RTN_* of linux/rtnetlink.h.
    public enum Kind: UInt8, Hashable, Sendable {
        case unicast = 1, local, broadcast, anycast, multicast, blackhole, unreachable, prohibit
        case `throw`
    }

    /// One way to the destination.
    public struct Hop: Hashable, Sendable {
        /// `via`.
        public var gateway: IPAddress?
        /// `dev`.
        public var device: String?
        /// 1...256: its share among several.
        public var weight = 1
        /// `onlink`: the gateway is a neighbour whatever the addresses say.
        public var isOnLink = false

        /// A way that says nothing yet.
        public init() {}
    }

    /// RTAX_*: properties of the way, by number.
    public enum Metric: UInt8, Hashable, Sendable, CaseIterable {
        case mtu = 2, window, rtt, rttvar, ssthresh, cwnd, advmss, reordering, hoplimit, initcwnd, features
        case rtoMin, initrwnd, quickack
        case fastopenNoCookie = 17
    }

    /// What the kernel does with another route of the same destination, type of service and metric.
    public enum Placement: Hashable, Sendable {
        /// Comes before it (IPv4), or shares with it (IPv6): keepalived's default, and `prepend`.
        case prepend
        /// `add`: refused beside another one.
        case add
        /// `append`: comes after it.
        case append
        /// `replace`: takes its place.
        case replace
    }

    /// Where to; 0.0.0.0/0 or ::/0 is the default route.
    public var destination: IPPrefix
    /// `from` (IPv6).
    public var source: IPPrefix?
    /// unicast unless given.
    public var kind = Kind.unicast
    /// One, or with `nexthop` several; empty for those that lead nowhere.
    public var hops: [Hop] = []
    /// `src`: the address to speak from.
    public var preferredSource: IPAddress?
    /// 254 (main) unless given.
    public var table: UInt32 = 254
    /// `protocol`: who made the route; nil = vrrpd's own mark.
    public var origin: UInt8?
    /// `tos`.
    public var typeOfService: UInt8 = 0
    /// `scope`; nil = as `ip route` has it.
    public var scope: UInt8?
    /// `metric`; nil = the kernel's: 0, in IPv6 1024.
    public var priority: UInt32?
    /// `realms` FROM/TO as the kernel has them: FROM in the upper 16 bits.
    public var realms: UInt32?
    /// `mtu` and its like.
    public var metrics: [Metric: UInt32] = [:]
    /// Those with `lock`.
    public var locked: Set<Metric> = []
    /// `congctl`.
    public var congestionControl: String?
    /// `pref` (IPv6): 0 medium, 1 high, 3 low, as in RFC 4191.
    public var preference: UInt8?
    /// `expires` (IPv6): seconds.
    public var expires: UInt32?
    /// `add`, `append`, `replace`.
    public var placement = Placement.prepend
    /// False = `no_track`: its interfaces do not matter to the instance.
    public var isTracked = true
    /// `track_group`, static routes only.
    public var trackGroup: String?

    /// A route to a destination.
    public init(to destination: IPPrefix) {
        self.destination = destination
    }

    /// The interfaces that it leads through.
    public var devices: [String] { hops.compactMap(\.device) }
}

/// A routing rule to configure: the words of `ip rule`.
public struct RuleLine: Hashable, Sendable {
    /// What a packet meets: FR_ACT_* of linux/fib_rules.h.
    public enum Action: Hashable, Sendable {
        /// `table N`; nil = `l3mdev`: the table of the VRF.
        case table(UInt32?)
        /// `goto N`: go on with that rule.
        case goTo(UInt32)
        case nop, blackhole, unreachable, prohibit
    }

    /// Of the packets it is for.
    public var family: AddressFamily
    /// `not`.
    public var isInverted = false
    /// `from`.
    public var source: IPPrefix?
    /// `to`.
    public var destination: IPPrefix?
    /// `iif`, `dev`.
    public var inputDevice: String?
    /// `oif`.
    public var outputDevice: String?
    /// `tos`.
    public var typeOfService: UInt8 = 0
    /// `fwmark` MARK/MASK.
    public var mark: UInt32?
    /// All ones unless given.
    public var markMask: UInt32 = .max
    /// `priority`.
    public var priority: UInt32 = 0
    /// `realms`.
    public var realms: UInt32?
    public var action = Action.table(254)
    /// `suppress_prefixlength`.
    public var suppressedPrefixLength: UInt32?
    /// `suppress_ifgroup`.
    public var suppressedGroup: UInt32?
    /// `uidrange`.
    public var users: ClosedRange<UInt32>?
    /// `protocol`: who made the rule; nil = vrrpd's own mark.
    public var origin: UInt8?
    /// `ipproto`.
    public var transport: UInt8?
    /// `sport`.
    public var sourcePorts: ClosedRange<UInt16>?
    /// `dport`.
    public var destinationPorts: ClosedRange<UInt16>?
    /// `tun_id`.
    public var tunnelID: UInt64?
    /// False = `no_track`.
    public var isTracked = true
    /// `track_group`, static rules only.
    public var trackGroup: String?

    /// A rule that says nothing yet.
    public init(_ family: AddressFamily) {
        self.family = family
    }

    /// The interfaces that it names.
    public var devices: [String] { [inputDevice, outputDevice].compactMap(\.self) }
}

/// Numbers that have names on a machine: files in /etc/iproute2.
public enum RoutingNames: String, Hashable, Sendable, CaseIterable {
    case tables = "rt_tables"
    case protocols = "rt_protos"
    case servicetypes = "rt_dsfield"
    case realms = "rt_realms"
    case groups = "group"

    /// Those that every machine has.
    public var builtIn: [String: UInt32] {
        switch self {
        case .tables: ["unspec": 0, "default": 253, "main": 254, "local": 255]
        case .protocols:
            [
                "unspec": 0, "redirect": 1, "kernel": 2, "boot": 3, "static": 4, "gated": 8, "ra": 9, "mrt": 10,
                "zebra": 11, "bird": 12, "dnrouted": 13, "xorp": 14, "ntk": 15, "dhcp": 16, "mrouted": 17,
                "keepalived": 18, "babel": 42, "bgp": 186, "isis": 187, "ospf": 188, "rip": 189, "eigrp": 192,
            ]
        case .servicetypes: ["default": 0]
        case .realms: ["cosmos": 0]
        case .groups: ["default": 0]
        }
    }
}
