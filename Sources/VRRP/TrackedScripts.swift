// The scripts that some router tracks, by name. Those that nobody tracks do not run, as in keepalived.

public import Configuration
internal import Net
internal import Scripts

/// A run that was asked for; its reports carry it.
public struct ScriptRun: Hashable, Sendable {
    /// The script.
    public let script: String
    /// Which run of it. Never the same for two blocks that had the name one after the other.
    public let number: Int
}

/// What a driver is to do about scripts. Nobody waits for it: after everything else of the turn.
public enum ScriptOrder: Equatable, Sendable {
    /// Begin a run.
    case start(ScriptRun, TrackScriptConfiguration)
    /// End a run, if it is still there; nothing that is said of it counts any more.
    case abandon(ScriptRun)
}

/// All tracked scripts.
struct TrackedScripts {
    private(set) var monitors: [String: ScriptMonitor] = [:]
    /// Scripts that must not begin yet: before the start.
    private var isRunning = false
    private var runs: [String: ScriptRun] = [:]
    private var lastRun = 0
    /// When to call `due`.
    private(set) var deadline: Instant?
    /// Of the script that could not be run for the longest time; named.
    private(set) var hindrance: Hindrance?

    /// Begun in one turn: each is some system calls, and an advertisement may be due.
    private static let startsAtOnce = 8

    /// Runs begin.
    mutating func begin(at now: Instant) {
        isRunning = true
        for name in monitors.keys {
            guard let configuration = monitors[name]?.configuration else { continue }
            monitors[name] = ScriptMonitor(configuration, at: now)
        }
        schedule()
    }

    /// Goes over to these scripts. One that runs the same program as the same user keeps its results, also under another name; one whose
    /// command is another keeps its standing until it has run. Gives the runs to be ended.
    mutating func adopt(_ scripts: [TrackScriptConfiguration], at now: Instant) -> [ScriptOrder] {
        var orders: [ScriptOrder] = []
        let kept = Dictionary(scripts.map { ($0.name, $0) }) { first, _ in first }
        var replaced: [String: ScriptMonitor] = [:]
        for (name, monitor) in monitors where kept[name]?.command != monitor.configuration.command {
            replaced[name] = monitor
            monitors[name] = nil
            if let run = runs.removeValue(forKey: name) { orders.append(.abandon(run)) }
        }
        for script in scripts {
            if monitors[script.name] != nil {
                monitors[script.name]?.adopt(script)
            } else if let name = replaced.keys.sorted().first(where: {
                replaced[$0]?.configuration.command == script.command
            }) {
                monitors[script.name] = replaced.removeValue(forKey: name)
                monitors[script.name]?.rename(to: script, at: now)
            }
        }
        for script in scripts where monitors[script.name] == nil {
            let before = replaced.removeValue(forKey: script.name)
            monitors[script.name] =
                before.map { ScriptMonitor(script, replacing: $0, at: now) } ?? ScriptMonitor(script, at: now)
        }
        findHindrance()
        schedule()
        return orders
    }

    /// No run any more.
    mutating func end() -> [ScriptOrder] {
        isRunning = false
        deadline = nil
        defer { runs = [:] }
        return runs.values.map { .abandon($0) }
    }

    /// What is to be begun or given up now; the scripts of which something is different, with the verdict before.
    mutating func due(at now: Instant) -> (
        orders: [ScriptOrder], changed: [(name: String, before: ScriptMonitor.Verdict)]
    ) {
        guard let first = deadline, first <= now else { return ([], []) }
        var orders: [ScriptOrder] = []
        var changed: [(name: String, before: ScriptMonitor.Verdict)] = []
        let due = monitors.filter { $0.value.deadline <= now }
            .sorted { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }
        for (name, before) in due.prefix(Self.startsAtOnce) {
            switch monitors[name]?.due(at: now) {
            case .start?:
                guard let configuration = monitors[name]?.configuration else { continue }
                lastRun += 1
                let run = ScriptRun(script: name, number: lastRun)
                runs[name] = run
                orders.append(.start(run, configuration))
            case .abandon?:
                if let run = runs.removeValue(forKey: name) { orders.append(.abandon(run)) }
                changed.append((name, before.verdict))
                findHindrance()
            case .remain?:
                changed.append((name, before.verdict))
                findHindrance()
            case nil: break
            }
        }
        schedule()
        return (orders, changed)
    }

    /// The runner says something about a run. True when the verdict or the outcome is another one.
    mutating func heard(_ report: ScriptReport, of run: ScriptRun, at now: Instant) -> Bool {
        guard runs[run.script] == run, let before = monitors[run.script] else { return false }
        monitors[run.script]?.heard(report, at: now)
        if monitors[run.script]?.isRunning == false { runs[run.script] = nil }
        schedule()
        let after = monitors[run.script]
        if before.hindrance != after?.hindrance { findHindrance() }
        return before.verdict != after?.verdict || before.outcome != after?.outcome
            || before.hindrance != after?.hindrance
    }

    private mutating func findHindrance() {
        let first = monitors.min { one, other in
            guard let since = one.value.hindrance?.since else { return false }
            guard let otherSince = other.value.hindrance?.since else { return true }
            return (since, one.key) < (otherSince, other.key)
        }
        hindrance = first.flatMap { name, monitor in
            monitor.hindrance.map { Hindrance(since: $0.since, why: "track_script \(name): \($0.why)") }
        }
    }

    private mutating func schedule() {
        deadline = isRunning ? monitors.values.lazy.map(\.deadline).min() : nil
    }
}
