// One logical line → words and braces. Comments are already gone. Double quotes join: "a b"c is one word. In scripts and
// patterns single quotes do too and a backslash escapes as in a shell string; elsewhere both are ordinary characters, as
// keepalived 2.2.7 reads them (auth_pass 'x' sends the quotes).

/// What a line consists of.
enum Token: Sendable {
    case word(Word)
    case open(Word)
    case close(Word)
}

/// Splits a line into tokens and notes what is wrong with its quotes.
struct WordSplitter {
    /// A quote that does not do what its author thinks.
    enum Problem: Sendable {
        case unmatched(Place)
        case typographic(Place, length: Int, character: String)
    }

    let line: LogicalLine
    /// The line is a script's or a pattern's.
    let isScript: Bool
    private(set) var problems: [Problem] = []

    init(_ line: LogicalLine, isScript: Bool) {
        self.line = line
        self.isScript = isScript
    }

    /// The tokens of the line.
    mutating func tokens() -> [Token] {
        let bytes = line.bytes
        var tokens: [Token] = []
        tokens.reserveCapacity(4)
        var index = 0
        while index < bytes.count {
            if isBlank(bytes[index]) {
                index += 1
            } else if bytes[index] == UInt8(ascii: "{") {
                tokens.append(.open(brace(at: index, "{")))
                index += 1
            } else if bytes[index] == UInt8(ascii: "}") {
                tokens.append(.close(brace(at: index, "}")))
                index += 1
            } else {
                tokens.append(.word(word(from: &index)))
            }
        }
        return tokens
    }

    /// The words of a command, where braces are ordinary characters.
    mutating func words() -> [String] {
        var words: [String] = []
        var index = 0
        while index < line.bytes.count {
            if isBlank(line.bytes[index]) {
                index += 1
            } else {
                words.append(word(from: &index, bracesEnd: false).text)
            }
        }
        return words
    }

    private func brace(at index: Int, _ text: String) -> Word {
        Word(text: text, place: line.place(index), length: 1)
    }

    private mutating func word(from index: inout Int, bracesEnd: Bool = true) -> Word {
        let bytes = line.bytes
        let start = index
        while index < bytes.count, isPlain(bytes[index]) { index += 1 }
        if index == bytes.count || isBlank(bytes[index]) || (bracesEnd && isBrace(bytes[index])) {
            return Word(
                text: String(decoding: bytes[start..<index], as: UTF8.self), place: line.place(start),
                length: line.length(start..<index))
        }
        index = start
        var text: [UInt8] = []
        var isQuoted = false
        var quote: (closing: Closing, start: Int)?
        scan: while index < bytes.count {
            let byte = bytes[index]
            if let open = quote, let width = open.closing.width(bytes, index) {
                quote = nil
                index += width
                continue
            }
            if quote == nil {
                if isBlank(byte) { break scan }
                if bracesEnd, isBrace(byte) { break scan }
                if let (closing, width) = Closing.opened(by: bytes, index), closing != .single || isScript {
                    if closing.isTypographic {
                        let character = String(decoding: bytes[index..<index + width], as: UTF8.self)
                        problems.append(.typographic(line.place(index), length: width, character: character))
                    }
                    quote = (closing, index)
                    isQuoted = true
                    index += width
                    continue
                }
            }
            if isScript, byte == UInt8(ascii: "\\"), index + 1 < bytes.count {
                decodeEscape(&index, into: &text)
                continue
            }
            text.append(byte)
            index += 1
        }
        if let open = quote, !open.closing.isTypographic { problems.append(.unmatched(line.place(open.start))) }
        return Word(
            text: String(decoding: text, as: UTF8.self), place: line.place(start), length: line.length(start..<index),
            isQuoted: isQuoted, isUnclosed: quote != nil)
    }

    /// `\n`, `\xXX`, `\nnn`, `\cC`, …; any other character stands for itself.
    private func decodeEscape(_ index: inout Int, into text: inout [UInt8]) {
        let bytes = line.bytes
        let letter = bytes[index + 1]
        index += 2
        switch letter {
        case UInt8(ascii: "a"): text.append(7)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "E"): text.append(27)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "v"): text.append(11)
        case UInt8(ascii: "x"):
            text.append(number(&index, radix: 16, digits: 2))
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            index -= 1
            text.append(number(&index, radix: 8, digits: 3))
        case UInt8(ascii: "c") where index < bytes.count:
            text.append(bytes[index] & 0x1F)
            index += 1
        default:
            text.append(letter)
        }
    }

    private func number(_ index: inout Int, radix: Int, digits: Int) -> UInt8 {
        var value = 0
        var left = digits
        while left > 0, index < line.bytes.count, let digit = hexDigit(line.bytes[index]), digit < radix {
            value = value * radix + digit
            index += 1
            left -= 1
        }
        return UInt8(truncatingIfNeeded: value)
    }
}

/// Which quote ends a quoted part.
private enum Closing {
    case double, single, typographicDouble, typographicSingle

    var isTypographic: Bool {
        switch self {
        case .double, .single: false
        case .typographicDouble, .typographicSingle: true
        }
    }

    /// The quote that stands at `index`, with its width in bytes.
    static func opened(by bytes: [UInt8], _ index: Int) -> (Closing, Int)? {
        switch bytes[index] {
        case UInt8(ascii: "\""): return (.double, 1)
        case UInt8(ascii: "'"): return (.single, 1)
        default: break
        }
        guard index + 2 < bytes.count, bytes[index] == 0xE2, bytes[index + 1] == 0x80 else { return nil }
        switch bytes[index + 2] {
        case 0x9C, 0x9D, 0x9E: return (.typographicDouble, 3)  // “ ” „
        case 0x98, 0x99, 0x9A: return (.typographicSingle, 3)  // ‘ ’ ‚
        default: return nil
        }
    }

    /// The width of the closing quote at `index`; nil when none is there.
    func width(_ bytes: [UInt8], _ index: Int) -> Int? {
        switch self {
        case .double: return bytes[index] == UInt8(ascii: "\"") ? 1 : nil
        case .single: return bytes[index] == UInt8(ascii: "'") ? 1 : nil
        case .typographicDouble, .typographicSingle:
            guard let (other, width) = Closing.opened(by: bytes, index) else { return nil }
            return other == self || (self == .typographicDouble && other == .double) ? width : nil
        }
    }
}

func isBrace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}") }

/// Certain to stand for itself in every word: no blank, brace, escape, and not what a quote begins with.
private func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"), UInt8(ascii: "{"), UInt8(ascii: "}"), 0xE2: false
    default: !isBlank(byte)
    }
}

/// Blank as in isspace(3).
func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || (9...13).contains(byte)
}

/// The value of a hexadecimal digit.
func hexDigit(_ byte: UInt8) -> Int? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
    default: nil
    }
}
