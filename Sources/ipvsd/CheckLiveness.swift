// Whether somebody checks: checkd is on the bus, and its heartbeat comes. A checkd that hangs is still on the bus, but three beats missed make
// its verdicts stale. One that never sent a beat is taken at its registration.

import Net

struct CheckLiveness {
    private var isAttached = false
    private var staleAt: Instant?

    /// Verdicts are being looked after.
    func isLive(at now: Instant) -> Bool {
        isAttached && staleAt.map { now < $0 } ?? true
    }

    /// When `isLive` changes by itself after `now`.
    func deadline(after now: Instant) -> Instant {
        guard isAttached, let staleAt, now < staleAt else { return .distantFuture }
        return staleAt
    }

    /// checkd came to the bus or left it.
    mutating func attached(_ isAttached: Bool) {
        self.isAttached = isAttached
        if !isAttached { staleAt = nil }
    }

    /// A heartbeat, of which the next follows after `interval`.
    mutating func beat(every interval: Duration, at now: Instant) {
        // Half an interval for a beat that is late.
        staleAt = now + interval * 3 + interval / 2
    }
}
