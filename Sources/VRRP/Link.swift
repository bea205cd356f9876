// Network interfaces and their addresses as the kernel reports them (rtnetlink(7), linux/rtnetlink.h), as values: Netlink decodes
// and encodes them, the machines and a test's kernel only compare them.

public import Net

/// A network interface.
public struct Link: Hashable, Sendable {
    /// The kernel's number; another one after the interface was deleted and made again.
    public var index: Int32
    /// Its name, at most 15 octets.
    public var name: String
    /// IFF_* of linux/if.h.
    public var flags: UInt32
    /// The hardware address; nil when it is not an Ethernet one.
    public var mac: MACAddress?
    /// Octets of payload per frame.
    public var mtu: UInt32
    /// The interface below, where it is in this network namespace.
    public var parent: Int32?
    /// What it is, as far as vrrpd makes it or cares.
    public var kind = Kind.other
    /// The VRF, bridge or bond that it is part of.
    public var master: Int32?
    /// What somebody wrote on it (`ip link set … alias`).
    public var alias = ""
    /// `net.ipv4.conf.IF`; nil = the kernel has not said.
    public var ipv4: IPv4Settings?

    /// Kinds of interfaces (IFLA_INFO_KIND).
    public enum Kind: Hashable, Sendable {
        case other
        /// A macvlan in private mode.
        case privateMacvlan
        /// An ipvlan of layer 2, with IPVLAN_F_*.
        case ipvlan(flags: UInt16)
        case vrf
    }

    /// A macvlan in private mode.
    public var isPrivateMacvlan: Bool { kind == .privateMacvlan }
    /// An ipvlan of layer 2.
    public var isIPVLAN: Bool { if case .ipvlan = kind { true } else { false } }

    /// An interface.
    public init(index: Int32, name: String, flags: UInt32, mac: MACAddress? = nil, mtu: UInt32 = 1500) {
        self.index = index
        self.name = name
        self.flags = flags
        self.mac = mac
        self.mtu = mtu
    }

    /// IFF_UP, IFF_LOOPBACK, IFF_POINTOPOINT, IFF_RUNNING, IFF_NOARP.
    public static let up: UInt32 = 0x1, loopback: UInt32 = 0x8, pointToPoint: UInt32 = 0x10
    /// IFF_RUNNING: the carrier is there. IFF_NOARP: neighbours are not resolved.
    public static let running: UInt32 = 0x40, noARP: UInt32 = 0x80

    /// Set up by the administrator.
    public var isUp: Bool { flags & Self.up != 0 }
    /// Set up by the administrator and with a carrier: both count (keepalived's FAULT).
    public var isUsable: Bool { flags & (Self.up | Self.running) == Self.up | Self.running }
    /// True when a gratuitous ARP makes sense: Ethernet, no NOARP, not point-to-point.
    public var announces: Bool {
        mac != nil && flags & (Self.noARP | Self.pointToPoint | Self.loopback) == 0
    }
}

/// An address on an interface: what `ip address` shows and takes.
public struct InterfaceAddress: Hashable, Sendable {
    /// The interface.
    public var link: Int32
    /// The local address with its prefix length.
    public var prefix: IPPrefix
    /// The other end of a point-to-point address.
    public var peer: IPPrefix?
    /// The broadcast address (IPv4).
    public var broadcast: IPv4Address?
    /// RT_SCOPE_*: 0 global, 253 link, 254 host.
    public var scope: UInt8
    /// The IPv4 label; empty = the interface's name.
    public var label: String
    /// IFA_F_*.
    public var flags: UInt32
    /// Seconds; nil = forever.
    public var preferredLifetime: UInt32?
    /// IFA_PROTO: who made the address; 0 = not said, or a kernel before 5.18.
    public var origin: UInt8

    /// An address on an interface.
    public init(
        link: Int32, prefix: IPPrefix, peer: IPPrefix? = nil, broadcast: IPv4Address? = nil, scope: UInt8 = 0,
        label: String = "", flags: UInt32 = 0, preferredLifetime: UInt32? = nil,
        origin: UInt8 = 0
    ) {
        self.link = link
        self.prefix = prefix
        self.peer = peer
        self.broadcast = broadcast
        self.scope = scope
        self.label = label
        self.flags = flags
        self.preferredLifetime = preferredLifetime
        self.origin = origin
    }

    /// The origin of addresses that vrrpd adds: free in linux/if_addr.h and in iproute2's rt_addrprotos.
    public static let ofVRRP: UInt8 = 112
    /// IFA_F_SECONDARY: another address of the same subnet came first (IPv4).
    public static let secondary: UInt32 = 0x01
    /// IFA_F_NODAD: no duplicate address detection (IPv6).
    public static let noDuplicateDetection: UInt32 = 0x02
    /// IFA_F_TENTATIVE: duplicate address detection is not done yet (IPv6). IFA_F_OPTIMISTIC: the address works meanwhile (RFC 4429).
    public static let tentative: UInt32 = 0x40, optimistic: UInt32 = 0x04
    /// IFA_F_DADFAILED: another host has the address (IPv6).
    public static let duplicate: UInt32 = 0x08
    /// IFA_F_TEMPORARY: a privacy address that comes and goes (IPv6); the same bit as IFA_F_SECONDARY.
    public static let temporary: UInt32 = 0x01
    /// IFA_F_DEPRECATED: its preferred lifetime is over.
    public static let deprecated: UInt32 = 0x20
    /// IFA_F_HOMEADDRESS, IFA_F_MANAGETEMPADDR, IFA_F_NOPREFIXROUTE, IFA_F_MCAUTOJOIN.
    public static let home: UInt32 = 0x10, manageTemporary: UInt32 = 0x100, noPrefixRoute: UInt32 = 0x200
    /// IFA_F_MCAUTOJOIN.
    public static let autoJoin: UInt32 = 0x400

    /// The host does not answer for the address yet, or never will: duplicate address detection (RFC 4862 §5.4) runs or has failed.
    public var isTentative: Bool {
        flags & Self.duplicate != 0 || flags & (Self.tentative | Self.optimistic) == Self.tentative
    }

    /// Adding it begins duplicate address detection.
    var isDetectedFirst: Bool { prefix.address.family == .inet6 && flags & Self.noDuplicateDetection == 0 }

    /// True for the same address on the same interface, whatever its flags.
    public func isSame(_ other: InterfaceAddress) -> Bool {
        link == other.link && prefix == other.prefix && peer?.address == other.peer?.address
    }
}

/// A change of addresses.
public typealias AddressChange = Change<InterfaceAddress>

/// A change that is asked of the kernel.
public enum KernelChange: Hashable, Sendable {
    case address(AddressChange)
    case route(Change<Route>)
    case rule(Change<Rule>)

    /// The change, when it is about an address.
    public var address: AddressChange? { if case .address(let change) = self { change } else { nil } }
}
