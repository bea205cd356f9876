// Checks lines of routes and rules against their grammar (Grammar+Route.swift): every wrong address, device, number and word is
// said where it stands, an unknown word ends the line because nobody knows what follows it. Interpreter+RoutingLines makes the
// model of what passed.
import Net

extension Interpreter {
    /// The routes of a block; lines that are wrong are said and left out.
    mutating func routes(_ statement: Statement) -> [RouteLine] {
        listLines(statement).compactMap { words in
            var line = LineCheck(grammar: Grammars.routeLine, rest: words[...])
            let before = reporter.errors
            check(&line)
            guard line.isUnderstood else { return nil }
            guard let destination = line.destination else {
                reporter.error(
                    .missingValue, at: words[0], "the route has no destination",
                    remedy: "write default or NETWORK/LENGTH first")
                return nil
            }
            return reporter.errors == before ? route(line, to: destination) : nil
        }
    }

    /// The rules of a block; lines that are wrong are said and left out.
    mutating func rules(_ statement: Statement) -> [RuleLine] {
        listLines(statement).compactMap { words in
            var line = LineCheck(grammar: Grammars.ruleLine, rest: words[...])
            let before = reporter.errors
            check(&line)
            guard line.isUnderstood else { return nil }
            guard !line.seen.isDisjoint(with: Grammars.ruleActions) else {
                reporter.error(
                    .missingValue, at: words[0], "the rule does not say what to do",
                    remedy: "add table NAME, or blackhole, prohibit, unreachable")
                return nil
            }
            return reporter.errors == before ? rule(line, at: words[0]) : nil
        }
    }

    private mutating func check(_ line: inout LineCheck) {
        while let word = line.rest.popFirst() {
            guard let value = line.grammar.words[word.text] else {
                guard checkDestination(word, &line) else {
                    line.isUnderstood = false
                    return sayUnknownWord(word, line)
                }
                continue
            }
            line.seen.insert(word.text)
            let isLocked = line.grammar.lockable.contains(word.text) && line.rest.first?.text == "lock"
            if isLocked { line.rest.removeFirst() }
            line.values.append((word, word, isLocked))
            guard check(value, of: word, &line) else {
                line.isUnderstood = false
                return
            }
        }
    }

    /// A word that is none of the line's: the destination of a route. False when it cannot be one either.
    private mutating func checkDestination(_ word: Word, _ line: inout LineCheck) -> Bool {
        guard line.grammar.kind == "route" else { return false }
        let looksLikeOne = word.text.utf8.first.map { hexDigit($0) ?? 10 < 10 } == true || word.text.utf8.contains(58)
        guard looksLikeOne || isAll(word.text) else { return false }
        if let first = line.destination {
            reporter.error(
                .extraWords, at: word, "a route has one destination",
                remedy: IPv4Address(word.text)?.isMask == true
                    ? "write the mask as a length: NETWORK/24, say" : "write one route on each line",
                notes: [(first, "the other one")])
            line.isUnderstood = false
            return true
        }
        line.destination = word
        checkPrefix(word, &line)
        return true
    }

    /// False when the value is missing.
    private mutating func check(_ value: LineValue, of word: Word, _ line: inout LineCheck) -> Bool {
        if case .nothing = value { return true }
        guard var argument = line.rest.popFirst() else {
            reporter.error(.missingValue, at: word, "\(word.text) needs a value")
            return false
        }
        defer { line.values[line.values.count - 1].value = argument }
        switch value {
        case .nothing: break
        case .address:
            if ["inet", "inet6", "to"].contains(argument.text), let next = line.rest.popFirst() { argument = next }
            if let address = address(argument) { note(address.family, argument, &line) }
        case .prefix:
            if line.grammar.kind == "route", word.text == "to" { line.destination = argument }
            checkPrefix(argument, &line)
        case .device: noteInterface(argument)
        case .number(let range): _ = integer(argument, range, of: word.text)
        case .range(let range): checkRange(argument, range, of: word)
        case .mark: checkMark(argument, of: word)
        case .time: checkTime(argument, of: word)
        case .boolean: checkOneOf(["0", "1", "true", "false", "on", "off", "yes", "no"], argument, of: word)
        case .choice(let names): checkOneOf(names, argument, of: word)
        case .name: break
        case .named(let names, let range):
            if Int(argument.text).map({ !range.contains($0) }) ?? !names.contains(argument.text) {
                sayBad(argument, of: word, "use \(names.joined(separator: ", ")) or a number up to \(range.upperBound)")
            }
        case .rest:
            while let next = line.rest.first,
                line.grammar.words[next.text] == nil || LineCheck.wrapping.contains(next.text)
            {
                line.rest.removeFirst()
            }
        }
        return true
    }

