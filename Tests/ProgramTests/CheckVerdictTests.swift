// checkd as a process: verdicts, events, restarts, reloads and calls, with servers that come and go on loopback.
import Bus
import Glibc
import JSON
import Net
import Platform
import Testing

/// One virtual server on 10.99.0.1:80 whose real servers 10.99.1.1, .2, … are probed elsewhere.
func virtualServer(
    _ checkers: [String], delay: String = "0.2", warmup: String = "0", more: String = "", number: Int = 1
)
    -> String
{
    let servers = checkers.enumerated().map { index, checker in
        "real_server 10.99.1.\(index + 1) 80 {\n weight 1\n \(checker)\n}"
    }
    return """
        virtual_server 10.99.0.\(number) 80 {
         delay_loop \(delay)
         lb_algo rr
         lb_kind NAT
         protocol TCP
         warmup \(warmup)
         \(more)
         \(servers.joined(separator: "\n "))
        }

        """
}

/// The name of a real server of `virtualServer`.
func realServer(_ index: Int, of number: Int = 1) -> String { "tcp/10.99.0.\(number):80/10.99.1.\(index):80" }

func tcpCheck(_ port: UInt16, more: String = "") -> String {
    "TCP_CHECK {\n connect_ip 127.0.0.1\n connect_port \(port)\n retry 1\n delay_before_retry 0.05\n \(more)\n}"
}

/// As many checks as wanted that ask different things: each from an address of its own.
func distinct(_ count: Int, from first: Int = 0, _ check: (String) -> String) -> [String] {
    (first..<first + count).map { check("bindto 127.7.\($0 / 250).\(1 + $0 % 250)") }
}

@Suite(.serialized, .timeLimit(.minutes(3)))
struct CheckVerdictTests {
    @Test func `a server that stops answering goes down once and comes back once, and subscribers see just that`()
        throws
    {
        let room = try CheckRoom(bus: true)
        let server = try TinyServer(.stall, on: room.loop)
        let tap = try room.listen(["io.evenkeel.check.server"])
        try room.start(virtualServer([tcpCheck(server.port)]))
        _ = try room.becomes(realServer(1), .up)
        server.close()
        let down = try room.becomes(realServer(1), .down)
        #expect(down.reason == "TCP_CHECK 127.0.0.1:\(server.port): connection refused")
        try server.open()
        _ = try room.becomes(realServer(1), .up)
        try room.eventually("three states are published") { tap.states(of: realServer(1)).count >= 3 }
        #expect(tap.states(of: realServer(1)) == ["up", "down", "up"])
        #expect(room.log.contains("\(realServer(1)) is down: TCP_CHECK 127.0.0.1:\(server.port): connection refused"))
    }

    @Test func `the same address under two services has two verdicts`() throws {
        let room = try CheckRoom()
        let server = try TinyServer(.answer(Array("HTTP/1.0 503 no\r\n\r\n".utf8)), on: room.loop)
        let http = httpCheck(server.port, "url {\n path /\n }")
        try room.start(virtualServer([tcpCheck(server.port)]) + virtualServer([http], number: 2))
        _ = try room.becomes(realServer(1), .up)
        _ = try room.becomes(realServer(1, of: 2), .down)
        #expect(try room.list()[realServer(1)]?.state == .up)
    }

    @Test func `a server is down while one of its checkers is`() throws {
        let room = try CheckRoom()
        let good = try TinyServer(.stall, on: room.loop)
        let bad = try TinyServer(.stall, on: room.loop)
        bad.close()
        try room.start(virtualServer([tcpCheck(good.port) + "\n" + tcpCheck(bad.port)]))
        let health = try room.becomes(realServer(1), .down)
        #expect(health.checks.map(\.runtime.state) == [.up, .down])
        try bad.open()
        _ = try room.becomes(realServer(1), .up)
    }

    @Test func `alpha starts down and enters after the first success`() throws {
        let room = try CheckRoom(bus: true)
        let server = try TinyServer(.stall, on: room.loop)
        let tap = try room.listen(["io.evenkeel.check.server"])
        try room.start(virtualServer([tcpCheck(server.port)], more: "alpha"))
        _ = try room.becomes(realServer(1), .up)
        try room.eventually("both are published") { tap.states(of: realServer(1)).count >= 2 }
        #expect(tap.states(of: realServer(1)) == ["down", "up"])
    }

    @Test func `bindto decides where probes come from`() throws {
        let room = try CheckRoom()
        let server = try TinyServer(.stall, on: room.loop)
        try room.start(virtualServer([tcpCheck(server.port, more: "bindto 127.0.0.9")]))
        _ = try room.becomes(realServer(1), .up)
        try room.eventually("the server sees it") { !server.sources.isEmpty }
        #expect(Set(server.sources) == ["127.0.0.9"])
    }

