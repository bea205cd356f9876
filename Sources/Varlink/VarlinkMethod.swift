// Methods and errors as Swift types: the value is the parameters, the type names the method.
public import JSON

/// The parameters of a method, and what it returns.
public protocol VarlinkMethod: JSONStructure, Sendable {
    /// What a reply carries.
    associatedtype Reply: JSONStructure & Sendable
    /// `interface.Method`.
    static var method: String { get }
}

/// The parameters of an error.
public protocol VarlinkFailure: Error, JSONStructure, Sendable {
    /// `interface.Error`.
    static var error: String { get }
}

extension VarlinkMethod {
    /// The call that these parameters make.
    public func call(more: Bool = false, oneway: Bool = false) -> VarlinkCall {
        VarlinkCall(method: Self.method, parameters: object, oneway: oneway, more: more)
    }
}

extension VarlinkReply {
    /// A reply that returns a Swift value.
    public init(encoding value: some JSONStructure, continues: Bool = false) {
        self.init(value.object, continues: continues)
    }

    /// An error reply.
    public init(_ failure: some VarlinkFailure) {
        self.init(error: type(of: failure).error, failure.object)
    }

    /// The error as a Swift value; nil when the reply is another error or none, or its parameters do not fit.
    public func failure<Failure: VarlinkFailure>(_ type: Failure.Type) -> Failure? {
        guard error == type.error else { return nil }
        return try? JSONValue.object(parameters).decode(type)
    }
}
