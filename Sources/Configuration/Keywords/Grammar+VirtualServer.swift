// Rows of `virtual_server` and `real_server`. What checkers inherit (delay_loop, retry, …) may stand in either, so those rows
// are made once for both. A real server starts from its virtual server, and is read after it.
import Net

/// What checkers inherit: virtual server → real server → checker.
struct CheckInheritance: Sendable {
    var delayLoop = Duration.seconds(60)
    var connectTimeout = Duration.seconds(5)
    var retry: Int?
    var delayBeforeRetry: Duration?
    var warmup: Duration?
    var alpha = false
    var flapLimit: FlapLimit?
    var virtualHost: Word?
    var logAllFailures = false
}

/// `virtual_server` while it is read.
struct VirtualServerDraft: BlockDraft {
    enum Transport: String, Sendable, CaseIterable { case tcp = "TCP", udp = "UDP", sctp = "SCTP" }

    var transport = Transport.udp
    var family: AddressFamily?
    var scheduler: Word?
    var flags: [(word: Word, flag: SchedulerFlags)] = []
    var forwarding = ForwardingMethod.masquerade
    var persistenceTimeout: Duration?
    var granularity: Word?
    var engine: String?
    var quorum = 1
    var hysteresis = 0
    var quorumUp: ScriptCommand?
    var quorumDown: ScriptCommand?
    var sorryServer: (word: Word, endpoint: Endpoint)?
    var sorryForwarding: ForwardingMethod?
    var sorryInhibits = false
    var omega = false
    var suspendsWithoutAddress = false
    var inhibitOnFailure = false
    var mailAlert: Bool?
    var weight = 1
    var check = CheckInheritance()
    var realServers: [Parsed<RealServerDraft>] = []

    init() {}

    init(global: GlobalDefinitions) {
        mailAlert = global.mail.checkerAlerts
        check.logAllFailures = global.logAllCheckFailures
    }
}

/// `real_server` while it is read.
struct RealServerDraft: BlockDraft {
    var weight = 1
    var forwarding = ForwardingMethod.masquerade
    var inhibitOnFailure = false
    var upperThreshold: UInt32 = 0
    var lowerThreshold: UInt32 = 0
    var notifyUp: ScriptCommand?
    var notifyDown: ScriptCommand?
    var mailAlert: Bool?
    var check = CheckInheritance()
    /// `delay_loop` of the virtual server, which misc_timeout follows.
    var serviceDelayLoop = Duration.seconds(60)
    /// `virtualhost` of the virtual server, which SNI falls back to.
    var serviceVirtualHost: Word?
    var checkers: [Parsed<CheckerDraft>] = []

    init() {}

    init(service: VirtualServerDraft) {
        weight = service.weight
        forwarding = service.forwarding
        inhibitOnFailure = service.inhibitOnFailure
        check = service.check
        serviceVirtualHost = service.check.virtualHost
        serviceDelayLoop = service.check.delayLoop
    }
}

extension Grammars {
    static let virtualServer = Grammar<VirtualServerDraft>(
        .virtualServer, serverBasics, schedulerFlags, serverQuorum, inheritedRows(\.check, standard: ""),
        [realServerRow])

    /// Schedulers that Linux has.
    static let schedulers = [
        "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq", "twos",
    ]

    private static let algorithm = Keyword<VirtualServerDraft>(
        "lb_algo", schedulers.joined(separator: "|"), standard: "wlc", .everywhere, "how clients are spread"
    ) { draft, statement, interpreter in
        guard let word = interpreter.single(statement) else { return }
        if !schedulers.contains(word.text) {
            let near = closest(to: word.text, in: schedulers)
            return interpreter.reporter.warning(
                .badValue, at: word,
                "\(quoted(word.text)) is not a scheduler of Linux; \(draft.scheduler?.text ?? "wlc") is used, as keepalived does",
                remedy: near.map { "did you mean \($0)?" } ?? "usual are rr, wrr, lc, wlc, sh, mh")
        }
        draft.scheduler = word
    }.showing { $0.scheduler?.text ?? "wlc" }

