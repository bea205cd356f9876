// A real server with several checkers, and random histories compared with a model that is too simple to be wrong.
import Configuration
import HealthCheck
import Net
import Testing

@Suite struct MonitoredServerTests {
    @Test func `a server is up only when all its checkers are`() {
        var server = MonitoredServer(checkers: [Checker(.tcp(retry: 0)), Checker(.tcp(retry: 0))])
        #expect(server.changes(0, refusal) == [.down])
        #expect(server.changes(1, refusal) == [])
        #expect(server.failedCheckers == 2)
        #expect(server.changes(0, .success) == [])
        #expect(server.verdict == .down)
        #expect(server.changes(1, .success) == [.up])
    }

    @Test func `a server without checkers is up`() {
        let server = MonitoredServer(checkers: [])
        #expect(server.verdict == .up && server.isVerified)
    }

    @Test func `the verdict is verified once, when the last checker is`() {
        var server = MonitoredServer(checkers: [Checker(.tcp()), Checker(.tcp())])
        #expect(server.serverActions(0, .success) == [])
        #expect(server.serverActions(1, .success) == [.verified])
        #expect(server.serverActions(1, .success) == [])
    }

    @Test func `one probed failure verifies that the server is down`() {
        var server = MonitoredServer(checkers: [
            Checker(.tcp(), remembered: .down), Checker(.tcp(), remembered: .up),
        ])
        #expect(server.verdict == .down && !server.isVerified)
        #expect(server.serverActions(0, refusal) == [.verified])
    }

    @Test func `results wanted now start every checker that is not running`() {
        var server = MonitoredServer(checkers: [Checker(.tcp()), Checker(.tcp())])
        #expect(server.probeRequested() == [.checker(0, .probe(step: 0)), .checker(1, .probe(step: 0))])
        #expect(server.probeRequested() == [])
    }

    @Test func `an index out of range is ignored`() {
        var server = MonitoredServer(checkers: [])
        #expect(server.finished(checker: 3, .success, at: t0) == [])
        #expect(server.due(checker: -1, at: t0) == [])
    }

    /// The model: a checker of one step is down after `fall` failures in a row while up, up after `rise` successes in a row
    /// while down; a server is down while any of its checkers is.
    @Test(arguments: 1...40) func `a random history agrees with the model`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let falls = (0..<3).map { _ in Int.random(in: 1...4, using: &generator) }
        let rises = (0..<3).map { _ in Int.random(in: 1...3, using: &generator) }
        var server = MonitoredServer(
            checkers: zip(falls, rises).map { Checker(.tcp(retry: $0 - 1, rise: $1)) })
        _ = server.started(at: t0, using: &generator)
        var modelUp = [true, true, true]
        var run = [0, 0, 0]
        var published = Verdict.up
        var now = t0
        for _ in 0..<500 {
            let index = Int.random(in: 0..<3, using: &generator)
            let good = Bool.random(using: &generator)
            now = now + .milliseconds(Int.random(in: 0...9000, using: &generator))
            _ = server.due(checker: index, at: .distantFuture)
            let actions = server.finished(checker: index, good ? .success : refusal, at: now)

            run[index] = good == modelUp[index] ? 0 : run[index] + 1
            if run[index] == (modelUp[index] ? falls[index] : rises[index]) {
                modelUp[index].toggle()
                run[index] = 0
            }
            let expected: Verdict = modelUp.allSatisfy { $0 } ? .up : .down
            #expect(server.verdict == expected)
            let changes = actions.compactMap { if case .changed(let verdict) = $0 { verdict } else { nil } }
            #expect(changes == (expected == published ? [] : [expected]))
            published = expected
            expectOneWakeInTheFuture(actions, after: now)
        }
    }

    private func expectOneWakeInTheFuture(_ actions: [MonitoredServer.Action], after now: Instant) {
        let wakes = actions.compactMap { if case .checker(_, .wake(let at)) = $0 { at } else { nil } }
        #expect(wakes.count <= 1)
        #expect(wakes.allSatisfy { $0 > now })
    }

    @Test(arguments: 1...20) func `an HTTP checker's verdict never changes without a complete round or fall failures`(
        seed: UInt64
    ) {
        var generator = SeededGenerator(seed: seed)
        let urls = Int.random(in: 1...4, using: &generator)
        let retry = Int.random(in: 0...2, using: &generator)
        var checker = Checker(.http(urls: urls, retry: retry))
        var goodInARow = 0
        var badInARow = 0
        for _ in 0..<500 {
            let before = checker.verdict
            let good = Int.random(in: 0..<4, using: &generator) > 0
            #expect((0..<urls).contains(checker.step(good ? .success : refusal) ?? -1))
            goodInARow = good ? goodInARow + 1 : 0
            badInARow = good ? 0 : badInARow + 1
            switch (before, checker.verdict) {
            case (.up, .down): #expect(badInARow == retry + 1)
            case (.down, .up): #expect(goodInARow == (urls == 1 ? 1 : urls + 1))
            case (.up, .up): #expect(badInARow <= retry)
            case (.down, .down): #expect(goodInARow <= urls)
            }
            if before != checker.verdict { badInARow = 0 }
        }
    }
}

