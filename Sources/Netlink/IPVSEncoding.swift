// Commands of the IPVS generic netlink family (linux/ip_vs.h) as messages. Addresses and ports travel in network order, everything else in
// host order; the kernel wants the complete set of attributes for an add and for an edit.

internal import CNlGenl
internal import Configuration
internal import Glibc
internal import IPVS
internal import Net

/// Builds messages for the family number that the kernel gave IPVS.
struct IPVSEncoder {
    let family: UInt16

    func message(_ command: Command) -> NetlinkMessage {
        switch command {
        case .addService(let service, let attributes):
            message(IPVS_CMD_NEW_SERVICE, ServiceRule(service, attributes))
        case .editService(let service, let attributes):
            message(IPVS_CMD_SET_SERVICE, ServiceRule(service, attributes))
        case .deleteService(let service):
            serviceMessage(IPVS_CMD_DEL_SERVICE, service)
        case .addDestination(let service, let endpoint, let attributes):
            destinationMessage(IPVS_CMD_NEW_DEST, service, endpoint, attributes)
        case .editDestination(let service, let endpoint, let attributes):
            destinationMessage(IPVS_CMD_SET_DEST, service, endpoint, attributes)
        case .deleteDestination(let service, let endpoint):
            destinationMessage(IPVS_CMD_DEL_DEST, service, endpoint)
        }
    }

    /// A command without attributes, such as a dump of all services.
    func message(_ command: Int, flags: Int32 = 0) -> NetlinkMessage {
        NetlinkMessage(
            family: family, command: UInt8(command), version: UInt8(IPVS_GENL_VERSION), flags: flags)
    }

    /// A command about one service, with the attributes that identify it.
    func serviceMessage(_ command: Int, _ service: VirtualServerIdentity, flags: Int32 = 0) -> NetlinkMessage {
        var message = message(command, flags: flags)
        message.nest(IPVS_CMD_ATTR_SERVICE) { Self.put(service, into: &$0) }
        return message
    }

    /// A command that says what a service is to be.
    func message(_ command: Int, _ rule: ServiceRule) -> NetlinkMessage {
        var message = message(command)
        message.nest(IPVS_CMD_ATTR_SERVICE) { nest in
            Self.put(rule.identity, into: &nest)
            Self.put(rule, into: &nest)
        }
        return message
    }

    private func destinationMessage(
        _ command: Int, _ service: VirtualServerIdentity, _ endpoint: Endpoint,
        _ attributes: DestinationAttributes? = nil
    ) -> NetlinkMessage {
        var message = serviceMessage(command, service)
        message.nest(IPVS_CMD_ATTR_DEST) { nest in
            Self.put(endpoint.address, as: IPVS_DEST_ATTR_ADDR, into: &nest)
            nest.put(IPVS_DEST_ATTR_PORT, endpoint.port.bigEndian)
            // Kernel 3.18; earlier ones ignore it and have only destinations of the service's family.
            nest.put(IPVS_DEST_ATTR_ADDR_FAMILY, endpoint.address.family.number)
            if let attributes { Self.put(attributes, into: &nest) }
        }
        return message
    }

    private static func put(_ service: VirtualServerIdentity, into nest: inout NetlinkMessage) {
        nest.put(IPVS_SVC_ATTR_AF, service.family.number)
        switch service {
        case .address(let transport, let endpoint):
            nest.put(IPVS_SVC_ATTR_PROTOCOL, transport.number)
            put(endpoint.address, as: IPVS_SVC_ATTR_ADDR, into: &nest)
            nest.put(IPVS_SVC_ATTR_PORT, endpoint.port.bigEndian)
        case .firewallMark(let mark, _):
            nest.put(IPVS_SVC_ATTR_FWMARK, mark)
        }
    }

    /// IPv4 as a word: an array for each of a table's addresses is more work than the rest of the message.
    private static func put(_ address: IPAddress, as attribute: Int, into nest: inout NetlinkMessage) {
        switch address {
        case .v4(let address): nest.put(attribute, address.rawValue.bigEndian)
        case .v6(let address): nest.put(attribute, octets: address.octets)
        }
    }

