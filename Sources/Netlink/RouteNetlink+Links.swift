// Making and changing interfaces, and what rtnetlink says about them beyond their flags: macvlans, ipvlans, VRFs (linux/if_link.h) and the IPv4 settings that
// are else under /proc/sys/net/ipv4/conf (linux/ip.h, inet_fill_link_af and inet_set_link_af in net/ipv4/devinet.c).

internal import CNl
internal import CNlRoute
internal import Glibc
internal import Net
public import VRRP

extension RouteNetlink {
    /// Does a change and waits for the kernel's answer. What is there already (EEXIST) or already gone (ENODEV) is no refusal.
    public func apply(_ change: LinkChange) throws(NetlinkError) {
        do throws(NetlinkError) {
            switch change {
            case .create(let link): try client.run(.creating(link))
            case .configure(let index, _, let settings): try configure(index, settings)
            case .set(let index, let isUp): try client.run(.setting(index, isUp: isUp))
            case .delete(let index):
                try client.run(NetlinkMessage(type: RTM_DELLINK, flags: 0, header: ifinfomsg(index: index)))
            }
        } catch {
            switch (change, error.code) {
            case (.create, EEXIST), (.delete, ENODEV): return
            case (.create(let link), EOPNOTSUPP):
                let module =
                    switch link.kind {
                    case .macvlan: "macvlan"
                    case .ipvlan: "ipvlan"
                    }
                throw .refused(code: EOPNOTSUPP, message: "the kernel has no module \(module): modprobe \(module)")
            default: throw error
            }
        }
    }

    private func configure(_ index: Int32, _ settings: LinkSettings) throws(NetlinkError) {
        if let flags = settings.ipvlanFlags { try client.run(.changing(index, ipvlanFlags: flags)) }
        try client.run(.configuring(index, settings))
        guard let ipv6 = settings.ipv6, ipv6 else { return }
        do throws(NetlinkError) {
            try client.run(.withoutGeneratedAddresses(index))
        } catch {
            // Without IPv6 in the kernel there is nothing to set.
            guard error.code == EAFNOSUPPORT else { throw error }
        }
    }
}

extension ifinfomsg {
    fileprivate init(index: Int32) {
        self.init()
        ifi_index = index
    }
}

extension NetlinkMessage {
    /// RTM_NEWLINK for a macvlan in private mode or an ipvlan of layer 2; refused when the name is taken.
    fileprivate static func creating(_ link: VirtualLink) throws(NetlinkError) -> NetlinkMessage {
        var message = try NetlinkMessage(type: RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, header: ifinfomsg())
        message.put(Int(IFLA_IFNAME), link.name)
        message.put(Int(IFLA_LINK), UInt32(bitPattern: link.parent))
        switch link.kind {
        case .macvlan(let mac):
            message.put(Int(IFLA_ADDRESS), octets: mac.octets)
            message.nest(Int(IFLA_LINKINFO)) { info in
                info.put(Int(IFLA_INFO_KIND), "macvlan")
                info.nest(Int(IFLA_INFO_DATA)) { $0.put(Int(IFLA_MACVLAN_MODE), MACVLAN_MODE_PRIVATE.rawValue) }
            }
        case .ipvlan(let flags):
            message.putInfo(ipvlanFlags: flags, mode: UInt16(IPVLAN_MODE_L2.rawValue))
        }
        if let vrf = link.vrf { message.put(Int(IFLA_MASTER), UInt32(bitPattern: vrf)) }
        return message
    }

    /// RTM_NEWLINK for the flags of an ipvlan that is there.
    fileprivate static func changing(_ index: Int32, ipvlanFlags: UInt16) throws(NetlinkError) -> NetlinkMessage {
        var message = try NetlinkMessage(type: RTM_NEWLINK, flags: 0, header: ifinfomsg(index: index))
        message.putInfo(ipvlanFlags: ipvlanFlags)
        return message
    }

    private mutating func putInfo(ipvlanFlags: UInt16, mode: UInt16? = nil) {
        nest(Int(IFLA_LINKINFO)) { info in
            info.put(Int(IFLA_INFO_KIND), "ipvlan")
            info.nest(Int(IFLA_INFO_DATA)) { data in
                if let mode { data.put(Int(IFLA_IPVLAN_MODE), mode) }
                data.put(Int(IFLA_IPVLAN_FLAGS), ipvlanFlags)
            }
        }
    }

    fileprivate static func setting(_ index: Int32, isUp: Bool) throws(NetlinkError) -> NetlinkMessage {
        var header = ifinfomsg(index: index)
        header.ifi_flags = isUp ? Link.up : 0
        header.ifi_change = Link.up
        return try NetlinkMessage(type: RTM_NEWLINK, flags: 0, header: header)
    }

