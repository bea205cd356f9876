// MISC_CHECK with a scriptd that does as it is told, so that programs can be there which nobody can kill: who keeps a place, and who waits.
import Bus
import Configuration
import Glibc
import HealthCheck
import Net
import Platform
import Testing

@testable import checkd

/// A scriptd within the test: it takes programs on and says what it is told to say.
private final class ScriptedScriptd: ScriptAPI.Handler {
    /// Programs that were taken on, in their order.
    var runs: [(program: String, responder: Responder<ScriptAPI.Run>)] = []
    /// It has no room for so many calls from now on.
    var busyFor = 0
    private(set) var asked = 0

    func run(_ call: ScriptAPI.Run, _ responder: Responder<ScriptAPI.Run>) {
        asked += 1
        guard busyFor == 0 else {
            busyFor -= 1
            return responder.fail(ScriptAPI.Busy(programs: 256))
        }
        responder.send(ScriptAPI.Run.Reply(outcome: .accepted, lastLine: ""))
        runs.append((call.arguments[0], responder))
    }

    func end(_ call: ScriptAPI.End, _ responder: Responder<ScriptAPI.End>) {}
    func write(_ call: ScriptAPI.Write, _ responder: Responder<ScriptAPI.Write>) {}
    func hold(_ call: ScriptAPI.Hold, _ responder: Responder<ScriptAPI.Hold>) {}
    /// It is stopped, as far as questions go.
    var isSilent = false
    private var unanswered: [Responder<ScriptAPI.List>] = []

    func list(_ call: ScriptAPI.List, _ responder: Responder<ScriptAPI.List>) {
        guard !isSilent else { return unanswered.append(responder) }
        responder.reply(ScriptAPI.List.Reply(programs: []))
    }
}

/// checkd's programs on a loop, with that scriptd.
private final class Workshop {
    let loop: EventLoop
    let scriptd = ScriptedScriptd()
    let network: ProbeNetwork
    private let directory: String
    private let service: DaemonService
    private var attempts: [ProbeAttempt] = []

    init() throws {
        loop = try EventLoop()
        var template = Array("/tmp/pp-XXXXXX".utf8CString)
        directory = String(cString: try #require(mkdtemp(&template)))
        let parsed = DaemonOptions.parse(
            ["--run-dir", directory], for: ProgramDescription(name: "scriptd", summary: ""), exists: { _ in false })
        guard case .run(let options) = parsed else { throw Errno(EINVAL, "read") }
        service = DaemonService(
            name: "scriptd", interface: try Interfaces.script(), options: options, loop: loop,
            logger: Logger(level: .error), joinsBus: false, connections: 600)
        network = ProbeNetwork(on: loop, scriptd: options.privateSocket(of: "scriptd"))
        try service.start(ScriptAPI.dispatch(to: scriptd))
    }

    deinit {
        for name in ["private/scriptd.sock"] { unlink("\(directory)/\(name)") }
        rmdir("\(directory)/private")
        rmdir(directory)
    }

    /// Asks for a check; `done` hears what came of it.
    @discardableResult
    func check(
        _ program: String, timeout: Duration = .milliseconds(300), _ done: @escaping (ProbeOutcome) -> Void
    ) -> ProbeAttempt {
        let probe = MiscProbe(command: ScriptCommand(arguments: [program]), timeout: timeout)
        let attempt = ProbeAttempt(timeout: .seconds(5), on: loop) { done($0.outcome) }
        attempt.start(MiscCheck(probe: probe, network: network), step: 0) {}
        attempts.append(attempt)
        return attempt
    }

    func wait(_ what: String, _ condition: () -> Bool) throws {
        let end = loop.refreshNow() + .seconds(30)
        while !condition() {
            guard loop.now < end else { throw Errno(ETIMEDOUT, "wait") }
            try loop.turn(timeoutMilliseconds: 5)
        }
    }

    /// Everything that is on its way arrives.
    func settle() throws {
        for _ in 0..<20 { try loop.turn(timeoutMilliseconds: 2) }
    }
}

@Suite(.timeLimit(.minutes(1))) struct ProgramPlacesTests {
    private let timedOut = ScriptAPI.Run.Reply(outcome: .timedOut, lastLine: "")
    private let gone = ScriptAPI.Run.Reply(outcome: .timedOut, signal: 9, lastLine: "")

    @Test func `a program that does not end has failed and is not begun again before it is gone`() throws {
        let shop = try Workshop()
        var outcomes: [ProbeOutcome] = []
        shop.check("/bin/hangs") { outcomes.append($0) }
        try shop.wait("it is taken on") { shop.scriptd.runs.count == 1 }
        shop.scriptd.runs[0].responder.send(timedOut)
        try shop.wait("it has failed") { outcomes.count == 1 }
        // Asked again, it fails again, without a second process.
        shop.check("/bin/hangs") { outcomes.append($0) }
        shop.check("/bin/other") { outcomes.append($0) }
        try shop.wait("it has failed again") { outcomes.count == 2 }
        #expect(
            outcomes.allSatisfy {
                if case .failure(.script(let text)) = $0 { text.hasPrefix("not done in time") } else { false }
            })
        #expect(shop.scriptd.runs.map(\.program) == ["/bin/hangs", "/bin/other"])
        // Whoever waits for it begins as soon as it is gone.
        shop.check("/bin/hangs", timeout: .seconds(20)) { outcomes.append($0) }
        try shop.settle()
        #expect(shop.scriptd.runs.count == 2)
        shop.scriptd.runs[0].responder.reply(gone)
        try shop.wait("it is begun again") { shop.scriptd.runs.count == 3 }
        shop.scriptd.runs[2].responder.reply(ScriptAPI.Run.Reply(outcome: .exited, status: 0, lastLine: ""))
        try shop.wait("it is good") { outcomes.last == .success }
    }

