// The outer members of a call, found in a scanned text without building values. busd routes on this; `VarlinkCall` is
// made from it, so the rules stand in one place.
public import JSON

/// What a call says apart from its parameters.
public struct CallEnvelope: Sendable {
    /// The node of `interface.Method`.
    public let method: Int
    /// The node of the parameters; nil when absent or null.
    public let parameters: Int?
    /// The caller wants no reply, not even an error.
    public let oneway: Bool
    /// The caller takes several replies.
    public let more: Bool
    /// The caller wants the connection for another protocol afterwards.
    public let upgrade: Bool
    /// Nodes of the names of reverse-domain members; each value follows its name.
    public let extensions: [Int]

    /// Reads the outer members of a scanned text.
    public init(_ index: JSONIndex, in text: UnsafeRawBufferPointer) throws(VarlinkProtocolError) {
        guard let root = index.nodes.first, root.kind == .object else { throw .notAnObject }
        var method: Int?
        var parameters: Int?
        var flags = (oneway: false, more: false, upgrade: false)
        var extensions: [Int] = []
        var name = 1
        while name < root.next {
            let value = name + 1
            if index.name(at: name, in: text, equals: "method") {
                guard index.nodes[value].kind == .string else { throw .badMember("method") }
                method = value
            } else if index.name(at: name, in: text, equals: "parameters") {
                parameters = try Self.object(value, index, "parameters")
            } else if index.name(at: name, in: text, equals: "oneway") {
                flags.oneway = try Self.flag(value, index, text, "oneway")
            } else if index.name(at: name, in: text, equals: "more") {
                flags.more = try Self.flag(value, index, text, "more")
            } else if index.name(at: name, in: text, equals: "upgrade") {
                flags.upgrade = try Self.flag(value, index, text, "upgrade")
            } else {
                let other = index.string(at: name, in: text)
                guard IDLNames.isInterface(other) else { throw .unknownMember(other) }
                guard index.nodes[value].kind == .object else { throw .badMember(other) }
                extensions.append(name)
            }
            name = index.nodes[value].next
        }
        guard let method, Self.isQualified(index.nodes[method], text) else { throw .noMethod }
        guard !flags.oneway || !flags.more else { throw .onewayAndMore }
        self.method = method
        self.parameters = parameters
        (oneway, more, upgrade) = flags
        self.extensions = extensions
    }

    /// Whether something stands on both sides of the last dot. No method's name needs an escape.
    private static func isQualified(_ method: JSONIndex.Node, _ text: UnsafeRawBufferPointer) -> Bool {
        guard !method.isEscaped else { return false }
        let octets = text[method.start..<method.end]
        guard let dot = octets.lastIndex(of: UInt8(ascii: ".")) else { return false }
        return dot > method.start && dot < method.end - 1
    }

    static func object(
        _ node: Int, _ index: JSONIndex, _ name: String
    ) throws(VarlinkProtocolError) -> Int? {
        switch index.nodes[node].kind {
        case .object: return node
        case .null: return nil
        case .bool, .int, .double, .string, .array: throw .badMember(name)
        }
    }

    /// A boolean member; null counts as absent.
    static func flag(
        _ node: Int, _ index: JSONIndex, _ text: UnsafeRawBufferPointer, _ name: String
    ) throws(VarlinkProtocolError) -> Bool {
        switch index.nodes[node].kind {
        case .bool: return text[index.nodes[node].start] == UInt8(ascii: "t")
        case .null: return false
        case .int, .double, .string, .array, .object: throw .badMember(name)
        }
    }
}