    private mutating func checkPrefix(_ word: Word, _ line: inout LineCheck) {
        guard !isAll(word.text), let prefix = prefix(word) else { return }
        note(prefix.address.family, word, &line)
    }

    func isAll(_ text: String) -> Bool { ["default", "default6", "any", "all"].contains(text) }

    /// Addresses of one line are of one family.
    private mutating func note(_ family: AddressFamily, _ word: Word, _ line: inout LineCheck) {
        guard let first = line.family else { return line.family = (family, word) }
        guard first.family != family, !line.saidFamily else { return }
        line.saidFamily = true
        reporter.error(
            .contradiction, at: word, "the \(line.grammar.kind) mixes IPv4 and IPv6",
            notes: [(first.word, "the other one")])
    }

    private mutating func checkRange(_ word: Word, _ range: ClosedRange<Int>, of name: Word) {
        let ends = word.text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { Int($0) }
        guard ends.allSatisfy({ $0.map(range.contains) == true }), let low = ends.first, let high = ends.last,
            let low, let high, low <= high
        else { return sayBad(word, of: name, "write N or N-M, up to \(range.upperBound)") }
    }

    private mutating func checkMark(_ word: Word, of name: Word) {
        let parts = word.text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let isNumber = parts.allSatisfy { part in
            (part.hasPrefix("0x") ? UInt32(part.dropFirst(2), radix: 16) : UInt32(part)) != nil
        }
        // Names of TOS values are the machine's.
        let isName =
            name.text != "fwmark" && parts.count == 1 && word.text.utf8.first.map { hexDigit($0) == nil } == true
        if !isNumber, !isName { sayBad(word, of: name, "write a number, 16 or 0x10, say") }
    }

    private mutating func checkTime(_ word: Word, of name: Word) {
        let number =
            word.text.hasSuffix("ms")
            ? word.text.dropLast(2) : word.text.hasSuffix("s") ? word.text.dropLast() : word.text[...]
        if parseSeconds(String(number)) == nil { sayBad(word, of: name, "write milliseconds, or 100ms or 1.5s, say") }
    }

    private mutating func checkOneOf(_ names: [String], _ word: Word, of name: Word) {
        if !names.contains(word.text) { sayBad(word, of: name, "use one of \(names.joined(separator: ", "))") }
    }

    mutating func sayBad(_ word: Word, of name: Word, _ remedy: String) {
        reporter.error(.badValue, at: word, "\(name.text) cannot be \(quoted(word.text))", remedy: remedy)
    }

    private mutating func sayUnknownWord(_ word: Word, _ line: LineCheck) {
        let kind = line.grammar.kind
        let near = line.grammar.vocabulary.closest(to: word.text)
        reporter.error(
            .unknownKeyword, at: word, "\(quoted(word.text)) is not a word of a \(kind)",
            remedy: near.map { "did you mean \($0)?" }
                ?? (kind == "rule"
                    ? "write it like from 192.0.2.0/24 table 100 priority 1000"
                    : "write it like 192.0.2.0/24 via 192.0.2.1 dev eth0"))
    }
}

/// A line while it is checked.
struct LineCheck {
    let grammar: LineGrammar
    var rest: Words
    var seen: Set<String> = []
    /// What was read, in order; the value of a word that has none is the word.
    var values: [(word: Word, value: Word, isLocked: Bool)] = []
    var destination: Word?
    /// Of the first address.
    var family: (family: AddressFamily, word: Word)?
    var saidFamily = false
    /// False once something was wrong that makes the rest guesswork.
    var isUnderstood = true

    /// Words of a route that `encap` has too.
    static let wrapping: Set<String> = ["src", "tos", "hoplimit"]

    init(grammar: LineGrammar, rest: Words) {
        self.grammar = grammar
        self.rest = rest
    }
}

extension IPv4Address {
    /// True for 255.255.255.0 and the like.
    fileprivate var isMask: Bool { rawValue != 0 && (~rawValue &+ 1) & ~rawValue == 0 }
}
