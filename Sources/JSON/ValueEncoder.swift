// Encodable into `JSONValue`. An encoder is one box that containers fill; a nested container owns a box of its own which
// the parent's box holds, so the order of members is the order of the calls.

final class ValueEncoder: Encoder {
    /// What has been written. The boxes of members and elements are in `boxes`.
    enum Result {
        case nothing
        case value(JSONValue)
        case members
        case elements
    }

    var result: Result = .nothing
    private var names: [String] = []
    fileprivate private(set) var boxes: [ValueEncoder] = []
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(codingPath: [any CodingKey]) {
        self.codingPath = codingPath
    }

    /// A value as JSON.
    static func encode(_ value: some Encodable, at path: [any CodingKey]) throws -> JSONValue {
        let encoder = ValueEncoder(codingPath: path)
        try value.encode(to: encoder)
        return encoder.value
    }

    /// What has been written, as one value. Nothing at all reads as an empty object.
    var value: JSONValue {
        switch result {
        case .nothing: return .object([:])
        case .value(let value): return value
        case .elements: return .array(boxes.map(\.value))
        case .members:
            var object = JSONObject()
            for (name, box) in zip(names, boxes) { object[name] = box.value }
            return .object(object)
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .nothing = result { result = .members }
        return KeyedEncodingContainer(MemberWriter<Key>(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .nothing = result { result = .elements }
        return ElementWriter(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    fileprivate func member(_ key: any CodingKey) -> ValueEncoder {
        names.append(key.stringValue)
        return box(at: key)
    }

    fileprivate func element() -> ValueEncoder { box(at: PathKey(boxes.count)) }

    private func box(at key: any CodingKey) -> ValueEncoder {
        let box = ValueEncoder(codingPath: codingPath + [key])
        boxes.append(box)
        return box
    }
}

extension ValueEncoder: SingleValueEncodingContainer {
    func encodeNil() { result = .value(.null) }
    func encode(_ value: Bool) { result = .value(.bool(value)) }
    func encode(_ value: String) { result = .value(.string(value)) }
    func encode(_ value: Float) throws { try encode(Double(value)) }
    func encode(_ value: Int) throws { try integer(value) }
    func encode(_ value: Int8) throws { try integer(value) }
    func encode(_ value: Int16) throws { try integer(value) }
    func encode(_ value: Int32) throws { try integer(value) }
    func encode(_ value: Int64) throws { try integer(value) }
    func encode(_ value: UInt) throws { try integer(value) }
    func encode(_ value: UInt8) throws { try integer(value) }
    func encode(_ value: UInt16) throws { try integer(value) }
    func encode(_ value: UInt32) throws { try integer(value) }
    func encode(_ value: UInt64) throws { try integer(value) }
    func encode(_ value: some Encodable) throws { try value.encode(to: self) }

    func encode(_ value: Double) throws {
        guard value.isFinite else { throw JSONCodingError(path: codingPath, problem: JSONError.notFinite.description) }
        result = .value(.double(value))
    }

    private func integer(_ value: some FixedWidthInteger) throws {
        guard let number = Int64(exactly: value) else {
            throw JSONCodingError(path: codingPath, problem: "\(value) does not fit a 64-bit signed integer")
        }
        result = .value(.int(number))
    }
}

private struct MemberWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: ValueEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }

    func encodeNil(forKey key: Key) { encoder.member(key).encodeNil() }
    func encode(_ value: some Encodable, forKey key: Key) throws { try value.encode(to: encoder.member(key)) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        encoder.member(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        encoder.member(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { encoder.member(PathKey(stringValue: "super")) }
    func superEncoder(forKey key: Key) -> any Encoder { encoder.member(key) }
}

private struct ElementWriter: UnkeyedEncodingContainer {
    let encoder: ValueEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }

    var count: Int { encoder.boxes.count }

    func encodeNil() { encoder.element().encodeNil() }
    func encode(_ value: some Encodable) throws { try value.encode(to: encoder.element()) }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        encoder.element().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder.element().unkeyedContainer() }
    func superEncoder() -> any Encoder { encoder.element() }
}
