// io.evenkeel.Script: takes calls, starts programs, answers when they are over. Who may call is root, by the kernel's word; what may be
// asked for is bounded: programs at once, octets of arguments.

import Bus
import CLinux
import Glibc
import Net
import Platform

/// Runs programs for those who call.
final class ScriptRunner: ScriptAPI.Handler {
    /// Programs that are not reaped yet, or wait for their user to be looked up.
    static let limit = 512
    /// Octets of arguments and environment: the kernel takes 128 KiB for one of them, and 2 MiB in all.
    private static let textLimit = 1 << 17
    /// How long what may outlive its caller has at the end.
    private static let farewell = Duration.seconds(5)

    /// A program and who waits for it.
    private struct Entry {
        let process: ScriptProcess
        let responder: Responder<ScriptAPI.Run>
        /// It goes on without its caller.
        let id: String?
    }

    private let loop: EventLoop
    private let logger: Logger
    private let searchPath: String
    private var entries: [Int32: Entry] = [:]
    /// Programs that can be replaced by others than root and are run all the same: said once each.
    private var saidInsecure: Set<String> = []
    private var troubles = TroubleLog()
    private var leftBehind = LeftBehind()
    private let users: UserCache
    private let pipes = PipeWriter()
    private var whenEmpty: (() -> Void)?
    private var farewellEnd: LoopTimer?

    /// Runs nothing yet.
    init(on loop: EventLoop, logger: Logger) {
        self.loop = loop
        self.logger = logger
        users = UserCache(on: loop)
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        searchPath = path.isEmpty ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" : path
    }

    /// Outputs that something left behind holds open.
    var outputsLeft: Int { leftBehind.count }

    /// Starts a program, or says why not.
    func run(_ call: ScriptAPI.Run, _ responder: Responder<ScriptAPI.Run>) {
        guard isAllowed(responder.caller) else { return responder.fail(notAllowed(responder.caller)) }
        let count = entries.count + users.waiting
        guard count < Self.limit else {
            return responder.fail(ScriptAPI.Unable(message: "\(count) programs are running or being ended"))
        }
        users.find(UserCache.Key(user: call.user, group: call.group, isSecure: call.secure)) { [weak self] in
            self?.run(call, as: $0, responder)
        }
    }

    private func run(_ call: ScriptAPI.Run, as user: UserCache.Answer, _ responder: Responder<ScriptAPI.Run>) {
        guard whenEmpty == nil else { return responder.fail(ScriptAPI.Unable(message: "scriptd is ending")) }
        // It would be ended at once. After a standstill many such calls may have come.
        if call.id == nil, responder.callerHasGone { return }
        do throws(ScriptRefusal) {
            start(try request(call, as: try user.get()), call, responder)
        } catch {
            responder.fail(error)
        }
    }

    /// Ends a program that has a name.
    func end(_ call: ScriptAPI.End, _ responder: Responder<ScriptAPI.End>) {
        guard isAllowed(responder.caller) else { return responder.fail(notAllowed(responder.caller)) }
        for entry in entries.values where entry.id == call.id { entry.process.end() }
        responder.reply(ScriptAPI.End.Reply())
    }

    /// Writes into a pipe.
    func write(_ call: ScriptAPI.Write, _ responder: Responder<ScriptAPI.Write>) {
        guard isAllowed(responder.caller) else { return responder.fail(notAllowed(responder.caller)) }
        guard let name = call.user else { return write(call, as: nil, responder) }
        users.find(UserCache.Key(user: name, group: call.group, isSecure: false)) { [weak self] in
            self?.write(call, as: $0, responder)
        }
    }

    private func write(_ call: ScriptAPI.Write, as user: UserCache.Answer?, _ responder: Responder<ScriptAPI.Write>) {
        do throws(ScriptRefusal) {
            let written = try pipes.write(call.line, to: call.path, user: try user?.get())
            responder.reply(ScriptAPI.Write.Reply(written: written))
        } catch {
            responder.fail(error)
        }
    }

    /// The programs that run now.
    func list(_ call: ScriptAPI.List, _ responder: Responder<ScriptAPI.List>) {
        guard isAllowed(responder.caller) else { return responder.fail(notAllowed(responder.caller)) }
        let programs = entries.values.map(\.process).sorted { ($0.began, $0.pid) < ($1.began, $1.pid) }
            .filter { !$0.hasEnded || $0.isEnding }
            .map { process in
                ScriptAPI.Program(
                    arguments: process.request.arguments, pid: Int(process.pid),
                    runningMilliseconds: Int(clamping: (loop.now - process.began).nanoseconds / 1_000_000),
                    isEnding: process.isEnding)
            }
        responder.reply(list: programs) { ScriptAPI.List.Reply(programs: $0) }
    }

    /// Ends everything, then calls `done`. What may outlive its caller has a while to end by itself.
    func end(_ done: @escaping () -> Void) {
        whenEmpty = done
        for entry in entries.values where entry.id == nil { entry.process.end() }
        let timer = loop.timer { [weak self] in self?.endRemaining() }
        timer.arm(after: Self.farewell)
        farewellEnd = timer
        doneIfEmpty()
    }

