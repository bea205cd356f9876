// The configuration as it is written: words, statements, blocks, each knowing where it stands. No meaning yet.

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

/// A keyword with what follows on its line, and its block.
struct Statement: Sendable {
    /// At least one; the first is the keyword.
    var words: [Word]
    /// The same as a script's words, single quotes and escapes decoded; nil when they are no different.
    var scriptWords: [Word]?
    /// The statements between its braces.
    var block: Block?

    var keyword: Word { words[0] }
    var arguments: ArraySlice<Word> { words[1...] }
    /// Arguments of a keyword that takes a script or a pattern.
    var scriptArguments: ArraySlice<Word> { (scriptWords ?? words).dropFirst() }

    /// `vrrp_instance VI_1`: how a message names it.
    var title: String { words.prefix(words[0].text == "virtual_server" ? 3 : 2).map(\.text).joined(separator: " ") }
}

/// What stands between `{` and `}`.
struct Block: Sendable {
    var statements: [Statement] = []
}
