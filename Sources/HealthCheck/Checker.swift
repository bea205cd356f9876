// The up/down machine of one checker (keepalived check_tcp.c and check_http.c: `tcp_epilog`, `epilog`).
//
// Events come in with the time, actions come out with deadlines; the machine never probes and never looks at a clock.
// While up, a failure is tried again `retry` times, `delay_before_retry` apart, before it counts. While down, there are no
// retries and `rise` complete rounds bring the checker up. A round tries every step (`url`) once, one per delay_loop, counted
// from the end of the probe before; a failed step is repeated until it is good, then all steps are tried again. With one step
// the answer that ends the repeating is the round (keepalived asks a second time).
public import Configuration
public import Net

/// What is believed of a checker or of a server.
public enum Verdict: String, Hashable, Sendable, CaseIterable {
    case up, down
}

/// How the probes of a kind of checker make rounds.
public struct CheckRounds: Hashable, Sendable {
    /// Number of steps in a round: the urls of an HTTP checker, else 1.
    public let steps: Int
    /// `fast_recovery`: the steps of a server that is coming back follow each other at once.
    public let recoversFast: Bool
    /// While down, the longer of delay_loop and delay_before_retry is waited (HTTP), else delay_loop.
    public let waitsForRetryWhileDown: Bool

    /// At least one step.
    public init(steps: Int = 1, recoversFast: Bool = false, waitsForRetryWhileDown: Bool = false) {
        self.steps = max(1, steps)
        self.recoversFast = recoversFast
        self.waitsForRetryWhileDown = waitsForRetryWhileDown
    }
}

/// One checker of one real server of one service.
public struct Checker: Sendable {
    /// What the driver shall do, in this order.
    public enum Action: Hashable, Sendable {
        /// Run the probe for this step and report with `finished`.
        case probe(step: Int)
        /// Call `due` at this time; replaces an earlier one.
        case wake(at: Instant)
        /// The verdict changed; `failure` is why it is down.
        case changed(Verdict, failure: ProbeFailure?, attempts: Int)
        /// The verdict that was assumed or remembered was found right by probing.
        case verified
        /// A failed attempt that changed nothing (yet).
        case failed(ProbeFailure, attempt: Int, of: Int)
        /// The probe says nothing about the server, which keeps its verdict.
        case hindered(ProbeHindrance)
    }

    private enum Phase {
        case idle
        case waiting(until: Instant)
        case probing
    }

    private enum Standing {
        /// With so many failures in a row.
        case up(failures: Int)
        /// With so many complete rounds since the last failure; `repeating` the step that failed.
        case down(rounds: Int, repeating: Bool)
    }

    /// When and how often.
    public let schedule: CheckSchedule
    /// How its probes make rounds.
    public let rounds: CheckRounds
    /// True once this process has probed enough to know; a verdict before that is assumed or remembered.
    public private(set) var isVerified = false
    /// What it believed at the beginning was remembered, not assumed.
    let isRemembered: Bool
    /// The failure the last probe ended with; nil after a success.
    public private(set) var lastFailure: ProbeFailure?

    /// Probes in a row that succeeded, up to now.
    public private(set) var successes = 0
    /// Probes in a row that failed, up to now.
    public private(set) var failures = 0

    /// It probes only when somebody asks; its verdict stays.
    public private(set) var isSuspended = false
    private var phase = Phase.idle
    /// When the probe was to begin, if this host held it up: the next ones are where they would be without that (`wait`).
    private var missed: Instant?
    private var standing: Standing
    private var step = 0

    /// A checker that has not probed yet: as `remembered`, else up, else (alpha) down.
    public init(_ schedule: CheckSchedule, _ rounds: CheckRounds = CheckRounds(), remembered: Verdict? = nil) {
        self.schedule = schedule
        self.rounds = rounds
        isRemembered = remembered != nil
        switch remembered ?? (schedule.alpha ? .down : .up) {
        case .up: standing = .up(failures: 0)
        case .down: standing = .down(rounds: 0, repeating: false)
        }
    }

    /// What is believed now.
    public var verdict: Verdict {
        switch standing {
        case .up: .up
        case .down: .down
        }
    }

    /// True between `.probe` and `finished`.
    public var isProbing: Bool {
        if case .probing = phase { return true }
        return false
    }

    // MARK: Events

    /// The checker begins its work: the first probe comes at a random time within `warmup`, so that many checkers spread.
    public mutating func started(at now: Instant, using generator: inout some RandomNumberGenerator) -> [Action] {
        let window = max(0, schedule.warmup.nanoseconds)
        var actions: [Action] = []
        wait(
            Duration(nanoseconds: window == 0 ? 0 : Int64.random(in: 0..<window, using: &generator)), from: now,
            &actions)
        return actions
    }

    /// No probes by itself from now on; one that is under way ends as ever.
    public mutating func suspended() {
        isSuspended = true
        missed = nil
        if case .waiting = phase { phase = .idle }
    }

    /// Probes again, the first time as at the start.
    public mutating func resumed(at now: Instant, using generator: inout some RandomNumberGenerator) -> [Action] {
        isSuspended = false
        return isProbing ? [] : started(at: now, using: &generator)
    }

    /// The time of the last `.wake` has come.
    public mutating func due(at now: Instant) -> [Action] {
        guard case .waiting(let deadline) = phase else { return [] }
        guard deadline <= now else { return [.wake(at: deadline)] }
        if (now - deadline).nanoseconds >= max(schedule.delayLoop.nanoseconds / 10, 100_000_000) { missed = deadline }
        return probeRequested()
    }

