// Track scripts with the real vrrpd and scriptd: what a script's failure moves, and that nothing a script or scriptd does delays an
// advertisement.

import Bus
import Glibc
import Net
import Platform
import Testing
import VRRP

/// A vrrpd with its scriptd, and scripts to edit.
final class ScriptRoom {
    let alone: Alone
    private(set) var scriptd: Program?
    var segment: Segment { alone.segment }

    /// `script` is what the tracked script does, as shell text; `words` go into its block, `line` after its name in track_script.
    init(
        _ script: String, words: String = "interval 0.2\n timeout 2", line: String = "", priority: Int = 150,
        global: String = "",
        more: String = "", mode: UInt32 = 0o755
    ) throws {
        alone = try Alone(prepare: { try Self.write(script, to: "check", in: $0, mode: mode) }) { host, peer in
            let directory = Self.directory(of: host)
            return """
                global_defs {
                 \(global)
                }
                vrrp_script check {
                 script "\(directory)/check"
                 \(words)
                }
                \(Dialect.version3.text(priority, on: host, peer: peer, more: "track_script {\n check \(line)\n }\n \(more)"))
                """
        }
        try start()
    }

    /// Scripts stand beside the test's other files, on a way that is root's.
    static func directory(of host: Host) -> String { "/run/evenkeel-tests-\(host.namespace)" }
    var directory: String { Self.directory(of: alone.host) }

    private static func write(_ text: String, to name: String, in segment: Segment, mode: UInt32 = 0o755) throws {
        let directory = directory(of: segment.hosts[0])
        try FileSystem.makeDirectory(directory, mode: 0o755)
        let path = directory + "/" + name
        try FileSystem.replace(path, with: Array("#!/bin/sh\n\(text)\n".utf8), durable: false)
        chmod(path, mode)
    }

    deinit {
        scriptd?.signal(SIGKILL)
        try? segment.run(["/bin/rm", "-rf", directory])
    }

    /// Replaces a script.
    func write(_ text: String, to name: String = "check", mode: UInt32 = 0o755) throws {
        try Self.write(text, to: name, in: segment, mode: mode)
    }

    /// Starts scriptd (again).
    func start() throws {
        let run = alone.router.directory + "/run"
        scriptd = try Program(
            [Program.directory + "/scriptd", "--run-dir", run, "--log-level", "debug"], on: alone.host,
            log: alone.router.directory + "/scriptd.log", loop: segment.loop)
    }

    func kill() throws {
        scriptd?.signal(SIGKILL)
        try segment.eventually("scriptd ends", within: .seconds(5)) { scriptd?.exit != nil }
    }

    /// What vrrpd says of the script.
    func script() throws -> VrrpAPI.TrackedScript {
        try #require(try alone.router.show().runtime.scripts?.first)
    }

    func eventually(_ what: String, within limit: Duration = .seconds(10), _ condition: () throws -> Bool) throws {
        do {
            try alone.eventually(what, within: limit) { try condition() }
        } catch {
            Issue.record("scriptd: \(scriptd?.output.suffix(3000) ?? "")")
            throw error
        }
    }

    func becomes(_ state: VrrpAPI.State) throws {
        try eventually("VI_1 is \(state)") { (try? alone.router.show().runtime.state) == state }
    }

    /// The longest time between two advertisements of vrrpd while `body` is done.
    func longestSilence(_ body: () throws -> Void) throws -> Duration {
        let start = segment.loop.refreshNow()
        try body()
        let times = alone.wire.heard.filter { $0.source == alone.host.address && $0.at >= start }.map(\.at)
        return zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? .seconds(100)
    }
}

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(2)))
struct ScriptTests {
    @Test func `a script that fails is FAULT, and when it succeeds again the router takes part`() throws {
        let room = try ScriptRoom("exit 0")
        try room.becomes(.master)
        try room.write("echo no disk; exit 3")
        try room.becomes(.fault)
        let script = try room.script()
        #expect(script.state == .failed)
        #expect(script.lastResult == "exit status 3")
        #expect(script.lastLine == "no disk")
        #expect(try room.alone.router.show().runtime.faults == ["track_script check failed"])
        try room.eventually("priority 0 was heard") { room.alone.resignations() == 1 }
        try room.write("exit 0")
        try room.becomes(.master)
    }

    @Test func `a weight lowers the priority that is advertised`() throws {
        let room = try ScriptRoom("exit 0", line: "weight -60")
        try room.becomes(.master)
        try room.write("exit 1")
        try room.eventually("90 is advertised") {
            room.alone.wire.heard.last { $0.source == room.alone.host.address }?.priority == 90
        }
        #expect(try room.alone.router.show().runtime.state == .master)
    }

