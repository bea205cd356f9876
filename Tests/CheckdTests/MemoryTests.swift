// What outlives a process or a question, and which alarm is said: values, without a disk and a bus.
import Bus
import HealthCheck
import Testing

@testable import checkd

@Suite struct RecollectionTests {
    private func saved(_ checks: [(String, SavedState)]) -> SavedServer {
        SavedServer(
            server: "s", state: checks.contains { $0.1 == .down } ? .down : .up, since: "t", reason: "r",
            checks: checks.map { SavedCheck(check: $0.0, state: $0.1, since: "t", reason: "r") })
    }

    private func verdicts(_ identities: [String], _ server: SavedServer?) -> [Verdict?] {
        Recollection.of(identities, from: server).map(\.verdict)
    }

    @Test func `the same question keeps its verdict wherever it stands`() {
        #expect(verdicts(["b", "a"], saved([("a", .down), ("b", .up)])) == [.up, .down])
    }

    @Test func `an edited question keeps the verdict of the one it replaces`() {
        #expect(verdicts(["c"], saved([("a", .up)])) == [.up])
        #expect(verdicts(["c"], saved([("a", .down)])) == [.down])
        #expect(verdicts(["a", "c"], saved([("a", .up), ("b", .down)])) == [.up, .down])
    }

    @Test func `an added question takes nothing out`() {
        #expect(verdicts(["a", "b"], saved([("a", .up)])) == [.up, .up])
        #expect(verdicts(["a"], saved([])) == [.up])
    }

    @Test func `a new server starts as configured`() {
        #expect(verdicts(["a"], nil) == [nil])
    }
}

@Suite struct SavedWeightTests {
    @Test func `what a check adds to the weight is kept with its verdict, and read where it was not written`() throws {
        var server = SavedServer(server: "s", state: .up, since: "t", reason: "r", checks: [])
        server.checks = [SavedCheck(check: "a", state: .up, since: "t", reason: "r", weightChange: -5)]
        let read = try SavedVerdicts(parsing: SavedVerdicts.file(boot: "b", lines: [server.line]), boot: "b")
        #expect(read.servers["s"]?.server == server)
        #expect(Recollection.of(["a", "b"], from: server).map(\.weightChange) == [-5, 0])
        server.checks[0].weightChange = nil
        #expect(!String(decoding: server.line, as: UTF8.self).contains("weightChange"))
    }
}

@Suite struct SavedVerdictsTests {
    private let server = SavedServer(server: "s", state: .down, since: "t", reason: "r", checks: [])

    private func parse(_ text: String, boot: String) throws -> [String] {
        try SavedVerdicts(parsing: Array(text.utf8), boot: boot).servers.keys.sorted()
    }

    @Test func `what is written is read`() throws {
        let file = SavedVerdicts.file(boot: "b", lines: [server.line])
        let read = try SavedVerdicts(parsing: file, boot: "b")
        #expect(read.servers["s"]?.server == server)
        #expect(read.servers["s"]?.line == server.line)
    }

    @Test func `an empty boot is never the same boot`() {
        let file = SavedVerdicts.file(boot: "", lines: [server.line])
        #expect(throws: SavedVerdicts.Refusal.otherBoot) { try SavedVerdicts(parsing: file, boot: "") }
        #expect(throws: SavedVerdicts.Refusal.otherBoot) { try SavedVerdicts(parsing: file, boot: "b") }
    }

    @Test func `whatever a file holds, it is read without a trap, and a half line is left out`() throws {
        let file = SavedVerdicts.file(boot: "b", lines: [server.line, server.line])
        for length in 0..<file.count {
            let part = Array(file.prefix(length))
            if let read = try? SavedVerdicts(parsing: part, boot: "b") { #expect(read.servers.count <= 1) }
        }
        #expect(throws: SavedVerdicts.Refusal.damaged) { try SavedVerdicts(parsing: [0, 255, 10], boot: "b") }
    }
}

@Suite struct HinderedCheckersTests {
    private func key(_ number: Int) -> CheckerKey { CheckerKey(server: "s\(number)", title: "TCP_CHECK", number: 0) }

    @Test func `ten thousand checkers that cannot be asked are one alarm that does not change`() {
        var hindered = HinderedCheckers()
        var texts: Set<Alarm?> = []
        for number in 0..<10_000 {
            hindered.set(key(number), .system("too many open files"))
            texts.insert(hindered.alarm)
        }
        #expect(texts.count == 1)
        // The others come and go; the one that is named stays.
        for number in 1..<10_000 {
            hindered.set(key(number), nil)
            texts.insert(hindered.alarm)
        }
        #expect(texts.count == 1 && hindered.alarm != nil)
        hindered.set(key(0), nil)
        #expect(hindered.alarm == nil)
    }

    @Test func `a checker of the same server that can be asked ends no alarm of another`() {
        var hindered = HinderedCheckers()
        hindered.set(CheckerKey(server: "s", title: "TCP_CHECK", number: 0), .system("cannot assign requested address"))
        hindered.set(CheckerKey(server: "s", title: "TCP_CHECK", number: 1), nil)
        #expect(hindered.alarm?.message.contains("cannot assign requested address") == true)
    }
}
