// checkd is killed twenty times, whatever it does just then, while servers of all kinds fail and come back: a server that failed is never said to be
// up before it was asked again, and in the end every verdict is right.
import Bus
import Glibc
import JSON
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(3)))
final class CheckKillTests {
    private let segment: Segment
    private let room: CheckRoom
    private let fleet: Fleet
    private let tap: EventTap
    private var generator = SystemRandomNumberGenerator()
    private var seen = 0
    private var states: [String: String] = [:]
    /// Servers that the disk has as down, of the process that was killed last.
    private var known: Set<String> = []
    private var untested: [String] = []

    init() throws {
        room = try CheckRoom(bus: true)
        segment = try Segment(hosts: 1, loop: room.loop)
        let counts = FleetServer.Kind.allCases.map { ($0, 8) }
        fleet = try Fleet(Dictionary(uniqueKeysWithValues: counts), timeout: 0.3, on: segment.hosts[0], in: room)
        tap = try room.listen(["io.evenkeel.check.server"])
    }

    /// Looks at the events that have come.
    private func hear() {
        let servers = Dictionary(uniqueKeysWithValues: fleet.servers.map { ($0.name, $0) })
        for event in tap.events[seen...] {
            guard let name = event["subject"]?.string, let state = event["data"]?["state"]?.string,
                let server = servers[name]
            else { continue }
            let isVerified = event["data"]?["verified"]?.bool == true
            let isBad = !server.isGood && room.loop.now - server.since > fleet.patience
            if state == "up", states[name] == "down", isVerified ? isBad : known.contains(name) {
                untested.append("\(server.kind) \(name)\(isVerified ? ", verified" : "")")
            }
            states[name] = state
        }
        seen = tap.events.count
    }

    private func run(for time: Duration) throws {
        let end = room.loop.refreshNow() + time
        while room.loop.now < end { try room.loop.turn(timeoutMilliseconds: 5) }
        hear()
    }

    /// What the disk has of servers that are down.
    private func savedAsDown() -> Set<String> {
        let lines = room.savedVerdicts.split(separator: "\n").dropFirst()
        return Set(
            lines.compactMap { line in
                guard let server = try? JSONValue(parsing: Array(line.utf8)) else { return nil }
                return server["state"]?.string == "down" ? server["server"]?.string : nil
            })
    }

    private func areRight() -> Bool {
        hear()
        return fleet.servers.allSatisfy { states[$0.name] == ($0.isGood ? "up" : "down") }
    }

    @Test func `twenty kills at any moment bring no failed server back before it is asked`() throws {
        // Of eight of a kind two are always good and two never; four come and go.
        let (bad, flapping) = (
            fleet.servers.enumerated().filter { $0.offset % 4 == 0 }.map(\.element),
            fleet.servers.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        )
        for server in bad { try fleet.turn(server, good: false) }
        func flap(_ count: Int) throws {
            for server in flapping.shuffled(using: &generator).prefix(count) {
                try fleet.turn(server, good: !server.isGood)
            }
        }
        let namespace = ["/sbin/ip", "netns", "exec", segment.hosts[0].namespace]
        try room.configure(fleet.configuration(delay: "0.3", warmup: "0.3"))
        try room.startScriptd()
        try room.restart(namespace)
        try room.eventually("the disk has those that are down", within: .seconds(30)) {
            areRight() && savedAsDown().isSuperset(of: bad.map(\.name))
        }
        for _ in 0..<20 {
            try flap(8)
            try run(for: .milliseconds(Int.random(in: 0...400, using: &generator)))
            try room.end(SIGKILL)
            hear()
            known = savedAsDown()
            #expect(known.isSuperset(of: bad.map(\.name)))
            try flap(3)
            try room.restart(namespace)
        }
        try room.eventually("every verdict is right", within: .seconds(40)) { areRight() }
        #expect(untested == [])
        #expect(bad.allSatisfy { states[$0.name] == "down" })
    }
}
