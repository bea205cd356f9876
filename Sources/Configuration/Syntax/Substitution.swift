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
    /// The line with its first defined parameter replaced; nil when nothing is to be replaced.
    mutating func substitute(_ line: LogicalLine) -> [LogicalLine]? {
        guard line.bytes.contains(UInt8(ascii: "$")) else { return nil }
        for reference in references(line) {
            if let lines = replacement(reference) {
                return splice(lines, into: line, at: reference.range)
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
            digestInput += Array(value.utf8) + [0]
            return value
        default: return nil
        }
    }

    /// Puts lines in the place of a range: the first joins what is before, the last what is after.
    private func splice(_ lines: [LogicalLine], into line: LogicalLine, at range: Range<Int>) -> [LogicalLine] {
        let before = line.slice(0..<range.lowerBound)
        let after = line.from(range.upperBound)
        guard lines.count > 1 else {
            let value = lines.first?.bytes ?? []
            var places = (0..<range.lowerBound).map(line.place)
            places += value.indices.map { line.place($0 == 0 ? range.lowerBound : range.upperBound - 1) }
            places += (range.upperBound..<max(range.upperBound, line.bytes.count)).map(line.place)
            let joined = LogicalLine(
                bytes: before.bytes + value + after.bytes, start: line.place(0), places: places)
            return [joined.trimmed()]
        }
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

/// The directory part of a path; "." when it has none.
func directory(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
}
