// Recursive descent over the grammar of varlink.org, bounded in depth; then the checks the grammar cannot express:
// unique names, references to types that exist.

extension InterfaceDefinition {
    /// Reads an interface definition.
    public init(parsing text: String) throws(IDLError) {
        var parser = IDLParser(text)
        self = try parser.parseInterface(text)
    }
}

private struct IDLParser {
    private static let depthLimit = 32
    private var lexer: IDLLexer
    private var references: [(name: String, error: IDLError)] = []

    init(_ text: String) {
        lexer = IDLLexer(text)
    }

    mutating func parseInterface(_ text: String) throws(IDLError) -> InterfaceDefinition {
        let documentation = lexer.takeDocumentation()
        guard lexer.takeWord() == "interface" else { throw lexer.error("expected 'interface'") }
        let name = lexer.takeWord()
        guard IDLNames.isInterface(name) else { throw lexer.error("\"\(name)\" is not an interface name") }
        var members: [InterfaceDefinition.Member] = []
        var types: Set<String> = []
        var names: Set<String> = []
        while !lexer.isAtEnd() {
            let member = try parseMember()
            guard names.insert(member.name).inserted else { throw lexer.error("\"\(member.name)\" is declared twice") }
            if case .type = member.declaration { types.insert(member.name) }
            members.append(member)
        }
        guard !members.isEmpty else { throw lexer.error("expected 'type', 'method' or 'error'") }
        for reference in references where !types.contains(reference.name) { throw reference.error }
        return InterfaceDefinition(name: name, documentation: documentation, members: members, text: text)
    }

    private mutating func parseMember() throws(IDLError) -> InterfaceDefinition.Member {
        let documentation = lexer.takeDocumentation()
        let keyword = lexer.takeWord()
        guard ["type", "method", "error"].contains(keyword) else {
            throw lexer.error("expected 'type', 'method' or 'error'")
        }
        let name = lexer.takeWord()
        guard IDLNames.isMember(name) else {
            throw lexer.error("\"\(name)\" is not a name: A-Z first, then letters and digits")
        }
        let declaration: InterfaceDefinition.Declaration
        switch keyword {
        case "method":
            let input = try parseFields()
            try lexer.require("->")
            declaration = .method(input: input, output: try parseFields())
        case "error": declaration = .error(try parseFields())
        default:
            try lexer.require("(")
            declaration = .type(try parseStructOrEnum(depth: 0))
        }
        return .init(name: name, documentation: documentation, declaration: declaration)
    }

    private mutating func parseType(depth: Int) throws(IDLError) -> IDLType {
        guard depth < Self.depthLimit else { throw lexer.error("type nested deeper than \(Self.depthLimit) levels") }
        if lexer.take("?") {
            guard !lexer.take("?") else { throw lexer.error("'?' twice") }
            return .optional(try parseType(depth: depth + 1))
        }
        if lexer.take("[]") { return .array(try parseType(depth: depth + 1)) }
        if lexer.take("[string]") { return .map(try parseType(depth: depth + 1)) }
        return try parseBody(depth: depth)
    }

    private mutating func parseBody(depth: Int) throws(IDLError) -> IDLType {
        if lexer.take("(") { return try parseStructOrEnum(depth: depth + 1) }
        let unknown = lexer.error("no such type")
        let word = lexer.takeWord()
        switch word {
        case "bool": return .bool
        case "int": return .int
        case "float": return .float
        case "string": return .string
        case "object": return .object
        default:
            guard IDLNames.isMember(word) else { throw lexer.error("expected a type") }
            references.append((word, unknown))
            return .named(word)
        }
    }

    private mutating func parseFields() throws(IDLError) -> [IDLField] {
        try lexer.require("(")
        guard case .structure(let fields) = try parseStructOrEnum(depth: 0) else {
            throw lexer.error("expected fields with types")
        }
        return fields
    }

    /// After `(`: fields with types, or bare names. The first one decides.
    private mutating func parseStructOrEnum(depth: Int) throws(IDLError) -> IDLType {
        var fields: [IDLField] = []
        var names: [String] = []
        if lexer.take(")") { return .structure([]) }
        repeat {
            let documentation = lexer.takeDocumentation()
            let name = lexer.takeWord()
            guard IDLNames.isField(name) else { throw lexer.error("\"\(name)\" is not a field name") }
            guard !names.contains(name) else { throw lexer.error("\"\(name)\" is declared twice") }
            names.append(name)
            if lexer.take(":") {
                fields.append(IDLField(name: name, type: try parseType(depth: depth), documentation: documentation))
            }
            guard fields.isEmpty || fields.count == names.count else { throw lexer.error("expected ':'") }
        } while lexer.take(",")
        try lexer.require(")")
        return fields.isEmpty ? .enumeration(names) : .structure(fields)
    }
}

/// The three kinds of names of the language.
public enum IDLNames {
    /// `io.evenkeel.Vrrp`: `[A-Za-z]([-]*[A-Za-z0-9])*(\.[A-Za-z0-9]([-]*[A-Za-z0-9])*)+`
    public static func isInterface(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { isInterface(UnsafeRawBufferPointer($0)) }
    }

    /// The same for octets in memory.
    public static func isInterface(_ name: UnsafeRawBufferPointer) -> Bool {
        guard let first = name.first, isLetter(first) else { return false }
        var dots = 0
        var last = first
        for octet in name.dropFirst() {
            switch octet {
            case UInt8(ascii: "."):
                guard isAlphanumeric(last) else { return false }
                dots += 1
            case UInt8(ascii: "-"):
                guard last != UInt8(ascii: ".") else { return false }
            default:
                guard isAlphanumeric(octet) else { return false }
            }
            last = octet
        }
        return dots > 0 && isAlphanumeric(last)
    }

    /// `ListServices`: `[A-Z][A-Za-z0-9]*`
    public static func isMember(_ name: some StringProtocol) -> Bool {
        guard let first = name.utf8.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else { return false }
        return name.utf8.allSatisfy(isAlphanumeric)
    }

    /// `weight`: `[A-Za-z](_?[A-Za-z0-9])*`
    public static func isField(_ name: some StringProtocol) -> Bool {
        guard let first = name.utf8.first, isLetter(first) else { return false }
        let parts = name.utf8.split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
        return parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(isAlphanumeric) }
    }

    private static func isLetter(_ octet: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(octet | 0x20)
    }

    private static func isAlphanumeric(_ octet: UInt8) -> Bool {
        isLetter(octet) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet)
    }
}
