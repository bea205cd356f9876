// The macvlan of a virtual router with `use_vmac` (RFC 9568 §7.3), or its ipvlan (`use_ipvlan`): how it is to be, how it is told from other interfaces, and what is
// asked of the kernel for it. keepalived makes it the same: private mode on the parent, so that the macvlans of one parent do not hear each
// other, and both so that each answers ARP for its own addresses only.
//
// Who made it, and how the parent was before, stands in the macvlan's alias: a process that comes after a crash finds both there.

public import Net

/// A macvlan or an ipvlan as it is wanted.
public struct VirtualLink: Hashable, Sendable {
    /// Which of the two.
    public enum Kind: Hashable, Sendable {
        /// In private mode, with this hardware address.
        case macvlan(MACAddress)
        /// Of layer 2, with IPVLAN_F_*; it has the hardware address of its parent.
        case ipvlan(flags: UInt16)
    }

    /// Its name.
    public var name: String
    /// The interface that it is on.
    public var parent: Int32
    /// The VRF that its parent is in.
    public var vrf: Int32?
    /// Which of the two.
    public var kind: Kind
    /// A macvlan is to have IPv6 addresses.
    public var usesIPv6: Bool

    /// A macvlan or an ipvlan.
    public init(name: String, parent: Int32, kind: Kind, usesIPv6: Bool = false) {
        self.name = name
        self.parent = parent
        self.kind = kind
        self.usesIPv6 = usesIPv6
    }

    /// The hardware address of a macvlan.
    var mac: MACAddress? {
        switch kind {
        case .macvlan(let mac): mac
        case .ipvlan: nil
        }
    }

    /// An ipvlan speaks for a backup, too: nobody else has its address.
    var isAlwaysUp: Bool { mac == nil }

    /// The address that an interface of this MAC gives itself (RFC 4291 appendix A).
    static func linkLocal(of mac: MACAddress) -> IPAddress {
        let octets = mac.octets.map(UInt64.init)
        let upper = (octets[0] ^ 2) << 56 | octets[1] << 48 | octets[2] << 40 | 0xFF << 32
        let lower = UInt64(0xFE) << 24 | octets[3] << 16 | octets[4] << 8 | octets[5]
        return .v6(IPv6Address(high: 0xFE80 << 48, low: upper | lower))
    }
}

/// IPv4 settings of an interface: `net.ipv4.conf.IF.…`.
public struct IPv4Settings: Hashable, Sendable {
    /// `arp_ignore`: 1 = only addresses of the interface itself are answered for.
    public var arpIgnore: UInt32?
    /// `arp_filter`: 1 = only if the answer would be routed through this interface.
    public var arpFilter: UInt32?
    /// `arp_announce`: 2 = neighbours are asked from an address of the interface itself.
    public var arpAnnounce: UInt32?
    /// `rp_filter`: 0 = the way back does not matter.
    public var reversePathFilter: UInt32?
    /// `accept_local`: 1 = packets from an address of this host are taken.
    public var acceptsLocal: UInt32?
    /// `promote_secondaries`: 1 = the next address of a subnet stays when the first goes.
    public var promotesSecondaries: UInt32?

    /// Settings; nil = as they are.
    public init(
        arpIgnore: UInt32? = 0, arpFilter: UInt32? = 0, arpAnnounce: UInt32? = nil, reversePathFilter: UInt32? = nil,
        acceptsLocal: UInt32? = nil, promotesSecondaries: UInt32? = nil
    ) {
        self.arpIgnore = arpIgnore
        self.arpFilter = arpFilter
        self.arpAnnounce = arpAnnounce
        self.reversePathFilter = reversePathFilter
        self.acceptsLocal = acceptsLocal
        self.promotesSecondaries = promotesSecondaries
    }

    /// Of a macvlan.
    static let ofVirtualLink = IPv4Settings(
        arpIgnore: 1, arpFilter: 0, reversePathFilter: 0, acceptsLocal: 1, promotesSecondaries: 1)

    /// Of its parent: it neither answers for the macvlan's addresses nor asks from them, which would tell neighbours its own MAC.
    static let ofParent = IPv4Settings(arpIgnore: 1, arpFilter: 1, arpAnnounce: 2)

    /// As they are.
    static let unchanged = IPv4Settings(arpIgnore: nil, arpFilter: nil)

    /// `promote_secondaries`, and nothing else.
    static func promoting(_ isOn: Bool) -> IPv4Settings {
        IPv4Settings(arpIgnore: nil, arpFilter: nil, promotesSecondaries: isOn ? 1 : 0)
    }

    /// Of these settings the ones that a parent has had before.
    var asParent: IPv4Settings {
        IPv4Settings(arpIgnore: arpIgnore ?? 0, arpFilter: arpFilter ?? 0, arpAnnounce: arpAnnounce ?? 0)
    }

    /// True when these ask for nothing that the interface has not.
    func areMet(by present: IPv4Settings) -> Bool {
        (arpIgnore ?? present.arpIgnore) == present.arpIgnore
            && (arpFilter ?? present.arpFilter) == present.arpFilter
            && (arpAnnounce ?? present.arpAnnounce) == present.arpAnnounce
            && (reversePathFilter ?? present.reversePathFilter) == present.reversePathFilter
            && (acceptsLocal ?? present.acceptsLocal) == present.acceptsLocal
            && (promotesSecondaries ?? present.promotesSecondaries) == present.promotesSecondaries
    }
}

