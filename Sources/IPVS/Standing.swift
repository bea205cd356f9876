// Everything that is known and wanted about one virtual service: its pool (configuration, verdicts, side of the quorum), what people decided
// about its servers, whether it is ours, what the kernel has of it and what the kernel refuses. What the table should have is a function
// of this value (`change`); no event adds or removes by its own reckoning.
//
// Ownership: a service is ours from the first command about it that the kernel executed, or from the moment we found it in the table while
// it stood in our configuration, until neither our configuration nor the table has it.

public import Configuration
public import Net

/// What the kernel has of a service.
public enum Held: Equatable, Sendable {
    /// Not read yet, or lost sight of.
    case unknown
    /// The service is not in the table.
    case absent
    /// The service as it is in the table.
    case present(ServiceEntry)

    /// The service as far as it is known to be in the table.
    public var entry: ServiceEntry? {
        if case .present(let entry) = self { entry } else { nil }
    }
}

/// A virtual service.
public struct Standing: Sendable {
    /// What it is.
    public let identity: VirtualServerIdentity
    /// What the configuration says; nil when it is not configured (any more).
    public internal(set) var configured: VirtualServerConfiguration?
    /// What was made by hand.
    public internal(set) var handMade = HandMade()
    /// What is wanted, of either origin, and the state of its servers; nil when nothing is wanted (any more).
    public internal(set) var pool: Pool?
    /// What has left the configuration and is still in the table.
    var departing = Departing()
    /// What people decided about its servers, configured or not.
    public internal(set) var decisions: [Endpoint: Decision] = [:]
    /// We may delete it.
    public internal(set) var isOwned = false
    /// What the kernel has.
    public internal(set) var held = Held.unknown
    /// Commands that the kernel refused, by what they are about (nil: the service itself). They are not sent again before `forgive`.
    public internal(set) var refusals: [Endpoint?: Command] = [:]
    /// The kernel took something in the place of what it had refused: what was held back because of that may follow.
    private var wasTaken = false
    /// What an earlier process knew; used until the kernel's table was read.
    var remembered: RememberedService?

    init(_ identity: VirtualServerIdentity) {
        self.identity = identity
    }

    /// True when there is nothing left to know about it.
    var isOver: Bool { pool == nil && !isOwned && decisions.isEmpty && handMade.isEmpty }

    /// A server of the pool that the configuration does not have.
    public func isHandMade(_ endpoint: Endpoint) -> Bool {
        handMade.servers[endpoint] != nil && configured?.realServers.contains { $0.endpoint == endpoint } != true
    }

    /// Decisions about servers that are not configured.
    public var orphans: [Endpoint: Decision] { decisions.filter { pool?.member($0.key) == nil } }

    // MARK: Configuration

    /// Takes a configuration: verdicts are kept by endpoint. It takes over a service that was made by hand, with its servers, and servers
    /// that were added to it by hand. What was decided about servers that it does not have ends with them. Servers that it leaves out depart.
    mutating func configure(_ configuration: VirtualServerConfiguration, _ departure: Departure?) {
        let before = wantedTable
        if handMade.attributes != nil {
            let stay = Set(configuration.realServers.map(\.endpoint))
            for endpoint in handMade.servers.keys where !stay.contains(endpoint) { decisions[endpoint] = nil }
            handMade = HandMade()
        }
        if !handMade.servers.isEmpty {
            for server in configuration.realServers { handMade.servers[server.endpoint] = nil }
        }
        configured = configuration
        depart(before, pool, departure)
        rebuild(departure)
    }

    /// The service left the configuration; what was added to it by hand goes with it, and what was decided about that.
    mutating func unconfigure(_ departure: Departure?) {
        let before = wantedTable
        for endpoint in handMade.servers.keys { decisions[endpoint] = nil }
        configured = nil
        handMade = HandMade()
        depart(before, pool, departure)
        rebuild(departure)
    }

    /// What the table has, or is going to have as far as it is known. A table that was not read yet has nothing to depart: that is seen then.
    private var wantedTable: [Endpoint: DestinationAttributes] {
        guard remembered == nil else { return [:] }
        return (held == .unknown ? pool?.entry : held.entry)?.destinations ?? [:]
    }

