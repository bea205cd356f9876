// The kernel's table as `lbctl ipvs` sees it, and why it cannot be seen or changed.
import Configuration
import IPVS

/// A way to the table.
protocol TableAccess {
    /// Makes changes in order, each whatever became of those before it; those that were not made.
    func execute(_ requests: [TableRequest]) throws(TableFailure) -> [RefusedRequest]
    /// The whole table with its counters.
    func table() throws(TableFailure) -> WholeTable
    /// One service; nil when there is none.
    func service(_ identity: VirtualServerIdentity) throws(TableFailure) -> ServiceSnapshot?
    /// Version, size and timeouts.
    func facts() throws(TableFailure) -> KernelFacts
    /// Those that run.
    func syncDaemons() throws(TableFailure) -> [SyncDaemon]
}

/// The table, and what it is the table of.
struct WholeTable {
    var facts: KernelFacts
    var services: [ServiceSnapshot]
}

/// A request that was not carried out.
struct RefusedRequest: Equatable {
    /// Its place, from 0.
    var index: Int
    /// errno.
    var code: Int32
    /// What somebody other than the kernel says about it; nil = ipvsadm has a text for the errno.
    var text: String?
}

/// Why nothing can be done at all.
enum TableFailure: Error, Equatable {
    /// There is no IPVS, or it is not for this user: errno.
    case unavailable(Int32)
    /// The kernel refuses to show something: errno.
    case refused(Int32)
    /// Something else; the text says what to do, and the process ends with the status.
    case other(String, status: Int32)
}
