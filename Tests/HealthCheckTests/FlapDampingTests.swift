// `flap_limit` with time as a variable: when a server is held down, and when no longer.
import Configuration
import HealthCheck
import Net
import Testing

@Suite struct FlapDampingTests {
    private var now = t0
    private var server = MonitoredServer(checkers: [])
    private let limit = FlapLimit(changes: 5, window: .seconds(600))

    init() { server = made() }

    private func made(_ limit: FlapLimit? = FlapLimit(changes: 5, window: .seconds(600))) -> MonitoredServer {
        MonitoredServer(
            checkers: [Checker(.tcp(retry: 0)), Checker(.tcp(retry: 0))],
            damping: limit.map { FlapDamping($0, at: now) })
    }

    /// The server's own actions after a result of its first checker.
    private mutating func result(_ outcome: ProbeOutcome, after seconds: Int = 10) -> [MonitoredServer.Action] {
        now = now + .seconds(seconds)
        let begun = server.probeRequested(checker: 0)
        #expect(begun == [.checker(0, .probe(step: 0))])
        return server.finished(checker: 0, outcome, at: now).filter {
            if case .checker = $0 { false } else { true }
        }
    }

    private mutating func flap(_ changes: Int) -> [MonitoredServer.Action] {
        _ = server.finished(checker: 1, .success, at: now)
        return (0..<changes).flatMap { _ in result(server.failedCheckers == 0 ? refusal : .success) }
    }

    private mutating func verifyOther() {
        _ = server.probeRequested(checker: 1)
        _ = server.finished(checker: 1, .success, at: now)
    }

    @Test mutating func `five changes are allowed, the sixth holds it down`() {
        verifyOther()
        #expect(flap(5) == [.changed(.down), .changed(.up), .changed(.down), .changed(.up), .changed(.down)])
        #expect(!server.isHeld && server.releaseAt == nil)
        // It comes back, and does not.
        #expect(result(.success) == [.held(true)])
        #expect(server.verdict == .down && server.failedCheckers == 0)
        #expect(server.releaseAt == now + .seconds(600))
    }

    @Test mutating func `held down while it goes down is one change`() {
        verifyOther()
        _ = flap(4)
        now = now + .seconds(100)
        server = made(FlapLimit(changes: 2, window: .seconds(600)))
        verifyOther()
        #expect(flap(3) == [.changed(.down), .changed(.up), .held(true), .changed(.down)])
    }

    @Test mutating func `each change while it is held lengthens that, and stillness ends it`() {
        verifyOther()
        _ = flap(6)
        for _ in 0..<20 {
            #expect(result(server.failedCheckers == 0 ? refusal : .success, after: 500) == [])
            #expect(server.releaseAt == now + .seconds(600))
            #expect((server.damping?.changes.count ?? 0) <= 6)
        }
        #expect(server.failedCheckers == 0)
        #expect(server.released(at: now + .seconds(599)) == [])
        now = now + .seconds(600)
        #expect(server.released(at: now) == [.held(false), .changed(.up)])
        // What was is forgotten: five changes are allowed again.
        #expect(flap(5).count == 5 && !server.isHeld)
    }

    @Test mutating func `held until it keeps still, though it is down then`() {
        verifyOther()
        _ = flap(7)
        #expect(server.failedCheckers == 1)
        #expect(server.released(at: now + .seconds(600)) == [.held(false)])
        #expect(server.verdict == .down)
    }

    @Test mutating func `changes that are far apart hold nothing`() {
        verifyOther()
        for _ in 0..<50 { #expect(result(server.failedCheckers == 0 ? refusal : .success, after: 121).count == 1) }
    }

    @Test mutating func `without the word a server may do as it likes`() {
        server = made(nil)
        verifyOther()
        #expect(flap(100).count == 100)
    }

    @Test mutating func `under alpha the first up is no change, however late it comes; what follows is`() {
        let checkers = [Checker(.tcp(retry: 0, alpha: true)), Checker(.tcp(retry: 0, alpha: true))]
        server = MonitoredServer(checkers: checkers, damping: FlapDamping(limit, at: now))
        verifyOther()
        _ = result(refusal)
        #expect(server.verdict == .down)
        #expect(result(.success) == [.changed(.up)])
        #expect(server.damping?.changes == [])
        #expect(flap(5).count == 5 && !server.isHeld)
        #expect(result(.success) == [.held(true)])
        // What an earlier process found out is no beginning.
        server = MonitoredServer(
            checkers: [Checker(.tcp(retry: 0, alpha: true), remembered: .down)], damping: FlapDamping(limit, at: now))
        _ = result(.success)
        #expect(server.damping?.changes == [now])
    }

    @Test mutating func `another limit ends what it would not have begun, and nothing else`() {
        verifyOther()
        _ = flap(6)
        let held = server
        #expect(server.adopt(FlapLimit(changes: 5, window: .seconds(600)), at: now) == [])
        #expect(server.adopt(FlapLimit(changes: 2, window: .seconds(1200)), at: now) == [])
        #expect(server.isHeld && server.releaseAt == now + .seconds(1200))
        for loose in [FlapLimit(changes: 10, window: .seconds(600)), FlapLimit(changes: 5, window: .seconds(30)), nil] {
            server = held
            #expect(server.adopt(loose, at: now) == [.held(false), .changed(.up)])
            #expect(server.adopt(limit, at: now) == [])
        }
    }

    @Test mutating func `what an earlier process knew holds on, until it has been probed and has kept still`() throws {
        verifyOther()
        _ = flap(6)
        let known = try #require(server.damping?.changes)
        let last = now
        now = now + .seconds(590)
        server = MonitoredServer(
            checkers: [Checker(.tcp(retry: 0), remembered: .up), Checker(.tcp(retry: 0), remembered: .up)],
            damping: FlapDamping(limit, changes: known, wasHeld: true, at: now))
        #expect(server.verdict == .down && server.releaseAt == nil)
        #expect(server.released(at: now + .seconds(100)) == [])
        _ = result(.success, after: 20)
        verifyOther()
        #expect(server.releaseAt == last + .seconds(600))
        #expect(server.released(at: now) == [.held(false), .changed(.up)])
    }

    @Test func `times that nobody can have written hold nothing for ever`() {
        let future = (1...9).map { t0 + .seconds($0 * 1_000_000) }
        #expect(!FlapDamping(limit, changes: future, wasHeld: true, at: t0).isHeld)
        #expect(FlapDamping(limit, changes: future + [.distantFuture, .zero], wasHeld: true, at: t0).releaseAt == nil)
        #expect(!FlapDamping(limit, wasHeld: true, at: t0).isHeld)
    }
}
