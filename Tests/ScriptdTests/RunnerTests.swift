// scriptd as its callers see it: what is left behind takes nobody's place, and nothing is started that nobody waits for.

import Bus
import Glibc
import Net
import Platform
import Synchronization
import Testing

@testable import scriptd

/// A scriptd within the test.
private final class House {
    let bench: Bench
    let runner: ScriptRunner
    let socket: String
    private let service: DaemonService

    init(database: UserDatabase = .system, patience: Duration = .seconds(30)) throws {
        bench = try Bench()
        let parsed = DaemonOptions.parse(
            ["--run-dir", bench.directory + "/run"], for: ProgramDescription(name: "scriptd", summary: ""),
            exists: { _ in false })
        guard case .run(let options) = parsed else { throw Errno(EINVAL, "read") }
        socket = options.privateSocket(of: "scriptd")
        let logger = Logger(level: .error)
        service = DaemonService(
            name: "scriptd", interface: try Interfaces.script(), options: options, loop: bench.loop, logger: logger,
            joinsBus: false, connections: Asker.administrator.limit)
        runner = ScriptRunner(
            on: bench.loop, logger: logger,
            permissions: Permissions(
                on: bench.loop, options: DaemonOptions(config: "/nonexistent"), logger: logger, users: [:]),
            database: database, patience: patience)
        try service.start(ScriptAPI.dispatch(to: runner))
    }

    deinit { _ = try? Bench().run("rm -rf \(bench.directory)/run") }

    /// Runs a program and gives what its caller hears last.
    func run(_ arguments: [String]) throws -> String {
        let run = begin(arguments)
        try bench.wait { run.answer != nil }
        return run.answer ?? "nothing"
    }

    /// Asks for a program.
    func begin(
        _ arguments: [String], user: String? = geteuid() == 0 ? "root" : nil, id: String? = nil, lane: String? = nil,
        owner: String = "1", umask: Int? = nil, allGroups: Bool? = nil
    ) -> Asked {
        let run = ScriptAPI.Run(
            arguments: arguments, user: user, group: nil, secure: false, environment: [:],
            timeoutMilliseconds: 5000, id: id, lane: lane.map { ScriptAPI.Lane(name: $0, owner: owner) },
            umask: umask, allGroups: allGroups)
        return Asked(run, self)
    }

    func end(_ id: String) throws {
        var isDone = false
        let call = ScriptCall(ScriptAPI.End(id: id), socket: socket, loop: bench.loop) { _ in isDone = true }
        try bench.wait { isDone }
        withExtendedLifetime(call) {}
    }
}

/// A program that was asked for.
private final class Asked {
    private var call: ScriptCall<ScriptAPI.Run>?
    /// What was heard last; nil: it is not over.
    private(set) var answer: String?
    private(set) var isAccepted = false

    init(_ run: ScriptAPI.Run, _ house: House) {
        call = ScriptCall(run, more: true, socket: house.socket, loop: house.bench.loop) { [weak self] news in
            switch news {
            case .more(let reply): self?.isAccepted = reply.outcome == .accepted
            case .done(let reply): self?.answer = reply.status.map { "exit \($0)" } ?? "\(reply.outcome)"
            case .refused(let refused): self?.answer = refused.message
            case .busy(let count): self?.answer = "\(count) are there"
            case .lost(let why): self?.answer = why
            }
        }
    }

    /// Closes the connection.
    func hangUp() { call = nil }
}

