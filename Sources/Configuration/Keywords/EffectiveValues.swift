// The values that count after a reading, for people: each word of each block with its value, its default, and the line that it comes from.
// Collected while blocks are read, so that every row of the keyword table is there by itself; what the resolving of names and contradictions
// changes later is put right with `settle`. Only `lbctl config show` asks for it: daemons collect nothing.

/// A block of the configuration with all its words.
public struct EffectiveBlock: Equatable, Sendable {
    /// Its kind as the keyword table has it, e.g. `vrrp_instance`.
    public var kind: String
    /// What opens it, e.g. `vrrp_instance VI_1`.
    public var title: String
    /// Where it begins.
    public var position: SourcePosition
    /// How many blocks it is in.
    public var depth: Int
    /// In the order of the keyword table.
    public var settings: [EffectiveSetting]
}

/// One word of a block, with what counts.
public struct EffectiveSetting: Equatable, Sendable {
    /// Where a value comes from.
    public enum Origin: Equatable, Sendable {
        /// Nobody wrote it.
        case standard
        /// Its line.
        case written(SourcePosition)
        /// The line of a block that this one inherits from.
        case inherited(SourcePosition)
        /// It follows from other words of the block.
        case derived

        /// The line.
        public var position: SourcePosition? {
            switch self {
            case .written(let position), .inherited(let position): position
            case .standard, .derived: nil
            }
        }
    }

    /// The word.
    public var word: String
    /// What counts, in the word's own terms; stars for a secret.
    public var value: String
    /// keepalived's default in words.
    public var standard: String
    /// The unit of a number.
    public var unit: String?
    /// Where it comes from.
    public var origin: Origin
    /// What was written instead, where something else counts.
    public var written: String?
    /// False for what is of interest when somebody wrote it: rare words, and what is off or open.
    public var isCommon: Bool
    /// What the stars stand for: two values are compared by it.
    var secret: String?
}

/// Collects blocks during a reading.
struct EffectiveValues: Sendable {
    private(set) var blocks: [EffectiveBlock] = []
    private var parents: [Int?] = []
    private var open: [Int] = []
    /// Which block a statement opens. Its place would not do: a parameter or a sequence opens many blocks at one.
    private var indices: [Int: Int] = [:]
    /// Where the blocks stand in the text.
    private var places: [Int] = []

    /// Block by block in the order of the text, global_defs first.
    var inOrder: [EffectiveBlock] {
        let isFirst = blocks.map { [BlockKind.file.rawValue, BlockKind.globalDefinitions.rawValue].contains($0.kind) }
        return blocks.indices.sorted { (isFirst[$0] ? 0 : 1, places[$0]) < (isFirst[$1] ? 0 : 1, places[$1]) }
            .map { blocks[$0] }
    }

    /// A block begins: its place among the others is before those in it.
    mutating func begin(_ opener: Statement, _ kind: BlockKind, _ sources: SourceMap) {
        indices[opener.index] = blocks.count
        parents.append(open.last)
        places.append(opener.index)
        open.append(blocks.count)
        blocks.append(
            EffectiveBlock(
                kind: kind.rawValue, title: opener.words.map(\.text).joined(separator: " "),
                position: sources.excerpt(opener.keyword.place, length: opener.keyword.length).position,
                depth: open.count - 1, settings: []))
    }

    /// Blocks of the file follow that are read later than the others.
    mutating func reopenFile() { open.append(0) }

    /// The innermost block ends.
    mutating func end() { open.removeLast() }

    /// What the block that opens at a place says; `parsed` is as it was read, `settled` what became of it.
    mutating func fill<Draft>(_ parsed: Parsed<Draft>, _ settled: Draft, _ sources: SourceMap) {
        guard let index = indices[parsed.opener.index] else { return }
        var ancestors: [EffectiveBlock] = []
        var next = parents[index]
        while let parent = next {
            ancestors.append(blocks[parent])
            next = parents[parent]
        }
        if blocks[index].kind != BlockKind.globalDefinitions.rawValue {
            ancestors += blocks.filter { $0.kind == BlockKind.globalDefinitions.rawValue }
        }
        blocks[index].settings = parsed.settings(settled, sources, inheriting: ancestors)
    }
}

extension Interpreter {
    /// What resolving made of a block that was read before.
    mutating func settle<Draft>(_ parsed: Parsed<Draft>, _ change: (inout Draft) -> Void) {
        guard effective != nil else { return }
        var settled = parsed.draft
        change(&settled)
        effective?.fill(parsed, settled, reporter.sources)
    }
}

