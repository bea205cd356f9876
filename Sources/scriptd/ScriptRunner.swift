// io.evenkeel.Script: takes calls, starts programs, answers when they are over. Who calls is known by the kernel's word: root may ask for
// everything, ipvsd and checkd for what the configuration names for them. What may be asked for is bounded: programs at once, octets of
// arguments.

import Bus
import CLinux
import Glibc
import Net
import Platform

/// Runs programs for those who call.
final class ScriptRunner: ScriptAPI.Handler {
    /// Octets of arguments and environment: the kernel takes 128 KiB for one of them, and 2 MiB in all.
    private static let textLimit = 1 << 17
    /// How long what may outlive its caller has at the end.
    private static let farewell = Duration.seconds(5)

    /// A program and who waits for it.
    private struct Entry {
        let process: ScriptProcess
        let turn: ScriptTurn
    }

    private let loop: EventLoop
    private let logger: Logger
    private let searchPath: String
    private var entries: [Int32: Entry] = [:]
    /// Calls that were taken on and have not begun.
    private var waiting: [ScriptTurn] = []
    private var lanes = ScriptLanes()
    /// Programs that can be replaced by others than root and are run all the same: said once each.
    private var saidInsecure: Set<String> = []
    private var troubles = TroubleLog()
    private var leftBehind = LeftBehind()
    private let users: UserCache
    private let permissions: Permissions
    private let patience: Duration
    private let pipes = PipeWriter()
    private var whenEmpty: (() -> Void)?
    private var farewellEnd: LoopTimer?

    /// Runs nothing yet. One that waits for a program of an earlier owner does so for `patience`.
    init(
        on loop: EventLoop, logger: Logger, permissions: Permissions, database: UserDatabase = .system,
        patience: Duration = .seconds(30)
    ) {
        self.loop = loop
        self.logger = logger
        self.patience = patience
        self.permissions = permissions
        users = UserCache(on: loop, database: database)
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        searchPath = path.isEmpty ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" : path
    }

    /// Outputs that something left behind holds open.
    var outputsLeft: Int { leftBehind.count }

    /// Starts a program, or says why not.
    func run(_ call: ScriptAPI.Run, _ responder: Responder<ScriptAPI.Run>) {
        let isNamed = { (grants: Grants, asker: Asker) in grants.granted(call, to: asker) != nil }
        admit(responder, "runs \(call.arguments.first ?? "a program") as it asks", isNamed) {
            [weak self] asker, grants in
            guard let grants else { return self?.take(call, of: asker, responder) ?? () }
            if let call = grants.granted(call, to: asker) { self?.take(call, of: asker, responder) }
        }
    }

    /// Goes on with what root asks for, and with what the configuration names for who asks.
    private func admit<Method>(
        _ responder: Responder<Method>, _ what: String, _ isNamed: @escaping (Grants, Asker) -> Bool,
        _ goOn: @escaping (Asker, Grants?) -> Void
    ) {
        guard let asker = permissions.asker(responder.caller, ownUser: geteuid()) else {
            return responder.fail(notAllowed(responder.caller))
        }
        guard asker != .administrator else { return goOn(asker, nil) }
        permissions.ask({ isNamed($0, asker) }) { answer in
            switch answer {
            case .granted(let grants): goOn(asker, grants)
            case .denied:
                responder.fail(
                    ScriptAPI.Unable(
                        message:
                            "nothing in the configuration \(what) for \(asker.rawValue); after an edit run lbctl reload"
                    ))
            case .unknown(let why): responder.fail(ScriptAPI.Unable(message: why))
            }
        }
    }

    private func take(_ call: ScriptAPI.Run, of asker: Asker, _ responder: Responder<ScriptAPI.Run>) {
        guard whenEmpty == nil else { return responder.fail(Self.isEnding) }
        let count =
            entries.values.count { $0.turn.asker == asker } + waiting.count { $0.asker == asker }
        guard count < asker.limit else {
            return responder.fail(ScriptAPI.Busy(programs: count))
        }
        if responder.wantsMore { responder.send(ScriptAPI.Run.Reply(outcome: .accepted, lastLine: "")) }
        let turn = ScriptTurn(call, of: asker, responder)
        waiting.append(turn)
        lanes.enter(turn)
        let key = UserCache.Key(
            user: call.user, group: call.group, isSecure: call.secure, hasAllGroups: call.allGroups ?? false)
        users.find(key) { [weak self] in
            turn.user = $0
            self?.advance(turn)
        }
    }

