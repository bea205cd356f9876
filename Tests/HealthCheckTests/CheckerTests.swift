// The machine of one checker, with time as a variable: events in, actions out, no clock and no socket.
import Configuration
import HealthCheck
import Net
import Testing

@Suite struct CheckerTests {
    @Test func `the first probe comes at a random time within the warm-up`() {
        var generator = SeededGenerator(seed: 1)
        var seen: Set<Instant> = []
        for _ in 0..<200 {
            var checker = Checker(.tcp(delayLoop: 6, warmup: 6))
            guard case .wake(let at)? = checker.started(at: t0, using: &generator).first else {
                Issue.record("no wake-up")
                return
            }
            #expect(at >= t0 && at < t0 + .seconds(6))
            seen.insert(at)
        }
        #expect(seen.count > 190)
    }

    @Test func `warmup 0 probes at once`() {
        var generator = SeededGenerator(seed: 1)
        var checker = Checker(.tcp(warmup: 0))
        #expect(checker.started(at: t0, using: &generator) == [.wake(at: t0)])
        #expect(checker.due(at: t0) == [.probe(step: 0)])
    }

    @Test func `a suspended checker keeps its verdict and probes only when asked, and begins anew`() {
        var generator = SeededGenerator(seed: 1)
        var checker = Checker(.tcp(delayLoop: 6, retry: 0, warmup: 6))
        checker.suspended()
        #expect(checker.started(at: t0, using: &generator) == [])
        #expect(checker.due(at: t0 + .seconds(60)) == [])
        #expect(checker.probeRequested() == [.probe(step: 0)])
        #expect(checker.finished(refusal, at: t0) == [.changed(.down, failure: refused, attempts: 1)])
        guard case .wake(let at)? = checker.resumed(at: t0 + .seconds(100), using: &generator).first else {
            Issue.record("no wake-up")
            return
        }
        #expect(at >= t0 + .seconds(100) && at < t0 + .seconds(106))
        #expect(checker.verdict == .down)
        // One that is probing goes on by itself.
        #expect(checker.due(at: at) == [.probe(step: 0)])
        checker.suspended()
        #expect(checker.resumed(at: at, using: &generator) == [])
        #expect(checker.finished(.success, at: at).last == .wake(at: at + .seconds(6)))
    }

    @Test func `delay_loop is counted from the end of the probe`() {
        var checker = Checker.probing(.tcp(delayLoop: 6))
        #expect(checker.finished(.success, at: t0 + .seconds(4)) == [.verified, .wake(at: t0 + .seconds(10))])
    }

    @Test(arguments: [ProbeOutcome.success, refusal])
    func `a pause of this host leaves checkers as spread as they were`(outcome: ProbeOutcome) {
        var generator = SeededGenerator(seed: 3)
        var checkers = (0..<600).map { _ in Checker(.tcp(delayLoop: 6, retry: 0, warmup: 6)) }
        func wake(_ actions: [Checker.Action]) -> Instant? {
            guard case .wake(let at)? = actions.last else { return nil }
            return at
        }
        /// How many of them fall in the busiest half second, from `start` on.
        func busiest(_ times: [Instant], from start: Instant) -> Int {
            (0..<24).map { step in
                let from = start + .milliseconds(250 * step)
                return times.count { $0 >= from && $0 < from + .milliseconds(500) }
            }.max() ?? 0
        }
        var times = checkers.indices.compactMap { wake(checkers[$0].started(at: t0, using: &generator)) }
        #expect(busiest(times, from: t0) < 80)
        // Nobody could be asked for a minute and a bit; then everybody is, at once.
        let end = t0 + .milliseconds(67_300)
        times = checkers.indices.compactMap { index in
            #expect(checkers[index].due(at: end) == [.probe(step: 0)])
            return wake(checkers[index].finished(outcome, at: end + .milliseconds(2 * index % 100)))
        }
        #expect(times.allSatisfy { $0 > end && $0 <= end + .milliseconds(6100) })
        #expect(busiest(times, from: end) < 80)
        // From then on it is as ever.
        #expect(checkers[0].due(at: times[0]) == [.probe(step: 0)])
        #expect(wake(checkers[0].finished(.success, at: times[0])) == times[0] + .seconds(6))
    }

