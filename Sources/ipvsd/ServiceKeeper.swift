// ipvsd without the bus: configuration, verdicts and decisions go in, the kernel's table and the files follow. Time is an argument, kernel and disk
// are protocols, so that simulations run this very code. `turn` does what is due, within bounds; `deadline` says when it wants to be called next.
// What people and the bus are to hear is collected in `news`.

import Bus
import Configuration
import Glibc
import IPVS
import Net
import Netlink
import Platform

final class ServiceKeeper {
    /// What checkd said about servers that are not configured is kept as long as there are no more notes than this.
    static let noteLimit = 65_536
    /// How long a caller waits for the disk.
    static let longestSave = Duration.seconds(10)

    private(set) var reconciler: Reconciler
    let decisions: DecisionKeeper
    let memory: StandingKeeper
    private(set) var kernelHealth = KernelHealth()
    /// What checkd said last, by server.
    private(set) var notes: [ServerIdentity: HealthNote] = [:]
    /// Why commands were refused, by service and server (nil: the service itself).
    private(set) var refusals: [VirtualServerIdentity: [Endpoint?: String]] = [:]
    private let kernel: any IPVSKernel
    private let clock: () -> Instant
    private var writer: TableWriter
    private var watch: TableWatch
    private var drains = DrainWatch()
    private var news = KeeperNews()
    private var drifted: Set<VirtualServerIdentity> = []
    private var timeouts: IPVSTimeouts
    private var timeoutsAreWritten = false
    private var tableWasRead = false
    private var saving: [WaitingCaller] = []
    /// The table was emptied because the process ends: nothing is written to it any more.
    private var isEmptied = false

    init(
        kernel: any IPVSKernel, decisions: DecisionKeeper, memory: StandingKeeper, timeouts: IPVSTimeouts,
        clock: @escaping () -> Instant
    ) {
        self.kernel = kernel
        self.clock = clock
        self.decisions = decisions
        self.memory = memory
        self.timeouts = timeouts
        writer = TableWriter(kernel)
        watch = TableWatch(kernel)
        reconciler = Reconciler(memory.memory, kept: decisions.initial)
    }

    // MARK: What is wanted

    /// Takes the configuration, keeping state by identity. Servers that it leaves out depart as `departure` says; nil: at once. Returns the
    /// services whose block changed, came or went.
    @discardableResult
    func configure(
        _ servers: [VirtualServerConfiguration], departure: Departure? = nil, timeouts: IPVSTimeouts
    ) -> Set<VirtualServerIdentity> {
        let made = reconciler.handMadeVersion
        let changed = reconciler.configure(servers, departure: departure)
        if timeouts != self.timeouts {
            self.timeouts = timeouts
            timeoutsAreWritten = false
        }
        for service in changed { refusals[service] = nil }
        resync(changed)
        let dropped = reconciler.dropOrphans(beyond: Reconciler.orphanLimit)
        if !dropped.isEmpty { news.lines.append(.orphansDropped(dropped)) }
        // What was made by hand may have been taken over.
        if !dropped.isEmpty || made != reconciler.handMadeVersion { decisions.save(reconciler.kept) }
        return changed
    }

    /// What checkd said about a server.
    func heard(_ server: ServerIdentity, _ note: HealthNote) {
        guard notes[server] != note else { return }
        let isConfigured = reconciler.standings[server.service]?.pool?.member(server.endpoint) != nil
        guard isConfigured || notes[server] != nil || notes.count < Self.noteLimit else { return }
        notes[server] = note
        guard isConfigured else { return }
        news.servers.insert(server)
        take(server, note)
    }

    /// checkd does not know a server any more; its last state stays in force.
    func forgotten(_ server: ServerIdentity) {
        guard notes.removeValue(forKey: server) != nil else { return }
        news.servers.insert(server)
    }

