// Looks every ten seconds whether something outside the table keeps clients from being served. Without servers the kernel is asked for nothing; with
// them for its interfaces and addresses in one dump, and a dozen files of /proc are read.

import Configuration
import Glibc
import IPVS
import Net
import Netlink
import Platform
import VRRP

struct PitfallWatch {
    static let interval = TableWatch.interval
    /// At the start the table comes first.
    private static let patience = Duration.seconds(1)
    /// Looks before this one: the minute that traffic is counted over.
    private static let looks = 6

    /// When `look` is due.
    private(set) var deadline: Instant
    /// What was found.
    private(set) var pitfalls: [Pitfall] = []
    /// What `rp_filter` had dropped at the last looks.
    private var filtered: [UInt64] = []

    init(startingAt now: Instant) {
        deadline = now + Self.patience
    }

    /// Looks when it is due. `host` is nil where this host cannot be looked at: what was found before stands.
    mutating func look(
        at reconciler: Reconciler, _ history: TrafficHistory, _ now: Instant,
        host: () -> HostNetwork? = HostNetwork.now
    ) {
        guard now >= deadline else { return }
        deadline = now + Self.interval
        let seen = filtered
        var total: UInt64?
        let found = Pitfall.found(in: reconciler.standings.values, before: pitfalls) {
            let host = host()
            total = host?.filtered
            return host.map { ($0, Pitfall.Traffic(history, filtered: Self.growth(seen, $0.filtered))) }
        }
        if let total { filtered = (seen + [total]).suffix(Self.looks) }
        pitfalls = found ?? pitfalls
    }

    private static func growth(_ seen: [UInt64], _ now: UInt64?) -> UInt64 {
        guard let first = seen.first, let now, now >= first else { return 0 }
        return now - first
    }
}

extension HostNetwork {
    /// That of this thread's network namespace, which is the one whose table ipvsd keeps.
    static func now() -> HostNetwork? {
        do throws(NetlinkError) {
            return HostNetwork(try RouteNetlink().snapshot(), read: Self.file)
        } catch {
            return nil
        }
    }

    /// The beginning of a file, enough for all that is looked for.
    private static func file(_ path: String) -> String? {
        let octets = (try? FileSystem.beginning(of: path, count: 1 << 14)) ?? nil
        return octets.map { String(decoding: $0, as: UTF8.self) }
    }

    /// What the kernel says of itself. `read` gives what is in a file of /proc; nil = there is no such file.
    init(_ kernel: RouteSnapshot, read: (String) -> String?) {
        self.init()
        func number(_ setting: String) -> UInt64? {
            read("/proc/sys/net/\(setting)").flatMap { UInt64($0.prefix { $0.isASCII && $0.isNumber }) }
        }
        func all(_ setting: String) -> Int { number("ipv4/conf/all/\(setting)").map(Int.init(clamping:)) ?? 0 }
        let (ignore, announce, filter) = (all("arp_ignore"), all("arp_announce"), all("rp_filter"))
        let prefixes = Dictionary(grouping: kernel.addresses, by: \.link)
        // The kernel takes the larger of an interface's own value and that of `all`.
        interfaces = kernel.links.filter(\.isUp).map { link in
            var interface = HostInterface(name: link.name)
            interface.isLoopback = link.flags & VRRP.Link.loopback != 0
            interface.answersARP = link.announces
            interface.mtu = link.mtu
            interface.prefixes = prefixes[link.index]?.map(\.prefix) ?? []
            let own = link.ipv4
            interface.arp = ARPSettings(
                ignore: max(ignore, Int(own?.arpIgnore ?? 0)), announce: max(announce, Int(own?.arpAnnounce ?? 0)))
            interface.reversePathFilter = max(filter, Int(own?.reversePathFilter ?? 0))
            return interface
        }
        // IPv4 is forwarded by the interface at which a packet comes in.
        if number("ipv4/ip_forward") == 1
            || kernel.links.contains(where: { number("ipv4/conf/\($0.name)/forwarding") == 1 })
        {
            families.insert(.inet)
        }
        // IPv6 by all interfaces or none (ip6_forward), but for those that have force_forwarding, since Linux 6.17.
        if number("ipv6/conf/all/forwarding") == 1
            || kernel.links.contains(where: { number("ipv6/conf/\($0.name)/force_forwarding") == 1 })
        {
            families.insert(.inet6)
        }
        if let count = number("netfilter/nf_conntrack_count"), let limit = number("netfilter/nf_conntrack_max") {
            tracking = Tracking(count: count, limit: limit)
        }
        filtered = read("/proc/thread-self/net/netstat").flatMap { Self.counter("IPReversePathFilter", in: $0) }
        for setting in Setting.allCases {
            settings[setting] = number("ipv4/vs/\(setting.rawValue)").map(Int.init(clamping:))
        }
    }

    /// One of /proc/net/netstat, which has a line of names before each line of numbers.
    static func counter(_ name: String, in text: String) -> UInt64? {
        // Octets: as texts the two hundred words would cost as much as the table of a thousand servers.
        var text = text
        return text.withUTF8 { octets in
            let lines = octets.split(separator: UInt8(ascii: "\n"))
            for (names, numbers) in zip(lines, lines.dropFirst()) {
                let words = names.split(separator: UInt8(ascii: " "))
                guard let index = words.firstIndex(where: { $0.elementsEqual(name.utf8) }) else { continue }
                let values = numbers.split(separator: UInt8(ascii: " "))
                return index < values.count ? UInt64(String(decoding: values[index], as: UTF8.self)) : nil
            }
            return nil
        }
    }
}
