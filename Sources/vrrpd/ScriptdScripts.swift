// Track scripts and notify programs in scriptd: a connection for each run.

import Bus
import Configuration
import Net
import Platform
import VRRP

/// Runs scripts through scriptd.
final class ScriptdScripts: ScriptStarter {
    private let socket: String
    private let loop: EventLoop
    private let name: String
    private var runs: [ScriptRun: ScriptCall<ScriptAPI.Run>] = [:]
    private var jobs: [Int: ScriptCall<ScriptAPI.Run>] = [:]
    private var ends: [Int: ScriptCall<ScriptAPI.End>] = [:]
    /// Something is known of a run.
    var heard: ((ScriptRun, ScriptReport) -> Void)?
    /// Something is known of a program that is told.
    var heardOfJob: ((Int, ScriptReport) -> Void)?

    /// Nothing runs yet. `name` tells this process's programs from those of another one.
    init(socket: String, name: String, on loop: EventLoop) {
        self.socket = socket
        self.name = name
        self.loop = loop
    }

    func begin(_ run: ScriptRun, _ script: TrackScriptConfiguration, isSecure: Bool) {
        let call = request(script.command, isSecure, [:], timeout: script.timeout, id: nil)
        runs[run] = ScriptCall(call, more: true, socket: socket, loop: loop) { [weak self] news in
            guard let self, let call = runs[run] else { return }
            let report = ScriptReport(news)
            if report != .timedOut { runs[run] = nil }
            withExtendedLifetime(call) { self.heard?(run, report) }
        }
    }

    func abandon(_ run: ScriptRun) { runs[run] = nil }

    func tell(_ job: NotifyJob, isSecure: Bool) {
        let call = request(
            job.command, isSecure, job.environment, timeout: NotifyJob.timeout, id: "\(name)/\(job.number)")
        jobs[job.number] = ScriptCall(call, more: true, socket: socket, loop: loop) { [weak self] news in
            guard let self, let call = jobs[job.number] else { return }
            let report = ScriptReport(news)
            if report != .timedOut { jobs[job.number] = nil }
            withExtendedLifetime(call) { self.heardOfJob?(job.number, report) }
        }
    }

    func end(_ job: NotifyJob) {
        let call = ScriptAPI.End(id: "\(name)/\(job.number)")
        ends[job.number] = ScriptCall(call, socket: socket, loop: loop) { [weak self] _ in
            // What came of it is heard from the program itself.
            let call = self?.ends.removeValue(forKey: job.number)
            withExtendedLifetime(call) {}
        }
    }

    private func request(
        _ command: ScriptCommand, _ isSecure: Bool, _ environment: [String: String], timeout: Duration, id: String?
    ) -> ScriptAPI.Run {
        ScriptAPI.Run(
            arguments: command.arguments, user: command.user?.user, group: command.user?.group, secure: isSecure,
            environment: environment, timeoutMilliseconds: Int(clamping: timeout.nanoseconds / 1_000_000), id: id)
    }
}

extension ScriptReport {
    fileprivate init(_ news: ScriptCall<ScriptAPI.Run>.News) {
        switch news {
        case .more: self = .timedOut
        case .refused(let refused): self = .ended(.refused(refused.message), lastLine: "")
        case .lost(let why): self = .notRun(why)
        case .done(let reply):
            switch (reply.outcome, reply.status, reply.signal) {
            case (.exited, let status?, _): self = .ended(.exited(status), lastLine: reply.lastLine)
            case (.signalled, _, let signal?): self = .ended(.signalled(signal), lastLine: reply.lastLine)
            case (.timedOut, _, _): self = .ended(.timedOut, lastLine: reply.lastLine)
            case (.exited, nil, _), (.signalled, _, nil), (.other, _, _):
                self = .notRun("scriptd's answer is not understood")
            }
        }
    }
}