    private func take(_ server: ServerIdentity, _ note: HealthNote) {
        switch note.state {
        case .up, .down:
            let before = reconciler.standings[server.service]?.pool?.member(server.endpoint)
            let isNew = reconciler.heard(
                server, isUp: note.state == .up, isVerified: note.isVerified, isWeighed: note.isWeighed,
                weightChange: note.weightChange)
            guard isNew else { return }
            news.services.insert(server.service)
            news.servers.insert(server)
            let after = reconciler.standings[server.service]?.pool?.member(server.endpoint)
            let isNews = before?.health != after?.health || before?.isAssumed == true && after?.isAssumed == false
            if isNews, after?.health == .up || after?.isAssumed != true { news.lines.append(.verdict(server, note)) }
            guard let weight = after?.servingWeight, before?.servingWeight != weight else { return }
            news.lines.append(.weight(server, from: before?.servingWeight ?? weight, to: weight))
        case .unknown, .other: break
        }
    }

    /// checkd may have spoken about servers before they were configured.
    private func resync(_ services: Set<VirtualServerIdentity>) {
        for service in services {
            for member in reconciler.standings[service]?.pool?.members ?? [] {
                let server = ServerIdentity(service, member.configuration.endpoint)
                if let note = notes[server] { take(server, note) }
            }
        }
    }

    /// Changes what was decided about a server: the table follows at once; `done` hears when the decision is on the disk.
    func decide(
        _ server: ServerIdentity, _ decision: Decision?, at now: Instant, done: @escaping (DecisionOutcome) -> Void
    ) {
        let before = reconciler.standings[server.service]?.decisions[server.endpoint]
        if before?.override == decision?.override {
            guard !decisions.isKept else { return done(.kept) }
        } else {
            reconciler.decide(server, decision)
            news.services.insert(server.service)
            news.servers.insert(server)
            turn(at: now)
        }
        save(at: now, done)
    }

    private func save(at now: Instant, _ done: @escaping (DecisionOutcome) -> Void) {
        let saving = WaitingCaller(now + Self.longestSave, done)
        self.saving.append(saving)
        decisions.save(reconciler.kept) { [decisions] error in
            let why = error.map { ["\($0)", decisions.copyTrouble].compactMap(\.self).joined(separator: "; ") }
            saving.end(why.map { .notKept(path: decisions.path, $0) } ?? .kept)
        }
    }

    /// Carries out what is asked for by hand. `done` hears when what it changed for good is on the disk.
    func run(
        _ commands: [TableCommand], with writer: HandWriter, at now: Instant,
        done: @escaping (HandReport, DecisionOutcome) -> Void
    ) {
        let before = reconciler.handMadeVersion
        guard !isEmptied else { return done(.stopping, .kept) }
        decisions.begin(
            commands, { reconciler.standings[$0]?.handMade },
            present: kernel.present(of: TableCommand.extended(by: commands)))
        var report = writer.run(commands, &reconciler)
        watch.wrote(report.executed)
        watch.outdate()
        watch.doubt(report.doubted.filter { reconciler.standings[$0] != nil })
        for command in report.executed + report.forgotten {
            news.services.insert(command.service)
            if let endpoint = command.endpoint { news.servers.insert(ServerIdentity(command.service, endpoint)) }
        }
        for (_, server) in report.weighed {
            news.services.insert(server.service)
            news.servers.insert(server)
        }
        turn(at: now)
        for (index, server) in report.weighed where report.failure == nil {
            guard let problem = problem(of: server) else { continue }
            report.done = index
            report.failure = HandFailure(code: EAGAIN, problem: problem, isOurs: true)
        }
        // What earlier calls changed, and the disk may not have yet, is not this one's.
        report.isToBeKept = before != reconciler.handMadeVersion || !report.weighed.isEmpty
        decisions.carriedOut(isToBeKept: report.isToBeKept) { reconciler.standings[$0]?.handMade }
        guard report.isToBeKept else { return done(report, .kept) }
        save(at: now) { [report] in done(report, $0) }
    }

    /// Calls `done` with what the kernel has and counts, of whatever origin; nil when it cannot be asked. It is at most a second old, and
    /// with `isFresh` as new as the call.
    func list(at now: Instant, isFresh: Bool = false, _ done: @escaping (TableDump?) -> Void) {
        if now < kernelHealth.resume { return done(nil) }
        watch.list(at: now, isFresh: isFresh, done)
    }

    /// What went through the table in the last minutes.
    var history: TrafficHistory { watch.history }