@Suite struct HTTPAnswerTests {
    static let digest: [UInt8] = Array(repeating: 0xAB, count: 16)

    @Test func `the status is judged before the digest`() {
        var request = HTTPRequest(path: "/", host: "www")
        request.digest = Self.digest
        #expect(HTTPAnswer(status: 503, digest: [1]).judged(by: request) == .failure(.status(503)))
        #expect(HTTPAnswer(status: 200, digest: Self.digest).judged(by: request) == .success)
        #expect(
            HTTPAnswer(status: 200, digest: [0x0F]).judged(by: request)
                == .failure(.digest(found: "0f", expected: String(repeating: "ab", count: 16))))
    }

    @Test(arguments: [(199, false), (200, true), (299, true), (300, false), (503, false)])
    func `without status_code 200 to 299 is good`(status: UInt16, good: Bool) {
        let outcome = HTTPAnswer(status: status).judged(by: HTTPRequest(path: "/", host: "www"))
        #expect((outcome == .success) == good)
    }

    @Test(arguments: [(200, true), (201, false), (301, true), (302, true), (303, false)])
    func `lists and ranges of status codes are followed`(status: UInt16, good: Bool) {
        var request = HTTPRequest(path: "/", host: "www")
        request.statusCodes = [200...200, 301...302]
        #expect((HTTPAnswer(status: status).judged(by: request) == .success) == good)
    }

    @Test func `an endless body fails a digest but not a status`() {
        var request = HTTPRequest(path: "/", host: "www")
        let endless = HTTPAnswer(status: 200, digest: Self.digest, isTruncated: true)
        #expect(endless.judged(by: request) == .success)
        request.digest = Self.digest
        #expect(endless.judged(by: request) == .failure(.oversized(limit: HTTPAnswer.digestLimit)))
    }
}

@Suite struct ProbeQueueTests {
    @Test func `no more than the limit run and the rest goes first come first served`() {
        var queue = ProbeQueue<Int>(limit: 2)
        for ticket in 1...4 { queue.add(ticket) }
        #expect([queue.next(), queue.next(), queue.next()] == [1, 2, nil])
        #expect(queue.running == 2 && queue.waitingCount == 2)
        queue.ended()
        #expect([queue.next(), queue.next()] == [3, nil])
    }
}

extension MonitoredServer {
    /// Runs one probe of one checker; the server's own actions.
    mutating func serverActions(_ checker: Int, _ outcome: ProbeOutcome) -> [Action] {
        _ = due(checker: checker, at: .distantFuture)
        if !checkers[checker].isProbing { _ = probeRequested() }
        return finished(checker: checker, outcome, at: t0).filter { action in
            if case .checker = action { false } else { true }
        }
    }

    mutating func changes(_ checker: Int, _ outcome: ProbeOutcome) -> [Verdict] {
        serverActions(checker, outcome).compactMap { if case .changed(let verdict) = $0 { verdict } else { nil } }
    }
}
