// `virtual_server` and `real_server`: what IPVS shall do, and how it is decided which real servers take part. A
// virtual_server_group has become one service for each of its addresses.
public import Net

/// What IPVS tells services apart by. Its text is the service's name on the bus (docs/ARCHITECTURE.md).
public enum VirtualServerIdentity: Hashable, Sendable, CustomStringConvertible {
    /// The transport protocols that IPVS balances.
    public enum TransportProtocol: String, Hashable, Sendable, CaseIterable {
        case tcp, udp, sctp
    }

    /// An address and port; port 0 = every port (needs persistence).
    case address(TransportProtocol, Endpoint)
    /// Packets that the firewall marked.
    case firewallMark(UInt32, AddressFamily)

    /// The family of the clients' addresses.
    public var family: AddressFamily {
        switch self {
        case .address(_, let endpoint): endpoint.address.family
        case .firewallMark(_, let family): family
        }
    }

    /// Without the protocol: hashing its name would cost more than the few services tell apart by nothing else.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .address(_, let endpoint): endpoint.hash(into: &hasher)
        case .firewallMark(let mark, _): hasher.combine(mark)
        }
    }

    /// `tcp/192.0.2.1:80`, `udp/[2001:db8::1]:53`, `fwmark/7/inet`.
    public var description: String {
        switch self {
        case .address(let transport, let endpoint): "\(transport.rawValue)/\(endpoint)"
        case .firewallMark(let mark, let family): "fwmark/\(mark)/\(family.rawValue)"
        }
    }
}

/// How packets reach a real server.
public enum ForwardingMethod: Equatable, Sendable {
    /// `NAT`: addresses are rewritten both ways.
    case masquerade
    /// `DR`: the frame goes to the server's MAC address; the server answers the client itself.
    case directRouting
    /// `TUN`: packets are wrapped.
    case tunnel(TunnelKind)
}

/// What a tunnelled packet is wrapped in.
public enum TunnelKind: Equatable, Sendable {
    /// `nocsum`, `csum`, `remcsum`.
    public enum Checksum: String, Equatable, Sendable {
        case none = "nocsum"
        case whole = "csum"
        case remote = "remcsum"
    }

    case ipip
    /// `type gue port N`.
    case gue(port: UInt16, Checksum)
    /// `type gre`; never `remote`.
    case gre(Checksum)
}

/// Flags of the scheduler, as IP_VS_SVC_F_SCHED1…3; `sh-fallback` and `mh-fallback` are flag 1, `sh-port` and `mh-port` flag 2.
public struct SchedulerFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// `flag-1`, `sh-fallback`, `mh-fallback`.
    public static let flag1 = SchedulerFlags(rawValue: 0x08)
    /// `flag-2`, `sh-port`, `mh-port`.
    public static let flag2 = SchedulerFlags(rawValue: 0x10)
    /// `flag-3`.
    public static let flag3 = SchedulerFlags(rawValue: 0x20)
    /// `ops`: one packet, one scheduling decision (UDP and fwmark only), IP_VS_SVC_F_ONEPACKET.
    public static let onePacket = SchedulerFlags(rawValue: 0x04)
}

/// `persistence_*`: a client stays with its server.
public struct Persistence: Equatable, Sendable {
    /// The longest timeout in seconds, 31 days: ipvsadm's. The kernel counts its clock's ticks in 32 bits.
    public static let longestTimeout = 86_400 * 31

    /// `persistence_timeout`.
    public var timeout: Duration
    /// `persistence_granularity` as a prefix length: clients within one prefix are one client.
    public var prefixLength: Int
    /// `persistence_engine`, e.g. `sip`.
    public var engine: String?

    /// Persistence of `timeout` (the bare keyword: 360 s).
    public init(timeout: Duration = .seconds(360), prefixLength: Int, engine: String? = nil) {
        self.timeout = timeout
        self.prefixLength = prefixLength
        self.engine = engine
    }
}