    /// What carries out commands that are given by hand.
    func handWriter(
        file: String, synchronise: @escaping (SyncCommand) -> HandFailure?,
        decision: @escaping (ServerOverride) -> Decision
    ) -> HandWriter {
        HandWriter(kernel: kernel, file: file, synchronise: synchronise, decision: decision)
    }

    /// What the kernel's IPVS is.
    func facts() throws(NetlinkError) -> KernelFacts { try kernel.facts() }

    /// One service with its counters; nil when the kernel does not have it or cannot be asked.
    func snapshot(of service: VirtualServerIdentity) -> ServiceSnapshot? {
        do throws(NetlinkError) { return try kernel.service(service) } catch { return nil }
    }

    // MARK: Time

    /// When `turn` has something to do.
    var deadline: Instant {
        let table = isEmptied ? .distantFuture : reconciler.pending.isEmpty ? watch.deadline(reconciler) : .zero
        let disk = saving.lazy.map(\.deadline).min() ?? .distantFuture
        return min(
            max(min(table, drains.deadline), kernelHealth.resume), disk, memory.deadline(for: reconciler.version))
    }

    /// Does what is due.
    func turn(at now: Instant) {
        for saving in saving where saving.deadline <= now {
            saving.end(.notKept(path: decisions.path, "the disk does not answer"))
        }
        saving.removeAll(where: \.isOver)
        let look = drains.look(reconciler, at: now)
        watch.doubt(look.services)
        drainsAreOver(look.expired, isCut: true)
        if now >= kernelHealth.resume, !isEmptied { keepTable(at: now) }
        drainsAreOver(watch.takeIdle(), isCut: false)
        memory.write(reconciler.standings, version: reconciler.version, at: now, clock: clock)
        for answer in watch.takeAnswers() { answer() }
    }

    private func drainsAreOver(_ servers: Set<ServerIdentity>, isCut: Bool) {
        guard !servers.isEmpty else { return }
        let before = reconciler.decisions
        let over = reconciler.drainsAreOver(servers)
        guard !over.isEmpty else { return }
        news.lines.append(.drained(over, isCut: isCut))
        news.services.formUnion(over.map(\.service))
        news.servers.formUnion(over)
        if before != reconciler.decisions { decisions.save(reconciler.kept) }
    }

    /// What has left the configuration leaves the table now. Returns how many servers that are.
    func cutDepartures() -> Int {
        let servers = reconciler.departing
        drainsAreOver(servers, isCut: true)
        return servers.count
    }

    /// The process ends: what was not handed to the disk yet is. What is remembered is how it was before `flush`.
    func finish(at now: Instant, emptying flush: TableFlush? = nil) throws(NetlinkError) {
        turn(at: now)
        memory.write(reconciler.standings, version: reconciler.version, at: now, isLast: true, clock: clock)
        guard let flush else { return }
        isEmptied = true
        try kernel.empty(
            flush, ours: reconciler.standings.values.filter { $0.isOwned && $0.held != .absent }.map(\.identity))
    }

    /// What happened since the last call.
    func takeNews() -> KeeperNews {
        defer { news = KeeperNews() }
        return news
    }

    private func keepTable(at now: Instant) {
        watch.forgive(&reconciler, at: now)
        var report = WriteReport()
        var early = 0
        var failure: NetlinkError?
        let before = drifted
        do throws(NetlinkError) {
            try writer.write(&reconciler, &report)
            early = report.executed.count
            watch.wrote(report.executed)
            watch.doubt(report.refusedServices)
            if !report.surprises.isEmpty { watch.suspect(at: now) }
            drifted.formUnion(report.surprises.map(\.command.service))
            try read(at: now)
            try writer.write(&reconciler, &report)
            watch.wrote(report.executed)
            writeTimeouts()
        } catch {
            failure = error
        }
        note(
            report,
            repairs: report.executed[..<early].filter { before.contains($0.service) }
                + report.executed[early...].filter { drifted.contains($0.service) })
        note(refusals: report, at: now)
        if let failure {
            fail(failure, at: now)
        } else if reconciler.pending.isEmpty, reconciler.unread.isEmpty {
            inOrder()
        }
    }

