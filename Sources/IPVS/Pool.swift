// The pool machine of one virtual service: from configuration, health and overrides to the destinations the table should have. It keeps the
// sum of the weights of living servers, so one server's change costs one comparison unless the quorum flips.
//
// Quorum (reference/keepalived.md §3 facts 27 and 29): reached at quorum + hysteresis, lost below quorum - hysteresis or at 0. While it is
// lost and there is a sorry server, the sorry server serves alone; without one the remaining servers go on.

public import Configuration
public import Net

/// On which side of the hysteresis band a pool is.
public enum QuorumSide: String, Equatable, Sendable {
    /// Enough weight lives: lost below quorum - hysteresis.
    case held
    /// Too little lives: gained at quorum + hysteresis.
    case lost
}

/// One virtual service with its real servers.
public struct Pool: Sendable {
    /// Its `virtual_server` block.
    public private(set) var configuration: VirtualServerConfiguration
    /// Its real servers in file order.
    public private(set) var members: [Member]
    /// The side that follows from `settledSide` and the weights.
    public private(set) var side: QuorumSide
    /// The side when the kernel last had what is wanted; what was only attempted does not move it.
    private(set) var settledSide: QuorumSide
    /// The kernel refuses the service as such and does not have it.
    var isRefused = false {
        didSet { updateQuorum() }
    }
    private var positions: [Endpoint: Int] = [:]
    private var aliveWeight: Int64 = 0
    /// The kernel refuses the service or one of its servers.
    private(set) var hasRefusals = false

    /// What a change of one server means for the table.
    enum Effect: Equatable {
        /// At most the server's own destination differs.
        case server
        /// The quorum was gained or lost, or the first server serves, or none does any more: every destination may differ.
        case pool
    }

    /// A pool; `side` is where it was before, `member` makes the member of a block.
    init(
        _ configuration: VirtualServerConfiguration, side: QuorumSide, member: (RealServerConfiguration) -> Member
    ) {
        self.configuration = configuration
        self.side = side
        settledSide = side
        members = configuration.realServers.map(member)
        for (position, member) in members.enumerated() {
            positions[member.configuration.endpoint] = position
            aliveWeight += member.quorumWeight
        }
        updateQuorum()
    }

    /// True while enough servers live.
    public var hasQuorum: Bool { side == .held }

    /// The sum of the weights of the servers that live.
    public var livingWeight: Int64 { isRefused ? 0 : aliveWeight }

    /// True while the sorry server serves instead of the real ones.
    public var isSorry: Bool { !hasQuorum && configuration.sorryServer != nil }

    /// True when somebody serves once the table is as it should be: real servers, or the sorry server.
    var serves: Bool { isSorry || livingWeight > 0 }

    /// A real server by its endpoint.
    public func member(_ endpoint: Endpoint) -> Member? {
        positions[endpoint].map { members[$0] }
    }

    /// Changes one server; nil when there is no such server or nothing changed.
    mutating func update(_ endpoint: Endpoint, _ change: (inout Member) -> Void) -> Effect? {
        guard let position = positions[endpoint] else { return nil }
        let before = members[position]
        let served = serves
        change(&members[position])
        guard members[position] != before else { return nil }
        aliveWeight += members[position].quorumWeight - before.quorumWeight
        return updateQuorum() || serves != served ? .pool : .server
    }

    /// Tells every server whether the kernel takes it.
    mutating func setAcceptance(_ acceptance: (Endpoint) -> Member.Acceptance) {
        aliveWeight = 0
        hasRefusals = isRefused
        for position in members.indices {
            members[position].acceptance = acceptance(members[position].configuration.endpoint)
            if members[position].acceptance != .accepted { hasRefusals = true }
            aliveWeight += members[position].quorumWeight
        }
        updateQuorum()
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
    public func destination(_ endpoint: Endpoint) -> DestinationAttributes? {
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

    /// The kernel has what is wanted: the next change starts from this side.
    mutating func settle() {
        settledSide = side
    }

    /// Puts the pool on the side that the kernel's table or an earlier process shows.
    mutating func settle(on side: QuorumSide) {
        settledSide = side
        updateQuorum()
        settledSide = self.side
    }

    /// Returns true when the quorum was gained or lost.
    @discardableResult
    private mutating func updateQuorum() -> Bool {
        let before = side
        let quorum = Int64(configuration.quorum)
        let hysteresis = Int64(configuration.hysteresis)
        let needed = settledSide == .held ? quorum - hysteresis : quorum + hysteresis
        side = livingWeight > 0 && livingWeight >= needed ? .held : .lost
        return side != before
    }
}
