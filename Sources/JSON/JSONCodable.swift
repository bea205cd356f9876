// Swift types that know their JSON. What Codable does with containers, keys as strings of generic types and a box for each value costs thirty
// times as much, and is on the way from a check to the kernel's table; so the types of the interfaces are generated with these two members, and
// the few others have them written out.

/// A value that is written as JSON and read from it.
public protocol JSONCodable {
    /// Reads a value, or says where it does not fit.
    init(json: JSONValue) throws(JSONCodingError)
    /// The value as JSON.
    var json: JSONValue { get }
}

/// A value whose JSON is an object.
public protocol JSONStructure: JSONCodable {
    /// Reads the members of an object; those that it does not know are passed over.
    init(members: inout JSONMembers) throws(JSONCodingError)
    /// The members, those without a value left out.
    var object: JSONObject { get }
}

extension JSONStructure {
    public init(json: JSONValue) throws(JSONCodingError) {
        guard case .object(let object) = json else { throw .mismatch("object", json) }
        var members = JSONMembers(object)
        try self.init(members: &members)
    }

    public var json: JSONValue { .object(object) }
}

/// The members of an object while they are read, which is fastest in the order in which they were written.
public struct JSONMembers {
    private let object: JSONObject
    private var next = 0

    init(_ object: JSONObject) { self.object = object }

    /// The value of a member that has to be there.
    public mutating func required<Value: JSONCodable>(_ name: String) throws(JSONCodingError) -> Value {
        guard let value = take(name) else { throw JSONCodingError(path: name, problem: "missing") }
        do throws(JSONCodingError) { return try Value(json: value) } catch { throw error.within(name) }
    }

    /// The value of a member that need not be there; `null` says the same.
    public mutating func optional<Value: JSONCodable>(_ name: String) throws(JSONCodingError) -> Value? {
        guard let value = take(name) else { return nil }
        if case .null = value { return nil }
        do throws(JSONCodingError) { return try Value(json: value) } catch { throw error.within(name) }
    }

    private mutating func take(_ name: String) -> JSONValue? {
        guard next < object.members.count, object.members[next].key == name else { return object[name] }
        next += 1
        return object.members[next - 1].value
    }
}

extension JSONObject {
    /// Adds a member of a name that is not there yet.
    public mutating func add(_ name: String, _ value: some JSONCodable) {
        assert(self[name] == nil)
        append(Member(key: name, value: value.json))
    }

    /// Adds a member of a name that is not there yet; without a value none.
    public mutating func add(_ name: String, _ value: (some JSONCodable)?) {
        if let value { add(name, value) }
    }
}

extension JSONValue {
    /// This value as a Swift type.
    public func decode<Decoded: JSONCodable>(_ type: Decoded.Type = Decoded.self) throws(JSONCodingError) -> Decoded {
        try Decoded(json: self)
    }
}

// MARK: Values

extension JSONValue: JSONCodable {
    public init(json: JSONValue) { self = json }
    public var json: JSONValue { self }
}

extension Bool: JSONCodable {
    public init(json: JSONValue) throws(JSONCodingError) {
        guard case .bool(let value) = json else { throw .mismatch("bool", json) }
        self = value
    }

    public var json: JSONValue { .bool(self) }
}

extension Int: JSONCodable {
    public init(json: JSONValue) throws(JSONCodingError) { self = Int(try Int64(json: json)) }
    public var json: JSONValue { .int(Int64(self)) }
}

extension Int64: JSONCodable {
    public init(json: JSONValue) throws(JSONCodingError) {
        guard case .int(let number) = json else { throw .mismatch("int", json) }
        self = number
    }

    public var json: JSONValue { .int(self) }
}

extension Double: JSONCodable {
    /// An integer is a float as well.
    public init(json: JSONValue) throws(JSONCodingError) {
        guard let number = json.double else { throw .mismatch("float", json) }
        self = number
    }

    public var json: JSONValue { .double(self) }
}

extension String: JSONCodable {
    public init(json: JSONValue) throws(JSONCodingError) {
        guard case .string(let text) = json else { throw .mismatch("string", json) }
        self = text
    }

    public var json: JSONValue { .string(self) }
}

/// Enumerations of words.
extension JSONCodable where Self: RawRepresentable, RawValue == String {
    public init(json: JSONValue) throws(JSONCodingError) {
        let word = try String(json: json)
        guard let value = Self(rawValue: word) else { throw JSONCodingError(path: "", problem: "unknown word \(word)") }
        self = value
    }

    public var json: JSONValue { .string(rawValue) }
}

// MARK: Collections

extension Array: JSONCodable where Element: JSONCodable {
    public init(json: JSONValue) throws(JSONCodingError) {
        guard case .array(let values) = json else { throw .mismatch("array", json) }
        self.init()
        reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            do throws(JSONCodingError) { append(try Element(json: value)) } catch { throw error.within("[\(index)]") }
        }
    }

    public var json: JSONValue { .array(map(\.json)) }
}

extension Set: JSONCodable where Element: JSONCodable {
    public init(json: JSONValue) throws(JSONCodingError) { self.init(try [Element](json: json)) }
    public var json: JSONValue { .array(map(\.json)) }
}

extension Dictionary: JSONCodable where Key == String, Value: JSONCodable {
    public init(json: JSONValue) throws(JSONCodingError) {
        guard case .object(let object) = json else { throw .mismatch("object", json) }
        self.init(minimumCapacity: object.members.count)
        for member in object.members {
            do throws(JSONCodingError) {
                self[member.key] = try Value(json: member.value)
            } catch {
                throw error.within(member.key)
            }
        }
    }

    public var json: JSONValue {
        var object = JSONObject()
        for (key, value) in self { object.add(key, value) }
        return .object(object)
    }
}
