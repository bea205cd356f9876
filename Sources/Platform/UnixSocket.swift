// Unix stream sockets and who is at the other end. Identity is what the kernel recorded at connect time, never what a
// message claims.
import CLinux
import Glibc

/// Who connected, as the kernel recorded it (SO_PEERCRED, SO_PEERGROUPS).
public struct PeerCredentials: Hashable, Sendable {
    /// Effective user at connect time.
    public var uid: UInt32
    /// Effective group at connect time.
    public var gid: UInt32
    /// For log lines only: a pid can be recycled.
    public var pid: Int32
    /// Supplementary groups.
    public var groups: [UInt32]

    /// A peer made up by a test.
    public init(uid: UInt32, gid: UInt32, pid: Int32, groups: [UInt32]) {
        self.uid = uid
        self.gid = gid
        self.pid = pid
        self.groups = groups
    }

    /// Asks the kernel about a connected socket.
    public init(of descriptor: Int32) throws(Errno) {
        var peer = ek_peer()
        try Errno.check(ek_peer_credentials(descriptor, &peer), "getsockopt(SO_PEERCRED)")
        var groups = [UInt32](repeating: 0, count: 1024)
        let count = ek_peer_groups(descriptor, &groups, groups.count)
        self.init(uid: peer.uid, gid: peer.gid, pid: peer.pid, groups: Array(groups.prefix(Int(max(count, 0)))))
    }
}

/// Making and joining Unix stream sockets. All descriptors are close-on-exec and non-blocking unless said otherwise.
public enum UnixSocket {
    /// Listens at `path` with file mode `mode`. What stands there is replaced: a socket of a dead listener, a link, anybody else's file.
    /// EADDRINUSE: a process of root or of this user listens there. EISDIR: a directory stands there. EPERM, EACCES: what stands there
    /// cannot be taken away.
    public static func listen(at path: String, mode: UInt32) throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: try Errno.check(ek_unix_listen(path, mode), "bind"))
    }

    /// What to tell a person when `listen` failed.
    public static func advice(after error: Errno, listeningAt path: String) -> String {
        error.code == EADDRINUSE
            ? "\(path) is in use: another process listens there; stop it, or name another directory with --run-dir"
            : "\(path): \(error); make its directory, writable for this user, or name another with --run-dir"
    }

    /// Connects to `path` (`@name` is the abstract namespace).
    public static func connect(to path: String, blocking: Bool = false) throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: try Errno.check(ek_unix_connect(path, blocking ? 0 : 1), "connect"))
    }

    /// The next waiting connection, or nil when none waits.
    public static func accept(_ listener: Int32) throws(Errno) -> FileDescriptor? {
        let result = ek_accept(listener)
        if result == -EAGAIN { return nil }
        return FileDescriptor(owning: try Errno.check(result, "accept4"))
    }

    /// Listening sockets passed by the service manager (LISTEN_FDS, LISTEN_PID): descriptors from 3 on.
    public static func inherited() -> [Int32] {
        guard let pid = getenv("LISTEN_PID"), Int32(String(cString: pid)) == getpid(),
            let count = getenv("LISTEN_FDS"), let number = Int32(String(cString: count)), (1...64).contains(number)
        else { return [] }
        return (3..<3 + number).map { descriptor in
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            _ = ek_set_nonblocking(descriptor)
            return descriptor
        }
    }
}

/// The user and group databases.
public enum Accounts {
    /// The uid of a user, nil when there is none of that name.
    public static func user(_ name: String) -> UInt32? {
        var id: UInt32 = 0
        return ek_user_id(name, &id) == 1 ? id : nil
    }

    /// The gid of a group, nil when there is none of that name.
    public static func group(_ name: String) -> UInt32? {
        var id: UInt32 = 0
        return ek_group_id(name, &id) == 1 ? id : nil
    }
}
