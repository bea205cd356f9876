// Rows of `vrrp_instance` and its `authentication`. An instance starts from what global_defs says; what its keywords mean
// together (priority and state, version and interval, source and peers) is settled in Resolve/ResolveInstance.swift.
import Net

/// `vrrp_instance` while it is read.
struct InstanceDraft: BlockDraft {
    /// The number is 0 until one is read.
    var model = VRRPInstanceConfiguration(name: "", interface: nil, virtualRouterID: 0)
    var multicastSource: IPAddress?
    var unicastSource: IPAddress?
    var multicastGroup: IPAddress?
    var unicastPeers: [(word: Word, peer: UnicastPeer)] = []
    var unicastTimeToLive: UInt8 = 255
    var faultsWithoutPeer = false
    var lowerPriorityDelay: Duration?
    var lowerPriorityCount: Int?
    var authentication: AuthenticationDraft?
    var authenticationHMAC: Parsed<AuthenticationHMACDraft>?
    var tracked = TrackLists()
    /// `lvs_sync_daemon_interface`.
    var syncInterface: Word?
    var virtualAddresses: [Statement] = []
    var excludedAddresses: [Statement] = []
    var allowsNoAddresses = false
    var virtualMAC: VirtualMACDraft?
    var transmitsOnBase = false
    var usesVirtualMACForAddresses = false
    var ipvlan: IPVLANDraft?

    init() {}

    /// With what instances inherit from `global_defs`.
    init(global: GlobalDefinitions) {
        model.version = global.vrrpVersion
        model.strict = global.vrrpStrict
        model.skipCheckAdvertAddresses = global.skipCheckAdvertAddresses
        model.receiveBuffer = global.receiveBuffer
        model.gratuitousARP = global.gratuitousARP
        model.downTimerAdverts = global.downTimerAdverts
        model.lowerPriorityNoAdvert = global.lowerPriorityNoAdvert
        model.ownerIgnoresAdverts = global.ownerIgnoresAdverts
        model.checksumWithoutPseudoHeader = global.checksumWithoutPseudoHeader
        model.checkUnicastSource = global.checkUnicastSource
        model.mailAlert = global.mail.vrrpAlerts ?? false
        model.notifiesPriorityChanges = global.notifiesPriorityChanges
    }
}

/// `use_vmac` while it is read.
struct VirtualMACDraft: Sendable {
    var name: Word?
    var mac: MACAddress?
}

/// `use_ipvlan` while it is read.
struct IPVLANDraft: Sendable {
    var name: Word?
    var address: IPPrefix?
    var mode: IPVLANConfiguration.Mode?
}

/// `authentication` while it is read.
struct AuthenticationDraft: BlockDraft {
    enum Kind: String, Sendable { case password = "PASS", header = "AH" }
    var kind: Kind?
    var secret: Word?
}

extension Grammars {
    static let instance = Grammar<InstanceDraft>(
        .instance,
        instanceBasics, instanceAddresses, instanceUnicast, instanceTimers, instanceSwitches, trackRows(\.tracked),
        notifyRows(\.model.notify), instanceOther)