    @Test func `nothing is said of a program while scriptd, which ends it, is stopped`() throws {
        let shop = try Workshop()
        shop.scriptd.isSilent = true
        var outcomes: [ProbeOutcome] = []
        var stuck: [StuckPrograms?] = []
        shop.network.programs.stuckChanged = { stuck.append($0) }
        shop.check("/bin/hangs") { outcomes.append($0) }
        try shop.wait("it is taken on") { shop.scriptd.runs.count == 1 }
        shop.scriptd.runs[0].responder.send(timedOut)
        try shop.wait("it has failed") { outcomes.count == 1 }
        shop.check("/bin/hangs") { outcomes.append($0) }
        try shop.wait("the one behind it hears that nobody knows") { outcomes.count == 2 }
        guard case .inconclusive = outcomes[1] else {
            Issue.record("\(outcomes[1])")
            return
        }
        #expect(stuck.isEmpty)
    }

    @Test func `what does not end keeps its place, and the others hear that there is none`() throws {
        let shop = try Workshop()
        var outcomes: [ProbeOutcome] = []
        var stuck: [StuckPrograms?] = []
        shop.network.programs.stuckChanged = { stuck.append($0) }
        for number in 0..<300 { shop.check("/bin/check\(number)", timeout: .seconds(20)) { outcomes.append($0) } }
        try shop.wait("all places are taken") { shop.scriptd.runs.count == 200 }
        for run in shop.scriptd.runs { run.responder.send(timedOut) }
        try shop.wait("all have failed") { outcomes.count == 200 }
        try shop.wait("it is said") { stuck.last??.count == 200 }
        #expect(stuck.last??.haveAllPlaces == true)
        #expect(shop.scriptd.asked == 200)
        try shop.wait("the others hear it") { outcomes.count == 300 }
        shop.check("/bin/late") { outcomes.append($0) }
        try shop.wait("and whoever comes later") { outcomes.count == 301 }
        #expect(
            outcomes.dropFirst(200).allSatisfy {
                if case .inconclusive(.system(let why)) = $0 { why.contains("all places") } else { false }
            })
        for run in shop.scriptd.runs { run.responder.reply(gone) }
        try shop.wait("it is over") { stuck.last == .some(nil) }
        shop.check("/bin/late") { outcomes.append($0) }
        try shop.wait("it is begun") { shop.scriptd.runs.count == 201 }
    }

    @Test func `a scriptd that has no room is asked again, and nothing is said about the server`() throws {
        let shop = try Workshop()
        var outcomes: [ProbeOutcome] = []
        shop.scriptd.busyFor = 1
        shop.check("/bin/one") { outcomes.append($0) }
        shop.check("/bin/two") { outcomes.append($0) }
        try shop.wait("both are taken on") { shop.scriptd.runs.count == 2 }
        #expect(outcomes.isEmpty)
        for run in shop.scriptd.runs {
            run.responder.reply(ScriptAPI.Run.Reply(outcome: .exited, status: 0, lastLine: ""))
        }
        try shop.wait("both are good") { outcomes == [.success, .success] }
    }

    @Test func `who does not wait any more leaves nothing behind`() throws {
        let shop = try Workshop()
        var outcomes: [ProbeOutcome] = []
        shop.check("/bin/hangs") { outcomes.append($0) }
        try shop.wait("it is taken on") { shop.scriptd.runs.count == 1 }
        shop.scriptd.runs[0].responder.send(timedOut)
        try shop.wait("it has failed") { outcomes.count == 1 }
        let attempt = shop.check("/bin/hangs", timeout: .seconds(20)) { outcomes.append($0) }
        try shop.settle()
        attempt.cancel()
        shop.scriptd.runs[0].responder.reply(gone)
        try shop.settle()
        #expect(shop.scriptd.asked == 1)
        #expect(outcomes.count == 1)
    }
}
