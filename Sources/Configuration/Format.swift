// `lbctl config format`: one layout for every file. Only blanks change: each line is indented by the blocks it is in, blanks
// at its end and empty lines beyond one go away. Words, quotes, comments and the order stay, so the meaning stays.

extension Configuration {
    /// The text with four blanks for each block a line is in, and at most one empty line in a row.
    public static func formatted(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var depth = 0
        var wasEmpty = true
        let start = Place(file: 0, line: 0, byte: 0)
        for raw in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            let line = LogicalLine(bytes: Array(raw), start: start).trimmed()
            guard !line.bytes.isEmpty else {
                if !wasEmpty { result.append(UInt8(ascii: "\n")) }
                wasEmpty = true
                continue
            }
            let (closedFirst, change) = braces(line.withoutComment())
            let indentation = max(0, depth - closedFirst)
            result += repeatElement(UInt8(ascii: " "), count: 4 * min(indentation, 32))
            result += line.bytes
            result.append(UInt8(ascii: "\n"))
            depth = max(0, depth + change)
            wasEmpty = false
        }
        while result.suffix(2) == [UInt8(ascii: "\n"), UInt8(ascii: "\n")] { result.removeLast() }
        return result
    }

    /// How many braces close before anything else on the line, and by how much the depth changes over the whole line. The
    /// braces of a parameter or a list are a pair on one line and change nothing.
    private static func braces(_ line: LogicalLine) -> (closedFirst: Int, change: Int) {
        var splitter = WordSplitter(line, isScript: false)
        var closedFirst = 0
        var change = 0
        var isFirst = true
        for token in splitter.tokens() {
            switch token {
            case .word: isFirst = false
            case .open:
                isFirst = false
                change += 1
            case .close:
                if isFirst { closedFirst += 1 }
                change -= 1
            }
        }
        return (closedFirst, change)
    }
}
