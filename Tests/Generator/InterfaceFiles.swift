// From the .varlink files to the Swift files of Sources/Bus/API. Each interface becomes an enum that is the namespace of
// its types: `io.evenkeel.Vrrp` is `VrrpAPI`. What several interfaces declare alike is one Swift type (Shared.swift).
//
// A peer may be newer than this code. A field that is not known is skipped by the decoder; a value of an enumeration that
// is not known becomes `.other(word)`, which is also how it is written again.
public import Varlink

/// A generated file.
public struct GeneratedFile: Hashable, Sendable {
    /// Its name: `VrrpAPI.swift`.
    public let name: String
    /// All of it.
    public let text: String
}

/// The Swift files of some interfaces.
public struct InterfaceFiles {
    let interfaces: [InterfaceDefinition]

    /// Interfaces in the order in which they are to be named. An interface of org.varlink has roles but no Swift types.
    public init(_ interfaces: [InterfaceDefinition]) {
        self.interfaces = interfaces
    }

    /// All files, or the first thing that cannot be generated.
    public func files() throws(GeneratorError) -> [GeneratedFile] {
        let own = interfaces.filter { !$0.name.hasPrefix("org.varlink.") }
        let shared = try Shared(own)
        var files: [GeneratedFile] = []
        for interface in own {
            let generator = InterfaceGenerator(interface, shared)
            files += [
                try generator.types(), try generator.enumerations(), try generator.methods(), try generator.coding(),
                try generator.dispatch(),
            ].compactMap { $0 }
        }
        files += [try shared.changeReply(), try shared.reloading()].compactMap { $0 }
        return files + [try policy()]
    }

    /// Who may call what, and what events there are.
    private func policy() throws(GeneratorError) -> GeneratedFile {
        var roles: [String] = []
        var needMore: [String] = []
        var events: [String] = []
        for interface in interfaces {
            for member in interface.members {
                let method = "\(interface.name).\(member.name)"
                let remarks = try Remarks(member.documentation, of: method)
                if let event = remarks.event { events.append("\"\(event)\",") }
                guard case .method = member.declaration else { continue }
                guard let role = remarks.role else {
                    throw GeneratorError("\(method): write \"# Role: reader\" or another role above it")
                }
                roles.append("\"\(method)\": .\(role),")
                if remarks.needsMore { needMore.append("\"\(method)\",") }
            }
        }
        var text = SwiftText()
        text.head("Sources/Bus/interfaces", "Who may call which method, which need `more`, and what events there are.")
        text.line()
        try text.block("extension Interfaces") { (text) throws(GeneratorError) in
            text.documentation("The least role that may call a method.")
            text.entries("public static let roles: [String: Role] = [", roles)
            text.line()
            text.documentation("Methods that make no sense without `more`.")
            text.entries("public static let needMore: Set<String> = [", needMore)
            text.line()
            text.documentation("The types of all events.")
            text.entries("public static let events: [String] = [", events)
        }
        return GeneratedFile(name: "Interfaces+Roles.swift", text: text.text)
    }
}

extension SwiftText {
    /// The comment that opens a generated file.
    mutating func head(_ source: String, _ subject: String) {
        comments("//", "Generated from \(source): change that and run `make generate`.")
        comments("//", subject)
    }

    /// One entry per line, between the brackets that `head` opens.
    fileprivate mutating func entries(_ head: String, _ entries: [String]) {
        line(head)
        for entry in entries { line("    " + entry) }
        line("]")
    }
}
