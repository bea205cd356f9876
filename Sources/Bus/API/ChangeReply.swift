// What every method that changes something returns, so that a script can wait for its own event.

/// The reply of a change.
public struct ChangeReply: Codable, Hashable, Sendable {
    /// The event this change caused; absent while the bus is away or when nothing changed.
    public var seq: Int?

    public init(seq: Int? = nil) {
        self.seq = seq
    }
}
