// MISC_CHECK with real programs in a real scriptd: what they exit with, what they print, when they hang, when they cannot be run, and when
// scriptd is away.
import Bus
import Glibc
import Platform
import Testing

@Suite(.serialized, .timeLimit(.minutes(3)))
struct CheckProgramTests {
    private let room: CheckRoom
    private let script: String

    init() throws {
        room = try CheckRoom()
        script = room.directory + "/check"
    }

    /// Replaces the program.
    private func program(_ body: String) throws {
        try FileSystem.replace(script, with: Array("#!/bin/sh\n\(body)\n".utf8), durable: false)
        chmod(script, 0o755)
    }

    private func start(_ more: String = "") throws {
        // The user that runs the tests: root's programs need not be secure here.
        let user = "global_defs {\n script_user \(geteuid() == 0 ? "root" : "\(geteuid())")\n}\n"
        try room.configure(user + virtualServer(["MISC_CHECK {\n misc_path \"\(script) one\"\n \(more)\n}"]))
        try room.startScriptd()
        try room.restart()
    }

    @Test func `the exit status is the verdict, and what it printed last is shown`() throws {
        try program("echo first; echo fine $1")
        try start()
        let up = try room.becomes(realServer(1), .up)
        #expect(up.checks[0].runtime.lastLine == "fine one")
        try program("echo disk full >&2; exit 1")
        let down = try room.becomes(realServer(1), .down)
        #expect(down.reason == "MISC_CHECK \(script): exit status 1: disk full")
        try program("exit 0")
        _ = try room.becomes(realServer(1), .up)
        try program("kill -9 $$")
        #expect(try room.becomes(realServer(1), .down).reason.contains("signal 9"))
    }

    /// Each is as good as a program that exits with 0 at once, or as bad as one that exits with 1.
    @Test(arguments: [
        ("sleep 30 & exit 0", true), ("setsid sleep 30 >/dev/null 2>&1 </dev/null & exit 0", true),
        ("yes | head -c 50000000; exit 0", true), ("head -c 50000000 /dev/zero; exit 1", false),
        ("exec >&- 2>&-; exit 0", true), ("printf '\\033[2J\\000\\377\\r\\n\\n'; exit 1", false),
        ("rm -f $0; exit 0", true),
        ("trap '' TERM HUP INT PIPE; exit 1", false), ("cd /; umask 0; ulimit -n 3; exit 1", false),
        ("ulimit -v 100; exec ls", false),
    ])
    func `what a program does beside its exit changes nothing`(body: String, isUp: Bool) throws {
        try program(body)
        try start("misc_timeout 8")
        let health = try room.becomes(realServer(1), isUp ? .up : .down)
        #expect(health.reason.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "\(health.reason)")
        #expect(room.checkd?.exit == nil && room.scriptd?.exit == nil)
    }

    @Test func `a status of 2 to 255 is up with misc_dynamic, else down`() throws {
        try program("exit 7")
        try start("misc_dynamic")
        _ = try room.becomes(realServer(1), .up)
        try room.end(SIGTERM)
        try start()
        let down = try room.becomes(realServer(1), .down)
        #expect(down.reason.hasSuffix("exit status 7"))
        #expect(down.weightChange == nil)
    }

    private func changes(to weightChange: Int?) throws {
        try room.eventually("the weight changes by \(weightChange ?? 0)") {
            try room.list()[realServer(1)]?.weightChange == weightChange
        }
    }

