// A server probed once for `lbctl check run`: every check, every url, with the story of each. The probes take their turn among all others; what they
// find changes nothing.
import Bus
import HealthCheck
import Net

/// One such round. Lives until its last probe has ended.
final class ServerTrial {
    private struct Probe {
        let name: String
        let kind: any ProbeKind
        let step: Int
        let timeout: Duration
        var attempt: ProbeAttempt?
        var trial: CheckAPI.Trial?
    }

    private var probes: [Probe]
    private let completion: ([CheckAPI.Trial]) -> Void

    /// Of checks with their names and time limits.
    init(
        of checks: [(name: String, kind: any ProbeKind, timeout: Duration)],
        _ completion: @escaping ([CheckAPI.Trial]) -> Void
    ) {
        probes = checks.flatMap { check in
            (0..<check.kind.rounds.steps).map {
                Probe(name: check.name, kind: check.kind, step: $0, timeout: check.timeout)
            }
        }
        self.completion = completion
    }

    func start(_ runner: ProbeRunner) {
        guard !probes.isEmpty else { return completion([]) }
        for index in probes.indices {
            let probe = probes[index]
            // Held by its own probes until they have ended.
            probes[index].attempt = runner.run(
                probe.kind, step: probe.step, timeout: probe.timeout, story: ProbeStory()
            ) { self.ended(index, $0) }
        }
    }

    private func ended(_ index: Int, _ report: ProbeReport) {
        func microseconds(_ duration: Duration) -> Int { Int(duration.nanoseconds / 1000) }
        let (word, reason): (CheckAPI.TrialOutcome, String?) =
            switch report.outcome {
            case .success: (.success, nil)
            case .failure(let failure): (.failure, failure.description)
            case .inconclusive(let hindrance): (.inconclusive, hindrance.description)
            }
        let probe = probes[index]
        probes[index].trial = CheckAPI.Trial(
            name: probe.name, step: probe.kind.name(ofStep: probe.step), outcome: word, reason: reason,
            durationMicroseconds: microseconds(report.duration),
            notes: (report.story?.lines ?? []).map {
                CheckAPI.TrialNote(microseconds: microseconds($0.time), text: $0.text)
            })
        probes[index].attempt = nil
        let trials = probes.compactMap(\.trial)
        if trials.count == probes.count { completion(trials) }
    }
}
