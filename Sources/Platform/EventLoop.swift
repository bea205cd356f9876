// The heart of every daemon: one thread, one epoll. A turn waits, runs the handlers of ready descriptors,
// then expired timers, then work put off with `soon`. Descriptors come before timers on purpose: an advertisement that is
// already in the socket is heard before the master-down timer that it would have reset is acted on. So every descriptor that is
// ready is handled once before a timer is, however many there are, and timers run against the time of the turn's first look: what
// became due after a descriptor was looked at (this process was stopped in between, say) waits for the next turn.
//
// A registration's epoll data is slot + generation. A handler may cancel any registration, its own included, and reuse
// the descriptor number at once: an event of the old registration still in the batch no longer matches and is dropped.
import CLinux
import Glibc
import HeapModule
public import Net

/// What to wait for, and what was found.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32

    /// From epoll's bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Something to read, or the end of the stream.
    public static let read = Readiness(rawValue: UInt32(EK_READ))
    /// Room to write.
    public static let write = Readiness(rawValue: UInt32(EK_WRITE))
    /// An error is pending on the descriptor. Always reported.
    public static let error = Readiness(rawValue: UInt32(EK_ERROR))
    /// Both directions are closed. Always reported.
    public static let hangup = Readiness(rawValue: UInt32(EK_HANGUP))
    /// The peer will not write any more. Reported when asked for.
    public static let readHangup = Readiness(rawValue: UInt32(EK_READ_HANGUP))
}

/// A single-threaded event loop. Level-triggered; not Sendable: it lives on the thread that runs it.
public final class EventLoop {
    private struct Slot {
        var generation: UInt32 = 0
        /// The last turn in which the handler ran.
        var turn: UInt64 = 0
        var handler: Handler?
    }

    // Closures by themselves would be wrapped in others to be in an Optional or an Array: an allocation and a call each.
    private struct Handler {
        let call: (Readiness) -> Void
    }

    private struct Work {
        let call: () -> Void
    }

    /// The time of this turn, so that all decisions of one turn agree. `refreshNow` re-reads the clock.
    public private(set) var now: Instant

    private let epoll: FileDescriptor
    private var alarm: PunctualAlarm?
    private var slots: [Slot] = []
    private var freeSlots: [Int] = []
    private var timers = Heap<TimerEntry>()
    private var timerSequence: UInt64 = 0
    private var postponed: [Work] = []
    /// The work of this turn, while it is done.
    private var working: [Work] = []
    private var stopped = false
    private var turns: UInt64 = 0
    private var latenessLimit = Duration.zero
    private var wasLate: ((Duration) -> Void)?

    /// Events per system call.
    private static let batch = 64
    /// The slot number that stands for the alarm.
    private static let alarmData = UInt64.max

    /// Makes the epoll instance. SIGPIPE is ignored from here on: a peer that went away is EPIPE.
    public init() throws(Errno) {
        signal(SIGPIPE, SIG_IGN)
        epoll = FileDescriptor(owning: try Errno.check(ek_epoll_create(), "epoll_create1"))
        now = Instant(nanoseconds: ek_monotonic_ns())
    }

    /// Re-reads the clock and returns the new `now`.
    @discardableResult
    public func refreshNow() -> Instant {
        now = Instant(nanoseconds: ek_monotonic_ns())
        return now
    }

    // MARK: Descriptors

    /// Calls `handler` in every turn in which the descriptor is ready (level-triggered), until the watch is cancelled or
    /// released. The descriptor stays the caller's and must be open until then. EPERM: the file cannot be polled.
    public func watch(
        _ descriptor: Int32, _ interest: Readiness, _ handler: @escaping (Readiness) -> Void
    ) throws(Errno) -> Watch {
        let index = freeSlots.popLast() ?? slots.count
        if index == slots.count { slots.append(Slot()) }
        let generation = slots[index].generation &+ 1
        do throws(Errno) {
            try Errno.check(
                ek_epoll_ctl(
                    epoll.number, Int32(EK_EPOLL_ADD), descriptor, interest.rawValue,
                    Self.data(index, generation)), "epoll_ctl")
        } catch {
            freeSlots.append(index)
            throw error
        }
        slots[index] = Slot(generation: generation, handler: Handler(call: handler))
        return Watch(loop: self, descriptor: descriptor, index: index, generation: generation)
    }