    private static let isEnding = ScriptAPI.Unable(message: "scriptd is ending")

    /// Begins what nothing is in the way of any more.
    private func advance(_ turn: ScriptTurn) {
        guard let user = turn.user, waiting.contains(where: { $0 === turn }) else { return }
        // It would be ended at once. After a standstill many such calls may have come.
        if turn.call.id == nil, turn.responder.callerHasGone { return leave(turn) }
        guard lanes.before(turn).isEmpty else { return wait(turn) }
        forget(turn)
        do throws(ScriptRefusal) {
            start(try request(turn.call, as: try user.get()), turn)
        } catch {
            turn.responder.fail(error)
            leave(turn)
        }
    }

    private func wait(_ turn: ScriptTurn) {
        guard turn.patience == nil else { return }
        let timer = loop.timer { [weak self] in
            guard let self else { return }
            let before = lanes.before(turn)
            if let first = before.first {
                logger.warning(
                    "\(turn.name) waits for \(first.name), begun for an earlier process: that is being ended")
            }
            for other in before { end(other) }
        }
        timer.arm(after: patience)
        turn.patience = timer
    }

    /// It is over, whether or not it has begun.
    private func leave(_ turn: ScriptTurn) {
        forget(turn)
        for next in lanes.leave(turn) { advance(next) }
    }

    /// It does not wait any more.
    private func forget(_ turn: ScriptTurn) {
        waiting.removeAll { $0 === turn }
        turn.patience?.disarm()
        turn.patience = nil
    }

    /// Ends a program that has a name.
    func end(_ call: ScriptAPI.End, _ responder: Responder<ScriptAPI.End>) {
        guard let asker = permissions.asker(responder.caller, ownUser: geteuid()) else {
            return responder.fail(notAllowed(responder.caller))
        }
        let id = asker.named(call.id)
        for turn in waiting + entries.values.map(\.turn) where turn.call.id == id { end(turn) }
        responder.reply(ScriptAPI.End.Reply())
    }

    /// Ends a program; one that has not begun is not begun.
    private func end(_ turn: ScriptTurn) {
        for entry in entries.values where entry.turn === turn { entry.process.end() }
        guard waiting.contains(where: { $0 === turn }) else { return }
        turn.responder.reply(ScriptAPI.Run.Reply(outcome: .signalled, signal: Int(SIGTERM), lastLine: ""))
        leave(turn)
    }

    /// Writes into a pipe.
    func write(_ call: ScriptAPI.Write, _ responder: Responder<ScriptAPI.Write>) {
        let isNamed = { (grants: Grants, asker: Asker) in
            grants.hasPipe(call.path, user: call.user, group: call.group, for: asker)
        }
        admit(responder, "has the pipe \(call.path)", isNamed) { [weak self] _, _ in self?.take(call, responder) }
    }

