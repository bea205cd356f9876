// Statements → drafts, by the rows of the block's grammar. Says what is unknown, misplaced, doubled, missing or not acted
// on; the rows say what is wrong with values.

/// Reads blocks into drafts and collects what is to be said.
struct Interpreter {
    var reporter: Reporter
    /// `global_defs` is read first; instances and servers start from it.
    var global = GlobalDefinitions()
    /// Programs that are run, where they are named: what the machine is asked about.
    var commands: [(word: Word, program: String, user: ScriptUser?, turn: Int)] = []
    /// Users that scripts run as, where they are named.
    var users: [(word: Word, user: ScriptUser, turn: Int)] = []
    /// The `SSL` block, for every SSL_GET.
    var clientIdentity: ClientIdentityDraft?
    /// Numbers of names in /etc/iproute2; nil = the machine is not known.
    var routingNames: (RoutingNames) -> [String: UInt32]? = { _ in nil }
    /// The content of key files; none is looked at where the machine is not known.
    var secretFile: (String) -> SecretFile = { _ in .unknown }
    /// The priority of the next rule that has none: they count down.
    var nextRulePriority: UInt32 = 16_384
    /// Patterns of checks, where they are written.
    var patterns: [(word: Word, pattern: RegexCheck)] = []
    /// Files that are read when they are needed, where they are named.
    var files: [(word: Word, path: String)] = []
    /// Network namespaces, where they are named.
    var namespaces: [(word: Word, name: NetworkNamespaceName)] = []
    /// Interfaces, where they are named.
    var interfaces: [(word: Word, name: String, turn: Int)] = []
    /// Where what is read now stands among the virtual servers, which are read later than what is around them: odd in one of them,
    /// even before and behind.
    var turn = 0
    /// Virtual addresses on the interfaces of their instances.
    var placedAddresses: [PlacedAddress] = []
    /// The instance that lvs_sync_daemon names.
    var syncDaemonInstance: Word?
    var syncDaemonHasID = false
    /// The lines that are read follow no election.
    var readsStatics = false
    /// `track_file` and `bfd_instance` blocks by name.
    var trackFiles: [String: TrackFileConfiguration] = [:]
    var sessions: [String: BFDConfiguration] = [:]
    /// What instances can track, by kind and name.
    var trackable: [String: [String: (weight: Int, isReversed: Bool)]] = [:]
    /// Groups that static lines name.
    var trackGroups: [Word] = []
    /// Instances whose block is there but wrong: a group may name them.
    var failedInstances: Set<String> = []
    /// Keywords of which something is to be said: where they stand first, and how often.
    private var remarks: [String: (first: Word, support: KeywordTable.Support, block: BlockKind, count: Int)] = [:]
    /// What the configuration asks for and this version does not do.
    var inactions: [Inaction] = []
    /// The values that count, where somebody wants them.
    var effective: EffectiveValues?

    /// Inside a block that nothing acts on: its keywords are not named one by one.
    private var mutedDepth = 0

    init(reporter: Reporter) {
        self.reporter = reporter
    }

    /// Reads a block, starting from a draft that holds what is inherited.
    mutating func read<Draft>(
        _ opener: Statement, _ grammar: Grammar<Draft>, from start: __owned Draft
    ) -> Parsed<Draft> {
        effective?.begin(opener, grammar.kind, reporter.sources)
        var parsed = Parsed(opener, grammar, from: start)
        for statement in opener.children {
            guard let row = statement.row else {
                if let meant = sayUnknown(statement, grammar) { parsed.attempted.insert(meant) }
                continue
            }
            note(row, statement, grammar, parsed)
            parsed.note(grammar.canonicalRows[row], statement)
        }
        for phase in grammar.phases where phase != .children { read(phase, of: opener, grammar, &parsed.draft) }
        // What the children inherit is known by now.
        effective?.fill(parsed, parsed.draft, reporter.sources)
        if grammar.phases.contains(.children) { read(.children, of: opener, grammar, &parsed.draft) }
        effective?.end()
        for row in grammar.required where parsed[row] == nil {
            let entry = grammar.keywords[row].entry
            guard !parsed.isWritten(entry.word) else { continue }
            reporter.error(
                .missingKeyword, at: opener.keyword, "\(opener.title) has no \(entry.word)",
                remedy: "add \(entry.word) \(entry.value) (\(entry.meaning))")
        }
        return parsed
    }

