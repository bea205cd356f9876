// The world of checkd as a test makes it: a clock that jumps, servers that answer as badly as wanted, a disk that fails or hangs, a bus that
// only listens. No socket, no thread, no sleep.
import Bus
import Configuration
import HealthCheck
import JSON
import Net
import Platform
import Synchronization

@testable import checkd

/// xorshift64*: the same sequence for the same seed on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = (seed &+ 1) &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

/// A loop whose time is a variable. A turn handles what has arrived, then the timers that are due, then what was put off, as `EventLoop`.
final class SimulatedTurns: Turns {
    private final class Timer: AlarmClock {
        var deadline: Instant?
        let handler: () -> Void

        init(_ handler: @escaping () -> Void) { self.handler = handler }

        func arm(at deadline: Instant) { self.deadline = deadline }
        func disarm() { deadline = nil }
    }

    private struct WeakTimer { weak var timer: Timer? }

    private(set) var now = Instant(nanoseconds: 1_000_000_000_000)
    private var timers: [WeakTimer] = []
    /// What arrives from outside, as descriptors become ready; earliest first.
    private var arrivals: [(at: Instant, handler: () -> Void)] = []
    private var postponed: [() -> Void] = []
    /// Called at the end of each turn.
    var ended: () -> Void = {}

    func refreshNow() -> Instant { now }
    func soon(_ work: @escaping () -> Void) { postponed.append(work) }

    func alarmClock(_ handler: @escaping () -> Void) -> any AlarmClock {
        let timer = Timer(handler)
        timers.append(WeakTimer(timer: timer))
        return timer
    }

    /// Something arrives after `delay`.
    func arrive(after delay: Duration, _ handler: @escaping () -> Void) {
        let at = now + delay
        let index = arrivals.firstIndex { $0.at > at } ?? arrivals.endIndex
        arrivals.insert((at, handler), at: index)
    }

    /// The process stands still; what is sent to it arrives meanwhile.
    func stopProcess(for duration: Duration) { now = now + duration }

    /// The machine stands still; nothing arrives meanwhile.
    func stopMachine(for duration: Duration) {
        now = now + duration
        for index in arrivals.indices { arrivals[index].at = arrivals[index].at + duration }
    }

    func run(for duration: Duration) {
        let end = now + duration
        while takeTurn(until: end) {}
        now = max(now, end)
    }

    private func takeTurn(until end: Instant) -> Bool {
        timers.removeAll { $0.timer == nil }
        let deadlines = timers.compactMap { $0.timer?.deadline }
        var next = min(arrivals.first?.at ?? .distantFuture, deadlines.min() ?? .distantFuture)
        if !postponed.isEmpty { next = now }
        guard max(next, now) <= end else { return false }
        now = max(next, now)
        while let first = arrivals.first, first.at <= now {
            arrivals.removeFirst()
            first.handler()
        }
        for timer in timers.compactMap(\.timer) {
            guard let deadline = timer.deadline, deadline <= now else { continue }
            timer.deadline = nil
            timer.handler()
        }
        let work = postponed
        postponed = []
        for item in work { item() }
        ended()
        return true
    }
}

/// How a simulated server answers.
enum Manner: CaseIterable {
    case good, refuses, silent, garbage, drips

    var isGood: Bool { self == .good }
}

/// The servers and this host as probes meet them.
final class SimulatedNetwork {
    let turns: SimulatedTurns
    var manners: [UInt16: Manner] = [:]
    /// No probe can be made from here.
    var trouble: ProbeHindrance?
    /// Probes that were begun, by the server's port.
    private(set) var probes: [UInt16: Int] = [:]
    var generator: SeededGenerator

    init(_ turns: SimulatedTurns, seed: UInt64) {
        self.turns = turns
        generator = SeededGenerator(seed: seed)
    }

    func kind(of checker: CheckerConfiguration) -> any ProbeKind { SimulatedCheck(checker: checker, network: self) }

    fileprivate func begun(_ port: UInt16) { probes[port, default: 0] += 1 }
}

/// A checker of a simulated server, known by its port.
struct SimulatedCheck: ProbeKind {
    let checker: CheckerConfiguration
    let network: SimulatedNetwork

    var title: String { "SIMULATED \(checker.target.endpoint)" }
    var identity: String { ([title] + checker.target.identity).joined(separator: " ") }
    var rounds: CheckRounds {
        guard case .http(let probe) = checker.probe else { return CheckRounds() }
        return CheckRounds(steps: probe.urls.count, waitsForRetryWhileDown: true)
    }

    func start(step: Int, for attempt: ProbeAttempt) -> any RunningProbe {
        let network = self.network
        let run = SimulatedRun()
        network.begun(checker.target.endpoint.port)
        attempt.expect(.connect)
        if let trouble = network.trouble {
            if Bool.random(using: &network.generator) {
                attempt.finish(.inconclusive(trouble))
            } else {
                network.turns.arrive(after: .zero) { [weak attempt] in attempt?.finish(.inconclusive(trouble)) }
            }
            return run
        }
        let latency = Duration.milliseconds(Int.random(in: 1...120, using: &network.generator))
        switch network.manners[checker.target.endpoint.port] ?? .good {
        case .good: answer(.success, latency, attempt, run)
        case .refuses: answer(.failure(.connection("connection refused")), latency, attempt, run)
        case .garbage: answer(.failure(.malformed("closed inside the headers")), latency, attempt, run)
        case .silent: break
        case .drips:
            attempt.expect(.answer)
            attempt.limitWhole()
            drip(attempt, run)
        }
        return run
    }