    private func take(_ call: ScriptAPI.Write, _ responder: Responder<ScriptAPI.Write>) {
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

    /// Has a pipe open from now on.
    func hold(_ call: ScriptAPI.Hold, _ responder: Responder<ScriptAPI.Hold>) {
        let isNamed = { (grants: Grants, asker: Asker) in
            grants.hasPipe(call.path, user: call.user, group: call.group, for: asker)
        }
        admit(responder, "has the pipe \(call.path)", isNamed) { [weak self] _, _ in self?.take(call, responder) }
    }

    private func take(_ call: ScriptAPI.Hold, _ responder: Responder<ScriptAPI.Hold>) {
        guard let name = call.user else { return hold(call, as: nil, responder) }
        users.find(UserCache.Key(user: name, group: call.group, isSecure: false)) { [weak self] in
            self?.hold(call, as: $0, responder)
        }
    }

    private func hold(_ call: ScriptAPI.Hold, as user: UserCache.Answer?, _ responder: Responder<ScriptAPI.Hold>) {
        do throws(ScriptRefusal) {
            try pipes.open(call.path, user: try user?.get())
        } catch {
            return responder.fail(error)
        }
        // Kept as long as the connection: a caller hears of this process's end.
        responder.whenConnectionEnds("hold \(call.path)") { withExtendedLifetime(responder) {} }
        responder.send(ScriptAPI.Hold.Reply())
    }

    /// The programs that run now.
    func list(_ call: ScriptAPI.List, _ responder: Responder<ScriptAPI.List>) {
        guard permissions.asker(responder.caller, ownUser: geteuid()) == .administrator else {
            return responder.fail(notAllowed(responder.caller))
        }
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
        for turn in waiting {
            turn.responder.fail(Self.isEnding)
            forget(turn)
        }
        for entry in entries.values where entry.turn.call.id == nil { entry.process.end() }
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
            user: user, isSecure: call.secure, timeout: call.timeoutMilliseconds.map { .milliseconds(max(1, $0)) },
            umask: UInt32(clamping: (call.umask ?? 0o022) & 0o777),
            networkNamespace: call.networkNamespace.flatMap { NetworkNamespace.isCurrent($0) ? nil : $0 })
    }

    private func start(_ request: ScriptRequest, _ turn: ScriptTurn) {
        let process: ScriptProcess
        do throws(Errno) {
            process = try ScriptProcess(request, on: loop) { [weak self] in self?.heard($0, $1) }
        } catch {
            let trouble = "is not started: \(error)"
            if troubles.isNews(trouble, of: request.script) { logger.error("\(request.arguments[0]) \(trouble)") }
            turn.responder.fail(ScriptAPI.Unable(message: "\(error)"))
            return leave(turn)
        }
        logger.debug("\(request.arguments.joined(separator: " ")): runs as process \(process.pid)")
        entries[process.pid] = Entry(process: process, turn: turn)
        guard turn.call.id == nil else { return }
        turn.responder.whenConnectionEnds("run") { [weak process] in process?.end() }
    }

    private func heard(_ process: ScriptProcess, _ news: ScriptProcess.News) {
        let entry = entries[process.pid].flatMap { $0.process === process ? $0 : nil }
        let name = process.request.arguments[0]
        switch news {
        case .timedOut:
            if troubles.isNews("not done in time", of: process.request.script) {
                logger.warning("\(name) (process \(process.pid)): not done in time, it is being ended")
            }
            if let entry, entry.turn.responder.wantsMore {
                entry.turn.responder.send(ScriptAPI.Run.Reply(outcome: .timedOut, lastLine: process.lastLine))
            }
        case .ended(let end):
            if let entry { answer(entry, end) }
            doneIfEmpty()
        case .leftBehind:
            entries[process.pid] = nil
            leftBehind.add(process)
            if let entry { leave(entry.turn) }
        case .gone:
            // Not inside its own callback.
            loop.soon { [weak self] in
                guard let self else { return }
                leftBehind.remove(process)
                guard let entry = entries[process.pid], entry.process === process else { return }
                entries[process.pid] = nil
                leave(entry.turn)
            }
        }
    }

    private func answer(_ entry: Entry, _ end: ScriptProcess.End) {
        let process = entry.process
        // This process ended it by its own end, whatever it made of that: its caller has it run again.
        if whenEmpty != nil, process.isEnding, !process.isTimedOut { return entry.turn.responder.fail(Self.isEnding) }
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
            return entry.turn.responder.fail(refusal)
        }
        if !process.isTimedOut { _ = troubles.isNews(nil, of: process.request.script) }
        logger.debug("\(name) (process \(process.pid)): \(end)")
        entry.turn.responder.reply(reply)
    }

    private func notAllowed(_ caller: Caller) -> ScriptAPI.NotAllowed { ScriptAPI.NotAllowed(uid: caller.uid) }
}
