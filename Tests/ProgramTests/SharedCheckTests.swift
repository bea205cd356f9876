// What several virtual servers ask alike is asked once, by real probes: connections counted at the server, runs of a program counted by itself.
import Bus
import Glibc
import Platform
import Testing
import Varlink

@Suite(.serialized, .timeLimit(.minutes(2)))
struct SharedCheckTests {
    private let room: CheckRoom

    init() throws { room = try CheckRoom() }

    @Test func `two thousand checks of a thousand servers are a thousand connections`() throws {
        let server = try TinyServer(.stall, on: room.loop)
        // Five services with 200 servers each, and five more with the same.
        let services = (1...10).map { number in
            let checks = distinct(200, from: number % 5 * 200) { tcpCheck(server.port, more: $0) }
            return virtualServer(checks, delay: "60", warmup: "1", number: number)
        }
        try room.start(services.joined())
        try room.eventually("all are up and probed", within: .seconds(30)) {
            var verified = 0
            try room.client().stream(CheckAPI.List(), timeout: .seconds(10)) { reply in
                verified += reply.servers.count { $0.verified && $0.state == .up }
                return true
            }
            return verified == 2000
        }
        try room.eventually("all connections are accepted") { server.sources.count >= 1000 }
        #expect(server.sources.count == 1000)
        #expect(Set(server.sources).count == 1000)
    }

    @Test func `people who ask beside a common probe that hangs are answered, though a service leaves meanwhile`()
        throws
    {
        let server = try TinyServer(.answerLater([], after: .seconds(60)), on: room.loop)
        let check = httpCheck(server.port, "url {\n path /\n }", timeout: "2")
        func services(_ numbers: [Int]) -> String {
            numbers.map { virtualServer([check], delay: "60", number: $0) }.joined()
        }
        try room.start(services([1, 2, 3]))
        try room.eventually("the common probe is under way") { !server.requests.isEmpty }
        let socket = room.directory + "/run/private/checkd.sock"
        let runs = try (1...3).map {
            try PendingCall(socket, CheckAPI.Run(server: realServer(1, of: $0)), on: room.loop)
        }
        let trials = try (1...3).map {
            try PendingCall(socket, CheckAPI.ProbeOnce(server: realServer(1, of: $0)), on: room.loop)
        }
        try room.eventually("their own probes are under way") { server.requests.count >= 4 }
        try room.configure(services([2, 4]))
        room.checkd?.signal(SIGHUP)
        try room.eventually("everybody is answered") { (runs + trials).allSatisfy { $0.reply != nil } }
        #expect(runs.map(\.reply?.error) == [CheckAPI.ServerNotFound.error, nil, CheckAPI.ServerNotFound.error])
        #expect(trials.allSatisfy { $0.reply?.error == nil })
        // The probe of all counts once for each that is still there; those for people count for nobody.
        for number in [2, 4] {
            let health = try room.becomes(realServer(1, of: number), .down)
            #expect(health.checks[0].runtime.failures == 1 && health.checks[0].runtime.sharedBy == 2)
        }
        #expect(server.requests.count == 4)
    }

    @Test func `a program that two services name runs once for both, and each makes its own weight of it`() throws {
        let (script, runs) = (room.directory + "/check", room.directory + "/runs")
        let text = "#!/bin/sh\necho run >>\(runs)\nexit 7\n"
        try FileSystem.replace(script, with: Array(text.utf8), durable: false)
        chmod(script, 0o755)
        let check = "MISC_CHECK {\n misc_path \"\(script)\"\n misc_dynamic\n}"
        let other = virtualServer([check], delay: "60", number: 2).replacing("weight 1", with: "weight 3")
        let user = "global_defs {\n script_user \(geteuid() == 0 ? "root" : "\(geteuid())")\n}\n"
        try room.configure(user + virtualServer([check], delay: "60") + other)
        try room.startScriptd()
        try room.restart()
        let (one, two) = (try room.becomes(realServer(1), .up), try room.becomes(realServer(1, of: 2), .up))
        #expect(one.weightChange == 4 && two.weightChange == 2)
        #expect(one.checks.first?.runtime.sharedBy == 2 && two.checks.first?.runtime.sharedBy == 2)
        let lines = try FileSystem.contents(of: runs, limit: 4096) ?? []
        #expect(String(decoding: lines, as: UTF8.self) == "run\n")
    }
}
