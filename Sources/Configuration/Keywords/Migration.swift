// docs/MIGRATION.md and `lbctl config explain`: the keyword table as text. A test regenerates the file and fails when it is
// stale, so the documentation cannot drift from what is read.

extension KeywordTable {
    /// The migration table: one section for each kind of block, one row for each keyword.
    public static func migrationTable() -> String {
        var text = ""
        var block: String?
        for entry in entries {
            if entry.heading != block {
                block = entry.heading
                text += "\n## \(entry.heading)\n\n"
                text += "| keyword | default | meaning | Evenkeel |\n|---|---|---|---|\n"
            }
            text += "| `\(entry.syntax.escapedForTable)` | \(entry.defaultText.escapedForTable) | "
            text += "\(entry.meaning.escapedForTable) | \(entry.supportText.escapedForTable) |\n"
        }
        return text
    }

    /// How many distinct keywords have each kind of support.
    public static func summary() -> String {
        let words = Dictionary(grouping: entries, by: \.word)
        func count(_ isMeant: (Support) -> Bool) -> Int { words.values.count { $0.contains { isMeant($0.support) } } }
        let supported = count { $0 == .supported }
        let rest = words.values.filter { !$0.contains { $0.support == .supported } }
        let notYet = rest.count { $0.contains { $0.support == .notYet } }
        return "\(words.count) words: \(supported) acted on, \(notYet) read and named but not acted on yet, "
            + "\(words.count - supported - notYet) without a counterpart, old spellings, or Evenkeel's own."
    }
}

extension KeywordTable.Entry {
    /// The word with what follows it and its range: `priority N (1…255)`.
    public var syntax: String { value.isEmpty ? word : "\(word) \(value)" }

    /// The default with unit and range, for people.
    public var defaultText: String {
        var text = standard
        if let unit, text.first?.isNumber == true { text += " \(unit)" }
        if let range { text += " (\(range))" }
        return text
    }

    /// What `lbctl config explain WORD` prints: a few lines for one block.
    public var explanation: String {
        var lines = ["\(syntax)    in \(heading)", "  \(meaning)", "  default: \(defaultText)"]
        lines.append("  Evenkeel: \(supportText)")
        return lines.joined(separator: "\n") + "\n"
    }

    /// What Evenkeel does with it, and why not where it does nothing.
    public var supportText: String {
        guard support == .notYet, let reason = KeywordTable.reason(word) else { return support.text }
        return "\(support.text): \(reason)"
    }

    /// The block, for people. Lists have no keyword of their own: their words are those of address and track lines.
    public var heading: String { lines ?? (kind == .list ? "words of address and track lines" : kind.rawValue) }
}

extension KeywordTable.Support {
    /// In a few words.
    public var text: String {
        switch self {
        case .supported: "yes"
        case .notYet: "not yet"
        case .unneeded(let reason): "no effect: \(reason)"
        case .deprecated(let use): "understood as `\(use)`"
        case .addition: "Evenkeel only"
        }
    }
}

extension String {
    /// A bar would end the cell.
    fileprivate var escapedForTable: String {
        var text = ""
        for character in self { text += character == "|" ? "\\|" : String(character) }
        return text
    }
}