    private static let method = forwardingRow(
        "lb_kind", \VirtualServerDraft.forwarding, standard: "NAT", .everywhere,
        "how packets reach the real servers")

    private static let serverBasics: [Keyword<VirtualServerDraft>] = [
        algorithm, algorithm.alias("lvs_sched"), method, method.alias("lvs_method"),
        Keyword("protocol", "TCP|UDP|SCTP", standard: "UDP", .everywhere, "transport protocol") {
            draft, statement, interpreter in
            guard let word = interpreter.single(statement) else { return }
            guard let transport = VirtualServerDraft.Transport(rawValue: word.text.uppercased()) else {
                return interpreter.sayNotOneOf(VirtualServerDraft.Transport.allCases.map(\.rawValue), word, statement)
            }
            draft.transport = transport
        }.showing { $0.transport.rawValue },
        Keyword("ip_family", "inet|inet6", standard: "from the address", .common, "family of a firewall mark") {
            draft, statement, interpreter in
            guard let word = interpreter.single(statement) else { return }
            draft.family = AddressFamily(rawValue: word.text)
            if draft.family == nil { interpreter.sayNotOneOf(["inet", "inet6"], word, statement) }
        },
        Keyword(
            "persistence_timeout", "[SECONDS]", unit: "s", range: "1…2678400", standard: "off; bare 360", .everywhere,
            "a client stays with its server this long"
        ) { draft, statement, interpreter in
            guard let word = statement.arguments.first else { return draft.persistenceTimeout = .seconds(360) }
            interpreter.ignoreExtra(statement.arguments.dropFirst(), statement)
            guard let seconds = interpreter.integer(word, 0...Persistence.longestTimeout, of: "persistence_timeout")
            else { return }
            draft.persistenceTimeout = seconds == 0 ? nil : .seconds(seconds)
            guard seconds == 0 else { return }
            interpreter.reporter.warning(
                .adjusted, at: word,
                "persistence_timeout 0 is out of range; there is no persistence, as with keepalived",
                remedy: "remove the line, or write the seconds that a client stays with its server")
        }.showing { $0.persistenceTimeout.map(secondsText) ?? "off" },
        Keyword(
            "persistence_granularity", "MASK|PREFIXLEN", standard: "one address", .rare,
            "clients of one network are one client"
        ) {
            draft, statement, interpreter in
            draft.granularity = interpreter.single(statement) ?? draft.granularity
        },
        .word("persistence_engine", "NAME", \.engine, .rare, "kernel module that finds what to stick to, e.g. sip"),
        .toggle(
            "ha_suspend", \.suspendsWithoutAddress, .common, "no checks while the address is elsewhere; groups too"),
        .toggle("omega", \.omega, .common, "notify_down and quorum_down also at stop"),
        .toggle("inhibit_on_failure", \.inhibitOnFailure, .common, "weight 0 instead of removal on failure"),
        .optionalBoolean("smtp_alert", \.mailAlert, standard: "off", .rare, "mail on quorum changes"),
        .toggle("alpha", \.check.alpha, .common, "servers are down until their first success"),
        .integer("weight", 0...2_147_483_647, \.weight, .rare, "default weight of real servers"),
        netMask("nat_mask"), netMask("net_mask"),
        .notYet("snmp_name", "TEXT", standard: "none", "name in SNMP"),
    ]

    private static func netMask(_ word: String) -> Keyword<VirtualServerDraft> {
        .unneeded(
            word, "MASK", standard: "none", "mask of keepalived 1.x",
            because: "keepalived dropped it, NAT needs no mask")
    }

    private static let schedulerFlags: [Keyword<VirtualServerDraft>] = [
        flag("ops", .onePacket, "one packet, one decision; UDP and firewall marks only"),
        flag("flag-1", .flag1, "scheduler flag 1"), flag("flag-2", .flag2, "scheduler flag 2"),
        flag("flag-3", .flag3, "scheduler flag 3"),
        flag("sh-fallback", .flag1, "sh: next server when the chosen one is out"),
        flag("sh-port", .flag2, "sh: hash the source port too"),
        flag("mh-fallback", .flag1, "mh: next server when the chosen one is out"),
        flag("mh-port", .flag2, "mh: hash the source port too"),
        .unneeded("hashed", "old IPVS flag", because: "the kernel ignores it"),
    ]

