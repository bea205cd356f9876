// A failure that comes after a pause of this host may be the pause's: a server gives up a request that was late.
import Configuration
import HealthCheck
import Net
import Testing

@testable import checkd

@Suite struct PauseTests {
    private struct Waiting: ProbeKind {
        final class Run: RunningProbe {
            func cancel() {}
        }

        let title = "WAITING"
        let identity = "WAITING"
        let rounds = CheckRounds()

        func start(step: Int, for attempt: ProbeAttempt) -> any RunningProbe {
            attempt.expect(.answer)
            return Run()
        }
    }

    private static let failure = ProbeOutcome.failure(.connection("closed without an answer"))

    private func outcome(of said: ProbeOutcome, after pause: Duration) -> ProbeOutcome? {
        let turns = SimulatedTurns()
        var reported: ProbeOutcome?
        let attempt = ProbeAttempt(timeout: .seconds(2), on: turns) { reported = $0.outcome }
        attempt.start(Waiting(), step: 0) {}
        turns.stopProcess(for: pause)
        attempt.finish(said)
        return reported
    }

    @Test func `a failure after a pause that outlasts the limit says nothing about the server`() {
        #expect(outcome(of: Self.failure, after: .seconds(12)) == .inconclusive(.paused))
        #expect(outcome(of: Self.failure, after: .milliseconds(2300)) == .inconclusive(.paused))
        #expect(outcome(of: Self.failure, after: .seconds(1)) == Self.failure)
    }

    @Test func `a success is one whenever it is heard`() {
        #expect(outcome(of: .success, after: .seconds(12)) == .success)
    }
}
