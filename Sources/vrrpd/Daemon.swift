// The driver of the director: events of the machine in, effects out, always in the same order: advertisements, addresses, gratuitous ARP;
// then, at the end of the turn, what people and other programs hear. There is one timer, set after every event. Everything this class
// touches is behind the protocols of World, so that a test runs whole daemons against each other in simulated time.

import Configuration
import Net
import Netlink
import Platform
import Scripts
import VRRP

/// The running daemon.
final class Daemon {
    /// What the director does not know: words and wall-clock times.
    struct Standing {
        /// The name under which it was last shown.
        var name: String
        /// When its state began, RFC 3339.
        var since: String
        /// Why.
        var reason = "not started"
    }

    private(set) var director: Director
    private(set) var standings: [RouterID: Standing] = [:]
    /// When a tracked script's verdict began, RFC 3339.
    private(set) var scriptsSince: [String: String] = [:]
    private(set) var trouble = Trouble()
    private var toldTrouble = Trouble()
    /// How each tracked thing stood when it was last looked at, and since when (RFC 3339).
    var trackerStandings: [Tracker: (standing: TrackerStanding, since: String)] = [:]
    weak var observer: (any DaemonObserver)?
    /// Watches what is tracked.
    var watcher: (any TrackerWatcher)?
    private var toWatch: [WatchedBlock]?

    private let desk: KernelDesk
    private let wire: any Wire
    private var transmitter: Transmitter
    private let scripts: any ScriptStarter
    private let pipes: any NoticePipes
    private let turns: any Turns
    private var notes: NoteKeeper
    /// Routers whose last advertisement could not be sent.
    private var muted: Set<RouterID> = []
    private var remarks: [Remark] = []
    private var scriptOrders: [ScriptOrder] = []
    private var notifyOrders: [NotifyOrder] = []
    private var notices: [Notice] = []
    private var scriptRules = ScriptRules()
    private var shutdownScript: LifeScript?
    private var toPrepare: LifeScript?
    private var savedSteppedDown: Set<String>
    private var turnEnds = false

    /// More than one socket's buffer holds; a flood does not keep the timer for ever.
    private static let rounds = 4
    /// Scripts that this host could not run for so long are a person's business: scriptd may be restarting.
    private static let scriptPatience = Duration.seconds(3)

    /// A daemon that has not looked at anything yet.
    init(
        steppedDown: Set<String>, kernel: any AddressKernel, wire: any Wire, notes: any MastershipNotes,
        scripts: any ScriptStarter, pipes: any NoticePipes, turns: any Turns, isAlone: Bool
    ) {
        director = Director(
            steppedDown: steppedDown, isAlone: isAlone, digest: KeyedMD5.digest, trailerDigest: KeyedSHA256.digest,
            wallTime: { turns.wallTime })
        savedSteppedDown = steppedDown
        desk = KernelDesk(kernel, turns)
        self.wire = wire
        transmitter = Transmitter(wire)
        self.notes = NoteKeeper(notes)
        self.scripts = scripts
        self.pipes = pipes
        self.turns = turns
    }

    /// The time of this turn.
    var now: Instant { turns.now }
    /// The wall clock, for people.
    var timestamp: String { turns.timestamp }

    // MARK: Events

    /// Reads the interfaces, opens the sockets and takes part; goes on where `predecessors` say so.
    func start(_ configuration: Configuration, after predecessors: [String: Predecessor]) throws(NetlinkError) {
        try desk.begin { watchRoutes(for: configuration) }
        settle()
        adopt(configuration)
        toPrepare = configuration.global.startupScript
        step(.start(predecessors, uptime: turns.sinceBoot - .zero))
    }

    /// Goes over to a new configuration.
    func reload(_ configuration: Configuration) { adopt(configuration) }

    private func adopt(_ configuration: Configuration) {
        scriptRules = configuration.global.scriptRules
        shutdownScript = configuration.global.shutdownScript
        pipes.adopt(configuration.routerPipes, scriptRules)
        if configuration.instances.contains(where: { $0.authenticationHMAC != nil }) { KeyedSHA256.prepare() }
        watchRoutes(for: configuration)
        toWatch = configuration.watched
        step(.configuration(configuration))
    }

    /// Routes that a line gives another maker are heard of, too; those that were there already are read.
    private func watchRoutes(for configuration: Configuration) {
        guard director.widen(for: configuration) else { return }
        desk.watchRoutes(of: director.routeOrigins)
    }

    /// Gives up every mastership: priority 0, addresses off.
    func stop() {
        step(.stop)
        watcher?.stop()
    }

    /// Makes room for a process that goes on as master (`systemctl restart`): goes over to what it will read, so that it knows every
    /// address that stays, and advertises once more, so that the others wait a whole master-down interval.
    func leave(to next: Configuration) {
        adopt(next)
        step(.leave)
    }

    /// Hands the addresses of the router (and its group) to another director.
    /// - Returns: false when it had stepped down before.
    func stepDown(_ id: RouterID) -> Bool { operate(.stepDown(id)) }

    /// Lets the router (and its group) take part again.
    /// - Returns: false when it had not stepped down.
    func resume(_ id: RouterID) -> Bool { operate(.resume(id)) }