extension Parsed {
    fileprivate func settings(
        _ settled: Draft, _ sources: SourceMap, inheriting ancestors: [EffectiveBlock]
    ) -> [EffectiveSetting] {
        let standard = Draft()
        let statements = Dictionary(grouping: opener.children) {
            grammar.row(of: $0.keyword.text).map { grammar.canonicalRows[$0] }
        }
        return grammar.keywords.indices.flatMap { row -> [EffectiveSetting] in
            let keyword = grammar.keywords[row]
            guard grammar.canonicalRows[row] == row, keyword.entry.isActedOn else { return [] }
            let written = statements[row] ?? []
            if let child = keyword.entry.child {
                return child == .list ? written.flatMap { keyword.entry.lines($0, sources) } : []
            }
            if keyword.entry.repeats { return written.map { keyword.setting(as: $0, sources) } }
            guard let inForce = keyword.inForce, !keyword.isSecret, let value = inForce(settled) else {
                var setting = written.last.map { keyword.setting(as: $0, sources) } ?? keyword.setting()
                // Open: what inherits it decides.
                if written.isEmpty { setting.isCommon = false }
                return [setting]
            }
            var setting = keyword.setting()
            setting.value = value
            if value == "off" { setting.isCommon = false }
            if let statement = written.last {
                setting.origin = .written(statement.keyword.position(sources))
                if inForce(draft) != value { setting.written = statement.valueText }
            } else if let source = ancestors.source(of: keyword.entry, value: value) {
                setting.origin = .inherited(source)
            } else if value != inForce(standard) ?? keyword.entry.standard {
                setting.origin = .derived
            }
            return [setting]
        }
    }
}

extension Keyword {
    /// Nobody wrote it.
    fileprivate func setting() -> EffectiveSetting {
        EffectiveSetting(
            word: entry.word, value: entry.standard, standard: entry.standard, unit: entry.unit, origin: .standard,
            isCommon: entry.tier != .rare)
    }

    /// As it was written.
    fileprivate func setting(as statement: Statement, _ sources: SourceMap) -> EffectiveSetting {
        var setting = setting()
        setting.origin = .written(statement.keyword.position(sources))
        setting.value = statement.valueText
        guard isSecret else { return setting }
        setting.secret = setting.value
        setting.value = statement.arguments.enumerated().map { index, word in
            index < statement.arguments.count - 1 || word.text.hasPrefix("file:") ? word.text : "********"
        }.joined(separator: " ")
        return setting
    }
}

extension KeywordTable.Entry {
    fileprivate var isActedOn: Bool {
        switch support {
        case .supported, .addition: true
        case .notYet, .unneeded, .deprecated: false
        }
    }

    /// A list has a value for each of its lines.
    fileprivate func lines(_ statement: Statement, _ sources: SourceMap) -> [EffectiveSetting] {
        statement.children.map { line in
            EffectiveSetting(
                word: statement.words.map(\.text).joined(separator: " "),
                value: line.words.map(\.text).joined(separator: " "), standard: standard, unit: unit,
                origin: .written(line.keyword.position(sources)), isCommon: true)
        }
    }
}

extension [EffectiveBlock] {
    /// The line of the nearest block that hands `value` down: under the same word, or under what global_defs calls it.
    fileprivate func source(of entry: KeywordTable.Entry, value: String) -> SourcePosition? {
        guard !entry.isOwn else { return nil }
        let word = entry.word
        let global = [
            "vrrp_\(word)", "checker_\(word)", "\(word)_\(entry.kind == .instance ? "vrrp" : "checker")",
            word == "strict_mode" ? "vrrp_strict" : word,
        ]
        for block in self where block.kind != BlockKind.file.rawValue {
            let isGlobal = block.kind == BlockKind.globalDefinitions.rawValue
            for setting in block.settings where isGlobal ? global.contains(setting.word) : setting.word == word {
                if let position = setting.origin.position, setting.value == value { return position }
            }
        }
        return nil
    }
}

extension KeywordTable.Entry {
    /// Words that mean something else in a block around them: vrrp_priority is the process's, and a real server's mail is not its service's.
    fileprivate var isOwn: Bool { word == "priority" || (word == "smtp_alert" && kind == .realServer) }
}

extension Statement {
    /// What follows the word; a word alone is a switch.
    fileprivate var valueText: String { arguments.isEmpty ? "on" : arguments.map(\.text).joined(separator: " ") }
}

extension Word {
    fileprivate func position(_ sources: SourceMap) -> SourcePosition {
        sources.excerpt(place, length: length).position
    }
}
