// One probe from its queueing to its result: what a kind of probe reports to, the time limits it runs under, and what its owner cancels.
//
// Time limits follow keepalived, which grants connect_timeout to each step of a probe, not to the whole: as long as something arrives a
// probe goes on. A server that drips its answer would hold the check for ever, so the whole ends at ten times that limit.
//
// A limit that comes late says that this host did not run (`TimeAllowance`).
import Configuration
import HealthCheck
import Net

/// What came of a probe.
struct ProbeReport {
    let outcome: ProbeOutcome
    /// Since it was begun.
    let duration: Duration
    /// What it printed last, for people.
    var note: String?
    /// When the certificate of the server ends, in seconds since 1970; nil = it showed none.
    var certificateEnd: Int64?
    /// What it says about the weight; nil: nothing, and what was said before holds.
    var weight: ProbeWeight?
    /// What happened, for people who asked for it; nil = nobody did.
    var story: ProbeStory?
}

/// A probe that waits or runs. It lives until it has ended; cancelled, it reports nothing.
final class ProbeAttempt {
    private static let wholeFactor: Int64 = 10

    private enum Stage {
        case waiting
        case starting
        case running(any RunningProbe)
        case over
    }

    private let timeout: Duration
    private let turns: any Turns
    private var stage = Stage.waiting
    private(set) var startedAt = Instant.zero
    /// The result if nothing comes in time.
    private var silent = ProbeOutcome.failure(.timeout(.connect))
    private var silence: TimeAllowance?
    private var whole: TimeAllowance?
    /// For both.
    private var timer: (any AlarmClock)?
    private var completion: (ProbeReport) -> Void
    /// What is known beside the outcome so far.
    var note: String?
    var certificateEnd: Int64?
    var weight: ProbeWeight?
    /// nil = nobody asked for it.
    var story: ProbeStory?
    /// Called when a probe that ran does not run any more.
    private var ended: () -> Void = {}

    init(timeout: Duration, on turns: any Turns, completion: @escaping (ProbeReport) -> Void) {
        self.timeout = timeout
        self.turns = turns
        self.completion = completion
    }

    /// True until it is started or cancelled.
    var isWaiting: Bool {
        if case .waiting = stage { true } else { false }
    }

    /// Lets `kind` begin; `ended` is called once when the probe does not run any more.
    func start(_ kind: any ProbeKind, step: Int, ended: @escaping () -> Void) {
        startedAt = turns.refreshNow()
        self.ended = ended
        stage = .starting
        let probe = kind.start(step: step, for: self)
        if case .starting = stage {
            stage = .running(probe)
        } else {
            probe.cancel()
        }
    }

    // MARK: What a kind says

    /// Something happened.
    func tell(_ what: @autoclosure () -> String) {
        guard story != nil else { return }
        story?.add(what(), after: turns.refreshNow() - startedAt)
    }

    /// Something is awaited from the server from now on, for connect_timeout.
    func expect(_ phase: ProbeFailure.Phase) {
        listen(orElse: .failure(.timeout(phase)))
    }

    /// What comes within connect_timeout from now on decides, else it is `outcome`.
    func listen(orElse outcome: ProbeOutcome) {
        silent = outcome
        if silence == nil { silence = TimeAllowance(timeout) }
        progressed()
    }

    /// Something came, or could be sent: connect_timeout begins anew.
    func progressed() {
        silence?.begin(at: turns.refreshNow())
        arm()
    }

    /// The probe ends at ten times connect_timeout from now, whatever arrives.
    func limitWhole() {
        whole = TimeAllowance(Duration(nanoseconds: timeout.nanoseconds * Self.wholeFactor))
        whole?.begin(at: turns.refreshNow())
        arm()
    }

    /// The result. Only the first counts. Who gave up while this host did not run has not failed: what the probe was to send came late.
    func finish(_ outcome: ProbeOutcome) {
        if case .failure = outcome, silence?.isOverdue(at: turns.refreshNow()) == true {
            conclude(.inconclusive(.paused))
        } else {
            conclude(outcome)
        }
    }

    private func conclude(_ outcome: ProbeOutcome) {
        let report = completion
        let duration = turns.refreshNow() - startedAt
        cancel()
        report(
            ProbeReport(
                outcome: outcome, duration: duration, note: note, certificateEnd: certificateEnd, weight: weight,
                story: story))
    }

    /// The probe is not wanted any more.
    func cancel() {
        completion = { _ in }
        timer = nil
        let before = stage
        stage = .over
        switch before {
        case .waiting, .over: return
        case .starting: break
        case .running(let probe): probe.cancel()
        }
        ended()
    }

    // MARK: Time limits

    /// For the limit that comes first.
    private func arm() {
        if case .over = stage { return }
        timer = timer ?? turns.alarmClock { [unowned self] in fire() }
        timer?.arm(at: min(silence?.deadline ?? .distantFuture, whole?.deadline ?? .distantFuture))
    }

    private func fire() {
        let expiries = [Self.expire(&silence, at: turns.now), Self.expire(&whole, at: turns.now)]
        if expiries.contains(.paused) {
            conclude(.inconclusive(.paused))
        } else if expiries.contains(.over) {
            conclude(silent)
        } else {
            arm()
        }
    }

    private static func expire(_ limit: inout TimeAllowance?, at now: Instant) -> TimeAllowance.Expiry? {
        guard let deadline = limit?.deadline, deadline <= now else { return nil }
        return limit?.expire(at: now)
    }
}
