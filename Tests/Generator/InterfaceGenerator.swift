// One interface: a file of its structs, one of its enumerations, one of its methods and errors, one of
// how all that is read and written; Dispatch.swift makes the one of who answers them.
import Varlink

struct InterfaceGenerator {
    let interface: InterfaceDefinition
    let shared: Shared

    init(_ interface: InterfaceDefinition, _ shared: Shared) {
        self.interface = interface
        self.shared = shared
    }

    /// `io.evenkeel.Vrrp` is `VrrpAPI`.
    var namespace: String { interface.name.split(separator: ".").suffix(1).joined() + "API" }
    var source: String { "Sources/Bus/interfaces/\(interface.name).varlink" }

    /// The namespace with its structs.
    func types() throws(GeneratorError) -> GeneratedFile {
        var text = SwiftText()
        text.head(source, "The types of `\(interface.name)`; methods and errors are in \(namespace)+Methods.swift.")
        text.line("public import JSON")
        text.line()
        text.documentation(interface.documentation)
        let conformance = shared.isReloadable(interface) ? ": ReloadableAPI" : ""
        try text.block("public enum \(namespace)\(conformance)") { (text) throws(GeneratorError) in
            text.documentation("The interface.")
            text.line("public static let interface = \"\(interface.name)\"")
            for member in interface.members {
                guard case .type(let type) = member.declaration else { continue }
                switch type {
                case .structure(let fields):
                    let remarks = try Remarks(member.documentation, of: member.name)
                    text.line()
                    text.documentation(remarks.documentation)
                    if let event = remarks.event { text.documentation("Data of the event `\(event)`.") }
                    try text.structure(member.name, ": JSONStructure, Hashable, Sendable", fields)
                case .enumeration: break
                case .bool, .int, .float, .string, .object, .named, .array, .map, .optional:
                    throw GeneratorError("\(interface.name).\(member.name): only structs and enumerations have names")
                }
            }
        }
        return GeneratedFile(name: "\(namespace).swift", text: text.text)
    }

    /// How structs, methods and errors are read and written.
    func coding() throws(GeneratorError) -> GeneratedFile {
        var text = SwiftText()
        text.head(source, "How the types of `\(interface.name)` are read from JSON and written.")
        text.line("public import JSON")
        for member in interface.members where !shared.isReload(member.name) { try text.coding(member, in: namespace) }
        return GeneratedFile(name: "\(namespace)+Coding.swift", text: text.text)
    }

    /// The enumerations; nil when there are none.
    func enumerations() throws(GeneratorError) -> GeneratedFile? {
        var text = SwiftText()
        text.head(source, "The enumerations of `\(interface.name)`; a value from a newer peer is `.other`.")
        text.line()
        var isFirst = true
        try text.block("extension \(namespace)") { (text) throws(GeneratorError) in
            for member in interface.members {
                guard case .type(.enumeration(let names)) = member.declaration else { continue }
                if !isFirst { text.line() }
                isFirst = false
                text.documentation(member.documentation)
                try text.enumeration(member.name, names)
            }
        }
        return isFirst ? nil : GeneratedFile(name: "\(namespace)+Enumerations.swift", text: text.text)
    }

    /// Methods and errors.
    func methods() throws(GeneratorError) -> GeneratedFile {
        var text = SwiftText()
        text.head(
            source, "The methods and errors of `\(interface.name)`: a call is its parameters, `Reply` what comes back.")
        text.line("public import JSON")
        text.line("public import Varlink")
        text.line()
        var isFirst = true
        try text.block("extension \(namespace)") { (text) throws(GeneratorError) in
            for member in interface.members where !shared.isReload(member.name) {
                if case .type = member.declaration { continue }
                if !isFirst { text.line() }
                isFirst = false
                try text.callable(member, qualified: "static let NAME = \"\(interface.name).\(member.name)\"")
            }
        }
        return GeneratedFile(name: "\(namespace)+Methods.swift", text: text.text)
    }
}

extension IDLType {
    /// The type in Swift. Types without a name of their own would have none in Swift either.
    func swift(at place: String) throws(GeneratorError) -> String {
        switch self {
        case .bool: return "Bool"
        case .int: return "Int"
        case .float: return "Double"
        case .string: return "String"
        case .object: return "JSONValue"
        case .named(let name): return name
        case .array(let element): return "[\(try element.swift(at: place))]"
        case .map(let value): return "[String: \(try value.swift(at: place))]"
        case .optional(let wrapped): return try wrapped.swift(at: place) + "?"
        case .structure, .enumeration: throw GeneratorError("\(place): give the type a name (\"type Name (…)\")")
        }
    }
}
