// The whole of ipvsd's judgement, without a kernel or a bus: one standing per service. Events change standings and leave a note of what may
// differ from the kernel (`pending`); `change` says what does; `took` and `refused` say what the kernel made of it. An event costs what it
// changes: one server's verdict compares one server. Services that are not ours are never touched, whatever they are.

public import Configuration
public import Net

/// Desired state against the kernel's.
public struct Reconciler: Sendable {
    /// What may differ from the kernel.
    public enum Scope: Equatable, Sendable {
        /// Only these servers of the service.
        case servers(Set<Endpoint>)
        /// Everything about the service.
        case all
    }

    /// By service: configured ones, ours that left the configuration, and those with decisions about servers.
    public private(set) var standings: [VirtualServerIdentity: Standing] = [:]
    /// Services to be compared and written.
    public private(set) var pending: [VirtualServerIdentity: Scope] = [:]
    /// Counts up whenever something may have changed that an earlier process' successor should know.
    public private(set) var version = 0
    /// Services of ours of which it is not known what the kernel has.
    public private(set) var unread: Set<VirtualServerIdentity> = []

    /// Servers that are being drained, by service; configured or not.
    public private(set) var draining: [VirtualServerIdentity: Set<Endpoint>] = [:]
    /// How what has no place in the configuration leaves the table; nil: at once.
    private var departure: Departure?
    /// Counts the changes of what was made by hand.
    public private(set) var handMadeVersion = 0

    /// Starts from what an earlier process remembered, and what people want.
    public init(_ memory: Memory = Memory(), kept: DecisionText = DecisionText()) {
        for (service, remembered) in memory.services {
            standings[service] = Standing(service)
            standings[service]?.remembered = remembered
            standings[service]?.isOwned = remembered.isOwned
            if remembered.isOwned { unread.insert(service) }
        }
        for (server, decision) in kept.decisions {
            standings[server.service, default: Standing(server.service)].decisions[server.endpoint] = decision
            noteDrains(of: server.service)
        }
        for (service, made) in kept.handMade {
            var standing = standings.removeValue(forKey: service) ?? Standing(service)
            standing.handMade = made
            if standing.remembered == nil { standing.remembered = RememberedService() }
            // Servers that were added to a configured service wait for the configuration.
            if made.attributes != nil {
                standing.rebuild(nil)
                unread.insert(service)
                pending[service] = .all
            }
            standings[service] = standing
        }
    }

    /// What the file of decisions should have.
    public var kept: DecisionText {
        DecisionText(decisions, handMade: standings.compactMapValues { $0.handMade.isEmpty ? nil : $0.handMade })
    }

    /// Everything that people decided.
    public var decisions: [ServerIdentity: Decision] {
        var decisions: [ServerIdentity: Decision] = [:]
        for standing in standings.values where !standing.decisions.isEmpty {
            for (endpoint, decision) in standing.decisions {
                decisions[ServerIdentity(standing.identity, endpoint)] = decision
            }
        }
        return decisions
    }

    // MARK: What is wanted

    /// Makes `servers` the configuration; what is as it was is not looked at. Verdicts, decisions and the side of the quorum are kept by
    /// identity; verdicts about servers that are gone are forgotten, decisions about them stay (a server that is taken out of the file for
    /// an hour comes back as it was left). `departure`: how servers leave that are left out; nil: at once. Returns the services whose block
    /// changed, came or went.
    @discardableResult
    public mutating func configure(
        _ servers: [VirtualServerConfiguration], departure: Departure? = nil
    ) -> Set<VirtualServerIdentity> {
        let isOtherTime = self.departure?.limit != departure?.limit
        self.departure = departure
        var changed: Set<VirtualServerIdentity> = []
        var configured: Set<VirtualServerIdentity> = []
        configured.reserveCapacity(servers.count)
        for server in servers {
            configured.insert(server.identity)
            if standings[server.identity]?.configured == server { continue }
            changed.insert(server.identity)
            configure(server)
        }
        for (service, standing) in standings where !configured.contains(service) {
            if standing.configured != nil || standing.pool == nil && !standing.handMade.isEmpty {
                changed.insert(service)
                if !standing.handMade.isEmpty { handMadeVersion += 1 }
                standings[service]?.unconfigure(departure)
                noteDrains(of: service)
                plan(service, .all)
            }
            dropIfOver(service)
        }
        for service in draining.keys where isOtherTime && standings[service]?.departing.isEmpty == false {
            changed.insert(service)
            standings[service]?.retime(departure)
            noteDrains(of: service)
            plan(service, .all)
        }
        return changed
    }