    private func read(at now: Instant) throws(NetlinkError) {
        let before = reconciler.unread.count
        drifted.formUnion(try watch.read(&reconciler, at: now))
        guard before != reconciler.unread.count else { return }
        news.everything = news.everything || !tableWasRead
        guard !tableWasRead, reconciler.unread.isEmpty else { return }
        tableWasRead = true
        news.lines.append(.tableRead(services: reconciler.standings.values.count { $0.held.entry != nil }))
    }

    private func fail(_ error: NetlinkError, at now: Instant) {
        let before = kernelHealth.problem
        let isOut = kernelHealth.failed(error, at: now)
        watch.abandon(isOut: isOut)
        if isOut { timeoutsAreWritten = false }
        if !error.stateIsUnknown { reconciler.lostTable() }
        if before != kernelHealth.problem { news.everything = true }
    }

    private func inOrder() {
        if kernelHealth.problem != nil { news.everything = true }
        kernelHealth.isInOrder()
        guard !drifted.isEmpty else { return }
        // What was found changed and needed no command.
        news.lines.append(.changedByOthers(drifted.sorted { "\($0)" < "\($1)" }))
        news.services.formUnion(drifted)
        drifted = []
    }

    private func note(_ report: WriteReport, repairs: [Command]) {
        if !repairs.isEmpty {
            news.lines.append(.repaired(repairs))
            news.repaired.formUnion(repairs.map(\.service))
            drifted.subtract(news.repaired)
        }
        var last: VirtualServerIdentity?
        for command in report.executed {
            let service = command.service
            if service != last { news.services.insert(service) }
            last = service
            if let endpoint = command.endpoint { news.servers.insert(ServerIdentity(service, endpoint)) }
        }
    }

    private func note(refusals report: WriteReport, at now: Instant) {
        let refused = report.refusedServices
        watch.refused(refused, at: now)
        let before = refusals
        for failure in report.refusals {
            refusals[failure.command.service, default: [:]][failure.command.endpoint] = failure.description
        }
        for (service, texts) in refusals {
            let standing = reconciler.standings[service]?.refusals ?? [:]
            let left = texts.filter { standing[$0.key] != nil }
            refusals[service] = left.isEmpty ? nil : left
            guard refusals[service] != before[service] else { continue }
            news.services.insert(service)
            for endpoint in texts.keys { if let endpoint { news.servers.insert(ServerIdentity(service, endpoint)) } }
            if let text = problem(of: service) { news.lines.append(.refused(service, text)) }
        }
    }

    /// Why the kernel does not have a service as it is wanted: the first refusal, and how many more there are.
    func problem(of service: VirtualServerIdentity) -> String? {
        guard let texts = refusals[service] else { return nil }
        let first = texts[Endpoint?.none] ?? texts.min { "\($0)" < "\($1)" }?.value
        return first.map { texts.count > 1 ? "\($0), and \(texts.count - 1) more" : $0 }
    }

    /// Why the kernel does not have a server as it is wanted; nil when it has, or when nothing of it is wanted.
    func problem(of server: ServerIdentity) -> String? {
        guard reconciler.standings[server.service]?.isAsWanted(server.endpoint) == false else { return nil }
        if let problem = kernelHealth.problem { return "\(problem.message); \(problem.remedy)" }
        return refusals[server.service].flatMap { $0[server.endpoint] ?? $0[Endpoint?.none] }
            ?? "it is not in the table yet; 'lbctl service list' shows when it is"
    }

    private func writeTimeouts() {
        guard !timeoutsAreWritten else { return }
        timeoutsAreWritten = true
        guard timeouts != IPVSTimeouts() else { return }
        let seconds = { (duration: Duration?) in UInt32(clamping: duration?.components.seconds ?? 0) }
        do throws(NetlinkError) {
            try kernel.setTimeouts(
                TableTimeouts(
                    tcp: seconds(timeouts.tcp), tcpFin: seconds(timeouts.tcpFin), udp: seconds(timeouts.udp)))
        } catch {
            news.lines.append(.timeoutsNotSet(error))
        }
    }
}
