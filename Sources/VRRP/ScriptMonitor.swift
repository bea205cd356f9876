// One `vrrp_script`: when it runs, and what its runs say (keepalived's vrrp_script_thread and vrrp_script_child_thread). No clock and no
// processes: `due` says that a run is to begin, reports of the runner come in, the verdict comes out.
//
// Only the script's own runs move the verdict. When this host could not run it (the runner is away, or has no process left) nothing is
// said about what the script watches, and the last verdict stays.

public import Configuration
public import Net
public import Scripts

/// A script and its standing.
public struct ScriptMonitor: Equatable, Sendable {
    /// What the runs so far say.
    public enum Verdict: Hashable, Sendable {
        /// No run has ended.
        case unknown
        case good
        case failed
    }

    /// What it does to who tracks it.
    public enum Standing: Hashable, Sendable {
        case unknown
        case good
        case failed
        /// It cannot be run, so it is not well whatever `reverse` says.
        case refused
    }

    /// Where the current run is.
    enum Run: Hashable {
        /// The next one begins at the time.
        case waiting(until: Instant)
        /// The runner has been asked, and must say by the time that it takes it on.
        case asked(since: Instant, patience: Instant)
        /// Began, and must have been heard of by the time.
        case running(since: Instant, patience: Instant)
        /// Has failed for want of time and is being ended. Another run is not begun beside it: while it is there it fails again at each such time.
        case ending(since: Instant, again: Instant)
    }

    /// Its block.
    public private(set) var configuration: TrackScriptConfiguration
    /// What its runs say.
    public private(set) var verdict: Verdict
    /// What the last run came to.
    public private(set) var outcome: ScriptOutcome?
    /// The last line that the last run printed.
    public private(set) var lastLine = ""
    /// Why the last run could not begin or was lost; nil when it was not.
    public private(set) var hindrance: Hindrance?
    /// How the script stood that this one takes the place of: counts until a run has ended.
    private var inherited = Standing.unknown
    private(set) var run: Run
    /// keepalived's count from 0 to rise + fall - 1; good from rise on.
    private var count: Int

    /// After a run that this host could not do the next one comes this early at the latest.
    static let retry = Duration.milliseconds(500)

    /// A script that runs at once. The first run decides; with `init_fail` it has failed until `rise` runs have succeeded.
    public init(_ configuration: TrackScriptConfiguration, at now: Instant) {
        self.configuration = configuration
        verdict = configuration.startsFailed ? .failed : .unknown
        count = configuration.startsFailed ? 0 : configuration.rise - 1
        run = .waiting(until: now)
    }

    /// A script whose command was edited: what the one before stood at counts until this one has run.
    init(_ configuration: TrackScriptConfiguration, replacing before: ScriptMonitor, at now: Instant) {
        self.init(configuration, at: now)
        inherited = before.standing
    }

    /// What counts.
    public var standing: Standing {
        switch verdict {
        case .unknown: inherited
        case .good: .good
        case .failed: isRefused ? .refused : .failed
        }
    }

    /// It cannot be run, so it is not well whatever `reverse` says.
    public var isRefused: Bool { if case .refused? = outcome { verdict == .failed } else { false } }

    /// A run is under way, or being ended.
    public var isRunning: Bool { if case .waiting = run { false } else { true } }

    /// When to call `due`.
    public var deadline: Instant {
        switch run {
        case .waiting(let next): next
        case .asked(_, let patience), .running(_, let patience): patience
        case .ending(_, let again): again
        }
    }

    /// What `due` asks for.
    enum Order: Hashable {
        /// Begin a run.
        case start
        /// Give up the run: nothing was heard of it in time.
        case abandon
        /// Nothing: the run that is out of time has not ended, and has failed once more.
        case remain
    }