    /// Something that a service's drains follow from has changed.
    private mutating func noteDrains(of service: VirtualServerIdentity) {
        let drains = standings[service]?.draining ?? []
        draining[service] = drains.isEmpty ? nil : drains
    }

    private mutating func configure(_ server: VirtualServerConfiguration) {
        let service = server.identity
        var standing = standings.removeValue(forKey: service) ?? Standing(service)
        if standing.pool == nil, standing.remembered == nil { standing.remembered = RememberedService() }
        let made = standing.handMade
        standing.configure(server, departure)
        if standing.handMade != made { handMadeVersion += 1 }
        if standing.held == .unknown { unread.insert(service) }
        standings[service] = standing
        noteDrains(of: service)
        plan(service, .all)
    }

    /// The kernel has executed commands that were given by hand. What they did to services of nobody's is not ours.
    public mutating func made(_ commands: [Command]) {
        var touched: Set<VirtualServerIdentity> = []
        for command in commands {
            let service = command.service
            var standing = standings.removeValue(forKey: service) ?? Standing(service)
            standing.made(command)
            if standing.pool != nil || !standing.handMade.isEmpty { touched.insert(service) }
            standings[service] = standing
        }
        for service in touched {
            handMadeVersion += 1
            standings[service]?.rebuild(departure)
            plan(service, .all)
        }
        for service in Set(commands.map(\.service)) {
            noteDrains(of: service)
            dropIfOver(service)
        }
    }

    /// A verdict about a server, and what its checks add to its weight. One that no probe has confirmed yet (assumed, or remembered by checkd)
    /// decides only where nothing is known: neither from an earlier verdict nor from the table of an adopted service. `isWeighed`: the weight
    /// does not wait for the verdict, which waits for the slowest check. Returns false when nothing changed.
    @discardableResult
    public mutating func heard(
        _ server: ServerIdentity, isUp: Bool, isVerified: Bool = true, isWeighed: Bool = false, weightChange: Int64 = 0
    ) -> Bool {
        update(server) { member in
            guard !member.configuration.checkers.isEmpty else { return }
            let decides = isVerified || member.health == .unknown(adopted: nil)
            if decides || isWeighed { member.weightChange = weightChange }
            guard decides else { return }
            member.health = isUp ? .up : .down
            member.isAssumed = !isVerified
            member.isRemembered = false
        }
    }

    /// A person decided about a server, which need not be configured; nil takes the decision back.
    public mutating func decide(_ server: ServerIdentity, _ decision: Decision?) {
        standings[server.service, default: Standing(server.service)].decisions[server.endpoint] = decision
        noteDrains(of: server.service)
        update(server) { $0.override = decision?.override ?? ServerOverride() }
        // One that is not configured may still serve.
        if let pool = standings[server.service]?.pool, pool.member(server.endpoint) == nil {
            plan(server.service, .servers([server.endpoint]))
        }
        dropIfOver(server.service)
    }

    /// Servers that left the configuration and are still in the table.
    public var departing: Set<ServerIdentity> {
        var departing: Set<ServerIdentity> = []
        for standing in standings.values {
            departing.formUnion(standing.departing.servers.keys.map { ServerIdentity(standing.identity, $0) })
        }
        return departing
    }

    /// Drained servers have no connections any more, or have had their time: they leave the table. Returns those that were being drained.
    public mutating func drainsAreOver(_ servers: Set<ServerIdentity>) -> [ServerIdentity] {
        let over = servers.filter { draining[$0.service]?.contains($0.endpoint) == true }
        for (service, servers) in Dictionary(grouping: over, by: \.service) {
            let departed = Set(servers.map(\.endpoint).filter { standings[service]?.departing.servers[$0] != nil })
            if !departed.isEmpty {
                standings[service]?.departing.end { departed.contains($0) }
                standings[service]?.rebuild(departure)
                noteDrains(of: service)
                plan(service, .all)
            }
            for server in servers where !departed.contains(server.endpoint) {
                guard var decision = standings[service]?.decisions[server.endpoint] else { continue }
                decision.override.mode = .left
                decide(server, decision)
            }
        }
        return over.sorted { "\($0)" < "\($1)" }
    }

    /// Decisions about servers that are not configured are kept up to this many, the latest of them.
    public static let orphanLimit = 1000

    /// Drops the oldest decisions about servers that are not configured when there are more than `limit`. Returns them.
    public mutating func dropOrphans(beyond limit: Int) -> [ServerIdentity] {
        var orphans: [(server: ServerIdentity, since: String)] = []
        for (service, standing) in standings where !standing.decisions.isEmpty {
            for (endpoint, decision) in standing.orphans {
                orphans.append((ServerIdentity(service, endpoint), decision.since))
            }
        }
        guard orphans.count > limit else { return [] }
        // RFC 3339 in UTC sorts as text.
        let oldest = orphans.sorted { $0.since < $1.since }.prefix(orphans.count - limit).map(\.server)
        for server in oldest { decide(server, nil) }
        return oldest
    }

