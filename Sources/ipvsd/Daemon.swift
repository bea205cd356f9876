// ipvsd's wiring: the configuration, what comes over the bus and the clock go into the service keeper; what it has to say goes into the log,
// the alarms and the events. An event is made when the bus has room for it, one for each service and one for each server.

import Bus
import Configuration
import Glibc
import IPVS
import JSON
import Net
import Netlink
import Platform
import ScriptClient
import Scripts

final class IPVSDaemon: RunningDaemon {
    let keeper: ServiceKeeper
    let kernel = NetlinkKernel()
    /// `lvs_sync_daemon`.
    let sync: SyncKeeper
    /// `nftables_ipvs`.
    private(set) var marks: MarkKeeper
    private let firewall: NftablesMarks
    /// Tells the administrator's programs.
    let teller: ServiceTeller
    let bus: DaemonService
    let logger: Logger
    let loop: EventLoop
    /// What people are told about services beyond their standing.
    private(set) var records: [VirtualServerIdentity: ServiceRecord] = [:]
    /// Goes over to new configurations.
    private let reloading: ConfigurationReload<IpvsAPI>
    /// What `start` begins with.
    private var first: ConfigurationFile?
    /// In force; nothing before `start`.
    private(set) var configuration = Configuration()
    /// Where the configuration is.
    let configurationPath: String
    let scriptdUnit: String
    let started = SystemClock.timestamp
    private(set) var isStale = true
    private let ledger: Ledger
    private let alarms: StandingAlarms<IPVSAlarm>
    private var liveness = CheckLiveness()
    private(set) var pitfalls: PitfallWatch
    private var subscription: BusSubscription?
    /// The instance that `lvs_sync_daemon` follows.
    private var followed: (name: String, subscription: BusSubscription)?
    private var timer: LoopTimer?
    private var turnIsPlanned = false
    /// Everything is to be compared with what was told.
    private var isToldInDoubt = true
    private var lastWords: LoopTimer?
    private var stopBy = Instant.distantFuture

    /// The table is written before what is remembered of it: what an earlier process left there stays true that long.
    private static let settling = Duration.milliseconds(500)
    /// What is told at stop has so long; scriptd goes on with it when this process has gone.
    private static let farewell = Duration.seconds(2)

    init(_ context: DaemonContext) throws {
        let (options, loop, logger) = (context.options, context.loop, context.logger)
        let loaded = try context.configuration(workingIn: \.tableNamespace)
        first = loaded
        self.loop = loop
        self.logger = logger
        pitfalls = PitfallWatch(startingAt: loop.now)
        configurationPath = options.config
        scriptdUnit = options.unit(of: "scriptd")
        bus = DaemonService(
            name: "ipvsd", interface: try Interfaces.ipvs(), options: options, loop: loop, logger: logger)
        alarms = StandingAlarms(daemon: "ipvsd", events: bus.events, logger: logger)
        ledger = Ledger(directory: options.stateDirectory, on: loop)
        let old = ledger.file("ipvsd.state", durable: false)
        sync = SyncKeeper(kernel)
        keeper = ServiceKeeper(
            kernel: kernel,
            decisions: DecisionKeeper(
                ledger.file("decisions.state", durable: true), old: old,
                copy: ledger.copy(options.runDirectory + "/private/ipvsd.decisions"),
                intents: IntentFile(options.runDirectory + "/private/ipvsd.adding")),
            memory: StandingKeeper(
                ledger.file("standings.state", durable: false), old: old, boot: SystemClock.bootID,
                from: loop.now + Self.settling),
            timeouts: loaded.configuration.global.timeouts, clock: { SystemClock.now })
        firewall = NftablesMarks(on: loop)
        marks = MarkKeeper(firewall, IntentFile(options.runDirectory + "/private/ipvsd.marks"))
        let scriptd = ScriptdAddress(socket: options.privateSocket(of: "scriptd"), caller: "ipvsd/\(getpid())")
        let pipes = NotifyPipes(scriptd, on: loop)
        teller = ServiceTeller(
            runner: ScriptJobs(scriptd, on: loop), pipes: pipes, store: ledger.file("told.state", durable: false),
            boot: SystemClock.bootID, clock: { loop.now })
        var adopt: (ConfigurationFile) -> Void = { _ in }
        var changes: (Configuration) -> [String] = { _ in [] }
        reloading = ConfigurationReload(
            IpvsAPI.self, on: bus, path: options.config, running: loaded.configuration.global, loop: loop,
            changes: { changes($0) }, adopt: { adopt($0) })
        changes = { [weak self] in self?.changes(to: $0) ?? [] }
        adopt = { [weak self] in self?.commit($0.configuration) }
        timer = loop.timer { [weak self] in self?.turn() }
        keeper.decisions.changed = { [weak self] in self?.planTurn() }
        teller.changed = { [weak self] in self?.planTurn() }
        pipes.troubleChanged = { [weak self] in self?.planTurn() }
        firewall.touched = { [weak self] in
            self?.marks.touched(at: loop.refreshNow())
            self?.planTurn()
        }
        addEvents()
    }

