// checkd: keeps a watched server for every real server of the configuration, publishes what they find out, has it saved, and follows
// reloads. The same address under two services is two watched servers; what both ask is asked once (`SharedProbe`).
//
// Order of effects: a verdict is published first; at the end of the turn come the disk and the alarms, and neither is waited for.
import Bus
import Configuration
import HealthCheck
import JSON
import Net
import Platform

/// Where events are published.
protocol Publishing: AnyObject {
    func provide(_ type: String, subjects: @escaping () -> [String], state: @escaping (String) -> (any JSONCodable)?)
    func changed(_ type: String, subject: @autoclosure () -> String, published: ((Int?) -> Void)?)
    func stateIsComplete()
}

extension EventPublisher: Publishing {}

/// What the daemon needs of the world.
struct CheckWorld {
    let turns: any Turns
    let events: any Publishing
    let alarms: any AlarmBoard
    let verdicts: any VerdictFile
    /// Differs after each boot; empty where the kernel does not tell.
    let boot: String
    let limit: ProbeLimit
    let logger: Logger
    /// The kind of a checker.
    let kind: (CheckerConfiguration) -> any ProbeKind
    /// Whether this host has an address.
    var isHere: (IPAddress) -> Bool = { _ in true }
}

/// Everything that is checked.
final class CheckDaemon {
    let world: CheckWorld
    let runner: ProbeRunner
    private let probes: SharedProbes
    private let store: VerdictStore
    private var alarmsAtEndOfTurn: OncePerTurn?
    private var heartbeat: (any AlarmClock)?
    /// How late the latest probe began between the last two signs of life.
    private var lateness = Duration.zero
    private var hindered = HinderedCheckers()
    private var stuck: StuckPrograms?
    private var refused: Alarm?
    private var badFile: TLSFileProblem?
    private var processTroubles: [ProcessAspect: ProcessTrouble] = [:]
    private var descriptors: Alarm?
    /// Tells people of what happens; nil: nobody does.
    var alerts: AlertDesk? {
        didSet { alerts?.alarmsChanged = { [weak self] in self?.alarmsAtEndOfTurn?.plan() } }
    }
    var generator: any RandomNumberGenerator = SystemRandomNumberGenerator()
    /// The configuration that is being taken over.
    var adoption: Adoption?
    /// What an earlier process knew of servers that this one has not met yet.
    var remembered: [String: SavedServer] = [:]
    var byName: [String: WatchedServer] = [:]
    /// In the order of the configuration.
    var servers: [WatchedServer] = []

    /// A daemon that checks nothing yet.
    init(_ world: CheckWorld) {
        self.world = world
        runner = ProbeRunner(limit: world.limit.probes, on: world.turns)
        probes = SharedProbes(runner)
        store = VerdictStore(world.verdicts, boot: world.boot, on: world.turns)
        alarmsAtEndOfTurn = OncePerTurn(world.turns) { [weak self] in self?.reviewAlarms() }
        heartbeat = world.turns.alarmClock { [weak self] in self?.beat() }
        store.state = { [weak self] in self?.byName[$0]?.saved }
        store.problemChanged = { [weak self] in self?.alarmsAtEndOfTurn?.plan() }
        world.events.provide(
            EventType.checkServer, subjects: { [weak self] in (self?.byName.keys).map(Array.init) ?? [] },
            state: { [weak self] in self?.byName[$0]?.health })
        world.events.provide(
            EventType.checkHeartbeat, subjects: { [EventType.checkHeartbeatSubject] },
            state: { [weak self] _ in
                CheckHeartbeat(
                    intervalSeconds: CheckHeartbeat.interval,
                    latenessMicroseconds: (self?.lateness).map { Int($0.nanoseconds / 1000) })
            })
    }

    /// A server by its name on the bus.
    func server(named name: String) -> WatchedServer? { byName[name] }

    /// Begins with what an earlier process of this boot knew.
    func start(_ configuration: Configuration) {
        do throws(VerdictsUnusable) {
            remembered = try store.read()
        } catch {
            world.logger.notice("\(error)")
        }
        if !remembered.isEmpty {
            let down = remembered.values.count { $0.state == .down }
            world.logger.info("starting from the saved verdicts of \(remembered.count) servers, \(down) down")
        }
        beat()
        alerts?.adopt(configuration, servers: [])
        adopt(configuration)
    }

    /// Follows a new configuration; servers that it does not change are not disturbed.
    func reload(_ configuration: Configuration) {
        alerts?.adopt(configuration, servers: byName.values)
        adopt(configuration)
    }

    // MARK: Servers

