// Methods and errors as Swift types: the value is the parameters, the type names the method.
public import JSON

/// The parameters of a method, and what it returns.
public protocol VarlinkMethod: Codable, Sendable {
    /// What a reply carries.
    associatedtype Reply: Codable & Sendable
    /// `interface.Method`.
    static var method: String { get }
}

/// The parameters of an error.
public protocol VarlinkFailure: Error, Codable, Sendable {
    /// `interface.Error`.
    static var error: String { get }
}

extension VarlinkMethod {
    /// The call that these parameters make.
    public func call(more: Bool = false, oneway: Bool = false) throws(JSONCodingError) -> VarlinkCall {
        VarlinkCall(method: Self.method, parameters: try .init(encoding: self), oneway: oneway, more: more)
    }
}

extension VarlinkReply {
    /// A reply that returns a Swift value.
    public init(encoding value: some Encodable, continues: Bool = false) throws(JSONCodingError) {
        self.init(try JSONObject(encoding: value), continues: continues)
    }

    /// An error reply. Parameters that cannot be encoded are left out: the error's name says the most.
    public init(_ failure: some VarlinkFailure) {
        self.init(error: type(of: failure).error, (try? JSONObject(encoding: failure)) ?? [:])
    }

    /// The error as a Swift value; nil when the reply is another error or none, or its parameters do not fit.
    public func failure<Failure: VarlinkFailure>(_ type: Failure.Type) -> Failure? {
        guard error == type.error else { return nil }
        return try? JSONValue.object(parameters).decode(type)
    }
}

extension JSONObject {
    /// A Swift value whose JSON is an object.
    public init(encoding value: some Encodable) throws(JSONCodingError) {
        guard let object = try JSONValue(encoding: value).object else {
            throw JSONCodingError(path: "", problem: "expected an object")
        }
        self = object
    }
}
