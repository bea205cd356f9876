// Rows of what instances watch: vrrp_script, track_file, vrrp_track_process; and of what they share: sync groups, garp_group.
import Net

/// `vrrp_script` while it is read.
struct ScriptDraft: BlockDraft {
    var model = TrackScriptConfiguration(name: "", command: ScriptCommand(arguments: []))
    var command: ScriptCommand?
    var timeout: Duration?
    var user: ScriptUser?
}

/// `track_file` while it is read.
struct TrackFileDraft: BlockDraft {
    var model = TrackFileConfiguration(name: "", path: "")
    var path: String?
}

/// `vrrp_track_process` while it is read.
struct TrackProcessDraft: BlockDraft {
    var model = TrackProcessConfiguration(name: "", process: [])
    var parameters: TrackProcessConfiguration.ParameterMatch?
}

/// `track_unit` while it is read.
struct TrackUnitDraft: BlockDraft {
    var model = TrackUnitConfiguration(name: "", unit: "")
    var unit: String?
}

/// A line of a track list, not resolved.
struct TrackDraft: Sendable {
    var word: Word
    /// Nil = the tracked block's own weight.
    var weight: Int?
    var isReversed: Bool?
}

/// `garp_group` while it is read.
struct GARPGroupDraft: BlockDraft {
    var model = GARPGroupConfiguration()
}

/// `vrrp_sync_group` while it is read.
struct SyncGroupDraft: BlockDraft {
    var model = SyncGroupConfiguration(name: "", members: [])
    var members: [Word] = []
    var tracked = TrackLists()

    init() {}

    init(global: GlobalDefinitions) {
        model.mailAlert = global.mail.vrrpAlerts ?? false
    }
}

/// `track_group` while it is read.
struct TrackGroupDraft: BlockDraft {
    var members: [Word] = []
}

/// The track lists of an instance or a sync group.
struct TrackLists: Sendable {
    var interfaces: [TrackDraft] = []
    var scripts: [TrackDraft] = []
    var files: [TrackDraft] = []
    var processes: [TrackDraft] = []
    var units: [TrackDraft] = []
    var sessions: [TrackDraft] = []
}

extension Grammars {
    static let script = Grammar<ScriptDraft>(
        .script,
        [
            Keyword.command(
                "script", \.command, takesUser: false, .everywhere, "program and arguments; exit status 0 = success"
            )
            .required,
            .seconds("interval", 0.001...longestTime, \.model.interval, .everywhere, "between runs"),
            weight(
                -253...253, \.model.weight, \.model.isReversed, .everywhere, "change of priority; 0 = failure is FAULT"),
            .integer("fall", 1...1000, \.model.fall, .common, "failures in a row until failed"),
            .integer("rise", 1...1000, \.model.rise, .common, "successes in a row until well"),
            .seconds("timeout", 0.001...longestTime, optional: \.timeout, standard: "interval", .common, "longest run"),
            Keyword("user", "USER [GROUP]", standard: "script_user", .common, "who runs it") {
                draft, statement, interpreter in
                draft.user = interpreter.user(statement) ?? draft.user
            },
            .toggle("init_fail", \.model.startsFailed, .rare, "failed until it has succeeded"),
        ])

    static let garpGroup = Grammar<GARPGroupDraft>(
        .garpGroup,
        [
            .seconds("garp_interval", 0...86400, \.model.interval, .rare, "least time between gratuitous ARPs"),
            .seconds(
                "gna_interval", 0...86400, \.model.neighbourInterval, .rare,
                "least time between neighbour advertisements"),
            Keyword("interface", "IF", standard: "none", .rare, "an interface of the group") {
                draft, statement, interpreter in
                if let name = interpreter.interface(statement) { draft.model.interfaces.append(name) }
            }.repeatable,
            .list("interfaces", lines: "IF…", .rare, "interfaces of the group") { draft, statement, interpreter in
                for word in interpreter.listLines(statement).joined() {
                    interpreter.noteInterface(word)
                    draft.model.interfaces.append(word.text)
                }
            }.repeatable,
        ])

