// Signals and children as descriptors of the loop: no handlers that interrupt, no SIGCHLD, no zombies.
import CLinux
import Glibc

/// How a child process ended.
public enum ChildExit: Hashable, Sendable {
    /// It exited with this status, 0...255.
    case exited(Int32)
    /// This signal ended it.
    case signalled(Int32)
}

/// A child process in its own process group, reaped by the loop.
public final class ChildProcess {
    /// The process, and its group.
    public let pid: Int32
    private let descriptor: FileDescriptor
    private var watch: Watch?

    /// Starts `arguments[0]`, an absolute path, as `user` (uid and gid) or as this process, and calls `ended` once.
    /// The child gets an empty signal mask and /dev/null as standard input, and dies with this process.
    public init(
        _ arguments: [String], environment: [String], user: (uid: UInt32, gid: UInt32)? = nil, on loop: EventLoop,
        ended: @escaping (ChildExit) -> Void
    ) throws(Errno) {
        let argv = CStringArray(arguments)
        let environ = CStringArray(environment)
        pid = try Errno.check(
            ek_spawn(argv.pointers, environ.pointers, user?.uid ?? .max, user?.gid ?? .max), "execve")
        descriptor = FileDescriptor(owning: try Errno.check(ek_pidfd_open(pid), "pidfd_open"))
        watch = try loop.watch(descriptor.number, .read) { [weak self, pid] _ in
            var status: Int32 = 0
            guard ek_reap(pid, &status) == 1 else { return }
            self?.watch = nil
            ended(status < 256 ? .exited(status) : .signalled(status - 256))
        }
    }

    /// Signals the whole process group.
    public func signal(_ signal: Int32) {
        _ = kill(-pid, signal)
    }
}

/// Signals delivered to the loop instead of interrupting it.
public final class SignalWatch {
    private let descriptor: FileDescriptor
    private var watch: Watch?

    /// Blocks `signals` for the process and calls `handler` with each that arrives.
    public init(_ signals: [Int32], on loop: EventLoop, _ handler: @escaping (Int32) -> Void) throws(Errno) {
        descriptor = FileDescriptor(owning: try Errno.check(ek_signalfd(signals, signals.count), "signalfd"))
        let number = descriptor.number
        watch = try loop.watch(number, .read) { _ in
            while case let signal = ek_signalfd_read(number), signal > 0 { handler(signal) }
        }
    }
}