    /// Makes the pool anew from what is configured, what was made by hand, and what is departing. `departure`: of what has no place when the
    /// table was read before anything was wanted of it.
    mutating func rebuild(_ departure: Departure?) {
        _ = endDepartures()
        let wanted = handMade.configuration(identity, in: configured)
        guard let configuration = departing.joined(to: wanted) else { return dissolve() }
        let before = pool
        let remembered = remembered
        pool = Pool(configuration, side: before?.settledSide ?? remembered?.side ?? .lost) { server in
            let health = before?.member(server.endpoint)?.health ?? remembered?.servers[server.endpoint]?.health
            var member = Member(
                server, health: health ?? .unknown(adopted: nil),
                override: decisions[server.endpoint]?.override ?? ServerOverride())
            let known = before?.member(server.endpoint)?.weightChange ?? remembered?.weightChanges[server.endpoint]
            member.weightChange = server.checkers.isEmpty ? 0 : known ?? 0
            member.isRemembered = before?.member(server.endpoint)?.isRemembered ?? true
            member.departure = departing.servers[server.endpoint]?.departure
            return member
        }
        // What was refused was refused of the old configuration.
        refusals = [:]
        if before == nil, held != .unknown { _ = observe(held.entry, departure) }
    }

    /// Nothing is wanted any more.
    private mutating func dissolve() {
        pool = nil
        if held != .unknown { remembered = nil }
        refusals = [:]
        if held == .absent { isOwned = false }
    }

    // MARK: The kernel's table

    /// The kernel's table was read. Returns true when it is not what it was known to be. At the first look what has no place departs.
    mutating func observe(_ entry: ServiceEntry?, _ departure: Departure?) -> Bool {
        let found = entry.map(Held.present) ?? .absent
        let isDrift = held != .unknown && held != found
        held = found
        let isFirst = remembered != nil
        if let remembered { adopt(entry, remembered) }
        remembered = nil
        if pool != nil, entry != nil { isOwned = true }
        if isFirst, isOwned { depart(entry?.destinations ?? [:], pool, departure) }
        if isFirst && !departing.isEmpty || endDepartures() { rebuild(departure) }
        if pool == nil, entry == nil { isOwned = false }
        if !refusals.isEmpty { markRefused() }
        return isDrift
    }

    /// A command that was given by hand was executed. `rebuild` has to follow.
    mutating func made(_ command: Command) {
        let isNew = if case .addService = command { true } else { false }
        guard isNew || configured != nil || handMade.attributes != nil || isOwned else { return }
        switch command {
        // An addition: somebody else had deleted it.
        case .deleteService, .addService: if handMade.attributes != nil { decisions = [:] }
        case .editService, .addDestination, .editDestination, .deleteDestination: break
        }
        if case .deleteDestination(_, let endpoint) = command, handMade.servers[endpoint] != nil {
            decisions[endpoint] = nil
        }
        if isNew || configured != nil || handMade.attributes != nil { handMade.note(command) }
        took(command)
    }

    /// Commands were executed.
    mutating func took(_ commands: ArraySlice<Command>) {
        for command in commands { took(command) }
    }

    private mutating func took(_ command: Command) {
        if !refusals.isEmpty, refusals.removeValue(forKey: command.endpoint) != nil { wasTaken = true }
        switch (command, held) {
        case (.addService(_, let attributes), _): held = .present(ServiceEntry(attributes: attributes))
        case (.deleteService, _): held = .absent
        case (let command, .present(var entry)):
            // One owner at a time, so that the dictionary is changed in place.
            held = .unknown
            entry.apply(command)
            held = .present(entry)
        case (_, .absent), (_, .unknown): break
        }
        isOwned = pool != nil || held != .absent
    }

    /// The kernel refused commands.
    mutating func refused(_ commands: [Command]) {
        for command in commands { refusals[command.endpoint] = command }
        markRefused()
    }