    fileprivate func update(_ watch: Watch, _ interest: Readiness) throws(Errno) {
        guard slots[watch.index].generation == watch.generation, slots[watch.index].handler != nil else { return }
        try Errno.check(
            ek_epoll_ctl(
                epoll.number, Int32(EK_EPOLL_MODIFY), watch.descriptor, interest.rawValue,
                Self.data(watch.index, watch.generation)), "epoll_ctl")
    }

    fileprivate func cancel(_ watch: Watch, isClosed: Bool) {
        guard slots[watch.index].generation == watch.generation, slots[watch.index].handler != nil else { return }
        // What the handler owned may cancel other watches when it goes: not before this one is out.
        let handler = slots[watch.index].handler
        defer { withExtendedLifetime(handler) {} }
        slots[watch.index].handler = nil
        freeSlots.append(watch.index)
        // The descriptor may be closed already, which removed it from the set.
        if !isClosed { _ = ek_epoll_ctl(epoll.number, Int32(EK_EPOLL_DELETE), watch.descriptor, 0, 0) }
    }

    private static func data(_ index: Int, _ generation: UInt32) -> UInt64 {
        UInt64(generation) << 32 | UInt64(UInt32(truncatingIfNeeded: index))
    }

    // MARK: Timers

    /// A disarmed timer that calls `handler` on this loop.
    public func timer(_ handler: @escaping () -> Void) -> LoopTimer {
        LoopTimer(loop: self, handler: handler)
    }

    func enqueue(_ core: TimerCore, at deadline: Instant) {
        timerSequence &+= 1
        core.queued = (deadline, timerSequence)
        timers.insert(TimerEntry(deadline: deadline, sequence: timerSequence, core: core))
    }

    private func expireTimers(dueAt time: Instant) {
        while let first = timers.min, first.deadline <= time {
            let entry = timers.removeMin()
            guard let queued = entry.core.queued, queued.sequence == entry.sequence else { continue }
            entry.core.queued = nil
            guard let deadline = entry.core.deadline else { continue }
            if deadline > time {
                enqueue(entry.core, at: deadline)
            } else {
                entry.core.deadline = nil
                entry.core.handler()
            }
        }
    }

    /// When the first timer is due. Those that were put off since they were queued are queued anew, so that nobody wakes up for them.
    private func nextDeadline() -> Instant? {
        while let first = timers.min {
            let isCurrent = first.core.queued?.sequence == first.sequence
            if isCurrent, first.core.deadline == first.deadline { return first.deadline }
            timers.removeMin()
            guard isCurrent else { continue }
            first.core.queued = nil
            if let deadline = first.core.deadline { enqueue(first.core, at: deadline) }
        }
        return nil
    }

    /// From now on timers fire at their time, by a timerfd. Without it the time limit of epoll wakes the loop, which the kernel puts off by up to a
    /// thousandth (ep_poll in fs/eventpoll.c, select_estimate_accuracy), but costs no system call.
    public func wakePunctually() throws(Errno) {
        alarm = try PunctualAlarm(in: epoll.number, data: Self.alarmData)
    }

    /// Calls `body` in every turn that begins later than `limit` after its first timer was due: the process did not run, or the turn before
    /// took so long. Nil ends that.
    public func noteLateness(beyond limit: Duration?, _ body: @escaping (Duration) -> Void = { _ in }) {
        latenessLimit = limit ?? .zero
        wasLate = limit == nil ? nil : body
    }

    private func noteLateness(at looked: Instant) {
        guard let wasLate, let due = timers.min?.deadline, looked - due > latenessLimit else { return }
        wasLate(looked - due)
    }

    // MARK: Turns

    /// Runs `work` once, at the end of this turn: after the handlers that are running now have returned.
    public func soon(_ work: @escaping () -> Void) {
        postponed.append(Work(call: work))
    }

    /// When after `run` parts of the start are over: the configuration is read and adopted; elections and first checks at default intervals.
    private static let settling = [Duration.seconds(1), .seconds(5), .seconds(10)]

    /// Runs turns until `stop`. What only the start needed is given back after a while (see `Footprint`).
    public func run() throws(Errno) {
        stopped = false
        refreshNow()
        let settled = Self.settling.map { delay in
            let timer = timer { Footprint.settle() }
            timer.arm(after: delay)
            return timer
        }
        defer { withExtendedLifetime(settled) {} }
        while !stopped { try turn(timeoutMilliseconds: -1) }
    }

