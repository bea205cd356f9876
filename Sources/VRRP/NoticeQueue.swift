// Programs that are told what happened, one at a time for each instance and each group, in the order in which it happened: a program never
// meets its own predecessor, and the last one that runs is told the last state. keepalived starts them all at once, and the slower one wins.
//
// A program that hangs holds up those behind it: once a newer state waits it has half a minute. Of more than a few that wait, the oldest are
// left out, never the last. What this host cannot run (scriptd is away) is tried again until it can.

internal import Configuration
internal import Net

/// What is to be done about a program that is told.
public enum NotifyOrder: Equatable, Sendable {
    /// Begin it.
    case start(NotifyJob)
    /// End it: it has had its time.
    case end(NotifyJob)
}

/// The programs of all instances and groups.
struct NoticeQueue {
    private struct Waiting {
        let job: NotifyJob
        /// Of which notice.
        let notice: Int
        let kind: Notice.Kind
    }

    /// How long the one that runs may.
    private enum End {
        /// Nothing waits for it.
        case open
        case at(Instant)
        /// It has been asked to end.
        case asked
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
        /// The keyword of a program that cannot be run.
        var refused: String?
        /// At stop: when what waits is begun although the one before still runs.
        var overtakeAt: Instant?

        /// Nothing is left to be done or known.
        var isOver: Bool {
            guard case .none = current else { return false }
            return waiting.isEmpty && refused == nil
        }
    }

    private var lanes: [NoticeSubject: Lane] = [:]
    private var subjects: [Int: NoticeSubject] = [:]
    private var lastJob = 0
    private var lastNotice = 0
    private(set) var orders: [NotifyOrder] = []
    private(set) var remarks: [Remark] = []
    /// Programs that cannot be run, by the name of whom they would be told about.
    private(set) var refusals: [String: String] = [:]
    /// Why the last one could not be run for this host's fault; nil when it could.
    private(set) var hindrance: (since: Instant, why: String)?

    /// Jobs of one subject that wait.
    static let limit = 16
    /// What a program has when a newer state waits.
    static let patience = Duration.seconds(30)
    private static let retry = Duration.milliseconds(500)
    /// At stop the last programs wait this long for those before them.
    private static let farewell = Duration.seconds(1)

    /// Nothing runs and nothing waits.
    var isIdle: Bool { subjects.isEmpty && lanes.values.allSatisfy(\.waiting.isEmpty) }

    /// When to call `due`.
    var deadline: Instant? {
        guard !lanes.isEmpty else { return nil }
        return lanes.values.lazy.compactMap(Self.deadline).min()
    }

    /// What is to be done, and said, since it was last taken.
    mutating func take() -> (orders: [NotifyOrder], remarks: [Remark]) {
        defer { (orders, remarks) = ([], []) }
        return (orders, remarks)
    }

    /// Something has happened.
    mutating func add(_ notice: Notice, _ commands: NotifyCommands, at now: Instant) {
        let programs = notice.programs(of: commands)
        guard !programs.isEmpty else { return }
        var lane = lanes[notice.subject] ?? Lane()
        if notice.kind == .stop {
            lane.waiting = []
            lane.overtakeAt = now + Self.farewell
        }
        // What says nothing new about the state need not be said twice.
        if !notice.kind.isState { lane.waiting.removeAll { $0.kind == notice.kind } }
        lastNotice += 1
        for program in programs {
            lastJob += 1
            let job = NotifyJob(
                number: lastJob, subject: notice.subject, word: program.word, command: program.command,
                environment: notice.environment)
            lane.waiting.append(Waiting(job: job, notice: lastNotice, kind: notice.kind))
        }
        let before = lane.waiting.count
        while lane.waiting.count > Self.limit, let oldest = lane.waiting.first?.notice, oldest != lastNotice {
            lane.waiting.removeAll { $0.notice == oldest }
        }
        if before > lane.waiting.count {
            remarks.append(.noticesLeftOut(notice.subject, before - lane.waiting.count))
        }
        advance(&lane, at: now)
        lanes[notice.subject] = lane
    }

    /// The runner says something about a job.
    mutating func heard(_ report: ScriptReport, of number: Int, at now: Instant) {
        guard let subject = subjects[number] else { return }
        if report != .timedOut { subjects[number] = nil }
        // One that was overtaken at stop has nobody behind it any more.
        guard var lane = lanes[subject], case .running(let running, _) = lane.current, running.job.number == number
        else { return }
        switch report {
        case .timedOut: return
        case .ended(let outcome, let line):
            hindrance = nil
            if case .refused(let why) = outcome {
                lane.refused = running.job.word
                refusals[subject.name] = "\(running.job.word): \(why)"
            } else if lane.refused == running.job.word {
                lane.refused = nil
                refusals[subject.name] = nil
            }
            if outcome != .exited(0) {
                remarks.append(.notifyFailed(subject, running.job.word, outcome, lastLine: line))
            }
            lane.current = .none
        case .notRun(let why):
            hindrance = (hindrance?.since ?? now, why)
            lane.current = .failed(running, retryAt: now + Self.retry)
        }
        advance(&lane, at: now)
        lanes[subject] = lane.isOver ? nil : lane
    }

    /// `deadline` has come.
    mutating func due(at now: Instant) {
        for (subject, lane) in lanes where Self.deadline(lane).map({ $0 <= now }) ?? false {
            var lane = lane
            if let overtakeAt = lane.overtakeAt, overtakeAt <= now {
                lane.overtakeAt = nil
                if case .running = lane.current { lane.current = .none }
            }
            switch lane.current {
            case .running(let running, .at(let time)) where time <= now:
                orders.append(.end(running.job))
                lane.current = .running(running, .asked)
            case .failed(let waiting, let retryAt) where retryAt <= now:
                lane.current = .none
                lane.waiting.insert(waiting, at: 0)
            case .none, .running, .failed: break
            }
            advance(&lane, at: now)
            lanes[subject] = lane
        }
    }

    /// Begins the next one where none runs; bounds the one that runs where a newer state waits.
    private mutating func advance(_ lane: inout Lane, at now: Instant) {
        if case .none = lane.current, !lane.waiting.isEmpty {
            let next = lane.waiting.removeFirst()
            lane.current = .running(next, .open)
            subjects[next.job.number] = next.job.subject
            orders.append(.start(next.job))
        }
        if case .running(let running, .open) = lane.current,
            lane.waiting.contains(where: { $0.kind.isState && $0.notice != running.notice })
        {
            lane.current = .running(running, .at(now + Self.patience))
        }
    }

    private static func deadline(_ lane: Lane) -> Instant? {
        var first: Instant?
        switch lane.current {
        case .none, .running(_, .open), .running(_, .asked): break
        case .running(_, .at(let time)): first = time
        case .failed(_, let retryAt): first = retryAt
        }
        guard let overtakeAt = lane.overtakeAt, !lane.waiting.isEmpty else { return first }
        return first.map { min($0, overtakeAt) } ?? overtakeAt
    }
}
