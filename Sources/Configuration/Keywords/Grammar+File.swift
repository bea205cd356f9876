// Rows of the top level: words outside any block, and the blocks themselves. A block's row names the grammar of its content,
// what the content inherits, and where the result goes. global_defs is read before everything else, wherever it stands,
// because the other blocks inherit from it.
import Net

/// The whole file, read but not resolved.
struct FileDraft: BlockDraft {
    var networkNamespace: NetworkNamespaceName?
    var ipvsNamespace: NetworkNamespaceName?
    var scripts: [Parsed<ScriptDraft>] = []
    var trackFiles: [Parsed<TrackFileDraft>] = []
    var trackProcesses: [Parsed<TrackProcessDraft>] = []
    var trackUnits: [Parsed<TrackUnitDraft>] = []
    var bfdSessions: [Parsed<BFDDraft>] = []
    var syncGroups: [Parsed<SyncGroupDraft>] = []
    var garpGroups: [Parsed<GARPGroupDraft>] = []
    var trackGroups: [Parsed<TrackGroupDraft>] = []
    var instances: [Parsed<InstanceDraft>] = []
    var staticAddresses: [AddressLine] = []
    var staticRoutes: [RouteLine] = []
    var staticRules: [RuleLine] = []
    var linkDelays: [LinkDelayDraft] = []
    var serverGroups: [ServerGroupDraft] = []
    var clientIdentity: Parsed<ClientIdentityDraft>?
    /// Read one by one when the rest is resolved, so that no more than one of them is kept as it was read.
    var virtualServers: [Statement] = []
}

extension Grammars {
    static let file = Grammar<FileDraft>(.file, topLevelWords, topLevelBlocks)

    private static let topLevelWords: [Keyword<FileDraft>] = [
        .namespace(
            "net_namespace", "NAME", \.networkNamespace, standard: "none", .common, "network namespace to work in"),
        .namespace(
            "net_namespace_ipvs", "[NAME]", \.ipvsNamespace, standard: "as net_namespace", .rare,
            "network namespace of the IPVS table; without NAME the host's"),
        .unneeded(
            "namespace_with_ipsets", "ipsets within namespaces on old kernels", because: "ipsets are not used"),
        .unneeded(
            "instance", "NAME", standard: "none", "name of this keepalived, for its log and the names of its files",
            because: "the daemons of evenkeel@NAME.target have units and directories of their own"),
        .unneeded("use_pid_dir", "pid files under /run/keepalived", because: "systemd knows the processes"),
        .unneeded(
            "linkbeat_use_polling", "poll for carrier loss", because: "netlink reports it on every kernel supported"),
        .unneeded(
            "child_wait_time", "SECONDS", unit: "s", standard: "5", "wait for children at stop",
            because: "systemd stops each daemon by itself"),
        .list("linkbeat_interfaces", lines: "IF [MII|ETHTOOL|IOCTL]…", .rare, "interfaces to poll for carrier loss") {
            _, _, _ in
        }
        .unneeded(because: "netlink reports it on every kernel supported"),
        // `include` and its variants are acted on while lines are read; the rows are for documentation.
        includeRow("include", .everywhere, "read other files here: glob and {a,b} braces"),
        includeRow("includer", .rare, "include; every file must be readable"),
        includeRow("includem", .rare, "include; something must match"),
        includeRow("includew", .rare, "include; every wildcard must match"),
        includeRow("includeb", .rare, "include; every alternative in braces must match"),
        includeRow("includea", .rare, "include; all of these checks"),
    ]