    /// What was to be written is written: what is wanted next starts from here. Returns true when it has to be compared once more.
    mutating func settle() -> Bool {
        if endDepartures() {
            rebuild(nil)
            return true
        }
        if pool?.hasRefusals == true || !refusals.isEmpty { markRefused() }
        pool?.settle()
        defer { wasTaken = false }
        return wasTaken
    }

    /// Lets refused commands be tried again.
    mutating func forgive() {
        refusals = [:]
        markRefused()
    }

    /// Tells the pool what the kernel does not take.
    private mutating func markRefused() {
        guard pool != nil else { return }
        let entry = held.entry
        pool?.isRefused = refusals[nil] != nil && held == .absent
        pool?.setAcceptance { endpoint in
            switch refusals[endpoint] {
            case .addDestination, .editDestination: .refused(heldWeight: entry?.destinations[endpoint]?.weight)
            case .deleteDestination, .addService, .editService, .deleteService, nil: .accepted
            }
        }
    }

    // MARK: What to do

    /// What differs between what the kernel has and what it should have, without what it refuses, and without what would leave nobody who
    /// serves. `endpoints`: only these can differ; nil: everything is compared.
    func change(of endpoints: Set<Endpoint>? = nil) -> Change {
        let actual: ServiceEntry?
        switch held {
        case .unknown: return Change()
        case .absent: actual = nil
        case .present(let entry): actual = entry
        }
        guard let pool else {
            var change = Change()
            if isOwned, actual != nil { change.lowering.append(.deleteService(identity)) }
            return change.without { refusals[nil] == $0 }
        }
        if let endpoints, let actual, refusals.isEmpty, pool.serves {
            var change = Change()
            for endpoint in endpoints.sorted() {
                change.add(
                    identity, endpoint, from: actual.destinations[endpoint], to: pool.destination(endpoint))
            }
            return change
        }
        var wanted = pool.entry
        if let actual { keepServing(in: &wanted, of: actual, pool) }
        let change = Change(identity, from: actual, to: wanted)
        return refusals.isEmpty ? change : change.without { refusals[$0.endpoint] == $0 }
    }

    /// Who serves goes on serving, whether or not the pool has a place for it, while something is refused (a replacement that the kernel does
    /// not take is none), and while nobody of the pool serves and some of its servers only wait for a verdict. Not so for a server that its
    /// own health or a person takes out, and not beside a sorry server that serves.
    private func keepServing(in wanted: inout ServiceEntry, of actual: ServiceEntry, _ pool: Pool) {
        guard !refusals.isEmpty || !pool.serves && pool.members.contains(where: \.isUndecided) else { return }
        let sorry = pool.configuration.sorryServer?.endpoint
        if pool.isSorry, let sorry, let weight = actual.destinations[sorry]?.weight, weight > 0 { return }
        for (endpoint, attributes) in actual.destinations where attributes.weight > 0 {
            if let weight = wanted.destinations[endpoint]?.weight, weight > 0 { continue }
            if pool.member(endpoint)?.isOut ?? (endpoint == sorry || isTakenOut(endpoint)) { continue }
            wanted.destinations[endpoint] = attributes
        }
    }

    /// True when the kernel is known to have a server as it is wanted, and when nothing is wanted of it because it is not configured.
    public func isAsWanted(_ endpoint: Endpoint) -> Bool {
        guard let pool, pool.member(endpoint) != nil else { return true }
        return held != .unknown && held.entry?.destinations[endpoint] == pool.destination(endpoint)
    }

    /// True when a person took a server out that is not configured.
    private func isTakenOut(_ endpoint: Endpoint) -> Bool {
        guard let override = decisions[endpoint]?.override else { return false }
        return override.mode != .enabled || override.weight == 0
    }
}

extension Standing {
    /// Only decisions are left: what the kernel has under that name is no business of ours.
    mutating func forgetTable() {
        held = .unknown
        refusals = [:]
        remembered = nil
    }

    /// As if the kernel had taken everything that is wanted.
    mutating func assumeWritten() {
        refusals = [:]
        remembered = nil
        held = pool.map { .present($0.entry) } ?? .absent
        _ = settle()
    }
}
