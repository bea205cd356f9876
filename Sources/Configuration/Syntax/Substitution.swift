// `$NAME` and `${NAME}`: replaced at use by the latest definition. A definition of several lines replaces by several
// lines. What is not defined stays as it is, because scripts contain dollars too.

/// A `$…` in a line.
private struct Reference {
    /// From the `$` to the end of the name or the `}`.
    var range: Range<Int>
    var name: String
    /// What follows the name inside the braces: `${_RANDOM 1 6}`.
    var arguments: [String]
    var hasBraces: Bool
    /// Inside quotes, where a brace is only text.
    var isQuoted: Bool
}

extension Preprocessor {
    /// The line with its first defined parameter replaced, and those after it as far as one cannot change what another is; nil when
    /// nothing is to be replaced.
    mutating func substitute(_ line: LogicalLine) -> [LogicalLine]? {
        guard line.bytes.contains(UInt8(ascii: "$")) else { return nil }
        let references = references(line)
        for (number, reference) in references.enumerated() {
            if let lines = replacement(reference) {
                let isPlain =
                    lines.count == 1 && isPlain(lines[0].bytes, after: line.bytes[..<reference.range.lowerBound])
                guard isPlain else { return splice(lines, into: line, at: reference.range) }
                return [spliceAll(lines[0].bytes, references[number...], into: line)]
            }
            if reference.hasBraces, !reference.isQuoted {
                reporter.spoil(
                    .undefinedParameter, at: line.place(reference.range.lowerBound),
                    length: reference.range.count, "the parameter \(reference.name) is not defined",
                    remedy: "define it before this line with $\(reference.name)=VALUE")
                // A word must stand there, or the keyword would seem to lack one.
                let name = LogicalLine(bytes: Array("$\(reference.name)".utf8), start: line.place(0))
                return splice([name], into: line, at: reference.range)
            }
        }
        return nil
    }

    /// Text with every single-line parameter replaced, for the arguments of ~SEQ and ~LST.
    mutating func substituteText(_ text: LogicalLine) -> String {
        var line = text
        for _ in 0..<limits.substitutionDepth {
            guard let replaced = substitute(line), replaced.count == 1 else { break }
            line = replaced[0]
        }
        return String(decoding: line.bytes, as: UTF8.self)
    }

