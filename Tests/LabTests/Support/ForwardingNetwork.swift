// The cluster's hosts as a network on which a director forwards: the client is somewhere else, and three hosts are real servers. With
// masquerading their answers go back through the director; with direct routing and tunnels they go to the client straight, from the virtual
// address, which the real servers have on lo.
//
//   client 10.1.0.2 ── 10.1.0.1 director1 192.168.200.101 ── .102, .103, .104       masquerading
//          10.2.0.2 ── 10.2.0.1 director1 …                                         direct routing, tunnels
//
// All are on one wire; IPv6 likewise, with fd00:1::/64, fd00:2::/64 and fd00:c8::/64.
import Net

/// One service with a way to forward, for both families.
enum Forwarding: String, CaseIterable {
    case masquerading4, masquerading6, direct4, direct6, ipip4, ipip6, gue4, gue6, gre4, gre6
    /// IPv4 clients in tunnels to IPv6 servers, and the other way round.
    case fourInSix, sixInFour

    /// `lvs_method`'s words.
    var words: String {
        switch self {
        case .masquerading4, .masquerading6: "NAT"
        case .direct4, .direct6: "DR"
        case .ipip4, .ipip6, .fourInSix, .sixInFour: "TUN"
        case .gue4: "TUN type gue port 6080 csum"
        case .gue6: "TUN type gue port 6080 remcsum"
        case .gre4: "TUN type gre csum"
        case .gre6: "TUN type gre"
        }
    }

    /// What /proc/net/ip_vs calls it.
    var column: String {
        switch self {
        case .masquerading4, .masquerading6: "Masq"
        case .direct4, .direct6: "Route"
        case .ipip4, .ipip6, .fourInSix, .sixInFour, .gue4, .gue6, .gre4, .gre6: "Tunnel"
        }
    }

    /// The family of the clients.
    var family: AddressFamily {
        switch self {
        case .masquerading4, .direct4, .ipip4, .gue4, .gre4, .fourInSix: .inet
        case .masquerading6, .direct6, .ipip6, .gue6, .gre6, .sixInFour: .inet6
        }
    }

    private var serverFamily: AddressFamily {
        switch self {
        case .fourInSix: .inet6
        case .sixInFour: .inet
        case .masquerading4, .direct4, .ipip4, .gue4, .gre4, .masquerading6, .direct6, .ipip6, .gue6, .gre6: family
        }
    }

    private var network: Int { self == .masquerading4 || self == .masquerading6 ? 1 : 2 }

    /// The virtual address.
    var address: String {
        let host = 100 + (Self.allCases.firstIndex(of: self) ?? 0)
        return family == .inet ? "10.\(network).0.\(host)" : "fd00:\(network)::\(host)"
    }

    /// A real server's address for it.
    func address(of host: Host) -> String {
        serverFamily == .inet ? host.address : ForwardingNetwork.address6(of: host)
    }

    /// A `virtual_server` block of port 80 with these real servers, in this order, and their weights.
    func configuration(_ servers: [(host: Host, weight: Int)], scheduler: String = "rr") -> String {
        let blocks = servers.map { "real_server \(address(of: $0.host)) 80 {\n weight \($0.weight)\n }\n" }
        return "virtual_server \(address) 80 {\n protocol TCP\n lvs_sched \(scheduler)\n lvs_method \(words)\n"
            + blocks.joined() + "}\n"
    }
}

enum ForwardingNetwork {
    static let realServers: [Host] = [.web1, .web2, .director2]

    static func address6(of host: Host) -> String {
        "fd00:c8::\(host.address.split(separator: ".").last ?? "")"
    }

    /// Makes it of the cluster's hosts. `services`: those whose virtual addresses there are, none of them if vrrpd is to hold them.
    static func make(in lab: Lab, for services: [Forwarding]) throws {
        // Without a device of every kind in every namespace.
        try lab.run([
            "/bin/bash", "-c",
            """
            sysctl -qw net.core.fb_tunnels_only_for_init_net=1
            modprobe -d /run/lab -a ipip ip_gre ip6_gre ip6_tunnel sit fou fou6
            """,
        ])
        try configure(.client, in: lab, addresses: ["10.1.0.2/24", "10.2.0.2/24", "fd00:1::2/64", "fd00:2::2/64"])
        let virtual = services.map { "\($0.address)/\($0.family == .inet ? 32 : 128)" }
        try configure(
            .director1, in: lab,
            addresses: [
                "10.1.0.1/24", "10.2.0.1/24", "fd00:1::1/64", "fd00:2::1/64", "\(address6(of: .director1))/64",
            ] + virtual,
            settings: ["ipv4.ip_forward=1", "ipv4.conf.all.send_redirects=0", "ipv4.conf.eth0.send_redirects=0"]
                + ["ipv6.conf.all.forwarding=1"])
        let masquerading: Set<Forwarding> = [.masquerading4, .masquerading6]
        let onLoopback = services.filter { !masquerading.contains($0) }
            .map { "address add \($0.address)/\($0.family == .inet ? 32 : 128) dev lo" }
        for host in realServers {
            let (four, six) = (host.address, address6(of: host))
            try configure(
                host, in: lab, addresses: ["\(six)/64"],
                lines: [
                    "route add 10.1.0.0/24 via \(Host.director1.address)", "route add 10.2.0.0/24 dev eth0",
                    "route add fd00:1::/64 via \(address6(of: .director1))", "route add fd00:2::/64 dev eth0",
                    "link add wrap4 type ipip local \(four)", "link add wrapped6 type sit local \(four)",
                    "link add wrap6 type ip6tnl local \(six) mode any", "link add gre4 type gre local \(four) icsum",
                    "link add gre6 type ip6gre local \(six)", "fou add port 6080 gue",
                ] + ["wrap4", "wrapped6", "wrap6", "gre4", "gre6"].map { "link set \($0) up" } + onLoopback,
                settings: [
                    "ipv4.conf.all.accept_redirects=0", "ipv6.conf.eth0.accept_redirects=0",
                    "ipv4.conf.all.arp_ignore=1", "ipv4.conf.all.arp_announce=2",
                ])
            try lab.run(["/sbin/ip", "-6", "fou", "add", "port", "6080", "gue"], on: host)
        }
    }

    private static func configure(
        _ host: Host, in lab: Lab, addresses: [String], lines: [String] = [], settings: [String] = []
    ) throws {
        let added = addresses.map { "address add \($0) dev eth0\($0.contains(":") ? " nodad" : "")" }
        let settings = settings.map { "net.\($0)" }.joined(separator: " ")
        try lab.run(
            [
                "/bin/bash", "-ec",
                """
                \(settings.isEmpty ? "" : "sysctl -qw \(settings)")
                ip -batch - <<<'\((added + lines).joined(separator: "\n"))'
                """,
            ], on: host)
    }
}
