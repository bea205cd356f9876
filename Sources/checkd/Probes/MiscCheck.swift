// MISC_CHECK: a program of the administrator's, run by scriptd as the user that the configuration names; its exit status is the verdict
// (keepalived's check_misc.c). What keeps it from running is this host's trouble, never the server's.
import Bus
import Configuration
import HealthCheck
import Net
import Platform
import ScriptClient
import Scripts

/// A program and nothing else.
struct MiscCheck: ProbeKind {
    let probe: MiscProbe
    let network: ProbeNetwork

    var title: String { "MISC_CHECK \(probe.command.arguments[0])" }

    var identity: String {
        var parts = ["MISC_CHECK"] + probe.command.arguments.map { "'\($0)'" }
        if let user = probe.command.user { parts.append("user \(user.user) \(user.group ?? "")") }
        if probe.isDynamic { parts.append("misc_dynamic") }
        return parts.joined(separator: " ")
    }

    var rounds: CheckRounds { CheckRounds() }

    var movesWeight: Bool { probe.isDynamic }

    func start(step: Int, for attempt: ProbeAttempt) -> any RunningProbe {
        let run = MiscRun(self, attempt)
        network.programs.admit(run)
        return run
    }

    /// What a run says about the server; nil: it is not over.
    func outcome(of report: ScriptReport) -> ProbeOutcome? {
        switch report {
        case .accepted: nil
        case .timedOut: .failure(.script("\(ScriptOutcome.timedOut)"))
        case .notRun(let why): .inconclusive(.system(why))
        case .ended(.exited(0), _): .success
        case .ended(.exited(let status), _) where probe.isDynamic && (2...255).contains(status): .success
        case .ended(.refused(let why), _): .inconclusive(.system("it cannot be run: \(why)"))
        case .ended(let outcome, let line): .failure(.script(line.isEmpty ? "\(outcome)" : "\(outcome): \(line)"))
        }
    }
}

extension MiscCheck {
    /// With `misc_dynamic` a status of 2 to 255 is a weight of 0 to 253, and 0 is none (keepalived.conf(5)).
    fileprivate func weight(of report: ScriptReport) -> ProbeWeight? {
        guard probe.isDynamic, case .ended(.exited(let status), _) = report else { return nil }
        if status == 0 { return .change(0) }
        return (2...255).contains(status) ? .weight(Int64(status) - 2) : nil
    }
}

/// A run that waits for its turn, is under way, or has not gone although its time is up.
final class MiscRun: RunningProbe {
    private enum Stage {
        case waiting
        case running(ScriptCall<ScriptAPI.Run>)
        /// Its attempt has failed for want of time; scriptd ends it.
        case overdue(ScriptCall<ScriptAPI.Run>)
        case over
    }

    private let check: MiscCheck
    private weak var attempt: ProbeAttempt?
    private var stage = Stage.waiting
    private var timer: LoopTimer?
    /// What the timer is about: a pause of this host gives it back.
    private var allowance = TimeAllowance(.zero)
    /// Since when it waits behind an earlier run.
    private var waitsSince = Instant.zero
    /// scriptd was asked, and answers: what it does not say is not so.
    private(set) var isConfirmed = false
    private var question: ScriptCall<ScriptAPI.List>?

    fileprivate init(_ check: MiscCheck, _ attempt: ProbeAttempt) {
        self.check = check
        self.attempt = attempt
        timer = check.network.loop.timer { [weak self] in self?.timeIsUp() }
    }

    /// What it asks: not asked twice at once, when the first has not ended in time.
    var identity: String { check.identity }
    var title: String { check.title }
    private var places: ProgramPlaces { check.network.programs }

    /// An earlier run is still there: what does not end has failed, begun again or not.
    func waitsBehind() {
        waitsSince = check.network.loop.now
        limit(check.probe.timeout)
    }

    /// The earlier run is gone.
    func waitsForPlace() { timer?.disarm() }

    /// What cannot be ended has all places.
    func hasNoPlace() {
        stage = .over
        timer?.disarm()
        attempt?.finish(.inconclusive(.system("programs that cannot be ended have all places")))
    }

    private func limit(_ time: Duration) {
        allowance = TimeAllowance(time)
        timer?.arm(at: allowance.begin(at: check.network.loop.now))
    }

    /// Begins it.
    func begin() {
        let network = check.network
        let run = ScriptAPI.Run(check.probe.command, network.scriptRules, timeout: check.probe.timeout)
        limit(ScriptReport.patience)
        stage = .running(
            ScriptCall(run, more: true, socket: network.scriptd, loop: network.loop) { [weak self] in self?.heard($0) })
    }

    private func heard(_ news: ScriptCall<ScriptAPI.Run>.News) {
        // The call is in the middle of telling.
        withExtendedLifetime((self, stage)) {
            if case .busy = news {
                stage = .waiting
                timer?.disarm()
                places.putBack(self)
            } else {
                heard(ScriptReport(news))
            }
        }
    }

    private func heard(_ report: ScriptReport) {
        if case .overdue = stage { return report.isLast ? leave() : () }
        guard let outcome = check.outcome(of: report) else {
            limit(ScriptReport.whole(check.probe.timeout))
            return
        }
        if case .ended(_, let line) = report, !line.isEmpty {
            attempt?.note = line
            attempt?.tell("< \(line)")
        }
        attempt?.weight = check.weight(of: report)
        if case .timedOut = report, case .running(let call) = stage {
            stage = .overdue(call)
            limit(ScriptReport.grace)
            places.isOverdue(self)
        } else {
            leave()
        }
        attempt?.finish(outcome)
    }

    private func timeIsUp() {
        let now = check.network.loop.now
        switch allowance.expire(at: now) {
        case .extended(let deadline): return timer?.arm(at: deadline) ?? ()
        case .paused: return timer?.arm(at: allowance.begin(at: now)) ?? ()
        case .over: break
        }
        switch stage {
        case .waiting: stillWaits(at: now)
        case .running: withExtendedLifetime(self) { heard(.notRun("scriptd does not answer")) }
        case .overdue: isConfirmed ? places.isStuck(self) : askWhetherScriptdLives()
        case .over: break
        }
    }

    /// The earlier run has not ended, as far as anybody knows.
    private func stillWaits(at now: Instant) {
        if places.hasConfirmed(identity) {
            attempt?.finish(.failure(.script("\(ScriptOutcome.timedOut): it has not ended since it was run before")))
        } else if now - waitsSince > ScriptReport.whole(check.probe.timeout) {
            attempt?.finish(.inconclusive(.system("scriptd does not say whether the run before has ended")))
        } else {
            limit(min(check.probe.timeout, ScriptReport.grace))
        }
    }

    /// A scriptd that is stopped ends nothing and says nothing. Any answer will do; after it the program has its time to end once more.
    private func askWhetherScriptdLives() {
        let network = check.network
        question = ScriptCall(ScriptAPI.List(), socket: network.scriptd, loop: network.loop) { [weak self] _ in
            guard let self, case .overdue = stage else { return }
            let call = question
            question = nil
            isConfirmed = true
            limit(ScriptReport.grace)
            withExtendedLifetime(call) {}
        }
    }

    private func leave() {
        stage = .over
        question = nil
        timer?.disarm()
        places.leave(self)
    }

    /// scriptd ends the program when the connection ends. One that is being ended keeps its place until it is gone.
    func cancel() {
        switch stage {
        case .waiting:
            stage = .over
            timer?.disarm()
            places.withdraw(self)
        case .running: leave()
        case .overdue, .over: break
        }
    }
}
