// Why a socket could not be joined, as far as that changes the advice.
import Glibc
import Platform

extension Errno {
    /// What an operator can do about it.
    enum Reason {
        /// There is no socket, or nobody listens.
        case absent
        /// The socket is there and not for this user.
        case notPermitted
        case other
    }

    var reason: Reason {
        switch code {
        case ENOENT, ECONNREFUSED: .absent
        case EACCES, EPERM: .notPermitted
        default: .other
        }
    }
}
