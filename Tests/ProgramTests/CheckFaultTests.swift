// checkd where its host has trouble of its own: no verdict moves, nothing is late, and one alarm says so.
import Bus
import Glibc
import JSON
import Net
import Platform
import Testing

@Suite(.serialized, .timeLimit(.minutes(3)))
struct CheckFaultTests {
    private func alarms(_ tap: EventTap, _ subject: String) -> [JSONObject] {
        tap.events.filter { $0["subject"]?.string == subject }
    }

    private func occurrences(_ text: String, in log: String) -> Int {
        log.split(separator: "\n").count { $0.contains(text) }
    }

    @Test func `a CA file that cannot be read is this host's trouble`() throws {
        let room = try CheckRoom(bus: true)
        let server = try TinyServer(.stall, on: room.loop)
        let tap = try room.listen(["io.evenkeel.daemon.alarm"])
        let words = "verify\n ca /nonexistent/ca.pem\n url {\n path /\n }"
        try room.start(virtualServer([httpCheck(server.port, words, kind: "SSL_GET")]))
        try room.eventually("the alarm is raised") { !self.alarms(tap, "checkd/probing").isEmpty }
        let health = try #require(try room.list()[realServer(1)])
        #expect(health.state == .up && !health.verified)
        #expect(health.checks.first?.runtime.reason.hasPrefix("cannot be asked from here: ") == true)
    }

    @Test func `a checker that can be asked does not end the alarm of one that cannot`() throws {
        let room = try CheckRoom(bus: true)
        let server = try TinyServer(.answer([]), on: room.loop)
        let tap = try room.listen(["io.evenkeel.daemon.alarm"])
        let both = tcpCheck(server.port) + "\n" + tcpCheck(server.port, more: "bindto 192.0.2.77")
        try room.start(virtualServer([both], delay: "0.1"))
        try room.eventually("the alarm is raised") { !self.alarms(tap, "checkd/probing").isEmpty }
        try room.eventually("both are probed many times") {
            try room.list()[realServer(1)]?.checks.first?.runtime.successes ?? 0 >= 10
        }
        #expect(alarms(tap, "checkd/probing").count == 1)
        #expect(occurrences("cannot be probed from here", in: room.log) == 1)
    }

    @Test func `many checkers that cannot be asked are one alarm and one line`() throws {
        let room = try CheckRoom(bus: true)
        let server = try TinyServer(.answer([]), on: room.loop)
        let tap = try room.listen(["io.evenkeel.daemon.alarm"])
        let checks = (1...100).map { tcpCheck(server.port, more: "bindto 203.0.113.\($0)") }
        try room.start(virtualServer(checks, delay: "0.2"))
        try room.eventually("the alarm is raised") { !self.alarms(tap, "checkd/probing").isEmpty }
        try room.eventually("all are hindered") {
            try room.list().values.allSatisfy { $0.checks[0].runtime.reason.hasPrefix("cannot be asked") }
        }
        #expect(alarms(tap, "checkd/probing").count == 1)
        #expect(occurrences("cannot be probed from here", in: room.log) == 1)
    }

    @Test func `a state directory that cannot be written delays no verdict`() throws {
        let room = try CheckRoom(bus: true)
        let server = try TinyServer(.answer([]), on: room.loop)
        let tap = try room.listen(["io.evenkeel.check.server", "io.evenkeel.daemon.alarm"])
        try FileSystem.makeDirectory(room.directory + "/state/checkd.json.new", mode: 0o755)
        let count = 2000
        let services = (1...10).map { number in
            let checks = distinct(200, from: number * 200) { tcpCheck(server.port, more: $0) }
            return virtualServer(checks, delay: "5", warmup: "2", number: number)
        }
        try room.start(services.joined())
        try room.eventually("all are verified", within: .seconds(30)) {
            tap.events.count { $0["data"]?["verified"]?.bool == true } >= count
        }
        server.close()
        try room.eventually("all are down", within: .seconds(15)) {
            tap.events.count { $0["data"]?["state"]?.string == "down" } >= count
        }
        #expect(!alarms(tap, "checkd/state").isEmpty)
        #expect(occurrences("verdicts are not saved", in: room.log) == 1)
    }

