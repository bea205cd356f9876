// What keeps clients from being served although the table is as it should be, as far as this host can know it: its own settings, and that answers
// which must pass here do not. Said only where it bites: what may be meant so, and what is wrong on a real server alone, is nobody's guess here.

internal import Configuration
public import Net

/// Something that keeps clients from being served.
public enum Pitfall: Equatable, Sendable {
    /// Masqueraded servers answer to this host, which does not forward packets of the family. `server` is one of `count`.
    case noForwarding(AddressFamily, server: ServerIdentity, count: Int)
    /// Connections reach masqueraded servers, and no packet comes back through this host. `server` is one of `count`, and had so many
    /// connections in the last minute. `filters`: the interfaces whose strict rp_filter drops at least as many packets meanwhile.
    case noAnswers(server: ServerIdentity, connections: UInt64, count: Int, filters: [String])
    /// The table of connections (nf_conntrack) is nearly full: packets are dropped before IPVS sees them.
    case trackingNearlyFull(HostNetwork.Tracking)
    /// This host is a real server of a service whose address it has on lo and answers for at an interface: clients bypass the director.
    case answersFor(IPAddress, interface: String)
    /// This host is such a server, and its requests at an interface may name the service's address as their source: neighbours learn it.
    case announces(IPAddress, interface: String)
    /// This host is a real server by tunnel, and rp_filter drops what other directors send it through that interface.
    case tunnelFiltered(server: ServerIdentity, interface: String)
    /// The interface takes fewer octets than a packet of 1280 octets (IPv6's least MTU) has in its tunnel: the kernel sends the server nothing.
    case tunnelTooNarrow(server: ServerIdentity, interface: String, mtu: UInt32, needed: UInt32)
    /// Servers of weight 0 get new connections in spite of it, by a setting of IPVS. `server` is one of `count`.
    case weightIgnored(HostNetwork.Setting, server: ServerIdentity, count: Int)
}

extension Pitfall {
    /// What has been seen of the packets of the last minute.
    public struct Traffic {
        /// What went to and from the servers.
        public let history: TrafficHistory
        /// What `rp_filter` dropped.
        public let filtered: UInt64

        /// Of the last minute.
        public init(_ history: TrafficHistory, filtered: UInt64 = 0) {
            self.history = history
            self.filtered = filtered
        }
    }

    /// Those of a table; nil when the host cannot be asked, which is done only when there are servers. `before`: what was found last.
    public static func found(
        in standings: some Sequence<Standing>, before: [Pitfall] = [], host: () -> (HostNetwork, Traffic)?
    ) -> [Pitfall]? {
        var staying: [ConfiguredServer] = []
        var leaving: [ConfiguredServer] = []
        for standing in standings {
            for member in standing.pool?.members ?? [] {
                let server = ConfiguredServer(standing, member)
                // The configuration does not have those that depart any more.
                if member.departure == nil { staying.append(server) } else { leaving.append(server) }
            }
        }
        guard !staying.isEmpty || !leaving.isEmpty else { return [] }
        guard let (host, traffic) = host() else { return nil }
        return masquerading(staying, traffic, host) + tracking(host, before) + serving(staying, host)
            + narrowTunnels(staying, host) + ignoredWeights([staying, leaving].joined(), host)
    }

    // MARK: Masquerading

    private static func masquerading(
        _ servers: [ConfiguredServer], _ traffic: Traffic, _ host: HostNetwork
    ) -> [Pitfall] {
        let own = host.addresses
        return AddressFamily.allCases.compactMap { family in
            // A thousand servers are looked at every ten seconds: nothing is copied.
            let servers = servers.lazy.filter {
                $0.forwarding == .masquerade && $0.address.family == family && !own.contains($0.address)
            }
            guard host.families.contains(family) else {
                return first(servers.map(\.identity)).map {
                    .noForwarding(family, server: $0, count: servers.count)
                }
            }
            return noAnswers(servers.filter { $0.health != .down }.map(\.identity), traffic, host)
        }
    }

    /// Stretches of the history that are looked at: a minute.
    private static let stretches = 6
    /// Fewer connections than this may have been broken off by their clients.
    private static let fewest: UInt64 = 3

    /// Whether servers get connections and are not heard. A server of UDP need not answer, and what a mark stands for is not known.
    private static func noAnswers(
        _ servers: some Sequence<ServerIdentity>, _ traffic: Traffic, _ host: HostNetwork
    ) -> Pitfall? {
        var silent: [ServerIdentity: UInt64] = [:]
        for server in servers {
            guard case .address(let transport, _) = server.service, transport != .udp else { continue }
            let samples = traffic.history.samples(of: server).suffix(stretches)
            let connections = samples.reduce(0) { $0 + $1.connections }
            guard connections >= fewest, samples.allSatisfy({ $0.outPackets == 0 }) else { continue }
            silent[server] = connections
        }
        guard let first = first(silent.keys), let connections = silent[first] else { return nil }
        // IPv6 has no rp_filter.
        let filters = first.endpoint.address.family == .inet && traffic.filtered >= connections
        return .noAnswers(
            server: first, connections: connections, count: silent.count, filters: filters ? host.strictInterfaces : [])
    }

    // MARK: Settings of this host

    /// From 90 % on, until it is below 80 %.
    private static func tracking(_ host: HostNetwork, _ before: [Pitfall]) -> [Pitfall] {
        guard let tracking = host.tracking, tracking.limit > 0 else { return [] }
        let stands = before.contains { if case .trackingNearlyFull = $0 { true } else { false } }
        let share = Double(tracking.count) / Double(tracking.limit)
        return share >= (stands ? 0.8 : 0.9) ? [.trackingNearlyFull(tracking)] : []
    }

