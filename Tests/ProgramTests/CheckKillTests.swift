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
    private let all: FleetRoom
    private var generator = SystemRandomNumberGenerator()
    private var states: [String: String] = [:]
    /// Servers that the disk has as down, of the process that was killed last.
    private var known: Set<String> = []
    private var untested: [String] = []

    init() throws {
        let counts = FleetServer.Kind.allCases.map { ($0, 8) }
        all = try FleetRoom(
            Dictionary(uniqueKeysWithValues: counts), timeout: 0.3, following: ["io.evenkeel.check.server"])
    }

    private var room: CheckRoom { all.room }
    private var fleet: Fleet { all.fleet }

    /// Looks at the events that have come.
    private func hear() {
        let servers = Dictionary(uniqueKeysWithValues: fleet.servers.map { ($0.name, $0) })
        for event in all.news() {
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
        try all.start(fleet.configuration(delay: "0.3", warmup: "0.3"))
        try room.eventually("the disk has those that are down", within: .seconds(30)) {
            areRight() && savedAsDown().isSuperset(of: bad.map(\.name))
        }
        for _ in 0..<20 {
            try flap(8)
            try all.run(for: .milliseconds(Int.random(in: 0...400, using: &generator)))
            hear()
            try room.end(SIGKILL)
            hear()
            known = savedAsDown()
            #expect(known.isSuperset(of: bad.map(\.name)))
            try flap(3)
            try all.restart()
        }
        try room.eventually("every verdict is right", within: .seconds(40)) { areRight() }
        #expect(untested == [])
        #expect(bad.allSatisfy { states[$0.name] == "down" })
    }
}
