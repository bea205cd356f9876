// Enumerations of the interfaces. A peer may be newer and say a word that this version does not know: it is kept, shown
// and passed on as it is, and the rest of the message is used. In calls such a word is refused before a handler sees it
// (`VarlinkService.dispatch` checks parameters against the interface).
public import JSON

/// A fixed set of words, and the words that newer peers may add to it.
public protocol OpenEnumeration: RawRepresentable, JSONCodable, Hashable, Sendable where RawValue == String {
    /// The words of this version.
    static var known: [Self] { get }
    /// A word that is not among them.
    static func other(_ word: String) -> Self
}

extension OpenEnumeration {
    /// The case of that word.
    public init(rawValue word: String) { self = .of(word) }

    private static func of(_ word: String) -> Self { known.first { $0.rawValue == word } ?? .other(word) }

    public init(json: JSONValue) throws(JSONCodingError) { self = .of(try String(json: json)) }
    public var json: JSONValue { .string(rawValue) }
}
