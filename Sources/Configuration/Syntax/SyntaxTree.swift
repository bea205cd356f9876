// The configuration as it is written: words, statements, blocks, each knowing where it stands. No meaning yet. A large one has a
// hundred thousand words, so they are kept as small records in one array; a word's text stays in the file's bytes and becomes a
// string when somebody asks.

/// One word, quotes taken away.
struct Word: Equatable, Sendable {
    var text: String
    /// Where it begins; for a substituted word the place of the `$`.
    var place: Place
    /// Bytes it takes in the file, quotes included.
    var length: Int
    /// True when some of it was quoted: then it is never a brace or a keyword by accident.
    var isQuoted = false
    /// True when a quote in it is not closed.
    var isUnclosed = false
}

/// Everything that was read, in the order of the text.
struct SyntaxRecords: Sendable {
    /// A statement; those of its block follow it.
    struct Entry: Sendable {
        var words: Range<UInt32>
        /// Index of the first statement after its block; 0 = it has none.
        var end: UInt32 = 0
        /// Index of its words as a script has them; -1 = they are no different.
        var script: Int32 = -1
        /// Row of its keyword in the grammar of the block that it is in; -1 = it has none.
        var row: Int16

        var hasBlock: Bool { end != 0 }
    }

    var words = WordStore()
    var entries: [Entry] = []
    var scripts: [Range<UInt32>] = []

    func keyword(_ entry: Int) -> Word { words[Int(entries[entry].words.lowerBound)] }

    /// `vrrp_instance VI_1`: how a message names the statement of these words.
    func title(_ range: Range<UInt32>) -> String {
        let isService = words.text(Int(range.lowerBound)) == "virtual_server"
        return range.prefix(isService ? 3 : 2).map { words.text(Int($0)) }.joined(separator: " ")
    }
}

/// A configuration that was read. Statement 0 is the file itself.
final class SyntaxTree: Sendable {
    let records: SyntaxRecords

    init(_ records: SyntaxRecords) {
        self.records = records
    }

    /// The file as a statement, with everything in its block.
    var root: Statement { Statement(tree: self, index: 0) }
}

/// A keyword with what follows on its line, and its block.
struct Statement: Sendable {
    let tree: SyntaxTree
    /// Its place among all statements.
    let index: Int

    private var entry: SyntaxRecords.Entry { tree.records.entries[index] }

    var keyword: Word { tree.records.keyword(index) }
    /// At least one; the first is the keyword.
    var words: Words { Words(tree: tree, range: entry.words) }
    var arguments: Words { words.dropFirst() }
    /// Arguments of a keyword that takes a script or a pattern: single quotes and escapes are decoded.
    var scriptArguments: Words {
        let script = Int(entry.script)
        return (script < 0 ? words : Words(tree: tree, range: tree.records.scripts[script])).dropFirst()
    }
    /// Row of its keyword in the grammar of the block that it is in; nil when the keyword is not known there.
    var row: Int? { entry.row < 0 ? nil : Int(entry.row) }

    var hasBlock: Bool { entry.hasBlock }
    /// What stands between its braces.
    var block: Block? { hasBlock ? Block(statements: Array(children)) : nil }

    /// The statements of its block, one after the other.
    var children: Statements { Statements(tree: tree, next: index + 1, end: Int(entry.end)) }

    /// `vrrp_instance VI_1`: how a message names it.
    var title: String { tree.records.title(entry.words) }
}

/// The statements of one block.
struct Statements: Sequence, IteratorProtocol {
    let tree: SyntaxTree
    /// The index of the next one.
    private var place: Int
    private let end: Int

    fileprivate init(tree: SyntaxTree, next: Int, end: Int) {
        self.tree = tree
        place = next
        self.end = end
    }

    mutating func next() -> Statement? {
        guard place < end else { return nil }
        defer {
            let entry = tree.records.entries[place]
            place = entry.hasBlock ? Int(entry.end) : place + 1
        }
        return Statement(tree: tree, index: place)
    }
}

/// What stands between `{` and `}`.
struct Block: Sendable {
    let statements: [Statement]
}

/// Words of one statement, each made when it is asked for. Positions count from the keyword.
struct Words: RandomAccessCollection, Sendable {
    private let tree: SyntaxTree
    /// Index of the keyword.
    private let base: Int
    let startIndex: Int
    let endIndex: Int

    init(tree: SyntaxTree, range: Range<UInt32>) {
        self.tree = tree
        base = Int(range.lowerBound)
        startIndex = 0
        endIndex = range.count
    }

    private init(_ words: Words, _ bounds: Range<Int>) {
        tree = words.tree
        base = words.base
        startIndex = bounds.lowerBound
        endIndex = bounds.upperBound
    }

    subscript(position: Int) -> Word { tree.records.words[base + position] }
    subscript(bounds: Range<Int>) -> Words { Words(self, bounds) }
}
