// The one table of keywords. Reading, defaults, range checks, `lbctl config explain` and docs/MIGRATION.md all come from
// its rows; the rows stand in the Grammar+….swift files, one for each kind of block.

/// Every keyword that keepalived.conf may hold, as values for people and tools.
public enum KeywordTable {
    /// How common a keyword is.
    public enum Tier: Int, Equatable, Sendable {
        /// In nearly every deployment.
        case everywhere = 1
        case common
        case rare
    }

    /// What Evenkeel does with a keyword.
    public enum Support: Equatable, Sendable {
        /// It is acted on.
        case supported
        /// keepalived knows it; Evenkeel reads it and says that it does nothing yet.
        case notYet
        /// It needs no action: what it asks for is always so, or has no counterpart. The text says which.
        case unneeded(String)
        /// An old spelling of another keyword; works, with a warning.
        case deprecated(use: String)
        /// Evenkeel's own; keepalived does not know it.
        case addition
    }

    /// One keyword in one kind of block.
    public struct Entry: Equatable, Sendable {
        /// Where it stands, e.g. `vrrp_instance`.
        public var block: String { lines ?? kind.rawValue }
        /// The word.
        public var word: String
        /// What follows it, e.g. `N` or `{ ADDR… }`; empty for a switch.
        public var value: String
        /// The unit of a number: "s", "µs", "bytes"; nil for none.
        public var unit: String?
        /// Allowed values, e.g. "1…255".
        public var range: String?
        /// keepalived's default in words.
        public var standard: String
        /// What it does, in one line.
        public var meaning: String
        /// How common it is.
        public var tier: Tier
        /// What Evenkeel does with it.
        public var support: Support

        var kind: BlockKind = .file
        var child: BlockKind?
        /// True when it may stand several times in one block.
        var repeats = false
        /// In whose lines it stands, where it is a word of lines that have a language of their own.
        var lines: String?
    }

    /// All rows, by block in the order of keepalived.conf(5).
    public static let entries: [Entry] = {
        var rows = Grammars.file.entries
        rows += Grammars.globalDefinitions.entries
        rows += Grammars.addressLine
        rows += Grammars.script.entries
        rows += Grammars.trackProcess.entries
        rows += Grammars.trackFile.entries
        rows += Grammars.trackUnit.entries
        rows += Grammars.trackLine
        rows += Grammars.syncGroup.entries
        rows += Grammars.trackGroup.entries
        rows += Grammars.garpGroup.entries
        rows += Grammars.instance.entries
        rows += Grammars.authentication.entries
        rows += Grammars.authenticationHMAC.entries
        rows += Grammars.bfd.entries
        rows += Grammars.ssl.entries
        rows += Grammars.virtualServer.entries
        rows += Grammars.realServer.entries
        for checker in Grammars.checkers { rows += checker.entries }
        rows += Grammars.url.entries
        rows += Grammars.smtpHost.entries
        return rows
    }()

    /// The rows of one word, in every block that has it.
    public static func explain(_ word: String) -> [Entry] {
        byWord[word] ?? []
    }

    /// What there is to say about a word that begins no line: it is a word of routes and rules, or a value that a keyword takes.
    public static func explainInLine(_ word: String) -> [Entry] {
        let lines = [(Grammars.routeLine, "routes"), (Grammars.ruleLine, "rules")].compactMap { line, kinds in
            line.words[word].map { value in
                let isActedOn = line.kind == "rule" || !Grammars.routeWordsNotActedOn.contains(word)
                return Entry(
                    word: word, value: value.syntax, range: value.range, standard: "as the kernel has it",
                    meaning: "as in ip-\(line.kind)(8)", tier: .common, support: isActedOn ? .supported : .notYet,
                    kind: .list, lines: "lines of virtual_\(kinds) and static_\(kinds)")
            }
        }
        guard lines.isEmpty, explain(word).isEmpty else { return lines }
        return entries.filter { entry in
            let values = "\(entry.value) \(entry.range ?? "")".split {
                !($0.isLetter || $0.isNumber || "_-".contains($0))
            }
            return values.contains { $0 == word }
        }
    }

    /// The known word nearest to `word`.
    public static func suggestion(for word: String) -> String? {
        vocabulary.closest(to: word)
    }

    private static let byWord = Dictionary(grouping: entries, by: \.word)
    private static let vocabulary = Vocabulary(entries.lazy.map(\.word))
}

/// The rows of every kind of block; filled by extensions, one file for each subject.
enum Grammars {}
