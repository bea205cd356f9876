// What is wrong with a JSON text. Offsets count octets from the start of the text, so that a message can be
// inspected with `head -c`.

/// Why a text was refused, or why a value cannot be written as JSON.
public enum JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The text is longer than the limit, in octets.
    case tooLarge(limit: Int)
    /// Arrays and objects are nested deeper than the limit.
    case tooDeep(limit: Int, offset: Int)
    /// The grammar of RFC 8259 is broken at the offset.
    case syntax(JSONSyntaxProblem, offset: Int)
    /// A string is not UTF-8 (RFC 3629).
    case notUTF8(offset: Int)
    /// An integer outside 64 bits, or a float that is not finite.
    case numberOutOfRange(offset: Int)
    /// An object names the same member twice.
    case duplicateKey(String, offset: Int)
    /// A member's name contains U+0000, which C readers would cut short.
    case nulInKey(offset: Int)
    /// A value that JSON cannot express: NaN or an infinity.
    case notFinite

    public var description: String {
        switch self {
        case .tooLarge(let limit): "JSON text longer than \(limit) octets"
        case .tooDeep(let limit, let offset): "JSON nested deeper than \(limit) levels at offset \(offset)"
        case .syntax(let problem, let offset): "JSON: \(problem.rawValue) at offset \(offset)"
        case .notUTF8(let offset): "JSON string is not UTF-8 at offset \(offset)"
        case .numberOutOfRange(let offset): "JSON number out of range at offset \(offset)"
        case .duplicateKey(let key, let offset): "JSON object names \"\(key)\" twice, again at offset \(offset)"
        case .nulInKey(let offset): "JSON member name contains U+0000 at offset \(offset)"
        case .notFinite: "JSON cannot express NaN or an infinity"
        }
    }
}

/// What the grammar wanted instead.
public enum JSONSyntaxProblem: String, Hashable, Sendable {
    case expectedValue = "expected a value"
    case expectedKey = "expected a member name in double quotes"
    case expectedColon = "expected ':'"
    case expectedCommaOrEnd = "expected ',' or the end of the array or object"
    case badNumber = "malformed number"
    case badEscape = "malformed escape"
    case loneSurrogate = "surrogate without its other half"
    case controlCharacter = "unescaped control character in a string"
    case unterminatedString = "string without an end"
    case trailingText = "text after the value"
}

/// Bounds on what is read; anything beyond is refused before memory is spent on it.
public struct JSONLimits: Hashable, Sendable {
    /// Octets in the whole text.
    public var octets: Int
    /// Levels of nesting; 1 admits `[]` and refuses `[[]]`.
    public var depth: Int

    /// Varlink's bounds here: 1 MiB and 64 levels.
    public static let message = JSONLimits(octets: 1 << 20, depth: 64)

    /// Bounds of one's own.
    public init(octets: Int, depth: Int) {
        self.octets = octets
        self.depth = depth
    }
}
