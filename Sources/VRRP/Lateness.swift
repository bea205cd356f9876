// Timers that fire late on the monotonic clock: the machine was paused, the process stopped, or the host has too much to do. That is noticed
// before anything else happens to the router, counted, and said (rate-limited); what a master then does is `timer_expired_backup`'s.

internal import Net

/// A timer that fired late.
public struct LateTimer: Hashable, Sendable, CustomStringConvertible {
    /// How long after it was due.
    public var lateness: Duration
    /// What the router was.
    public var state: StateName
    /// It was master and has given way: `timer_expired_backup`.
    public var gaveWay: Bool

    /// A late timer.
    public init(lateness: Duration, state: StateName, gaveWay: Bool) {
        self.lateness = lateness
        self.state = state
        self.gaveWay = gaveWay
    }

    /// `timer fired late by 4.321 s, as master`
    public var description: String {
        "timer fired late by \(lateness.seconds), as \(state)" + (gaveWay ? "; gives way (timer_expired_backup)" : "")
    }
}

/// What a router remembers of its late timers.
struct Lateness {
    /// The deadline that was missed last: several things may happen to the router before it is moved.
    private var missed: Instant?
    private var saidAt: Instant?

    /// An overloaded host that is late all the time says so this often.
    static let silence = Duration.seconds(10)

    /// Later than this is late: half the advertisement interval, between 50 ms and 1 s.
    static func limit(_ interval: Duration) -> Duration {
        min(max(interval / 2, .milliseconds(50)), .seconds(1))
    }

    /// True when that `due` was missed is news; counts each once.
    mutating func isNew(_ due: Instant) -> Bool {
        defer { missed = due }
        return missed != due
    }

    /// True when it is to be said.
    mutating func isToSay(at now: Instant) -> Bool {
        if let saidAt, now < saidAt + Self.silence { return false }
        saidAt = now
        return true
    }
}

extension Director {
    /// A router's timer was due at `due`, and nothing has happened to it since.
    mutating func overslept(_ index: Dictionary<RouterID, Router>.Index, since due: Instant, at now: Instant) {
        let lateness = now - due
        guard lateness >= Lateness.limit(routers.values[index].machine.configuration.interval),
            routers.values[index].lateness.isNew(due)
        else { return }
        routers.values[index].machine.statistics.lateTimers += 1
        routers.values[index].machine.statistics.longestLateness = max(
            lateness, routers.values[index].machine.statistics.longestLateness)
        let state = routers.values[index].machine.state.name
        let actions = routers.values[index].machine.overslept(at: now)
        if routers.values[index].lateness.isToSay(at: now) || !actions.isEmpty {
            let late = LateTimer(lateness: lateness, state: state, gaveWay: !actions.isEmpty)
            effects.remarks.append(.late(routers.keys[index], late))
            changed.insert(routers.keys[index])
        }
        for action in actions { perform(action, of: index, at: now) }
    }
}
