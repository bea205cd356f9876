// Which network namespace this is, so that nobody takes a later one for it: the kernel gives the inode number of one that has gone to the
// next that is made.
import Glibc

/// One network namespace, from its making to its end.
public struct NamespaceIdentity: Equatable, Sendable {
    /// Of /proc/self/ns/net: no two namespaces have the same at one time.
    public var inode: UInt64
    /// Of this boot of the kernel; empty where it does not tell.
    public var boot: String
    /// Given once in a boot; nil before Linux 5.14, where a namespace is known by its inode alone.
    public var cookie: UInt64?

    /// SO_NETNS_COOKIE of asm-generic/socket.h.
    private static let cookieOption: Int32 = 71

    /// As somebody has noted it.
    public init(inode: UInt64, boot: String, cookie: UInt64?) {
        self.inode = inode
        self.boot = boot
        self.cookie = cookie
    }

    /// The one that this process is in. ENOENT: there is no /proc.
    public static func current() throws(Errno) -> NamespaceIdentity {
        var status = stat()
        guard stat("/proc/self/ns/net", &status) == 0 else { throw Errno(errno, "/proc/self/ns/net") }
        return NamespaceIdentity(inode: UInt64(status.st_ino), boot: SystemClock.bootID, cookie: currentCookie())
    }

    private static func currentCookie() -> UInt64? {
        let number = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return nil }
        let descriptor = FileDescriptor(owning: number)
        var cookie: UInt64 = 0
        var size = socklen_t(MemoryLayout<UInt64>.size)
        guard getsockopt(descriptor.number, SOL_SOCKET, cookieOption, &cookie, &size) == 0 else { return nil }
        return cookie
    }

    /// As a record names it.
    public var text: String { "\(boot)/\(inode)" + (cookie.map { "/\($0)" } ?? "") }
}
