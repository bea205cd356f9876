// Network namespaces: one thread that looks into another one and comes back, and a process that works in one.

import CLinux
import Glibc
import Net

/// A network namespace that has a path: /run/netns/NAME, /proc/PID/ns/net.
public enum NetworkNamespace {
    /// Does `body` with this thread in the namespace at `path`: sockets that it makes stay there. Then the thread is where it was before; a
    /// thread that cannot go back would do the work of others in the wrong network, so that ends the process.
    public static func inside<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        let previous = try Errno.check(ek_netns_enter(path), "setns")
        defer {
            let back = ek_netns_leave(previous)
            precondition(back == 0, "setns: cannot leave \(path): \(Errno(-back, "setns"))")
        }
        return try body()
    }

    /// Takes this thread, and those that it begins from now on, to the namespace at `path`; for good. Nothing is done where it is there
    /// already: that takes no privilege. Of a daemon it is to be the only thread: /proc/sys/net is the thread's own, /proc/net its first one's.
    public static func enter(_ path: String) throws(Errno) {
        guard !isCurrent(path) else { return }
        close(try Errno.check(ek_netns_enter(path), "setns"))
    }

    /// Whether this thread is in the namespace at `path`; false where that cannot be looked at.
    public static func isCurrent(_ path: String) -> Bool { inodes(path).map { $0.own == $0.other } ?? false }

    /// Whether another namespace is at `path` than the one that this thread is in; false where that cannot be looked at, and where there is
    /// none.
    static func isAnother(_ path: String) -> Bool { inodes(path).map { $0.own != $0.other } ?? false }

    /// Of this thread's namespace and of the one at `path`; nil where that cannot be looked at, and where there is none: all namespaces are
    /// files of one file system.
    private static func inodes(_ path: String) -> (own: ino_t, other: ino_t)? {
        var (own, other) = (stat(), stat())
        guard stat("/proc/thread-self/ns/net", &own) == 0, stat(path, &other) == 0, own.st_dev == other.st_dev else {
            return nil
        }
        return (own.st_ino, other.st_ino)
    }
}

/// Looks whether a name still stands for the network namespace that this process is in. `ip netns delete` leaves a process in what it
/// had; when the name is given to a new one, nobody is left who would work there.
final class NamespaceWatch {
    private static let interval = Duration.seconds(3)
    private let timer: LoopTimer

    /// Calls `body` when another namespace is at `path`.
    init(_ path: String, on loop: EventLoop, _ body: @escaping () -> Void) {
        var look: () -> Void = {}
        timer = loop.timer { look() }
        look = { [weak timer] in
            guard !NetworkNamespace.isAnother(path) else { return body() }
            timer?.arm(after: Self.interval)
        }
        timer.arm(after: Self.interval)
    }
}