    /// Puts a server in its place and begins to probe it.
    func watch(_ name: String, _ configuration: RealServerConfiguration, home: IPAddress?) -> WatchedServer {
        let before = byName[name]
        let known = before?.saved ?? remembered.removeValue(forKey: name)
        before?.stop()
        let server = WatchedServer(name, configuration, home: home, remembered: known, surroundings)
        byName[name] = server
        if let home, !world.isHere(home) { _ = server.setSuspended(true, using: &generator) }
        publish(name)
        if before != nil { store.changed(name) }
        server.start(using: &generator)
        return server
    }

    /// Addresses have come to this host, or gone, or other ones count.
    func addressesChanged() {
        var suspended: [IPAddress: Int] = [:]
        var resumed: [IPAddress: Int] = [:]
        for server in byName.values where server.home != nil || server.isSuspended {
            let isSuspended = server.home.map { !world.isHere($0) } ?? false
            guard server.setSuspended(isSuspended, using: &generator), let home = server.home else { continue }
            if isSuspended { suspended[home, default: 0] += 1 } else { resumed[home, default: 0] += 1 }
        }
        for (home, count) in suspended { world.logger.notice("\(home) is not here: checks of \(count) servers pause") }
        for (home, count) in resumed { world.logger.notice("\(home) is here: \(count) servers are checked again") }
    }

    /// Stops watching a server.
    func forget(_ name: String) {
        guard let server = byName.removeValue(forKey: name) else { return }
        server.stop()
        publish(name)
        store.changed(name)
    }

    /// Whether everything that was wanted is there now.
    func adopted(_ order: [WatchedServer], isFirst: Bool) {
        servers = order
        addressesChanged()
        for name in remembered.keys { store.changed(name) }
        remembered = [:]
        descriptors = CheckAlarm.descriptors(world.limit, for: probes.count)
        alarmsAtEndOfTurn?.plan()
        guard isFirst else { return }
        world.logger.info("checkd \(evenkeelVersion) checks \(order.count) servers")
        world.events.stateIsComplete()
    }

    private var surroundings: Surroundings {
        Surroundings(
            turns: world.turns, probes: probes, logger: world.logger, kind: world.kind,
            changed: { [weak self] server in
                self?.publish(server.name)
                self?.store.changed(server.name)
            },
            hindered: { [weak self] checker, hindrance in
                self?.hindered.set(checker, hindrance)
                self?.alarmsAtEndOfTurn?.plan()
            })
    }

    private func publish(_ name: String) {
        world.events.changed(EventType.checkServer, subject: name, published: nil)
        if let server = byName[name] { alerts?.look(at: server) }
    }

    // MARK: Alarms and life signs

    /// What was asked of the kernel for the process and is not so.
    func processChanged(_ troubles: [ProcessAspect: ProcessTrouble]) {
        processTroubles = troubles
        alarmsAtEndOfTurn?.plan()
    }

    /// Whether the last good configuration is in force, not the file.
    func configurationChanged(_ alarm: Alarm?) {
        refused = alarm
        alarmsAtEndOfTurn?.plan()
    }

    /// Which programs cannot be ended.
    func stuckChanged(_ stuck: StuckPrograms?) {
        self.stuck = stuck
        alarmsAtEndOfTurn?.plan()
    }

    /// Which file of SSL_GETs cannot be used.
    func filesChanged(_ problem: TLSFileProblem?) {
        badFile = problem
        alarmsAtEndOfTurn?.plan()
    }

    private func reviewAlarms() {
        var wanted = alerts?.alarms ?? [:]
        wanted[.configuration] = refused
        wanted[.programs] = stuck.map(CheckAlarm.stuck)
        wanted[.tlsFiles] = badFile.map(CheckAlarm.unusable)
        wanted[.descriptors] = descriptors
        wanted[.probing] = hindered.alarm
        wanted[.state] = store.problem.map(CheckAlarm.unsaved)
        for (aspect, trouble) in processTroubles {
            let text = trouble.message(aspect, of: "checker")
            wanted[.process(aspect)] = Alarm(message: text.message, remedy: text.remedy)
        }
        world.alarms.replace(with: wanted)
    }

    /// Said by the loop itself: a checkd that hangs falls silent, and ipvsd calls its verdicts stale.
    private func beat() {
        lateness = runner.takeLateness()
        world.events.changed(EventType.checkHeartbeat, subject: EventType.checkHeartbeatSubject, published: nil)
        heartbeat?.arm(at: world.turns.refreshNow() + .seconds(CheckHeartbeat.interval))
    }
}
