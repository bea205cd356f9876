// Rows of `global_defs` that have a place in the model. Those that have none are in Grammar+GlobalOther.swift. Defaults that
// depend on another keyword (lower-priority bursts, alerts) stay nil in the draft until the block has been read whole.
import Net

/// `global_defs` while it is read: some defaults depend on other keywords.
struct GlobalDraft: BlockDraft {
    var model = GlobalDefinitions()
    var lowerPriorityDelay: Duration?
    var lowerPriorityCount: Int?
    var minimumGARP = false
    var alerts: Bool?
    var vrrpAlerts: Bool?
    var checkerAlerts: Bool?
    var mailUser: String?
    var passwordFile: String?
    /// `lvs_id`, which keepalived 1.0 had for router_id.
    var oldRouterID: String?

    init() {}

    init(model: GlobalDefinitions) {
        self.model = model
    }

    /// `vrrp_rx_bufs_policy`, and `vrrp_rx_bufs_multiplier`.
    var bufferPolicy = BufferPolicy.standard
    var bufferMultiplier = 3
    /// `max_auto_priority` and `min_auto_priority_delay`: of every process.
    var automaticPriority = 0
    var automaticDelay = Duration.seconds(1)

    enum BufferPolicy { case standard, mtu, advertisement, octets(Int) }

    var pipeScript: ScriptCommand?
    var vrrpPipeScript: ScriptCommand?
    var serverPipeScript: ScriptCommand?
    var startupScript: ScriptCommand?
    var startupTimeout = Duration.seconds(10)
    var shutdownScript: ScriptCommand?
    var shutdownTimeout = Duration.seconds(10)

    /// With the defaults that depend on other keywords.
    func resolved() -> GlobalDefinitions {
        var model = model
        if minimumGARP {
            model.gratuitousARP.delay = .zero
            model.gratuitousARP.count = 1
            model.gratuitousARP.refreshCount = 1
        }
        for path in [\GlobalDefinitions.vrrpProcess, \GlobalDefinitions.checkerProcess] {
            model[keyPath: path].automaticPriority = automaticPriority
            model[keyPath: path].automaticDelay = automaticDelay
        }
        model.receiveBuffer =
            switch bufferPolicy {
            case .standard: .standard
            case .mtu: .mtus(bufferMultiplier)
            case .advertisement: .advertisements(bufferMultiplier)
            case .octets(let octets): .octets(octets)
            }
        model.routerID = model.routerID ?? oldRouterID
        model.notifyPipe?.script = pipeScript
        model.vrrpNotifyPipe?.script = vrrpPipeScript
        model.serverNotifyPipe?.script = serverPipeScript
        func life(_ script: ScriptCommand?, _ timeout: Duration) -> LifeScript? {
            guard var command = script else { return nil }
            command.user = command.user ?? model.scriptUser
            return LifeScript(command, timeout: timeout)
        }
        model.startupScript = life(startupScript, startupTimeout)
        model.shutdownScript = life(shutdownScript, shutdownTimeout)
        let pipes = [
            \GlobalDefinitions.notifyPipe, \GlobalDefinitions.vrrpNotifyPipe, \GlobalDefinitions.serverNotifyPipe,
        ]
        for path in pipes {
            guard var pipe = model[keyPath: path] else { continue }
            pipe.user = pipe.user ?? model.scriptUser
            if pipe.script?.user == nil { pipe.script?.user = model.scriptUser }
            model[keyPath: path] = pipe
        }
        model.gratuitousARP.lowerPriorityDelay = lowerPriorityDelay ?? model.gratuitousARP.delay
        model.gratuitousARP.lowerPriorityCount = lowerPriorityCount ?? model.gratuitousARP.count
        if let mailUser, let passwordFile { model.mail.login = MailLogin(user: mailUser, passwordFile: passwordFile) }
        model.mail.vrrpAlerts = vrrpAlerts ?? alerts ?? model.mail.vrrpAlerts
        model.mail.checkerAlerts = checkerAlerts ?? alerts ?? model.mail.checkerAlerts
        return model
    }
}