/// One `virtual_server` block (or one address of its group), resolved.
public struct VirtualServerConfiguration: Equatable, Sendable {
    /// What it is; unique in the configuration.
    public var identity: VirtualServerIdentity
    /// The `virtual_server_group` it came from.
    public var group: String?
    /// `protocol` of the block that names the group, also where this is one of its marks: a group is a service for each of them.
    public var groupTransport: VirtualServerIdentity.TransportProtocol?
    /// The addresses of that group which nftables marks for it (`nftables_ipvs`); nil = it has its own address or somebody else's mark.
    public var marked: MarkedAddresses?
    /// `lb_algo`/`lvs_sched`: the kernel's scheduler name.
    public var scheduler = "wlc"
    /// `flag-N`, `ops`, ….
    public var schedulerFlags: SchedulerFlags = []
    /// `lb_kind`/`lvs_method`.
    public var forwarding = ForwardingMethod.masquerade
    /// `persistence_timeout` and its companions; nil = off.
    public var persistence: Persistence?
    /// `quorum`: least sum of weights of the servers that are up, at least 1.
    public var quorum = 1
    /// `hysteresis`: up at quorum + this, down below quorum - this; less than `quorum`.
    public var hysteresis = 0
    /// `quorum_up`.
    public var quorumUp: ScriptCommand?
    /// `quorum_down`.
    public var quorumDown: ScriptCommand?
    /// `sorry_server`: takes over while the quorum is lost.
    public var sorryServer: SorryServerConfiguration?
    /// `alpha`: servers start down and enter after their first success.
    public var alpha = false
    /// `omega`: notify_down and quorum_down also run at stop.
    public var omega = false
    /// `ha_suspend`: checks pause while the address is not on this host.
    public var suspendsWithoutAddress = false
    /// `smtp_alert`: mail when the quorum is lost or gained.
    public var mailAlert = false
    /// In file order, endpoints unique.
    public var realServers: [RealServerConfiguration] = []

    /// keepalived's defaults for one service.
    public init(identity: VirtualServerIdentity) {
        self.identity = identity
    }
}

/// Addresses and ports whose packets get a service's mark.
public struct MarkedAddresses: Equatable, Sendable {
    /// One line of a `virtual_server_group`.
    public struct Range: Equatable, Sendable {
        /// Each follows the one before it; never empty, of one family.
        public var addresses: [IPAddress]
        /// Port 0 = every port.
        public var port: UInt16

        /// Addresses that follow each other.
        public init(addresses: [IPAddress], port: UInt16) {
            self.addresses = addresses
            self.port = port
        }
    }

    /// Of their packets.
    public var transport: VirtualServerIdentity.TransportProtocol
    /// In file order; no packet is of two.
    public var ranges: [Range]

    /// Addresses.
    public init(transport: VirtualServerIdentity.TransportProtocol, ranges: [Range]) {
        self.transport = transport
        self.ranges = ranges
    }
}

/// `sorry_server`.
public struct SorryServerConfiguration: Equatable, Sendable {
    /// Its address and port.
    public var endpoint: Endpoint
    /// `sorry_server_lvs_method`, else the service's.
    public var forwarding: ForwardingMethod
    /// `sorry_server_inhibit`: while unused it stays in the table with weight 0.
    public var inhibits: Bool

    /// A sorry server.
    public init(endpoint: Endpoint, forwarding: ForwardingMethod, inhibits: Bool = false) {
        self.endpoint = endpoint
        self.forwarding = forwarding
        self.inhibits = inhibits
    }
}

/// One `real_server` block, resolved.
public struct RealServerConfiguration: Equatable, Sendable {
    /// Its address and port; the service's port under DR and TUN.
    public var endpoint: Endpoint
    /// `weight`, 0...2147483647.
    public var weight = 1
    /// `lvs_method`, else the service's.
    public var forwarding = ForwardingMethod.masquerade
    /// `inhibit_on_failure`: a failure sets weight 0 instead of removing the server.
    public var inhibitOnFailure = false
    /// `uthreshold`: connections at which no more are sent; 0 = none.
    public var upperThreshold: UInt32 = 0
    /// `lthreshold`: connections below which they are sent again; 0 = 3/4 of the upper one.
    public var lowerThreshold: UInt32 = 0
    /// `notify_up`.
    public var notifyUp: ScriptCommand?
    /// `notify_down`.
    public var notifyDown: ScriptCommand?
    /// `smtp_alert`: mail on every change; true unless said otherwise.
    public var mailAlert = true
    /// `alpha`: starts down, enters after the first success.
    public var alpha = false
    /// `flap_limit`; nil: it may change its state as often as it likes.
    public var flapLimit: FlapLimit?
    /// Up only when all of these are; always up without any. In file order.
    public var checkers: [CheckerConfiguration] = []

    /// keepalived's defaults for one server.
    public init(endpoint: Endpoint) {
        self.endpoint = endpoint
    }
}

/// `flap_limit`: how often a server may change its state before it is held down.
public struct FlapLimit: Hashable, Sendable, CustomStringConvertible {
    /// So many changes are allowed within the window.
    public var changes: Int
    /// And the time for which a server that was held must change nothing.
    public var window: Duration

    /// A limit.
    public init(changes: Int, window: Duration) {
        (self.changes, self.window) = (changes, window)
    }

    /// `more than 5 changes in 600 s`.
    public var description: String {
        "more than \(changes) \(changes == 1 ? "change" : "changes") in \(secondsText(window)) s"
    }
}
