// ipvsd's wiring: configuration, verdicts and decisions go into the table keeper; what the table becomes goes out as events. One event per changed
// service and loop turn.

import Bus
import Configuration
import IPVS
import JSON
import Platform

final class IPVSDaemon {
    /// What people are told about a service beyond its configuration.
    private struct Standing {
        var hasQuorum: Bool
        var since: String
        var repaired: String?
    }

    /// Events are made in portions, so that a thousand services do not hold up a verdict.
    private static let publicationsPerTurn = 50

    let keeper: TableKeeper
    let health: HealthFeed
    let state: StateKeeper
    let bus: DaemonService
    let logger: Logger
    let options: DaemonOptions
    /// Goes over to new configurations.
    private(set) var reload: ConfigurationReload<IpvsAPI>?
    private(set) var loaded: ConfigurationFile
    private let loop: EventLoop
    private let started = SystemClock.timestamp
    private var standings: [VirtualServerIdentity: Standing] = [:]
    private var dirty: Set<VirtualServerIdentity> = []
    private var waiting: [VirtualServerIdentity: [(Int?) -> Void]] = [:]
    /// Every service was published once.
    private var isComplete = false

    init(_ loaded: ConfigurationFile, options: DaemonOptions, loop: EventLoop, logger: Logger) throws {
        self.loaded = loaded
        self.options = options
        self.loop = loop
        self.logger = logger
        state = StateKeeper(directory: options.stateDirectory, loop: loop, logger: logger)
        keeper = TableKeeper(
            Reconciler(state.memory), timeouts: loaded.configuration.global.timeouts, loop: loop, logger: logger)
        health = HealthFeed(logger: logger)
        bus = DaemonService(
            name: "ipvsd", interface: try Interfaces.ipvs(), options: options, loop: loop, logger: logger)
        keeper.news = { [weak self] in self?.heard($0) }
        health.verdict = { [weak self] in self?.heard($0, $1) }
        health.livenessChanged = { [weak self] in self?.markAll() }
        reload = ConfigurationReload(
            IpvsAPI.self, on: bus, path: options.config, loop: loop,
            changes: { [weak self] in
                self?.keeper.reconciler.changes(to: $0.virtualServers).map(\.description).sorted() ?? []
            }, adopt: { [weak self] in self?.commit($0) })
        addMethods()
    }

    /// Takes over the kernel's table, then joins the bus.
    func start() throws(Errno) {
        configure(loaded)
        markAll()
        keeper.check()
        try bus.start()
        reload?.publish(loaded)
        health.start(on: bus)
        planPublication()
    }

    /// Writes what is not written yet. The table stays: it goes on forwarding, and the next process adopts it.
    func stop() {
        state.save()
    }

    /// Puts a configuration in force.
    func commit(_ loaded: ConfigurationFile) {
        let before = Dictionary(
            self.loaded.configuration.virtualServers.map { ($0.identity, $0) }, uniquingKeysWith: { first, _ in first })
        self.loaded = loaded
        configure(loaded)
        for service in before.keys where keeper.reconciler.pools[service] == nil { mark(service) }
        for server in loaded.configuration.virtualServers where before[server.identity] != server {
            mark(server.identity)
        }
    }

    /// Changes what was decided about a server. `done` gets the event's place, or nil when nothing changed.
    func decide(
        _ server: ServerIdentity, by caller: Caller, _ change: (inout ServerOverride) -> Void,
        done: @escaping (Int?) -> Void
    ) {
        let before = state.memory.decisions[server]?.override ?? ServerOverride()
        var override = before
        change(&override)
        guard override != before else { return done(nil) }
        state.memory.decisions[server] =
            override.isEmpty ? nil : Decision(override: override, since: SystemClock.timestamp, uid: caller.uid)
        state.save(durable: true)
        waiting[server.service, default: []].append(done)
        keeper.decide(server, override)
        mark(server.service)
    }

    /// How a service looks now.
    func view(_ pool: Pool) -> ServiceView {
        let service = pool.configuration.identity
        let standing = standings[service]
        let up = pool.members.count { $0.isAlive }
        var reason = "\(up) of \(pool.members.count) servers serve, weight \(pool.livingWeight)"
        if !pool.hasQuorum {
            reason += ", quorum is \(pool.configuration.quorum)"
            if pool.isSorry { reason += "; the sorry server serves" }
        }
        if let repaired = standing?.repaired { reason += "; somebody else changed the table, repaired at \(repaired)" }
        return ServiceView(
            pool: pool, since: standing?.since ?? started, reason: reason,
            problem: keeper.problem.map { "\($0.message); \($0.remedy)" } ?? keeper.refusals[service],
            entry: keeper.reconciler.table?.services[service], note: { [health] in health.notes[$0] },
            decision: { [state] in state.memory.decisions[$0] }, isStale: !health.isLive, started: started)
    }

