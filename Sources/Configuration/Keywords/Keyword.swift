// A row of the keyword table together with how its value gets into the draft of its block, and the grammar of a block:
// its rows. Helpers for the usual types of value are in Keyword+Values.swift.

/// What a block is read into before it is resolved. A fresh one holds keepalived's defaults: the table's default column is
/// read from it.
protocol BlockDraft: Sendable {
    init()
}

/// A keyword of blocks that are read into a `Draft`.
struct Keyword<Draft: BlockDraft>: Sendable {
    typealias Read = @Sendable (inout Draft, Statement, inout Interpreter) -> Void

    /// When a statement is read: children inherit from what their parent says anywhere in its block.
    enum Phase: Int, CaseIterable { case first, ordinary, children }

    var entry: KeywordTable.Entry
    /// The word under which its statement is remembered: that of the row it is a spelling of.
    var canonical: String
    var phase = Phase.ordinary
    var isRequired = false
    var read: Read
    /// The value that counts in a draft, in the keyword's own words; nil = nothing is set. Rows without it say what stands in the file.
    var inForce: (@Sendable (Draft) -> String?)?
    /// Its last argument is not for everybody's eyes.
    var isSecret = false

    init(
        _ word: String, _ value: String = "", unit: String? = nil, range: String? = nil, standard: String = "",
        _ tier: KeywordTable.Tier, _ meaning: String, support: KeywordTable.Support = .supported,
        read: @escaping Read
    ) {
        entry = KeywordTable.Entry(
            word: word, value: value, unit: unit, range: range, standard: standard, meaning: meaning, tier: tier,
            support: support)
        canonical = word
        self.read = read
    }

    /// The block is wrong without it.
    var required: Keyword {
        var copy = self
        copy.isRequired = true
        copy.entry.standard = "required"
        return copy
    }

    /// Its value is shown as stars.
    var secret: Keyword {
        var copy = self
        copy.isSecret = true
        return copy
    }

    /// How a draft's value is shown.
    func showing(_ inForce: @escaping @Sendable (Draft) -> String?) -> Keyword {
        var copy = self
        copy.inForce = inForce
        return copy
    }

    /// It may stand several times.
    var repeatable: Keyword {
        var copy = self
        copy.entry.repeats = true
        return copy
    }

    /// keepalived knows it and it is read and checked, but nothing acts on it yet.
    var notYet: Keyword {
        var copy = self
        copy.entry.support = .notYet
        return copy
    }

    /// It is read and checked; Evenkeel needs nothing of the sort.
    func unneeded(because reason: String) -> Keyword {
        var copy = self
        copy.entry.support = .unneeded(reason)
        return copy
    }

    /// Evenkeel's own.
    var addition: Keyword {
        var copy = self
        copy.entry.support = .addition
        return copy
    }

    /// The same under an old name.
    func spelled(_ word: String) -> Keyword {
        var copy = self
        copy.entry.support = .deprecated(use: entry.word)
        copy.entry.word = word
        return copy
    }

    /// A word seen in the wild that means another keyword.
    func spelling(of word: String) -> Keyword {
        var copy = self
        copy.canonical = word
        copy.entry.support = .deprecated(use: word)
        return copy
    }

    /// The same under another name that is as good.
    func alias(_ word: String) -> Keyword {
        var copy = self
        copy.entry.word = word
        return copy
    }
}

extension Keyword {
    fileprivate var traits: Grammar<Draft>.Traits {
        let isRemarkable =
            switch entry.support {
            case .supported, .addition: false
            case .notYet, .unneeded, .deprecated: true
            }
        return Grammar<Draft>.Traits(
            phase: phase, repeats: entry.repeats, takesBlock: entry.child != nil, isRemarkable: isRemarkable,
            isMuted: entry.support == .notYet)
    }
}

/// The keywords of a kind of block. A class, because every block that was read refers to it.
final class Grammar<Draft: BlockDraft>: Sendable {
    let kind: BlockKind
    let keywords: [Keyword<Draft>]
    /// Its words, to find what was meant.
    let vocabulary: Vocabulary
    /// The rows of keywords that the block is wrong without.
    let required: [Int]
    /// For each row the row it is a spelling of.
    let canonicalRows: [Int]
    /// Finds the rows of words.
    let words: WordIndex
    /// What reading asks of every statement's row.
    let traits: [Traits]
    /// The phases that rows have, in order.
    let phases: [Keyword<Draft>.Phase]

    /// What reading asks of a row, in one place.
    struct Traits: Sendable {
        let phase: Keyword<Draft>.Phase
        let repeats: Bool
        let takesBlock: Bool
        /// There is something to say about the keyword wherever it stands.
        let isRemarkable: Bool
        let isMuted: Bool
    }

    /// The rows come in groups: one literal of all of them takes the compiler minutes.
    init(_ kind: BlockKind, _ groups: [Keyword<Draft>]...) {
        self.kind = kind
        let keywords = groups.flatMap { $0 }
        self.keywords = keywords.map {
            var keyword = $0
            keyword.entry.kind = kind
            return keyword
        }
        vocabulary = Vocabulary(keywords.lazy.map(\.entry.word))
        let words = WordIndex(keywords.map(\.entry))
        self.words = words
        required = keywords.indices.filter { keywords[$0].isRequired }
        canonicalRows = keywords.indices.map { words.row(of: keywords[$0].canonical) ?? $0 }
        traits = keywords.map(\.traits)
        let phases = Set(keywords.map(\.phase))
        self.phases = Keyword<Draft>.Phase.allCases.filter { phases.contains($0) }
    }

    var entries: [KeywordTable.Entry] { keywords.map(\.entry) }

    /// The row of a word.
    func row(of word: String) -> Int? { words.row(of: word) }
}

/// A block that was read: its draft, and where each keyword stood.
struct Parsed<Draft: BlockDraft>: Sendable {
    var draft: Draft
    /// The statement that opened the block.
    var opener: Statement
    let grammar: Grammar<Draft>
    /// The last statement of each keyword, by its canonical row; 0 = there is none.
    private var places: [Int32]

    init(_ opener: Statement, _ grammar: Grammar<Draft>, from start: Draft) {
        draft = start
        self.opener = opener
        self.grammar = grammar
        places = Array(repeating: 0, count: grammar.keywords.count)
    }

    /// The last statement of a canonical row.
    subscript(row: Int) -> Statement? {
        places[row] > 0 ? Statement(tree: opener.tree, index: Int(places[row])) : nil
    }

    /// The statement is the last of a canonical row.
    mutating func note(_ row: Int, _ statement: Statement) { places[row] = Int32(clamping: statement.index) }

    /// Keywords that seem to be meant by words that are none: what they lack has been said.
    var attempted: Set<String> = []

    /// True when the keyword was written, perhaps wrongly.
    func isWritten(_ word: String) -> Bool { has(word) || attempted.contains(word) }

    /// The last statement of a keyword.
    func statement(_ word: String) -> Statement? {
        grammar.row(of: word).flatMap { self[$0] }
    }

    /// True when the keyword was written.
    func has(_ word: String) -> Bool { grammar.row(of: word).map { places[$0] > 0 } ?? false }

    /// The first argument of a keyword, else the keyword, else what opened the block: where to point.
    func place(of word: String) -> Word {
        guard let statement = statement(word) else { return opener.keyword }
        return statement.arguments.first ?? statement.keyword
    }
}