    /// What describes a service; the kernel wants a netmask in any case.
    private static func put(_ rule: ServiceRule, into nest: inout NetlinkMessage) {
        let persistent = rule.persistenceSeconds == nil ? 0 : UInt32(IP_VS_SVC_F_PERSISTENT)
        nest.put(IPVS_SVC_ATTR_SCHED_NAME, rule.scheduler)
        // struct ip_vs_flags: the values, then which of them are meant.
        let allFlags = ip_vs_flags(flags: rule.flags.rawValue | persistent, mask: .max)
        nest.put(IPVS_SVC_ATTR_FLAGS, octets: withUnsafeBytes(of: allFlags) { Array($0) })
        nest.put(IPVS_SVC_ATTR_TIMEOUT, rule.persistenceSeconds ?? 0)
        // In network order for IPv4.
        let isMask = rule.identity.family == .inet
        nest.put(IPVS_SVC_ATTR_NETMASK, isMask ? rule.netmask.bigEndian : rule.netmask)
        if let engine = rule.engine { nest.put(IPVS_SVC_ATTR_PE_NAME, engine) }
    }

    private static func put(_ attributes: DestinationAttributes, into nest: inout NetlinkMessage) {
        nest.put(IPVS_DEST_ATTR_FWD_METHOD, attributes.forwarding.number)
        nest.put(IPVS_DEST_ATTR_WEIGHT, UInt32(bitPattern: attributes.weight))
        nest.put(IPVS_DEST_ATTR_U_THRESH, attributes.upperThreshold)
        nest.put(IPVS_DEST_ATTR_L_THRESH, attributes.lowerThreshold)
        // Kernel 5.3; plain IPIP, which every kernel has, is what their absence means.
        guard case .method(.tunnel(let kind)) = attributes.forwarding else { return }
        switch kind {
        case .ipip: break
        case .gue(let port, let checksum):
            nest.put(IPVS_DEST_ATTR_TUN_TYPE, UInt8(IP_VS_CONN_F_TUNNEL_TYPE_GUE))
            nest.put(IPVS_DEST_ATTR_TUN_PORT, port.bigEndian)
            nest.put(IPVS_DEST_ATTR_TUN_FLAGS, checksum.number)
        case .gre(let checksum):
            nest.put(IPVS_DEST_ATTR_TUN_TYPE, UInt8(IP_VS_CONN_F_TUNNEL_TYPE_GRE))
            nest.put(IPVS_DEST_ATTR_TUN_FLAGS, checksum.number)
        }
    }
}

extension AddressFamily {
    /// AF_INET or AF_INET6.
    var number: UInt16 {
        switch self {
        case .inet: UInt16(AF_INET)
        case .inet6: UInt16(AF_INET6)
        }
    }

    /// From AF_INET or AF_INET6.
    init?(number: UInt16) {
        switch Int32(number) {
        case AF_INET: self = .inet
        case AF_INET6: self = .inet6
        default: return nil
        }
    }
}

extension VirtualServerIdentity.TransportProtocol {
    /// The IP protocol number.
    var number: UInt16 {
        switch self {
        case .tcp: UInt16(IPPROTO_TCP)
        case .udp: UInt16(IPPROTO_UDP)
        case .sctp: UInt16(IPPROTO_SCTP)
        }
    }

    /// From an IP protocol number.
    init?(number: UInt16) {
        guard let match = Self.allCases.first(where: { $0.number == number }) else { return nil }
        self = match
    }
}

extension PacketForwarding {
    /// IP_VS_CONN_F_….
    var number: UInt32 {
        switch self {
        case .method(.masquerade): UInt32(IP_VS_CONN_F_MASQ)
        case .method(.directRouting): UInt32(IP_VS_CONN_F_DROUTE)
        case .method(.tunnel): UInt32(IP_VS_CONN_F_TUNNEL)
        case .local: UInt32(IP_VS_CONN_F_LOCALNODE)
        case .bypass: UInt32(IP_VS_CONN_F_BYPASS)
        }
    }
}

extension TunnelKind.Checksum {
    /// IP_VS_TUNNEL_ENCAP_FLAG_….
    var number: UInt16 {
        switch self {
        case .none: UInt16(IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM)
        case .whole: UInt16(IP_VS_TUNNEL_ENCAP_FLAG_CSUM)
        case .remote: UInt16(IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM)
        }
    }
}
