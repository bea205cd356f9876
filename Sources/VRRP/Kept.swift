// What a keeper can keep, how it asks for it, and how patiently.

internal import Net

/// Something that can be wanted of the kernel.
protocol Kept: Hashable, Sendable {
    /// What makes it this one: two of one key are never wanted beside each other.
    associatedtype Key: Hashable & Sendable
    var key: Key { get }
    /// The kernel has it.
    func isPresent(in table: LinkTable) -> Bool
    /// What it belongs to is there: without its interface nobody needs to ask for it.
    func isPossible(in table: LinkTable) -> Bool
}

/// The kernel does what it was asked for again after this, or later.
enum KeeperTiming {
    /// A refused request is made again after this.
    static let retryInterval = Duration.seconds(1)
    /// Put back at once so often; then after 1, 2, 4 … 32 s: two managers of one thing must not keep the network busy.
    static let patience = 4
    /// The kernel's notification of what we did ourselves comes before this.
    static let notificationLimit = Duration.seconds(1)
    /// Losses further apart are no row.
    static let row = Duration.seconds(64)
}

/// A change of one of the kernel's tables.
public enum Change<Object: Hashable & Sendable>: Hashable, Sendable {
    case add(Object)
    case delete(Object)

    /// What is added or deleted.
    public var object: Object {
        switch self {
        case .add(let object), .delete(let object): object
        }
    }
}