    private func configure(_ loaded: ConfigurationFile) {
        keeper.configure(
            loaded.configuration.virtualServers, timeouts: loaded.configuration.global.timeouts)
        state.memory.servers = Set(
            loaded.configuration.virtualServers.flatMap { service in
                service.realServers.map { ServerIdentity(service.identity, $0.endpoint) }
            })
        remember()
        let pools = keeper.reconciler.pools
        health.keep { pools[$0.service]?.member($0.endpoint) != nil }
    }

    private func heard(_ server: ServerIdentity, _ note: HealthNote) {
        switch note.state {
        case .up, .down:
            let before = keeper.reconciler.health[server]
            keeper.heard(server, isUp: note.state == .up, isVerified: note.isVerified)
            if before != keeper.reconciler.health[server] {
                logger.notice("\(server) is \(note.state.rawValue): \(note.reason)")
                remember()
            }
        case .unknown, .other: break
        }
        mark(server.service)
    }

    private func heard(_ news: TableKeeper.News) {
        switch news {
        case .changed(let services):
            remember()
            for service in services { mark(service) }
        case .repaired(let commands):
            logger.warning(
                "somebody else changed the IPVS table; repaired: \(commands.map(\.description).joined(separator: ", "))"
            )
            for command in commands { standings[command.service]?.repaired = SystemClock.timestamp }
        case .problem(let problem):
            set(alarm: "ipvsd/kernel", problem.map { DaemonAlarm(message: $0.message, remedy: $0.remedy) })
            markAll()
        case .refused(let refusals, let services):
            let first = refusals.min { "\($0.key)" < "\($1.key)" }
            set(
                alarm: "ipvsd/refused",
                first.map {
                    DaemonAlarm(
                        message: "the kernel refuses \(refusals.count) service(s): \($0.value)",
                        remedy: "see 'lbctl service list'; retrying")
                })
            for service in services { mark(service) }
        }
    }

    private func set(alarm subject: String, _ alarm: DaemonAlarm?) {
        if let alarm {
            bus.events.publish(EventType.alarm, subject: subject, data: alarm)
        } else {
            bus.events.remove(EventType.alarm, subject: subject)
        }
    }

    private func remember() {
        state.memory.owned = keeper.reconciler.owned
        state.memory.health = keeper.reconciler.health
        state.changed()
    }

    private func markAll() {
        for service in keeper.reconciler.pools.keys { mark(service) }
    }

    private func mark(_ service: VirtualServerIdentity) {
        if dirty.isEmpty { planPublication() }
        dirty.insert(service)
    }

    private func publish() {
        let services = dirty.prefix(Self.publicationsPerTurn)
        dirty.subtract(services)
        for service in services {
            let waiting = waiting.removeValue(forKey: service) ?? []
            let told = { (seq: Int?) in for done in waiting { done(seq) } }
            if let pool = keeper.reconciler.pools[service] {
                updateStanding(of: service, pool)
                bus.events.publish(
                    EventType.ipvsService, subject: "\(service)", data: view(pool).service(), published: told)
            } else {
                standings[service] = nil
                bus.events.remove(EventType.ipvsService, subject: "\(service)", published: told)
            }
        }
        guard dirty.isEmpty else { return planPublication() }
        if !isComplete {
            isComplete = true
            bus.events.stateIsComplete()
        }
        let serving = keeper.reconciler.pools.values.count { $0.hasQuorum }
        ServiceManager.notify(.status("\(serving) of \(keeper.reconciler.pools.count) services have their quorum"))
    }

    private func planPublication() {
        loop.soon { [weak self] in self?.publish() }
    }

    private func updateStanding(of service: VirtualServerIdentity, _ pool: Pool) {
        guard standings[service]?.hasQuorum != pool.hasQuorum else { return }
        if let before = standings[service] {
            logger.notice("\(service) \(pool.hasQuorum ? "gained" : "lost") its quorum, weight \(pool.livingWeight)")
            standings[service] = Standing(
                hasQuorum: pool.hasQuorum, since: SystemClock.timestamp, repaired: before.repaired)
        } else {
            standings[service] = Standing(hasQuorum: pool.hasQuorum, since: SystemClock.timestamp)
        }
    }
}
