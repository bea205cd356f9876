// The addresses of an interface, as getifaddrs(3) gives them.
import Glibc
import Net

enum InterfaceAddresses {
    /// Each address with its network, by interface.
    static func networks() -> [String: [IPPrefix]] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [:] }
        defer { freeifaddrs(list) }
        var networks: [String: [IPPrefix]] = [:]
        var next = list
        while let entry = next?.pointee {
            next = entry.ifa_next
            guard let address = octets(entry.ifa_addr),
                let mask = octets(entry.ifa_netmask), let value = IPAddress(octets: address),
                let prefix = IPPrefix(value, length: mask.reduce(0) { $0 + $1.nonzeroBitCount })
            else { continue }
            networks[String(cString: entry.ifa_name), default: []].append(prefix)
        }
        return networks
    }

    /// 4 or 16 octets.
    private static func octets(_ address: UnsafeMutablePointer<sockaddr>?) -> [UInt8]? {
        guard let address else { return nil }
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                withUnsafeBytes(of: $0.pointee.sin_addr) { Array($0) }
            }
        case AF_INET6:
            return address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                withUnsafeBytes(of: $0.pointee.sin6_addr) { Array($0) }
            }
        default: return nil
        }
    }
}
