// What people can ask about checks: the past of each (`lbctl check show`) and a probe to look at, which changes nothing (`lbctl check run`).
import Bus
import Glibc
import JSON
import Net
import Platform
import Testing

@Suite(.serialized, .timeLimit(.minutes(1)))
struct CheckStoryTests {
    /// The answer of an lbctl command; the tiny servers answer meanwhile.
    private func lbctl(_ words: [String], _ room: CheckRoom) throws -> JSONObject {
        let log = room.directory + "/lbctl-\(words[1])"
        let program = try Program(
            [Program.directory + "/lbctl", "--direct", "--socket", room.directory + "/run/bus.sock"] + words + [
                "--json"
            ],
            on: nil, log: log, loop: room.loop)
        try room.eventually("lbctl \(words) ends") { program.exit != nil }
        #expect(program.exit == .exited(0), "\(program.output)")
        return try #require(try JSONValue(parsing: Array(program.output.utf8)).object)
    }

    @Test func `check show has the last changes of each check and how long its probes took`() throws {
        let room = try CheckRoom()
        let server = try TinyServer(.answer([]), on: room.loop)
        let both = tcpCheck(server.port) + "\n" + "UDP_CHECK {\n connect_ip 127.0.0.1\n connect_timeout 9\n}"
        try room.start(virtualServer([both], delay: "0.1"))
        try room.eventually("the TCP_CHECK is probed") {
            try room.list()[realServer(1)]?.checks[0].runtime.successes ?? 0 >= 3
        }
        for round in 0..<10 {
            server.close()
            try room.eventually("down") { try room.list()[realServer(1)]?.checks[0].runtime.state == .down }
            try server.open()
            try room.eventually("up") { try room.list()[realServer(1)]?.checks[0].runtime.state == .up }
            guard round == 0 else { continue }
            let history = try room.call(CheckAPI.ShowHistory(server: realServer(1))).checks
            #expect(history.map(\.name) == ["TCP_CHECK 1", "UDP_CHECK 2"])
            #expect(history[0].changes.map(\.state) == [.down, .up])
            #expect(history[0].changes.map(\.reason) == ["connection refused", "succeeds"])
            #expect(history[0].latency.reduce(0) { $0 + $1.probes } >= 6)
            #expect(history[0].latency.map(\.upToMicroseconds).last == .some(nil) && history[0].latency.count == 16)
            let latencies = try room.call(CheckAPI.ListLatencies())
            #expect(latencies.upToMicroseconds == history[0].latency.compactMap(\.upToMicroseconds))
            #expect(latencies.servers.map(\.server) == [realServer(1)])
            #expect(latencies.servers[0].checks.map(\.name) == history.map(\.name))
            #expect(latencies.servers[0].checks[0].probes.count == 16)
            #expect(latencies.servers[0].checks[0].probes.reduce(0, +) >= 6)
        }
        let answer = try lbctl(["check", "show", "10.99.1.1:80"], room)
        #expect(answer["checks"]?.array?.first?["changes"]?.array?.count == 16, "not more")
        #expect(throws: BusClientError.self) {
            try room.call(CheckAPI.ShowHistory(server: "tcp/10.9.9.9:1/10.9.9.9:1"))
        }
    }

    @Test func `check run makes every check once, tells its story and changes nothing`() throws {
        let room = try CheckRoom()
        let web = try TinyServer(.answer(Array("HTTP/1.0 200 OK\r\nServer: tiny\r\n\r\nhello\n".utf8)), on: room.loop)
        let mail = try ScriptedServer([.say("554 go away\r\n"), .hear], on: room.loop)
        let checks = [
            httpCheck(web.port, "url {\n path /a\n }\n url {\n path /b\n status_code 404\n }"),
            "SMTP_CHECK {\n connect_ip 127.0.0.1\n connect_port \(mail.port)\n}",
            tcpCheck(web.port, more: "bindto 192.0.2.77"),
        ]
        try room.start(virtualServer([checks.joined(separator: "\n")], delay: "600", warmup: "600"))
        let before = try #require(try room.list()[realServer(1)])
        let trials = try #require(try lbctl(["check", "run", "10.99.1.1:80"], room)["trials"]?.array)
        func told(_ index: Int) -> [String] { trials[index]["notes"]?.array?.compactMap { $0["text"]?.string } ?? [] }
        #expect(trials.map { $0["name"]?.string } == ["HTTP_GET 1", "HTTP_GET 1", "SMTP_CHECK 2", "TCP_CHECK 3"])
        #expect(trials.map { $0["step"]?.string } == ["/a", "/b", nil, nil])
        #expect(trials.map { $0["outcome"]?.string } == ["success", "failure", "failure", "inconclusive"])
        #expect(trials[1]["reason"]?.string == "status 200")
        #expect(trials[2]["reason"]?.string == "greeting reply: 554 go away")
        #expect(told(0).starts(with: ["connected", "< HTTP/1.0 200 OK", "< Server: tiny"]), "\(told(0))")
        #expect(told(2) == ["connected", "< 554 go away.."])
        #expect(try room.list()[realServer(1)] == before)
    }

    @Test func `check digest is that of the page, whatever its status`() throws {
        let room = try CheckRoom()
        let web = try TinyServer(.answer(Array("HTTP/1.0 404 no\r\n\r\nhello\n".utf8)), on: room.loop)
        try room.start("")
        let answer = try lbctl(["check", "digest", "http://127.0.0.1:\(web.port)/x"], room)
        #expect(answer["digest"]?.string == "b1946ac92492d2347c6235b4d2611184")
        #expect(web.requests.first?.hasPrefix("GET /x HTTP/1.0\r\n") == true)
        web.close()
        let call = CheckAPI.ComputeDigest(target: "127.0.0.1:\(web.port)", tls: false, path: "/")
        #expect(throws: BusClientError.self) { try room.call(call) }
    }
}
