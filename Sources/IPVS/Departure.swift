// Servers that the configuration does not have any more, while their connections go on: they keep weight 0 until none is left, or until they
// have had their time. A service that left the configuration stays as long as one of its servers does. Nothing of it is written down: what a
// new process finds in a service of ours without a place in the configuration departs as well.

internal import Configuration
public import Net

/// How servers depart that a configuration leaves out.
public struct Departure: Equatable, Sendable {
    /// `lvs_drain_removed`: seconds after which what is left is cut off; 0: at once.
    public var limit: UInt32
    /// When the configuration came into force: RFC 3339, UTC.
    public var since: String

    /// Servers that a configuration with such a limit leaves out.
    public init(limit: UInt32, since: String) {
        self.limit = limit
        self.since = since
    }
}

/// What has left the configuration of one service, and is still in the table.
struct Departing: Equatable, Sendable {
    /// A server, as it was configured.
    struct Server: Equatable, Sendable {
        var configuration: RealServerConfiguration
        var departure: Departure
    }

    /// By address and port.
    var servers: [Endpoint: Server] = [:]
    /// The service without its servers, when it has left the configuration itself.
    var service: VirtualServerConfiguration?

    var isEmpty: Bool { servers.isEmpty }

    /// True when the table still has every one of the servers.
    func isAll(in table: ServiceEntry?) -> Bool {
        servers.keys.allSatisfy { table?.destinations[$0] != nil }
    }

    /// Without servers for which `isOver` holds; the service goes with the last one.
    mutating func end(_ isOver: (Endpoint) -> Bool) {
        servers = servers.filter { !isOver($0.key) }
        if servers.isEmpty { service = nil }
    }

    /// `configuration` with the departing servers at its end; nil when there is nothing of either.
    func joined(to configuration: VirtualServerConfiguration?) -> VirtualServerConfiguration? {
        guard var joined = configuration ?? service else { return nil }
        guard !servers.isEmpty else { return joined }
        joined.realServers += servers.sorted { $0.key < $1.key }.map(\.value.configuration)
        return joined
    }
}

extension Standing {
    /// True when only its departing servers keep it in the table.
    public var isDeparting: Bool { departing.service != nil }

    /// Its pool, unless only departing servers keep it in the table.
    public var wantedPool: Pool? { isDeparting ? nil : pool }

    /// True when nothing but its departure keeps a server from following its checks and its weight: what is decided about it has an effect
    /// when the configuration has it again.
    public func waitsForReturn(_ endpoint: Endpoint) -> Bool {
        departing.servers[endpoint] != nil && decisions[endpoint]?.override.mode ?? .enabled == .enabled
    }

    /// True when what a command makes would be undone: of what departs nothing can be changed, only deleted.
    func isLeaving(_ command: Command) -> Bool {
        switch command {
        case .addService, .editService, .addDestination: isDeparting
        case .editDestination(_, let endpoint, _): departing.servers[endpoint] != nil
        case .deleteService, .deleteDestination: false
        }
    }

    /// Servers that are drained until they have no connections: by decision, or because they left the configuration.
    var draining: Set<Endpoint> {
        var draining = Set(departing.servers.keys)
        for (endpoint, decision) in decisions where decision.override.mode == .drained { draining.insert(endpoint) }
        return draining
    }

    /// How long a server's drain may take; nil: until it has no connections.
    public func drainLimit(of endpoint: Endpoint) -> UInt32? {
        let decision = decisions[endpoint]?.override
        return [
            departing.servers[endpoint]?.departure.limit, decision?.mode == .drained ? decision?.drainLimit : nil,
        ].compactMap(\.self).min()
    }

    /// What `table` has and the configuration has no place for departs; what has a place again is back. `before`: the servers until now.
    /// `rebuild` has to follow.
    mutating func depart(_ table: [Endpoint: DestinationAttributes], _ before: Pool?, _ departure: Departure?) {
        let wanted = handMade.configuration(identity, in: configured)
        let staying = Set(wanted?.realServers.map(\.endpoint) ?? [])
        departing.service = nil
        guard let departure, departure.limit > 0 else {
            departing = Departing()
            return
        }
        departing.end { staying.contains($0) }
        for endpoint in departing.servers.keys { departing.servers[endpoint]?.departure.limit = departure.limit }
        for (endpoint, attributes) in table where departing.servers[endpoint] == nil && !staying.contains(endpoint) {
            let known = before?.member(endpoint)?.configuration
            // The sorry server comes and goes with the quorum.
            if known == nil, endpoint == wanted?.sorryServer?.endpoint { continue }
            guard let configuration = known ?? RealServerConfiguration(endpoint, attributes) else { continue }
            departing.servers[endpoint] = Departing.Server(configuration: configuration, departure: departure)
        }
        guard wanted == nil, !departing.isEmpty else { return }
        var service =
            before?.configuration
            ?? VirtualServerConfiguration(identity, held.entry?.attributes ?? ServiceAttributes())
        service.realServers = []
        service.sorryServer = nil
        departing.service = service
    }

    /// What departs already has another time from now on.
    mutating func retime(_ departure: Departure?) {
        depart([:], pool, departure)
        rebuild(departure)
    }

    /// Departures of servers that the table does not have any more are over. Returns true when there were such; `rebuild` has to follow.
    mutating func endDepartures() -> Bool {
        guard !departing.isEmpty, held != .unknown, !departing.isAll(in: held.entry) else { return false }
        let table = held.entry
        departing.end { table?.destinations[$0] == nil }
        return true
    }
}
