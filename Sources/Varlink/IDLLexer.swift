// Words, marks and comments of the interface definition language. Comments are kept until the next declaration asks
// for them: those right above it are its documentation.

struct IDLLexer {
    private let text: [UInt8]
    private var position = 0
    private var line = 1
    private var lineStart = 0
    private var comments: [String] = []

    init(_ text: String) {
        self.text = Array(text.utf8)
    }

    /// An error at the cursor.
    func error(_ problem: String) -> IDLError {
        IDLError(line: line, column: position - lineStart + 1, problem: problem)
    }

    /// The comment right above the cursor.
    mutating func takeDocumentation() -> String {
        skipBlanks()
        defer { comments = [] }
        return comments.joined(separator: "\n")
    }

    /// Whether nothing but blanks and comments is left.
    mutating func isAtEnd() -> Bool {
        skipBlanks()
        return position == text.count
    }

    /// Takes `mark` if it comes next.
    mutating func take(_ mark: StaticString) -> Bool {
        skipBlanks()
        let octets = UnsafeBufferPointer(start: mark.utf8Start, count: mark.utf8CodeUnitCount)
        guard text[position...].starts(with: octets) else { return false }
        position += octets.count
        return true
    }

    /// Takes `mark` or throws.
    mutating func require(_ mark: StaticString) throws(IDLError) {
        guard take(mark) else { throw error("expected '\(mark)'") }
    }

    /// Takes a run of letters, digits, `_`, `-` and `.`; empty when there is none.
    mutating func takeWord() -> String {
        skipBlanks()
        let start = position
        while position < text.count, Self.isWordPart(text[position]) { position += 1 }
        comments = []
        return String(decoding: text[start..<position], as: UTF8.self)
    }

    private static func isWordPart(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private mutating func skipBlanks() {
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): position += 1
            case UInt8(ascii: "\n"):
                position += 1
                if text[lineStart..<position].allSatisfy({ $0 <= 0x20 }) { comments = [] }
                line += 1
                lineStart = position
            case UInt8(ascii: "#"): takeComment()
            default: return
            }
        }
    }

    private mutating func takeComment() {
        let end = text[position...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
        let body = text[position..<end].dropFirst()
        comments.append(String(decoding: body.first == 0x20 ? body.dropFirst() : body, as: UTF8.self))
        position = end
    }
}
