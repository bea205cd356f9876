// `global_defs`: what holds for every instance and every virtual server. Values that instances inherit (GARP schedule,
// version, …) are already copied into them; they are kept here for diffs.
public import Net

/// The `global_defs` block, and the top-level words outside any block.
public struct GlobalDefinitions: Equatable, Sendable {
    /// `router_id`: this director's name in mails; nil = the host name.
    public var routerID: String?
    /// `net_namespace`: the network namespace to work in; nil = the one the daemon was started in.
    public var networkNamespace: NetworkNamespaceName?
    /// `net_namespace_ipvs`: that of the IPVS table; nil = `networkNamespace`.
    public var ipvsNamespace: NetworkNamespaceName?
    /// `script_user USER [GROUP]`: who runs scripts; nil = user keepalived_script when it exists, else root.
    public var scriptUser: ScriptUser?
    /// `enable_script_security`: refuse to run as root what another user may write.
    public var scriptSecurity = false
    /// `umask`: what scripts' files are not for; nil = 022.
    public var umask: Int?
    /// `set_supplementary_groups`: scripts have all groups of their user.
    public var scriptsHaveAllGroups = false
    /// `startup_script` with its timeout: run before elections begin.
    public var startupScript: LifeScript?
    /// `shutdown_script` with its timeout: run when all is given up.
    public var shutdownScript: LifeScript?
    /// `vrrp_version`: for IPv4 instances that do not say; IPv6 is always version 3.
    public var vrrpVersion = VRRPVersion.v2
    /// `vrrp_strict`: refuse whatever RFC 3768/9568 does not allow.
    public var vrrpStrict = false
    /// `vrrp_skip_check_adv_addr`: do not compare the address list of a known master's adverts.
    public var skipCheckAdvertAddresses = false
    /// `vrrp_down_timer_adverts`: adverts missed before the master is down, 1...100.
    public var downTimerAdverts = 3
    /// `vrrp_lower_prio_no_advert`: a master does not answer an advert of lower priority.
    public var lowerPriorityNoAdvert = false
    /// `vrrp_owner_ignore_adverts`: instances of priority 255 ignore adverts of others.
    public var ownerIgnoresAdverts = false
    /// `v3_checksum_as_v2`: v3 IPv4 checksums without pseudo-header.
    public var checksumWithoutPseudoHeader = false
    /// `vrrp_check_unicast_src`: adverts from others than the unicast peers are dropped.
    public var checkUnicastSource = false
    /// `log_unknown_vrids`: adverts of virtual routers that are not configured are heard and logged, each number once.
    public var logsUnknownRouters = false
    /// `vrrp_startup_delay`: how long adverts are ignored and elections held off after start.
    public var startupDelay = Duration.zero
    /// `vrrp_delay_after_boot`: the same, until the machine has been up for so long.
    public var delayAfterBoot = Duration.zero
    /// `vrrp_garp_*` and `vrrp_gna_interval`.
    public var gratuitousARP = GratuitousARPSettings()
    /// `vrrp_mcast_group4`.
    public var multicastGroup4 = IPv4Address(224, 0, 0, 18)
    /// `vrrp_mcast_group6`.
    public var multicastGroup6 = IPv6Address(high: 0xFF02_0000_0000_0000, low: 0x12)
    /// `nftables_priority`: of the chains that drop packets for `no_accept`; 0 = filter.
    public var dropPriority: Int32 = -1
    /// `nftables_counters`: their rules count packets and octets.
    public var countsDrops = false
    /// `nftables_ipvs`: the nftables table that marks the addresses of groups, so that each group is one service for each protocol; nil = off.
    public var groupMarkTable: String?
    /// `nftables_ipvs_priority`: of its chain; 0 = filter.
    public var groupMarkPriority: Int32 = -1
    /// `nftables_ipvs_start_fwmark`: the first group's mark; each other one has the next.
    public var firstGroupMark: UInt32 = 1000
    /// `disable_local_igmp`: no IGMP reports of groups of the link.
    public var disablesLocalIGMP = false
    /// `vmac_prefix`: what the names of macvlans begin with.
    public var virtualMACPrefix = "vrrp"
    /// `vmac_addr_prefix`: the same for those that are made for addresses on other interfaces; nil = `vmac_prefix`.
    public var virtualMACAddressPrefix: String?
    /// `default_interface`: for static addresses without `dev`.
    public var defaultInterface = "eth0"
    /// Mail: who gets it, from whom, through which server.
    public var mail = MailSettings()
    /// `notify_webhook`: URLs that are told of every change.
    public var webhooks: [String] = []
    /// `lvs_timeouts`: kernel connection timeouts to set.
    public var timeouts = IPVSTimeouts()
    /// `lvs_sync_daemon`: connection synchronisation between directors; nil = off.
    public var syncDaemon: SyncDaemonConfiguration?
    /// `lvs_flush_on_stop`: what goes at stop; nil = the table stays.
    public var flushAtStop: TableFlush?
    /// `lvs_drain_removed`: seconds for which connections go on of servers that the configuration does not have any more; 0 = none.
    public var removedDrainLimit: UInt32 = 300
    /// `checker_log_all_failures`: log every failed attempt, not only the one that changes the state.
    public var logAllCheckFailures = false
    /// `rs_init_notifies`: run notify_up of servers that are up at start.
    public var notifyRealServersAtStart = false
    /// `vrrp_priority`, `vrrp_rt_priority` …: of vrrpd.
    public var vrrpProcess = ProcessSettings()
    /// `checker_priority`, `checker_rt_priority` …: of checkd.
    public var checkerProcess = ProcessSettings()
    /// `vrrp_rx_bufs_policy` and `vrrp_rx_bufs_multiplier`: of instances that do not say.
    public var receiveBuffer = ReceiveBufferPolicy.standard
    /// `vrrp_netlink_cmd_rcv_bufs`: where the kernel's answers to vrrpd wait.
    public var vrrpCommandBuffer = NetlinkBuffer()
    /// `lvs_netlink_cmd_rcv_bufs`: where the kernel's answers to ipvsd wait.
    public var lvsCommandBuffer = NetlinkBuffer()
    /// `vrrp_netlink_monitor_rcv_bufs`: where the kernel's notifications wait.
    public var vrrpMonitorBuffer = NetlinkBuffer()
    /// `process_monitor_rcv_bufs`: where process events wait.
    public var processMonitorBuffer = NetlinkBuffer()
    /// `notify_fifo`: a pipe that gets a line for every transition.
    public var notifyPipe: NotifyPipeConfiguration?
    /// `vrrp_notify_fifo`: one for those of instances and groups.
    public var vrrpNotifyPipe: NotifyPipeConfiguration?
    /// `lvs_notify_fifo`: one for those of virtual and real servers.
    public var serverNotifyPipe: NotifyPipeConfiguration?
    /// `fifo_write_vrrp_states_on_reload`: the pipes get all states after a reload.
    public var writesStatesOnReload = false
    /// `vrrp_notify_priority_changes`: the default of instances.
    public var notifiesPriorityChanges = false

