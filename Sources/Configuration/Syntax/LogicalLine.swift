// A line on its way from the file to words: the bytes, and where each came from. Cutting and trimming keep the places.

extension LogicalLine {
    /// The line from a byte on.
    func from(_ index: Int) -> LogicalLine {
        slice(min(index, bytes.count)..<bytes.count)
    }

    /// A part of the line.
    func slice(_ range: Range<Int>) -> LogicalLine {
        LogicalLine(
            bytes: Array(bytes[range]), start: place(range.lowerBound), places: places.map { Array($0[range]) })
    }

    /// Without blanks at both ends.
    func trimmed() -> LogicalLine {
        guard let first = bytes.firstIndex(where: { !isBlank($0) }),
            let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return LogicalLine(bytes: [], start: start) }
        if first == 0, last == bytes.count - 1 { return self }
        return slice(first..<last + 1)
    }

    /// True when a script's words may differ from ordinary ones.
    var needsScriptReading: Bool {
        bytes.contains { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "'") }
    }

    /// Takes a `\` at the end away; true when there was one.
    mutating func removeContinuation() -> Bool {
        guard bytes.last == UInt8(ascii: "\\") else { return false }
        self = slice(0..<bytes.count - 1).trimmed()
        return true
    }

    /// With a `\` at the end, as the line had behind its comment.
    func continued() -> LogicalLine {
        LogicalLine(
            bytes: bytes + [UInt8(ascii: "\\")], start: start,
            places: places.map { $0 + [place(bytes.count - 1)] })
    }

    /// Without `#…` or `!…`, which start a comment anywhere except in "…" and after a backslash. A backslash that protects
    /// one of them goes away.
    func withoutComment() -> LogicalLine {
        guard
            bytes.contains(where: { $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: "!") })
        else { return self }
        var kept: [Int] = []
        kept.reserveCapacity(bytes.count)
        var isQuoted = false
        var index = 0
        scan: while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                isQuoted.toggle()
            case UInt8(ascii: "\\") where index + 1 < bytes.count:
                let next = bytes[index + 1]
                let protects = next == UInt8(ascii: "#") || next == UInt8(ascii: "!")
                if isQuoted || !protects { kept.append(index) }
                index += 1
            case UInt8(ascii: "#"), UInt8(ascii: "!"):
                if !isQuoted { break scan }
            default:
                break
            }
            kept.append(index)
            index += 1
        }
        if kept.last.map({ $0 + 1 }) ?? 0 == kept.count { return slice(0..<kept.count) }
        return LogicalLine(bytes: kept.map { bytes[$0] }, start: place(0), places: kept.map { place($0) })
    }

    /// Name and value when the line is `$NAME=value`.
    func definition() -> (String, LogicalLine)? {
        guard bytes.first == UInt8(ascii: "$"), let end = nameEnd(1), end < bytes.count,
            bytes[end] == UInt8(ascii: "=")
        else { return nil }
        return (String(decoding: bytes[1..<end], as: UTF8.self), from(end + 1).trimmed())
    }

    /// Where the parameter name that begins at `index` ends; nil when none begins there.
    func nameEnd(_ index: Int) -> Int? {
        guard index < bytes.count, isNameByte(bytes[index]), hexDigit(bytes[index]).map({ $0 > 9 }) ?? true else {
            return nil
        }
        return bytes[index...].firstIndex { !isNameByte($0) } ?? bytes.count
    }
}

/// A letter, digit or underscore.
func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
    default: false
    }
}
