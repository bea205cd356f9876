// Gives memory back to the kernel after a burst: what was freed stays resident otherwise, and counts as ours for ever.
import Net
import Platform

/// Trims the heap a moment after much was freed.
final class HeapTrimmer {
    /// Octets that are worth the millisecond a trim takes.
    private static let threshold = 1 << 20
    /// Trims are this far apart at least, so that a busy bus is not slowed.
    private static let pause: Duration = .seconds(1)

    private var freed = 0
    private var timer: LoopTimer?

    init(on loop: EventLoop) {
        timer = loop.timer { [weak self] in self?.trim() }
    }

    /// Octets were let go of.
    func note(freed octets: Int) {
        freed += octets
        if freed >= Self.threshold, timer?.deadline == nil { timer?.arm(after: Self.pause) }
    }

    private func trim() {
        freed = 0
        Footprint.trimHeap()
    }
}
