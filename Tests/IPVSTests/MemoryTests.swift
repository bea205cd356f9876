// The two files: what was written is read back, damage costs only what is damaged and is noticed where it matters, another boot forgets what was
// about the old kernel, and the file of 0.1.0 is understood.

import Configuration
import IPVS
import Net
import Testing

@testable import ipvsd

@Suite struct MemoryTests {
    private func standings() throws -> [VirtualServerIdentity: Standing] {
        var bench = Bench()
        _ = bench.configure([
            try virtualServer(weights: [1, 1, 1]) { $0.realServers[2].checkers = [] },
            try virtualServer("fwmark/7/inet6", weights: []),
        ])
        _ = bench.observed(KernelTable())
        _ = bench.heard(try server(1), isUp: true)
        _ = bench.heard(try server(2), isUp: false)
        return bench.reconciler.standings
    }

    @Test func `what was written is read back`() throws {
        let memory = Memory(parsing: Memory.text(of: try standings(), boot: "b1"), boot: "b1")
        let web = try #require(memory.services[try service("tcp/192.0.2.1:80")])
        #expect(web.isOwned && web.side == .held)
        #expect(
            try web.servers == [server(1).endpoint: .up, server(2).endpoint: .down, server(3).endpoint: .unheard])
        #expect(try memory.services[service("fwmark/7/inet6")]?.side == .lost)
    }

    @Test func `since when a service is on its side is read back, and gone with the service`() throws {
        let (web, other) = (try service("tcp/192.0.2.1:80"), try service("fwmark/7/inet6"))
        let file = ScriptedFile("standings.state")
        func keeper() -> StandingKeeper { StandingKeeper(file, old: ScriptedFile("ipvsd.state"), boot: "b1") }
        let first = keeper()
        let standings = try standings()
        first.write(standings, version: 1, at: .zero, clock: { .zero })
        file.settle()
        #expect(first.deadline(for: 1) == .distantFuture)
        let times = [
            web: SideSince(side: .held, time: "2026-11-27T16:00:00.000Z"), other: SideSince(side: .lost, time: "t"),
        ]
        for (service, since) in times { first.note(service, since) }
        #expect(first.deadline(for: 1) < .distantFuture, "it is written although nothing else changed")
        first.write(standings, version: 1, at: .zero + .seconds(60), clock: { .zero + .seconds(60) })
        file.settle()
        let second = keeper()
        #expect(second.since == times)
        second.note(web, nil)
        second.write(standings, version: 2, at: .zero + .seconds(60), isLast: true, clock: { .zero + .seconds(60) })
        file.settle()
        #expect(keeper().since == [other: SideSince(side: .lost, time: "t")])
        #expect(Memory.text(of: standings, boot: "b1").contains("since") == false)
    }

    @Test func `another boot forgets, and so does one without a name`() throws {
        let text = Memory.text(of: try standings(), boot: "b1")
        #expect(Memory(parsing: text, boot: "b2") == Memory())
        let nameless = Memory.text(of: try standings(), boot: "")
        #expect(Memory(parsing: nameless, boot: "") == Memory(), "an empty boot id is never the same boot")
    }

    private static let old = """
        evenkeel-ipvs 1
        boot b1
        owned tcp/192.0.2.1:80
        up tcp/192.0.2.1:80/10.0.0.1:80
        unheard tcp/192.0.2.1:80/10.0.0.2:80
        override tcp/192.0.2.1:80/10.0.0.2:80 drained weight=5 since=2026-11-21T15:04:05.678Z uid=1000

        """

    @Test func `the file of 0.1.0 is understood`() throws {
        #expect(Memory.isOld(Self.old))
        let memory = Memory(parsing: Self.old, boot: "b1")
        let web = try #require(memory.services[try service("tcp/192.0.2.1:80")])
        #expect(try web.isOwned && web.servers == [server(1).endpoint: .up, server(2).endpoint: .unheard])
        let decision = try #require(memory.decisions[try server(2)])
        #expect(decision.override == ServerOverride(weight: 5, mode: .drained) && decision.uid == 1000)
        #expect(decision.since == "2026-11-21T15:04:05.678Z")
        let later = Memory(parsing: Self.old, boot: "b2")
        #expect(later.services.isEmpty && later.decisions == memory.decisions)
    }

    @Test(arguments: ["", "\n", "evenkeel-ipvs 2\nboot b1\nowned tcp/192.0.2.1:80\n", "\u{0}\u{FFFF}"])
    func `a file that is not ours remembers nothing`(_ text: String) {
        #expect(Memory(parsing: text, boot: "b1") == Memory())
    }

    private func decisions() throws -> [ServerIdentity: Decision] {
        [
            try server(1): Decision(
                override: ServerOverride(weight: 5, mode: .drained), since: "2026-11-21T15:04:05.678Z", uid: 1000),
            try server(3): Decision(
                override: ServerOverride(mode: .disabled), since: "2026-11-21T15:04:06.000Z", uid: 0),
        ]
    }

    @Test func `decisions are read back, and no cut of their file is taken for a whole one`() throws {
        let text = DecisionText(try decisions()).text
        let whole = DecisionText(parsing: text)
        #expect(try whole.isWhole && whole.decisions == decisions())
        for length in 0..<text.count {
            let cut = DecisionText(parsing: String(text.prefix(length)))
            #expect(!cut.isWhole, "cut after \(length)")
            #expect(cut.decisions.count <= 2)
        }
    }

    @Test(arguments: [
        "evenkeel-decisions 2\nend 0\n", "evenkeel-decisions 1\noverride nonsense drained since= uid=0\nend 1\n",
        "evenkeel-decisions 1\nend 1\n", "\n", "end 0\n",
    ])
    func `decisions that are not understood are not whole`(_ text: String) {
        #expect(!DecisionText(parsing: text).isWhole)
    }

    @Test func `one wrong character is damage`() throws {
        let text = Array(DecisionText(try decisions(), serial: 12).text.utf8)
        let read = DecisionText(parsing: String(decoding: text, as: UTF8.self))
        #expect(read.isWhole && read.serial == 12)
        for index in text.indices {
            var wrong = text
            wrong[index] ^= 1
            #expect(!DecisionText(parsing: String(decoding: wrong, as: UTF8.self)).isWhole, "\(index)")
        }
        #expect(DecisionText(parsing: "evenkeel-decisions 1\nend 0\n").isWhole, "0.1.0's")
    }

    @Test func `what is understood of a damaged file is kept`() throws {
        let text = DecisionText(try decisions()).text.replacing("end 2", with: "garbage")
        let read = DecisionText(parsing: text)
        #expect(try !read.isWhole && read.decisions == decisions())
    }
}