    private static func flag(_ word: String, _ flag: SchedulerFlags, _ meaning: String) -> Keyword<VirtualServerDraft> {
        Keyword(word, standard: "off", .rare, meaning) { draft, statement, interpreter in
            interpreter.expectNothing(statement)
            draft.flags.append((statement.keyword, flag))
        }
    }

    private static let serverQuorum: [Keyword<VirtualServerDraft>] = [
        Keyword(
            "quorum", "N", range: "1…", standard: "\(VirtualServerDraft().quorum)", .common,
            "least sum of weights of servers that are up"
        ) { draft, statement, interpreter in
            guard let word = interpreter.single(statement),
                let value = interpreter.integer(word, 0...2_147_483_647, of: "quorum")
            else { return }
            draft.quorum = max(1, value)
            guard value == 0 else { return }
            interpreter.reporter.warning(
                .adjusted, at: word, "quorum 0 is out of range; 1 is used, as keepalived does", remedy: "write quorum 1"
            )
        }.showing { "\($0.quorum)" },
        .integer(
            "hysteresis", 0...2_147_483_647, \.hysteresis, .common, "distance between gaining and losing the quorum"),
        .command("quorum_up", \.quorumUp, .common, "run when the quorum is gained"),
        .command("quorum_down", \.quorumDown, .common, "run when the quorum is lost"),
        Keyword("sorry_server", "ADDR [PORT]", standard: "none", .common, "used while the quorum is lost") {
            draft, statement, interpreter in
            guard let word = statement.arguments.first else { return interpreter.sayMissing(statement) }
            interpreter.ignoreExtra(statement.arguments.dropFirst(2), statement)
            guard let endpoint = interpreter.endpoint(statement.arguments, of: "sorry_server") else { return }
            draft.sorryServer = (word, endpoint)
        },
        .toggle("sorry_server_inhibit", \.sorryInhibits, .rare, "unused it stays in the table with weight 0"),
        forwardingRow(
            "sorry_server_lvs_method", optional: \.sorryForwarding, standard: "lb_kind", .rare,
            "how packets reach the sorry server"),
    ]

    private static let realServerRow = Keyword<VirtualServerDraft>.block(
        "real_server", "ADDR [PORT]", { realServer }, kind: .realServer, .everywhere, "a server behind the service",
        from: { service, _ in RealServerDraft(service: service) },
        store: { draft, parsed, _ in draft.realServers.append(parsed) }
    ).repeatable

    static let realServer = Grammar<RealServerDraft>(
        .realServer,
        [
            .integer(
                "weight", 0...2_147_483_647, \.weight, standard: "1", .everywhere, "share of clients; 0 = no new ones"),
            .boolean(
                "inhibit_on_failure", \.inhibitOnFailure, standard: "virtual server's", .common,
                "weight 0 instead of removal on failure"),
            .integer(
                "uthreshold", 0...Int(UInt32.max), \.upperThreshold, .common, "no new clients at this many connections"),
            .integer("lthreshold", 0...Int(UInt32.max), \.lowerThreshold, .common, "new clients again below this many"),
            .command("notify_up", \.notifyUp, .common, "run when the server comes up"),
            .command("notify_down", \.notifyDown, .common, "run when the server goes down"),
            .optionalBoolean("smtp_alert", \.mailAlert, standard: "on", .rare, "mail on changes"),
            .boolean(
                "alpha", \.check.alpha, standard: "virtual server's", .common, "down until the first success"),
            forwardingRow("lvs_method", \.forwarding, standard: "virtual server's", .rare, "how packets reach it"),
            .notYet("snmp_name", "TEXT", standard: "none", "name in SNMP"),
        ], inheritedRows(\.check, standard: "virtual server's"), checkerRows)

