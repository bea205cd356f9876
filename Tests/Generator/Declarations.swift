// The shapes of a declaration: a struct with its memberwise initialiser, an enumeration open to newer values, a method
// with its reply, an error.
import Varlink

extension SwiftText {
    /// A struct. `statics` stands before its fields, `tail` after its initialiser.
    mutating func structure(
        _ name: String, _ conformances: String, _ fields: [IDLField], statics: String? = nil,
        tail: (inout SwiftText) throws(GeneratorError) -> Void = { _ in }
    ) throws(GeneratorError) {
        try block("public struct \(name)\(conformances)") { (text) throws(GeneratorError) in
            if let statics { text.line("public " + statics) }
            var parameters: [String] = []
            for field in fields {
                let type = try field.type.swift(at: "\(name).\(field.name)")
                if !field.documentation.isEmpty { text.documentation(field.documentation) }
                text.line("public var \(field.name.identifier): \(type)")
                parameters.append("\(field.name.identifier): \(type)" + (type.hasSuffix("?") ? " = nil" : ""))
            }
            if statics != nil || !fields.isEmpty { text.line() }
            if fields.isEmpty {
                text.line("public init() {}")
            } else {
                text.list("public init(", parameters, ") {")
                for field in fields { text.line("    self.\(field.name) = \(field.name.identifier)") }
                text.line("}")
            }
            try tail(&text)
        }
    }

    /// How the struct of that name is read and written.
    mutating func coding(_ name: String, _ fields: [IDLField]) throws(GeneratorError) {
        try block("extension \(name)") { (text) throws(GeneratorError) in
            guard !fields.isEmpty else {
                text.line("public init(members: inout JSONMembers) {}")
                text.line("public var object: JSONObject { JSONObject() }")
                return
            }
            text.line("public init(members: inout JSONMembers) throws(JSONCodingError) {")
            for field in fields {
                let kind = if case .optional = field.type { "optional" } else { "required" }
                text.line("    self.\(field.name) = try members.\(kind)(\"\(field.name)\")")
            }
            text.line("}")
            text.line()
            text.line("public var object: JSONObject {")
            text.line("    var object = JSONObject(capacity: \(fields.count))")
            for field in fields { text.line("    object.add(\"\(field.name)\", self.\(field.name))") }
            text.line("    return object")
            text.line("}")
        }
    }

    /// How the structs of methods and errors are read and written.
    mutating func coding(_ member: InterfaceDefinition.Member, in namespace: String) throws(GeneratorError) {
        let name = "\(namespace).\(member.name)"
        switch member.declaration {
        case .type(.structure(let fields)), .error(let fields):
            line()
            try coding(name, fields)
        case .method(let input, let output):
            line()
            try coding(name, input)
            guard !Shared.isChange(output) else { return }
            line()
            try coding("\(name).Reply", output)
        case .type: break
        }
    }

    /// An enumeration that keeps what it does not know.
    mutating func enumeration(_ name: String, _ names: [String]) throws(GeneratorError) {
        guard !names.contains("other") else {
            throw GeneratorError("\(name): \"other\" is what a value from a newer peer is called; choose another name")
        }
        try block("public enum \(name): OpenEnumeration") { (text) throws(GeneratorError) in
            text.cases(names.map(\.identifier))
            text.documentation("A value that a newer peer knows.")
            text.line("case other(String)")
            text.line()
            text.list("public static let known: [Self] = [", names.map { "." + $0 }, "]", endsInComma: true)
            text.line()
            try text.block("public var rawValue: String") { (text) throws(GeneratorError) in
                text.line("switch self {")
                for name in names { text.line("case .\(name): \"\(name)\"") }
                text.line("case .other(let word): word")
                text.line("}")
            }
        }
    }

    /// A method or an error; `qualified` declares its full name, as NAME.
    mutating func callable(_ member: InterfaceDefinition.Member, qualified: String) throws(GeneratorError) {
        let remarks = try Remarks(member.documentation, of: member.name)
        documentation(remarks.documentation)
        switch member.declaration {
        case .type: break
        case .error(let fields):
            let statics = qualified.replacing("NAME", with: "error")
            try structure(member.name, ": VarlinkFailure, Hashable", fields, statics: statics)
        case .method(let input, let output):
            let statics = qualified.replacing("NAME", with: "method")
            try structure(member.name, ": VarlinkMethod", input, statics: statics) { (text) throws(GeneratorError) in
                text.line()
                guard !Shared.isChange(output) else { return text.line("public typealias Reply = ChangeReply") }
                text.documentation("What it returns.")
                try text.structure("Reply", ": JSONStructure, Hashable, Sendable", output)
            }
        }
    }
}
