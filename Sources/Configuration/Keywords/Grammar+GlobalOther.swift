// Rows of `global_defs` that nothing acts on yet, or that need no counterpart. To act on one, move its row to
// Grammar+Global.swift and give it a place in the model.

extension Grammars {
    private static func snmp(_ word: String, _ meaning: String) -> Keyword<GlobalDraft> {
        Keyword.notYet(word, "", .common, meaning)
            .unneeded(because: "snmpd's configuration turns it on: 'lbctl snmp --help' has the line")
    }

    private static func snmpAge(_ word: String, standard: String) -> Keyword<GlobalDraft> {
        Keyword.notYet(word, "SECONDS", unit: "s", range: "0.001…30", standard: standard, "age of counters")
            .unneeded(because: "what snmpd is told is at most two seconds old")
    }

    static let globalAlerts: [Keyword<GlobalDraft>] = [
        snmp("enable_snmp_vrrp", "SNMP for VRRP"),
        snmp("enable_snmp_vrrp", "SNMP for VRRP").spelled("enable_snmp_keepalived"),
        snmp("enable_snmp_checker", "SNMP for virtual servers"),
        .notYet("enable_snmp_rfc", "SNMP by the VRRP RFCs' MIBs"),
        .notYet("enable_snmp_rfcv2", "SNMP by RFC 2787"),
        .notYet("enable_snmp_rfcv3", "SNMP by RFC 6527"),
        .notYet("enable_traps", "SNMP traps"),
        .notYet("snmp_socket", "SOCKET", standard: "agentx's", "address of the SNMP master agent")
            .unneeded(because: "snmpd runs lbctl snmp itself"),
        snmpAge("snmp_vs_stats_update_interval", standard: "5"),
        snmpAge("snmp_rs_stats_update_interval", standard: "0"),
        .unneeded("enable_dbus", "D-Bus interface", because: "the bus is Varlink, see lbctl introspect"),
        .unneeded(
            "dbus_service_name", "NAME", standard: "org.keepalived.Vrrp1", "name on D-Bus",
            because: "the bus is Varlink"),
        .unneeded("dbus_no_interface_name", "NAME", standard: "none", "D-Bus path part", because: "the bus is Varlink"),
    ]

    static let globalFiles: [Keyword<GlobalDraft>] = [
        .unneeded(
            "reload_check_config", "[LOGFILE]", "test a configuration before a reload",
            because: "a reload always reads and checks everything before it changes anything"),
        .unneeded(
            "reload_time_file", "PATH", standard: "none", "when to reload",
            because: "a systemd timer does it: systemd-run --on-calendar=TIME lbctl reload"),
        .unneeded(
            "reload_repeat", "reload at that time every day",
            because: "a systemd timer does it: systemd-run --on-calendar=TIME lbctl reload"),
        .unneeded(
            "reload_file", "[PATH]", standard: "none", "there while a reload reads",
            because: "lbctl reload returns when every daemon has read and taken the file, and its exit status says so"),
        includeCheck, randomSeed,
        .unneeded(
            "config_save_dir", "DIR", standard: "none", "copies of configurations",
            because: "a reload says what it changes"),
        .unneeded(
            "tmp_config_directory", "DIR", standard: "memory", "copy of the configuration",
            because: "the daemons compare digests of the file instead"),
        .unneeded(
            "data_use_instance", "[BOOL]", "instance name in dump files", because: "lbctl status takes their place"),
        .unneeded(
            "json_version", "1|2", standard: "1", "form of the JSON dump", because: "lbctl --json takes its place"),
        .unneeded(
            "state_dump_file", "PATH", standard: "/tmp/keepalived.data", "dump of the state",
            because: "lbctl status takes its place"),
        .unneeded(
            "stats_dump_file", "PATH", standard: "/tmp/keepalived.stats", "dump of counters",
            because: "lbctl vrrp show takes its place"),
        .unneeded(
            "json_dump_file", "PATH", standard: "/tmp/keepalived.json", "dump in JSON",
            because: "lbctl --json takes its place"),
        .unneeded(
            "iproute_usr_dir", "DIR", standard: "/usr/share/iproute2", "names of tables and scopes",
            because: "numbers and the usual names are understood"),
        .unneeded(
            "iproute_etc_dir", "DIR", standard: "/etc/iproute2", "names of tables and scopes",
            because: "numbers and the usual names are understood"),
    ]

