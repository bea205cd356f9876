// Routes in and out of rtnetlink's messages (rtnetlink(7), linux/rtnetlink.h). Attributes are put with libnl's builder; its route objects
// are not used, because they know neither `pref`, `expires` nor a congestion control by name, and a rule's suppressors, users or `not`.

internal import CNl
internal import CNlRoute
internal import Configuration
internal import Glibc
internal import Net
internal import VRRP

/// RTA_* and RTAX_*, which are enumerations in C.
private enum Attribute {
    static let destination = 1, source = 2, output = 4, gateway = 5, priority = 6, preferredSource = 7, metrics = 8
    static let multipath = 9, flow = 11, table = 15, preference = 20, expires = 23
    static let lock = 1, congestionControl = 16
}

extension NetlinkMessage {
    /// RTM_NEWROUTE or RTM_DELROUTE.
    static func changing(_ change: Change<Route>) throws(NetlinkError) -> NetlinkMessage {
        let route = change.object
        let slot = route.slot
        var header = rtmsg()
        header.rtm_family = UInt8(slot.destination.address.family == .inet ? AF_INET : AF_INET6)
        header.rtm_dst_len = UInt8(clamping: slot.destination.length)
        header.rtm_src_len = UInt8(clamping: slot.source?.length ?? 0)
        header.rtm_tos = slot.typeOfService
        header.rtm_table = slot.table < 256 ? UInt8(slot.table) : 0
        header.rtm_protocol = route.origin
        header.rtm_scope = route.scope
        header.rtm_type = route.kind.rawValue
        if route.hops.count == 1, route.hops[0].isOnLink { header.rtm_flags |= UInt32(RTNH_F_ONLINK) }
        let isAddition = if case .add = change { true } else { false }
        var message = try NetlinkMessage(
            type: isAddition ? RTM_NEWROUTE : RTM_DELROUTE, flags: isAddition ? route.placement.flags : 0,
            header: header)
        if slot.destination.length > 0 { message.put(Attribute.destination, octets: slot.destination.address.octets) }
        if let source = slot.source { message.put(Attribute.source, octets: source.address.octets) }
        message.put(Attribute.table, slot.table)
        if slot.priority != 0 { message.put(Attribute.priority, slot.priority) }
        if let source = route.preferredSource { message.put(Attribute.preferredSource, octets: source.octets) }
        if let realms = route.realms { message.put(Attribute.flow, realms) }
        if route.hops.count == 1, let hop = route.hops.first {
            if let gateway = hop.gateway { message.put(Attribute.gateway, octets: gateway.octets) }
            if let link = hop.link { message.put(Attribute.output, UInt32(bitPattern: link)) }
        } else if !route.hops.isEmpty {
            message.put(Attribute.multipath, octets: route.hops.flatMap(\.octets))
        }
        guard isAddition else { return message }
        if let preference = route.preference { message.put(Attribute.preference, preference) }
        if let expires = route.expires { message.put(Attribute.expires, expires) }
        guard !route.metrics.isEmpty || route.congestionControl != nil else { return message }
        message.nest(Attribute.metrics) { nest in
            if !route.locked.isEmpty {
                nest.put(Attribute.lock, route.locked.reduce(UInt32(0)) { $0 | 1 << UInt32($1.rawValue) })
            }
            for (metric, value) in route.metrics.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                nest.put(Int(metric.rawValue), value)
            }
            if let name = route.congestionControl { nest.put(Attribute.congestionControl, name) }
        }
        return message
    }

    /// A dump of routes: those of one maker only, where the kernel can choose (4.20, NETLINK_GET_STRICT_CHK).
    static func dumpingRoutes(_ family: Int32, of origin: UInt8) throws(NetlinkError) -> NetlinkMessage {
        var header = rtmsg()
        header.rtm_family = UInt8(family)
        header.rtm_protocol = origin
        return try NetlinkMessage(type: RTM_GETROUTE, flags: NLM_F_DUMP, header: header)
    }
}

extension RouteLine.Placement {
    /// NLM_F_*.
    fileprivate var flags: Int32 {
        switch self {
        case .prepend: NLM_F_CREATE
        case .add: NLM_F_CREATE | NLM_F_EXCL
        case .append: NLM_F_CREATE | NLM_F_APPEND
        case .replace: NLM_F_CREATE | NLM_F_REPLACE
        }
    }
}

