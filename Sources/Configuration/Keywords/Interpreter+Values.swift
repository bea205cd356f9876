// Words → numbers, times, addresses, commands. Every reader says what is wrong, with the keyword's name and what it takes,
// and gives nil; the draft then keeps its default, which does not matter because the configuration is refused.
import Net

/// The longest time that keepalived takes, in seconds.
let longestTime = 4_294_967.0

extension Interpreter {
    /// The one argument; more are named and ignored, as keepalived ignores them.
    mutating func single(_ statement: Statement, isScript: Bool = false) -> Word? {
        let arguments = isScript ? scriptArguments(statement) : statement.arguments
        guard let first = arguments.first else {
            sayMissing(statement)
            return nil
        }
        if !isScript, !first.isQuoted, let problem = punctuation(first, arguments.dropFirst().first) {
            reporter.error(.badValue, at: first, problem, remedy: "write one keyword and its value on each line")
            return nil
        }
        if !isScript, first.text.utf8.first == UInt8(ascii: "'") {
            reporter.warning(
                .badCharacter, at: first, "single quotes are ordinary characters here, as keepalived reads them",
                remedy: "use double quotes, or none")
        }
        ignoreExtra(arguments.dropFirst(), statement)
        return first
    }

    /// What other languages write between words and at the end of lines.
    private func punctuation(_ word: Word, _ next: @autoclosure () -> Word?) -> String? {
        switch word.text.utf8.last {
        case UInt8(ascii: "="), UInt8(ascii: ":"):
            word.text.utf8.count == 1 ? "nothing but a blank stands between a keyword and its value" : nil
        case UInt8(ascii: ";"): "a semicolon ends nothing here, it would be part of the value"
        case UInt8(ascii: ","): next() != nil ? "a comma separates nothing here" : nil
        default: nil
        }
    }

    /// A script's words; a single quote that is not closed is said (a double one has been).
    mutating func scriptArguments(_ statement: Statement) -> Words {
        let words = statement.scriptArguments
        if let open = words.first(where: \.isUnclosed), !statement.words.contains(where: \.isUnclosed) {
            reporter.report(.unmatched(open.place))
        }
        return words
    }

    mutating func sayMissing(_ statement: Statement) {
        let value = KeywordTable.explain(statement.keyword.text).first?.value ?? ""
        reporter.error(
            .missingValue, at: statement.keyword, "\(statement.keyword.text) needs a value",
            remedy: value.isEmpty ? nil : "write \(statement.keyword.text) \(value)")
    }

    /// Names words that nobody reads.
    mutating func ignoreExtra(_ words: some BidirectionalCollection<Word>, _ statement: Statement) {
        guard var first = words.first, let last = words.last else { return }
        let text = words.map(\.text).joined(separator: " ")
        let isOurs = KeywordTable.explain(statement.keyword.text).allSatisfy { $0.support == .addition }
        if last.place.line == first.place.line { first.length = Int(last.place.byte - first.place.byte) + last.length }
        reporter.warning(
            .extraWords, at: first,
            "\(quoted(text)) after \(statement.keyword.text) is ignored\(isOurs ? "" : ", as keepalived does")",
            remedy: "remove it, start a comment with #, or quote the words that belong together")
    }

    /// A keyword that counts by being there: keepalived does not look at what follows, not even at `off`.
    mutating func expectNothing(_ statement: Statement) {
        guard let word = statement.arguments.first, truth(word.text) != nil || Int(word.text) != nil else {
            return ignoreExtra(statement.arguments, statement)
        }
        let name = statement.keyword.text
        let isOff = truth(word.text) == false || Int(word.text) == 0
        reporter.warning(
            .extraWords, at: word,
            "\(name) takes no value: it is on whatever follows, as keepalived reads it",
            remedy: isOff ? "remove the line to turn it off" : "write \(name) alone")
    }