    private func answer(_ outcome: ProbeOutcome, _ latency: Duration, _ attempt: ProbeAttempt, _ run: SimulatedRun) {
        network.turns.arrive(after: latency) { [weak attempt, weak run] in
            if run?.isOver == false { attempt?.finish(outcome) }
        }
    }

    private func drip(_ attempt: ProbeAttempt, _ run: SimulatedRun) {
        network.turns.arrive(after: checker.schedule.connectTimeout / 2) { [weak attempt, weak run] in
            guard let attempt, let run, !run.isOver else { return }
            attempt.progressed()
            drip(attempt, run)
        }
    }
}

private final class SimulatedRun: RunningProbe {
    var isOver = false
    func cancel() { isOver = true }
}

/// A state file whose disk does as it is told. Outlives the daemon that writes it.
final class SimulatedDisk: VerdictFile {
    enum Condition: CaseIterable {
        case good, full, hangs
    }

    let path = "/simulated/checkd.json"
    var condition = Condition.good
    var content: [UInt8]?
    private(set) var failure: Errno?
    var failureChanged: ((Errno?) -> Void)?
    private(set) var writes = 0
    private let turns: SimulatedTurns
    private var waiting: (make: @Sendable () -> [UInt8], done: ((Errno?) -> Void)?)?
    private var isBusy = false
    private var life = 0

    init(_ turns: SimulatedTurns) { self.turns = turns }

    /// The process has ended; what it had not written is lost.
    func processEnded() {
        life += 1
        (waiting, isBusy, failure, failureChanged) = (nil, false, nil, nil)
    }

    func read() throws(Errno) -> [UInt8]? { content }

    func write(_ make: @escaping @Sendable () -> [UInt8], done: ((Errno?) -> Void)?) {
        writes += 1
        waiting = (make, done)
        if !isBusy { attempt(after: .milliseconds(20)) }
    }

    private func attempt(after delay: Duration) {
        isBusy = true
        let life = self.life
        turns.arrive(after: delay) { [weak self] in
            guard let self, self.life == life else { return }
            switch self.condition {
            case .hangs: self.attempt(after: .milliseconds(200))
            case .full:
                self.report(Errno(28, "write"))
                self.attempt(after: .seconds(1))
            case .good: self.succeed()
            }
        }
    }

    private func succeed() {
        isBusy = false
        guard let (make, done) = waiting else { return }
        content = make()
        waiting = nil
        report(nil)
        done?(nil)
    }

    private func report(_ failure: Errno?) {
        if let done = waiting?.done, failure != nil {
            waiting?.done = nil
            done(failure)
        }
        guard self.failure != failure else { return }
        self.failure = failure
        failureChanged?(failure)
    }
}

/// A bus that takes the state of a subject at the end of the turn in which it changed, as the publisher does.
final class SimulatedBus: Publishing, AlarmBoard {
    private let turns: SimulatedTurns
    private var states: [String: (String) -> (any JSONCodable)?] = [:]
    private var subjects: [String: () -> [String]] = [:]
    /// What subscribers know about each server.
    private(set) var servers: [String: CheckAPI.ServerHealth] = [:]
    private(set) var alarms: [CheckAlarm: Alarm] = [:]
    private(set) var alarmChanges = 0
    private(set) var beats: [Instant] = []
    /// What the last of them says.
    private(set) var lateness: Int?
    private(set) var isComplete = false
    /// Called with each published verdict, before and after.
    var published: (String, CheckAPI.ServerHealth?, CheckAPI.ServerHealth?) -> Void = { _, _, _ in }

    init(_ turns: SimulatedTurns) { self.turns = turns }

    func provide(_ type: String, subjects: @escaping () -> [String], state: @escaping (String) -> (any JSONCodable)?) {
        self.subjects[type] = subjects
        states[type] = state
    }

    func changed(_ type: String, subject: @autoclosure () -> String, published: ((Int?) -> Void)?) {
        let subject = subject()
        if type == EventType.checkHeartbeat {
            beats.append(turns.now)
            lateness = (states[type]?(subject) as? CheckHeartbeat)?.latenessMicroseconds
            return
        }
        turns.soon { [weak self] in
            guard let self, type == EventType.checkServer else { return }
            let state = self.states[type]?(subject) as? CheckAPI.ServerHealth
            let before = self.servers.updateValue(state ?? self.gone(subject), forKey: subject)
            if state == nil { self.servers[subject] = nil }
            self.published(subject, before, state)
        }
    }

    private func gone(_ subject: String) -> CheckAPI.ServerHealth {
        CheckAPI.ServerHealth(server: subject, state: .unknown, verified: false, since: "", reason: "", checks: [])
    }

    func stateIsComplete() { isComplete = true }

    func replace(with wanted: [CheckAlarm: Alarm]) {
        if wanted != alarms { alarmChanges += 1 }
        alarms = wanted
    }
}
