// Work that takes longer than a turn of the loop may: reading a large configuration must not keep a master from advertising.
// It runs on a thread of its own at ordinary priority, gets values and returns a value; everything else of a daemon stays
// on the loop's thread.
import CLinux
import Glibc
import Net
import Synchronization

/// Work off the loop.
public enum Background {
    /// Runs `work` on a thread of its own, then `done` with its result on the loop. Errno: no thread or no descriptor.
    public static func run<Result: Sendable>(
        on loop: EventLoop, _ work: @escaping @Sendable () -> Result, done: @escaping (Result) -> Void
    ) throws(Errno) {
        let job = Job<Result>()
        var watch: Watch?
        watch = try loop.watch(job.bell.number, .read) { _ in
            watch?.cancel()
            watch = nil
            if let result = job.result { done(result) }
        }
        do throws(Errno) {
            try start { job.finish(work()) }
        } catch {
            watch?.cancel()
            throw error
        }
    }

    /// Runs `work` on a thread of its own and waits for its result: ETIMEDOUT when it takes longer than `limit`; the work goes on then and
    /// its result is dropped. For the start of a program, before its loop runs.
    public static func run<Result: Sendable>(
        within limit: Duration, _ work: @escaping @Sendable () -> Result
    ) throws(Errno) -> Result {
        let job = Job<Result>()
        try start { job.finish(work()) }
        guard job.bell.wait(until: SystemClock.now + limit), let result = job.result else {
            throw Errno(ETIMEDOUT, "read")
        }
        return result
    }

    /// Runs `body` on a thread of its own.
    static func start(_ body: @escaping @Sendable () -> Void) throws(Errno) {
        let argument = Unmanaged.passRetained(Thunk(body))
        let code = ek_thread(
            { argument in
                guard let argument else { return }
                Unmanaged<Thunk>.fromOpaque(argument).takeRetainedValue().body()
            }, argument.toOpaque())
        guard code < 0 else { return }
        argument.release()
        throw Errno(-code, "pthread_create")
    }
}

/// What the thread's C entry calls.
private final class Thunk {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }
}

/// A result that is on its way, and what says that it is there.
private final class Job<Result: Sendable>: Sendable {
    let bell = Bell()
    private let value = Mutex<Result?>(nil)

    var result: Result? { value.withLock { $0 } }

    func finish(_ result: Result) {
        value.withLock { $0 = result }
        bell.ring()
    }
}

/// An eventfd: one thread rings, another hears it as a readable descriptor.
final class Bell: Sendable {
    private let descriptor: FileDescriptor

    /// The descriptor to watch; negative when there was none left, and then nothing is ever heard.
    var number: Int32 { descriptor.number }

    init() {
        descriptor = FileDescriptor(owning: ek_eventfd())
    }

    func ring() {
        var one: UInt64 = 1
        _ = ek_write(number, &one, MemoryLayout<UInt64>.size)
    }

    /// Takes the ringing back.
    func silence() {
        var count: UInt64 = 0
        _ = ek_read(number, &count, MemoryLayout<UInt64>.size)
    }

    /// Waits until it rings or the time comes (nil: without end); false when it did not ring.
    func wait(until end: Instant?) -> Bool {
        while true {
            let left = end.map { Int32(clamping: max(0, ($0 - SystemClock.now).nanoseconds / 1_000_000 + 1)) }
            var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            let ready = poll(&entry, 1, left ?? -1)
            if ready > 0 { return true }
            if ready == 0 || errno != EINTR { return false }
        }
    }
}
