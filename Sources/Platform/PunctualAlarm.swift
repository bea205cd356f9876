// What wakes a loop at the time of its first timer, to the microsecond.
import CLinux
import Net

/// The timerfd of a loop whose timers are punctual. A deadline that was put off is not taken back: it fires once for nothing, which is cheaper.
struct PunctualAlarm: ~Copyable {
    private let descriptor: FileDescriptor
    private var armedAt = Instant.distantFuture
    private var hasFired = false

    init(in epoll: Int32, data: UInt64) throws(Errno) {
        let timer = FileDescriptor(owning: try Errno.check(ek_timerfd_create(), "timerfd_create"))
        try Errno.check(
            ek_epoll_ctl(epoll, Int32(EK_EPOLL_ADD), timer.number, Readiness.read.rawValue, data), "epoll_ctl")
        descriptor = timer
    }

    mutating func arm(for deadline: Instant?) {
        guard let deadline, deadline < armedAt else { return silence() }
        armedAt = deadline
        hasFired = false
        _ = ek_timerfd_arm(descriptor.number, deadline.nanoseconds)
    }

    mutating func fired() {
        hasFired = true
        armedAt = .distantFuture
    }

    /// It stays readable until it is read or, which is one system call less, armed again.
    private mutating func silence() {
        guard hasFired else { return }
        hasFired = false
        var expirations: UInt64 = 0
        _ = ek_read(descriptor.number, &expirations, MemoryLayout<UInt64>.size)
    }
}