    /// One turn: waits at most `timeoutMilliseconds` (-1: until something happens), then runs what is due.
    public func turn(timeoutMilliseconds: Int32) throws(Errno) {
        Outbox.shared.flush()
        var timeout = postponed.isEmpty ? timeoutMilliseconds : 0
        if Outbox.shared.isWaiting, timeout < 0 || timeout > Outbox.retryMilliseconds {
            timeout = Outbox.retryMilliseconds
        }
        let looked = try handleDescriptors(waiting(atMost: timeout))
        expireTimers(dueAt: looked)
        guard !postponed.isEmpty else { return }
        // Two buffers that stay, unless a turn had very much to do.
        swap(&postponed, &working)
        for item in working { item.call() }
        working.removeAll(keepingCapacity: working.count <= Self.batch)
    }

    /// How many nanoseconds a turn waits that nobody wants to take longer than `milliseconds` (-1: any time); -1: until something happens.
    private func waiting(atMost milliseconds: Int32) -> Int64 {
        let limit = milliseconds < 0 ? -1 : Int64(milliseconds) * 1_000_000
        if alarm != nil {
            alarm?.arm(for: timers.min?.deadline)
            return limit
        }
        guard limit != 0, let deadline = nextDeadline() else { return limit }
        let left = max(0, deadline.nanoseconds - ek_monotonic_ns())
        return limit < 0 ? left : min(limit, left)
    }

    /// Waits, then handles each descriptor that is ready once. Returns when it first looked.
    private func handleDescriptors(_ nanoseconds: Int64) throws(Errno) -> Instant {
        turns &+= 1
        var timeout = nanoseconds
        var looked: Instant?
        while true {
            let (found, news) = try withUnsafeTemporaryAllocation(of: ek_event.self, capacity: Self.batch) {
                events throws(Errno) in
                let found = ek_epoll_wait(epoll.number, events.baseAddress, Int32(Self.batch), timeout)
                // Interrupted (SIGCONT does it without any handler): nothing was looked at.
                if found == -EINTR { return (Self.batch, true) }
                let count = Int(try Errno.check(found, "epoll_wait"))
                refreshNow()
                if looked == nil {
                    looked = now
                    noteLateness(at: now)
                }
                return (count, handle(events[..<count]))
            }
            // A full batch says that there may be more; one without news, that all were handled.
            if found < Self.batch || !news { return looked ?? now }
            timeout = 0
        }
    }

    /// Runs the handlers that have not run in this turn; true when there were any.
    private func handle(_ events: Slice<UnsafeMutableBufferPointer<ek_event>>) -> Bool {
        var isNews = false
        for event in events {
            if event.data == Self.alarmData {
                alarm?.fired()
                continue
            }
            let index = Int(UInt32(truncatingIfNeeded: event.data))
            let slot = slots[index]
            guard slot.generation == UInt32(truncatingIfNeeded: event.data >> 32), slot.turn != turns,
                let handler = slot.handler
            else { continue }
            slots[index].turn = turns
            isNews = true
            handler.call(Readiness(rawValue: event.events))
        }
        return isNews
    }

    /// Ends `run` after the current turn.
    public func stop() {
        stopped = true
    }
}

/// A registration of a descriptor. Cancelled when released.
public final class Watch {
    private let loop: EventLoop
    fileprivate let descriptor: Int32
    fileprivate let index: Int
    fileprivate let generation: UInt32

    fileprivate init(loop: EventLoop, descriptor: Int32, index: Int, generation: UInt32) {
        self.loop = loop
        self.descriptor = descriptor
        self.index = index
        self.generation = generation
    }

    deinit { loop.cancel(self, isClosed: false) }

    /// Changes what is waited for; `[]` pauses all but errors and hang-ups.
    public func update(_ interest: Readiness) throws(Errno) {
        try loop.update(self, interest)
    }

    /// No handler call after this, not even for an event already found in this turn. Close the descriptor after it.
    public func cancel() {
        loop.cancel(self, isClosed: false)
    }

    /// Closes the descriptor, of which there is no copy, and cancels: a system call less.
    public func close(_ descriptor: consuming FileDescriptor) {
        _ = consume descriptor
        loop.cancel(self, isClosed: true)
    }
}