    private static let instanceBasics: [Keyword<InstanceDraft>] = [
        Keyword(
            "state", "MASTER|BACKUP", standard: "BACKUP", .everywhere, "what it wants to be at start; only a hint"
        ) { draft, statement, interpreter in
            guard let word = interpreter.single(statement) else { return }
            if let state = VRRPInstanceConfiguration.InitialState(rawValue: word.text) {
                draft.model.initialState = state
            } else if ["SLAVE", "BACKUP"].contains(word.text.uppercased()) {
                draft.model.initialState = .backup
                interpreter.reporter.warning(
                    .deprecated, at: word, "state \(word.text) is understood as BACKUP, as keepalived does",
                    remedy: "write state BACKUP")
            } else {
                interpreter.sayNotOneOf(["MASTER", "BACKUP"], word, statement)
            }
        }.showing { $0.model.initialState.rawValue },
        Keyword(
            "interface", "IF", standard: "required, except with unicast_src_ip", .everywhere,
            "where adverts are sent and heard"
        ) { draft, statement, interpreter in
            guard let name = interpreter.interface(statement) else { return }
            draft.model.interface = name
        },
        .integer(
            "virtual_router_id", 1...255, \.model.virtualRouterID, .everywhere,
            "the virtual router's number, the same on all its directors"
        ).required,
        .integer(
            "priority", 1...255, \.model.priority, standard: "100; 255 with state MASTER", .everywhere,
            "the highest becomes master; 255 owns the addresses"),
        .seconds(
            "advert_int", 0.01...255, \.model.advertInterval, .everywhere,
            "between adverts; whole seconds in version 2, up to 40.95 in version 3"),
        vrrpVersion("version", \.model.version, standard: "vrrp_version; 3 for IPv6", .common, "protocol version"),
        .block(
            "authentication", "", { authentication }, kind: .authentication, .everywhere,
            "simple authentication, version 2 only", from: { _, _ in AuthenticationDraft() },
            store: { draft, parsed, _ in draft.authentication = parsed.draft }),
        .block(
            "auth_hmac", "", { authenticationHMAC }, kind: .authenticationHMAC, .rare, "signed adverts, keepalived 2.4",
            from: { _, _ in AuthenticationHMACDraft() },
            store: { draft, parsed, _ in draft.authenticationHMAC = parsed }),
        .boolean("smtp_alert", \.model.mailAlert, standard: "smtp_alert_vrrp", .common, "mail on transitions"),
    ]

    private static let instanceAddresses: [Keyword<InstanceDraft>] = [
        .list("virtual_ipaddress", lines: "ADDRESS LINE…", .everywhere, "the addresses that the master holds") {
            draft, statement, _ in draft.virtualAddresses.append(statement)
        }.repeatable,
        .list("virtual_ipaddress_excluded", lines: "ADDRESS LINE…", .common, "held by the master, not in adverts") {
            draft, statement, _ in draft.excludedAddresses.append(statement)
        }.repeatable,
        .list("virtual_routes", lines: "ROUTE…", .common, "routes that the master has") {
            draft, statement, interpreter in draft.model.routes += interpreter.routes(statement)
        }.repeatable,
        .list("virtual_rules", lines: "RULE…", .rare, "routing rules that the master has") {
            draft, statement, interpreter in draft.model.rules += interpreter.rules(statement)
        }.repeatable,
        .toggle("no_virtual_ipaddress", \.allowsNoAddresses, .rare, "no address is meant"),
        .toggle("promote_secondaries", \.model.promoteSecondaries, .rare, "sysctl on the interface: secondaries stay"),
    ]

    private static let instanceUnicast: [Keyword<InstanceDraft>] = [
        .address("mcast_src_ip", \.multicastSource, standard: "interface's", .common, "source address of adverts"),
        .address("mcast_dst_ip", \.multicastGroup, standard: "vrrp_mcast_group4", .rare, "group of adverts"),
        Keyword(
            "unicast_src_ip", "ADDR [no_track]", standard: "interface's", .everywhere,
            "source address of unicast adverts"
        ) {
            draft, statement, interpreter in
            guard let word = statement.arguments.first else { return interpreter.sayMissing(statement) }
            draft.unicastSource = interpreter.address(word)
            let rest = statement.arguments.dropFirst()
            interpreter.ignoreExtra(rest.first?.text == "no_track" ? rest.dropFirst() : rest, statement)
        },
        .list(
            "unicast_peer", lines: "ADDR [min_ttl N] [max_ttl N]…", standard: "none: multicast", .everywhere,
            "the other directors, instead of multicast"
        ) { draft, statement, interpreter in
            draft.unicastPeers += interpreter.peers(statement)
        }.repeatable,
        .integer("unicast_ttl", 0...255, \.unicastTimeToLive, .rare, "TTL of unicast adverts"),
        .toggle("check_unicast_src", \.model.checkUnicastSource, .rare, "drop adverts from others than the peers"),
        .toggle("unicast_fault_no_peer", \.faultsWithoutPeer, .rare, "FAULT, not multicast, without a peer"),
        .toggle("track_src_ip", \.model.tracksSourceAddress, .rare, "FAULT when the source address goes"),
        Keyword(
            "old_unicast_checksum", "[never]", standard: "automatic: a peer gets what it sends", .rare,
            "v3 IPv4 checksum of old keepalived for all peers, or for none"
        ) { draft, statement, interpreter in
            draft.model.oldUnicastChecksum = .always
            guard let word = statement.arguments.first else { return }
            interpreter.ignoreExtra(statement.arguments.dropFirst(), statement)
            guard word.text == "never" else { return interpreter.sayNotOneOf(["never"], word, statement) }
            draft.model.oldUnicastChecksum = .never
        },
    ]

