// Hosts and services by the system's own lookups (hosts, DNS, services(5)), each asked once.
import Configuration
import Glibc
import IPVS
import Net

final class SystemNames: NameResolver {
    private struct Service: Hashable {
        var port: UInt16
        var transport: IPTransport
    }

    private var hostNames: [IPAddress: String?] = [:]
    private var serviceNames: [Service: String?] = [:]

    func address(ofHost name: String) -> IPv4Address? {
        guard !name.isEmpty, let host = gethostbyname(name), host.pointee.h_addrtype == AF_INET,
            let first = host.pointee.h_addr_list?.pointee
        else { return nil }
        return IPv4Address(rawValue: UInt32(bigEndian: UnsafeRawPointer(first).loadUnaligned(as: UInt32.self)))
    }

    func hostName(of address: IPAddress) -> String? {
        if let known = hostNames[address] { return known }
        let octets = address.octets
        let family = address.family == .inet ? AF_INET : AF_INET6
        let host = gethostbyaddr(octets, socklen_t(octets.count), family)
        let name = host.flatMap { $0.pointee.h_name }.map { String(cString: $0) }
        hostNames[address] = name
        return name
    }

    func port(ofService name: String, _ transport: IPTransport) -> UInt16? {
        getservbyname(name, transport.rawValue).map { UInt16(truncatingIfNeeded: $0.pointee.s_port).byteSwapped }
    }

    func serviceName(ofPort port: UInt16, _ transport: IPTransport) -> String? {
        let service = Service(port: port, transport: transport)
        if let known = serviceNames[service] { return known }
        let entry = getservbyport(Int32(port.bigEndian), transport.rawValue)
        let name = entry.flatMap { $0.pointee.s_name }.map { String(cString: $0) }
        serviceNames[service] = name
        return name
    }
}
