// The pool machine of one virtual service: from configuration, health and overrides to the destinations the table should have. It keeps the
// sum of the weights of living servers, so one server's change costs one comparison unless the quorum flips.
//
// Quorum (reference/keepalived.md §3 facts 27 and 29): reached at quorum + hysteresis, lost below quorum - hysteresis or at 0. While it is
// lost and there is a sorry server, the sorry server serves alone; without one the remaining servers go on.

public import Configuration
public import Net

/// One virtual service with its real servers.
public struct Pool: Sendable {
    /// Its `virtual_server` block.
    public private(set) var configuration: VirtualServerConfiguration
    /// Its real servers in file order.
    public private(set) var members: [Member]
    /// True while enough servers live.
    public private(set) var hasQuorum: Bool
    private var positions: [Endpoint: Int] = [:]
    private var aliveWeight: Int64 = 0

    /// What a change of one server means for the table.
    enum Effect: Equatable {
        /// At most the server's own destination differs.
        case server
        /// The quorum was gained or lost: every destination may differ.
        case pool
    }

    /// A pool; `hadQuorum` is the state before a reload, `health` says what is known about a server, `override` what was decided
    /// about it.
    init(
        _ configuration: VirtualServerConfiguration, hadQuorum: Bool,
        health: (Endpoint) -> Health, override: (Endpoint) -> ServerOverride
    ) {
        self.configuration = configuration
        hasQuorum = hadQuorum
        members = configuration.realServers.map { server in
            var member = Member(server, health: health(server.endpoint))
            member.override = override(server.endpoint)
            return member
        }
        for (position, member) in members.enumerated() {
            positions[member.configuration.endpoint] = position
            aliveWeight += member.quorumWeight
        }
        updateQuorum()
    }

    /// The sum of the weights of the servers that live.
    public var livingWeight: Int64 { aliveWeight }

    /// True while the sorry server serves instead of the real ones.
    public var isSorry: Bool { !hasQuorum && configuration.sorryServer != nil }

    /// A real server by its endpoint.
    public func member(_ endpoint: Endpoint) -> Member? {
        positions[endpoint].map { members[$0] }
    }

    /// Changes one server; nil when there is no such server or nothing changed.
    mutating func update(_ endpoint: Endpoint, _ change: (inout Member) -> Void) -> Effect? {
        guard let position = positions[endpoint] else { return nil }
        let before = members[position]
        change(&members[position])
        guard members[position] != before else { return nil }
        aliveWeight += members[position].quorumWeight - before.quorumWeight
        return updateQuorum() ? .pool : .server
    }

    /// Everything the table should have for this service.
    var entry: ServiceEntry {
        var entry = ServiceEntry(attributes: ServiceAttributes(configuration))
        for member in members {
            entry.destinations[member.configuration.endpoint] = member.destination(isSuspended: isSorry)
        }
        if let sorry = configuration.sorryServer, let attributes = sorryDestination(sorry) {
            entry.destinations[sorry.endpoint] = attributes
        }
        return entry
    }

    /// How the table should have one destination.
    func destination(_ endpoint: Endpoint) -> DestinationAttributes? {
        if let sorry = configuration.sorryServer, sorry.endpoint == endpoint, let attributes = sorryDestination(sorry) {
            return attributes
        }
        return member(endpoint)?.destination(isSuspended: isSorry)
    }

    /// The sorry server's own place in the table. One that is also a real server is a real server while the quorum holds.
    private func sorryDestination(_ sorry: SorryServerConfiguration) -> DestinationAttributes? {
        if isSorry { return DestinationAttributes(forwarding: .method(sorry.forwarding)) }
        guard sorry.inhibits, member(sorry.endpoint)?.destination(isSuspended: false) == nil else { return nil }
        return DestinationAttributes(forwarding: .method(sorry.forwarding), weight: 0)
    }

    /// Returns true when the quorum was gained or lost.
    @discardableResult
    private mutating func updateQuorum() -> Bool {
        let before = hasQuorum
        let quorum = Int64(configuration.quorum)
        let hysteresis = Int64(configuration.hysteresis)
        hasQuorum = aliveWeight > 0 && aliveWeight >= (before ? quorum - hysteresis : quorum + hysteresis)
        return hasQuorum != before
    }
}
