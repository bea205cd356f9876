// "Did you mean": the closest known word, by the number of single-character edits. A suggestion that is too far off is
// worse than none, so short words may differ by one edit, longer ones by two or three. A swap of neighbours, the usual
// slip of typing, counts as one. A file full of unknown words asks hundreds of times, so a vocabulary is prepared once and
// most of its words are ruled out by length and letters.

/// Words that may have been meant; their order decides between equally near ones.
struct Vocabulary: Sendable {
    private struct Entry: Sendable {
        var word: String
        var letters: Letters
    }

    /// A word in lower case, and which letters it has.
    private struct Letters: Sendable {
        var bytes: [UInt8]
        var set: UInt32

        init(_ word: String) {
            bytes = word.utf8.map { (65...90).contains($0) ? $0 | 0x20 : $0 }
            set = bytes.reduce(0) { $0 | 1 << UInt32($1 & 31) }
        }
    }

    private var entries: [Entry] = []

    init(_ words: some Sequence<String>) {
        var seen: Set<String> = []
        for word in words where seen.insert(word).inserted {
            entries.append(Entry(word: word, letters: Letters(word)))
        }
    }

    /// The word nearest to `word`, when it is near enough to be meant.
    func closest(to word: String) -> String? {
        let length = word.utf8.count
        guard length <= 64 else { return nil }
        let allowed = length <= 4 ? 1 : (length <= 8 ? 2 : 3)
        let letters = Letters(word)
        var best: String?
        var limit = allowed
        for index in entries.indices where limit >= 0 {
            // Each edit adds or removes one byte, and puts at most one letter in the place of another.
            guard (entries[index].letters.set ^ letters.set).nonzeroBitCount <= 2 * limit,
                abs(entries[index].letters.bytes.count - length) <= limit,
                let distance = editDistance(letters.bytes, entries[index].letters.bytes, limit: limit)
            else { continue }
            best = entries[index].word
            limit = distance - 1
        }
        return best
    }
}

/// The word of `candidates` nearest to `word`, when it is near enough to be meant.
public func closest(to word: String, in candidates: some Sequence<String>) -> String? {
    Vocabulary(candidates).closest(to: word)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other; nil for more than `limit`.
private func editDistance(_ left: [UInt8], _ right: [UInt8], limit: Int) -> Int? {
    let width = right.count + 1
    return withUnsafeTemporaryAllocation(of: Int.self, capacity: 3 * width) { rows -> Int? in
        rows.initialize(repeating: 0)
        for column in 0..<width { rows[column] = column }
        var (beforePrevious, previous, current) = (2 * width, 0, width)
        for row in left.indices {
            rows[current] = row + 1
            var least = row + 1
            for column in right.indices {
                let isSame = left[row] == right[column]
                var best = min(
                    rows[current + column] + 1, rows[previous + column + 1] + 1,
                    rows[previous + column] + (isSame ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    best = min(best, rows[beforePrevious + column - 1] + 1)
                }
                rows[current + column + 1] = best
                least = min(least, best)
            }
            // A swap reaches back over a row; what it starts from is at most one less than this row's least.
            guard least <= limit + 1 else { return nil }
            (beforePrevious, previous, current) = (previous, current, beforePrevious)
        }
        let distance = rows[previous + right.count]
        return distance <= limit ? distance : nil
    }
}
