// Most lines have no quotes, parameters or escapes: they are cut at blanks and braces, without a copy. Others take the careful
// way (WordSplitter).

/// A line that is cut.
struct PlainLine: Sendable {
    enum Kind: Sendable { case word, open, close }

    /// A word or a brace, counted in bytes of the line.
    struct Part: Sendable {
        var kind: Kind
        var start: Int32
        var end: Int32
    }

    /// What the last line consists of.
    private(set) var parts: [Part] = []

    /// Cuts a line. False when it needs the careful way; `parts` says nothing then. A comment may be at its end where nobody has
    /// looked for it yet.
    mutating func cut(_ bytes: UnsafeBufferPointer<UInt8>, hasComment: Bool) -> Bool {
        parts.removeAll(keepingCapacity: true)
        var index = 0
        while index < bytes.count {
            let start = index
            while index < bytes.count, Self.isPlain(bytes[index]) { index += 1 }
            if index > start { note(.word, start..<index) }
            guard index < bytes.count else { break }
            let byte = bytes[index]
            if isBrace(byte) {
                note(byte == UInt8(ascii: "{") ? .open : .close, index..<index + 1)
            } else if !isBlank(byte) {
                // In the middle of a word a comment is remarked upon.
                let isComment = byte == UInt8(ascii: "#") || byte == UInt8(ascii: "!")
                return hasComment && isComment && index == start && !bytes[index...].contains(0)
            }
            index += 1
        }
        return true
    }

    private mutating func note(_ kind: Kind, _ range: Range<Int>) {
        parts.append(
            Part(kind: kind, start: Int32(clamping: range.lowerBound), end: Int32(clamping: range.upperBound)))
    }

    /// Stands for itself wherever it is.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0, 9...13, UInt8(ascii: " "), UInt8(ascii: "!"), UInt8(ascii: "\""), UInt8(ascii: "#"), UInt8(ascii: "$"),
            UInt8(ascii: "'"), UInt8(ascii: "\\"), UInt8(ascii: "{"), UInt8(ascii: "}"), 0xE2:
            false
        default: true
        }
    }
}