    /// The time of `deadline` has come.
    mutating func due(at now: Instant) -> Order? {
        guard deadline <= now else { return nil }
        switch run {
        case .waiting:
            run = .asked(since: now, patience: now + ScriptReport.patience)
            return .start
        case .asked(let since, _):
            lost("scriptd does not answer", since: since, at: now)
            return .abandon
        case .running(let since, _):
            lost("scriptd gave no answer in time", since: since, at: now)
            return .abandon
        case .ending(let since, let again):
            run = .ending(since: since, again: now + pauseOfEnding)
            // Late: this host stood still, and so did what ends the program.
            if TimeAllowance.isLate(by: now - again, of: pauseOfEnding) { return nil }
            hindrance = Hindrance(
                since: hindrance?.since ?? now, why: "it is out of time and does not end; it is not begun again before")
            count(.timedOut)
            return .remain
        }
    }

    /// What cannot be ended fails as often as if it were begun again, and not before it could have been killed.
    private var pauseOfEnding: Duration { max(ScriptReport.grace, configuration.interval, configuration.timeout) }

    /// The runner says something about the current run.
    mutating func heard(_ report: ScriptReport, at now: Instant) {
        switch (run, report) {
        case (.waiting, _): return
        case (.asked(let since, _), .accepted):
            run = .running(since: since, patience: now + ScriptReport.whole(configuration.timeout))
        case (.running, .accepted), (.ending, .accepted): return
        case (.asked(let since, _), .timedOut), (.running(let since, _), .timedOut):
            run = .ending(since: since, again: now + pauseOfEnding)
            hindrance = nil
            count(.timedOut)
        case (.ending, .timedOut): return
        case (.asked(let since, _), .ended(let outcome, let line)),
            (.running(let since, _), .ended(let outcome, let line)):
            run = .waiting(until: next(after: since, at: now))
            lastLine = line
            hindrance = nil
            count(outcome)
        case (.ending(let since, _), .ended(_, let line)):
            run = .waiting(until: next(after: since, at: now))
            lastLine = line
            hindrance = nil
        case (.asked, .notRun(let why)), (.running, .notRun(let why)), (.ending, .notRun(let why)):
            lost(why, since: now, at: now)
        }
    }

    /// This host could not do the run, or nobody knows what came of it.
    private mutating func lost(_ why: String, since: Instant, at now: Instant) {
        if case .ending(let since, _) = run {
            run = .waiting(until: next(after: since, at: now))
        } else {
            run = .waiting(until: now + min(configuration.interval, Self.retry))
        }
        hindrance = Hindrance(since: hindrance?.since ?? since, why: why)
    }

    /// Goes over to an edited block; the same program's results stay, also those that have not come to a verdict yet.
    mutating func adopt(_ configuration: TrackScriptConfiguration) {
        let before = self.configuration
        self.configuration = configuration
        switch verdict {
        case .unknown: count = configuration.rise - 1
        case .good:
            let failures = before.rise + before.fall - 1 - count
            count = configuration.rise + configuration.fall - 1 - min(failures, configuration.fall - 1)
        case .failed: count = min(count, configuration.rise - 1)
        }
        if case .waiting(let next) = run, before.interval > configuration.interval {
            run = .waiting(until: next - (before.interval - configuration.interval))
        }
    }

    /// Takes another name: a run that is under way is not heard of any more, and a new one begins.
    mutating func rename(to configuration: TrackScriptConfiguration, at now: Instant) {
        adopt(configuration)
        if isRunning { run = .waiting(until: now) }
    }

    /// Runs keep their rhythm: a beat at which the last one is still there is left out.
    private func next(after since: Instant, at now: Instant) -> Instant {
        let interval = configuration.interval
        let beats = max(1, ((now - since).nanoseconds + interval.nanoseconds - 1) / max(1, interval.nanoseconds))
        return since + .nanoseconds(interval.nanoseconds * beats)
    }

    private mutating func count(_ outcome: ScriptOutcome) {
        self.outcome = outcome
        let (rise, top) = (configuration.rise, configuration.rise + configuration.fall - 1)
        if outcome == .exited(0) {
            count = count < rise - 1 ? count + 1 : top
        } else {
            count = count <= rise ? 0 : count - 1
        }
        verdict = count >= rise ? .good : .failed
    }
}
