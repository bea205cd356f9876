// The only place that knows json-c. Texts reach it after `JSONIndex` has accepted them; values are copied out of its
// reference-counted tree at once and the tree is released.
internal import CJsonC

extension JSONValue {
    /// Reads one JSON text strictly: RFC 8259 with the limits, 64-bit integers, finite floats, unique names, UTF-8.
    public init(parsing text: some Sequence<UInt8>, limits: JSONLimits = .message) throws(JSONError) {
        let parsed = text.withContiguousStorageIfAvailable { Self.parse(UnsafeRawBufferPointer($0), limits) }
        self = try (parsed ?? Array(text).withUnsafeBytes { Self.parse($0, limits) }).get()
    }

    /// Reads one JSON text that lies in memory.
    public init(parsing text: UnsafeRawBufferPointer, limits: JSONLimits = .message) throws(JSONError) {
        self = try Self.parse(text, limits).get()
    }

    /// Reads one JSON text that lies in memory and leaves its scan in `index`.
    public init(
        parsing text: UnsafeRawBufferPointer, limits: JSONLimits = .message, index: inout JSONIndex
    ) throws(JSONError) {
        self = try Self.parse(text, limits, &index).get()
    }

    private static func parse(_ text: UnsafeRawBufferPointer, _ limits: JSONLimits) -> Result<JSONValue, JSONError> {
        var index = JSONIndex()
        return parse(text, limits, &index)
    }

    private static func parse(
        _ text: UnsafeRawBufferPointer, _ limits: JSONLimits, _ index: inout JSONIndex
    ) -> Result<JSONValue, JSONError> {
        do throws(JSONError) {
            try index.scan(text, limits: limits)
        } catch {
            return .failure(error)
        }
        // json-c counts the top-level value itself as a level.
        guard let tokener = json_tokener_new_ex(Int32(clamping: limits.depth + 2)) else {
            return .failure(.syntax(.rejectedByParser, offset: 0))
        }
        defer { json_tokener_free(tokener) }
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8)
        let characters = text.bindMemory(to: CChar.self)
        var tree = json_tokener_parse_ex(tokener, characters.baseAddress, Int32(clamping: text.count))
        if json_tokener_get_error(tokener) == json_tokener_continue {
            var end: CChar = 0  // A bare number ends only where something follows it.
            tree = json_tokener_parse_ex(tokener, &end, 1)
        }
        defer { json_object_put(tree) }
        guard json_tokener_get_error(tokener) == json_tokener_success else {
            return .failure(.syntax(.rejectedByParser, offset: json_tokener_get_parse_end(tokener)))
        }
        return .success(JSONValue(tree: tree))
    }

    private init(tree: OpaquePointer?) {
        switch json_object_get_type(tree) {
        case json_type_boolean: self = .bool(json_object_get_boolean(tree) != 0)
        case json_type_int: self = .int(json_object_get_int64(tree))
        case json_type_double: self = .double(json_object_get_double(tree))
        case json_type_string: self = .string(Self.text(of: tree))
        case json_type_array:
            self = .array(
                (0..<json_object_array_length(tree)).map { JSONValue(tree: json_object_array_get_idx(tree, $0)) })
        case json_type_object:
            var object = JSONObject()
            var entry = json_object_get_object(tree)?.pointee.head
            while let member = entry {
                let key = lh_entry_k(member).map { String(cString: $0.assumingMemoryBound(to: CChar.self)) } ?? ""
                object[key] = JSONValue(tree: lh_entry_v(member).map { OpaquePointer($0) })
                entry = member.pointee.next
            }
            self = .object(object)
        default: self = .null  // json-c's null is a nil pointer.
        }
    }

    private static func text(of tree: OpaquePointer?) -> String {
        guard let characters = json_object_get_string(tree) else { return "" }
        let octets = UnsafeRawBufferPointer(start: characters, count: Int(json_object_get_string_len(tree)))
        return String(decoding: octets, as: UTF8.self)
    }
}

extension JSONValue {
    /// The value as one line of JSON: floats in the shortest form that reads back the same, `/` not escaped.
    ///
    /// Throws for NaN, infinities and names containing U+0000.
    public func serialised() throws(JSONError) -> [UInt8] {
        let tree = try tree()
        defer { json_object_put(tree) }
        var length = 0
        let flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE
        guard let text = json_object_to_json_string_length(tree, flags, &length) else { return Array("null".utf8) }
        return Array(UnsafeRawBufferPointer(start: text, count: length))
    }

    /// A json-c tree of this value, to be released by the caller. Nil is json-c's null.
    private func tree() throws(JSONError) -> OpaquePointer? {
        switch self {
        case .null: return nil
        case .bool(let value): return json_object_new_boolean(value ? 1 : 0)
        case .int(let number): return json_object_new_int64(number)
        case .double(let number):
            guard number.isFinite else { throw .notFinite }
            return json_object_new_double_s(number, number.description)
        case .string(let text):
            var text = text
            return text.withUTF8 { octets in
                octets.withMemoryRebound(to: CChar.self) { characters in
                    guard let start = characters.baseAddress else { return json_object_new_string("") }
                    return json_object_new_string_len(start, Int32(clamping: characters.count))
                }
            }
        case .array(let elements):
            let array = json_object_new_array_ext(Int32(clamping: elements.count))
            do throws(JSONError) {
                for element in elements { json_object_array_add(array, try element.tree()) }
            } catch {
                json_object_put(array)
                throw error
            }
            return array
        case .object(let object):
            let tree = json_object_new_object()
            do throws(JSONError) {
                for member in object.members {
                    guard !member.key.utf8.contains(0) else { throw JSONError.nulInKey(offset: 0) }
                    json_object_object_add(tree, member.key, try member.value.tree())
                }
            } catch {
                json_object_put(tree)
                throw error
            }
            return tree
        }
    }
}

extension JSONValue {
    /// `serialised` as text.
    public func text() throws(JSONError) -> String { String(decoding: try serialised(), as: UTF8.self) }
}