    /// keepalived's defaults.
    public init() {}
}

/// Who a script runs as.
public struct ScriptUser: Hashable, Sendable {
    /// A user name or number.
    public var user: String
    /// A group name or number; nil = the user's own group.
    public var group: String?

    /// A user and perhaps a group.
    public init(user: String, group: String? = nil) {
        self.user = user
        self.group = group
    }
}

/// A program to run: `CMD` or `"CMD ARGS"`, split as execve wants it. No shell is involved.
public struct ScriptCommand: Hashable, Sendable {
    /// The program (a path, or a name to find in PATH) and its arguments; never empty.
    public var arguments: [String]
    /// Who runs it, `script_user` filled in; nil = user keepalived_script when it exists, else root.
    public var user: ScriptUser?

    /// A command and its user.
    public init(arguments: [String], user: ScriptUser? = nil) {
        self.arguments = arguments
        self.user = user
    }
}

/// `startup_script` or `shutdown_script`.
public struct LifeScript: Equatable, Sendable {
    /// What is run.
    public var command: ScriptCommand
    /// How long it may.
    public var timeout: Duration

    /// keepalived's default is 10 s.
    public init(_ command: ScriptCommand, timeout: Duration = .seconds(10)) {
        self.command = command
        self.timeout = timeout
    }
}

