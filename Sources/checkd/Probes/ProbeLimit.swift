// How many probes may run at once: one descriptor each, up to a number beyond which more at once would only lose packets.
import CLinux

/// A limit of this process.
struct ProbeLimit {
    /// Kept free for the bus, its clients, files and the loop itself.
    static let reserve = 64
    /// More connections at once than this are not attempted.
    private static let ceiling = 4096

    /// Descriptors that the process may have.
    let descriptors: Int

    /// Raises the soft limit to the hard one.
    static func ofThisProcess() -> ProbeLimit {
        ProbeLimit(descriptors: max(reserve + 1, Int(clamping: ek_raise_descriptor_limit())))
    }

    /// Probes that may run at once.
    var probes: Int { min(Self.ceiling, descriptors - Self.reserve) }

    /// True when the descriptors, and not the ceiling, keep so many checks from running at once.
    func isShort(for checks: Int) -> Bool {
        probes < min(checks, Self.ceiling)
    }
}
