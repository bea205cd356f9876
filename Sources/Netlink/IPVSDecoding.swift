// What the IPVS family answers, as snapshots. Total: an entry that lacks what identifies it, or has a family or protocol we do not know,
// is left out; a missing counter reads as zero.

internal import CNlGenl
internal import Configuration
internal import IPVS
internal import Net

extension ServiceSnapshot {
    /// A service from its nest (IPVS_CMD_ATTR_SERVICE).
    init?(_ attributes: NetlinkAttributes) {
        var family: AddressFamily?
        var transport: VirtualServerIdentity.TransportProtocol?
        var address: NetlinkAttribute?
        var port: UInt16?
        var mark: UInt32?
        var scheduler = ""
        var flags: UInt32 = 0
        var timeout: UInt32 = 0
        var netmask: UInt32?
        var engine: String?
        var counters = CounterDecoder()
        for attribute in attributes {
            switch attribute.type {
            case IPVS_SVC_ATTR_AF: family = attribute.number().flatMap(AddressFamily.init(number:))
            case IPVS_SVC_ATTR_PROTOCOL:
                transport = attribute.number().flatMap(VirtualServerIdentity.TransportProtocol.init(number:))
            case IPVS_SVC_ATTR_ADDR: address = attribute
            case IPVS_SVC_ATTR_PORT: port = attribute.number(UInt16.self)?.byteSwapped
            case IPVS_SVC_ATTR_FWMARK: mark = attribute.number()
            case IPVS_SVC_ATTR_SCHED_NAME: scheduler = attribute.string
            // struct ip_vs_flags: the first half are the values.
            case IPVS_SVC_ATTR_FLAGS where attribute.bytes.count >= 4:
                flags = attribute.bytes.loadUnaligned(as: UInt32.self)
            case IPVS_SVC_ATTR_TIMEOUT: timeout = attribute.number() ?? 0
            case IPVS_SVC_ATTR_NETMASK: netmask = attribute.number()
            case IPVS_SVC_ATTR_PE_NAME: engine = attribute.string
            case IPVS_SVC_ATTR_STATS: counters.found(attribute.nested, are64Bit: false)
            case IPVS_SVC_ATTR_STATS64: counters.found(attribute.nested, are64Bit: true)
            default: continue
            }
        }
        guard let family else { return nil }
        let identity: VirtualServerIdentity
        if let mark {
            identity = .firewallMark(mark, family)
        } else if let transport, let port, let address = address?.address(family) {
            identity = .address(transport, Endpoint(address, port: port))
        } else {
            return nil
        }
        var persistence: Persistence?
        if flags & UInt32(IP_VS_SVC_F_PERSISTENT) != 0 {
            let prefixLength =
                switch family {
                case .inet: netmask?.nonzeroBitCount ?? family.bits
                case .inet6: Int(netmask ?? 128)
                }
            persistence = Persistence(timeout: .seconds(Int64(timeout)), prefixLength: prefixLength, engine: engine)
        }
        let known: SchedulerFlags = [.flag1, .flag2, .flag3, .onePacket]
        self.init(
            identity: identity,
            attributes: ServiceAttributes(
                scheduler: scheduler, flags: known.intersection(SchedulerFlags(rawValue: flags)),
                persistence: persistence))
        if let netmask { self.netmask = family == .inet ? netmask.byteSwapped : netmask }
        self.engine = engine.flatMap { $0.isEmpty ? nil : $0 }
        self.counters = counters.counters
    }
}