    /// Where this host is itself a real server that other directors send packets to: it has the service's address on lo and nowhere else.
    private static func serving(_ servers: [ConfiguredServer], _ host: HostNetwork) -> [Pitfall] {
        let own = host.addresses
        let loopback = Set(host.interfaces.filter(\.isLoopback).flatMap { $0.prefixes.map(\.address) })
        let elsewhere = Set(host.interfaces.filter { !$0.isLoopback }.flatMap { $0.prefixes.map(\.address) })
        var found: [Pitfall] = []
        for server in servers where server.forwarding != .masquerade && own.contains(server.address) {
            guard case .address(_, let virtual) = server.identity.service, virtual.address.family == .inet,
                loopback.contains(virtual.address), !elsewhere.contains(virtual.address)
            else { continue }
            for interface in host.interfaces where interface.answersARP && !interface.isLoopback {
                if !ARPSettings.isSilent(ignore: interface.arp.ignore) {
                    found.append(.answersFor(virtual.address, interface: interface.name))
                }
                if !ARPSettings.isSilent(announce: interface.arp.announce) {
                    found.append(.announces(virtual.address, interface: interface.name))
                }
            }
            // The kernel's own device for packets from anybody; one of another name may be anything.
            if server.forwarding == .tunnel(.ipip), let tunnel = host.interfaces.first(where: { $0.name == "tunl0" }),
                tunnel.reversePathFilter == 1
            {
                found.append(.tunnelFiltered(server: server.identity, interface: tunnel.name))
            }
        }
        return found
    }

    /// Tunnels over IPv6 whose interface the kernel refuses: __ip_vs_get_out_rt_v6 in net/netfilter/ipvs/ip_vs_xmit.c.
    private static func narrowTunnels(_ servers: [ConfiguredServer], _ host: HostNetwork) -> [Pitfall] {
        let narrow = host.interfaces.filter { $0.mtu < TunnelKind.leastMTU + TunnelKind.mostOverhead }
        guard !narrow.isEmpty else { return [] }
        let own = host.addresses
        return servers.compactMap { server in
            guard case .tunnel(let kind) = server.forwarding, server.address.family == .inet6,
                !own.contains(server.address),
                let interface = narrow.first(where: { $0.prefixes.contains { $0.contains(server.address) } })
            else { return nil }
            let needed = TunnelKind.leastMTU + kind.overhead
            guard interface.mtu < needed else { return nil }
            return .tunnelTooNarrow(
                server: server.identity, interface: interface.name, mtu: interface.mtu, needed: needed)
        }
    }

    /// Servers that have weight 0 so that nobody new comes, and settings by which some come nevertheless.
    private static func ignoredWeights(
        _ servers: some Sequence<ConfiguredServer>, _ host: HostNetwork
    ) -> [Pitfall] {
        HostNetwork.Setting.allCases.filter { host.settings[$0] == 0 }.compactMap { setting in
            let ignored = servers.filter { server in
                switch setting {
                // ip_vs_in in net/netfilter/ipvs/ip_vs_core.c: such connections go elsewhere by either setting.
                case .reuse:
                    host.settings[.expireConnections] == 0 && server.identity.service.isOfConnections
                        && server.hasNoWeight
                // ip_vs_check_template. A drain waits for persistent clients; a server that is down is of no use to them.
                case .expireTemplates: server.health == .down && server.isPersistent && server.hasNoWeight
                case .expireConnections: false
                }
            }
            return first(ignored.map(\.identity)).map { .weightIgnored(setting, server: $0, count: ignored.count) }
        }
    }

    /// Always the same one of the same servers.
    private static func first(_ servers: some Sequence<ServerIdentity>) -> ServerIdentity? {
        servers.min { one, other in
            one.endpoint == other.endpoint
                ? "\(one.service)" < "\(other.service)" : one.endpoint < other.endpoint
        }
    }
}

/// A server as far as pitfalls go by it.
private struct ConfiguredServer {
    let identity: ServerIdentity
    let forwarding: ForwardingMethod
    let health: Health
    /// The kernel has it with weight 0.
    let hasNoWeight: Bool
    let isPersistent: Bool

    var address: IPAddress { identity.endpoint.address }

    init(_ standing: Standing, _ member: Member) {
        let endpoint = member.configuration.endpoint
        identity = ServerIdentity(standing.identity, endpoint)
        forwarding = member.configuration.forwarding
        health = member.health
        hasNoWeight = standing.held.entry?.destinations[endpoint]?.weight == 0
        isPersistent = standing.held.entry?.attributes.persistence != nil
    }
}

extension VirtualServerIdentity {
    /// Its packets belong to connections of TCP or SCTP, for all that is known.
    fileprivate var isOfConnections: Bool {
        if case .address(let transport, _) = self { transport != .udp } else { false }
    }
}

extension HostNetwork {
    /// Interfaces that drop what comes by another way than answers would go.
    fileprivate var strictInterfaces: [String] { interfaces.filter { $0.reversePathFilter == 1 }.map(\.name) }
}

extension TunnelKind {
    /// IPv6's least MTU.
    fileprivate static let leastMTU: UInt32 = 1280
    fileprivate static let mostOverhead: UInt32 = 52

    /// Octets of its headers over IPv6 that every packet has.
    fileprivate var overhead: UInt32 {
        switch self {
        case .ipip: 40
        case .gre(let checksum): checksum == .none ? 44 : 48
        case .gue: 52
        }
    }
}
