// Strings and numbers: the tokens in which json-c is lenient.

extension JSONScanner {
    /// A string with its quotes; returns its node.
    mutating func scanString() throws(JSONError) -> Int {
        position += 1
        let start = position
        var isEscaped = false
        while true {
            position = endOfPlainText(from: position)
            switch current {
            case UInt8(ascii: "\""):
                let node = append(.string, from: start, isEscaped: isEscaped)
                position += 1
                return node
            case UInt8(ascii: "\\"):
                isEscaped = true
                try scanEscape()
            case let lead where lead >= 0x80:
                try scanMultibyte(lead)
            default:
                let problem: JSONSyntaxProblem = position < text.count ? .controlCharacter : .unterminatedString
                throw .syntax(problem, offset: position)
            }
        }
    }

    /// The first octet that needs a look: a quote, a backslash, a control character, part of a longer scalar, or the
    /// end. Eight octets at a time: the high bit of an octet is set where the octet is one of those.
    private func endOfPlainText(from start: Int) -> Int {
        var position = start
        let ones: UInt64 = 0x0101_0101_0101_0101
        while position + 8 <= text.count {
            let word = text.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            let found =
                word | ((word &- ones &* 0x20) & ~word) | ((quote &- ones) & ~quote)
                | ((backslash &- ones) & ~backslash)
            let marks = found & (ones &* 0x80)
            // A borrow can only mark octets after the first real one, so the lowest mark is right (little-endian).
            if marks != 0 { return position + marks.trailingZeroBitCount / 8 }
            position += 8
        }
        while position < text.count {
            let octet = text[position]
            if octet < 0x20 || octet >= 0x80 || octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") { break }
            position += 1
        }
        return position
    }

    private mutating func scanEscape() throws(JSONError) {
        let start = position
        position += 1
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            guard let unit = JSONEscapes.hex(text, at: position + 1) else { throw .syntax(.badEscape, offset: start) }
            position += 5
            guard (0xD800..<0xE000).contains(unit) else { return }
            guard unit < 0xDC00, current == UInt8(ascii: "\\"), position + 1 < text.count,
                text[position + 1] == UInt8(ascii: "u"), let low = JSONEscapes.hex(text, at: position + 2),
                (0xDC00..<0xE000).contains(low)
            else { throw .syntax(.loneSurrogate, offset: start) }
            position += 6
        default:
            throw .syntax(.badEscape, offset: start)
        }
    }

    /// One scalar of two to four octets, by the table of RFC 3629 §4: no overlong forms, no surrogates, nothing above
    /// U+10FFFF.
    private mutating func scanMultibyte(_ lead: UInt8) throws(JSONError) {
        let second: ClosedRange<UInt8>
        let tail: Int
        switch lead {
        case 0xC2...0xDF: (second, tail) = (0x80...0xBF, 0)
        case 0xE0: (second, tail) = (0xA0...0xBF, 1)
        case 0xED: (second, tail) = (0x80...0x9F, 1)
        case 0xE1...0xEF: (second, tail) = (0x80...0xBF, 1)
        case 0xF0: (second, tail) = (0x90...0xBF, 2)
        case 0xF1...0xF3: (second, tail) = (0x80...0xBF, 2)
        case 0xF4: (second, tail) = (0x80...0x8F, 2)
        default: throw .notUTF8(offset: position)
        }
        let start = position
        position += 1
        guard second.contains(current) else { throw .notUTF8(offset: start) }
        position += 1
        for _ in 0..<tail {
            guard (0x80...0xBF).contains(current) else { throw .notUTF8(offset: start) }
            position += 1
        }
    }

    /// A number. Integers must fit 64 bits, floats must be finite.
    mutating func scanNumber() throws(JSONError) {
        let start = position
        let isNegative = current == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let integer = position
        let digits = scanDigits()
        guard digits > 0, digits == 1 || text[integer] != UInt8(ascii: "0") else {
            throw .syntax(.badNumber, offset: start)
        }
        var isInteger = true
        if current == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard scanDigits() > 0 else { throw .syntax(.badNumber, offset: start) }
        }
        if current | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard scanDigits() > 0 else { throw .syntax(.badNumber, offset: start) }
        }
        guard digits > 18 || !isInteger else {  // Eighteen digits always fit.
            append(.int, from: start)
            return
        }
        let token = String(decoding: text[start..<position], as: UTF8.self)
        let fits = isInteger ? Int64(token) != nil : Double(token)?.isFinite == true
        guard fits else { throw .numberOutOfRange(offset: start) }
        append(isInteger ? .int : .double, from: start)
    }

    private mutating func scanDigits() -> Int {
        let start = position
        while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(current) { position += 1 }
        return position - start
    }
}
