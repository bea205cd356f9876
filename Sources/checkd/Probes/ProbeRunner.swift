// Runs probes: as many at once as there are descriptors for, a few starts per turn of the loop so that thousands of due checks do not hold
// up the answers, those of one fixed connection one after the other, everything else in order of arrival.
import HealthCheck
import Net

/// Starts probes in turn.
final class ProbeRunner {
    /// Probes begun in one turn of the loop.
    private static let startsPerTurn = 64

    private struct Ticket {
        let kind: any ProbeKind
        let step: Int
        let due: Instant?
        let attempt: ProbeAttempt
    }

    let turns: any Turns
    private var queue: ProbeQueue<Ticket>
    private var start: OncePerTurn?
    /// Connections that a probe has, and the probes that wait for each of them.
    private var taken: [FixedConnection: [Ticket]] = [:]
    /// The longest time from when a probe was due to its start, since `takeLateness`.
    private var lateness = Duration.zero

    /// A runner for at most `limit` probes at once.
    init(limit: Int, on turns: any Turns) {
        self.turns = turns
        queue = ProbeQueue(limit: limit)
        start = OncePerTurn(turns) { [weak self] in self?.startSome() }
    }

    /// Queues a probe. `completion` is called once, later, from the loop, unless the result is cancelled. `due`: when it was to
    /// begin; nil = nobody waited for a time. With a `story` it is told.
    func run(
        _ kind: any ProbeKind, step: Int, timeout: Duration, due: Instant? = nil, story: ProbeStory? = nil,
        completion: @escaping (ProbeReport) -> Void
    ) -> ProbeAttempt {
        let attempt = ProbeAttempt(timeout: timeout, on: turns, completion: completion)
        attempt.story = story
        queue.add(Ticket(kind: kind, step: step, due: due, attempt: attempt))
        start?.plan()
        return attempt
    }

    /// How late the latest probe began since this was asked last.
    func takeLateness() -> Duration {
        defer { lateness = .zero }
        return lateness
    }

    private func startSome() {
        for _ in 0..<Self.startsPerTurn {
            guard let ticket = queue.next() else { return }
            let attempt = ticket.attempt
            guard attempt.isWaiting else {
                queue.ended()
                continue
            }
            let connection = ticket.kind.fixedConnection
            if let connection {
                if taken[connection] != nil {
                    taken[connection]?.append(ticket)
                    queue.ended()
                    continue
                }
                taken[connection] = []
            }
            attempt.start(ticket.kind, step: ticket.step) { self.ended(connection) }
            if let due = ticket.due { lateness = max(lateness, attempt.startedAt - due) }
        }
        start?.plan()
    }

    /// A probe does not run any more: those that wait for its connection are in line again.
    private func ended(_ connection: FixedConnection?) {
        queue.ended()
        for ticket in connection.flatMap({ taken.removeValue(forKey: $0) }) ?? [] { queue.add(ticket) }
        if queue.waitingCount > 0 { start?.plan() }
    }
}
