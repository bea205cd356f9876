// Track scripts and notify programs in scriptd: a connection for each run.

import Bus
import Configuration
import Net
import Platform
import VRRP

/// How scriptd is called.
final class ScriptdAddress {
    /// Its socket.
    let socket: String
    /// Tells this process's programs from those of another one.
    let caller: String
    private var lastName = 0

    init(socket: String, caller: String) {
        self.socket = socket
        self.caller = caller
    }

    /// Never the same.
    func newName() -> String {
        lastName += 1
        return "\(caller)/\(lastName)"
    }
}

/// Runs scripts through scriptd.
final class ScriptdScripts: ScriptStarter {
    private let scriptd: ScriptdAddress
    private let loop: EventLoop
    private var runs: [ScriptRun: ScriptCall<ScriptAPI.Run>] = [:]
    private var jobs: [Int: ScriptCall<ScriptAPI.Run>] = [:]
    private var ends: [Int: ScriptCall<ScriptAPI.End>] = [:]
    private var life: ScriptCall<ScriptAPI.Run>?
    private var lifeTimer: LoopTimer?
    /// Something is known of a run.
    var heard: ((ScriptRun, ScriptReport) -> Void)?
    /// Something is known of a program that is told.
    var heardOfJob: ((Int, ScriptReport) -> Void)?

    /// Nothing runs yet.
    init(_ scriptd: ScriptdAddress, on loop: EventLoop) {
        self.scriptd = scriptd
        self.loop = loop
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

    func tell(_ job: NotifyJob, _ rules: ScriptRules) {
        var call = ScriptAPI.Run(job.command, rules, timeout: NotifyJob.timeout)
        call.environment = job.environment
        call.id = name(of: job)
        call.lane = ScriptAPI.Lane(name: "vrrpd/\(job.lane)", owner: scriptd.caller)
        jobs[job.number] = ScriptCall(call, more: true, socket: scriptd.socket, loop: loop) { [weak self] news in
            guard let self, let call = jobs[job.number] else { return }
            let report = ScriptReport(news)
            if report.isLast { jobs[job.number] = nil }
            withExtendedLifetime(call) { self.heardOfJob?(job.number, report) }
        }
    }

    func end(_ job: NotifyJob) {
        let call = ScriptAPI.End(id: name(of: job))
        ends[job.number] = ScriptCall(call, socket: scriptd.socket, loop: loop) { [weak self] _ in
            // What came of it is heard from the program itself.
            let call = self?.ends.removeValue(forKey: job.number)
            withExtendedLifetime(call) {}
        }
    }

    private func name(of job: NotifyJob) -> String { "\(scriptd.caller)/job \(job.number)" }

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

extension ScriptAPI.Run {
    /// A command of the configuration.
    init(_ command: ScriptCommand, _ rules: ScriptRules, timeout: Duration?) {
        self.init(
            arguments: command.arguments, user: command.user?.user, group: command.user?.group, secure: rules.isSecure,
            environment: [:], timeoutMilliseconds: timeout.map { Int(clamping: $0.nanoseconds / 1_000_000) }, id: nil,
            lane: nil, umask: rules.umask, allGroups: rules.haveAllGroups)
    }
}

extension ScriptReport {
    /// What scriptd says, in the words of what decides.
    init(_ news: ScriptCall<ScriptAPI.Run>.News) {
        switch news {
        case .more(let reply): self = reply.outcome == .accepted ? .accepted : .timedOut
        case .refused(let refused): self = .ended(.refused(refused.message), lastLine: "")
        case .lost(let why): self = .notRun(why)
        case .done(let reply):
            switch (reply.outcome, reply.status, reply.signal) {
            case (.exited, let status?, _): self = .ended(.exited(status), lastLine: reply.lastLine)
            case (.signalled, _, let signal?): self = .ended(.signalled(signal), lastLine: reply.lastLine)
            case (.timedOut, _, _): self = .ended(.timedOut, lastLine: reply.lastLine)
            case (.exited, nil, _), (.signalled, _, nil), (.accepted, _, _), (.other, _, _):
                self = .notRun("scriptd's answer is not understood")
            }
        }
    }
}