    /// Takes over the kernel's table, then joins the bus.
    func start() throws(Errno) {
        guard let loaded = first.take() else { return }
        commit(loaded.configuration)
        repeat { turn() } while keeper.deadline <= loop.refreshNow()
        try bus.start(IpvsAPI.dispatch(to: self, reload: reloading))
        reloading.alarmChanged = { [weak self] _ in self?.planTurn() }
        reloading.publish(loaded)
        subscription = bus.subscribe(types: [EventType.checkServer, EventType.checkHeartbeat, EventType.interface]) {
            [weak self] in self?.heard($0)
        }
        bus.events.stateIsComplete()
    }

    /// SIGHUP: goes over to what the file says now.
    func reload() {
        reloading.reload()
    }

    /// Waits a moment for what is on its way to the disk. The table stays: it goes on forwarding, and the next process adopts it. It does not
    /// with `lvs_flush_on_stop`, unless the next process follows at once.
    func stop(_ reason: StopReason) {
        turn()
        let now = loop.refreshNow()
        let flush = reason == .terminate ? configuration.global.flushAtStop : nil
        do throws(NetlinkError) {
            try keeper.finish(at: now, emptying: flush)
            if flush != nil {
                try marks.finish()
                logger.notice("lvs_flush_on_stop: services are out of the IPVS table")
            }
        } catch {
            logger.error("lvs_flush_on_stop: the IPVS table is not emptied: \(error); 'lbctl ipvs --direct -C' does it")
        }
        switch reason {
        case .terminate:
            sync.finish()
            teller.end(at: now)
        case .handOver: break
        }
        stopBy = now + Self.farewell
        lastWords = loop.timer { [weak self] in self?.endWhenTold() }
        endWhenTold()
    }

    private func endWhenTold() {
        teller.turn(at: loop.refreshNow())
        guard teller.isIdle || loop.now >= stopBy else {
            lastWords?.arm(after: .milliseconds(20))
            return
        }
        ledger.flush(within: .seconds(2))
        loop.stop()
    }

    /// Puts a configuration in force.
    func commit(_ configuration: Configuration) {
        let before = Dictionary(
            self.configuration.virtualServers.map { ($0.identity, $0) }, uniquingKeysWith: { first, _ in first })
        self.configuration = configuration
        teller.prepare(for: configuration, keeper.reconciler.standings)
        let changed = keeper.configure(
            configuration.virtualServers, departure: Self.departure(configuration),
            timeouts: configuration.global.timeouts)
        for service in changed {
            say(service)
            for server in before[service]?.realServers ?? [] { say(ServerIdentity(service, server.endpoint)) }
            for member in keeper.reconciler.standings[service]?.pool?.members ?? [] {
                say(ServerIdentity(service, member.configuration.endpoint))
            }
        }
        marks.configure(configuration)
        kernel.buffer = configuration.global.lvsCommandBuffer
        teller.configure(configuration, at: loop.now)
        isToldInDoubt = true
        sync.configure(configuration.global.syncDaemon)
        follow(configuration.global.syncDaemon?.instance)
        planTurn()
    }

    /// Whether the last good configuration is in force, not the file.
    var configurationAlarm: Alarm? { reloading.alarm }

    /// What a reload would change, for people.
    private func changes(to new: Configuration) -> [String] {
        let commands = keeper.reconciler.changes(to: new.virtualServers, departure: Self.departure(new))
        return commands.map(\.description).sorted() + configuration.changesBesideTable(to: new, commands)
    }

    /// How servers leave that a configuration leaves out from now on.
    private static func departure(_ configuration: Configuration) -> Departure {
        Departure(limit: configuration.global.removedDrainLimit, since: SystemClock.timestamp)
    }

    /// Changes what was decided about a server. `done` hears when it is in the table and on the disk.
    func decide(
        _ server: ServerIdentity, by caller: Caller, _ change: (inout ServerOverride) -> Void,
        done: @escaping (DecisionOutcome) -> Void
    ) {
        let before = keeper.reconciler.standings[server.service]?.decisions[server.endpoint]
        var override = before?.override ?? ServerOverride()
        change(&override)
        let decision = Decision(override: override, since: SystemClock.timestamp, uid: caller.uid)
        keeper.decide(server, override.isEmpty ? nil : decision, at: loop.now, done: done)
        planTurn()
    }

    /// Has `keeper` do what is due when the handlers of this turn have returned.
    func planTurn() {
        guard !turnIsPlanned else { return }
        turnIsPlanned = true
        loop.soon { [weak self] in
            self?.turnIsPlanned = false
            self?.turn()
        }
    }

    // MARK: What comes in

