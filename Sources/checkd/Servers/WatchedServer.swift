// One real server of one service while checkd watches it: translates the actions of its machine into timers, probes, log
// lines and events, and keeps what people ask about (since when, why, how long the last probe took).
import Configuration
import HealthCheck
import Net
import Platform

/// What watched servers share.
struct Surroundings {
    let loop: EventLoop
    let runner: ProbeRunner
    let logger: Logger
    /// The server's published state changed.
    let changed: (WatchedServer) -> Void
    /// This host could not probe (the reason), or could again (nil).
    let trouble: (WatchedServer, String?) -> Void
}

/// A real server and what is known about it.
final class WatchedServer {
    /// What people ask about a checker beyond its verdict.
    struct Record {
        let configuration: CheckerConfiguration
        let identity: String
        var since: String
        var reason: String
        var lastProbe: String?
        var lastDuration: Duration?
        fileprivate var timer: LoopTimer?
        fileprivate var probe: RunningProbe?
    }

    /// SERVICE/ADDR:PORT.
    let name: String
    let configuration: RealServerConfiguration
    private(set) var machine: MonitoredServer
    /// Of the checkers that run, in the machine's order.
    private(set) var records: [Record] = []
    private(set) var since: String
    private(set) var reason: String
    /// True once `start` was called.
    private(set) var isStarted = false
    private let surroundings: Surroundings
    private var waiting: [(WatchedServer) -> Void] = []

    /// A server with what an earlier process or configuration found out about it.
    init(
        _ name: String, _ configuration: RealServerConfiguration, remembered: SavedServer?, _ surroundings: Surroundings
    ) {
        self.name = name
        self.configuration = configuration
        self.surroundings = surroundings
        var known = remembered?.checks ?? []
        var checkers: [Checker] = []
        let now = SystemClock.timestamp
        for checker in configuration.checkers where checker.reasonNotRun == nil {
            let identity = checker.identity
            let index = known.firstIndex { $0.check == identity }
            let saved = index.map { known.remove(at: $0) }
            checkers.append(Checker(checker, remembered: saved?.state.verdict))
            records.append(
                Record(
                    configuration: checker, identity: identity, since: saved?.since ?? now,
                    reason: saved?.reason ?? "not checked yet"))
        }
        machine = MonitoredServer(checkers: checkers)
        since = now
        reason = checkers.isEmpty ? "no check runs" : "not checked yet"
        if let remembered, remembered.state.verdict == machine.verdict {
            since = remembered.since
            reason = remembered.reason
        } else if machine.verdict == .down,
            let cause = zip(machine.checkers, records).first(where: { $0.0.verdict == .down })
        {
            reason = "\(cause.1.configuration.title): \(cause.1.reason)"
        }
    }

    /// Begins to probe.
    func start(using generator: inout some RandomNumberGenerator) {
        isStarted = true
        for index in records.indices {
            records[index].timer = surroundings.loop.timer { [weak self] in
                guard let self else { return }
                self.apply(self.machine.due(checker: index, at: self.surroundings.loop.now))
            }
        }
        apply(machine.started(at: surroundings.loop.now, using: &generator))
    }

    /// Stops for good. Whoever waits for results is called; by then the server is not the daemon's any more.
    func stop() {
        for index in records.indices {
            records[index].timer?.disarm()
            records[index].probe?.cancel()
            records[index].probe = nil
        }
        surroundings.trouble(self, nil)
        tellWaiting()
    }

    /// Probes now; `completion` is called when no checker is being probed any more.
    func run(_ completion: @escaping (WatchedServer) -> Void) {
        waiting.append(completion)
        apply(machine.probeRequested())
        if !machine.checkers.contains(where: \.isProbing) { tellWaiting() }
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
            case .verified:
                if machine.verdict == .up { reason = serverReason(.up) }
                surroundings.logger.debug("\(name) is \(machine.verdict.rawValue) as before: \(reason)")
                isNews = true
            }
        }
        guard isNews else { return }
        if machine.verdict == .down { reason = serverReason(.down) }
        surroundings.changed(self)
    }

    /// True when what is published about the checker changed.
    private func apply(_ action: Checker.Action, of index: Int) -> Bool {
        let title = records[index].configuration.title
        switch action {
        case .probe(let step):
            probe(index, step)
        case .wake(let deadline):
            records[index].timer?.arm(at: deadline)
        case .changed(let verdict, let failure, let attempts):
            records[index].since = SystemClock.timestamp
            records[index].reason = failure?.description ?? "succeeds"
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
            if records[index].configuration.schedule.logAllFailures {
                surroundings.logger.info(line)
            } else {
                surroundings.logger.debug(line)
            }
            return keepsFailing(index, failure)
        case .couldNotProbe(let problem):
            surroundings.trouble(self, problem)
        }
        return false
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
        guard verdict == .down, !down.isEmpty else {
            return records.count == 1 ? "the check succeeds" : "all checks succeed"
        }
        return down.map { "\($0.1.configuration.title): \($0.1.reason)" }.joined(separator: "; ")
    }

    private func probe(_ index: Int, _ step: Int) {
        let configuration = records[index].configuration
        let request = ProbeRequest(
            probe: configuration.probe, step: step, target: configuration.target,
            timeout: configuration.schedule.connectTimeout)
        records[index].probe = surroundings.runner.run(request) { [weak self] outcome, duration in
            self?.finished(index, outcome, duration)
        }
    }

    private func finished(_ index: Int, _ outcome: ProbeOutcome, _ duration: Duration) {
        records[index].probe = nil
        records[index].lastProbe = SystemClock.timestamp
        records[index].lastDuration = duration
        if case .inconclusive = outcome {} else { surroundings.trouble(self, nil) }
        apply(machine.finished(checker: index, outcome, at: surroundings.loop.refreshNow()))
        if !machine.checkers.contains(where: \.isProbing) { tellWaiting() }
    }

    private func tellWaiting() {
        let waiting = self.waiting
        self.waiting = []
        for completion in waiting { completion(self) }
    }
}