    @Test func `one that hangs has failed when its time is up, and is ended`() throws {
        let room = try ScriptRoom("exit 0", words: "interval 0.2\n timeout 1")
        try room.becomes(.master)
        try room.write("echo $$ >\(room.directory)/pid; trap '' TERM; sleep 1000; sleep 1000")
        try room.becomes(.fault)
        #expect(try room.script().lastResult == "not done in time")
        let text = try #require(try FileSystem.contents(of: room.directory + "/pid", limit: 100))
        let pid = try #require(Int32(String(decoding: text, as: UTF8.self).split(separator: "\n")[0]))
        try room.write("exit 0")
        try room.eventually("the hanging script is gone") { Glibc.kill(pid, 0) < 0 }
        try room.becomes(.master)
    }

    @Test func `one that is not there, or may not be executed, has failed and says so`() throws {
        let room = try ScriptRoom("exit 0")
        try room.becomes(.master)
        unlink(room.directory + "/check")
        try room.becomes(.fault)
        #expect(try room.script().lastResult?.contains("no such file") == true)
        #expect(room.alone.router.log.contains("script/check: track_script check cannot be run"))
        try room.write("exit 0", mode: 0o644)
        try room.eventually("it may not be executed") {
            try room.script().lastResult?.contains("may not execute") == true
        }
        try room.write("exit 0")
        try room.becomes(.master)
        try room.eventually("the alarm is over") { room.alone.router.log.contains("script/check: over") }
    }

    @Test func `with script security one that others can replace is not run`() throws {
        let room = try ScriptRoom("exit 0", global: "enable_script_security\n script_user root")
        try room.becomes(.master)
        chmod(room.directory + "/check", 0o757)
        try room.becomes(.fault)
        #expect(try room.script().lastResult?.contains("others can replace") == true)
        chmod(room.directory + "/check", 0o755)
        try room.becomes(.master)
    }

    @Test func `scriptd's death moves nothing, and is an alarm until it is back`() throws {
        let room = try ScriptRoom("exit 0")
        try room.becomes(.master)
        try room.kill()
        try room.write("exit 1")
        try room.eventually("the alarm stands") { room.alone.router.log.contains("scripts: scripts are not run") }
        #expect(try room.alone.router.show().runtime.state == .master)
        try room.start()
        try room.becomes(.fault)
        try room.eventually("the alarm is over") { room.alone.router.log.contains("scripts: over") }
    }

    @Test func `a scriptd that hangs moves nothing either`() throws {
        let room = try ScriptRoom("exit 0")
        try room.becomes(.master)
        room.scriptd?.signal(SIGSTOP)
        try room.eventually("the alarm stands", within: .seconds(15)) {
            room.alone.router.log.contains("scripts: scripts are not run")
        }
        #expect(try room.alone.router.show().runtime.state == .master)
        room.scriptd?.signal(SIGCONT)
        try room.eventually("the alarm is over") { room.alone.router.log.contains("scripts: over") }
        #expect(try room.alone.router.show().runtime.state == .master)
    }

    @Test func `before its script has run a router takes nothing`() throws {
        let room = try ScriptRoom("sleep 1.5; exit 0", words: "interval 5")
        let start = segmentTime(room)
        try room.eventually("it waits") {
            (try? room.alone.router.show())?.runtime.reason == "waits for the first result of track_script check"
        }
        try room.becomes(.master)
        #expect(segmentTime(room) - start > .milliseconds(1400))
    }

    private func segmentTime(_ room: ScriptRoom) -> Instant { room.segment.loop.refreshNow() }

    @Test func `megabytes of output, children and two hundred scripts delay no advertisement`() throws {
        let room = try ScriptRoom("head -c 3000000 /dev/zero; sleep 0.05 & exit 0", words: "interval 0.2\n timeout 5")
        try room.becomes(.master)
        let names = (0..<200).map { "many\($0)" }
        let blocks = names.map { "vrrp_script \($0) {\n script /bin/true\n interval 1\n timeout 5\n weight 1\n}\n" }
            .joined()
        let text = Dialect.version3.text(
            40, on: room.alone.host, peer: room.alone.peer,
            more: "track_script {\n check\n \(names.joined(separator: "\n "))\n }")
        let check = "vrrp_script check {\n script \"\(room.directory)/check\"\n interval 0.2\n timeout 5\n}\n"
        try room.alone.reload(blocks + check + text)
        try room.eventually("all of them have run", within: .seconds(30)) {
            try room.alone.router.show().runtime.effectivePriority == 240
        }
        let silence = try room.longestSilence { try room.segment.observe(for: .seconds(5)) }
        #expect(silence < .milliseconds(150) + room.segment.slack)
        #expect(try room.alone.router.show().runtime.state == .master)
    }
}