    private func heard(_ update: BusSubscription.Update) {
        switch HealthFeed(update) {
        case .note(let server, let note): keeper.heard(server, note)
        case .forgotten(let server): keeper.forgotten(server)
        case .attached(let isAttached): liveness.attached(isAttached)
        case .beat(let interval): liveness.beat(every: interval, at: loop.now)
        case .nothing: return
        case .notUnderstood(let problem): return logger.warning(problem)
        }
        planTurn()
    }

    /// Hears of the instance's state from now on, and of no other's.
    private func follow(_ name: String?) {
        guard followed?.name != name else { return }
        followed = name.map { name in
            let subscription = bus.subscribe(types: [EventType.vrrpInstance], subjects: [name]) { [weak self] update in
                guard case .event(let event) = update, event.type == EventType.vrrpInstance, event.subject == name,
                    let instance: VrrpAPI.Instance = try? event.data?.decode()
                else { return }
                self?.sync.follow(instance.runtime.state)
                self?.planTurn()
            }
            return (name, subscription)
        }
    }

    // MARK: What goes out

    private func turn() {
        keeper.turn(at: loop.refreshNow())
        let news = keeper.takeNews()
        tell(news)
        teller.look(at: keeper.reconciler.standings, news, all: isToldInDoubt, at: loop.now) { reason(for: $0) }
        isToldInDoubt = false
        teller.turn(at: loop.now)
        for remark in teller.takeRemarks() { log(remark) }
        for command in sync.turn(at: loop.now) { logger.notice("\(command)") }
        marks.turn(at: loop.now)
        pitfalls.look(at: keeper.reconciler, keeper.history, loop.now)
        let isStale = !liveness.isLive(at: loop.now)
        if isStale != self.isStale {
            self.isStale = isStale
            sayEverything()
        }
        alarms.replace(with: standingAlarms)
        let deadline = min(
            keeper.deadline, sync.deadline, teller.deadline, liveness.deadline(after: loop.now), pitfalls.deadline,
            marks.deadline)
        timer?.arm(at: max(deadline, loop.now))
    }

    private func tell(_ news: KeeperNews) {
        for line in news.lines { log(line) }
        for service in news.repaired {
            records[service, default: ServiceRecord(started)].repaired = SystemClock.timestamp
            records[service]?.repairs += 1
        }
        if news.everything {
            sayEverything()
        } else {
            for service in news.services.union(news.repaired) { say(service) }
            for server in news.servers { say(server) }
        }
        var isNew = news.everything
        if news.everything {
            for service in keeper.reconciler.standings.keys { updateRecord(of: service) }
        } else {
            for service in news.services where updateRecord(of: service) { isNew = true }
        }
        guard isNew else { return }
        let configured = records.values.lazy.compactMap(\.side)
        let serving = configured.count { $0 == .held }
        ServiceManager.notify(.status("\(serving) of \(configured.count) services have their quorum"))
    }

    /// Returns whether the service came, went, gained or lost its quorum.
    @discardableResult
    private func updateRecord(of service: VirtualServerIdentity) -> Bool {
        let before = records[service]?.side
        guard let pool = keeper.reconciler.standings[service]?.wantedPool else {
            records[service] = nil
            keeper.memory.note(service, nil)
            return before != nil
        }
        guard before != pool.side else { return false }
        // The first look of a process that found it as its predecessor left it.
        let known = before == nil ? keeper.memory.since[service] : nil
        let time = known?.side == pool.side ? known?.time ?? started : SystemClock.timestamp
        records[service, default: ServiceRecord(started)].side = pool.side
        records[service]?.since = time
        keeper.memory.note(service, SideSince(side: pool.side, time: time))
        guard before != nil else { return true }
        logger.notice("\(service) \(pool.hasQuorum ? "gained" : "lost") its quorum, weight \(pool.livingWeight)")
        return true
    }

    private func addEvents() {
        bus.events.provide(
            EventType.ipvsService,
            subjects: { [weak self] in self?.pools.map { "\($0.configuration.identity)" } ?? [] },
            state: { [weak self] in self?.summary(of: $0) })
        bus.events.provide(
            EventType.ipvsServer,
            subjects: { [weak self] in
                self?.pools.flatMap { pool in
                    pool.members.map { "\(ServerIdentity(pool.configuration.identity, $0.configuration.endpoint))" }
                } ?? []
            }, state: { [weak self] in self?.server($0) })
    }

    private var pools: [Pool] { keeper.reconciler.standings.values.compactMap(\.pool) }

    private func say(_ service: VirtualServerIdentity) {
        bus.events.changed(EventType.ipvsService, subject: "\(service)")
    }

    private func say(_ server: ServerIdentity) {
        bus.events.changed(EventType.ipvsServer, subject: "\(server)")
    }

    private func sayEverything() {
        for pool in pools {
            say(pool.configuration.identity)
            for member in pool.members {
                say(ServerIdentity(pool.configuration.identity, member.configuration.endpoint))
            }
        }
    }
}

extension ScriptJobs: JobRunner {}

extension NotifyPipes: LinePipes {
    func write(_ text: String, about subject: String) { write([PipeLine(about: subject, text)]) }
}
