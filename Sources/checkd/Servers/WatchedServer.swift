// One real server of one service while checkd watches it: translates the actions of its machine into timers, probes, log lines and news,
// and keeps what people ask about (since when, why, how long the last probe took).
import Bus
import Configuration
import HealthCheck
import Net
import Platform

/// A real server and what is known about it.
final class WatchedServer {
    /// What people ask about a checker beyond its verdict.
    struct Record {
        /// What is asked, for this checker and for all that ask the same.
        let shared: SharedProbe
        var since: String
        var reason: String
        var hindrance: ProbeHindrance?
        /// When it ended, in nanoseconds since 1970.
        var lastProbe: Int64?
        var lastDuration: Duration?
        /// What the last probe printed last.
        var lastLine: String?
        /// Of the server, in seconds since 1970.
        var certificateEnd: Int64?
        var history = CheckRecord()
        /// What it adds to the server's configured weight.
        var weightChange: Int64
        fileprivate var timer: (any AlarmClock)?
        /// When the next probe is to begin; nil: whoever asks for one begins it.
        fileprivate var due: Instant?
        fileprivate var follower: AnyObject?
        /// What it follows changed while a result was on its way, which is of before.
        fileprivate var asksAgain = false

        var kind: any ProbeKind { shared.kind }
        var identity: String { shared.identity }
        var schedule: CheckSchedule { shared.checker.schedule }
    }

    /// SERVICE/ADDR:PORT.
    let name: String
    private(set) var weight: Int
    private(set) var machine: MonitoredServer
    /// Checks pause while this address is not on this host; nil: they never do.
    private(set) var home: IPAddress?
    /// It is not.
    private(set) var isSuspended = false
    /// What its checkers add to the weight is known: a probe has said it, or it is what was known before, or none of them adds anything.
    private(set) var isWeighed: Bool
    /// Of the checkers, in the order of the configuration.
    private(set) var records: [Record] = []
    private(set) var since: String
    private(set) var reason: String
    /// Since when it is held down for changing too often; nil: it is not.
    private(set) var heldSince: String?
    /// When that ends if nothing changes; nil: nobody knows.
    private(set) var heldUntil: String?
    private var holdTimer: (any AlarmClock)?
    private var releaseAt: Instant?
    private let surroundings: Surroundings
    private var waiting: [(WatchedServer) -> Void] = []

    /// A server with what an earlier process or configuration found out about it.
    init(
        _ name: String, _ configuration: RealServerConfiguration, home: IPAddress? = nil, remembered: SavedServer?,
        _ surroundings: Surroundings
    ) {
        self.name = name
        self.home = home
        weight = configuration.weight
        self.surroundings = surroundings
        let running = configuration.checkers.map { checker in
            surroundings.probes.probe(for: checker, surroundings.kind(checker))
        }
        // One that was taken away adds nothing any more, whatever the others are waiting for.
        isWeighed = remembered != nil || !running.contains(where: \.kind.movesWeight)
        let now = SystemClock.timestamp
        var checkers: [Checker] = []
        let memories = Recollection.of(running.map(\.identity), from: remembered)
        for (shared, memory) in zip(running, memories) {
            checkers.append(Checker(shared.checker.schedule, shared.kind.rounds, remembered: memory.verdict))
            let (since, reason) = Self.beginning(memory, now: now)
            records.append(
                Record(
                    shared: shared, since: since, reason: reason,
                    weightChange: shared.kind.movesWeight ? memory.weightChange : 0))
        }
        let damping = configuration.flapLimit.map {
            FlapDamping(
                $0, changes: (remembered?.changes ?? []).map { Instant(nanoseconds: $0) },
                wasHeld: remembered?.heldSince != nil, at: surroundings.turns.now)
        }
        machine = MonitoredServer(checkers: checkers, damping: damping)
        heldSince = damping?.isHeld == true ? remembered?.heldSince : nil
        since = now
        reason = checkers.isEmpty ? "no check runs" : Self.notChecked
        if let remembered, remembered.state.verdict == machine.verdict {
            since = remembered.since
            reason = remembered.reason
        } else if machine.verdict == .down,
            let cause = zip(machine.checkers, records).first(where: { $0.0.verdict == .down })
        {
            reason = "\(cause.1.kind.title): \(cause.1.reason)"
        }
    }

    private static let notChecked = "not checked yet"

    private static func beginning(_ memory: Recollection, now: String) -> (since: String, reason: String) {
        switch memory {
        case .same(let check): (check.since, check.reason)
        // Edited again before it was asked: said once, however often.
        case .edited(let check) where check.reason.hasPrefix(notChecked): (check.since, check.reason)
        case .edited(let check): (check.since, "\(notChecked); before its configuration changed: \(check.reason)")
        case .added, .nothing: (now, notChecked)
        }
    }

    /// What its checks are, in the order of the configuration.
    var checkers: [CheckerConfiguration] { records.map(\.shared.checker) }