    private func operate(_ event: Event) -> Bool {
        let before = director.steppedDown
        step(event)
        return director.steppedDown != before
    }

    /// Packets wait in a channel.
    /// - Returns: false when more may wait.
    @discardableResult
    func hear(_ channel: ChannelKey) -> Bool {
        wire.drain(channel) { packet, arrived, isLast in
            let event = Event.packet(packet, through: channel, arrived: arrived, isLast: isLast)
            // What follows from them follows from all of them.
            if isLast { step(event) } else { _ = director.handle(event, at: turns.now) }
        }
    }

    /// Something is known of a run.
    func hear(_ report: ScriptReport, of run: ScriptRun) { step(.script(run, report)) }

    /// Something is known of a program that is told.
    func hear(_ report: ScriptReport, ofJob number: Int) { step(.notified(number, report)) }

    /// A pipe has trouble, or none any more.
    func pipesChanged() { endTurn() }

    /// Everything that happened has been told.
    var hasToldAll: Bool { director.hasToldAll && pipes.isIdle && notices.isEmpty }

    /// A watcher says how something tracked stands.
    func hear(_ report: TrackerReport, of tracker: Tracker) { step(.tracker(tracker, report)) }

    /// Notifications of the kernel wait.
    func hearKernel() {
        desk.hear()
        settle()
    }

    /// Somebody else has changed the rules of `no_accept`.
    func rulesTouched() { step(.rulesTouched) }

    /// The one timer has fired.
    func timerFired() {
        desk.readTableIfDue()
        // All that has waited: the last of it may say that there is a master.
        for channel in director.channelsToHear(at: turns.now) {
            for _ in 1...Self.rounds where hear(channel) { break }
        }
        step(.timer)
    }

    // MARK: The way of an event

    private func step(_ event: Event) {
        carryOut(director.handle(event, at: turns.now))
        settle()
    }

    /// After every event: what the kernel said meanwhile, sockets, the timer, the end of the turn.
    private func settle() {
        while desk.hasNews || director.channelsChanged {
            for event in desk.takeNews(of: director.routeOrigins) { carryOut(director.handle(event, at: turns.now)) }
            if director.channelsChanged { openChannels() }
        }
        arm()
        endTurn()
    }

    private func carryOut(_ first: Effects) {
        var effects = first
        var announcements: [Effects.Announcing] = []
        var hasChanged = false
        while true {
            for sending in effects.sends { send(sending) }
            if !effects.sends.isEmpty { writeNotes() }
            if effects.isUnfinished {
                effects = director.handle(.sent, at: turns.now)
                continue
            }
            remarks += effects.remarks
            scriptOrders += effects.scripts
            notifyOrders += effects.notifications
            notices += effects.notices
            announcements += effects.announcements
            if effects.isTableInDoubt { desk.doubtTable() }
            if effects.isRoutingInDoubt { desk.isRoutingInDoubt = true }
            if let rules = effects.drops {
                // What else is to be done comes with the answer, unless it has begun.
                let links = effects.linkChanges
                effects = director.handle(desk.drop(rules), at: turns.now)
                effects.linkChanges = links + effects.linkChanges
            } else if !effects.linkChanges.isEmpty {
                effects = director.handle(desk.change(effects.linkChanges), at: turns.now)
            } else if !effects.changes.isEmpty {
                effects = director.handle(desk.change(effects.changes), at: turns.now)
                hasChanged = true
            } else {
                break
            }
        }
        for announcing in announcements { announce(announcing) }
        if hasChanged { desk.hearOwn() }
    }

    private func openChannels() {
        let channels = director.takeChannels(at: turns.now)
        wire.close(except: Set(channels.map(\.key)))
        for channel in channels where channel.work != .none {
            var failure: String?
            do throws(Errno) {
                switch channel.work {
                case .none: break
                case .open:
                    try wire.open(
                        channel.key, interface: channel.interface, for: channel.routers, buffer: channel.buffer)
                case .filter: try wire.filter(channel.key, for: channel.routers, buffer: channel.buffer)
                }
            } catch {
                failure = "\(error)"
            }
            carryOut(director.handle(.channel(channel.key, failure: failure), at: turns.now))
        }
    }

    private func arm() {
        switch (director.deadline, desk.readTableAt) {
        case (let one?, let other?): turns.arm(at: min(one, other))
        case (let one, let other): turns.arm(at: one ?? other)
        }
    }

    // MARK: The wire

    private func send(_ sending: Effects.Sending) {
        let failure = transmitter.send(sending)
        let wasMuted = failure == nil ? muted.remove(sending.router) != nil : !muted.insert(sending.router).inserted
        if failure != nil || wasMuted {
            carryOut(director.handle(.sending(sending.router, failure: failure.map { "\($0)" }), at: turns.now))
        }
        let note = MastershipNote.master(turns.sinceBoot, sending.trailer?.sequence)
        notes.set(sending.router, sending.advertisement.priority == 0 ? .lingering : note)
    }

