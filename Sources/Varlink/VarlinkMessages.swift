// The two shapes of message, and their octets.
public import JSON

/// A call.
public struct VarlinkCall: Hashable, Sendable {
    /// `interface.Method`.
    public var method: String
    /// The parameters; empty when the message had none.
    public var parameters: JSONObject
    /// No reply is wanted, not even an error.
    public var oneway: Bool
    /// Several replies are welcome.
    public var more: Bool
    /// The connection is wanted for another protocol afterwards; never granted here.
    public var upgrade: Bool
    /// Reverse-domain objects that travel with the call.
    public var extensions: JSONObject

    /// A call to send.
    public init(
        method: String, parameters: JSONObject = [:], oneway: Bool = false, more: Bool = false, upgrade: Bool = false,
        extensions: JSONObject = [:]
    ) {
        self.method = method
        self.parameters = parameters
        self.oneway = oneway
        self.more = more
        self.upgrade = upgrade
        self.extensions = extensions
    }

    /// Reads a message without its NUL.
    public init(parsing message: ArraySlice<UInt8>) throws(VarlinkProtocolError) {
        self = try message.withUnsafeBytes { text in
            Result { () throws(VarlinkProtocolError) in try VarlinkCall(text) }
        }.get()
    }

    private init(_ text: UnsafeRawBufferPointer) throws(VarlinkProtocolError) {
        var index = JSONIndex()
        let value: JSONValue
        let limits = JSONLimits(octets: VarlinkFramer.relayedLimit, depth: JSONLimits.message.depth)
        do throws(JSONError) {
            value = try JSONValue(parsing: text, limits: limits, index: &index)
        } catch {
            throw .json(error)
        }
        let envelope = try CallEnvelope(index, in: text)
        self.init(
            method: index.string(at: envelope.method, in: text), parameters: value["parameters"]?.object ?? [:],
            oneway: envelope.oneway,
            more: envelope.more, upgrade: envelope.upgrade)
        for name in envelope.extensions {
            let key = index.string(at: name, in: text)
            extensions[key] = value[key]
        }
    }

    /// The message with its NUL. Members that say nothing are left out.
    public func encoded() throws(JSONError) -> [UInt8] {
        var message: JSONObject = ["method": .string(method), "parameters": .object(parameters)]
        if oneway { message["oneway"] = true }
        if more { message["more"] = true }
        if upgrade { message["upgrade"] = true }
        for member in extensions.members { message[member.key] = member.value }
        return try JSONValue.object(message).serialised() + [0]
    }

    /// The two halves of a method name; nil when there is no dot or nothing before it.
    public static func split(_ method: String) -> (interface: Substring, member: Substring)? {
        guard let dot = method.utf8.lastIndex(of: UInt8(ascii: ".")), dot > method.startIndex else { return nil }
        return (method[..<dot], method[method.utf8.index(after: dot)...])
    }
}

/// A reply.
public struct VarlinkReply: Hashable, Sendable {
    /// What is returned, or the parameters of the error.
    public var parameters: JSONObject
    /// More replies to the same call follow.
    public var continues: Bool
    /// The fully qualified error.
    public var error: String?

    /// A reply that returns something.
    public init(_ parameters: JSONObject = [:], continues: Bool = false) {
        self.parameters = parameters
        self.continues = continues
    }

    /// An error reply.
    public init(error: String, _ parameters: JSONObject = [:]) {
        self.parameters = parameters
        continues = false
        self.error = error
    }

    /// Reads a message without its NUL.
    public init(parsing message: ArraySlice<UInt8>) throws(VarlinkProtocolError) {
        guard let object = try JSONValue(message: message).object else { throw .notAnObject }
        self.init()
        for member in object.members {
            switch (member.key, member.value) {
            case ("parameters", .object(let parameters)): self.parameters = parameters
            case ("continues", .bool(let continues)): self.continues = continues
            case ("error", .string(let error)): self.error = error
            case ("parameters", .null), ("continues", .null), ("error", .null): break
            case ("parameters", _), ("continues", _), ("error", _): throw .badMember(member.key)
            case (let key, .object) where IDLNames.isInterface(key): break
            case (let key, _): throw .unknownMember(key)
            }
        }
        guard error == nil || !continues else { throw .errorAndContinues }
    }

    /// The message with its NUL. `parameters` is always sent: some clients insist.
    public func encoded() throws(JSONError) -> [UInt8] {
        var message: JSONObject = [:]
        if let error { message["error"] = .string(error) }
        message["parameters"] = .object(parameters)
        if continues { message["continues"] = true }
        return try JSONValue.object(message).serialised() + [0]
    }
}

/// The last reply to a call that asks for one long list, put together from replies with parts of it: a list of a thousand elements takes
/// longer to encode than one turn of a daemon may.
public struct VarlinkListReply: Sendable {
    private var name = ""
    /// The elements, separated by commas.
    private var elements: [UInt8] = []
    /// What parts say beside the list, each with a comma before it.
    private var rest: [UInt8] = []

    /// No element yet.
    public init() {}

    /// Octets so far.
    public var count: Int { elements.count + rest.count }

    /// Adds the elements of a reply whose first parameter is the list. Other parameters are taken as they come: only one part has each.
    public mutating func append(_ part: VarlinkReply) throws(JSONError) {
        for other in part.parameters.members.dropFirst() where other.value != .null {
            rest += Array(",\"\(other.key)\":".utf8)
            rest += try other.value.serialised()
        }
        guard let member = part.parameters.members.first, case .array(let values) = member.value, !values.isEmpty else {
            return
        }
        name = member.key
        if !elements.isEmpty { elements.append(UInt8(ascii: ",")) }
        elements += try member.value.serialised().dropFirst().dropLast()
    }

    /// The message with its NUL.
    func encoded() -> [UInt8] {
        Array("{\"parameters\":{\"\(name)\":[".utf8) + elements + Array("]".utf8) + rest
            + Array("}}".utf8) + [0]
    }
}

extension JSONValue {
    fileprivate init(message: ArraySlice<UInt8>) throws(VarlinkProtocolError) {
        do throws(JSONError) { self = try JSONValue(parsing: message) } catch { throw .json(error) }
    }
}