    @Test func `a server that does not answer the connection is down after connect_timeout`() throws {
        let room = try CheckRoom()
        let server = try TinyServer(.deaf, on: room.loop)
        let checks = distinct(6) { tcpCheck(server.port, more: "connect_timeout 0.2\n \($0)") }
        try room.start(virtualServer(checks))
        try room.eventually("those beyond the backlog are down") {
            try room.list().values.contains { $0.reason.hasSuffix(": timeout (connect)") }
        }
    }

    @Test func `with fewer descriptors than checks every server gets its verdict and an alarm says so`() throws {
        let room = try CheckRoom(bus: true)
        let (deaf, good) = (try TinyServer(.deaf, on: room.loop), try TinyServer(.stall, on: room.loop))
        let tap = try room.listen(["io.evenkeel.daemon.alarm"])
        let silent = distinct(100) { tcpCheck(deaf.port, more: "connect_timeout 0.2\n \($0)") }
        try room.configure(virtualServer(silent + [tcpCheck(good.port)], delay: "0.5"))
        try room.restart(["/usr/bin/prlimit", "--nofile=84:84"])
        _ = try room.becomes(realServer(101), .up)
        try room.eventually("most are down") { try room.list().values.count { $0.state == .down } > 90 }
        #expect(tap.events.contains { $0["subject"]?.string == "checkd/descriptors" })
        #expect(!room.log.contains("too many open files"))
        #expect(try room.list()[realServer(101)]?.state == .up)
    }

    @Test func `a probe that cannot be made from here is an alarm and not a failure`() throws {
        let room = try CheckRoom(bus: true)
        let server = try TinyServer(.stall, on: room.loop)
        let tap = try room.listen(["io.evenkeel.daemon.alarm"])
        try room.start(virtualServer([tcpCheck(server.port, more: "bindto 192.0.2.77")]))
        try room.eventually("the alarm is raised") {
            tap.events.contains { $0["subject"]?.string == "checkd/probing" && $0["data"] != nil }
        }
        let health = try #require(try room.list()[realServer(1)])
        #expect(health.state == .up && !health.verified)
        #expect(room.log.contains("cannot be probed from here: cannot assign requested address"))
    }

    @Test func `Run probes at once and answers with what it found`() throws {
        let room = try CheckRoom()
        let server = try TinyServer(.stall, on: room.loop)
        try room.start(virtualServer([tcpCheck(server.port)], delay: "600", warmup: "600"))
        #expect(try room.list()[realServer(1)]?.verified == false)
        // The kernel accepts for the listener.
        let health = try room.call(CheckAPI.Run(server: realServer(1))).health
        #expect(health.state == .up && health.verified)
        #expect(health.checks[0].runtime.durationMicroseconds != nil)
        server.close()
        // Two failures in a row make it down.
        _ = try room.call(CheckAPI.Run(server: realServer(1)))
        #expect(try room.call(CheckAPI.Run(server: realServer(1))).health.state == .down)
        #expect(throws: BusClientError.self) { try room.call(CheckAPI.Run(server: "tcp/10.9.9.9:1/10.9.9.9:1")) }
    }
}

@Suite(.serialized, .timeLimit(.minutes(3)))
struct CheckRestartTests {
    @Test func `kill -9 and a restart keep the verdicts and flap nothing`() throws {
        let room = try CheckRoom(bus: true)
        let up = try TinyServer(.stall, on: room.loop)
        let down = try TinyServer(.stall, on: room.loop)
        down.close()
        let tap = try room.listen(["io.evenkeel.check.server"])
        let text = virtualServer([tcpCheck(up.port), tcpCheck(down.port)])
        try room.start(text)
        _ = try room.becomes(realServer(1), .up)
        let before = try room.becomes(realServer(2), .down)
        // Verdicts are published first and kept after.
        try room.eventually("the verdict is on the disk") { room.savedVerdicts.contains("connection refused") }
        try room.end(SIGKILL)
        try room.restart()
        let after = try #require(try room.list()[realServer(2)])
        #expect(after.state == .down && after.since == before.since && after.reason == before.reason)
        _ = try room.becomes(realServer(1), .up)
        _ = try room.becomes(realServer(2), .down)
        try room.eventually("both are heard") { tap.states(of: realServer(2)).contains("down") }
        #expect(tap.states(of: realServer(1)) == ["up"])
        #expect(tap.states(of: realServer(2)) == ["up", "down"])
        try down.open()
        _ = try room.becomes(realServer(2), .up)
    }

    @Test func `an edited question keeps the verdict, unverified, until it was asked`() throws {
        let room = try CheckRoom()
        let server = try TinyServer(.stall, on: room.loop)
        server.close()
        try room.start(virtualServer([tcpCheck(server.port)]))
        _ = try room.becomes(realServer(1), .down)
        try room.eventually("the verdict is on the disk") { room.savedVerdicts.contains("connection refused") }
        try room.end(SIGKILL)
        let other = try TinyServer(.stall, on: room.loop)
        try room.start(virtualServer([tcpCheck(other.port)], warmup: "600"))
        let health = try #require(try room.list()[realServer(1)])
        #expect(health.state == .down && !health.verified)
        _ = try room.call(CheckAPI.Run(server: realServer(1)))
        #expect(try room.becomes(realServer(1), .up).verified)
    }