    /// Acted on while lines are read (Syntax/ReadingWords.swift).
    private static let includeCheck = Keyword<GlobalDraft>(
        "include_check", "[+|-]OPTION…", standard: "a file named outright must be there", .rare,
        "what includes below it must satisfy: readable, match, wildcard_match, brace_match; alone all of them"
    ) { _, statement, interpreter in
        for word in statement.arguments where IncludeCheck(word: word.text) == nil {
            interpreter.sayNotOneOf(IncludeCheck.names, word, statement)
        }
    }.repeatable

    private static let randomSeed = Keyword<GlobalDraft>(
        "random_seed", "N", range: "0…4294967295", standard: "from the file's bytes", .rare,
        "seed of every ${_RANDOM} below it"
    ) { _, statement, interpreter in
        _ = interpreter.integer(statement, 0...4_294_967_295)
    }.repeatable

    private static let flushAtStop = Keyword<GlobalDraft>(
        "lvs_flush_on_stop", "[VS]", range: "VS", standard: "off", .rare,
        "empty the IPVS table at stop; VS: only of Evenkeel's services"
    ) { draft, statement, interpreter in
        guard !statement.arguments.isEmpty else {
            draft.model.flushAtStop = .everything
            return
        }
        guard let word = interpreter.single(statement) else { return }
        guard word.text == "VS" else { return interpreter.sayNotOneOf(["VS"], word, statement) }
        draft.model.flushAtStop = .services
    }

    private static let groupMarkTable = Keyword<GlobalDraft>(
        "nftables_ipvs", "[TABLE]", standard: "off", .rare,
        "each virtual_server_group as one service, by a mark that nftables sets (TABLE: keepalived_ipvs)"
    ) { draft, statement, interpreter in
        guard !statement.arguments.isEmpty else {
            draft.model.groupMarkTable = "keepalived_ipvs"
            return
        }
        guard let word = interpreter.single(statement) else { return }
        // NFT_NAME_MAXLEN of linux/netfilter/nf_tables.h, less the octet that ends it.
        guard (1...255).contains(word.text.utf8.count) else {
            return interpreter.reporter.error(
                .badValue, at: word, "the name of an nftables table has 1 to 255 octets", remedy: "write a shorter one")
        }
        draft.model.groupMarkTable = word.text
    }

    static let globalFirewall: [Keyword<GlobalDraft>] = [
        .toggle("disable_local_igmp", \.model.disablesLocalIGMP, .rare, "no IGMP for VRRP's group on this host"),
        .unneeded(
            "vrrp_iptables", "[IN [OUT]]", standard: "INPUT OUTPUT", "iptables chains for no_accept",
            because: "the rules are in an nftables table of their own, inet evenkeel_vrrpd"),
        .unneeded(
            "vrrp_ipsets", "[NAME…]", standard: "keepalived…", "ipset names for no_accept",
            because: "the rules are in an nftables table of their own, inet evenkeel_vrrpd"),
        .unneeded(
            "nftables", "[TABLE]", standard: "keepalived", "nftables table for no_accept",
            because: "the table is inet evenkeel_vrrpd"),
        .integer(
            "nftables_priority", -2_147_483_648...2_147_483_647, \.model.dropPriority, .rare,
            "priority of its chains"),
        .toggle("nftables_counters", \.model.countsDrops, .rare, "counters in its rules"),
        .unneeded(
            "nftables_ifindex", "rules by interface index", because: "the rules name addresses and no interfaces"),
        groupMarkTable,
        .integer(
            "nftables_ipvs_priority", -2_147_483_648...2_147_483_647, \.model.groupMarkPriority, .rare,
            "priority of the chain of nftables_ipvs"),
        .integer(
            "nftables_ipvs_start_fwmark", 1...4_294_967_295, \.model.firstGroupMark, .rare,
            "first mark of nftables_ipvs"),
        .unneeded(
            "lvs_flush", "empty the IPVS table at start",
            because: "the table is adopted and only what differs is changed; services of others stay"),
        flushAtStop, flushAtStop.spelled("lvs_flush_onstop"),
        Keyword("vmac_prefix", "TEXT", standard: "vrrp", .rare, "name prefix of VMAC interfaces") {
            draft, statement, interpreter in
            guard let word = interpreter.single(statement), interpreter.isInterfaceName(word) else { return }
            draft.model.virtualMACPrefix = word.text
        },
        Keyword(
            "vmac_addr_prefix", "TEXT", standard: "vmac_prefix", .rare,
            "name prefix of VMACs for addresses on other interfaces"
        ) { draft, statement, interpreter in
            guard let word = interpreter.single(statement), interpreter.isInterfaceName(word) else { return }
            draft.model.virtualMACAddressPrefix = word.text
        },
    ]
}
