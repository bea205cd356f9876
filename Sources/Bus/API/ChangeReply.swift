// Generated from Sources/Bus/interfaces: change that and run `make generate`.
// What every method that changes something returns.
public import JSON

/// The reply of a change: a script can wait for its own event.
public struct ChangeReply: JSONStructure, Hashable, Sendable {
    /// The event this change caused; absent while the bus is away or when nothing changed.
    public var seq: Int?

    public init(seq: Int? = nil) {
        self.seq = seq
    }
}

extension ChangeReply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.seq = try members.optional("seq")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("seq", self.seq)
        return object
    }
}
