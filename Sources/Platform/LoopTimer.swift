// The timers of the event loop.
public import Net

/// A one-shot timer. Arming to a later time costs nothing (the queued entry is moved when it comes up), which is what a
/// backup does at every advertisement. Disarmed when released.
public final class LoopTimer {
    private let loop: EventLoop
    private let core: TimerCore

    init(loop: EventLoop, handler: @escaping () -> Void) {
        self.loop = loop
        core = TimerCore(handler: handler)
    }

    deinit {
        core.deadline = nil
        core.handler = {}
    }

    /// When it will fire; nil while disarmed.
    public var deadline: Instant? { core.deadline }

    /// Fires at `deadline`, at once if that has passed; replaces an earlier arming.
    public func arm(at deadline: Instant) {
        core.deadline = deadline
        if let queued = core.queued, queued.deadline <= deadline { return }
        loop.enqueue(core, at: deadline)
    }

    /// Fires `delay` after the loop's `now`.
    public func arm(after delay: Duration) {
        arm(at: loop.now + delay)
    }

    /// Does not fire until armed again.
    public func disarm() {
        core.deadline = nil
    }
}

/// What a timer and the loop's queue share.
final class TimerCore {
    var handler: () -> Void
    var deadline: Instant?
    /// The heap entry that stands for this timer; other entries of it are stale.
    var queued: (deadline: Instant, sequence: UInt64)?

    init(handler: @escaping () -> Void) {
        self.handler = handler
    }
}

/// A place in the loop's queue.
struct TimerEntry: Comparable {
    let deadline: Instant
    let sequence: UInt64
    let core: TimerCore

    static func < (left: TimerEntry, right: TimerEntry) -> Bool {
        (left.deadline, left.sequence) < (right.deadline, right.sequence)
    }

    static func == (left: TimerEntry, right: TimerEntry) -> Bool {
        left.sequence == right.sequence
    }
}
