// The usual types of value as row makers: whole numbers, seconds, switches, words, addresses, commands. Each knows its
// range and says what is wrong; the default column comes from a fresh draft.
import Net

extension Keyword {
    /// A whole number. `unit` is for the documentation.
    static func integer<Number: FixedWidthInteger & Sendable>(
        _ word: String, _ range: ClosedRange<Int>, _ path: any WritableKeyPath<Draft, Number> & Sendable,
        unit: String? = nil, standard: String? = nil, _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword {
        Keyword(
            word, "N", unit: unit, range: rangeText(range), standard: standard ?? "\(Draft()[keyPath: path])", tier,
            meaning
        ) { draft, statement, interpreter in
            guard let value = interpreter.integer(statement, range, unit: unit) else { return }
            draft[keyPath: path] = Number(clamping: value)
        }
        .showing { "\($0[keyPath: path])" }
    }

    /// A whole number that is inherited or derived when it is not given.
    static func integer<Number: FixedWidthInteger & Sendable>(
        _ word: String, _ range: ClosedRange<Int>, optional path: any WritableKeyPath<Draft, Number?> & Sendable,
        unit: String? = nil, standard: String, _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword {
        Keyword(word, "N", unit: unit, range: rangeText(range), standard: standard, tier, meaning) {
            draft, statement, interpreter in
            guard let value = interpreter.integer(statement, range, unit: unit) else { return }
            draft[keyPath: path] = Number(clamping: value)
        }
        .showing { $0[keyPath: path].map { "\($0)" } }
    }

    /// Seconds with decimals, to the microsecond.
    static func seconds(
        _ word: String, _ range: ClosedRange<Double>, _ path: any WritableKeyPath<Draft, Duration> & Sendable,
        standard: String? = nil, _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword {
        Keyword(
            word, "SECONDS", unit: "s", range: rangeText(range),
            standard: standard ?? secondsText(Draft()[keyPath: path]), tier, meaning
        ) { draft, statement, interpreter in
            guard let value = interpreter.seconds(statement, range) else { return }
            draft[keyPath: path] = value
        }
        .showing { secondsText($0[keyPath: path]) }
    }

    /// Seconds that are inherited or derived when they are not given.
    static func seconds(
        _ word: String, _ range: ClosedRange<Double>, optional path: any WritableKeyPath<Draft, Duration?> & Sendable,
        standard: String, _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword {
        Keyword(word, "SECONDS", unit: "s", range: rangeText(range), standard: standard, tier, meaning) {
            draft, statement, interpreter in
            guard let value = interpreter.seconds(statement, range) else { return }
            draft[keyPath: path] = value
        }
        .showing { $0[keyPath: path].map(secondsText) }
    }

    /// `true|on|yes`, `false|off|no`, or nothing for true. `negated` keywords store the opposite.
    static func boolean(
        _ word: String, _ path: any WritableKeyPath<Draft, Bool> & Sendable, negated: Bool = false,
        standard: String? = nil, _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword {
        let initial = Draft()[keyPath: path] != negated ? "on" : "off"
        return Keyword(word, "[BOOL]", range: "on, off", standard: standard ?? initial, tier, meaning) {
            draft, statement, interpreter in
            guard let value = interpreter.boolean(statement) else { return }
            draft[keyPath: path] = value != negated
        }
        .showing { $0[keyPath: path] != negated ? "on" : "off" }
    }

    /// Present or not.
    static func toggle(
        _ word: String, _ path: any WritableKeyPath<Draft, Bool> & Sendable, sets value: Bool = true,
        _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword {
        let initial = Draft()[keyPath: path] == value ? "on" : "off"
        return Keyword(word, standard: initial, tier, meaning) { draft, statement, interpreter in
            interpreter.expectNothing(statement)
            draft[keyPath: path] = value
        }
        .showing { $0[keyPath: path] == value ? "on" : "off" }
    }

    /// One word.
    static func word(
        _ word: String, _ value: String = "TEXT", _ path: any WritableKeyPath<Draft, String?> & Sendable,
        standard: String = "none", isScript: Bool = false, _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword {
        Keyword(word, value, standard: standard, tier, meaning) { draft, statement, interpreter in
            guard let argument = interpreter.single(statement, isScript: isScript) else { return }
            draft[keyPath: path] = argument.text
        }
        .showing { $0[keyPath: path] }
    }

    /// One word that has a default.
    static func text(
        _ word: String, _ value: String = "TEXT", _ path: any WritableKeyPath<Draft, String> & Sendable,
        _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword {
        Keyword(word, value, standard: Draft()[keyPath: path], tier, meaning) { draft, statement, interpreter in
            guard let argument = interpreter.single(statement) else { return }
            draft[keyPath: path] = argument.text
        }
        .showing { $0[keyPath: path] }
    }

    /// A boolean that is inherited when it is not given.
    static func optionalBoolean(
        _ word: String, _ path: any WritableKeyPath<Draft, Bool?> & Sendable, standard: String,
        _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword {
        Keyword(word, "[BOOL]", range: "on, off", standard: standard, tier, meaning) { draft, statement, interpreter in
            guard let value = interpreter.boolean(statement) else { return }
            draft[keyPath: path] = value
        }
        .showing { $0[keyPath: path].map { $0 ? "on" : "off" } }
    }

    /// One of a few words.
    static func choice<Choice: RawRepresentable<String> & Sendable>(
        _ word: String, _ choices: [Choice], _ path: any WritableKeyPath<Draft, Choice> & Sendable,
        standard: String? = nil, ignoresCase: Bool = false, _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword {
        let names = choices.map(\.rawValue)
        return Keyword(
            word, names.joined(separator: "|"), standard: standard ?? Draft()[keyPath: path].rawValue, tier, meaning
        ) { draft, statement, interpreter in
            guard let argument = interpreter.single(statement) else { return }
            let text = argument.text
            let meant = choices.first { $0.rawValue == text || ignoresCase && $0.rawValue == text.uppercased() }
            guard let choice = meant else {
                interpreter.sayNotOneOf(names, argument, statement)
                return
            }
            draft[keyPath: path] = choice
        }
        .showing { $0[keyPath: path].rawValue }
    }

    /// An IP address of either family.
    static func address(
        _ word: String, _ path: any WritableKeyPath<Draft, IPAddress?> & Sendable, standard: String = "none",
        _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword {
        Keyword(word, "ADDR", standard: standard, tier, meaning) { draft, statement, interpreter in
            guard let argument = interpreter.single(statement), let value = interpreter.address(argument) else {
                return
            }
            draft[keyPath: path] = value
        }
        .showing { $0[keyPath: path].map { "\($0)" } }
    }

    /// `CMD|"CMD ARGS" [USER [GROUP]]`; without users where a keyword of its own names them.
    static func command(
        _ word: String, _ path: any WritableKeyPath<Draft, ScriptCommand?> & Sendable, takesUser: Bool = true,
        _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword {
        let value = takesUser ? "CMD [USER [GROUP]]" : "\"CMD ARGS\""
        return Keyword(word, value, standard: "none", tier, meaning) { draft, statement, interpreter in
            guard let command = interpreter.command(statement, takesUser: takesUser) else { return }
            draft[keyPath: path] = command
        }
    }

    /// A block that becomes part of its parent.
    static func block<Child>(
        _ word: String, _ value: String, _ grammar: @escaping @Sendable () -> Grammar<Child>, kind: BlockKind,
        standard: String = "none", _ tier: KeywordTable.Tier, _ meaning: String,
        from start: @escaping @Sendable (Draft, Interpreter) -> Child,
        store: @escaping @Sendable (inout Draft, __owned Parsed<Child>, inout Interpreter) -> Void
    ) -> Keyword {
        block(word, value, kind: kind, standard: standard, tier, meaning) { draft, statement, interpreter in
            let parsed = interpreter.read(statement, grammar(), from: start(draft, interpreter))
            store(&draft, parsed, &interpreter)
        }
    }

    /// A block that is read in a way of its own.
    static func block(
        _ word: String, _ value: String, kind: BlockKind, standard: String = "none", _ tier: KeywordTable.Tier,
        _ meaning: String, read: @escaping Read
    ) -> Keyword {
        var keyword = Keyword(
            word, "\(value) { … }".trimmedOfSpaces, standard: standard, tier, meaning, read: read)
        keyword.phase = .children
        keyword.entry.child = kind
        return keyword
    }

    /// A block of lines that are not keywords, perhaps with a name.
    static func list(
        _ word: String, _ name: String = "", lines: String, standard: String = "none", _ tier: KeywordTable.Tier,
        _ meaning: String, read: @escaping Read
    ) -> Keyword {
        let value = "\(name) { \(lines) }".trimmedOfSpaces
        var keyword = Keyword(word, value, standard: standard, tier, meaning, read: read)
        keyword.entry.child = .list
        return keyword
    }

    /// keepalived has it, Evenkeel does not act on it yet; the usual kinds of value are checked and not kept.
    static func notYet(
        _ word: String, _ value: String, unit: String? = nil, range: String? = nil, standard: String = "off",
        _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword {
        let limits = (range ?? "").split(separator: "…").map { Double($0) ?? longestTime }
        let numbers = limits.count == 2 ? Int(limits[0])...Int(limits[1]) : Int(Int32.min)...Int(UInt32.max)
        let times = limits.count == 2 ? limits[0]...limits[1] : 0...longestTime
        return Keyword(word, value, unit: unit, range: range, standard: standard, tier, meaning, support: .notYet) {
            _, statement, interpreter in
            switch value {
            case "": interpreter.expectNothing(statement)
            case "[BOOL]": _ = interpreter.boolean(statement)
            case "N": _ = interpreter.integer(statement, numbers, unit: unit)
            case "SECONDS": _ = interpreter.seconds(statement, times)
            case "ADDR": if let word = interpreter.single(statement) { _ = interpreter.address(word) }
            case "IF": _ = interpreter.interface(statement)
            case "CMD [USER [GROUP]]": _ = interpreter.command(statement)
            default: if !value.hasPrefix("["), statement.arguments.isEmpty { interpreter.sayMissing(statement) }
            }
        }
    }

    /// The same for a rare keyword.
    static func notYet(
        _ word: String, _ value: String, unit: String? = nil, range: String? = nil, standard: String = "off",
        _ meaning: String
    ) -> Keyword {
        notYet(word, value, unit: unit, range: range, standard: standard, .rare, meaning)
    }

    /// The same for a switch.
    static func notYet(_ word: String, _ meaning: String) -> Keyword { notYet(word, "", .rare, meaning) }

    /// keepalived has it and Evenkeel needs nothing of the sort.
    static func unneeded(
        _ word: String, _ value: String, unit: String? = nil, range: String? = nil, standard: String = "off",
        _ meaning: String, because reason: String
    ) -> Keyword {
        Keyword(word, value, unit: unit, range: range, standard: standard, .rare, meaning, support: .unneeded(reason)) {
            _, _, _ in
        }
    }

    /// The same for a switch.
    static func unneeded(_ word: String, _ meaning: String, because reason: String) -> Keyword {
        unneeded(word, "", meaning, because: reason)
    }
}

/// `1…255`.
private func rangeText(_ range: ClosedRange<Int>) -> String {
    range.upperBound >= Int(Int32.max) ? "\(range.lowerBound)…" : "\(range.lowerBound)…\(range.upperBound)"
}

/// `0.01…255`.
func rangeText(_ range: ClosedRange<Double>) -> String {
    let top = range.upperBound >= 4_294_967 ? "" : secondsText(.microseconds(Int64(range.upperBound * 1_000_000)))
    return secondsText(.microseconds(Int64(range.lowerBound * 1_000_000))) + "…" + top
}

/// Seconds without needless zeros.
func secondsText(_ duration: Duration) -> String {
    let microseconds = duration.nanoseconds / 1000
    let whole = microseconds / 1_000_000
    var fraction = String(microseconds % 1_000_000 + 1_000_000).dropFirst()
    while fraction.last == "0" { fraction.removeLast() }
    return fraction.isEmpty ? "\(whole)" : "\(whole).\(fraction)"
}

extension String {
    /// Without the blank that an empty part leaves at the front.
    fileprivate var trimmedOfSpaces: String { String(drop { $0 == " " }) }
}
