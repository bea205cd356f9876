// What breaks the protocol itself. There is no reply to these: the connection is closed.
public import JSON

/// A message, or an order of messages, that Varlink does not allow.
public enum VarlinkProtocolError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A message without its NUL after so many octets.
    case messageTooLong(limit: Int)
    /// Not JSON as this suite accepts it.
    case json(JSONError)
    /// JSON, but not an object.
    case notAnObject
    /// A call without `method`, or with one that is not `interface.Method`.
    case noMethod
    /// A member of the message has the wrong type.
    case badMember(String)
    /// Neither a member the protocol knows nor a reverse-domain object.
    case unknownMember(String)
    /// `oneway` and `more` in one call.
    case onewayAndMore
    /// `error` and `continues` in one reply.
    case errorAndContinues
    /// `continues` in the reply to a call without `more`.
    case continuesUnasked
    /// A reply to nothing.
    case unexpectedReply

    public var description: String {
        switch self {
        case .messageTooLong(let limit): "Varlink message longer than \(limit) octets"
        case .json(let error): error.description
        case .notAnObject: "Varlink message is not a JSON object"
        case .noMethod: "Varlink call without a method of the form interface.Method"
        case .badMember(let name): "Varlink message: \"\(name)\" has the wrong type"
        case .unknownMember(let name): "Varlink message: unknown member \"\(name)\""
        case .onewayAndMore: "Varlink call with both oneway and more"
        case .errorAndContinues: "Varlink reply with both error and continues"
        case .continuesUnasked: "Varlink reply continues although more was not asked for"
        case .unexpectedReply: "Varlink reply although no call is waiting"
        }
    }
}
