// Texts and values. A text is read from the nodes of the strict scan, which it needs in any case (json-c accepts too much: recipes.md §4), so
// that reading it once more by json-c would double the cost; json-c writes, and this is the only place that knows it.
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
        return .success(index.value(at: 0, in: text))
    }
}

extension JSONIndex {
    /// The value at `node`, with everything in it.
    public func value(at node: Int, in text: UnsafeRawBufferPointer) -> JSONValue {
        let found = nodes[node]
        switch found.kind {
        case .null: return .null
        case .bool: return .bool(text[found.start] == UInt8(ascii: "t"))
        case .int: return .int(Int64(String(decoding: text[found.start..<found.end], as: UTF8.self)) ?? 0)
        case .double: return .double(Double(String(decoding: text[found.start..<found.end], as: UTF8.self)) ?? 0)
        case .string: return .string(string(at: node, in: text))
        case .array:
            var elements: [JSONValue] = []
            var position = node + 1
            while position < found.next {
                elements.append(value(at: position, in: text))
                position = nodes[position].next
            }
            return .array(elements)
        case .object:
            var object = JSONObject()
            var position = node + 1
            while position < found.next {
                // The scan has found every name but once.
                object.append(.init(key: string(at: position, in: text), value: value(at: position + 1, in: text)))
                position = nodes[position + 1].next
            }
            return .object(object)
        }
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
            let isNew = UInt32(JSON_C_OBJECT_ADD_KEY_IS_NEW)
            do throws(JSONError) {
                for member in object.members {
                    guard !member.key.utf8.contains(0) else { throw JSONError.nulInKey(offset: 0) }
                    json_object_object_add_ex(tree, member.key, try member.value.tree(), isNew)
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
