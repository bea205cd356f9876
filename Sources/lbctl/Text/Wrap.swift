// Text that is wider than the terminal, broken at blanks; what goes on is indented, so that the eye finds the next entry.
// A word that is longer than a line stays whole: an address that was cut in two could not be copied. A no-break space keeps
// two words together and is shown as a blank.

enum Wrap {
    /// The pieces as lines of at most `width` characters; nil leaves them on one line.
    ///
    /// - Parameters:
    ///   - indent: blanks before the first line.
    ///   - hanging: blanks before the others; nil is two more than the first line has.
    static func lines(
        _ pieces: [Cell], _ style: Style, width: Int?, indent: Int = 0, hanging: Int? = nil
    ) -> [String] {
        let whole = pieces.reduce(indent) { $0 + $1.text.count }
        guard let width, whole > width else {
            let text = pieces.map { style.paint($0.text, $0.tone) }.joined()
            return [blanks(indent) + text.replacing("\u{A0}", with: " ")]
        }
        let words = words(pieces)
        let start = indent + (words.first?.gap ?? 0)
        var line = Line(indent: start)
        var lines: [String] = []
        for word in words {
            if line.length + word.length > width, line.hasWords {
                lines.append(line.text(style))
                line = Line(indent: min(hanging ?? start + 2, width / 2))
            }
            line.add(word)
        }
        return lines + [line.text(style)]
    }

    static func blanks(_ count: Int) -> String { String(repeating: " ", count: count) }

    /// Pieces between two blanks, and the blanks before them.
    private struct Word {
        var gap = 0
        var pieces: [Cell] = []
        var length: Int { pieces.reduce(gap) { $0 + $1.text.count } }
    }

    private struct Line {
        private(set) var length: Int
        private let indent: Int
        private var pieces: [Cell] = []
        var hasWords: Bool { !pieces.isEmpty }

        init(indent: Int) {
            self.indent = indent
            length = indent
        }

        mutating func add(_ word: Word) {
            // Blanks where the text was broken are not shown; those at its start are in the indent.
            if hasWords, word.gap > 0 {
                let (before, after) = (pieces.last?.tone, word.pieces.first?.tone)
                pieces.append(Cell(blanks(word.gap), before == after ? before ?? .plain : .plain))
                length += word.gap
            }
            pieces += word.pieces
            length += word.length - word.gap
        }

        /// Neighbours of one tone are painted together.
        func text(_ style: Style) -> String {
            var text = blanks(indent)
            var rest = pieces[...]
            while let first = rest.first {
                let run = rest.prefix { $0.tone == first.tone }
                text += style.paint(run.map(\.text).joined().replacing("\u{A0}", with: " "), first.tone)
                rest = rest.dropFirst(run.count)
            }
            return text
        }
    }

    private static func words(_ pieces: [Cell]) -> [Word] {
        var words: [Word] = []
        var word = Word()
        for piece in pieces {
            for (number, part) in piece.text.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
                if number > 0 {
                    if !word.pieces.isEmpty {
                        words.append(word)
                        word = Word()
                    }
                    word.gap += 1
                }
                if !part.isEmpty { word.pieces.append(Cell(String(part), piece.tone)) }
            }
        }
        return word.pieces.isEmpty ? words : words + [word]
    }
}