    private static let instanceTimers: [Keyword<InstanceDraft>] = [
        .toggle("nopreempt", \.model.preempt, sets: false, .everywhere, "leave a live master of lower priority alone"),
        .toggle("preempt", \.model.preempt, .rare, "take over from a lower priority; the default"),
        .seconds(
            "preempt_delay", 0...1000, \.model.preemptDelay, .common, "tolerate a lower-priority master this long"),
        .integer(
            "down_timer_adverts", 1...100, \.model.downTimerAdverts, standard: "vrrp_down_timer_adverts", .rare,
            "adverts missed until master down"),
        .seconds(
            "garp_master_delay", 0...longestTime, \.model.gratuitousARP.delay, standard: "vrrp_garp_master_delay",
            .common, "to the second gratuitous ARP burst; 0 = none"),
        .integer(
            "garp_master_repeat", 1...1000, \.model.gratuitousARP.count, standard: "vrrp_garp_master_repeat", .common,
            "gratuitous ARPs in a burst"),
        .seconds(
            "garp_master_refresh", 0...longestTime, \.model.gratuitousARP.refresh,
            standard: "vrrp_garp_master_refresh", .common, "between refreshes while master; 0 = none"),
        .integer(
            "garp_master_refresh_repeat", 1...1000, \.model.gratuitousARP.refreshCount,
            standard: "vrrp_garp_master_refresh_repeat", .common, "gratuitous ARPs in a refresh"),
        .seconds(
            "garp_lower_prio_delay", 0...longestTime, optional: \.lowerPriorityDelay,
            standard: "vrrp_garp_lower_prio_delay", .rare, "to the second burst after a lower-priority advert"),
        .integer(
            "garp_lower_prio_repeat", 0...1000, optional: \.lowerPriorityCount,
            standard: "vrrp_garp_lower_prio_repeat", .rare, "gratuitous ARPs after a lower-priority advert"),
    ]

    private static let instanceSwitches: [Keyword<InstanceDraft>] = [
        .toggle("accept", \.model.accept, .common, "the master answers for the addresses; the default"),
        .toggle("no_accept", \.model.accept, sets: false, .common, "the master does not answer for the addresses"),
        .boolean(
            "skip_check_adv_addr", \.model.skipCheckAdvertAddresses, standard: "vrrp_skip_check_adv_addr", .common,
            "do not compare the addresses in a known master's adverts"),
        .boolean("strict_mode", \.model.strict, standard: "vrrp_strict", .common, "reset what the RFCs do not allow"),
        .boolean(
            "lower_prio_no_advert", \.model.lowerPriorityNoAdvert, standard: "vrrp_lower_prio_no_advert", .rare,
            "do not answer an advert of lower priority"),
        .unneeded(
            "higher_prio_send_advert", "[BOOL]", standard: "vrrp_higher_prio_send_advert",
            "one more advert before giving way", because: "vrrpd always sends it"),
        .boolean(
            "owner_ignore_adverts", \.model.ownerIgnoresAdverts, standard: "vrrp_owner_ignore_adverts", .rare,
            "the owner of the addresses ignores adverts"),
        .boolean(
            "v3_checksum_as_v2", \.model.checksumWithoutPseudoHeader, standard: "v3_checksum_as_v2 of global_defs",
            .rare, "v3 IPv4 checksum without pseudo-header"),
        .toggle(
            "dont_track_primary", \.model.tracksPrimaryInterface, sets: false, .common,
            "no FAULT when the own interface is down"),
        Keyword(
            "use_vmac", "[NAME] [MAC]", standard: "off; vrrp.VRID", .common,
            "speak through a macvlan with the virtual MAC"
        ) { draft, statement, interpreter in
            draft.virtualMAC = interpreter.virtualMAC(statement)
        },
        .boolean("vmac_xmit_base", \.transmitsOnBase, .common, "adverts leave through the parent interface"),
    ]

