// Whose fault a failed system call is. One table for each moment, because the same number means different things: EACCES at once is this
// host's own rule, EACCES that arrives on a connection is an ICMPv6 message (icmpv6_err_convert in the kernel's net/ipv6/icmp.c) that a
// server can send. What a server or the way to it can cause is always a failure.
import Glibc
import HealthCheck
import Platform

/// Errors of sockets as results of probes.
enum SystemFault {
    /// connect() can fail at once with these because of the server or because there is no way to it, which forwarded packets would not
    /// find either.
    private static let unreachable: [Int32] = [
        ECONNREFUSED, ECONNRESET, ECONNABORTED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENONET, EPIPE, EPROTO,
        ENOPROTOOPT,
    ]
    /// What this host alone can cause on a connection: memory, descriptors, its own rules, mistakes of its programs.
    private static let ours: [Int32] = [
        ENOMEM, ENOBUFS, ENOSPC, EMFILE, ENFILE, EPERM, EBADF, ENOTSOCK, EFAULT, EISCONN, EALREADY, EINPROGRESS,
    ]

    /// A call that involves nobody else failed: socket, bind, an option, epoll.
    static func here(_ number: Int32) -> ProbeOutcome {
        .inconclusive(.system(Errno.words(for: number)))
    }

    /// connect() failed at once.
    static func connecting(_ number: Int32) -> ProbeOutcome {
        unreachable.contains(number)
            ? .failure(.connection(Errno.words(for: number))) : .inconclusive(.system(Errno.words(for: number)))
    }

    /// An error that came up while the connection was being made, or on it.
    static func onTheWire(_ number: Int32) -> ProbeOutcome {
        ours.contains(number)
            ? .inconclusive(.system(Errno.words(for: number))) : .failure(.connection(Errno.words(for: number)))
    }
}
