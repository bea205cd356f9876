// `~SEQ(var, start, step, end)`, `~SEQx(…)` and `~LST(var, a, b)`, `~LST({x, y}, {1, 2}, {3, 4})`: the rest of the line is
// read once for every value of the variable.

/// A ~SEQ or ~LST at the start of a line.
struct LineSequence {
    /// What it counts with.
    enum Kind { case decimal, hexadecimal, list }

    /// The variables and their values in each round.
    struct Rounds {
        var names: [String]
        var values: [[String]]
    }

    /// Why the arguments make no sense.
    enum Problem: Error, CustomStringConvertible {
        case arguments, number(String), zeroStep, noEnd, tooMany, shape(Int)

        var description: String {
            switch self {
            case .arguments: "~SEQ takes (VAR, [START, [STEP,]] END) and ~LST takes (VAR, VALUE, …)"
            case .number(let text): "\"\(text)\" is not a whole number"
            case .zeroStep: "a step of 0 never ends"
            case .noEnd: "the step leads away from the end"
            case .tooMany: "the sequence has too many values"
            case .shape(let count): "every {…} of the list must have \(count) values, one for each variable"
            }
        }
    }

    let kind: Kind
    /// Between the parentheses.
    let arguments: LogicalLine
    /// Where the rest of the line begins.
    let end: Int

    /// Nil when the line does not begin with one.
    init?(_ line: LogicalLine) {
        let heads: [(String, Kind)] = [("~SEQ(", .decimal), ("~SEQx(", .hexadecimal), ("~LST(", .list)]
        guard let (head, kind) = heads.first(where: { line.bytes.starts(with: $0.0.utf8) }),
            let close = line.bytes.firstIndex(of: UInt8(ascii: ")"))
        else { return nil }
        self.kind = kind
        arguments = line.slice(head.utf8.count..<close)
        end = close + 1
    }

    /// The rounds that the arguments, parameters already replaced, ask for.
    func rounds(of text: String, limit: Int) throws(Problem) -> Rounds {
        switch kind {
        case .list: try list(splitList(text))
        case .decimal, .hexadecimal: try counted(splitList(text), limit: limit)
        }
    }

    private func counted(_ items: [String], limit: Int) throws(Problem) -> Rounds {
        guard (2...4).contains(items.count), let name = items.first, !name.isEmpty else { throw .arguments }
        var numbers: [Int] = []
        for item in items.dropFirst() {
            guard let number = parseNumber(item) else { throw .number(item) }
            numbers.append(number)
        }
        guard let end = numbers.last else { throw .arguments }
        let start = numbers.count > 1 ? numbers[0] : (end < 0 ? -1 : 1)
        let step = numbers.count > 2 ? numbers[1] : (end < start ? -1 : 1)
        guard step != 0 else { throw .zeroStep }
        guard start == end || (end > start) == (step > 0) else { throw .noEnd }
        var values: [[String]] = []
        var value = start
        while step > 0 ? value <= end : value >= end {
            guard values.count < limit else { throw .tooMany }
            values.append([String(value, radix: kind == .hexadecimal ? 16 : 10)])
            let (next, overflow) = value.addingReportingOverflow(step)
            if overflow { break }
            value = next
        }
        return Rounds(names: [name], values: values)
    }

    private func list(_ items: [String]) throws(Problem) -> Rounds {
        guard let first = items.first, items.count > 1 else { throw .arguments }
        let names = unwrap(first)
        guard !names.isEmpty, names.allSatisfy({ !$0.isEmpty }) else { throw .arguments }
        var values: [[String]] = []
        for item in items.dropFirst() {
            let row = first.hasPrefix("{") ? unwrap(item) : [item]
            guard row.count == names.count else { throw .shape(names.count) }
            values.append(row)
        }
        return Rounds(names: names, values: values)
    }

    /// `{a, b}` → a, b; a bare word stays alone.
    private func unwrap(_ item: String) -> [String] {
        guard item.hasPrefix("{"), item.hasSuffix("}") else { return [item] }
        return splitList(String(item.dropFirst().dropLast()))
    }

    /// Splits at commas outside braces; blanks around items go away.
    private func splitList(_ text: String) -> [String] {
        var items: [[UInt8]] = [[]]
        var depth = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "{") { depth += 1 }
            if byte == UInt8(ascii: "}") { depth -= 1 }
            if byte == UInt8(ascii: ","), depth == 0 {
                items.append([])
            } else {
                items[items.count - 1].append(byte)
            }
        }
        return items.map { bytes in
            String(
                decoding: LogicalLine(bytes: bytes, start: Place(file: 0, line: 0, byte: 0)).trimmed().bytes,
                as: UTF8.self)
        }
    }

    /// Decimal or 0x hexadecimal, one minus sign allowed before it.
    private func parseNumber(_ text: String) -> Int? {
        guard text.hasPrefix("0x") || text.hasPrefix("-0x") else { return Int(text) }
        let isNegative = text.hasPrefix("-")
        let digits = text.dropFirst(isNegative ? 3 : 2)
        return Int(isNegative ? "-\(digits)" : "\(digits)", radix: 16)
    }
}