    private func announce(_ announcing: Effects.Announcing) {
        do throws(Errno) {
            try transmitter.announce(announcing)
            trouble.frames = nil
        } catch {
            trouble.frames = "\(error)"
        }
    }

    private func writeNotes() {
        if notes.isToBegin(at: turns.now) { beginNotes() }
        notes.write()
        trouble.notes = notes.failure
    }

    // MARK: The end of the turn

    private func endTurn() {
        trouble.scripts = lasting(director.scriptHindrance) ?? lasting(director.noticeHindrance)
        trouble.notify = director.noticeRefusals
        trouble.pipes = pipes.troubles
        trouble.table = desk.tableTrouble
        trouble.rules = desk.rulesTrouble
        let isNews =
            !remarks.isEmpty || !scriptOrders.isEmpty || !notifyOrders.isEmpty || !notices.isEmpty
            || !director.changed.isEmpty || trouble != toldTrouble
            || director.steppedDown != savedSteppedDown || toWatch != nil || toPrepare != nil
        guard isNews, !turnEnds else { return }
        turnEnds = true
        turns.soon { [weak self] in self?.turnEnded() }
    }

    /// Why scripts are not run, when that has lasted.
    private func lasting(_ hindrance: Hindrance?) -> String? {
        guard let hindrance, turns.now - hindrance.since >= Self.scriptPatience else { return nil }
        return hindrance.why
    }

    private func turnEnded() {
        turnEnds = false
        let changed = director.takeChanged()
        for id in changed where standings[id] == nil {
            guard let name = director.name(of: id) else { continue }
            standings[id] = Standing(name: name, since: turns.timestamp)
        }
        for remark in remarks {
            if case .transition(let id, let transition, _) = remark {
                standings[id]?.since = turns.timestamp
                standings[id]?.reason = "\(transition.cause)"
            }
            if case .script(let name, _, _, _) = remark { scriptsSince[name] = turns.timestamp }
            observer?.happened(remark)
        }
        noteTrackers(of: changed)
        remarks.removeAll(keepingCapacity: true)
        writeNotes(changed)
        if !changed.isEmpty { observer?.changed(changed) }
        for id in changed { standings[id]?.name = director.name(of: id) ?? "" }
        for id in changed where director.name(of: id) == nil {
            standings[id] = nil
            muted.remove(id)
        }
        if director.steppedDown != savedSteppedDown {
            savedSteppedDown = director.steppedDown
            observer?.steppedDown(savedSteppedDown)
        }
        if trouble != toldTrouble {
            toldTrouble = trouble
            observer?.troubled(trouble)
        }
        prepare()
        carryOutScripts()
        if let blocks = toWatch {
            toWatch = nil
            watcher?.watch(blocks)
        }
    }

    /// `startup_script`: elections wait for it, those that go on do not.
    private func prepare() {
        guard let script = toPrepare else { return }
        toPrepare = nil
        scripts.prepare(script, scriptRules) { [weak self] report in
            self?.remarks.append(.lifeScript("startup_script", report))
            self?.step(.prepared)
        }
    }

    /// `shutdown_script`: when everything else is done. `done` is called when scriptd has it, or cannot run it.
    func conclude(_ done: @escaping () -> Void) {
        guard let script = shutdownScript else { return done() }
        scripts.conclude(script, scriptRules) { [weak self] report in
            if report.isLast { self?.observer?.happened(.lifeScript("shutdown_script", report)) }
            done()
        }
    }

    /// Last of all: nobody waits for a script.
    private func carryOutScripts() {
        let orders = scriptOrders
        scriptOrders.removeAll(keepingCapacity: true)
        let told = notifyOrders
        notifyOrders.removeAll(keepingCapacity: true)
        for order in orders {
            switch order {
            case .start(let run, let script): scripts.begin(run, script, scriptRules)
            case .abandon(let run): scripts.abandon(run)
            }
        }
        for order in told {
            switch order {
            case .start(let job): scripts.tell(job, scriptRules)
            case .end(let job): scripts.end(job)
            }
        }
        guard !notices.isEmpty else { return }
        let lines = notices
        notices.removeAll(keepingCapacity: true)
        pipes.write(lines)
    }

    /// Notes follow the state; another set of routers begins the file anew, and so does a note that could not be written.
    private func writeNotes(_ changed: Set<RouterID>) {
        if notes.isBegun, changed.allSatisfy({ (notes[$0] != nil) == (director.name(of: $0) != nil) }) {
            for id in changed { notes.set(id, note(of: id)) }
            writeNotes()
        } else {
            beginNotes()
        }
    }

    private func beginNotes() {
        let known = director.order.compactMap { id in director.identity(of: id).map { (id, $0) } }
        notes.begin(known.map { (router: $0.0, identity: $0.1, note: note(of: $0.0)) }, at: turns.now)
        trouble.notes = notes.failure
    }

    /// A master's note stays the time of its last advertisement.
    private func note(of id: RouterID) -> MastershipNote {
        switch director.guards(id) {
        case nil: .nothing
        case .some(let predecessor) where predecessor.silence == nil: .lingering
        case .some:
            if case .master? = notes[id], let noted = notes[id] { noted } else { .master(turns.sinceBoot) }
        }
    }
}
