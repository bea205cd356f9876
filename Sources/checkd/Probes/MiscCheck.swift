// MISC_CHECK: a program of the administrator's, run by scriptd as the user that the configuration names; its exit status is the verdict
// (keepalived's check_misc.c). What keeps it from running is this host's trouble, never the server's.
import Bus
import Configuration
import DequeModule
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

    var problem: String? {
        probe.isDynamic ? "misc_dynamic sets no weight in this version: exit status 2 to 255 is up" : nil
    }

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

/// A run that waits for its turn, or is under way.
final class MiscRun: RunningProbe {
    private let check: MiscCheck
    private weak var attempt: ProbeAttempt?
    private var call: ScriptCall<ScriptAPI.Run>?
    private var patience: LoopTimer?
    /// It runs, and gives its place back.
    private var place: ProgramPlaces?
    private(set) var isOver = false

    fileprivate init(_ check: MiscCheck, _ attempt: ProbeAttempt) {
        self.check = check
        self.attempt = attempt
    }

    /// Begins it.
    fileprivate func begin(at places: ProgramPlaces) {
        place = places
        let network = check.network
        let run = ScriptAPI.Run(check.probe.command, network.scriptRules, timeout: check.probe.timeout)
        let timer = network.loop.timer { [weak self] in self?.heard(.notRun("scriptd does not answer")) }
        timer.arm(after: ScriptReport.patience)
        patience = timer
        call = ScriptCall(run, more: true, socket: network.scriptd, loop: network.loop) { [weak self] in
            self?.heard(ScriptReport($0))
        }
    }

    private func heard(_ report: ScriptReport) {
        guard let outcome = check.outcome(of: report) else {
            patience?.arm(after: check.probe.timeout + ScriptReport.grace)
            return
        }
        patience?.disarm()
        if case .ended(_, let line) = report, !line.isEmpty {
            attempt?.note = line
            attempt?.tell("< \(line)")
        }
        let attempt = attempt
        // The call is in the middle of telling.
        withExtendedLifetime((self, call)) {
            cancel()
            attempt?.finish(outcome)
        }
    }

    /// scriptd ends the program when the connection ends.
    func cancel() {
        isOver = true
        patience?.disarm()
        call = nil
        let place = place
        self.place = nil
        place?.leave()
    }
}

/// Programs at once: fewer than scriptd takes of one daemon. The others wait in the order in which they came.
final class ProgramPlaces {
    private static let limit = 200
    private var running = 0
    private var waiting: Deque<MiscRun> = []

    /// Begins it as soon as there is a place.
    func admit(_ run: MiscRun) {
        waiting.append(run)
        beginSome()
    }

    fileprivate func leave() {
        running -= 1
        beginSome()
    }

    private func beginSome() {
        while running < Self.limit, let run = waiting.popFirst() {
            guard !run.isOver else { continue }
            running += 1
            run.begin(at: self)
        }
    }
}
