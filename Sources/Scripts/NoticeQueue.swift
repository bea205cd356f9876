// Programs that are told what happened, one at a time for each subject (a virtual router, a group, a virtual service), in the order in which
// it happened: a program never meets its own predecessor, and the last one that runs is told the last state. keepalived starts them all at
// once, and the slower one wins. What counts is the lane: what a process before this one has begun in it the runner knows.
//
// A program that hangs holds up those behind it: once a newer state waits it has half a minute. Of more than a few that wait, the oldest are
// left out, never the last. What this host cannot run (scriptd is away) is tried again until it can; of what has been asked to end and is not
// heard of nobody knows whether it still runs, so nothing is begun behind it, and that is said.

internal import Configuration
internal import DequeModule
public import Net

/// The programs of all subjects.
public struct NoticeQueue<Subject: Hashable & Sendable & CustomStringConvertible>: Sendable {
    private struct Waiting {
        let job: NotifyJob
        let subject: Subject
        /// As configured.
        let command: ScriptCommand
        /// Of which notice.
        let notice: Int
        let kind: String
        let isState: Bool
    }

    /// How long the one that runs may.
    private enum End {
        /// The runner must say by then that it takes it on.
        case offered(Instant)
        /// Nothing waits for it; the runner ends it before.
        case open(Instant)
        /// Something waits for it.
        case at(Instant)
        /// It has been asked to end, and must be heard of by then.
        case asked(Instant)
        /// Nothing was heard of it.
        case silent

        var time: Instant? {
            switch self {
            case .offered(let time), .open(let time), .at(let time), .asked(let time): time
            case .silent: nil
            }
        }
    }

    private enum Current {
        case none
        case running(Waiting, End)
        /// Could not be run; is tried again.
        case failed(Waiting, retryAt: Instant)
    }

    private struct Lane {
        var current = Current.none
        var waiting: [Waiting] = []
        /// At stop: when all that waits is begun although others still run.
        var overtakeAt: Instant?
        /// It is among those that wait because too many run.
        var isReady = false
        /// Begun like that.
        var last: [Waiting] = []
        /// Why the last one could not be run for this host's fault; nil when it could.
        var hindrance: Hindrance?

        /// Nothing is left to be done.
        var isOver: Bool {
            guard case .none = current else { return false }
            return waiting.isEmpty && last.isEmpty
        }
    }

    /// A program that cannot be run.
    private struct Refusal {
        let command: ScriptCommand
        let why: String
    }

    private var lanes: [String: Lane] = [:]
    private var lanesOfJobs: [Int: String] = [:]
    /// Programs that may run at once.
    private let atOnce: Int
    /// Lanes whose next program waits only because too many run; a lane may have nothing to begin any more.
    private var ready: Deque<String> = []
    private var lastJob = 0
    private var lastNotice = 0
    private var orders: [NotifyOrder] = []
    private var remarks: [NoticeRemark<Subject>] = []
    /// Who is told, as configured.
    private var programs: [Subject: [ToldProgram]] = [:]
    private var refused: [Subject: [String: Refusal]] = [:] {
        didSet { if !refused.isEmpty || !refusals.isEmpty { describeRefusals() } }
    }
    /// Programs that cannot be run, by whom they would be told about.
    public private(set) var refusals: [Subject: String] = [:]
    /// Of the program that could not be run for the longest time; named.
    public private(set) var hindrance: Hindrance?

    /// Jobs of one subject that wait.
    static var limit: Int { 16 }
    /// What a program has when a newer state waits.
    static var patience: Duration { .seconds(30) }
    private static var retry: Duration { .milliseconds(500) }
    /// At stop the last programs wait this long for those before them.
    private static var farewell: Duration { .seconds(1) }

    /// Nothing runs; at most `atOnce` programs will at a time.
    public init(atOnce: Int = .max) {
        self.atOnce = atOnce
    }

    /// Nothing runs and nothing waits.
    public var isIdle: Bool { lanes.isEmpty }

    /// When to call `due`.
    public var deadline: Instant? {
        guard !lanes.isEmpty else { return nil }
        return lanes.values.lazy.compactMap(Self.deadline).min()
    }

    /// What is to be done, and said, since it was last taken.
    public mutating func take() -> (orders: [NotifyOrder], remarks: [NoticeRemark<Subject>]) {
        defer { (orders, remarks) = ([], []) }
        return (orders, remarks)
    }