    static let trackFile = Grammar<TrackFileDraft>(
        .trackFile,
        [
            .word("file", "PATH", \.path, isScript: true, .common, "the file; its first number counts").required,
            weight(-254...254, \.model.weight, \.model.isReversed, .common, "multiplied with the number"),
            Keyword("init_file", "[VALUE] [overwrite]", standard: "off; 0", .rare, "create the file") {
                draft, statement, interpreter in
                draft.model.initialValue = 0
                for word in statement.arguments {
                    if word.text == "overwrite" {
                        draft.model.overwrites = true
                    } else if let value = interpreter.integer(word, -65535...65535, of: "init_file") {
                        draft.model.initialValue = value
                    }
                }
            },
        ])

    static let trackProcess = Grammar<TrackProcessDraft>(
        .trackProcess,
        [
            Keyword("process", "NAME [ARGS]", standard: "required", .common, "the program") {
                draft, statement, interpreter in
                guard !statement.arguments.isEmpty else { return interpreter.sayMissing(statement) }
                draft.model.process = interpreter.scriptArguments(statement).map(\.text)
            }.required,
            weight(-254...254, \.model.weight, \.model.isReversed, .common, "change of priority; 0 = failure is FAULT"),
            .integer("quorum", 1...65535, \.model.quorum, .rare, "least number of processes"),
            .integer(
                "quorum_max", 0...65535, optional: \.model.maximum, standard: "unlimited", .rare, "largest number"),
            Keyword("delay", "SECONDS", unit: "s", standard: "0", .rare, "terminate_delay and fork_delay") {
                draft, statement, interpreter in
                guard let delay = interpreter.seconds(statement, 0...3600) else { return }
                draft.model.terminateDelay = delay
                draft.model.forkDelay = delay
            },
            .seconds("terminate_delay", 0...3600, \.model.terminateDelay, .rare, "tolerated after too few run"),
            .seconds("fork_delay", 0...3600, \.model.forkDelay, .rare, "waited for before enough run"),
            .toggle("full_command", \.model.matchesFullCommand, .rare, "compare the command line's program"),
            Keyword("param_match", "[initial|partial]", standard: "exact", .rare, "how arguments are compared") {
                draft, statement, interpreter in
                let word = statement.arguments.first
                switch (word, word?.text) {
                case (.some, "initial"): draft.parameters = .initial
                case (.some, "partial"): draft.parameters = .partial
                case (let word?, _):
                    interpreter.reporter.error(
                        .badValue, at: word, "param_match is initial or partial",
                        remedy: "write nothing behind it for exactly these arguments")
                case (nil, _): draft.parameters = .exact
                }
                interpreter.ignoreExtra(statement.arguments.dropFirst(), statement)
            },
        ])

    static let trackUnit = Grammar<TrackUnitDraft>(
        .trackUnit,
        [
            Keyword.word("unit", "NAME", \.unit, .rare, "the systemd unit; .service is added where nothing is").required
                .addition,
            weight(-253...253, \.model.weight, \.model.isReversed, .rare, "change of priority; 0 = failure is FAULT")
                .addition,
            Keyword.integer(
                "max_restarts", 0...1000, optional: \.model.maximumRestarts, standard: "unlimited", .rare,
                "starts after the first that are tolerated within window"
            ).addition,
            Keyword.seconds("window", 1...longestTime, \.model.window, .rare, "in which restarts are counted").addition,
            Keyword.seconds(
                "terminate_delay", 0...3600, \.model.terminateDelay, .rare, "tolerated while it is not active"
            )
            .addition,
        ])

    private static let tracksWeights = Keyword<SyncGroupDraft>.toggle(
        "sync_group_tracking_weight", \.model.usesTrackingWeights, .rare, "weights count within the group")

    static let syncGroup = Grammar<SyncGroupDraft>(
        .syncGroup,
        [
            .list("group", lines: "INSTANCE…", .common, "the members") { draft, statement, interpreter in
                draft.members += interpreter.listLines(statement).flatMap { $0 }
            }.required,
            tracksWeights, tracksWeights.spelled("global_tracking"),
            .boolean("smtp_alert", \.model.mailAlert, standard: "smtp_alert_vrrp", .rare, "mail on transitions"),
            .boolean(
                "notify_priority_changes", \.model.notifiesPriorityChanges, .rare,
                "the pipes are told of changes of the members' priorities"),
        ], trackRows(\.tracked), notifyRows(\.model.notify))