    /// What keepalived takes for true and false.
    private func truth(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "on", "yes": true
        case "false", "off", "no": false
        default: nil
        }
    }

    /// A whole number within the range.
    mutating func integer(_ statement: Statement, _ range: ClosedRange<Int>, unit: String? = nil) -> Int? {
        guard let word = single(statement) else { return nil }
        return integer(word, range, of: statement.keyword.text, unit: unit)
    }

    /// A whole number within the range; `name` is what the message calls it.
    mutating func integer(
        _ word: Word, _ range: ClosedRange<Int>, of name: @autoclosure () -> String, unit: String? = nil
    ) -> Int? {
        let isDecimal = word.text.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
        }
        guard isDecimal, let value = Int(word.text) else {
            reporter.error(
                isDecimal && word.text.utf8.count > 18 ? .outOfRange : .badValue, at: word,
                "\(name()) takes a whole number, \(wholeNumbers(range, unit)), not \(quoted(word.text))")
            return nil
        }
        guard range.contains(value) else {
            reporter.error(
                .outOfRange, at: word, "\(name()) \(value) is out of range", remedy: "use \(wholeNumbers(range, unit))")
            return nil
        }
        return value
    }

    /// The range as messages write it.
    private func wholeNumbers(_ range: ClosedRange<Int>, _ unit: String?) -> String {
        let unit = unit.map { " \($0)" } ?? ""
        return range.upperBound >= Int(Int32.max)
            ? "\(range.lowerBound) or more\(unit)" : "\(range.lowerBound) to \(range.upperBound)\(unit)"
    }

    /// Seconds within the range, to the microsecond.
    mutating func seconds(_ statement: Statement, _ range: ClosedRange<Double>) -> Duration? {
        guard let word = single(statement) else { return nil }
        return seconds(word, range, of: statement.keyword.text)
    }

    /// Seconds within the range; `name` is what the message calls them.
    mutating func seconds(_ word: Word, _ range: ClosedRange<Double>, of name: String) -> Duration? {
        guard let value = parseSeconds(word.text) else {
            reporter.error(.badValue, at: word, "\(name) takes seconds, e.g. 3 or 0.5, not \(quoted(word.text))")
            return nil
        }
        let low = Duration.microseconds(Int64(range.lowerBound * 1_000_000))
        let high = Duration.microseconds(Int64(range.upperBound * 1_000_000))
        guard (low...high).contains(value) else {
            reporter.error(
                .outOfRange, at: word, "\(name) \(word.text) is out of range",
                remedy: "use \(secondsText(low)) to \(secondsText(high)) seconds")
            return nil
        }
        return value
    }

    /// A bare boolean keyword is true.
    mutating func boolean(_ statement: Statement) -> Bool? {
        guard let word = statement.arguments.first else { return true }
        ignoreExtra(statement.arguments.dropFirst(), statement)
        switch word.text {
        case "true", "on", "yes": return true
        case "false", "off", "no": return false
        default:
            reporter.error(
                .badValue, at: word, "\(statement.keyword.text) takes on or off, not \(quoted(word.text))",
                remedy: "use true, on, yes, false, off or no, in lower case")
            return nil
        }
    }

    mutating func sayNotOneOf(_ names: [String], _ word: Word, _ statement: Statement) {
        let near = closest(to: word.text, in: names).map { "did you mean \($0)?" }
        reporter.error(
            .badValue, at: word, "\(statement.keyword.text) cannot be \(quoted(word.text))",
            remedy: near ?? "use one of \(names.joined(separator: ", "))")
    }

    /// An address of either family.
    mutating func address(_ word: Word) -> IPAddress? {
        guard let address = IPAddress(word.text) else {
            reporter.error(
                .badValue, at: word, "\(quoted(word.text)) is not an IP address",
                remedy: word.text.hasSuffix(",") || word.text.hasSuffix(";")
                    ? "write one address on each line, with nothing behind it"
                    : "write it like 192.0.2.1 or 2001:db8::1; names are not looked up")
            return nil
        }
        return address
    }

    /// An address and a port, 0 when none is given.
    mutating func endpoint(_ words: Words, of name: String) -> Endpoint? {
        guard let first = words.first, let address = address(first) else { return nil }
        guard let second = words.dropFirst().first else { return Endpoint(address, port: 0) }
        guard let port = integer(second, 0...65535, of: "the port of \(name)") else { return nil }
        return Endpoint(address, port: UInt16(clamping: port))
    }

    /// `CMD|"CMD ARGS" [USER [GROUP]]`.
    mutating func command(_ statement: Statement, takesUser: Bool = true) -> ScriptCommand? {
        let words = scriptArguments(statement)
        guard let first = words.first else {
            sayMissing(statement)
            return nil
        }
        let users = takesUser ? Array(words.dropFirst().prefix(2)) : []
        ignoreExtra(words.dropFirst(takesUser ? 3 : 1), statement)
        let user = users.first.map { ScriptUser(user: $0.text, group: users.count > 1 ? users[1].text : nil) }
        guard let arguments = splitCommand(first) else { return nil }
        commands.append((first, arguments[0], user ?? global.scriptUser, turn))
        if let user, let word = users.first { self.users.append((word, user, turn)) }
        return ScriptCommand(arguments: arguments, user: user ?? global.scriptUser)
    }

    /// `PATH [USER [GROUP]]` of a pipe.
    mutating func pipe(_ statement: Statement) -> NotifyPipeConfiguration? {
        guard let path = statement.arguments.first else {
            sayMissing(statement)
            return nil
        }
        guard path.text.hasPrefix("/") else {
            reporter.error(
                .badValue, at: path, "\(statement.keyword.text) takes a path from / on, not \(quoted(path.text))")
            return nil
        }
        let users = Array(statement.arguments.dropFirst().prefix(2))
        ignoreExtra(statement.arguments.dropFirst(3), statement)
        let user = users.first.map { ScriptUser(user: $0.text, group: users.count > 1 ? users[1].text : nil) }
        if let user, let word = users.first { self.users.append((word, user, turn)) }
        return NotifyPipeConfiguration(path: path.text, user: user)
    }

    /// A file mode: a number (0x hexadecimal, 0 octal, else decimal), or IRUSR|IWGRP and the like.
    mutating func fileMode(_ statement: Statement) -> Int? {
        guard let word = single(statement) else { return nil }
        let text = word.text
        let number =
            text.hasPrefix("0x")
            ? Int(text.dropFirst(2), radix: 16) : text.hasPrefix("0") ? Int(text, radix: 8) : Int(text)
        let bits = text.split(separator: "|").map { Self.modeBits[String($0)] }
        let named = bits.contains(nil) ? nil : bits.compactMap(\.self).reduce(0, |)
        guard let mode = number ?? named, (0...0o777).contains(mode) else {
            reporter.error(
                .badValue, at: word, "\(statement.keyword.text) takes permissions, not \(quoted(text))",
                remedy: "write an octal number from 0 to 0777, or names like IWGRP|IWOTH")
            return nil
        }
        return mode
    }

    private static let modeBits: [String: Int] = {
        var bits: [String: Int] = [:]
        for (who, shift) in [("USR", 6), ("GRP", 3), ("OTH", 0)] {
            for (what, bit) in [("R", 4), ("W", 2), ("X", 1)] { bits["I\(what)\(who)"] = bit << shift }
        }
        return bits
    }()

    /// A command's words: blanks separate them, single quotes keep them together.
    mutating func splitCommand(_ word: Word) -> [String]? {
        let line = LogicalLine(bytes: Array(word.text.utf8), start: word.place)
        var splitter = WordSplitter(line, isScript: true)
        let arguments = splitter.words()
        guard !arguments.isEmpty else {
            reporter.error(.missingValue, at: word, "the command is empty")
            return nil
        }
        if arguments[0].hasPrefix("<") { return redirection(word) }
        // Where a shell is named it gets its line as one argument.
        let shellWords: Set = ["|", "||", "&&", "&", ";", "<", ">", ">>", "2>&1", "2>/dev/null", ">/dev/null", "`"]
        if let shellWord = arguments.dropFirst().first(where: { shellWords.contains($0) || $0.hasPrefix("$(") }) {
            reporter.warning(
                .badValue, at: word,
                "\(quoted(shellWord)) is passed to \(arguments[0]) as it stands: commands run without a shell",
                remedy: "write \"/bin/sh -c '…'\", or make it a script")
        }
        return arguments
    }

    /// keepalived runs a command that begins with `<` by a shell: "can it be opened". /dev/tcp is bash's.
    private mutating func redirection(_ word: Word) -> [String] {
        reporter.warning(
            .adjusted, at: word, "a redirection needs a shell: it is run by /bin/bash",
            remedy: "write \"/bin/bash -c '\(word.text)'\"")
        return ["/bin/bash", "-c", word.text]
    }
}

/// Seconds with up to six decimals that count; nil for anything else.
func parseSeconds(_ text: String) -> Duration? {
    // UInt64 takes a sign, in "-0" too.
    if text.utf8.count <= 12, text.utf8.first.flatMap(hexDigit) != nil, let whole = UInt64(text) {
        return .seconds(Int64(whole))
    }
    let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first, whole.count <= 12, parts.count == 1 || parts[1].count <= 12,
        !(whole.isEmpty && (parts.count == 1 || parts[1].isEmpty))
    else { return nil }
    var microseconds: Int64 = 0
    for byte in whole {
        guard let digit = hexDigit(byte), digit < 10 else { return nil }
        microseconds = microseconds * 10 + Int64(digit)
    }
    microseconds *= 1_000_000
    var scale: Int64 = 100_000
    for byte in parts.count > 1 ? Array(parts[1]) : [] {
        guard let digit = hexDigit(byte), digit < 10 else { return nil }
        microseconds += Int64(digit) * scale
        scale /= 10
    }
    return .microseconds(microseconds)
}