    /// Goes over to these programs. What is known of one that is not among them is forgotten.
    public mutating func adopt(_ programs: [Subject: [ToldProgram]]) {
        self.programs = programs
        for (subject, refusals) in refused {
            let kept = refusals.filter { word, refusal in isConfigured(word, refusal.command, of: subject) }
            refused[subject] = kept.isEmpty ? nil : kept
        }
    }

    private mutating func describeRefusals() {
        let described = refused.compactMap { subject, refusals -> (Subject, String)? in
            let words = (programs[subject] ?? []).compactMap { program in
                refusals[program.word].map { "\(program.word): \($0.why)" }
            }
            return words.first.map { (subject, words.count > 1 ? "\($0) (and \(words.count - 1) more)" : $0) }
        }
        refusals = Dictionary(described) { first, _ in first }
    }

    private func isConfigured(_ word: String, _ command: ScriptCommand, of subject: Subject) -> Bool {
        programs[subject]?.contains { $0.word == word && $0.command == command } ?? false
    }

    /// Something has happened.
    public mutating func add(_ notice: ToldEvent<Subject>, in key: String, at now: Instant) {
        guard !notice.programs.isEmpty else { return }
        var lane = lanes[key] ?? Lane()
        if notice.isLast {
            lane.waiting = []
            if case .failed = lane.current { lane.current = .none }
            lane.overtakeAt = now + Self.farewell
        }
        // What says nothing new about the state need not be said twice.
        if !notice.isState { lane.waiting.removeAll { $0.kind == notice.kind } }
        lastNotice += 1
        for program in notice.programs {
            lastJob += 1
            var command = program.command
            command.arguments += program.arguments
            let job = NotifyJob(
                number: lastJob, subject: "\(notice.subject)", lane: key, word: program.word, command: command,
                environment: notice.environment)
            lane.waiting.append(
                Waiting(
                    job: job, subject: notice.subject, command: program.command, notice: lastNotice, kind: notice.kind,
                    isState: notice.isState))
        }
        let before = lane.waiting.count
        while lane.waiting.count > Self.limit, let oldest = lane.waiting.first?.notice, oldest != lastNotice {
            lane.waiting.removeAll { $0.notice == oldest }
        }
        if before > lane.waiting.count {
            remarks.append(.leftOut(notice.subject, before - lane.waiting.count))
        }
        advance(&lane, key, at: now)
        keep(lane, key)
    }

    /// A lane goes on under another key.
    public mutating func move(_ old: String, to new: String) {
        guard lanes[new] == nil, let lane = lanes.removeValue(forKey: old) else { return }
        lanes[new] = lane
        for (number, key) in lanesOfJobs where key == old { lanesOfJobs[number] = new }
        for place in ready.indices where ready[place] == old { ready[place] = new }
    }

    /// The runner says something about a job.
    public mutating func heard(_ report: ScriptReport, of number: Int, at now: Instant) {
        guard let key = lanesOfJobs[number] else { return }
        if report.isLast { lanesOfJobs[number] = nil }
        defer { if report.isLast { beginReady(at: now) } }
        guard var lane = lanes[key] else { return }
        let running: Waiting
        if case .running(let current, let end) = lane.current, current.job.number == number {
            running = current
            switch report {
            case .accepted:
                // The runner is there again; what it says of the program is another matter.
                if case .silent = end { lane.hindrance = nil }
                lane.current = .running(current, .open(now + NotifyJob.timeout + ScriptReport.grace))
            case .timedOut: lane.current = .running(current, .asked(now + ScriptReport.grace))
            case .ended: lane.current = .none
            case .notRun: lane.current = .failed(current, retryAt: now + Self.retry)
            }
        } else if let position = lane.last.firstIndex(where: { $0.job.number == number }) {
            running = lane.last[position]
            if report.isLast { lane.last.remove(at: position) }
            if case .notRun = report {
                if case .none = lane.current {
                    lane.current = .failed(running, retryAt: now + Self.retry)
                } else {
                    lane.waiting.append(running)
                    lane.overtakeAt = now + Self.retry
                }
            }
        } else {
            return
        }
        switch report {
        case .accepted, .timedOut: break
        case .ended(let outcome, let line):
            lane.hindrance = nil
            ended(running, outcome)
            if outcome != .exited(0) {
                remarks.append(.failed(running.subject, running.job.word, outcome, lastLine: line))
            }
        case .notRun(let why): hinder(&lane, running, why, since: now)
        }
        advance(&lane, key, at: now)
        keep(lane, key)
    }