    /// Reads the statements of one phase.
    private mutating func read<Draft>(
        _ phase: Keyword<Draft>.Phase, of opener: Statement, _ grammar: Grammar<Draft>, _ draft: inout Draft
    ) {
        for statement in opener.children {
            guard let row = statement.row, grammar.traits[row].phase == phase else { continue }
            let isMuted = grammar.traits[row].isMuted
            if isMuted { mutedDepth += 1 }
            grammar.keywords[row].read(&draft, statement, &self)
            if isMuted { mutedDepth -= 1 }
        }
    }

    /// Says what the table says about the statement's keyword, and what is wrong with its braces.
    private mutating func note<Draft>(
        _ row: Int, _ statement: Statement, _ grammar: Grammar<Draft>, _ parsed: borrowing Parsed<Draft>
    ) {
        let traits = grammar.traits[row]
        if traits.isRemarkable { remark(on: row, statement, grammar) }
        if !traits.repeats, let before = parsed[grammar.canonicalRows[row]] {
            let name = grammar.keywords[row].canonical
            reporter.warning(
                .duplicateKeyword, at: statement.keyword,
                "\(name) stands twice in \(parsed.opener.title); this one counts",
                remedy: "remove one of them", notes: [(before.keyword, "the other one")])
        }
        if !traits.takesBlock, let block = statement.block {
            let name = grammar.keywords[row].canonical
            reporter.error(
                .unexpectedBrace, at: statement.keyword, "\(name) takes no { … }",
                remedy: block.statements.isEmpty
                    ? "remove the braces" : "close the block before it, or remove the braces")
        }
        if traits.takesBlock, !statement.hasBlock {
            reporter.error(
                .missingBlock, at: statement.keyword, "\(statement.title) has no { … }",
                remedy: "write \(statement.title) { … }")
        }
    }

    /// Counts what is to be said about a keyword wherever it stands.
    private mutating func remark<Draft>(on row: Int, _ statement: Statement, _ grammar: Grammar<Draft>) {
        switch grammar.keywords[row].entry.support {
        case .supported, .addition: break
        case .notYet where mutedDepth > 0: break
        case .notYet:
            count(statement.keyword, .notYet, in: grammar.kind)
        case .unneeded(let reason): count(statement.keyword, .unneeded(reason), in: grammar.kind)
        case .deprecated(let use):
            count(statement.keyword, .deprecated(use: use), in: grammar.kind)
            guard mutedDepth == 0, let row = grammar.row(of: use) else { break }
            guard grammar.keywords[row].entry.support == .notYet else { break }
            var meant = statement.keyword
            meant.text = use
            count(meant, .notYet, in: grammar.kind)
        }
    }

    /// Counts a word of which something is to be said once, however often it stands.
    mutating func count(_ word: Word, _ support: KeywordTable.Support, in block: BlockKind) {
        remarks["\(block.rawValue) \(word.text)", default: (word, support, block, 0)].count += 1
    }

