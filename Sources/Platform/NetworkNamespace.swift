// Network namespaces, one thread at a time.

import CLinux

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
}