    @Test func `a failure while up is retried before it counts`() {
        var checker = Checker.probing(.tcp(delayLoop: 6, retry: 2, delayBeforeRetry: 1))
        #expect(
            checker.finished(.failure(refused), at: t0) == [
                .failed(refused, attempt: 1, of: 3), .wake(at: t0 + .seconds(1)),
            ])
        #expect(checker.verdict == .up)
        #expect(checker.due(at: t0 + .seconds(1)) == [.probe(step: 0)])
        #expect(
            checker.finished(.failure(refused), at: t0 + .seconds(1)) == [
                .failed(refused, attempt: 2, of: 3), .wake(at: t0 + .seconds(2)),
            ])
        #expect(checker.due(at: t0 + .seconds(2)) == [.probe(step: 0)])
        #expect(
            checker.finished(.failure(refused), at: t0 + .seconds(2)) == [
                .changed(.down, failure: refused, attempts: 3), .wake(at: t0 + .seconds(8)),
            ])
        #expect(checker.verdict == .down)
        #expect(checker.lastFailure == refused)
    }

    @Test func `a success between failures starts the count again`() {
        var checker = Checker(.tcp(retry: 1))
        #expect(checker.run([refusal, .success, refusal, .success, refusal]) == [])
        #expect(checker.verdict == .up)
    }

    @Test func `a server that is down is not retried and one success brings it up`() {
        var checker = Checker(.tcp(delayLoop: 6, retry: 3, delayBeforeRetry: 1, alpha: true))
        checker.toProbing()
        #expect(
            checker.finished(refusal, at: t0) == [
                .verified, .failed(refused, attempt: 1, of: 1), .wake(at: t0 + .seconds(6)),
            ])
        #expect(checker.run([.success]) == [.up])
    }

    @Test(arguments: [1, 2, 3]) func `rise successes in a row bring a server up`(rise: Int) {
        var checker = Checker(.tcp(retry: 0, rise: rise))
        let outcomes = [refusal] + Array(repeating: .success, count: rise - 1) + [refusal]
        #expect(checker.run(outcomes) == [.down])
        #expect(checker.run(Array(repeating: .success, count: rise - 1)) == [])
        #expect(checker.run([.success]) == [.up])
    }

    @Test func `up, down and up again is one change each`() {
        var checker = Checker(.tcp(retry: 1))
        #expect(checker.run([.success, refusal, refusal, refusal, .success, .success]) == [.down, .up])
    }

    @Test func `a remembered verdict is verified without a change`() {
        var down = Checker(.tcp(retry: 1), remembered: .down)
        #expect(down.verdict == .down && !down.isVerified)
        #expect(down.run([refusal]) == [])
        #expect(down.isVerified)
        var up = Checker(.tcp(retry: 1, alpha: true), remembered: .up)
        #expect(up.verdict == .up && !up.isVerified)
        #expect(up.run([.success]) == [])
        #expect(up.isVerified)
    }

    @Test func `a probe that could not be made says nothing about the server`() {
        var checker = Checker.probing(.tcp(delayLoop: 6, retry: 0))
        #expect(
            checker.finished(.inconclusive(.system("too many open files")), at: t0) == [
                .hindered(.system("too many open files")), .wake(at: t0 + .seconds(6)),
            ])
        #expect(checker.verdict == .up)
    }

    @Test func `a probe asked for by hand counts like any other and is not started twice`() {
        var checker = Checker(.tcp(retry: 0))
        #expect(checker.probeRequested() == [.probe(step: 0)])
        #expect(checker.probeRequested() == [])
        #expect(checker.due(at: t0) == [])
        #expect(checker.finished(refusal, at: t0).first == .changed(.down, failure: refused, attempts: 1))
    }

    @Test func `a result that nobody waits for is ignored`() {
        var checker = Checker(.tcp(retry: 0))
        #expect(checker.finished(refusal, at: t0) == [])
        #expect(checker.verdict == .up)
    }

    @Test func `an early wake-up is put back`() {
        var checker = Checker.probing(.tcp(delayLoop: 6))
        _ = checker.finished(.success, at: t0)
        #expect(checker.due(at: t0 + .seconds(5)) == [.wake(at: t0 + .seconds(6))])
    }
}

/// keepalived check_http.c: one url per delay_loop; a failed url is repeated until it is good, then all are tried again.
@Suite struct HTTPRoundTests {
    @Test func `one url is tried per delay_loop, in turn`() {
        var checker = Checker(.http(urls: 3))
        #expect((0..<7).map { _ in checker.step(.success) } == [0, 1, 2, 0, 1, 2, 0])
    }

    @Test func `an up verdict is verified only by a complete round`() {
        var checker = Checker(.http(urls: 2))
        _ = checker.step(.success)
        #expect(!checker.isVerified)
        _ = checker.step(.success)
        #expect(checker.isVerified)
    }

    @Test func `a failed url is repeated until it is good and then all are tested before the server is up`() {
        var checker = Checker(.http(urls: 3, retry: 1))
        let outcomes: [ProbeOutcome] = [
            .success, refusal, refusal, refusal, .success, .success, .success,
        ]
        #expect(outcomes.map { checker.step($0) } == [0, 1, 1, 1, 1, 0, 1])
        #expect(checker.verdict == .down)
        #expect(checker.step(.success) == 2)
        #expect(checker.verdict == .up)
    }

    @Test func `a failure during the second round repeats that url and starts the round again`() {
        var checker = Checker(.http(urls: 2, retry: 0))
        let outcomes: [ProbeOutcome] = [refusal, .success, .success, refusal, .success, .success]
        #expect(outcomes.map { checker.step($0) } == [0, 0, 0, 1, 1, 0])
        #expect(checker.verdict == .down)
        #expect(checker.step(.success) == 1)
        #expect(checker.verdict == .up)
    }

    @Test func `with one url the answer that ends the failure brings the server up`() {
        var checker = Checker(.http(urls: 1, retry: 0))
        #expect(checker.run([refusal, refusal, .success]) == [.down, .up])
    }

    @Test func `a failed url waits for the longer of delay_loop and delay_before_retry`() {
        var checker = Checker.probing(.http(urls: 1, retry: 0, delayLoop: 2, delayBeforeRetry: 5))
        #expect(checker.finished(refusal, at: t0).last == .wake(at: t0 + .seconds(5)))
    }

    @Test func `fast_recovery does not wait between the urls of a server that is coming back`() {
        var checker = Checker(.http(urls: 3, retry: 0, fastRecovery: true))
        _ = checker.step(refusal)
        checker.toProbing()
        #expect(checker.finished(.success, at: t0) == [.wake(at: t0)])
        checker.toProbing()
        #expect(checker.finished(.success, at: t0) == [.wake(at: t0)])
    }
}