    private static let instanceOther: [Keyword<InstanceDraft>] = [
        Keyword(
            "notify_deleted", "[CMD [USER [GROUP]]]", standard: "none: told as FAULT", .rare,
            "run when a reload removes the instance; alone: notify is told DELETED"
        ) { draft, statement, interpreter in
            draft.model.notify.saysDeleted = true
            if !statement.arguments.isEmpty { draft.model.notify.deleted = interpreter.command(statement) }
        },
        .command(
            "notify_master_rx_lower_pri", \.model.notify.masterHeardLowerPriority, .rare,
            "run when a master hears a lower priority"
        ),
        .boolean(
            "notify_priority_changes", \.model.notifiesPriorityChanges, standard: "vrrp_notify_priority_changes", .rare,
            "notify changes of priority"),
        .toggle("use_vmac_addr", \.usesVirtualMACForAddresses, .rare, "VMAC also for addresses on other interfaces"),
        Keyword(
            "use_ipvlan", "[NAME] [ADDR[/LENGTH]] [bridge|private|vepa]", standard: "off; vrrp.VRID, bridge", .rare,
            "speak through an ipvlan"
        ) { draft, statement, interpreter in
            draft.ipvlan = interpreter.ipvlan(statement)
        },
        Keyword("vrf", "NAME", standard: "none", .rare, "VRF of a unicast instance without interface") {
            draft, statement, interpreter in
            draft.model.vrf = interpreter.interface(statement) ?? draft.model.vrf
        },
        extraAnnouncements("garp_extra_if", \.model.gratuitousARP, 0, standard: "vrrp_garp_extra_if"),
        extraAnnouncements("garp_extra_if", \.model.gratuitousARP, 0, standard: "vrrp_garp_extra_if")
            .spelled("vmac_garp_intvl"),
        timerExpired, timerExpired.spelled("thread_timer_expired"),
        Keyword(
            "kernel_rx_buf_size", "N", unit: "bytes", range: "1…", standard: "vrrp_rx_bufs_policy", .rare,
            "receive buffer for adverts; those of the instances of a socket are added up"
        ) { draft, statement, interpreter in
            guard let octets = interpreter.integer(statement, 1...Grammars.largestBuffer, unit: "bytes") else { return }
            draft.model.receiveBuffer = .octets(octets)
        },
        .unneeded("debug", "N", range: "0…4", standard: "0", "debug level", because: "--log-level takes its place"),
        .unneeded("native_ipv6", "old word for IPv6", because: "the family follows from the addresses"),
        .unneeded(
            "linkbeat_use_polling", "poll for carrier loss", because: "netlink reports it on every kernel supported"),
        Keyword(
            "lvs_sync_daemon_interface", "IF", standard: "none", .rare,
            "as lvs_sync_daemon IF with this instance, where global_defs has none"
        ) { draft, statement, interpreter in draft.syncInterface = interpreter.single(statement) },
    ]

    private static let timerExpired = Keyword<InstanceDraft>(
        "timer_expired_backup", "[PRIO]", range: "1…254", standard: "off; 254", .rare,
        "a master that was silent until a router of this priority may have taken over gives way"
    ) { draft, statement, interpreter in
        guard !statement.arguments.isEmpty else {
            draft.model.lateYieldsTo = 254
            return
        }
        guard let priority = interpreter.integer(statement, 1...254) else { return }
        draft.model.lateYieldsTo = UInt8(clamping: priority)
    }

    static let authentication = Grammar<AuthenticationDraft>(
        .authentication,
        [
            Keyword("auth_type", "PASS|AH", standard: "required", .everywhere, "password in clear, or AH header") {
                draft, statement, interpreter in
                guard let word = interpreter.single(statement) else { return }
                draft.kind = AuthenticationDraft.Kind(rawValue: word.text)
                if draft.kind == nil { interpreter.sayNotOneOf(["PASS", "AH"], word, statement) }
            }.required,
            Keyword("auth_pass", "TEXT", range: "1…8 bytes count", standard: "required", .everywhere, "the password") {
                draft, statement, interpreter in
                draft.secret = interpreter.single(statement) ?? draft.secret
            }.required.secret,
        ])
}
