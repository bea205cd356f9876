// Interfaces and addresses out of rtnetlink's messages (rtnetlink(7), linux/rtnetlink.h).

internal import CNl
internal import CNlRoute
internal import Glibc
internal import Net
internal import VRRP

extension Link {
    /// Decodes RTM_NEWLINK or RTM_DELLINK; nil when it is malformed or has no name.
    init?(_ reply: NetlinkReply) {
        let headerSize = MemoryLayout<ifinfomsg>.size
        guard reply.payload.count >= headerSize else { return nil }
        let header = reply.payload.loadUnaligned(as: ifinfomsg.self)
        self.init(index: header.ifi_index, name: "", flags: header.ifi_flags, mtu: 0)
        var isElsewhere = false
        for attribute in reply.attributes(after: headerSize) {
            switch attribute.type {
            case Int(IFLA_IFNAME): name = attribute.string
            case Int(IFLA_MTU): mtu = attribute.number() ?? mtu
            case Int(IFLA_ADDRESS): mac = MACAddress(octets: attribute.bytes)
            case Int(IFLA_LINK): parent = attribute.number()
            case Int(IFLA_LINK_NETNSID): isElsewhere = true
            case Int(IFLA_IFALIAS): alias = attribute.string
            case Int(IFLA_LINKINFO): kind = attribute.nested.linkKind
            case Int(IFLA_MASTER): master = attribute.number()
            case Int(IFLA_AF_SPEC):
                ipv4 = attribute.nested.first { $0.type == Int(AF_INET) }.flatMap { IPv4Settings($0.nested) }
            default: continue
            }
        }
        if isElsewhere { parent = nil }
        guard !name.isEmpty else { return nil }
    }
}

extension InterfaceAddress {
    /// IFA_PROTO (linux/if_addr.h since 5.18); older kernels ignore it.
    static let originAttribute = 11

    /// Decodes RTM_NEWADDR or RTM_DELADDR; nil when it is malformed or of another family.
    init?(_ reply: NetlinkReply) {
        let headerSize = MemoryLayout<ifaddrmsg>.size
        guard reply.payload.count >= headerSize else { return nil }
        let header = reply.payload.loadUnaligned(as: ifaddrmsg.self)
        var local: IPAddress?
        var address: IPAddress?
        var broadcast: IPv4Address?
        var label = ""
        var origin: UInt8 = 0
        var flags = UInt32(header.ifa_flags)
        for attribute in reply.attributes(after: headerSize) {
            switch attribute.type {
            case Int(IFA_LOCAL): local = IPAddress(octets: attribute.bytes)
            case Int(IFA_ADDRESS): address = IPAddress(octets: attribute.bytes)
            case Int(IFA_BROADCAST):
                if case .v4(let value) = IPAddress(octets: attribute.bytes) { broadcast = value }
            case Int(IFA_LABEL): label = attribute.string
            case Int(IFA_FLAGS): flags = attribute.number() ?? flags
            case Self.originAttribute: origin = attribute.bytes.first ?? 0
            default: continue
            }
        }
        // IFA_ADDRESS is the peer where there is one, the address itself elsewhere.
        guard let own = local ?? address, let prefix = IPPrefix(own, length: Int(header.ifa_prefixlen)) else {
            return nil
        }
        let peer = address != own ? address.flatMap { IPPrefix($0, length: Int(header.ifa_prefixlen)) } : nil
        self.init(
            link: Int32(bitPattern: header.ifa_index), prefix: peer == nil ? prefix : IPPrefix(host: own), peer: peer,
            broadcast: broadcast, scope: header.ifa_scope, label: label, flags: flags, origin: origin)
    }
}
