// JSON for people: indented, members in the order of the wire.
import JSON

enum JSONText {
    /// One line.
    static func line(_ value: JSONValue) -> String {
        guard let octets = try? value.serialised() else { return "?" }
        return String(decoding: octets, as: UTF8.self)
    }

    /// Two spaces a level; empty arrays and objects stay on their line.
    static func indented(_ value: JSONValue, level: Int = 0) -> String {
        let inner = String(repeating: "  ", count: level + 1)
        let outer = String(repeating: "  ", count: level)
        switch value {
        case .array(let elements) where !elements.isEmpty:
            let lines = elements.map { inner + indented($0, level: level + 1) }
            return "[\n" + lines.joined(separator: ",\n") + "\n\(outer)]"
        case .object(let object) where !object.isEmpty:
            let lines = object.members.map { member in
                inner + line(.string(member.key)) + ": " + indented(member.value, level: level + 1)
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
        case .null, .bool, .int, .double, .string, .array, .object: return line(value)
        }
    }
}