    fileprivate static func configuring(_ index: Int32, _ settings: LinkSettings) throws(NetlinkError) -> NetlinkMessage
    {
        var message = try NetlinkMessage(type: RTM_SETLINK, flags: 0, header: ifinfomsg(index: index))
        if let alias = settings.alias { message.put(Int(IFLA_IFALIAS), octets: Array(alias.utf8)) }
        if let mtu = settings.mtu { message.put(Int(IFLA_MTU), mtu) }
        if let vrf = settings.vrf { message.put(Int(IFLA_MASTER), UInt32(bitPattern: vrf)) }
        guard !settings.ipv4.numbers.isEmpty else { return message }
        message.nest(Int(IFLA_AF_SPEC)) { families in
            families.nest(Int(AF_INET)) { family in
                family.nest(Int(IFLA_INET_CONF)) { values in
                    for (setting, value) in settings.ipv4.numbers { values.put(setting, value) }
                }
            }
        }
        return message
    }

    /// IN6_ADDR_GEN_MODE_NONE: IPv6 without an address that the kernel makes by itself.
    fileprivate static func withoutGeneratedAddresses(_ index: Int32) throws(NetlinkError) -> NetlinkMessage {
        var message = try NetlinkMessage(type: RTM_SETLINK, flags: 0, header: ifinfomsg(index: index))
        message.nest(Int(IFLA_AF_SPEC)) { families in
            families.nest(Int(AF_INET6)) { $0.put(Int(IFLA_INET6_ADDR_GEN_MODE), UInt8(1)) }
        }
        return message
    }
}

extension IPv4Settings {
    /// IPV4_DEVCONF_* of linux/ip.h.
    private enum Number {
        static let rpFilter = 8, arpFilter = 13, arpAnnounce = 18, arpIgnore = 19, promoteSecondaries = 20,
            acceptLocal = 23
    }

    /// Each setting by its number in the kernel.
    fileprivate var numbers: [(Int, UInt32)] {
        let optional: [(Int, UInt32?)] = [
            (Number.arpFilter, arpFilter), (Number.arpIgnore, arpIgnore), (Number.arpAnnounce, arpAnnounce),
            (Number.rpFilter, reversePathFilter), (Number.acceptLocal, acceptsLocal),
            (Number.promoteSecondaries, promotesSecondaries),
        ]
        return optional.compactMap { number, value in value.map { (number, $0) } }
    }

    /// Decodes IFLA_INET_CONF: all settings as 32-bit numbers, the first one's number is 1. Nil when it is too short.
    init?(_ attributes: NetlinkAttributes) {
        guard let bytes = attributes.first(where: { $0.type == Int(IFLA_INET_CONF) })?.bytes else { return nil }
        func value(_ number: Int) -> UInt32? {
            let offset = 4 * (number - 1)
            return offset + 4 <= bytes.count ? bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self) : nil
        }
        guard let arpIgnore = value(Number.arpIgnore), let arpFilter = value(Number.arpFilter) else { return nil }
        self.init(
            arpIgnore: arpIgnore, arpFilter: arpFilter, arpAnnounce: value(Number.arpAnnounce),
            reversePathFilter: value(Number.rpFilter),
            acceptsLocal: value(Number.acceptLocal), promotesSecondaries: value(Number.promoteSecondaries))
    }
}

extension NetlinkAttributes {
    /// What IFLA_LINKINFO says.
    var linkKind: Link.Kind {
        var kind = ""
        var macvlanMode: UInt32?
        var ipvlanMode: UInt16?
        var ipvlanFlags: UInt16 = 0
        for attribute in self {
            switch attribute.type {
            case Int(IFLA_INFO_KIND): kind = attribute.string
            case Int(IFLA_INFO_DATA) where kind == "macvlan":
                macvlanMode = attribute.nested.first { $0.type == Int(IFLA_MACVLAN_MODE) }?.number()
            case Int(IFLA_INFO_DATA) where kind == "ipvlan":
                for value in attribute.nested {
                    if value.type == Int(IFLA_IPVLAN_MODE) { ipvlanMode = value.number() }
                    if value.type == Int(IFLA_IPVLAN_FLAGS) { ipvlanFlags = value.number() ?? 0 }
                }
            default: continue
            }
        }
        switch kind {
        case "macvlan" where macvlanMode == MACVLAN_MODE_PRIVATE.rawValue: return .privateMacvlan
        case "ipvlan" where ipvlanMode == UInt16(IPVLAN_MODE_L2.rawValue): return .ipvlan(flags: ipvlanFlags)
        case "vrf": return .vrf
        default: return .other
        }
    }
}
