// What several interfaces declare alike and Swift code handles alike: the reply of a change, and the five members of a
// reload. They are one Swift type each; that the declarations are in fact alike is checked here.
import Varlink

struct Shared {
    /// An interface that has one of these has all of them, with the same words.
    private static let reload = ["PrepareReload", "CommitReload", "AbortReload", "ConfigurationRefused", "NotPrepared"]

    private let reloadable: Set<String>
    private let reloadMembers: [InterfaceDefinition.Member]
    private let change: [IDLField]?

    init(_ interfaces: [InterfaceDefinition]) throws(GeneratorError) {
        var reloadable: Set<String> = []
        var members: [InterfaceDefinition.Member] = []
        for interface in interfaces {
            let own = Self.reload.compactMap { interface[$0] }
            guard !own.isEmpty else { continue }
            if members.isEmpty { members = own }
            guard own.count == Self.reload.count, own == members else {
                throw GeneratorError(
                    "\(interface.name): \(Self.reload.joined(separator: ", ")) must be declared together, and with the "
                        + "same words in every interface")
            }
            reloadable.insert(interface.name)
        }
        let outputs = interfaces.flatMap(\.members).compactMap { member -> [IDLField]? in
            guard case .method(_, let output) = member.declaration, Self.isChange(output) else { return nil }
            return output
        }
        guard outputs.allSatisfy({ $0 == outputs.first }) else {
            throw GeneratorError("the reply \"seq: ?int\" must have the same comment everywhere: it is one Swift type")
        }
        (self.reloadable, reloadMembers, change) = (reloadable, members, outputs.first)
    }

    func isReloadable(_ interface: InterfaceDefinition) -> Bool { reloadable.contains(interface.name) }

    func isReload(_ member: String) -> Bool { Self.reload.contains(member) }

    /// What a method that changes something returns.
    static func isChange(_ output: [IDLField]) -> Bool {
        output.map(\.name) == ["seq"] && output.map(\.type) == [.optional(.int)]
    }

    /// The reply of every change; nil when nothing can be changed.
    func changeReply() throws(GeneratorError) -> GeneratedFile? {
        guard let change else { return nil }
        var text = SwiftText()
        text.head("Sources/Bus/interfaces", "What every method that changes something returns.")
        text.line("public import JSON")
        text.line()
        text.documentation("The reply of a change: a script can wait for its own event.")
        try text.structure("ChangeReply", ": JSONStructure, Hashable, Sendable", change)
        text.line()
        try text.coding("ChangeReply", change)
        return GeneratedFile(name: "ChangeReply.swift", text: text.text)
    }

    /// The members of a reload, generic over the interface; nil when there are none.
    func reloading() throws(GeneratorError) -> GeneratedFile? {
        guard !reloadMembers.isEmpty else { return nil }
        var text = SwiftText()
        text.head(
            "Sources/Bus/interfaces",
            "Reloading, which is the same in every daemon's interface: `VrrpAPI.PrepareReload` is "
                + "`Reloading<VrrpAPI>.PrepareReload`, and so on.")
        text.line("public import JSON")
        text.line("public import Varlink")
        text.line()
        text.documentation("An interface with \(Self.reload.joined(separator: ", ")).")
        try text.block("public protocol ReloadableAPI: Sendable") { (text) throws(GeneratorError) in
            text.documentation("The interface.")
            text.line("static var interface: String { get }")
        }
        text.line()
        try text.block("extension ReloadableAPI") { (text) throws(GeneratorError) in
            for name in Self.reload { text.line("public typealias \(name) = Reloading<Self>.\(name)") }
        }
        text.line()
        text.documentation("Answers the calls of a reload of the interface `API`.")
        try text.block("public protocol ReloadHandler<API>: AnyObject") { (text) throws(GeneratorError) in
            text.line("associatedtype API: ReloadableAPI")
            for member in reloadMembers {
                if case .method = member.declaration { text.requirement("API.", member.name) }
            }
        }
        text.line()
        text.documentation("The members of a reload in the interface `API`.")
        try text.block("public enum Reloading<API: ReloadableAPI>") { (text) throws(GeneratorError) in
            for (number, member) in reloadMembers.enumerated() {
                if number > 0 { text.line() }
                try text.callable(member, qualified: "static var NAME: String { API.interface + \".\(member.name)\" }")
            }
        }
        for member in reloadMembers { try text.coding(member, in: "Reloading") }
        return GeneratedFile(name: "ReloadableAPI.swift", text: text.text)
    }
}
