// What several virtual servers ask alike is asked once, by real probes: connections counted at the server, runs of a program counted by itself.
import Bus
import Glibc
import Platform
import Testing

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