extension Route.Hop {
    /// A struct rtnexthop and its attributes.
    fileprivate var octets: [UInt8] {
        let gatewayOctets = gateway?.octets ?? []
        let attributeLength = gateway == nil ? 0 : 4 + gatewayOctets.count
        var header = rtnexthop()
        header.rtnh_len = UInt16(MemoryLayout<rtnexthop>.size + attributeLength)
        header.rtnh_flags = isOnLink ? UInt8(RTNH_F_ONLINK) : 0
        header.rtnh_hops = UInt8(clamping: weight - 1)
        header.rtnh_ifindex = link ?? 0
        var octets = withUnsafeBytes(of: header) { Array($0) }
        guard gateway != nil else { return octets }
        for value in [UInt16(attributeLength), UInt16(Attribute.gateway)] {
            withUnsafeBytes(of: value) { octets += $0 }
        }
        return octets + gatewayOctets
    }

    /// Reads RTA_MULTIPATH; stops at what is malformed.
    fileprivate static func all(in bytes: UnsafeRawBufferPointer) -> [Route.Hop] {
        var hops: [Route.Hop] = []
        var rest = bytes
        let headerSize = MemoryLayout<rtnexthop>.size
        while rest.count >= headerSize {
            let header = rest.loadUnaligned(as: rtnexthop.self)
            let length = Int(header.rtnh_len)
            guard length >= headerSize, length <= rest.count else { break }
            var hop = Route.Hop(
                link: header.rtnh_ifindex, weight: Int(header.rtnh_hops) + 1,
                isOnLink: header.rtnh_flags & UInt8(RTNH_F_ONLINK) != 0)
            let inner = UnsafeRawBufferPointer(rebasing: rest[headerSize..<length])
            for attribute in NetlinkAttributes(inner) where attribute.type == Attribute.gateway {
                hop.gateway = IPAddress(octets: attribute.bytes)
            }
            hops.append(hop)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst((length + 3) & ~3))
        }
        return hops
    }
}

extension Route {
    /// Who made the route of a message, without decoding the rest; nil when it is cut off, or a route that the kernel only caches.
    static func origin(of reply: NetlinkReply) -> UInt8? {
        guard reply.payload.count >= MemoryLayout<rtmsg>.size else { return nil }
        let header = reply.payload.loadUnaligned(as: rtmsg.self)
        return header.rtm_flags & UInt32(RTM_F_CLONED) == 0 ? header.rtm_protocol : nil
    }

    /// Decodes RTM_NEWROUTE or RTM_DELROUTE; nil when it is malformed, of another family or of an unknown kind.
    init?(_ reply: NetlinkReply) {
        let headerSize = MemoryLayout<rtmsg>.size
        guard reply.payload.count >= headerSize else { return nil }
        let header = reply.payload.loadUnaligned(as: rtmsg.self)
        let any: IPAddress
        switch Int32(header.rtm_family) {
        case AF_INET: any = IPAddress(octets: [UInt8](repeating: 0, count: 4)) ?? .v4(IPv4Address(rawValue: 0))
        case AF_INET6: any = .v6(IPv6Address(high: 0, low: 0))
        default: return nil
        }
        guard let kind = RouteLine.Kind(rawValue: header.rtm_type),
            let all = IPPrefix(any, length: Int(header.rtm_dst_len))
        else { return nil }
        var slot = RouteSlot(
            destination: all, table: UInt32(header.rtm_table), typeOfService: header.rtm_tos)
        var hop = Hop(isOnLink: header.rtm_flags & UInt32(RTNH_F_ONLINK) != 0)
        var hops: [Hop] = []
        var preferredSource: IPAddress?
        var metrics: [RouteLine.Metric: UInt32] = [:]
        for attribute in reply.attributes(after: headerSize) {
            switch attribute.type {
            case Attribute.destination:
                slot.destination.address = IPAddress(octets: attribute.bytes) ?? slot.destination.address
            case Attribute.source:
                slot.source = IPAddress(octets: attribute.bytes).flatMap {
                    IPPrefix($0, length: Int(header.rtm_src_len))
                }
            case Attribute.output: hop.link = attribute.number()
            case Attribute.gateway: hop.gateway = IPAddress(octets: attribute.bytes)
            case Attribute.priority: slot.priority = attribute.number() ?? 0
            case Attribute.preferredSource: preferredSource = IPAddress(octets: attribute.bytes)
            case Attribute.multipath: hops = Hop.all(in: attribute.bytes)
            case Attribute.table: slot.table = attribute.number() ?? slot.table
            case Attribute.metrics:
                for inner in attribute.nested {
                    guard let metric = RouteLine.Metric(rawValue: UInt8(clamping: inner.type)) else { continue }
                    metrics[metric] = inner.number()
                }
            default: continue
            }
        }
        if hops.isEmpty, hop.link != nil || hop.gateway != nil { hops = [hop] }
        self.init(
            slot, kind: kind, hops: hops, origin: header.rtm_protocol, scope: header.rtm_scope,
            preferredSource: preferredSource, metrics: metrics)
    }
}