extension Grammars {
    static let globalDefinitions = Grammar<GlobalDraft>(
        .globalDefinitions, globalBasics, globalMail, globalVRRP, globalIPVS, globalPipes, globalAlerts,
        globalProcesses,
        globalBuffers,
        globalFiles,
        globalFirewall)

    private static let globalBasics: [Keyword<GlobalDraft>] = [
        .word(
            "router_id", "TEXT", \.model.routerID, standard: "host name", .everywhere, "this director's name in mails"),
        oldRouterID,
        Keyword(
            "script_user", "USER [GROUP]", standard: "keepalived_script if it exists, else root", .everywhere,
            "who runs scripts"
        ) { draft, statement, interpreter in
            draft.model.scriptUser = interpreter.user(statement) ?? draft.model.scriptUser
        },
        .toggle(
            "enable_script_security", \.model.scriptSecurity, .everywhere,
            "refuse to run as root what another user may write"
        ),
        .unneeded(
            "dynamic_interfaces", "[allow_if_changes]", "interfaces may appear later",
            because: "a missing interface is always waited for"),
        Keyword("default_interface", "IF", standard: "eth0", .rare, "interface of static addresses without dev") {
            draft, statement, interpreter in
            draft.model.defaultInterface = interpreter.interface(statement) ?? draft.model.defaultInterface
        },
    ]

    /// Not a mere `spelled`: where both stand router_id counts, in whatever order.
    private static let oldRouterID = Keyword<GlobalDraft>(
        "lvs_id", "TEXT", standard: "host name", .rare, "keepalived 1.0's word for router_id",
        support: .deprecated(use: "router_id")
    ) { draft, statement, interpreter in
        draft.oldRouterID = interpreter.single(statement)?.text
    }

    private static let globalVRRP: [Keyword<GlobalDraft>] = [
        vrrpVersion("vrrp_version", \.model.vrrpVersion, .everywhere, "protocol version of IPv4 instances"),
        .toggle("vrrp_strict", \.model.vrrpStrict, .common, "reset what the RFCs do not allow"),
        .boolean(
            "vrrp_owner_ignore_adverts", \.model.ownerIgnoresAdverts, .rare,
            "the owner of the addresses ignores adverts"),
        .toggle(
            "vrrp_skip_check_adv_addr", \.model.skipCheckAdvertAddresses, .common,
            "do not compare the addresses in a known master's adverts"),
        .seconds(
            "vrrp_garp_master_delay", 0...longestTime, \.model.gratuitousARP.delay, .common,
            "to the second gratuitous ARP burst; 0 = none"),
        .integer(
            "vrrp_garp_master_repeat", 1...1000, \.model.gratuitousARP.count, .common, "gratuitous ARPs in a burst"),
        .seconds(
            "vrrp_garp_master_refresh", 0...longestTime, \.model.gratuitousARP.refresh, .common,
            "between refreshes while master; 0 = none"),
        .integer(
            "vrrp_garp_master_refresh_repeat", 1...1000, \.model.gratuitousARP.refreshCount, .common,
            "gratuitous ARPs in a refresh"),
        .seconds(
            "vrrp_garp_lower_prio_delay", 0...longestTime, optional: \.lowerPriorityDelay,
            standard: "vrrp_garp_master_delay", .rare, "to the second burst after a lower-priority advert"),
        .integer(
            "vrrp_garp_lower_prio_repeat", 0...1000, optional: \.lowerPriorityCount,
            standard: "vrrp_garp_master_repeat", .rare, "gratuitous ARPs after a lower-priority advert"),
        .seconds(
            "vrrp_garp_interval", 0...86400, \.model.gratuitousARP.interval, .common,
            "least time between gratuitous ARPs on an interface"),
        .seconds(
            "vrrp_gna_interval", 0...86400, \.model.gratuitousARP.neighbourInterval, .common,
            "least time between neighbour advertisements on an interface"),
        extraAnnouncements("vrrp_garp_extra_if", \.model.gratuitousARP, 1),
        extraAnnouncements("vrrp_garp_extra_if", \.model.gratuitousARP, 1).spelled("vrrp_vmac_garp_intvl"),
        .boolean("vrrp_min_garp", \.minimumGARP, .rare, "one gratuitous ARP, no second burst"),
        .integer(
            "vrrp_down_timer_adverts", 1...100, \.model.downTimerAdverts, .rare, "adverts missed until master down"),
        .boolean(
            "vrrp_lower_prio_no_advert", \.model.lowerPriorityNoAdvert, .rare,
            "do not answer an advert of lower priority"),
        .unneeded(
            "vrrp_higher_prio_send_advert", "[BOOL]", "one more advert before giving way",
            because: "vrrpd always sends it"),
        .toggle(
            "v3_checksum_as_v2", \.model.checksumWithoutPseudoHeader, .rare,
            "v3 IPv4 checksum without pseudo-header, as RFC 9568 says"),
        .toggle(
            "vrrp_check_unicast_src", \.model.checkUnicastSource, .rare, "drop adverts from others than the peers"),
        .toggle(
            "log_unknown_vrids", \.model.logsUnknownRouters, .rare,
            "log each virtual router that is heard and not configured, once"),
        multicastGroup4, multicastGroup6,
        .seconds(
            "vrrp_startup_delay", 0...longestTime, \.model.startupDelay, .rare, "no elections for this long after start"
        ),
        .seconds(
            "vrrp_delay_after_boot", 0...longestTime, \.model.delayAfterBoot, .rare,
            "no elections until the machine has been up for so long"),
        .boolean(
            "vrrp_notify_priority_changes", \.model.notifiesPriorityChanges, .rare,
            "notify changes of the effective priority"),
    ]

