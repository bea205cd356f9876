// From the name of a method to the code that answers it. A daemon's interface becomes a protocol with one requirement for
// each method, so that a method that nobody answers does not compile. A daemon's interface is one that can be reloaded;
// the other one is busd's, which answers calls where they lie in the client's buffer and gets the names of its methods as
// an enumeration: its `switch` is checked by the compiler as well.
import Varlink

extension InterfaceGenerator {
    /// The protocol and the way to it, or the names.
    func dispatch() throws(GeneratorError) -> GeneratedFile {
        var text = SwiftText()
        // busd answers its own calls beside those that it passes on.
        if interface.name != "io.evenkeel.Bus" {
            text.head(source, "Who answers the calls of `\(interface.name)`.")
            text.line("import Varlink")
            text.line()
            try text.block("extension \(namespace)") { (text) throws(GeneratorError) in
                try handler(&text)
                text.line()
                try way(&text)
            }
        } else {
            text.head(source, "The names of the methods of `\(interface.name)`.")
            text.line()
            try text.block("extension \(namespace)") { (text) throws(GeneratorError) in
                text.documentation("A method, by its name on the wire.")
                try text.block("public enum MethodName: String") { (text) throws(GeneratorError) in
                    for name in methodNames {
                        text.line("case \(name.requirement.identifier) = \"\(interface.name).\(name)\"")
                    }
                }
            }
        }
        return GeneratedFile(name: "\(namespace)+Dispatch.swift", text: text.text)
    }

    private var methodNames: [String] {
        interface.members.compactMap { if case .method = $0.declaration { $0.name } else { nil } }
    }

    private func handler(_ text: inout SwiftText) throws(GeneratorError) {
        text.documentation(
            "One requirement for each method but those of a reload. The parameters have been checked against the "
                + "interface; the answer may come later.")
        try text.block("public protocol Handler: AnyObject") { (text) throws(GeneratorError) in
            for name in methodNames where !shared.isReload(name) { text.requirement("", name) }
        }
    }

    private func way(_ text: inout SwiftText) throws(GeneratorError) {
        let reloads = shared.isReloadable(interface)
        text.documentation(
            reloads
                ? "Gives each call to its requirement. Neither of the two is kept: when one is gone, a call is answered with "
                    + "ServiceUnavailable."
                : "Gives each call to its requirement. The handler is not kept: when it is gone, a call is answered with "
                    + "ServiceUnavailable.")
        let reload = reloads ? ", reload: some ReloadHandler<\(namespace)>" : ""
        try text.block("public static func dispatch(to handler: some Handler\(reload)) -> Dispatch") {
            (text) throws(GeneratorError) in
            try text.block("", parameters: " [weak handler\(reloads ? ", weak reload" : "")] call, pending in") {
                (text) throws(GeneratorError) in
                text.line("guard let handler\(reloads ? ", let reload" : "") else { return }")
                text.line("switch call.method {")
                for name in methodNames {
                    let target = shared.isReload(name) ? "reload" : "handler"
                    text.line(
                        "case \"\(interface.name).\(name)\": "
                            + "pending.hand(call, to: \(target).\(name.requirement.identifier))")
                }
                text.line("default: pending.answer(VarlinkServiceError.methodNotImplemented(call.method).reply)")
                text.line("}")
            }
        }
    }
}

extension SwiftText {
    /// What answers a method; `scope` stands before the name of its type.
    mutating func requirement(_ scope: String, _ name: String) {
        let type = scope + name
        line("func \(name.requirement.identifier)(_ call: \(type), _ responder: Responder<\(type)>)")
    }
}

extension String {
    /// The name of a method as Swift writes it: `ListServices` is `listServices`.
    fileprivate var requirement: String { prefix(1).lowercased() + dropFirst() }
}
