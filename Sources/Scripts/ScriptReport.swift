// What is heard of a program that scriptd runs: whether it was taken on, how it ended, or why nobody knows.

public import Net

/// What one run of a script came to.
public enum ScriptOutcome: Hashable, Sendable, CustomStringConvertible {
    /// It exited; 0 = success.
    case exited(Int)
    /// A signal ended it.
    case signalled(Int)
    /// It did not end in time and was ended.
    case timedOut
    /// It cannot be run, and why: no such file, not executable, not secure.
    case refused(String)

    public var description: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .signalled(let signal): "ended by signal \(signal)"
        case .timedOut: "not done in time"
        case .refused(let why): "cannot be run: \(why)"
        }
    }
}

/// What the runner says about a run.
public enum ScriptReport: Hashable, Sendable {
    /// The runner has been told and takes it on.
    case accepted
    /// Its time is up: it is being ended and is still there.
    case timedOut
    /// It is over. The last line of its output, at most 256 octets.
    case ended(ScriptOutcome, lastLine: String)
    /// This host could not run it, and why.
    case notRun(String)

    /// For people.
    public var words: String {
        switch self {
        case .accepted: "it is taken on"
        case .timedOut: "\(ScriptOutcome.timedOut)"
        case .ended(let outcome, let line): line.isEmpty ? "\(outcome)" : "\(outcome): \(line)"
        case .notRun(let why): "it is not run: \(why)"
        }
    }

    /// Nothing more is heard of the run.
    public var isLast: Bool {
        switch self {
        case .accepted, .timedOut: false
        case .ended, .notRun: true
        }
    }

    /// A runner that does not say for so long that it takes a program on hangs.
    public static let patience = Duration.seconds(3)
    /// What a runner needs to end a program that has no time left, and to say so.
    public static let grace = Duration.seconds(4)

    /// What a run with this time limit may take in all, when the runner lives: after a pause of the host it gives lost time back.
    public static func whole(_ timeout: Duration) -> Duration { timeout * 2 + grace }
}

/// This host cannot run a program.
public struct Hindrance: Hashable, Sendable {
    /// Since when it has not been able to.
    public let since: Instant
    /// For people.
    public let why: String

    /// Why, and since when.
    public init(since: Instant, why: String) {
        self.since = since
        self.why = why
    }
}
