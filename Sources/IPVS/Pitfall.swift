// What keeps clients from being served although the table is as it should be, as far as this host can know it: its own settings, and that answers
// which must pass here do not. What is wrong on a real server alone is nobody's guess here.

internal import Configuration
public import Net

/// How this host treats packets.
public struct HostForwarding: Equatable, Sendable {
    /// Families in which it forwards packets, at one of its interfaces at least.
    public var families: Set<AddressFamily>
    /// Its own addresses.
    public var addresses: Set<IPAddress>

    /// A host.
    public init(families: Set<AddressFamily>, addresses: Set<IPAddress> = []) {
        self.families = families
        self.addresses = addresses
    }
}

/// Something that keeps clients from being served.
public enum Pitfall: Equatable, Sendable {
    /// Masqueraded servers answer to this host, which does not forward packets of the family. `server` is one of `count`.
    case noForwarding(AddressFamily, server: ServerIdentity, count: Int)
    /// Connections reach masqueraded servers, and no packet comes back through this host. `server` is one of `count`, and had so many
    /// connections in the last minute.
    case noAnswers(server: ServerIdentity, connections: UInt64, count: Int)
}

extension Pitfall {
    /// Stretches of the history that are looked at: a minute.
    private static let stretches = 6
    /// Fewer connections than this may have been broken off by their clients.
    private static let fewest: UInt64 = 3

    /// Those of a table; nil when the host cannot be asked, which is done only when servers are masqueraded.
    public static func found(
        in standings: some Sequence<Standing>, _ history: TrafficHistory, host: () -> HostForwarding?
    ) -> [Pitfall]? {
        var masqueraded: [AddressFamily: [(server: ServerIdentity, isDown: Bool)]] = [:]
        for standing in standings {
            for member in standing.pool?.members ?? []
            where member.configuration.forwarding == .masquerade && member.departure == nil {
                let server = ServerIdentity(standing.identity, member.configuration.endpoint)
                masqueraded[server.endpoint.address.family, default: []].append((server, member.health == .down))
            }
        }
        guard !masqueraded.isEmpty else { return [] }
        guard let host = host() else { return nil }
        var found: [Pitfall] = []
        for family in [AddressFamily.inet, .inet6] {
            let servers = masqueraded[family, default: []].filter {
                !host.addresses.contains($0.server.endpoint.address)
            }
            guard let first = servers.map(\.server).min(by: { "\($0)" < "\($1)" }) else { continue }
            if host.families.contains(family) {
                if let silent = noAnswers(servers.filter { !$0.isDown }.map(\.server), history) { found.append(silent) }
            } else {
                found.append(.noForwarding(family, server: first, count: servers.count))
            }
        }
        return found
    }

    /// Whether servers get connections and are not heard. A server of UDP need not answer, and what a mark stands for is not known.
    private static func noAnswers(_ servers: [ServerIdentity], _ history: TrafficHistory) -> Pitfall? {
        var silent: [(server: ServerIdentity, connections: UInt64)] = []
        for server in servers {
            guard case .address(let transport, _) = server.service, transport != .udp else { continue }
            let samples = history.samples(of: server).suffix(stretches)
            let connections = samples.reduce(0) { $0 + $1.connections }
            guard connections >= fewest, samples.allSatisfy({ $0.outPackets == 0 }) else { continue }
            silent.append((server, connections))
        }
        guard let first = silent.min(by: { "\($0.server)" < "\($1.server)" }) else { return nil }
        return .noAnswers(server: first.server, connections: first.connections, count: silent.count)
    }
}
