// Generated from Sources/Bus/interfaces: change that and run `make generate`.
// What every method that changes something returns.

/// The reply of a change: a script can wait for its own event.
public struct ChangeReply: Codable, Hashable, Sendable {
    /// The event this change caused; absent while the bus is away or when nothing changed.
    public var seq: Int?

    public init(seq: Int? = nil) {
        self.seq = seq
    }
}