    /// A pipe and what reads it.
    private static func pipe(
        _ word: String, _ path: any WritableKeyPath<GlobalDraft, NotifyPipeConfiguration?> & Sendable, _ meaning: String
    ) -> Keyword<GlobalDraft> {
        Keyword(word, "PATH [USER [GROUP]]", standard: "none", .common, meaning) { draft, statement, interpreter in
            guard let command = interpreter.pipe(statement) else { return }
            draft[keyPath: path] = command
        }
    }

    static let globalPipes: [Keyword<GlobalDraft>] = [
        pipe(
            "notify_fifo", \.model.notifyPipe, "every transition as a line in a pipe: those of the other two"),
        .command("notify_fifo_script", \.pipeScript, .common, "reader of notify_fifo"),
        pipe("vrrp_notify_fifo", \.model.vrrpNotifyPipe, "VRRP transitions as lines in a pipe"),
        .command("vrrp_notify_fifo_script", \.vrrpPipeScript, .common, "reader of vrrp_notify_fifo"),
        pipe("lvs_notify_fifo", \.model.serverNotifyPipe, "transitions of servers and quorums as lines in a pipe"),
        .command("lvs_notify_fifo_script", \.serverPipeScript, .common, "reader of lvs_notify_fifo"),
        .toggle(
            "fifo_write_vrrp_states_on_reload", \.model.writesStatesOnReload, .rare,
            "all states are written to the pipes after a reload"),
        .command("startup_script", \.startupScript, .rare, "run once before elections begin; not at a reload"),
        .seconds(
            "startup_script_timeout", 1...1000, \.startupTimeout, .rare, "its time limit; elections wait no longer"),
        .command("shutdown_script", \.shutdownScript, .rare, "run when all is given up; not at systemctl restart"),
        .seconds(
            "shutdown_script_timeout", 1...1000, \.shutdownTimeout, .rare,
            "its time limit; where scriptd is stopped too, 5 s"),
        Keyword(
            "umask", "MODE", range: "0…0777", standard: "022", .rare,
            "permissions that files of scripts do not get; keepalived: 0177, and its own files"
        ) { draft, statement, interpreter in
            draft.model.umask = interpreter.fileMode(statement) ?? draft.model.umask
        },
        .boolean(
            "set_supplementary_groups", \.model.scriptsHaveAllGroups, .rare, "scripts get all groups of their user"),
        Keyword(
            "use_symlink_paths", "[BOOL]", range: "on, off", standard: "on", .rare,
            "links on the way to a script are followed at each run, as always"
        ) { _, statement, interpreter in
            _ = interpreter.boolean(statement)
        },
    ]