    @Test func `what did not change is not written again`() throws {
        let room = try CheckRoom()
        let server = try TinyServer(.answer([]), on: room.loop)
        try room.start(virtualServer([tcpCheck(server.port)]))
        _ = try room.becomes(realServer(1), .up)
        try room.eventually("the verdict is on the disk") { room.savedVerdicts.contains("succeeds") }
        let before = room.savedVerdictsFile
        room.checkd?.signal(SIGHUP)
        try room.eventually("the configuration is read again") { room.log.contains("no change") }
        try room.end(SIGTERM)
        try room.restart()
        _ = try room.becomes(realServer(1), .up)
        try room.end(SIGTERM)
        #expect(before != nil && room.savedVerdictsFile == before)
    }

    @Test func `a pause of checkd takes nobody out whose answer came meanwhile`() throws {
        let room = try CheckRoom(bus: true)
        let answer = Array("HTTP/1.0 200 OK\r\n\r\nhello\n".utf8)
        let server = try TinyServer(.answerLater(answer, after: .milliseconds(500)), on: room.loop)
        let tap = try room.listen(["io.evenkeel.check.server"])
        let checks = distinct(150) { httpCheck(server.port, "url {\n path /\n }\n \($0)", timeout: "2") }
        try room.start(virtualServer(checks, delay: "0.1"))
        try room.eventually("all are up") { try room.list().values.allSatisfy(\.verified) }
        for _ in 0..<3 {
            room.checkd?.signal(SIGSTOP)
            let end = room.loop.refreshNow() + .milliseconds(2700)
            try room.eventually("the pause is over") { room.loop.refreshNow() >= end }
            room.checkd?.signal(SIGCONT)
            let rest = room.loop.refreshNow() + .milliseconds(1500)
            try room.eventually("checkd goes on") { room.loop.refreshNow() >= rest }
        }
        #expect(!tap.events.contains { $0["data"]?["state"]?.string == "down" })
        #expect(!room.log.contains("failed"))
    }

    @Test func `checkd gives signs of life while its loop runs`() throws {
        let room = try CheckRoom(bus: true)
        let tap = try room.listen(["io.evenkeel.check.heartbeat"])
        let server = try TinyServer(.answer([]), on: room.loop)
        try room.start(virtualServer([tcpCheck(server.port)]))
        try room.eventually("two beats") { tap.events.count >= 2 }
        #expect(tap.events.allSatisfy { $0["subject"]?.string == "checkd" })
        #expect(tap.events.allSatisfy { $0["data"]?["intervalSeconds"]?.int == 2 })
        room.checkd?.signal(SIGSTOP)
        let before = tap.events.count
        let end = room.loop.refreshNow() + .seconds(5)
        try room.eventually("the pause is over") { room.loop.refreshNow() >= end }
        #expect(tap.events.count == before)
        room.checkd?.signal(SIGCONT)
    }

    @Test func `a UDP service may be checked over HTTP`() throws {
        let room = try CheckRoom()
        let server = try TinyServer(.answer(Array("HTTP/1.0 200 OK\r\n\r\n".utf8)), on: room.loop)
        let text = virtualServer([httpCheck(server.port, "url {\n path /\n }")])
        try room.start(text.replacing("protocol TCP", with: "protocol UDP"))
        _ = try room.becomes(realServer(1).replacing("tcp/", with: "udp/"), .up)
        server.close()
        _ = try room.becomes(realServer(1).replacing("tcp/", with: "udp/"), .down)
    }

    @Test func `ten thousand servers are there whole after a start and a reload`() throws {
        let room = try CheckRoom()
        let server = try TinyServer(.answer([]), on: room.loop)
        func services(_ numbers: ClosedRange<Int>, _ delay: String) -> String {
            numbers.map {
                virtualServer(
                    Array(repeating: tcpCheck(server.port), count: 200), delay: delay, warmup: "600", number: $0)
            }.joined()
        }
        try room.start(services(1...50, "600"))
        try room.eventually("all are there", within: .seconds(60)) { try room.names().count == 10_000 }
        try room.configure(services(2...51, "600"))
        room.checkd?.signal(SIGHUP)
        try room.eventually("the others are there", within: .seconds(60)) {
            let names = try room.names()
            return names.count == 10_000 && names.contains(realServer(200, of: 51))
                && !names.contains(realServer(1, of: 1))
        }
    }
}