    /// How often it may change its state.
    var flapLimit: FlapLimit? { machine.damping?.limit }

    /// The configuration asks for other checks than these.
    func differs(from configuration: RealServerConfiguration) -> Bool {
        !configuration.checkers.elementsEqual(records.lazy.map(\.shared.checker))
    }

    /// Goes over to a configuration with the same checkers. What they add to the weight stays, as in keepalived.
    func adopt(_ configuration: RealServerConfiguration, home: IPAddress?) {
        weight = configuration.weight
        self.home = home
        apply(machine.adopt(configuration.flapLimit, at: surroundings.turns.now))
    }

    /// Whether its address is on this host was looked at. True when that is news.
    func setSuspended(_ isSuspended: Bool, using generator: inout some RandomNumberGenerator) -> Bool {
        guard isSuspended != self.isSuspended else { return false }
        self.isSuspended = isSuspended
        for record in records where record.timer != nil { record.shared.pauses(isSuspended) }
        if isSuspended {
            machine.suspended()
            for index in records.indices { records[index].due = nil }
        } else {
            apply(machine.resumed(at: surroundings.turns.now, using: &generator))
            learn()
        }
        surroundings.changed(self)
        return true
    }

    /// Begins to probe.
    func start(using generator: inout some RandomNumberGenerator) {
        for index in records.indices {
            records[index].timer = surroundings.turns.alarmClock { [unowned self] in
                apply(machine.due(checker: index, at: surroundings.turns.now))
            }
            records[index].follower = records[index].kind.follow { [unowned self] in followedChanged(index) }
            records[index].shared.add(self, index)
        }
        apply(machine.started(at: surroundings.turns.now, using: &generator))
        learn()
    }

    private func followedChanged(_ index: Int) {
        if !machine.checkers[index].isProbing {
            apply(machine.probeRequested(checker: index))
        } else if records[index].shared.isTelling {
            records[index].asksAgain = true
        }
    }

    /// What others know who ask the same is known here too; else what they are asking is asked for this server as well. What a probe says
    /// about the weight comes with the next one.
    private func learn() {
        for (index, record) in records.enumerated() {
            if !record.kind.movesWeight, let other = record.shared.known(besides: self, index) {
                apply(machine.goesOn(checker: index, as: other, at: surroundings.turns.now))
            } else if let other = record.shared.asking {
                joins(index, other)
            }
        }
    }

    /// Stops for good. Whoever waits for results is called; by then the server is not the daemon's any more.
    func stop() {
        holdTimer = nil
        for index in records.indices {
            records[index].timer?.disarm()
            records[index].follower = nil
            records[index].shared.remove(self, index)
            hinder(index, nil)
        }
        tellWaiting()
    }

    /// Probes now; `completion` is called when no checker is being probed any more.
    func run(_ completion: @escaping (WatchedServer) -> Void) {
        waiting.append(completion)
        apply(machine.probeRequested())
        if !machine.isProbing { tellWaiting() }
    }

    /// Probes once with everything that its checks ask for, beside its own probes; nothing that is known of the server changes.
    func attempt(_ completion: @escaping ([CheckAPI.Trial]) -> Void) {
        ServerTrial(of: zip(names, records).map { ($0, $1.kind, $1.schedule.connectTimeout) }, completion)
            .start(surroundings.probes.runner)
    }

    // MARK: Actions

    private func apply(_ actions: [MonitoredServer.Action]) {
        var isNews = false
        for action in actions {
            switch action {
            case .checker(let index, let action):
                isNews = apply(action, of: index) || isNews
            case .changed(let verdict):
                since = SystemClock.timestamp
                reason = serverReason(verdict)
                surroundings.logger.notice("\(name) is \(verdict.rawValue): \(reason)")
                isNews = true
            case .held(let isHeld):
                heldSince = isHeld ? SystemClock.timestamp : nil
                isNews = true
                let limit = machine.damping.map { " (\($0.limit))" } ?? ""
                let line = isHeld ? "is held down, it changes its state too often\(limit)" : "is held down no longer"
                surroundings.logger.notice("\(name) \(line)")
            case .verified:
                if machine.verdict == .up { reason = serverReason(.up) }
                surroundings.logger.debug("\(name) is \(machine.verdict.rawValue) as before: \(reason)")
                isNews = true
            }
        }
        awaitRelease()
        guard isNews else { return }
        if machine.verdict == .down { reason = serverReason(.down) }
        surroundings.changed(self)
    }

    private func awaitRelease() {
        let deadline = machine.releaseAt
        guard deadline != releaseAt else { return }
        releaseAt = deadline
        guard let deadline else { return (holdTimer, heldUntil) = (nil, nil) }
        heldUntil = SystemClock.timestamp(
            at: SystemClock.wallNanoseconds + (deadline - surroundings.turns.now).nanoseconds)
        holdTimer =
            holdTimer
            ?? surroundings.turns.alarmClock { [unowned self] in
                apply(machine.released(at: surroundings.turns.now))
            }
        holdTimer?.arm(at: deadline)
    }