    private func references(_ line: LogicalLine) -> [Reference] {
        var found: [Reference] = []
        var isQuoted = false
        var index = 0
        let bytes = line.bytes
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            guard byte == UInt8(ascii: "$"), let reference = reference(line, index, isQuoted) else {
                index += 1
                continue
            }
            found.append(reference)
            index = reference.range.upperBound
        }
        return found
    }

    private func reference(_ line: LogicalLine, _ start: Int, _ isQuoted: Bool) -> Reference? {
        let bytes = line.bytes
        let hasBraces = start + 1 < bytes.count && bytes[start + 1] == UInt8(ascii: "{")
        let nameStart = start + (hasBraces ? 2 : 1)
        guard let nameEnd = line.nameEnd(nameStart) else { return nil }
        let name = String(decoding: bytes[nameStart..<nameEnd], as: UTF8.self)
        if hasBraces {
            guard let close = bytes[nameEnd...].firstIndex(of: UInt8(ascii: "}")) else { return nil }
            let rest = bytes[nameEnd..<close]
            guard rest.isEmpty || rest.first.map(isBlank) == true else { return nil }
            let arguments = rest.split(whereSeparator: isBlank).map { String(decoding: $0, as: UTF8.self) }
            return Reference(
                range: start..<close + 1, name: name, arguments: arguments, hasBraces: true, isQuoted: isQuoted)
        }
        let endings = [UInt8(ascii: ","), UInt8(ascii: ")")]
        guard nameEnd == bytes.count || isBlank(bytes[nameEnd]) || endings.contains(bytes[nameEnd]) else { return nil }
        return Reference(range: start..<nameEnd, name: name, arguments: [], hasBraces: false, isQuoted: isQuoted)
    }

    /// The lines that a reference stands for; nil when it stands for itself.
    private mutating func replacement(_ reference: Reference) -> [LogicalLine]? {
        if let lines = definitions[reference.name] { return lines }
        guard reference.hasBraces, let text = predefined(reference) else { return nil }
        return [LogicalLine(bytes: Array(text.utf8), start: Place(file: 0, line: 0, byte: 0))]
    }

    /// `${_PWD}`, `${_INSTANCE}`, `${_RANDOM [MIN [MAX]]}`, `${_ENV NAME}`, `${_HASH}`, `${_BANG}`.
    private mutating func predefined(_ reference: Reference) -> String? {
        switch reference.name {
        case "_HASH": return "#"
        case "_BANG": return "!"
        case "_INSTANCE": return environment.instance
        case "_PWD": return includeStack.last.map(directory) ?? "."
        case "_RANDOM":
            let low = reference.arguments.first.flatMap { Int($0) } ?? 0
            let high = reference.arguments.dropFirst().first.flatMap { Int($0) } ?? 32767
            return String(nextRandom(low...max(low, high)))
        case "_ENV":
            guard let name = reference.arguments.first, let value = environment.variable(name) else { return nil }
            digestParts.append(Array(value.utf8) + [0])
            return value
        default: return nil
        }
    }

    /// Whether a value changes nothing but its place: no parameter begins in it or before it, no quotes, and not the kind of the line.
    private func isPlain(_ value: [UInt8], after before: ArraySlice<UInt8>) -> Bool {
        let first = before.first ?? value.first
        return !value.contains { $0 == UInt8(ascii: "$") || $0 == UInt8(ascii: "\"") }
            && !before.contains(UInt8(ascii: "$"))
            && first.map { $0 != UInt8(ascii: "@") && $0 != UInt8(ascii: "~") } ?? false
    }

    /// Puts a plain value in the place of the first reference, and goes on with the others while their values are plain too.
    private mutating func spliceAll(
        _ first: [UInt8], _ references: ArraySlice<Reference>, into line: LogicalLine
    ) -> LogicalLine {
        var joined = LogicalLine(bytes: [], start: line.place(0), runs: [])
        var end = 0
        for reference in references where joined.bytes.count <= limits.lineBytes {
            var value = first
            if end > 0 {
                let between = line.bytes[end..<reference.range.lowerBound]
                guard let lines = definitions[reference.name], lines.count == 1,
                    isPlain(lines[0].bytes, after: joined.bytes.prefix(1) + between)
                else { break }
                value = lines[0].bytes
            }
            joined.append(line, end..<reference.range.lowerBound)
            joined.append(
                value, from: line.place(reference.range.lowerBound), line.place(reference.range.upperBound - 1))
            end = reference.range.upperBound
        }
        joined.append(line, end..<line.bytes.count)
        return joined.trimmed()
    }

    /// Puts lines in the place of a range: the first joins what is before, the last what is after.
    private func splice(_ lines: [LogicalLine], into line: LogicalLine, at range: Range<Int>) -> [LogicalLine] {
        guard lines.count > 1 else {
            var joined = LogicalLine(bytes: [], start: line.place(0), runs: [])
            joined.append(line, 0..<range.lowerBound)
            joined.append(
                lines.first?.bytes ?? [], from: line.place(range.lowerBound), line.place(range.upperBound - 1))
            joined.append(line, range.upperBound..<max(range.upperBound, line.bytes.count))
            return [joined.trimmed()]
        }
        let before = line.slice(0..<range.lowerBound)
        let after = line.from(range.upperBound)
        var result: [LogicalLine] = []
        if !before.trimmed().bytes.isEmpty {
            result += splice([lines[0]], into: line.slice(0..<range.upperBound), at: range)
            result += lines[1...]
        } else {
            result += lines
        }
        let rest = after.trimmed()
        if !rest.bytes.isEmpty { result.append(rest) }
        return result
    }
}

extension LogicalLine {
    /// A part of another line.
    fileprivate mutating func append(_ line: LogicalLine, _ range: Range<Int>) {
        runs? += line.runs(range, at: bytes.count)
        bytes += line.bytes[range]
    }

    /// A parameter's value: its first byte is at the `$`, the others at the end of the parameter.
    fileprivate mutating func append(_ value: [UInt8], from start: Place, _ end: Place) {
        if !value.isEmpty { runs?.append(Run(index: bytes.count, place: start, isFixed: true)) }
        if value.count > 1 { runs?.append(Run(index: bytes.count + 1, place: end, isFixed: true)) }
        bytes += value
    }
}

/// The directory part of a path; "." when it has none.
func directory(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
}