    static let trackGroup = Grammar<TrackGroupDraft>(
        .trackGroup,
        [
            .list("group", lines: "INSTANCE…", .rare, "the instances") { draft, statement, interpreter in
                draft.members += interpreter.listLines(statement).flatMap { $0 }
            }.required
        ])

    /// `weight N [reverse]`.
    static func weight<Draft>(
        _ range: ClosedRange<Int>, _ path: any WritableKeyPath<Draft, Int> & Sendable,
        _ reverse: any WritableKeyPath<Draft, Bool> & Sendable, _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword<Draft> {
        Keyword(
            "weight", "N [reverse]", range: "\(range.lowerBound)…\(range.upperBound)",
            standard: "\(Draft()[keyPath: path])", tier, meaning
        ) { draft, statement, interpreter in
            guard let word = statement.arguments.first else { return interpreter.sayMissing(statement) }
            if let value = interpreter.integer(word, range, of: "weight") { draft[keyPath: path] = value }
            var rest = statement.arguments.dropFirst()
            if rest.first?.text == "reverse" || rest.first?.text == "noreverse" {
                draft[keyPath: reverse] = rest.removeFirst().text == "reverse"
            }
            interpreter.ignoreExtra(rest, statement)
        }
    }

    /// The track lists that instances and sync groups share.
    static func trackRows<Draft>(_ path: any WritableKeyPath<Draft, TrackLists> & Sendable) -> [Keyword<Draft>] {
        func row(
            _ word: String, _ list: any WritableKeyPath<TrackLists, [TrackDraft]> & Sendable, _ tier: KeywordTable.Tier,
            _ meaning: String, limit: Int = 253
        ) -> Keyword<Draft> {
            .list(word, lines: "NAME [weight N [reverse]]…", tier, meaning) { draft, statement, interpreter in
                draft[keyPath: path][keyPath: list] += interpreter.trackLines(statement, limit: limit)
            }
        }
        return [
            row("track_interface", \.interfaces, .everywhere, "interfaces that must be up"),
            row("track_script", \.scripts, .everywhere, "vrrp_scripts that must succeed"),
            row("track_file", \.files, .common, "track_files that count", limit: 254),
            row("track_process", \.processes, .common, "vrrp_track_processes that must run"),
            row("track_bfd", \.sessions, .rare, "BFD sessions that must be up"),
            row("track_unit", \.units, .rare, "systemd units that must be active").addition,
        ]
    }

    /// The notify commands that instances and sync groups share.
    static func notifyRows<Draft>(_ path: any WritableKeyPath<Draft, NotifyCommands> & Sendable) -> [Keyword<Draft>] {
        func row(
            _ word: String, _ field: any WritableKeyPath<NotifyCommands, ScriptCommand?> & Sendable,
            _ tier: KeywordTable.Tier, _ meaning: String
        ) -> Keyword<Draft> {
            Keyword(word, "CMD [USER [GROUP]]", standard: "none", tier, meaning) { draft, statement, interpreter in
                guard let command = interpreter.command(statement) else { return }
                draft[keyPath: path][keyPath: field] = command
            }
        }
        return [
            row("notify_master", \.master, .everywhere, "run on becoming master"),
            row("notify_backup", \.backup, .everywhere, "run on becoming backup"),
            row("notify_fault", \.fault, .everywhere, "run on a fault"),
            row("notify_stop", \.stop, .common, "run at stop"),
            row("notify", \.any, .common, "run on every transition, with its kind, name, state and priority appended"),
        ]
    }

    /// The words of a track list's lines.
    static let trackLine: [KeywordTable.Entry] = [
        KeywordTable.Entry(
            word: "weight", value: "N [reverse|noreverse]", range: "-253…253", standard: "the tracked block's own",
            meaning: "change of priority for this instance", tier: .everywhere, support: .supported,
            kind: .list)
    ]
}