    /// True when what is published about the checker changed.
    private func apply(_ action: Checker.Action, of index: Int) -> Bool {
        var title: String { records[index].kind.title }
        switch action {
        case .probe(let step):
            let due = records[index].due
            records[index].due = nil
            records[index].shared.ask(step, due: due, for: self, index)
        case .wake(let deadline):
            records[index].due = deadline
            records[index].timer?.arm(at: deadline)
        case .changed(let verdict, let failure, let attempts):
            records[index].since = SystemClock.timestamp
            records[index].reason = failure?.description ?? "succeeds"
            records[index].history.changed(to: verdict, records[index].since, records[index].reason)
            // With one checker the line about the server says it all.
            guard records.count > 1 else { return true }
            surroundings.logger.info(
                "\(name): \(title) is \(verdict.rawValue): \(records[index].reason) (\(attempts) in a row)")
            return true
        case .verified:
            // A failure speaks for itself in the next action.
            if machine.checkers[index].lastFailure == nil { records[index].reason = "succeeds" }
        case .failed(let failure, let attempt, let limit):
            let line = "\(name): \(title) failed: \(failure) (attempt \(attempt) of \(limit))"
            if records[index].schedule.logAllFailures {
                surroundings.logger.info(line)
            } else {
                surroundings.logger.debug(line)
            }
            return keepsFailing(index, failure)
        case .hindered(let hindrance):
            return hinder(index, hindrance)
        }
        return false
    }

    /// True when that is news.
    @discardableResult
    private func hinder(_ index: Int, _ hindrance: ProbeHindrance?) -> Bool {
        guard records[index].hindrance != hindrance else { return false }
        records[index].hindrance = hindrance
        surroundings.hindered(
            CheckerKey(server: name, title: records[index].kind.title, number: index), hindrance)
        return true
    }

    /// True when a checker that was down already is down for another reason now.
    private func keepsFailing(_ index: Int, _ failure: ProbeFailure) -> Bool {
        guard machine.checkers[index].verdict == .down, records[index].reason != failure.description else {
            return false
        }
        records[index].reason = failure.description
        return true
    }

    private func serverReason(_ verdict: Verdict) -> String {
        let down = zip(machine.checkers, records).filter { $0.0.verdict == .down }
        var reason = down.map { "\($0.1.kind.title): \($0.1.reason)" }.joined(separator: "; ")
        if verdict == .up || down.isEmpty {
            reason = records.count == 1 ? "the check succeeds" : "all checks succeed"
        }
        guard verdict == .down, machine.isHeld, let limit = machine.damping?.limit else { return reason }
        return "held down, \(limit) (flap_limit); now: \(reason)"
    }

    /// A probe that the checker waited for has ended.
    func finished(_ index: Int, _ report: ProbeReport) {
        records[index].lastLine = report.note
        records[index].certificateEnd = report.certificateEnd ?? records[index].certificateEnd
        records[index].history.latency.add(report.duration)
        var isNews = weigh(index, report.weight)
        records[index].lastProbe = SystemClock.wallNanoseconds
        records[index].lastDuration = report.duration
        if case .inconclusive = report.outcome {} else { isNews = hinder(index, nil) || isNews }
        apply(machine.finished(checker: index, report.outcome, at: surroundings.turns.refreshNow()))
        if isNews { surroundings.changed(self) }
        if records[index].asksAgain {
            records[index].asksAgain = false
            apply(machine.probeRequested(checker: index))
        }
        if !waiting.isEmpty, !machine.isProbing { tellWaiting() }
    }

    /// True when the checker makes another weight than before, or says for the first time what it makes.
    private func weigh(_ index: Int, _ weight: ProbeWeight?) -> Bool {
        guard let change = weight?.change(of: self.weight) else { return false }
        defer { isWeighed = true }
        guard change != records[index].weightChange else { return !isWeighed }
        records[index].weightChange = change
        surroundings.logger.info(
            "\(name): \(records[index].kind.title) adds \(change) to the weight; all checks together \(weightChange)")
        return true
    }

    // MARK: What is asked together with others

    /// The checker as it stands.
    func checker(_ index: Int) -> Checker { machine.checkers[index] }

    /// Its verdict is found by probing, and it does not pause.
    func knows(_ index: Int) -> Bool { machine.checkers[index].isVerified && !machine.checkers[index].isSuspended }

    /// Another server's checker, which asks the same, has begun a probe.
    func joins(_ index: Int, _ other: Checker) {
        apply(machine.joins(checker: index, other, at: surroundings.turns.now))
    }

    private func tellWaiting() {
        let waiting = self.waiting
        self.waiting = []
        for completion in waiting { completion(self) }
    }
}