    @Test func `an edited question of an alpha server that is up takes it out only when the answer is bad`() throws {
        let room = try CheckRoom(bus: true)
        let server = try TinyServer(.stall, on: room.loop)
        let tap = try room.listen(["io.evenkeel.check.server"])
        try room.start(virtualServer([tcpCheck(server.port)], more: "alpha"))
        _ = try room.becomes(realServer(1), .up)
        let edited = tcpCheck(server.port, more: "bindto 127.0.0.9")
        try room.configure(virtualServer([edited], warmup: "600", more: "alpha"))
        room.checkd?.signal(SIGHUP)
        try room.eventually("the new question is in force") { try room.list()[realServer(1)]?.verified == false }
        #expect(try room.list()[realServer(1)]?.state == .up)
        try room.eventually("it is published as up") { tap.states(of: realServer(1)).last == "up" }
    }

    @Test(arguments: ["", "{", "nonsense", #"{"boot":"other","servers":[]}"#, #"{"boot":1}"#, "\0\u{FF}"])
    func `a state file that cannot be used is named and left aside`(content: String) throws {
        let room = try CheckRoom()
        let server = try TinyServer(.stall, on: room.loop)
        try FileSystem.makeDirectory(room.directory + "/state", mode: 0o755)
        try FileSystem.replace(room.directory + "/state/checkd.json", with: Array(content.utf8), durable: false)
        try room.start(virtualServer([tcpCheck(server.port)]))
        _ = try room.becomes(realServer(1), .up)
        #expect(room.log.contains("checkd.json"))
    }

    @Test func `a reload keeps what it does not change and withdraws what leaves`() throws {
        let room = try CheckRoom(bus: true)
        let server = try TinyServer(.stall, on: room.loop)
        server.close()
        let tap = try room.listen(["io.evenkeel.check.server"])
        try room.start(virtualServer([tcpCheck(server.port), tcpCheck(server.port)]))
        let before = try room.becomes(realServer(1), .down)
        _ = try room.becomes(realServer(2), .down)
        try room.configure(virtualServer([tcpCheck(server.port)]) + virtualServer([tcpCheck(server.port)], number: 2))
        // What was prepared goes with the connection that asked for it.
        let caller = try room.client()
        let prepared = try caller.call(CheckAPI.PrepareReload())
        #expect(
            prepared.changes == ["stop checking \(realServer(2))", "start checking \(realServer(1, of: 2))"])
        #expect(throws: BusClientError.self) { try caller.call(CheckAPI.CommitReload(digest: "other")) }
        _ = try caller.call(CheckAPI.CommitReload(digest: prepared.digest))
        let after = try room.list()
        #expect(after[realServer(1)]?.since == before.since)
        #expect(after[realServer(2)] == nil)
        try room.eventually("the removal is published") { tap.states(of: realServer(2)).last == "gone" }
        _ = try room.becomes(realServer(1, of: 2), .down)
    }

    @Test func `a new schedule keeps the verdict`() throws {
        let room = try CheckRoom()
        let server = try TinyServer(.stall, on: room.loop)
        server.close()
        try room.start(virtualServer([tcpCheck(server.port)]))
        let before = try room.becomes(realServer(1), .down)
        try room.configure(virtualServer([tcpCheck(server.port)], delay: "600", warmup: "600"))
        room.checkd?.signal(SIGHUP)
        try room.eventually("the new schedule is in force") {
            try room.list()[realServer(1)]?.checks.first?.context.delayMilliseconds == 600_000
        }
        let after = try #require(try room.list()[realServer(1)])
        #expect(after.state == .down && after.since == before.since && !after.verified)
    }

    @Test func `a bad configuration is refused with its place and disturbs nothing`() throws {
        let room = try CheckRoom()
        let server = try TinyServer(.stall, on: room.loop)
        try room.start(virtualServer([tcpCheck(server.port)]))
        _ = try room.becomes(realServer(1), .up)
        try room.configure("virtual_server 10.99.0.1 80 {\n delay_lop 1\n}\n")
        #expect(throws: BusClientError.self) { try room.call(CheckAPI.PrepareReload()) }
        room.checkd?.signal(SIGHUP)
        try room.eventually("the refusal is logged") { room.log.contains("check.conf:2:") }
        #expect(try room.list()[realServer(1)]?.state == .up)
        try room.end(SIGTERM)
        #expect(room.checkd?.exit == .exited(0))
        try room.restart(waits: false)
        try room.eventually("checkd refuses to start") { room.checkd?.exit == .exited(2) }
    }
}
