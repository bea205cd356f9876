// Words of global_defs that count while lines are read: `include_check` for the includes and `random_seed` for the numbers below them, as in
// keepalived. The rows of the keyword table say what is wrong with their values.

/// What an include must satisfy.
struct IncludeCheck: OptionSet, Sendable {
    let rawValue: UInt8
    /// Every file can be read.
    static let readable = IncludeCheck(rawValue: 1)
    /// Something matches.
    static let match = IncludeCheck(rawValue: 2)
    /// Every wildcard matches.
    static let wildcards = IncludeCheck(rawValue: 4)
    /// Every alternative in braces matches.
    static let alternatives = IncludeCheck(rawValue: 8)
    static let all: IncludeCheck = [.readable, .match, .wildcards, .alternatives]

    static let names = ["readable", "match", "wildcard_match", "brace_match"]

    /// An option by its name, whatever sign it has.
    init?(word: String) {
        guard let index = Self.names.firstIndex(of: String(word.drop { $0 == "+" || $0 == "-" })) else { return nil }
        self.init(rawValue: 1 << UInt8(index))
    }

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// After `include_check`: alone all, with signs what is there and more or less, else just these.
    func changed(by words: [String]) -> IncludeCheck {
        if words.isEmpty { return .all }
        let hasSigns = words.contains { $0.hasPrefix("+") || $0.hasPrefix("-") }
        var checks = hasSigns ? self : []
        for word in words {
            guard let option = IncludeCheck(word: word) else { continue }
            if word.hasPrefix("-") { checks.subtract(option) } else { checks.formUnion(option) }
        }
        return checks
    }
}

extension Preprocessor {
    /// Acts on a line that counts at once; it goes into the tree all the same.
    mutating func actOn(_ line: LogicalLine) {
        guard line.bytes.starts(with: "include_check".utf8) || line.bytes.starts(with: "random_seed".utf8) else {
            return
        }
        let words = line.bytes.split(whereSeparator: isBlank).map { String(decoding: $0, as: UTF8.self) }
        if words.first == "include_check" {
            includeChecks = includeChecks.changed(by: Array(words.dropFirst()))
        } else if words.first == "random_seed", let seed = words.dropFirst().first.flatMap({ UInt32($0) }) {
            randomState = UInt64(seed)
        }
    }
}