/// What a macvlan's alias says.
struct VirtualLinkMark: Hashable {
    /// The parent's before there was a macvlan of ours on it.
    var parent: IPv4Settings
    /// IPv6 was left on.
    var usesIPv6: Bool

    private static let word = "evenkeel-vrrpd"

    init(parent: IPv4Settings, usesIPv6: Bool) {
        self.parent = parent.asParent
        self.usesIPv6 = usesIPv6
    }

    /// Reads `evenkeel-vrrpd arp_ignore=0 arp_filter=0 arp_announce=0 ipv6=0`; nil for what somebody else wrote.
    init?(alias: String) {
        let words = alias.split(separator: " ")
        guard words.first.map({ $0 == Self.word }) ?? false else { return nil }
        func number(_ key: String) -> UInt32 {
            words.lazy.compactMap { word in
                word.hasPrefix(key + "=") ? UInt32(word.dropFirst(key.utf8.count + 1)) : nil
            }.first ?? 0
        }
        parent = IPv4Settings(
            arpIgnore: number("arp_ignore"), arpFilter: number("arp_filter"), arpAnnounce: number("arp_announce"))
        usesIPv6 = number("ipv6") == 1
    }

    /// For the alias.
    var text: String {
        "\(Self.word) arp_ignore=\(parent.arpIgnore ?? 0) arp_filter=\(parent.arpFilter ?? 0) "
            + "arp_announce=\(parent.arpAnnounce ?? 0) ipv6=\(usesIPv6 ? 1 : 0)"
    }
}

extension Link {
    /// How the macvlan or ipvlan is marked; nil for interfaces of others.
    var mark: VirtualLinkMark? { isPrivateMacvlan || isIPVLAN ? VirtualLinkMark(alias: alias) : nil }

    /// True for the one that is wanted, whatever its settings.
    func isThe(_ wanted: VirtualLink) -> Bool {
        guard parent == wanted.parent, name == wanted.name else { return false }
        switch wanted.kind {
        case .macvlan(let address): return isPrivateMacvlan && mac == address
        case .ipvlan: return isIPVLAN
        }
    }
}

extension Link {
    /// The interface with other settings.
    func configured(_ settings: LinkSettings) -> Link {
        var link = self
        link.alias = settings.alias ?? alias
        link.mtu = settings.mtu ?? mtu
        if let flags = settings.ipvlanFlags { link.kind = .ipvlan(flags: flags) }
        if let vrf = settings.vrf { link.master = vrf == 0 ? nil : vrf }
        link.ipv4 = IPv4Settings(
            arpIgnore: settings.ipv4.arpIgnore ?? ipv4?.arpIgnore,
            arpFilter: settings.ipv4.arpFilter ?? ipv4?.arpFilter,
            arpAnnounce: settings.ipv4.arpAnnounce ?? ipv4?.arpAnnounce,
            reversePathFilter: settings.ipv4.reversePathFilter ?? ipv4?.reversePathFilter,
            acceptsLocal: settings.ipv4.acceptsLocal ?? ipv4?.acceptsLocal,
            promotesSecondaries: settings.ipv4.promotesSecondaries ?? ipv4?.promotesSecondaries)
        return link
    }
}

extension LinkTable {
    /// The interface whose carrier counts for one of that name: a macvlan of ours is down on a backup, and has its parent's carrier.
    func carrier(named name: String) -> Link? {
        guard let link = link(named: name) else { return nil }
        guard link.mark != nil, let parent = link.parent else { return link }
        return links[parent]
    }

    /// The interface through which the addresses of an interface are announced, with the hardware address that is announced: those of a
    /// macvlan of ours through its parent, as keepalived does it.
    func announcer(of index: Int32) -> Link? {
        guard let link = links[index] else { return nil }
        guard link.mark != nil, let parent = link.parent else { return link }
        var announcer = links[parent]
        announcer?.mac = link.mac
        return announcer
    }
}

/// How an interface is to be; nil = as it is.
public struct LinkSettings: Hashable, Sendable {
    /// Its alias.
    public var alias: String?
    /// Octets of payload per frame.
    public var mtu: UInt32?
    /// `net.ipv4.conf.IF`.
    public var ipv4: IPv4Settings
    /// The VRF that it is in; 0 = none.
    public var vrf: Int32?
    /// IPVLAN_F_* of an ipvlan.
    public var ipvlanFlags: UInt16?
    /// False = `net.ipv6.conf.IF.disable_ipv6`; true = on, but the kernel gives it no address of its own and listens to no router.
    public var ipv6: Bool?

    /// Settings.
    public init(alias: String? = nil, mtu: UInt32? = nil, ipv4: IPv4Settings, ipv6: Bool? = nil) {
        self.alias = alias
        self.mtu = mtu
        self.ipv4 = ipv4
        self.ipv6 = ipv6
    }
}

/// A change of interfaces.
public enum LinkChange: Hashable, Sendable {
    /// Make a macvlan or an ipvlan, not up.
    case create(VirtualLink)
    /// Change settings of an interface (number and name).
    case configure(Int32, String, LinkSettings)
    /// Set an interface up or down.
    case set(Int32, isUp: Bool)
    /// Delete a macvlan or an ipvlan.
    case delete(Int32)
}
