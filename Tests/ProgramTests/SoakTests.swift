// checkd under load for a time: two thousand servers of all kinds, a quarter of which come and go. Nothing grows (descriptors, processes, memory),
// no probe misses its time, every verdict follows, and who was always good is never out. `make test` runs it for some seconds, `deploy/soak` for ten
// minutes or as long as it is told.
import Bus
import CLinux
import Glibc
import JSON
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(30)))
final class SoakTests {
    /// In seconds.
    private static let length = getenv("EVENKEEL_SOAK_SECONDS").flatMap { Int(String(cString: $0)) } ?? 8
    private static let delay = 5

    private let all: FleetRoom
    private var generator = SystemRandomNumberGenerator()
    private var states: [String: String] = [:]
    private var latest = Duration.zero
    private var changes = 0

    init() throws {
        _ = ek_raise_descriptor_limit()
        all = try FleetRoom(
            [.tcp: 800, .http: 500, .smtp: 200, .dns: 150, .udp: 100, .misc: 100, .file: 50], timeout: 2,
            following: ["io.evenkeel.check.server", "io.evenkeel.check.heartbeat"])
    }

    private var room: CheckRoom { all.room }
    private var fleet: Fleet { all.fleet }
    private var host: Host { all.segment.hosts[0] }

    /// Looks at the events that have come: the last state of each server, and how late probes began.
    private func hear() {
        for event in all.news() {
            let data = event["data"]
            if let lateness = data?["latenessMicroseconds"]?.int {
                latest = max(latest, .microseconds(lateness))
            }
            guard let name = event["subject"]?.string, let state = data?["state"]?.string else { continue }
            guard data?["verified"]?.bool == true, states[name] != state else { continue }
            states[name] = state
            changes += 1
        }
    }

    /// The servers whose verdict is not what they are, though it must be by now.
    private var wrong: [String] {
        let limit = fleet.patience * 3 + .seconds(Self.delay)
        return fleet.servers.filter {
            room.loop.now - $0.since > limit && states[$0.name] != ($0.isGood ? "up" : "down")
        }
        .map { "\($0.kind) \($0.name) is \($0.isGood ? "good" : "bad")" }
    }

    /// Runs the loop; `each` is done once a second.
    private func run(seconds: Int, _ each: (Int) throws -> Void = { _ in }) throws {
        for second in 0..<seconds {
            try all.run(for: .seconds(1))
            hear()
            try each(second)
        }
    }

    /// Pings, programs that hang and TLS, which stay as they are; the last three never come up.
    private func constant() throws -> [String] {
        let authority = try Authority(in: room)
        let identity = try authority.issue("tls", for: ["IP:127.0.0.1"])
        let port = try host.inside { try Loopback.freePort() }
        tls = try Program(
            [
                "/usr/bin/openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-key", identity.key, "-cert",
                identity.certificate, "-www", "-quiet",
            ], on: host, log: room.directory + "/openssl", loop: room.loop)
        let url = "verify\n ca \(authority.certificate)\n url {\n path /\n }"
        plain = try host.inside { try TinyServer(.answer([0x15, 3, 1, 0, 2, 2, 40]), on: room.loop) }
        plain?.endsRequest = { !$0.isEmpty }
        let hanging = "MISC_CHECK {\n misc_path \"/usr/bin/sleep 60\"\n misc_timeout 1\n}"
        return (1...70).map { "PING_CHECK {\n connect_ip 127.1.0.\($0)\n connect_timeout 1\n}" }
            + Array(repeating: httpCheck(port, url, kind: "SSL_GET", timeout: "2"), count: 20)
            + [hanging, hanging, httpCheck(plain?.port ?? 0, url, kind: "SSL_GET")]
    }
    private var tls: Program?
    private var plain: TinyServer?

    @Test func `nothing grows while servers come and go`() throws {
        let constant = try constant()
        try all.run(["/sbin/sysctl", "-qw", "net.ipv4.ping_group_range=0 0"])
        try all.start(fleet.configuration(delay: "\(Self.delay)", warmup: "\(Self.delay)", more: constant))
        let count = fleet.servers.count + constant.count
        try room.eventually("every server has a verdict", within: .seconds(40)) {
            hear()
            return states.count == count
        }
        let checkd = try #require(room.checkd?.pid)
        let scriptd = try #require(room.scriptd?.pid)
        #expect(wrong == [])
        var (quiet, series) = ([Usage](), [Usage]())
        try run(seconds: 2) { _ in quiet.append(Usage(of: checkd)) }
        (latest, changes) = (.zero, 0)

        // Every fourth of the fleet comes and goes.
        let flapping = stride(from: 0, to: fleet.servers.count, by: 4).map { fleet.servers[$0] }
        let steady = fleet.servers.enumerated().filter { $0.offset % 4 != 0 }.map(\.element.name)
        try run(seconds: Self.length) { _ in
            series.append(Usage(of: checkd))
            // One of them says it all.
            try #require(wrong.first == nil)
            try #require(steady.first { states[$0] != "up" } == nil)
            for _ in 0..<25 {
                let server = flapping[Int.random(in: flapping.indices, using: &generator)]
                try fleet.turn(server, good: !server.isGood)
            }
        }
        for server in flapping { try fleet.turn(server, good: true) }
        try room.eventually("all are up again", within: .seconds(40)) {
            hear()
            return fleet.servers.allSatisfy { states[$0.name] == "up" }
        }
        var after: [Usage] = []
        try run(seconds: 2) { _ in after.append(Usage(of: checkd)) }
        report(quiet: quiet, series, after: after, scriptd: Usage(of: scriptd))

        func least(_ usages: [Usage], _ what: (Usage) -> Int) -> Int { usages.map(what).min() ?? 0 }
        // What is under way at a look differs a little.
        #expect(least(after, \.descriptors) <= least(quiet, \.descriptors) + 30)
        #expect(least(after, \.threads) <= least(quiet, \.threads) + 1)
        #expect(least(after, \.children) == 0)
        // Two that hang and those that run just now.
        #expect(Usage(of: scriptd).children <= 20)
        let (middle, end) = (series[series.count / 2], series[series.count - 1])
        #expect(end.kilobytes <= middle.kilobytes + middle.kilobytes / 20 + 1024)
        #expect(latest < .seconds(Self.delay), "a probe missed its time")
        #expect(states["\(realServer(constant.count, of: 250))"] == "down")
        #expect(states["\(realServer(80, of: 250))"] == "up")
    }

    private func report(quiet: [Usage], _ series: [Usage], after: [Usage], scriptd: Usage) {
        func line(_ what: String, _ value: (Usage) -> Int) -> String {
            let (before, during, then) = (quiet.map(value), series.map(value), after.map(value))
            let steps = stride(from: 0, to: during.count, by: max(1, during.count / 10)).map { "\(during[$0])" }
            return
                "soak: \(what): \(before.min() ?? 0) before; \(steps.joined(separator: " ")); \(then.min() ?? 0) after"
        }
        print(
            """
            soak: \(Self.length) s, \(states.count) servers, \(changes) changes of verdicts, latest probe \(latest) after its time
            \(line("descriptors", \.descriptors))
            \(line("threads", \.threads))
            \(line("memory, kB", \.kilobytes))
            soak: programs of scriptd at the end: \(scriptd.children), its descriptors \(scriptd.descriptors), memory \(scriptd.kilobytes) kB
            """)
    }
}