    /// Somebody wants a result now. A probe that is running already is that result.
    public mutating func probeRequested() -> [Action] {
        guard !isProbing else { return [] }
        phase = .probing
        return [.probe(step: step)]
    }

    /// A probe that `other` has begun is this checker's too: both ask the same on the same schedule. Nothing happens where its own time has
    /// not come to wait for, or where `other` is at another step and does not know enough to be followed.
    public mutating func joins(_ other: Checker, at now: Instant) -> [Action] {
        guard !isSuspended, case .waiting = phase else { return [] }
        return step == other.step ? probeRequested() : goesOn(as: other, at: now)
    }

    /// Takes over what `other`, which asks the same on the same schedule, has found out by probing, and when it goes on. Nothing happens while
    /// `other` does not know.
    public mutating func goesOn(as other: Checker, at now: Instant) -> [Action] {
        guard !isSuspended, !isProbing, other.isVerified, !other.isSuspended else { return [] }
        let failure = other.verdict == .down ? other.lastFailure : nil
        // Down and about to come back: why it was down is not known any more.
        guard other.verdict == .up || failure != nil else { return [] }
        let before = self
        self = other
        var actions: [Action] = []
        if verdict != before.verdict {
            actions.append(.changed(verdict, failure: failure, attempts: max(successes, failures)))
        } else if !before.isVerified {
            actions.append(.verified)
            if let failure { actions.append(.failed(failure, attempt: 1, of: 1)) }
        }
        switch other.phase {
        case .waiting(let deadline): actions.append(.wake(at: deadline))
        case .probing: actions.append(.probe(step: step))
        case .idle: wait(schedule.delayLoop, from: now, &actions)
        }
        return actions
    }

    /// The probe has ended. Ignored when none was running.
    public mutating func finished(_ outcome: ProbeOutcome, at now: Instant) -> [Action] {
        guard isProbing else { return [] }
        var actions: [Action] = []
        switch outcome {
        case .success:
            lastFailure = nil
            (successes, failures) = (successes + 1, 0)
            succeeded(at: now, &actions)
        case .failure(let failure):
            lastFailure = failure
            (successes, failures) = (0, failures + 1)
            failed(failure, at: now, &actions)
        case .inconclusive(let hindrance):
            actions.append(.hindered(hindrance))
            wait(schedule.delayLoop, from: now, &actions)
        }
        return actions
    }

    // MARK: Results

    private mutating func succeeded(at now: Instant, _ actions: inout [Action]) {
        switch standing {
        case .up:
            standing = .up(failures: 0)
            if advance() { verify(&actions) }
            wait(delayAfterSuccess, from: now, &actions)
        case .down(_, repeating: true) where rounds.steps > 1:
            standing = .down(rounds: 0, repeating: false)
            step = 0
            wait(delayAfterSuccess, from: now, &actions)
        case .down(let rounds, _):
            let complete = rounds + (advance() ? 1 : 0)
            guard complete >= schedule.rise else {
                standing = .down(rounds: complete, repeating: false)
                return wait(delayAfterSuccess, from: now, &actions)
            }
            standing = .up(failures: 0)
            isVerified = true
            actions.append(.changed(.up, failure: nil, attempts: complete))
            wait(schedule.delayLoop, from: now, &actions)
        }
    }

    private mutating func failed(_ failure: ProbeFailure, at now: Instant, _ actions: inout [Action]) {
        switch standing {
        case .up(let failures) where failures < schedule.retry:
            standing = .up(failures: failures + 1)
            actions.append(.failed(failure, attempt: failures + 1, of: schedule.fall))
            wait(schedule.delayBeforeRetry, from: now, &actions)
        case .up(let failures):
            standing = .down(rounds: 0, repeating: true)
            isVerified = true
            actions.append(.changed(.down, failure: failure, attempts: failures + 1))
            wait(delayWhileDown, from: now, &actions)
        case .down:
            standing = .down(rounds: 0, repeating: true)
            verify(&actions)
            actions.append(.failed(failure, attempt: 1, of: 1))
            wait(delayWhileDown, from: now, &actions)
        }
    }

    /// Goes on to the next step; true when that completes a round.
    private mutating func advance() -> Bool {
        step = (step + 1) % rounds.steps
        return step == 0
    }

    private mutating func verify(_ actions: inout [Action]) {
        guard !isVerified else { return }
        isVerified = true
        actions.append(.verified)
    }

    // MARK: Delays

    private var delayAfterSuccess: Duration {
        rounds.recoversFast && (verdict == .down || !isVerified) ? .zero : schedule.delayLoop
    }

    /// From a failed probe to the next while down.
    private var delayWhileDown: Duration {
        rounds.waitsForRetryWhileDown ? max(schedule.delayLoop, schedule.delayBeforeRetry) : schedule.delayLoop
    }

    /// Checkers that a pause of this host has made late together do not go on in step: each keeps its place within `delay_loop`.
    private mutating func wait(_ delay: Duration, from now: Instant, _ actions: inout [Action]) {
        guard !isSuspended else {
            phase = .idle
            return
        }
        var deadline = now + delay
        if let missed, schedule.delayLoop > .zero, delay >= schedule.delayLoop {
            deadline = deadline - .nanoseconds((now - missed).nanoseconds % schedule.delayLoop.nanoseconds)
            self.missed = nil
        }
        phase = .waiting(until: deadline)
        actions.append(.wake(at: deadline))
    }
}
