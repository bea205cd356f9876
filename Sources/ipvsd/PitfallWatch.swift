// Looks every ten seconds whether something outside the table keeps clients from being served. A configuration without masquerading costs a look at
// its servers, and the kernel is asked for nothing.

import Bus
import Configuration
import Glibc
import IPVS
import Net
import Platform

struct PitfallWatch {
    static let interval = TableWatch.interval

    /// When `look` is due.
    private(set) var deadline = Instant.zero
    /// What was found.
    private(set) var pitfalls: [Pitfall] = []

    /// Looks when it is due. `host` is nil where this host cannot be looked at: what was found before stands.
    mutating func look(
        at reconciler: Reconciler, _ history: TrafficHistory, _ now: Instant,
        host: () -> HostForwarding? = HostForwarding.now
    ) {
        guard now >= deadline else { return }
        deadline = now + Self.interval
        pitfalls = Pitfall.found(in: reconciler.standings.values, history, host: host) ?? pitfalls
    }
}

extension HostForwarding {
    /// That of this thread's network namespace, which is the one whose table ipvsd keeps.
    static func now() -> HostForwarding? {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return nil }
        defer { freeifaddrs(list) }
        var interfaces: Set<String> = []
        var addresses: Set<IPAddress> = []
        var next = list
        while let entry = next?.pointee {
            interfaces.insert(String(cString: entry.ifa_name))
            if let address = entry.ifa_addr.flatMap(IPAddress.init(sockaddr:)) { addresses.insert(address) }
            next = entry.ifa_next
        }
        func isOn(_ setting: String) -> Bool {
            let value = (try? FileSystem.beginning(of: "/proc/sys/net/\(setting)", count: 1)) ?? nil
            return value?.first == UInt8(ascii: "1")
        }
        var families: Set<AddressFamily> = []
        // IPv4 is forwarded by the interface at which a packet comes in.
        if isOn("ipv4/ip_forward") || interfaces.contains(where: { isOn("ipv4/conf/\($0)/forwarding") }) {
            families.insert(.inet)
        }
        // IPv6 by all interfaces or none (ip6_forward), but for those that have force_forwarding, since Linux 6.17.
        if isOn("ipv6/conf/all/forwarding") || interfaces.contains(where: { isOn("ipv6/conf/\($0)/force_forwarding") })
        {
            families.insert(.inet6)
        }
        return HostForwarding(families: families, addresses: addresses)
    }
}

extension IPAddress {
    /// Of a socket's address; nil for other families.
    fileprivate init?(sockaddr: UnsafeMutablePointer<sockaddr>) {
        let raw = UnsafeRawPointer(sockaddr)
        switch Int32(sockaddr.pointee.sa_family) {
        case AF_INET:
            let address = raw.loadUnaligned(as: sockaddr_in.self).sin_addr
            self.init(octets: withUnsafeBytes(of: address) { Array($0) })
        case AF_INET6:
            let address = raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            self.init(octets: withUnsafeBytes(of: address) { Array($0) })
        case _: return nil
        }
    }
}

extension Pitfall {
    /// What it is called among the alarms.
    var key: IPVSAlarm {
        switch self {
        case .noForwarding(let family, _, _): .forwarding(family)
        case .noAnswers(_, _, _): .answers
        }
    }

    /// For people.
    var alarm: Alarm {
        switch self {
        case .noForwarding(let family, let server, let count):
            let setting = family == .inet ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding"
            return Alarm(
                message:
                    "answers of \(server)\(Self.others(count)) do not reach the clients: servers are masqueraded (NAT), and this "
                    + "host forwards no \(family == .inet ? "IPv4" : "IPv6") packets",
                remedy:
                    "'sysctl -w \(setting)=1', and the same in a file of /etc/sysctl.d; in the network namespace of ipvsd, if it has one"
            )
        case .noAnswers(let server, let connections, let count):
            return Alarm(
                message:
                    "\(connections) connections of the last minute reached \(server)\(Self.others(count)), and no answer came back "
                    + "through this host",
                remedy:
                    "masqueraded servers (NAT) must send their answers through this host: make an address of it that moves with the "
                    + "service their default gateway; or something on the way drops them (firewall, rp_filter of this host), or the server "
                    + "does not answer")
        }
    }

    private static func others(_ count: Int) -> String { count > 1 ? " (and \(count - 1) more)" : "" }
}