extension DestinationSnapshot {
    /// A destination from its nest (IPVS_CMD_ATTR_DEST); kernels before 3.18 do not say its family, it is the service's.
    init?(_ attributes: NetlinkAttributes, serviceFamily: AddressFamily) {
        var family = serviceFamily
        var address: NetlinkAttribute?
        var port: UInt16?
        var method: UInt32?
        var weight: UInt32 = 0
        var upper: UInt32 = 0
        var lower: UInt32 = 0
        var active: UInt32 = 0
        var inactive: UInt32 = 0
        var persistent: UInt32 = 0
        var tunnel = TunnelDecoder()
        var counters = CounterDecoder()
        for attribute in attributes {
            switch attribute.type {
            case IPVS_DEST_ATTR_ADDR_FAMILY:
                family = attribute.number().flatMap(AddressFamily.init(number:)) ?? serviceFamily
            case IPVS_DEST_ATTR_ADDR: address = attribute
            case IPVS_DEST_ATTR_PORT: port = attribute.number(UInt16.self)?.byteSwapped
            case IPVS_DEST_ATTR_FWD_METHOD: method = attribute.number()
            case IPVS_DEST_ATTR_WEIGHT: weight = attribute.number() ?? 0
            case IPVS_DEST_ATTR_U_THRESH: upper = attribute.number() ?? 0
            case IPVS_DEST_ATTR_L_THRESH: lower = attribute.number() ?? 0
            case IPVS_DEST_ATTR_ACTIVE_CONNS: active = attribute.number() ?? 0
            case IPVS_DEST_ATTR_INACT_CONNS: inactive = attribute.number() ?? 0
            case IPVS_DEST_ATTR_PERSIST_CONNS: persistent = attribute.number() ?? 0
            case IPVS_DEST_ATTR_TUN_TYPE: tunnel.type = attribute.number() ?? 0
            case IPVS_DEST_ATTR_TUN_PORT: tunnel.port = attribute.number(UInt16.self)?.byteSwapped ?? 0
            case IPVS_DEST_ATTR_TUN_FLAGS: tunnel.flags = attribute.number() ?? 0
            case IPVS_DEST_ATTR_STATS: counters.found(attribute.nested, are64Bit: false)
            case IPVS_DEST_ATTR_STATS64: counters.found(attribute.nested, are64Bit: true)
            default: continue
            }
        }
        guard let address = address?.address(family), let port, let method,
            let forwarding = tunnel.forwarding(method: method)
        else { return nil }
        self.init(
            endpoint: Endpoint(address, port: port),
            attributes: DestinationAttributes(
                forwarding: forwarding, weight: Int32(bitPattern: weight), upperThreshold: upper, lowerThreshold: lower)
        )
        activeConnections = active
        inactiveConnections = inactive
        persistentConnections = persistent
        self.counters = counters.counters
    }
}

/// Tunnel attributes, which the kernel sends for every destination, whatever its method.
private struct TunnelDecoder {
    var type: UInt8 = 0
    var port: UInt16 = 0
    var flags: UInt16 = 0

    /// The forwarding method with number `method`; nil for one we do not know.
    func forwarding(method: UInt32) -> PacketForwarding? {
        switch Int32(bitPattern: method) & IP_VS_CONN_F_FWD_MASK {
        case IP_VS_CONN_F_MASQ: .method(.masquerade)
        case IP_VS_CONN_F_LOCALNODE: .local
        case IP_VS_CONN_F_DROUTE: .method(.directRouting)
        case IP_VS_CONN_F_BYPASS: .bypass
        case IP_VS_CONN_F_TUNNEL: kind.map { .method(.tunnel($0)) }
        default: nil
        }
    }

    private var kind: TunnelKind? {
        let checksum: TunnelKind.Checksum =
            if flags & TunnelKind.Checksum.remote.number != 0 {
                .remote
            } else if flags & TunnelKind.Checksum.whole.number != 0 {
                .whole
            } else {
                .none
            }
        return switch Int(type) {
        case IP_VS_CONN_F_TUNNEL_TYPE_IPIP: .ipip
        case IP_VS_CONN_F_TUNNEL_TYPE_GUE: .gue(port: port, checksum)
        case IP_VS_CONN_F_TUNNEL_TYPE_GRE: .gre(checksum)
        default: nil
        }
    }
}

/// Counters from the 64-bit nest (kernel 4.1) when there is one, else from the 32-bit one.
private struct CounterDecoder {
    /// The nest with the numbers of 64 bits, else that of 32. Both come from the kernel; one is read.
    private var nest: NetlinkAttributes?
    private var have64Bit = false

    mutating func found(_ nest: NetlinkAttributes, are64Bit: Bool) {
        guard are64Bit || !have64Bit else { return }
        (self.nest, have64Bit) = (nest, are64Bit)
    }

    var counters: Counters {
        var counters = Counters()
        guard let nest else { return counters }
        for attribute in nest {
            let value = attribute.number(UInt64.self) ?? attribute.number(UInt32.self).map(UInt64.init) ?? 0
            switch attribute.type {
            case IPVS_STATS_ATTR_CONNS: counters.connections = value
            case IPVS_STATS_ATTR_INPKTS: counters.inPackets = value
            case IPVS_STATS_ATTR_OUTPKTS: counters.outPackets = value
            case IPVS_STATS_ATTR_INBYTES: counters.inBytes = value
            case IPVS_STATS_ATTR_OUTBYTES: counters.outBytes = value
            case IPVS_STATS_ATTR_CPS: counters.connectionRate = value
            case IPVS_STATS_ATTR_INPPS: counters.inPacketRate = value
            case IPVS_STATS_ATTR_OUTPPS: counters.outPacketRate = value
            case IPVS_STATS_ATTR_INBPS: counters.inByteRate = value
            case IPVS_STATS_ATTR_OUTBPS: counters.outByteRate = value
            default: continue
            }
        }
        return counters
    }
}

extension NetlinkAttribute {
    /// An address of `family`: IPVS pads IPv4 addresses to the 16 octets of union nf_inet_addr.
    fileprivate func address(_ family: AddressFamily) -> IPAddress? {
        bytes.count >= family.bits / 8 ? IPAddress(octets: bytes.prefix(family.bits / 8)) : nil
    }
}