    private func endRemaining() {
        let running = entries.values.filter { !$0.process.hasEnded }
        for entry in running { entry.process.end() }
        farewellEnd = loop.timer { [weak self] in self?.whenEmpty?() }
        farewellEnd?.arm(after: running.isEmpty ? .zero : ScriptProcess.mercy + .milliseconds(100))
    }

    private func doneIfEmpty() {
        guard let whenEmpty, !entries.values.contains(where: { !$0.process.hasEnded }) else { return }
        loop.soon(whenEmpty)
    }

    // MARK: One program

    private func request(_ call: ScriptAPI.Run, as user: ScriptUser) throws(ScriptRefusal) -> ScriptRequest {
        guard let program = call.arguments.first, !program.isEmpty else {
            throw ScriptRefusal(.impossible, "no program is named")
        }
        let given = call.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let texts = call.arguments + given
        guard texts.reduce(0, { $0 + $1.utf8.count + 1 }) < Self.textLimit else {
            throw ScriptRefusal(.impossible, "its arguments and environment are longer than \(Self.textLimit) octets")
        }
        guard !texts.contains(where: { $0.utf8.contains(0) }),
            !call.environment.keys.contains(where: { $0.contains("=") })
        else { throw ScriptRefusal(.impossible, "an argument holds a NUL, or a variable's name a =") }
        let paths: [String]
        if program.hasPrefix("/") {
            paths = [program]
        } else if program.contains("/") {
            throw ScriptRefusal(.notFound, "\(program) is not an absolute path; write it from / on")
        } else {
            paths = searchPath.split(separator: ":").map { "\($0)/\(program)" }
        }
        return ScriptRequest(
            arguments: call.arguments, paths: paths, environment: ["PATH=" + searchPath] + user.environment + given,
            user: user, isSecure: call.secure, timeout: call.timeoutMilliseconds.map { .milliseconds(max(1, $0)) })
    }

    private func start(
        _ request: ScriptRequest, _ call: ScriptAPI.Run, _ responder: Responder<ScriptAPI.Run>
    ) {
        let process: ScriptProcess
        do throws(Errno) {
            process = try ScriptProcess(request, on: loop) { [weak self] in self?.heard($0, $1) }
        } catch {
            let trouble = "is not started: \(error)"
            if troubles.isNews(trouble, of: request.script) { logger.error("\(request.arguments[0]) \(trouble)") }
            return responder.fail(ScriptAPI.Unable(message: "\(error)"))
        }
        logger.debug("\(request.arguments.joined(separator: " ")): runs as process \(process.pid)")
        entries[process.pid] = Entry(process: process, responder: responder, id: call.id)
        guard call.id == nil else { return }
        responder.whenConnectionEnds("run") { [weak process] in process?.end() }
    }

    private func heard(_ process: ScriptProcess, _ news: ScriptProcess.News) {
        let entry = entries[process.pid].flatMap { $0.process === process ? $0 : nil }
        let name = process.request.arguments[0]
        switch news {
        case .timedOut:
            if troubles.isNews("not done in time", of: process.request.script) {
                logger.warning("\(name) (process \(process.pid)): not done in time, it is being ended")
            }
            if let entry, entry.responder.wantsMore {
                entry.responder.send(ScriptAPI.Run.Reply(outcome: .timedOut, lastLine: process.lastLine))
            }
        case .ended(let end):
            if let entry { answer(entry, end) }
            doneIfEmpty()
        case .leftBehind:
            entries[process.pid] = nil
            leftBehind.add(process)
        case .gone:
            // Not inside its own callback.
            loop.soon { [weak self] in
                if self?.entries[process.pid]?.process === process { self?.entries[process.pid] = nil }
                self?.leftBehind.remove(process)
            }
        }
    }

    private func answer(_ entry: Entry, _ end: ScriptProcess.End) {
        let process = entry.process
        let name = process.request.arguments[0]
        if let culprit = process.culprit, saidInsecure.count < 1000, saidInsecure.insert(name + culprit).inserted {
            logger.warning(
                "\(name) runs as root, and others can replace it: \(culprit) is not root's alone; chown root and chmod go-w it, "
                    + "or name another user with script_user")
        }
        var reply = ScriptAPI.Run.Reply(
            outcome: process.isTimedOut ? .timedOut : .exited, lastLine: process.lastLine)
        switch end {
        case .exited(let status): reply.status = status
        case .signalled(let signal):
            reply.signal = signal
            if !process.isTimedOut { reply.outcome = .signalled }
        case .notStarted(let stage, let code, let path):
            let refusal = ScriptRefusal(stage: stage, code: code, path: path, program: name)
            let trouble = "is not \(refusal.reason == nil ? "started" : "run"): \(refusal.message)"
            if troubles.isNews(trouble, of: process.request.script) { logger.error("\(name) \(trouble)") }
            return entry.responder.fail(refusal)
        }
        if !process.isTimedOut { _ = troubles.isNews(nil, of: process.request.script) }
        logger.debug("\(name) (process \(process.pid)): \(end)")
        entry.responder.reply(reply)
    }

    private func isAllowed(_ caller: Caller) -> Bool { caller.uid == 0 || caller.uid == Int(geteuid()) }

    private func notAllowed(_ caller: Caller) -> ScriptAPI.NotAllowed { ScriptAPI.NotAllowed(uid: caller.uid) }
}