    private static func includeRow(
        _ word: String, _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword<FileDraft> {
        Keyword(word, "FILE", standard: "none", tier, meaning) { _, _, _ in }
    }

    private static let topLevelBlocks: [Keyword<FileDraft>] = [
        globalDefinitionsRow,
        .list("static_ipaddress", lines: "ADDRESS LINE…", .common, "addresses that follow no election") {
            draft, statement, interpreter in
            let device = interpreter.global.defaultInterface
            draft.staticAddresses += interpreter.readStatics { $0.staticAddressLines(statement, device: device) }
        }.repeatable,
        .list("static_routes", lines: "ROUTE…", .rare, "routes that follow no election") {
            draft, statement, interpreter in draft.staticRoutes += interpreter.readStatics { $0.routes(statement) }
        }.repeatable,
        .list("static_rules", lines: "RULE…", .rare, "routing rules that follow no election") {
            draft, statement, interpreter in draft.staticRules += interpreter.readStatics { $0.rules(statement) }
        }.repeatable,
        .block(
            "track_group", "NAME", { trackGroup }, kind: .trackGroup, .rare,
            "instances that need static addresses, routes and rules", from: { _, _ in TrackGroupDraft() },
            store: { draft, parsed, _ in draft.trackGroups.append(parsed) }
        ).repeatable,
        .block(
            "vrrp_script", "NAME", { script }, kind: .script, .everywhere,
            "a program that tells whether this host is fit",
            from: { _, _ in ScriptDraft() }, store: { draft, parsed, _ in draft.scripts.append(parsed) }
        ).repeatable,
        .block(
            "vrrp_track_process", "NAME", { trackProcess }, kind: .trackProcess, .common, "processes that must run",
            from: { _, _ in TrackProcessDraft() }, store: { draft, parsed, _ in draft.trackProcesses.append(parsed) }
        )
        .repeatable,
        .block(
            "track_unit", "NAME", { trackUnit }, kind: .trackUnit, .rare, "a systemd unit that must be active",
            from: { _, _ in TrackUnitDraft() }, store: { draft, parsed, _ in draft.trackUnits.append(parsed) }
        ).repeatable.addition,
        trackFileRow, trackFileRow.spelled("vrrp_track_file"),
        .block(
            "vrrp_sync_group", "NAME", { syncGroup }, kind: .syncGroup, .common, "instances that change state together",
            from: { _, interpreter in SyncGroupDraft(global: interpreter.global) },
            store: { draft, parsed, _ in draft.syncGroups.append(parsed) }
        ).repeatable,
        .block(
            "garp_group", "", { garpGroup }, kind: .garpGroup, .rare,
            "interfaces that share a gratuitous ARP rate limit",
            from: { _, _ in GARPGroupDraft() },
            store: { draft, parsed, _ in draft.garpGroups.append(parsed) }
        ).repeatable,
        .block(
            "vrrp_instance", "NAME", { instance }, kind: .instance, .everywhere, "a virtual router",
            from: { _, interpreter in InstanceDraft(global: interpreter.global) },
            store: { draft, parsed, interpreter in
                draft.instances.append(parsed)
                if let word = parsed.draft.syncInterface { interpreter.syncDaemon(on: word, of: parsed.opener) }
            }
        ).repeatable,
        .list(
            "interface_up_down_delays", lines: "IF DOWN [UP]…", .rare, "seconds that a link's change must last to count"
        ) { draft, statement, interpreter in draft.linkDelays += interpreter.linkDelays(statement) },
        .block(
            "bfd_instance", "NAME", { bfd }, kind: .bfd, .rare, "a BFD session with a neighbour",
            from: { _, _ in BFDDraft() }, store: { draft, parsed, _ in draft.bfdSessions.append(parsed) }
        ).repeatable,
        .block(
            "SSL", "", { ssl }, kind: .ssl, .rare, "client certificate of SSL_GET",
            from: { _, _ in ClientIdentityDraft() }, store: { draft, parsed, _ in draft.clientIdentity = parsed }
        ),
        .list(
            "virtual_server_group", "NAME", lines: "ADDR[-RANGE] [PORT] | fwmark N…", .common,
            "addresses that share real servers"
        ) {
            draft, statement, interpreter in
            draft.serverGroups.append(interpreter.serverGroup(statement))
        }.repeatable,
        .block(
            "virtual_server", "ADDR [PORT] | fwmark N | group NAME", kind: .virtualServer, .everywhere,
            "a service that IPVS balances"
        ) { draft, statement, interpreter in
            draft.virtualServers.append(statement)
            interpreter.turn = 2 * draft.virtualServers.count
        }.repeatable,
    ]

    private static let globalDefinitionsRow: Keyword<FileDraft> = {
        var row = Keyword<FileDraft>.block(
            "global_defs", "", { globalDefinitions }, kind: .globalDefinitions, .everywhere,
            "what holds for everything",
            from: { _, interpreter in GlobalDraft(model: interpreter.global) },
            store: { _, parsed, interpreter in
                if parsed.has("lvs_id"), parsed.draft.model.routerID != nil, let old = parsed.statement("lvs_id") {
                    interpreter.reporter.warning(
                        .contradiction, at: old.keyword, "lvs_id is ignored: router_id is given too",
                        remedy: "remove it")
                }
                interpreter.global = parsed.draft.resolved()
                interpreter.checkAlerts(parsed)
            })
        row.phase = .first
        return row.repeatable
    }()

    private static let trackFileRow = Keyword<FileDraft>.block(
        "track_file", "NAME", { trackFile }, kind: .trackFile, .common,
        "a file whose number is weighed into priorities",
        from: { _, _ in TrackFileDraft() }, store: { draft, parsed, _ in draft.trackFiles.append(parsed) }
    )
    .repeatable
}

/// A block whose values nothing needs yet.
struct ListsDraft: BlockDraft {}

extension Keyword<FileDraft> {
    /// A network namespace; without a name, where that is allowed, the host's. keepalived keeps to the first of several.
    fileprivate static func namespace(
        _ word: String, _ value: String, _ path: any WritableKeyPath<FileDraft, NetworkNamespaceName?> & Sendable,
        standard: String, _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword {
        Keyword(word, value, standard: standard, tier, meaning) { draft, statement, interpreter in
            let name: NetworkNamespaceName
            if statement.arguments.isEmpty, value.hasPrefix("[") {
                name = .host
            } else {
                guard let argument = interpreter.single(statement) else { return }
                guard !argument.text.contains("/"), ![".", "..", ""].contains(argument.text) else {
                    return interpreter.reporter.error(
                        .badValue, at: argument, "\(quoted(argument.text)) is no name of a network namespace",
                        remedy: "write a name as \"ip netns list\" shows it")
                }
                name = .named(argument.text)
                interpreter.namespaces.append((argument, name))
            }
            if let first = draft[keyPath: path], first != name {
                interpreter.reporter.error(
                    .contradiction, at: statement.arguments.first ?? statement.keyword,
                    "there is another \(word) before this one, \(first), and keepalived takes the first",
                    remedy: "remove one of them")
            }
            draft[keyPath: path] = name
        }
    }
}
