// A line on its way from the file to words: the bytes, and where each came from. Cutting and trimming keep the places.

/// A line after comments, conditions and substitutions, with each byte's place.
struct LogicalLine: Sendable {
    /// Bytes from one place on, up to the next run.
    struct Run: Sendable {
        /// The first byte, counted in the line.
        var index: Int
        /// Where it came from.
        var place: Place
        /// All of them came from there; else each follows the one before it.
        var isFixed: Bool

        func place(of byte: Int) -> Place { isFixed ? place : place.advanced(by: byte - index) }
    }

    var bytes: [UInt8]
    /// The place of the first byte when the line is as in the file.
    var start: Place
    /// Where the bytes came from when something was substituted; the first run begins with the line.
    var runs: [Run]?

    init(bytes: [UInt8], start: Place, runs: [Run]? = nil) {
        self.bytes = bytes
        self.start = start
        self.runs = runs
    }

    func place(_ index: Int) -> Place {
        guard let runs else { return start.advanced(by: index) }
        let byte = max(0, min(index, bytes.count - 1))
        return runs.last { $0.index <= byte }?.place(of: byte) ?? start
    }

    /// Bytes in the file from `range`'s first to its last byte.
    func length(_ range: Range<Int>) -> Int {
        guard runs != nil, !range.isEmpty else { return max(1, range.count) }
        let first = place(range.lowerBound)
        let last = place(range.upperBound - 1)
        guard first.file == last.file, first.line == last.line, last.byte >= first.byte else { return 1 }
        return Int(last.byte - first.byte) + 1
    }

    /// The runs of a part, as if the line began at `index` with its first byte.
    func runs(_ range: Range<Int>, at index: Int) -> [Run] {
        guard !range.isEmpty else { return [] }
        guard let runs else { return [Run(index: index, place: place(range.lowerBound), isFixed: false)] }
        let first = runs.lastIndex { $0.index <= range.lowerBound } ?? 0
        return runs[first...].prefix { $0.index < range.upperBound }.map { run in
            let start = max(run.index, range.lowerBound)
            return Run(index: start - range.lowerBound + index, place: run.place(of: start), isFixed: run.isFixed)
        }
    }
}

extension LogicalLine {
    /// The line from a byte on.
    func from(_ index: Int) -> LogicalLine {
        slice(min(index, bytes.count)..<bytes.count)
    }

    /// A part of the line.
    func slice(_ range: Range<Int>) -> LogicalLine {
        LogicalLine(
            bytes: Array(bytes[range]), start: place(range.lowerBound), runs: runs.map { _ in runs(range, at: 0) })
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
        let last = Run(index: bytes.count, place: place(bytes.count - 1), isFixed: true)
        return LogicalLine(bytes: bytes + [UInt8(ascii: "\\")], start: start, runs: runs.map { $0 + [last] })
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
        var runs: [Run] = []
        for (index, byte) in kept.enumerated() {
            let place = place(byte)
            if runs.last?.place(of: index) != place { runs.append(Run(index: index, place: place, isFixed: false)) }
        }
        return LogicalLine(bytes: kept.map { bytes[$0] }, start: place(0), runs: runs)
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