    /// Checker keywords that virtual and real servers take on behalf of their checkers.
    private static func inheritedRows<Draft>(
        _ path: any WritableKeyPath<Draft, CheckInheritance> & Sendable, standard inherited: String
    ) -> [Keyword<Draft>] {
        func text(_ own: String) -> String { inherited.isEmpty ? own : inherited }
        return [
            checkSeconds(
                "delay_loop", 0.001...longestTime, path, \.delayLoop, text("60"), .everywhere, "between checks"),
            checkSeconds(
                "connect_timeout", 0.001...longestTime, path, \.connectTimeout, text("5"), .common,
                "patience in each phase of a check"),
            checkOptional(
                "delay_before_retry", 0...longestTime, path, \.delayBeforeRetry, text("1; HTTP 3; DNS delay_loop"),
                .common, "between attempts"),
            checkOptional(
                "warmup", 0...longestTime, path, \.warmup, text("delay_loop"), .common, "first check within this"),
            Keyword(
                "retry", "N", range: "1…", standard: text("1; DNS 3; MISC 0"), .common,
                "more attempts before a server is down"
            ) { draft, statement, interpreter in
                guard let value = interpreter.integer(statement, 1...2_147_483_647) else { return }
                draft[keyPath: path].retry = value
            }.showing { $0[keyPath: path].retry.map { "\($0)" } },
            Keyword(
                "flap_limit", "N SECONDS|0", range: "1…100", standard: text("none"), .common,
                "a server that changes its state more often is held down until it keeps still for as long"
            ) { draft, statement, interpreter in
                guard let limit = interpreter.flapLimit(statement) else { return }
                draft[keyPath: path].flapLimit = limit.changes == 0 ? nil : limit
            }.addition,
            Keyword("virtualhost", "TEXT", standard: text("none"), .common, "Host header of HTTP checks") {
                draft, statement, interpreter in
                draft[keyPath: path].virtualHost = interpreter.single(statement)
            },
        ]
    }

    /// Seconds that go into the inheritance of a draft.
    static func checkSeconds<Draft>(
        _ word: String, _ range: ClosedRange<Double>, _ path: any WritableKeyPath<Draft, CheckInheritance> & Sendable,
        _ field: any WritableKeyPath<CheckInheritance, Duration> & Sendable, _ standard: String,
        _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword<Draft> {
        Keyword(word, "SECONDS", unit: "s", range: rangeText(range), standard: standard, tier, meaning) {
            draft, statement, interpreter in
            guard let value = interpreter.seconds(statement, range) else { return }
            draft[keyPath: path][keyPath: field] = value
        }
        .showing { secondsText($0[keyPath: path][keyPath: field]) }
    }

    /// The same where no value means a derived one.
    static func checkOptional<Draft>(
        _ word: String, _ range: ClosedRange<Double>, _ path: any WritableKeyPath<Draft, CheckInheritance> & Sendable,
        _ field: any WritableKeyPath<CheckInheritance, Duration?> & Sendable, _ standard: String,
        _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword<Draft> {
        Keyword(word, "SECONDS", unit: "s", range: rangeText(range), standard: standard, tier, meaning) {
            draft, statement, interpreter in
            guard let value = interpreter.seconds(statement, range) else { return }
            draft[keyPath: path][keyPath: field] = value
        }
        .showing { $0[keyPath: path][keyPath: field].map(secondsText) }
    }
}

extension Interpreter {
    /// `N SECONDS`, or 0.
    fileprivate mutating func flapLimit(_ statement: Statement) -> FlapLimit? {
        guard let first = statement.arguments.first else {
            sayMissing(statement)
            return nil
        }
        guard let changes = integer(first, 0...100, of: "the number of changes of flap_limit") else { return nil }
        if changes == 0 {
            ignoreExtra(statement.arguments.dropFirst(), statement)
            return FlapLimit(changes: 0, window: .zero)
        }
        guard let second = statement.arguments.dropFirst().first else {
            reporter.error(
                .missingValue, at: statement.keyword, "flap_limit needs the seconds in which the changes are counted",
                remedy: "write flap_limit 5 600 for five changes in ten minutes")
            return nil
        }
        ignoreExtra(statement.arguments.dropFirst(2), statement)
        guard let window = seconds(second, 0.1...longestTime, of: "the window of flap_limit") else { return nil }
        return FlapLimit(changes: changes, window: window)
    }
}