    private static let globalIPVS: [Keyword<GlobalDraft>] = [
        Keyword(
            "lvs_timeouts", "[tcp N] [tcpfin N] [udp N]", unit: "s", range: "1…2678400; 0 leaves it",
            standard: "kernel: 900, 120, 300", .common, "the kernel's connection timeouts"
        ) { draft, statement, interpreter in
            interpreter.timeouts(statement, into: &draft.model.timeouts)
        },
        Keyword(
            "lvs_sync_daemon", "IF [[inst] NAME] [id N] [maxlen N] [port N] [ttl N] [group ADDR]",
            standard: "none; port 8848, ttl 1, group 224.0.0.81", .common, "synchronise connections between directors"
        ) {
            draft, statement, interpreter in
            draft.model.syncDaemon = interpreter.syncDaemon(statement) ?? draft.model.syncDaemon
        },
        .integer(
            "lvs_drain_removed", 0...Persistence.longestTimeout, \.model.removedDrainLimit, unit: "s", .rare,
            "how long a removed server's connections go on; 0: they are cut off"
        ).addition,
        .boolean("checker_log_all_failures", \.model.logAllCheckFailures, .rare, "log every failed attempt"),
        .boolean("rs_init_notifies", \.model.notifyRealServersAtStart, .rare, "run notify_up at start"),
    ]

    private static let multicastGroup4 = Keyword<GlobalDraft>(
        "vrrp_mcast_group4", "ADDR", standard: "224.0.0.18", .rare, "group of IPv4 adverts"
    ) { draft, statement, interpreter in
        guard let word = interpreter.single(statement), let address = interpreter.address(word) else { return }
        guard case .v4(let group) = address, group.isMulticast else {
            return interpreter.reporter.error(.badValue, at: word, "\(word.text) is not an IPv4 multicast address")
        }
        draft.model.multicastGroup4 = group
    }

    private static let multicastGroup6 = Keyword<GlobalDraft>(
        "vrrp_mcast_group6", "ADDR", standard: "ff02::12", .rare, "group of IPv6 adverts"
    ) { draft, statement, interpreter in
        guard let word = interpreter.single(statement), let address = interpreter.address(word) else { return }
        guard case .v6(let group) = address, group.isMulticast else {
            return interpreter.reporter.error(.badValue, at: word, "\(word.text) is not an IPv6 multicast address")
        }
        draft.model.multicastGroup6 = group
    }

    /// `vrrp_garp_extra_if` and an instance's `garp_extra_if`: `[all] SECONDS`.
    static func extraAnnouncements<Draft>(
        _ word: String, _ path: any WritableKeyPath<Draft, GratuitousARPSettings> & Sendable, _ least: Double,
        standard: String = "off"
    ) -> Keyword<Draft> {
        Keyword(
            word, "[all] SECONDS", unit: "s", range: "\(Int(least))…86400", standard: standard, .rare,
            "between gratuitous ARPs of VMACs (all: addresses) on other interfaces than the instance's"
        ) { draft, statement, interpreter in
            let words = statement.arguments.filter { $0.text != "all" }
            guard let word = words.first else { return interpreter.sayMissing(statement) }
            interpreter.ignoreExtra(words.dropFirst(), statement)
            guard let time = interpreter.seconds(word, least...86_400, of: statement.keyword.text) else { return }
            draft[keyPath: path].extraInterval = time
            draft[keyPath: path].extraCoversAll = words.count < statement.arguments.count
        }
    }

    /// `vrrp_version` and an instance's `version`.
    static func vrrpVersion<Draft>(
        _ word: String, _ path: any WritableKeyPath<Draft, VRRPVersion> & Sendable, standard: String = "2",
        _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword<Draft> {
        Keyword(word, "2|3", standard: standard, tier, meaning) { draft, statement, interpreter in
            guard let number = interpreter.integer(statement, 2...3), let version = VRRPVersion(rawValue: number) else {
                return
            }
            draft[keyPath: path] = version
        }.showing { "\($0[keyPath: path].rawValue)" }
    }
}
