// The input of `ipvsadm -R`, cut into command lines: words between blanks, one command line to a line, the word `ipvsadm` skipped wherever
// it stands. There are no quotes and, in spite of its manual, no comments: a `#` is a word like any other.

/// Cuts input into command lines as it comes.
public struct RestoreLines: Sendable {
    private var words: [String] = []
    private var word: [UInt8] = []
    /// Blanks since the last word.
    private var blanks = 0

    /// Nothing has come yet.
    public init() {}

    /// The command lines that `octets` complete. Lines without a word are left out.
    public mutating func add(_ octets: ArraySlice<UInt8>) -> [[String]] {
        var lines: [[String]] = []
        for octet in octets {
            switch octet {
            case UInt8(ascii: "\n"):
                endWord()
                if !words.isEmpty { lines.append(words) }
                words = []
                blanks = 0
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
                endWord()
                blanks += 1
            case _:
                word.append(octet)
                blanks = 0
            }
        }
        return lines
    }

    /// The last line, when its newline is missing. ipvsadm loses such a line when more than one blank ends it.
    public mutating func end() -> [String]? {
        endWord()
        defer { self = RestoreLines() }
        return words.isEmpty || blanks > 1 ? nil : words
    }

    private mutating func endWord() {
        guard !word.isEmpty else { return }
        let text = String(decoding: word, as: UTF8.self)
        if text != "ipvsadm" { words.append(text) }
        word = []
    }
}