@Suite(.timeLimit(.minutes(1))) struct RunnerTests {
    @Test func `what programs leave behind takes no place from those that run`() throws {
        let house = try House()
        for _ in 0..<Asker.administrator.limit + 8 {
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

    @Test func `a call is taken on at once, whoever is to be looked up`() throws {
        let directory = Directory()
        directory.state.withLock { $0.delay = 1_000_000 }
        let house = try House(database: directory.database)
        let run = house.begin(["/bin/true"], user: "somebody", id: "1")
        #expect(try house.bench.wait { run.isAccepted })
        #expect(run.answer == nil)
    }

    @Test func `one that has not begun can be ended`() throws {
        let directory = Directory()
        directory.state.withLock { $0.delay = 500_000 }
        let house = try House(database: directory.database)
        let run = house.begin(["/bin/sleep", "4"], user: "somebody", id: "1")
        #expect(try house.bench.wait { run.isAccepted })
        let start = house.bench.loop.refreshNow()
        try house.end("1")
        #expect(try house.bench.wait { run.answer == "signalled" })
        #expect(house.bench.loop.now - start < .seconds(3))
    }

    /// Asks for two programs of a lane that write down when they begin and end.
    private func two(_ house: House, owners: [String], _ first: String = "sleep 0.5") throws -> [String] {
        let log = house.bench.directory + "/run/log"
        let runs = zip(["a", "b"], owners).map { (name: String, owner: String) in
            house.begin(
                ["/bin/sh", "-c", "echo \(name) >>\(log); \(name == "a" ? first : "true"); echo /\(name) >>\(log)"],
                id: name, lane: "lane", owner: owner)
        }
        // What a connection asks for is read in any order.
        #expect(try house.bench.wait { runs.allSatisfy(\.isAccepted) })
        #expect(try house.bench.wait { runs.allSatisfy { $0.answer != nil } })
        let text = try FileSystem.contents(of: log, limit: 1000) ?? []
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func `programs of one lane and different owners do not run side by side`() throws {
        let house = try House()
        let log = try two(house, owners: ["1", "2"])
        #expect(log == ["a", "/a", "b", "/b"] || log == ["b", "/b", "a", "/a"])
    }

    @Test func `an owner's own programs of a lane do not wait for each other`() throws {
        let house = try House()
        #expect(try two(house, owners: ["1", "1"], "sleep 1").last == "/a")
    }

    @Test func `who waits for long has what is before it ended, and what has not begun does not begin`() throws {
        let house = try House(patience: .milliseconds(300))
        let log = house.bench.directory + "/run/log"
        let first = house.begin(["/bin/sleep", "4"], id: "a", lane: "lane", owner: "1")
        #expect(try house.bench.wait { first.isAccepted })
        let second = house.begin(["/usr/bin/touch", log], id: "b", lane: "lane", owner: "2")
        #expect(try house.bench.wait { second.isAccepted })
        let start = house.bench.loop.refreshNow()
        #expect(try house.bench.wait { first.answer == "signalled" && second.answer == "exit 0" })
        #expect(house.bench.loop.now - start < .seconds(3))
        #expect(access(log, F_OK) == 0)
    }

    @Test func `one that waits for a lane and whose caller has gone is in nobody's way`() throws {
        let house = try House()
        let first = house.begin(["/bin/sleep", "0.5"], lane: "lane", owner: "1")
        #expect(try house.bench.wait { first.isAccepted })
        let second = house.begin(["/bin/sleep", "4"], lane: "lane", owner: "2")
        #expect(try house.bench.wait { second.isAccepted })
        let third = house.begin(["/bin/true"], lane: "lane", owner: "3")
        #expect(try house.bench.wait { third.isAccepted })
        second.hangUp()
        let start = house.bench.loop.refreshNow()
        #expect(try house.bench.wait { third.answer == "exit 0" })
        #expect(house.bench.loop.now - start < .seconds(3))
    }

    @Test func `an ending scriptd answers those that wait for their turn`() throws {
        let house = try House()
        let mark = house.bench.directory + "/begun"
        let first = house.begin(["/bin/sh", "-c", "echo >\(mark); sleep 0.5"], id: "a", lane: "lane", owner: "1")
        // Accepted is said before its user is looked up.
        #expect(try house.bench.wait { access(mark, F_OK) == 0 })
        let second = house.begin(["/bin/true"], id: "b", lane: "lane", owner: "2")
        #expect(try house.bench.wait { second.isAccepted })
        house.runner.end {}
        #expect(try house.bench.wait { second.answer == "scriptd is ending" })
        #expect(try house.bench.wait { first.answer == "exit 0" })
    }

    @Test(arguments: ["", "trap 'exit 1' TERM;"])
    func `what an ending scriptd ends is lost to its caller, and no failure of the program`(_ trap: String) throws {
        let house = try House()
        let mark = house.bench.directory + "/begun"
        let run = house.begin(["/bin/sh", "-c", "\(trap) echo >\(mark); sleep 30 & wait"])
        #expect(try house.bench.wait { access(mark, F_OK) == 0 })
        house.runner.end {}
        #expect(try house.bench.wait { run.answer == "scriptd is ending" })
    }

    @Test func `umask is what is asked for, else 022`() throws {
        let house = try House()
        for (umask, expected) in [(nil, "0022"), (0o177, "0177"), (0, "0000")] as [(Int?, String)] {
            let run = house.begin(
                ["/bin/sh", "-c", "test $(umask) = \(expected)"], id: nil, lane: nil, owner: "1", umask: umask)
            try house.bench.wait { run.answer != nil }
            #expect(run.answer == "exit 0")
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func `all groups of the user, where that is asked for`() throws {
        var database = UserDatabase.system
        database.groups = { _, group throws(Errno) in [group, 4711, 4712] }
        let house = try House(database: database)
        for (allGroups, expected) in [(nil, "0"), (false, "0"), (true, "0 4711 4712")] as [(Bool?, String)] {
            let run = house.begin(
                ["/bin/sh", "-c", "test \"$(id -G)\" = \"\(expected)\""], id: nil, lane: nil, owner: "1",
                allGroups: allGroups)
            try house.bench.wait { run.answer != nil }
            #expect(run.answer == "exit 0")
        }
    }
}
