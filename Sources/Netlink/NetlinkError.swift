// What can go wrong between us and the kernel over netlink. libnl folds errno into its own NLE_* codes ("Object exists" for
// several different refusals), so everything here keeps the kernel's errno. The one question a caller must ask of an error is
// `stateIsUnknown`: did the kernel perhaps act although we never heard? Then the only right thing is to dump and compare, at once: such errors
// pass by themselves and are no reason for an alarm before they have come three times in a row.

import Glibc

/// A netlink request that did not succeed.
public enum NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A system call on the socket failed; `code` is errno.
    case system(call: String, code: Int32)
    /// The kernel refused the request; `code` is its errno (positive) and `message` its extended text, often empty.
    case refused(code: Int32, message: String)
    /// The receive buffer overflowed (ENOBUFS): answers were lost.
    case overrun
    /// The kernel has no answer queued, so it was lost (or, when notifications are read: there is none now).
    case timedOut
    /// The kernel's table changed during the dump (NLM_F_DUMP_INTR), so the dump is not a snapshot.
    case dumpInterrupted
    /// The kernel's answer does not decode.
    case malformed(String)
    /// A message grew over the size that netlink can carry.
    case messageTooLong
    /// The kernel has no such generic netlink family: the module is not loaded.
    case noFamily(String)

    /// True when the kernel may or may not have acted: dump its state again before anything else.
    public var stateIsUnknown: Bool {
        switch self {
        case .overrun, .timedOut, .dumpInterrupted, .malformed: true
        case .system, .refused, .messageTooLong, .noFamily: false
        }
    }

    /// The errno behind the error, when there is one.
    public var code: Int32? {
        switch self {
        case .system(_, let code), .refused(let code, _): code
        case .overrun: ENOBUFS
        case .noFamily: ENOENT
        case .timedOut, .dumpInterrupted, .malformed, .messageTooLong: nil
        }
    }

    public var description: String {
        switch self {
        case .system(let call, let code): "netlink \(call): \(Self.text(code))"
        case .refused(EPERM, _): "the kernel refused: \(Self.text(EPERM)); the process needs CAP_NET_ADMIN"
        case .refused(let code, let message):
            "the kernel refused: \(Self.text(code))\(message.isEmpty ? "" : " (\(message))")"
        case .overrun: "netlink answers were lost (ENOBUFS): state unknown, dump again"
        case .timedOut: "a netlink answer was lost: state unknown, dump again"
        case .dumpInterrupted: "the kernel's table changed during the dump: dump again"
        case .malformed(let what): "netlink answer does not decode (\(what)): state unknown, dump again"
        case .messageTooLong: "netlink message too long"
        case .noFamily(let name): "the kernel has no generic netlink family \(name): load its module"
        }
    }

    private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