    @Test func `misc_dynamic sets the weight, several add up, a restart and a new weight keep it`() throws {
        try program("read status <\(script).$1; exit $status")
        func write(_ name: String, _ status: Int) throws {
            try FileSystem.replace("\(script).\(name)", with: Array("\(status)\n".utf8), durable: false)
        }
        try write("one", 12)
        try write("two", 2)
        let two = "}\n MISC_CHECK {\n misc_path \"\(script) two\"\n misc_dynamic"
        try start("misc_dynamic\n" + two)
        // Of weight 1: to 10 and to 0.
        try changes(to: 9 - 1)
        try write("two", 255)
        try changes(to: 9 + 252)
        try write("two", 0)
        try changes(to: 9)
        // What is down keeps it.
        try write("two", 254)
        try changes(to: 9 + 251)
        try write("one", 1)
        _ = try room.becomes(realServer(1), .down)
        #expect(try room.list()[realServer(1)]?.checks.map(\.runtime.weightChange) == [9, 251])
        try room.eventually("it is kept") { room.savedVerdicts.contains(#""weightChange":251"#) }
        try room.end(SIGKILL)
        try room.restart()
        #expect(try room.list()[realServer(1)]?.weightChange == 9 + 251)
        try write("one", 3)
        try changes(to: 251)
        // Not a word about weight without the word.
        try room.end(SIGTERM)
        try start()
        _ = try room.becomes(realServer(1), .down)
        #expect(try room.list()[realServer(1)]?.weightChange == nil)
    }

    @Test func `one that hangs has failed when its time is up, and is ended with what it began`() throws {
        let mark = room.directory + "/alive"
        try program("(sleep 100; echo >\(mark)) & echo $! >\(room.directory)/child; wait")
        try start("misc_timeout 0.3")
        #expect(try room.becomes(realServer(1), .down).reason.contains("not done in time"))
        let text = try FileSystem.contents(of: room.directory + "/child", limit: 64) ?? []
        let child = try #require(Int32(String(decoding: text.dropLast(), as: UTF8.self)))
        try room.eventually("its child is gone") { kill(child, 0) != 0 }
    }

    @Test func `more programs that ignore everything than run at once have failed, every one`() throws {
        try program("trap '' TERM; exec sleep 100")
        let user = "global_defs {\n script_user \(geteuid() == 0 ? "root" : "\(geteuid())")\n}\n"
        let checks = (1...150).map { "MISC_CHECK {\n misc_path \"\(script) \($0)\"\n misc_timeout 1\n}" }
        try room.configure(user + virtualServer(checks, delay: "2") + virtualServer(checks, delay: "2", number: 2))
        try room.startScriptd()
        try room.restart()
        var down: Set<String> = []
        try room.eventually("all are down", within: .seconds(60)) {
            for (name, health) in try room.list() {
                #expect(health.checks.allSatisfy { !$0.runtime.reason.contains("cannot be asked") })
                if health.state == .down { down.insert(name) }
            }
            return down.count == 300
        }
    }

    @Test func `what keeps it from running says nothing about the server`() throws {
        try program("exit 0")
        try start()
        _ = try room.becomes(realServer(1), .up)
        unlink(script)
        try room.eventually("that is said") {
            try room.list()[realServer(1)]?.checks[0].runtime.reason.contains("cannot be asked from here") == true
        }
        #expect(try room.list()[realServer(1)]?.state == .up)
        try program("exit 0")
        try room.eventually("it is asked again") {
            try room.list()[realServer(1)]?.checks[0].runtime.reason.contains("cannot be asked") == false
        }
        room.scriptd?.signal(SIGKILL)
        try room.eventually("scriptd is missed") {
            try room.list()[realServer(1)]?.checks[0].runtime.reason.contains("cannot be asked") == true
        }
        #expect(try room.list()[realServer(1)]?.state == .up)
        try program("exit 1")
        try room.startScriptd()
        _ = try room.becomes(realServer(1), .down)
    }

    @Test func `a scriptd that stops in the middle of a run is missed when the program's time is up`() throws {
        let mark = room.directory + "/begun"
        try program("echo >\(mark); sleep 0.5")
        try start("misc_timeout 1")
        _ = try room.becomes(realServer(1), .up)
        unlink(mark)
        try room.eventually("the next run has begun") { access(mark, F_OK) == 0 }
        room.scriptd?.signal(SIGSTOP)
        defer { room.scriptd?.signal(SIGCONT) }
        try room.eventually("scriptd is missed") {
            try room.list()[realServer(1)]?.checks[0].runtime.reason.contains("scriptd does not answer") == true
        }
        #expect(try room.list()[realServer(1)]?.state == .up)
    }
}
