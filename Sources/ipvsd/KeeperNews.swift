// What the service keeper tells its driver: for the log, and which subjects of the bus are to be said again.

import Configuration
import IPVS
import Netlink

/// What happened since it was last asked for.
struct KeeperNews {
    /// For the log.
    enum Line: Equatable {
        /// A verdict that counts.
        case verdict(ServerIdentity, HealthNote)
        /// Its checks change its weight.
        case weight(ServerIdentity, from: Int32, to: Int32)
        /// The table was read for the first time.
        case tableRead(services: Int)
        /// Somebody else changed the table; these commands put it right.
        case repaired([Command])
        /// Somebody else changed these services; nothing had to be done, or cannot be done now.
        case changedByOthers([VirtualServerIdentity])
        /// What the kernel refuses is new for this service.
        case refused(VirtualServerIdentity, String)
        /// Drains are over; `isCut`: connections were left when their time was.
        case drained([ServerIdentity], isCut: Bool)
        /// There were too many decisions about servers that are not configured; the oldest are forgotten.
        case orphansDropped([ServerIdentity])
        /// `lvs_timeouts` could not be set.
        case timeoutsNotSet(NetlinkError)
    }

    var lines: [Line] = []
    /// Services about which something is new, besides their servers.
    var services: Set<VirtualServerIdentity> = []
    /// Servers about which something is new.
    var servers: Set<ServerIdentity> = []
    /// Services that were put right after somebody else changed them.
    var repaired: Set<VirtualServerIdentity> = []
    /// Everything looks different: the kernel's problem began, changed or ended.
    var everything = false
}
