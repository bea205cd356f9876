// Programs that are told something, in scriptd: each has a name and goes on when this process ends; what has begun in its lane for an earlier
// process is waited for there.

internal import Bus
public import Configuration
public import Platform
public import Scripts

/// Carries out what a `NoticeQueue` orders.
public final class ScriptJobs {
    private let scriptd: ScriptdAddress
    private let loop: EventLoop
    private var jobs: [Int: ScriptCall<ScriptAPI.Run>] = [:]
    private var ends: [Int: ScriptCall<ScriptAPI.End>] = [:]
    /// Something is known of a job, by its number.
    public var heard: ((Int, ScriptReport) -> Void)?

    /// Nothing runs yet.
    public init(_ scriptd: ScriptdAddress, on loop: EventLoop) {
        self.scriptd = scriptd
        self.loop = loop
    }

    /// Begins it.
    public func tell(_ job: NotifyJob, _ rules: ScriptRules) {
        var call = ScriptAPI.Run(job.command, rules, timeout: NotifyJob.timeout)
        call.environment = job.environment
        call.id = name(of: job)
        call.lane = ScriptAPI.Lane(name: "\(scriptd.daemon)/\(job.lane)", owner: scriptd.caller)
        jobs[job.number] = ScriptCall(call, more: true, socket: scriptd.socket, loop: loop) { [weak self] news in
            guard let self, let call = jobs[job.number] else { return }
            let report = ScriptReport(news)
            if report.isLast { jobs[job.number] = nil }
            withExtendedLifetime(call) { self.heard?(job.number, report) }
        }
    }

    /// Ends it: it has had its time.
    public func end(_ job: NotifyJob) {
        let call = ScriptAPI.End(id: name(of: job))
        ends[job.number] = ScriptCall(call, socket: scriptd.socket, loop: loop) { [weak self] _ in
            // What came of it is heard from the program itself.
            let call = self?.ends.removeValue(forKey: job.number)
            withExtendedLifetime(call) {}
        }
    }

    private func name(of job: NotifyJob) -> String { "\(scriptd.caller)/job \(job.number)" }
}
