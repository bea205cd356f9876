// Whether the kernel can be asked at all. Answers that were lost are asked for again at once, and only the third failure in a row is a problem
// that people hear of; a missing module or privilege is one at once. Between attempts the time grows from 1 to 10 s.

import Glibc
import Net
import Netlink
import Platform

/// Why the table cannot be kept, for people.
struct KernelProblem: Hashable {
    let message: String
    let remedy: String

    init(_ error: NetlinkError) {
        message = "the IPVS table cannot be kept: \(error)"
        remedy =
            switch error {
            case .noFamily: "run 'modprobe ip_vs', and name ip_vs in /etc/modules-load.d/evenkeel.conf; retrying"
            case .refused(EPERM, _), .system(_, EPERM): "give the process CAP_NET_ADMIN; retrying"
            case .system, .refused, .overrun, .timedOut, .dumpInterrupted, .malformed, .messageTooLong:
                "the table is read again and repaired; if this goes on, keep the log and report it"
            }
    }
}

struct KernelHealth {
    private static let silentFailures = 3

    /// Nil while the table can be kept.
    private(set) var problem: KernelProblem?
    /// The kernel is left alone until then.
    private(set) var resume = Instant.zero
    private var failures = 0
    private var pace = RetryPace(longest: .seconds(10))

    /// A request failed. Returns true when the kernel is left alone for a while.
    mutating func failed(_ error: NetlinkError, at now: Instant) -> Bool {
        failures += 1
        if error.stateIsUnknown, failures < Self.silentFailures, problem == nil {
            resume = now
            return false
        }
        problem = KernelProblem(error)
        resume = now + pace.next()
        return true
    }

    /// Everything there was to ask and to write is done.
    mutating func isInOrder() {
        failures = 0
        pace.reset()
        problem = nil
    }
}
