// What people are told of the things beside the table that keep clients from being served, each with its remedy.

import Bus
import IPVS
import Net

extension Pitfall {
    /// What it is called among the alarms.
    var key: IPVSAlarm {
        switch self {
        case .noForwarding(let family, _, _): .forwarding(family)
        case .noAnswers: .answers
        case .trackingNearlyFull: .tracking
        case .answersFor, .announces: .localServer
        case .tunnelFiltered: .tunnelFilter
        case .tunnelTooNarrow: .tunnelMTU
        case .weightIgnored(let setting, _, _): .setting(setting)
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
                remedy: Self.sysctl("\(setting)=1") + "; in the network namespace of ipvsd, if it has one")
        case .noAnswers(let server, let connections, let count, let filters):
            let message =
                "\(connections) connections of the last minute reached \(server)\(Self.others(count)), and no answer came back "
                + "through this host"
            guard let filter = filters.first else {
                return Alarm(
                    message: message,
                    remedy:
                        "masqueraded servers (NAT) must send their answers through this host: make an address of it that moves with "
                        + "the service their default gateway; or something on the way drops them (a firewall), or the server does not "
                        + "answer")
            }
            return Alarm(
                message: message + ": its rp_filter is strict and drops packets",
                remedy: Self.sysctl(sysctlName("rp_filter", of: filter) + "=2")
                    + (filters.count > 1 ? " (or of \(filters.dropFirst().prefix(5).joined(separator: ", ")))" : "")
                    + ", or route the servers' addresses by the interface at which their answers come in")
        case .trackingNearlyFull(let tracking):
            return Alarm(
                message:
                    "\(tracking.count) of \(tracking.limit) connections are in the kernel's table (nf_conntrack): when it is full, "
                    + "packets are dropped before IPVS sees them, of new connections and, unless net.ipv4.vs.conntrack is 1, of "
                    + "running ones",
                remedy: Self.sysctl(
                    "net.netfilter.nf_conntrack_max=\(tracking.limit.multipliedReportingOverflow(by: 4).0)")
                    + ", in the host's own network namespace; or let the firewall not track the services ('notrack')")
        case .answersFor(let address, let interface):
            return Alarm(
                message:
                    "this host is a real server of \(address) and answers ARP requests for it at \(interface): clients bypass the "
                    + "director",
                remedy: "'lbctl real-server start \(address)', or "
                    + Self.sysctl(sysctlName("arp_ignore", of: interface) + "=1"))
        case .announces(let address, let interface):
            return Alarm(
                message:
                    "this host is a real server of \(address), and its ARP requests at \(interface) may name that as their source: "
                    + "neighbours learn it",
                remedy:
                    "'lbctl real-server start \(address)', or "
                    + Self.sysctl(sysctlName("arp_announce", of: interface) + "=2"))
        case .tunnelFiltered(let server, let interface):
            return Alarm(
                message:
                    "this host is the real server \(server), and drops what another director sends it: rp_filter of \(interface) is "
                    + "strict",
                remedy: Self.sysctl(sysctlName("rp_filter", of: interface) + "=2"))
        case .tunnelTooNarrow(let server, let interface, let mtu, let needed):
            return Alarm(
                message:
                    "nothing reaches \(server): its tunnel needs packets of \(needed) octets, and \(interface) takes \(mtu)",
                remedy: "'ip link set \(interface) mtu \(needed)' or more, on both sides; or reach the server by IPv4")
        case .weightIgnored(let setting, let server, let count):
            let who =
                switch setting {
                case .reuse, .expireConnections: "clients that use a port anew"
                case .expireTemplates: "clients that it had before (persistence)"
                }
            return Alarm(
                message:
                    "\(server)\(Self.others(count)) has weight 0, and still gets new connections of \(who): net.ipv4.vs."
                    + "\(setting.rawValue) is 0",
                remedy: Self.sysctl("net.ipv4.vs.\(setting.rawValue)=1"))
        }
    }

    private static func others(_ count: Int) -> String { count > 1 ? " (and \(count - 1) more)" : "" }

    private static func sysctl(_ setting: String) -> String {
        "'sysctl -w \(setting)', and the same in a file of /etc/sysctl.d"
    }
}