    @discardableResult
    private mutating func update(_ server: ServerIdentity, _ change: (inout Member) -> Void) -> Bool {
        guard let effect = standings[server.service]?.pool?.update(server.endpoint, change) else { return false }
        // Without a table nothing is attempted, so nothing has to be confirmed.
        if standings[server.service]?.held == .unknown { standings[server.service]?.pool?.settle() }
        switch effect {
        case .server: plan(server.service, .servers([server.endpoint]))
        case .pool: plan(server.service, .all)
        }
        return true
    }

    // MARK: What the kernel has

    /// A service of ours was read (nil: the kernel does not have it). Returns true when it is not what it was known to be: somebody else
    /// changed it. The first look adopts what is there.
    @discardableResult
    public mutating func observed(_ service: VirtualServerIdentity, _ entry: ServiceEntry?) -> Bool {
        guard let isDrift = standings[service]?.observe(entry, departure) else { return false }
        unread.remove(service)
        noteDrains(of: service)
        plan(service, .all)
        dropIfOver(service)
        return isDrift
    }

    /// What the kernel has of a service is not known any more.
    public mutating func lost(_ service: VirtualServerIdentity) {
        guard let held = standings[service]?.held else { return }
        if held != .unknown { version += 1 }
        standings[service]?.held = .unknown
        pending[service] = nil
        if standings[service]?.pool != nil || standings[service]?.isOwned == true { unread.insert(service) }
    }

    /// Nothing is known of the kernel's table any more.
    public mutating func lostTable() {
        for service in standings.keys { lost(service) }
    }

    /// Takes up to `limit` services whose difference to the kernel has to be looked at.
    public mutating func takePending(_ limit: Int) -> [(service: VirtualServerIdentity, scope: Scope)] {
        let taken = pending.prefix(limit).map { (service: $0.key, scope: $0.value) }
        if taken.count == pending.count {
            pending.removeAll()
        } else {
            for item in taken { pending[item.service] = nil }
        }
        return taken
    }

    /// What a service needs.
    public func change(of service: VirtualServerIdentity, _ scope: Scope = .all) -> Change {
        switch scope {
        case .all: standings[service]?.change() ?? Change()
        case .servers(let endpoints): standings[service]?.change(of: endpoints) ?? Change()
        }
    }

    /// The kernel executed commands about one service.
    public mutating func took(_ commands: ArraySlice<Command>, of service: VirtualServerIdentity) {
        version += 1
        standings[service]?.took(commands)
    }

    /// The kernel refused commands about a service.
    public mutating func refused(_ service: VirtualServerIdentity, _ commands: [Command]) {
        version += 1
        standings[service]?.refused(commands)
    }

    /// Nothing more can be done for a service now.
    public mutating func settle(_ service: VirtualServerIdentity) {
        if standings[service]?.settle() == true {
            noteDrains(of: service)
            plan(service, .all)
        }
        dropIfOver(service)
    }

    /// Lets what was refused of a service be tried again.
    public mutating func forgive(_ service: VirtualServerIdentity) {
        guard standings[service]?.refusals.isEmpty == false else { return }
        standings[service]?.forgive()
        plan(service, .all)
    }

    // MARK: Looking ahead

    /// What `configure` with `servers` would command if the kernel's table were as wanted now.
    public func changes(to servers: [VirtualServerConfiguration], departure: Departure? = nil) -> [Command] {
        var trial = self
        trial.pending = [:]
        for service in standings.keys { trial.standings[service]?.assumeWritten() }
        let changed = trial.configure(servers, departure: departure)
        for service in changed where trial.standings[service]?.held == .unknown { trial.observed(service, nil) }
        return changed.flatMap { trial.change(of: $0).commands }
    }

    /// Has a service compared and written, once more.
    public mutating func plan(_ service: VirtualServerIdentity, _ scope: Scope) {
        version += 1
        switch (pending[service], scope) {
        case (.all, _): return
        case (.servers(var endpoints), .servers(let more)):
            pending[service] = nil
            endpoints.formUnion(more)
            pending[service] = .servers(endpoints)
        case (nil, _), (.servers, .all): pending[service] = scope
        }
    }

    private mutating func dropIfOver(_ service: VirtualServerIdentity) {
        guard let standing = standings[service], standing.pool == nil, !standing.isOwned else { return }
        version += 1
        unread.remove(service)
        pending[service] = nil
        if standing.isOver { standings[service] = nil } else { standings[service]?.forgetTable() }
    }
}
