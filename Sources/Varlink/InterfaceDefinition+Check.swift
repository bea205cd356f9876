// Values against declarations: a call is checked before a handler sees it, and the tests check every Swift type.
public import JSON

extension InterfaceDefinition {
    /// Checks the parameters of a call, a reply or an error against their fields. Throws the path of the first misfit.
    public func check(_ parameters: JSONObject, against fields: [IDLField]) throws(JSONCodingError) {
        try check(parameters, fields, at: "")
    }

    private func check(_ object: JSONObject, _ fields: [IDLField], at path: String) throws(JSONCodingError) {
        for field in fields {
            let place = path.isEmpty ? field.name : "\(path).\(field.name)"
            try check(object[field.name] ?? .null, field.type, at: place)
        }
        for member in object.members where !fields.contains(where: { $0.name == member.key }) {
            throw JSONCodingError(path: path.isEmpty ? member.key : "\(path).\(member.key)", problem: "not a parameter")
        }
    }

    private func check(_ value: JSONValue, _ type: IDLType, at path: String) throws(JSONCodingError) {
        switch (type, value) {
        case (.optional, .null), (.bool, .bool), (.int, .int), (.float, .double), (.float, .int), (.string, .string),
            (.object, .object):
            return
        case (.optional(let type), _):
            try check(value, type, at: path)
        case (.enumeration(let names), .string(let name)):
            guard names.contains(name) else {
                throw JSONCodingError(path: path, problem: "\"\(name)\" is none of \(names.joined(separator: ", "))")
            }
        case (.structure(let fields), .object(let object)):
            try check(object, fields, at: path)
        case (.named(let name), _):
            guard case .type(let type) = self[name]?.declaration else {
                throw JSONCodingError(path: path, problem: "no type \(name)")
            }
            try check(value, type, at: path)
        case (.array(let type), .array(let elements)):
            for (index, element) in elements.enumerated() { try check(element, type, at: "\(path)[\(index)]") }
        case (.map(let type), .object(let object)):
            for member in object.members { try check(member.value, type, at: "\(path).\(member.key)") }
        case (.bool, _), (.int, _), (.float, _), (.string, _), (.object, _), (.enumeration, _), (.structure, _),
            (.array, _), (.map, _):
            throw JSONCodingError(
                path: path, problem: value.isNull ? "missing" : "expected \(type.kind), found \(value.kind)")
        }
    }
}

extension IDLType {
    /// The kind in the words of an error message.
    var kind: String {
        switch self {
        case .bool: "bool"
        case .int: "int"
        case .float: "float"
        case .string: "string"
        case .object, .structure, .map: "object"
        case .enumeration: "one of a set of strings"
        case .array: "array"
        case .named(let name): name
        case .optional(let type): type.kind
        }
    }
}
