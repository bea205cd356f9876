// What a client of a service meets, in the order in which the kernel asks (ip_vs_in): a connection that it has, the persistence template of
// its network, then the scheduler.

internal import Configuration
public import Net

/// Which server a client gets, and why.
public enum ClientFate: Equatable, Sendable {
    /// It has a connection from that port. False: the server is not in the table any more, and the packets of the connection are dropped.
    case connected(ConnectionEntry, isServed: Bool)
    /// It, or another client of its network, was at this server before.
    case persistent(ConnectionEntry, to: Endpoint)
    /// The scheduler hashes. `guessed`: servers of weight 0 whose last weight, by which mh goes, is a guess.
    case hashed(HashChoice, guessed: [Endpoint])
    /// The scheduler takes one of these by what it counts.
    case oneOf([Endpoint])
    /// No server takes connections.
    case nobody
    /// The scheduler hashes the client's port, which is not said.
    case dependsOnPort
    /// The scheduler hashes the address of the service, and a firewall mark has many.
    case dependsOnAddress
}

/// A client that is asked about, and the connections that may be its own.
public struct ClientQuestion: Sendable {
    private let service: ServiceSnapshot
    private let client: IPAddress
    /// Nil: not said.
    private let port: UInt16?
    private var connection: ConnectionEntry?
    private var template: ConnectionEntry?

    /// A question about a client of the service's family. `port`: nil = any.
    public init(_ service: ServiceSnapshot, client: IPAddress, port: UInt16?) {
        self.service = service
        self.client = client
        self.port = port
    }

    /// Looks at a line of the kernel's connections, of which there may be many.
    public mutating func look(at line: String) {
        guard let entry = ConnectionEntry(line), entry.client.address.family == client.family else { return }
        if entry.client.port == 0 {
            if isTemplate(entry) { template = entry }
        } else if entry.client.address == client, entry.client.port == port, isOfService(entry) {
            connection = entry
        }
    }

    /// The answer, when all connections were looked at.
    /// - Parameters:
    ///   - lastWeights: the last weights above 0 of servers that have weight 0 now, where they are known.
    ///   - expiresQuiescent: net.ipv4.vs.expire_quiescent_template: a template of a server of weight 0 counts no more.
    public func fate(lastWeights: [Endpoint: Int32] = [:], expiresQuiescent: Bool = false) -> ClientFate {
        if let connection {
            return .connected(connection, isServed: destination(connection.server) != nil)
        }
        if let template, let destination = destination(template.server),
            destination.attributes.weight > 0 || !expiresQuiescent
        {
            return .persistent(template, to: destination.endpoint)
        }
        let willing = service.destinations.filter(\.takesConnections).map(\.endpoint)
        guard !willing.isEmpty else { return .nobody }
        guard let hash = HashScheduler(service, lastWeights: lastWeights) else { return .oneOf(willing) }
        if hash.usesPort, port == nil { return .dependsOnPort }
        let virtual: IPAddress
        switch service.identity {
        case .address(_, let endpoint): virtual = endpoint.address
        case .firewallMark:
            guard hash.kind != .dh else { return .dependsOnAddress }
            virtual = client
        }
        let quiet = service.destinations.filter { $0.attributes.weight == 0 && lastWeights[$0.endpoint] == nil }
        return .hashed(
            hash.choice(client: client, port: port ?? 0, virtual: virtual),
            guessed: hash.kind == .mh ? quiet.map(\.endpoint) : [])
    }

    /// Servers of a service of every port, and templates of one or of a firewall mark, have port 0.
    private func destination(_ server: Endpoint) -> DestinationSnapshot? {
        service.destinations.first { $0.endpoint == server }
            ?? service.destinations.first {
                $0.endpoint.address == server.address && ($0.endpoint.port == 0 || server.port == 0)
            }
    }

    /// The address that connections of a service have is the service's; those of a firewall mark do not tell it.
    private func isOfService(_ entry: ConnectionEntry) -> Bool {
        guard case .address(let transport, let endpoint) = service.identity else { return false }
        return entry.transport.lowercased() == transport.rawValue && entry.virtual.address == endpoint.address
            && (endpoint.port == 0 || entry.virtual.port == endpoint.port)
    }

    private func isTemplate(_ entry: ConnectionEntry) -> Bool {
        guard let persistence = service.attributes.persistence else { return false }
        let network = client.octets.enumerated().map { index, octet in
            let bits = min(max(persistence.prefixLength - index * 8, 0), 8)
            return octet & UInt8(truncatingIfNeeded: 0xFF00 >> bits)
        }
        guard entry.client.address.octets == network else { return false }
        switch service.identity {
        case .address(let transport, let endpoint):
            let isEveryPort = endpoint.port == 0 && entry.transport == "IP"
            return entry.virtual.address == endpoint.address && entry.virtual.port == endpoint.port
                && (isEveryPort || entry.transport.lowercased() == transport.rawValue)
        case .firewallMark(let mark, _):
            let octets = entry.virtual.address.octets
            return entry.transport == "IP" && octets.prefix(4).reduce(0) { $0 << 8 | UInt32($1) } == mark
                && octets.dropFirst(4).allSatisfy { $0 == 0 }
        }
    }
}