    /// What a run says about whether the program can be run at all.
    private mutating func ended(_ run: Waiting, _ outcome: ScriptOutcome) {
        guard isConfigured(run.job.word, run.command, of: run.subject) else { return }
        if case .refused(let why) = outcome {
            refused[run.subject, default: [:]][run.job.word] = Refusal(command: run.command, why: why)
        } else if refused[run.subject]?[run.job.word] != nil {
            refused[run.subject]?[run.job.word] = nil
            if refused[run.subject]?.isEmpty == true { refused[run.subject] = nil }
        }
    }

    private func hinder(_ lane: inout Lane, _ run: Waiting, _ why: String, since: Instant) {
        lane.hindrance = Hindrance(
            since: lane.hindrance?.since ?? since, why: "\(run.job.word) of \(run.job.subject): \(why)")
    }

    private mutating func keep(_ lane: Lane, _ key: String) {
        let before = lanes[key]?.hindrance
        lanes[key] = lane.isOver ? nil : lane
        guard lanes[key]?.hindrance != before else { return }
        hindrance = lanes.values.lazy.compactMap(\.hindrance).min { ($0.since, $0.why) < ($1.since, $1.why) }
    }

    /// `deadline` has come.
    public mutating func due(at now: Instant) {
        for (key, lane) in lanes where Self.deadline(lane).map({ $0 <= now }) ?? false {
            var lane = lane
            switch lane.current {
            case .running(let running, let end) where end.time.map { $0 <= now } ?? false:
                switch end {
                case .offered(let time):
                    hinder(&lane, running, "scriptd does not answer", since: time - ScriptReport.patience)
                    lane.current = .running(running, .silent)
                case .open, .at:
                    orders.append(.end(running.job))
                    lane.current = .running(running, .asked(now + ScriptReport.grace))
                case .asked(let time):
                    hinder(
                        &lane, running, "it was to end, and nothing is heard of it", since: time - ScriptReport.grace)
                    lane.current = .running(running, .silent)
                case .silent: break
                }
            case .failed(let waiting, let retryAt) where retryAt <= now:
                lane.current = .none
                lane.waiting.insert(waiting, at: 0)
            case .none, .running, .failed: break
            }
            if let overtakeAt = lane.overtakeAt, overtakeAt <= now {
                for next in lane.waiting { begin(next, in: key) }
                lane.last += lane.waiting
                lane.waiting = []
            }
            advance(&lane, key, at: now)
            keep(lane, key)
        }
    }

    private mutating func begin(_ next: Waiting, in lane: String) {
        lanesOfJobs[next.job.number] = lane
        orders.append(.start(next.job))
    }

    /// Begins the next one where none runs; bounds the one that runs where a newer state waits.
    private mutating func advance(_ lane: inout Lane, _ key: String, at now: Instant) {
        if case .none = lane.current, !lane.waiting.isEmpty {
            guard lanesOfJobs.count < atOnce else {
                if !lane.isReady { ready.append(key) }
                lane.isReady = true
                return
            }
            let next = lane.waiting.removeFirst()
            lane.current = .running(next, .offered(now + ScriptReport.patience))
            begin(next, in: key)
        }
        if case .running(let running, .open(let time)) = lane.current,
            lane.waiting.contains(where: { $0.isState && $0.notice != running.notice })
        {
            lane.current = .running(running, .at(min(time, now + Self.patience)))
        }
    }

    /// Begins what waits because too many ran.
    private mutating func beginReady(at now: Instant) {
        while lanesOfJobs.count < atOnce, let key = ready.popFirst() {
            guard var lane = lanes[key] else { continue }
            lane.isReady = false
            advance(&lane, key, at: now)
            keep(lane, key)
        }
    }

    private static func deadline(_ lane: Lane) -> Instant? {
        var first: Instant?
        switch lane.current {
        case .none: break
        case .running(_, let end): first = end.time
        case .failed(_, let retryAt): first = retryAt
        }
        guard let overtakeAt = lane.overtakeAt, !lane.waiting.isEmpty else { return first }
        return first.map { min($0, overtakeAt) } ?? overtakeAt
    }
}
