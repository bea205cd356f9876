// Runs probes: as many at once as there are descriptors for, a few starts per turn of the loop so that thousands of due checks do not hold
// up the answers, everything else in order of arrival.
import HealthCheck
import Net

/// Starts probes in turn.
final class ProbeRunner {
    /// Probes begun in one turn of the loop.
    private static let startsPerTurn = 64

    private struct Ticket {
        let kind: any ProbeKind
        let step: Int
        /// Gone when its owner does not want it any more.
        weak var attempt: ProbeAttempt?
    }

    private let turns: any Turns
    private var queue: ProbeQueue<Ticket>
    private var start: OncePerTurn?

    /// A runner for at most `limit` probes at once.
    init(limit: Int, on turns: any Turns) {
        self.turns = turns
        queue = ProbeQueue(limit: limit)
        start = OncePerTurn(turns) { [weak self] in self?.startSome() }
    }

    /// Queues a probe. `completion` is called once, later, from the loop, unless the result is cancelled or released. With a `story` it is
    /// told.
    func run(
        _ kind: any ProbeKind, step: Int, timeout: Duration, story: ProbeStory? = nil,
        completion: @escaping (ProbeReport) -> Void
    ) -> ProbeAttempt {
        let attempt = ProbeAttempt(timeout: timeout, on: turns, completion: completion)
        attempt.story = story
        queue.add(Ticket(kind: kind, step: step, attempt: attempt))
        start?.plan()
        return attempt
    }

    private func startSome() {
        for _ in 0..<Self.startsPerTurn {
            guard let ticket = queue.next() else { return }
            guard let attempt = ticket.attempt, attempt.isWaiting else {
                queue.ended()
                continue
            }
            attempt.start(ticket.kind, step: ticket.step) { [weak self] in
                self?.queue.ended()
                self?.start?.plan()
            }
        }
        start?.plan()
    }
}
