// "Did you mean": the closest known word, by the number of single-character edits. A suggestion that is too far off is
// worse than none, so short words may differ by one edit, longer ones by two or three. A swap of neighbours, the usual
// slip of typing, counts as one.

/// The word of `candidates` nearest to `word`, when it is near enough to be meant.
func closest(to word: String, in candidates: some Sequence<String>) -> String? {
    let allowed = word.utf8.count <= 4 ? 1 : (word.utf8.count <= 8 ? 2 : 3)
    var best: (distance: Int, word: String)?
    for candidate in candidates {
        guard abs(candidate.utf8.count - word.utf8.count) <= allowed else { continue }
        let distance = editDistance(Array(word.lowercased().utf8), Array(candidate.lowercased().utf8))
        guard distance <= allowed, distance < best?.distance ?? .max else { continue }
        best = (distance, candidate)
    }
    return best?.word
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    guard left.count <= 64, right.count <= 64 else { return .max }
    var beforePrevious: [Int] = []
    var previous = Array(0...right.count)
    for (row, a) in left.enumerated() {
        var current = [row + 1]
        for (column, b) in right.enumerated() {
            var best = min(current[column] + 1, previous[column + 1] + 1, previous[column] + (a == b ? 0 : 1))
            if row > 0, column > 0, a == right[column - 1], left[row - 1] == b {
                best = min(best, beforePrevious[column - 1] + 1)
            }
            current.append(best)
        }
        beforePrevious = previous
        previous = current
    }
    return previous[right.count]
}
