// scriptd as its callers see it: what is left behind takes nobody's place, and nothing is started that nobody waits for.

import Bus
import Glibc
import Net
import Platform
import Testing

@testable import scriptd

/// A scriptd within the test.
private final class House {
    let bench: Bench
    let runner: ScriptRunner
    let socket: String
    private let service: DaemonService

    init() throws {
        bench = try Bench()
        let parsed = DaemonOptions.parse(
            ["--run-dir", bench.directory + "/run"], for: ProgramDescription(name: "scriptd", summary: ""),
            exists: { _ in false })
        guard case .run(let options) = parsed else { throw Errno(EINVAL, "read") }
        socket = options.privateSocket(of: "scriptd")
        let logger = Logger(level: .error)
        service = DaemonService(
            name: "scriptd", interface: try Interfaces.script(), options: options, loop: bench.loop, logger: logger,
            joinsBus: false, connections: ScriptRunner.limit)
        runner = ScriptRunner(on: bench.loop, logger: logger)
        try service.start(ScriptAPI.dispatch(to: runner))
    }

    deinit { _ = try? Bench().run("rm -rf \(bench.directory)/run") }

    /// Runs a program and gives what its caller hears last.
    func run(_ arguments: [String]) throws -> String {
        var answer: String?
        let run = ScriptAPI.Run(
            arguments: arguments, user: geteuid() == 0 ? "root" : nil, group: nil, secure: false, environment: [:],
            timeoutMilliseconds: 5000, id: nil)
        let call = ScriptCall(run, socket: socket, loop: bench.loop) { news in
            switch news {
            case .more: break
            case .done(let reply): answer = reply.status.map { "exit \($0)" } ?? "\(reply.outcome)"
            case .refused(let refused): answer = refused.message
            case .lost(let why): answer = why
            }
        }
        try bench.wait { answer != nil }
        withExtendedLifetime(call) {}
        return answer ?? "nothing"
    }
}

@Suite(.timeLimit(.minutes(1))) struct RunnerTests {
    @Test func `what programs leave behind takes no place from those that run`() throws {
        let house = try House()
        for _ in 0..<ScriptRunner.limit + 8 {
            guard try house.run(["/bin/sh", "-c", "sleep 20 & exit 0"]) == "exit 0" else {
                Issue.record("a program was not run")
                break
            }
        }
        #expect(try house.run(["/bin/true"]) == "exit 0")
        #expect(house.runner.outputsLeft == LeftBehind.limit)
    }

    @Test func `a scriptd that is ending starts nothing`() throws {
        let house = try House()
        #expect(try house.run(["/bin/true"]) == "exit 0")
        house.runner.end {}
        #expect(try house.run(["/bin/true"]) == "scriptd is ending")
    }

    @Test func `a call whose caller has gone starts nothing`() throws {
        let house = try House()
        let path = house.bench.directory + "/run/made"
        let user = geteuid() == 0 ? "\"user\":\"root\"," : ""
        let text = """
            {"method":"io.evenkeel.Script.Run","parameters":{"arguments":["/usr/bin/touch","\(path)"],\(user)\
            "secure":false,"environment":{}}}\0
            """
        func leave() throws {
            let descriptor = try UnixSocket.connect(to: house.socket)
            #expect(Glibc.write(descriptor.number, text, text.utf8.count) == text.utf8.count)
        }
        try leave()
        // Started after it would have been.
        #expect(try house.run(["/bin/sleep", "0.3"]) == "exit 0")
        #expect(access(path, F_OK) < 0)
    }
}