    /// Gives the keyword of the block that seems to be meant.
    private mutating func sayUnknown<Draft>(_ statement: Statement, _ grammar: Grammar<Draft>) -> String? {
        guard !reporter.isFull else {
            reporter.error(.unknownKeyword, at: statement.keyword, "")
            return nil
        }
        let parts = statement.keyword.text.split(maxSplits: 1, omittingEmptySubsequences: false) { ":=;".contains($0) }
        if parts.count > 1, let base = parts.first.map(String.init), grammar.row(of: base) != nil {
            let value = parts[1].isEmpty ? statement.arguments.map(\.text).joined(separator: " ") : String(parts[1])
            reporter.error(
                .unknownKeyword, at: statement.keyword, "nothing but a blank stands between \(base) and its value",
                remedy: "write \(base) \(value)")
            return base
        }
        let word = statement.keyword.text
        let here = grammar.kind == .file ? "at the top level" : "in \(grammar.kind.rawValue)"
        let elsewhere = KeywordTable.explain(word)
        if let meant = globalWord(for: word, grammar, elsewhere) {
            reporter.warning(
                .misplacedKeyword, at: statement.keyword,
                "\(word) has no effect \(here); keepalived ignores it there",
                remedy: "write \(meant), which holds for every instance")
            return nil
        }
        if grammar.kind == .syncGroup, statement.arguments.isEmpty, elsewhere.isEmpty, statement.block == nil {
            reporter.error(
                .unknownKeyword, at: statement.keyword, "\(quoted(word)) is not a keyword \(here)",
                remedy: "members are written as group { \(word) … }")
            return "group"
        }
        if elsewhere.isEmpty, let near = grammar.vocabulary.closest(to: word) {
            reporter.error(
                .unknownKeyword, at: statement.keyword, "\(quoted(word)) is not a keyword \(here)",
                remedy: "did you mean \(near)?")
            return near
        } else if let entry = elsewhere.first {
            let blocks = Set(elsewhere.map(\.block)).sorted().prefix(4).joined(separator: ", ")
            reporter.error(
                .misplacedKeyword, at: statement.keyword, "\(word) does not belong \(here)",
                remedy: "it belongs in \(blocks) (\(entry.meaning)); is a } missing or too many above?")
        } else {
            let near = KeywordTable.suggestion(for: word)
            reporter.error(
                .unknownKeyword, at: statement.keyword, "\(quoted(word)) is not a keyword \(here)",
                remedy: near.map { "did you mean \($0)?" } ?? "remove it, or comment it out with #")
        }
        return nil
    }

    /// The word that global_defs has for a word of vrrp_instance, where it sets the same for all of them.
    private func globalWord<Draft>(
        for word: String, _ grammar: Grammar<Draft>, _ elsewhere: [KeywordTable.Entry]
    ) -> String? {
        // vrrp_priority is the process's nice value.
        guard grammar.kind == .globalDefinitions, word != "priority",
            elsewhere.contains(where: { $0.kind == .instance })
        else { return nil }
        let meant = word == "strict_mode" ? "vrrp_strict" : "vrrp_" + word
        return grammar.row(of: meant) == nil ? nil : meant
    }

    /// Says that something will not act.
    private mutating func sayInaction(
        _ subject: String, at word: Word, places: Int = 1, _ consequence: String, _ cost: Inaction.Cost,
        remedy: String?,
        isStrict: Bool
    ) {
        let inaction = Inaction(
            subject: subject, places: places, source: reporter.sources.excerpt(word.place, length: word.length),
            consequence: consequence, cost: cost)
        reporter.report(
            isStrict ? .error : .warning, .notActedOn, at: word.place, length: word.length, inaction.description,
            remedy: remedy)
        inactions.append(inaction)
    }

    /// Says once for each keyword what there is to say about it; with `isStrict` what will not act is an error.
    mutating func finish(isStrict: Bool) {
        for (_, remark) in remarks.sorted(by: { $0.key < $1.key }) {
            let word = remark.first.text
            let places = remark.count > 1 ? " (\(remark.count) places)" : ""
            switch remark.support {
            case .supported, .addition: break
            case .notYet:
                let (consequence, cost) = KeywordTable.consequence(of: word, in: remark.block)
                sayInaction(
                    word, at: remark.first, places: remark.count, consequence, cost,
                    remedy: "see \"lbctl config explain \(word)\"", isStrict: isStrict)
            case .unneeded(let reason):
                reporter.warning(
                    .notActedOn, at: remark.first, "\(word) has no effect\(places): \(reason)", remedy: "remove it")
            case .deprecated(let use):
                reporter.warning(
                    .deprecated, at: remark.first, "\(word) is understood as \(use)\(places)", remedy: "write \(use)")
            }
        }
    }
}

/// The text in quotes, shortened.
func quoted(_ text: String) -> String {
    text.count > 40 ? "\"\(text.prefix(40))…\"" : "\"\(text)\""
}