/// What holds for every script.
public struct ScriptRules: Equatable, Sendable {
    /// `enable_script_security`.
    public var isSecure = false
    /// `umask`; nil = 022.
    public var umask: Int?
    /// `set_supplementary_groups`.
    public var haveAllGroups = false
    /// `net_namespace`; nil = the one that scriptd works in.
    public var networkNamespace: NetworkNamespaceName?

    /// keepalived's defaults, but for its umask.
    public init() {}

    /// The words that are other ones in `new`.
    public func changes(to new: ScriptRules) -> [String] {
        [
            isSecure == new.isSecure ? nil : "enable_script_security", umask == new.umask ? nil : "umask",
            haveAllGroups == new.haveAllGroups ? nil : "set_supplementary_groups",
        ].compactMap(\.self)
    }
}

extension GlobalDefinitions {
    /// What holds for every script.
    public var scriptRules: ScriptRules {
        var rules = ScriptRules()
        (rules.isSecure, rules.umask, rules.haveAllGroups) = (scriptSecurity, umask, scriptsHaveAllGroups)
        rules.networkNamespace = networkNamespace
        return rules
    }
}

/// `notify_fifo PATH [USER [GROUP]]` with its `notify_fifo_script`.
public struct NotifyPipeConfiguration: Equatable, Sendable {
    /// The pipe.
    public var path: String
    /// Who gets it when it is made; nil = root.
    public var user: ScriptUser?
    /// What reads it: started with the path behind its arguments, and again when it ends.
    public var script: ScriptCommand?

    /// A pipe at a path.
    public init(path: String, user: ScriptUser? = nil, script: ScriptCommand? = nil) {
        self.path = path
        self.user = user
        self.script = script
    }
}

/// `lvs_flush_on_stop [VS]`: what is taken out of the IPVS table when ipvsd is stopped.
public enum TableFlush: Equatable, Sendable {
    /// The whole table, services of others too.
    case everything
    /// The services that ipvsd keeps: of the configuration and made by hand.
    case services
}

/// `lvs_timeouts`: nil leaves the kernel's value.
public struct IPVSTimeouts: Equatable, Sendable {
    /// Idle TCP connections (kernel: 900 s).
    public var tcp: Duration?
    /// TCP connections after a FIN (kernel: 120 s).
    public var tcpFin: Duration?
    /// Idle UDP flows (kernel: 300 s).
    public var udp: Duration?

    /// Leaves the kernel's values unless given.
    public init(tcp: Duration? = nil, tcpFin: Duration? = nil, udp: Duration? = nil) {
        self.tcp = tcp
        self.tcpFin = tcpFin
        self.udp = udp
    }
}

/// `lvs_sync_daemon IF [INSTANCE] [id N] [maxlen N] [port N] [ttl N] [group ADDR]`.
public struct SyncDaemonConfiguration: Equatable, Sendable {
    /// The interface the synchronisation messages use.
    public var interface: String
    /// The instance whose state decides between master and backup daemon; nil = both run.
    public var instance: String?
    /// 0...255: the instance's VRID unless given, 0 without an instance.
    public var syncID: UInt8 = 0
    /// Longest message, 1...65507; nil = the kernel's.
    public var maximumLength: UInt16?
    /// UDP port.
    public var port: UInt16 = 8848
    /// Multicast TTL, 1...255.
    public var timeToLive: UInt8 = 1
    /// Multicast group.
    public var group = IPAddress.v4(IPv4Address(224, 0, 0, 81))

    /// keepalived's defaults on one interface.
    public init(interface: String) {
        self.interface = interface
    }
}
