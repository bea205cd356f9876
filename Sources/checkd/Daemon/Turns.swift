// Time as the daemon sees it, so that tests can put their own in its place: the loop's clock, its timers, and the end of a turn.
import Net
import Platform

/// A clock with timers and turns.
protocol Turns: AnyObject {
    /// The time of this turn.
    var now: Instant { get }
    /// Re-reads the clock.
    func refreshNow() -> Instant
    /// Runs `work` once, at the end of this turn.
    func soon(_ work: @escaping () -> Void)
    /// A disarmed timer.
    func alarmClock(_ handler: @escaping () -> Void) -> any AlarmClock
}

/// A one-shot timer. Disarmed when released.
protocol AlarmClock: AnyObject {
    /// Fires at `deadline`; replaces an earlier arming.
    func arm(at deadline: Instant)
    func disarm()
}

extension EventLoop: Turns {
    func alarmClock(_ handler: @escaping () -> Void) -> any AlarmClock { timer(handler) }
}

extension LoopTimer: AlarmClock {}

/// Work that is done once at the end of a turn, however often it was asked for.
final class OncePerTurn {
    private let turns: any Turns
    private let work: () -> Void
    private var isPlanned = false
    /// Made once, not for every turn.
    private lazy var run: () -> Void = { [weak self] in
        self?.isPlanned = false
        self?.work()
    }

    init(_ turns: any Turns, _ work: @escaping () -> Void) {
        self.turns = turns
        self.work = work
    }

    /// Plans the work for the end of this turn; from within the work, for the end of the next.
    func plan() {
        guard !isPlanned else { return }
        isPlanned = true
        turns.soon(run)
    }
}
