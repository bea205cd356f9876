// Track scripts and notify programs in scriptd: a connection for each run.

import Bus
import Configuration
import Net
import Platform
import ScriptClient
import Scripts
import VRRP

/// Runs scripts through scriptd.
final class ScriptdScripts: ScriptStarter {
    private let scriptd: ScriptdAddress
    private let loop: EventLoop
    private var runs: [ScriptRun: ScriptCall<ScriptAPI.Run>] = [:]
    private let jobs: ScriptJobs
    private var life: ScriptCall<ScriptAPI.Run>?
    private var lifeTimer: LoopTimer?
    /// Something is known of a run.
    var heard: ((ScriptRun, ScriptReport) -> Void)?
    /// Something is known of a program that is told.
    var heardOfJob: ((Int, ScriptReport) -> Void)? {
        get { jobs.heard }
        set { jobs.heard = newValue }
    }

    /// Nothing runs yet.
    init(_ scriptd: ScriptdAddress, on loop: EventLoop) {
        self.scriptd = scriptd
        self.loop = loop
        jobs = ScriptJobs(scriptd, on: loop)
    }

    func begin(_ run: ScriptRun, _ script: TrackScriptConfiguration, _ rules: ScriptRules) {
        let call = ScriptAPI.Run(script.command, rules, timeout: script.timeout)
        runs[run] = ScriptCall(call, more: true, socket: scriptd.socket, loop: loop) { [weak self] news in
            guard let self, let call = runs[run] else { return }
            let report = ScriptReport(news)
            if report.isLast { runs[run] = nil }
            withExtendedLifetime(call) { self.heard?(run, report) }
        }
    }

    func abandon(_ run: ScriptRun) { runs[run] = nil }

    func tell(_ job: NotifyJob, _ rules: ScriptRules) { jobs.tell(job, rules) }

    func end(_ job: NotifyJob) { jobs.end(job) }

    // MARK: The beginning and the end

    private static let retry = Duration.milliseconds(500)

    func prepare(_ script: LifeScript, _ rules: ScriptRules, _ done: @escaping (ScriptReport) -> Void) {
        let giveUpAt = loop.now + script.timeout
        let run = ScriptAPI.Run(script.command, rules, timeout: script.timeout)
        let timer = loop.timer { [weak self] in
            guard let self else { return }
            life = ScriptCall(run, more: true, socket: scriptd.socket, loop: loop) { [weak self] news in
                guard let self else { return }
                let report = ScriptReport(news)
                let over = life
                if report.isLast { life = nil }
                switch report {
                case .accepted: break
                case .notRun where loop.now < giveUpAt: lifeTimer?.arm(after: Self.retry)
                // It is being ended, and elections need not wait for that.
                case .timedOut, .notRun: done(report)
                case .ended(.timedOut, _): break
                case .ended: done(report)
                }
                withExtendedLifetime(over) {}
            }
        }
        lifeTimer = timer
        timer.arm(after: .zero)
    }

    func conclude(_ script: LifeScript, _ rules: ScriptRules, _ done: @escaping (ScriptReport) -> Void) {
        var run = ScriptAPI.Run(script.command, rules, timeout: script.timeout)
        run.id = "\(scriptd.caller)/shutdown_script"
        life = ScriptCall(run, more: true, socket: scriptd.socket, loop: loop) { done(ScriptReport($0)) }
    }
}
