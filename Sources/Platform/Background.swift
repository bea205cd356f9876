// Work that takes longer than a turn of the loop may: reading a large configuration must not keep a master from advertising.
// It runs on a thread of its own at ordinary priority, gets values and returns a value; everything else of a daemon stays
// on the loop's thread.
import CLinux
import Glibc
import Synchronization

/// One piece of work off the loop.
public enum Background {
    /// Runs `work` on a thread of its own, then `done` with its result on the loop. Errno: no thread or no descriptor.
    public static func run<Result: Sendable>(
        on loop: EventLoop, _ work: @escaping @Sendable () -> Result, done: @escaping (Result) -> Void
    ) throws(Errno) {
        let bell = FileDescriptor(owning: try Errno.check(ek_eventfd(), "eventfd"))
        let number = bell.number
        let job = Job(work, bell: bell)
        var watch: Watch?
        watch = try loop.watch(number, .read) { _ in
            watch?.cancel()
            watch = nil
            if let result = job.result.withLock({ $0 }) { done(result) }
        }
        let argument = Unmanaged.passRetained(job as Thunk)
        let code = ek_thread(
            { argument in
                guard let argument else { return }
                Unmanaged<Thunk>.fromOpaque(argument).takeRetainedValue().run()
            }, argument.toOpaque())
        guard code < 0 else { return }
        argument.release()
        watch?.cancel()
        throw Errno(-code, "pthread_create")
    }
}

/// What the thread's C entry calls.
private class Thunk {
    func run() {}
}

/// The work, its result, and the descriptor that says when it is there.
private final class Job<Result: Sendable>: Thunk {
    let result = Mutex<Result?>(nil)
    private let work: @Sendable () -> Result
    private let bell: FileDescriptor

    init(_ work: @escaping @Sendable () -> Result, bell: consuming FileDescriptor) {
        self.work = work
        self.bell = bell
    }

    override func run() {
        let value = work()
        result.withLock { $0 = value }
        var one: UInt64 = 1
        _ = ek_write(bell.number, &one, MemoryLayout<UInt64>.size)
    }
}
