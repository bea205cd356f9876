// What is told to the administrator's programs, whoever tells it: which programs, with which arguments and variables; and what comes of it.

public import Configuration

/// A program that a keyword names.
public struct ToldProgram: Equatable, Sendable {
    /// The keyword: `notify_master`, `quorum_down`.
    public let word: String
    /// As configured.
    public let command: ScriptCommand
    /// What is appended.
    public let arguments: [String]

    /// A program and what it gets behind its own arguments.
    public init(_ word: String, _ command: ScriptCommand, arguments: [String] = []) {
        self.word = word
        self.command = command
        self.arguments = arguments
    }
}

/// Something that has happened to a subject.
public struct ToldEvent<Subject: Sendable>: Sendable {
    /// Whom it is about.
    public let subject: Subject
    /// What has happened, to tell repetitions.
    public let kind: String
    /// It is the state that the subject has from now on; others say something about a state that goes on.
    public let isState: Bool
    /// The last one: what waits is not told any more.
    public let isLast: Bool
    /// Who is told, in this order.
    public let programs: [ToldProgram]
    /// Their variables.
    public let environment: [String: String]

    /// Something that has happened.
    public init(
        _ subject: Subject, kind: String, isState: Bool = true, isLast: Bool = false, programs: [ToldProgram],
        environment: [String: String]
    ) {
        self.subject = subject
        self.kind = kind
        self.isState = isState
        self.isLast = isLast
        self.programs = programs
        self.environment = environment
    }
}

/// For the log.
public enum NoticeRemark<Subject: Hashable & Sendable>: Hashable, Sendable {
    /// So many programs were not told, because newer things waited.
    case leftOut(Subject, Int)
    /// The program of this keyword has failed.
    case failed(Subject, String, ScriptOutcome, lastLine: String)
}

/// A program that is to be told.
public struct NotifyJob: Equatable, Sendable {
    /// Never the same for two of one queue.
    public let number: Int
    /// Whom it is about.
    public let subject: String
    /// What it must not run beside; the same in the next process.
    public let lane: String
    /// The keyword that names the program.
    public let word: String
    /// The program, all arguments appended.
    public let command: ScriptCommand
    /// Its variables.
    public let environment: [String: String]

    /// The longest that it may run.
    public static let timeout = Duration.seconds(600)
}

/// What is to be done about a program that is told.
public enum NotifyOrder: Equatable, Sendable {
    /// Begin it.
    case start(NotifyJob)
    /// End it: it has had its time.
    case end(NotifyJob)
}
