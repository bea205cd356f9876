// Shorthands of this target: a seeded generator, configurations in one line, and a checker driven by a list of outcomes.
import Configuration
import HealthCheck
import Net
import Testing

let t0 = Instant(nanoseconds: 1_000_000_000_000)
let refused = ProbeFailure.connection("connection refused")
let refusal = ProbeOutcome.failure(refused)

/// xorshift64*: the same sequence for the same seed on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

private let endpoint = Endpoint(.v4(IPv4Address(rawValue: 0xC000_0201)), port: 80)

extension CheckerConfiguration {
    static func tcp(
        delayLoop: Int = 6, retry: Int = 1, delayBeforeRetry: Int = 1, rise: Int = 1, warmup: Int = 6,
        alpha: Bool = false
    ) -> CheckerConfiguration {
        var schedule = CheckSchedule()
        schedule.delayLoop = .seconds(delayLoop)
        schedule.retry = retry
        schedule.delayBeforeRetry = .seconds(delayBeforeRetry)
        schedule.rise = rise
        schedule.warmup = .seconds(warmup)
        schedule.alpha = alpha
        return CheckerConfiguration(probe: .tcp, schedule: schedule, target: CheckTarget(endpoint: endpoint))
    }

    static func http(
        urls: Int, retry: Int = 1, delayLoop: Int = 6, delayBeforeRetry: Int = 3, rise: Int = 1,
        fastRecovery: Bool = false
    ) -> CheckerConfiguration {
        var checker = tcp(delayLoop: delayLoop, retry: retry, delayBeforeRetry: delayBeforeRetry, rise: rise)
        var probe = HTTPProbe(urls: (0..<urls).map { HTTPRequest(path: "/\($0)", host: "www") })
        probe.fastRecovery = fastRecovery
        checker.probe = .http(probe)
        return checker
    }
}

extension Checker {
    /// As checkd makes it for the two kinds that these tests use.
    init(_ configuration: CheckerConfiguration, remembered: Verdict? = nil) {
        var rounds = CheckRounds()
        if case .http(let probe) = configuration.probe {
            rounds = CheckRounds(
                steps: probe.urls.count, recoversFast: probe.fastRecovery, waitsForRetryWhileDown: true)
        }
        self.init(configuration.schedule, rounds, remembered: remembered)
    }

    /// A checker whose first probe is running.
    static func probing(_ configuration: CheckerConfiguration) -> Checker {
        var checker = Checker(configuration)
        checker.toProbing()
        return checker
    }

    mutating func toProbing() {
        _ = probeRequested()
    }

    /// Runs one probe and returns which step it was.
    mutating func step(_ outcome: ProbeOutcome) -> Int? {
        guard case .probe(let step)? = probeRequested().first else { return nil }
        _ = finished(outcome, at: t0)
        return step
    }

    /// Runs probes with these outcomes and returns the changes of verdict they caused.
    mutating func run(_ outcomes: [ProbeOutcome]) -> [Verdict] {
        outcomes.flatMap { outcome in
            toProbing()
            return finished(outcome, at: t0).compactMap { action in
                if case .changed(let verdict, _, _) = action { verdict } else { nil }
            }
        }
    }
}
