// Where ipvsd keeps what has to survive it, so that a simulation can put a scripted disk in its place.

import Platform

/// One file that is replaced whole. The content is made and written off the loop; the latest content wins.
protocol StateStore: AnyObject {
    /// Where it is.
    var path: String { get }
    /// Why the last write failed; nil when it succeeded.
    var failure: Errno? { get }
    /// Called when `failure` changes.
    var failureChanged: ((Errno?) -> Void)? { get set }
    /// The content; nil when there is none.
    func read() throws(Errno) -> [UInt8]?
    /// Renames the file to NAME.damaged-TIME and returns the new path.
    func setAside() throws(Errno) -> String
    /// Gives what the file has now a second name, NAME.older, that stays when it is replaced, and returns the new path.
    func keepOlder() throws(Errno) -> String
    /// Replaces the content. `done` is called on the loop when this content or a later one is on the disk, or with the error when writing
    /// it failed; a write that failed is tried again.
    func write(_ make: @escaping @Sendable () -> [UInt8], done: ((Errno?) -> Void)?)
}

extension LedgerFile: StateStore {}
