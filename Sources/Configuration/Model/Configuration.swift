// The typed configuration: what the daemons act on. Everything here is resolved: inheritance is followed, defaults
// (keepalived's) are filled in, names point at something that exists. A consumer never applies a default again.
//
// The text form (lexer, syntax tree, diagnostics, keyword table) lives beside this and ends in a `Configuration`.
// Two values compare equal exactly when a reload from one to the other has nothing to do.

/// One whole keepalived.conf, resolved.
public struct Configuration: Equatable, Sendable {
    /// `global_defs`.
    public var global: GlobalDefinitions
    /// `vrrp_script` blocks in file order, names unique.
    public var scripts: [TrackScriptConfiguration]
    /// `track_file` blocks in file order, names unique.
    public var trackFiles: [TrackFileConfiguration]
    /// `vrrp_track_process` blocks in file order, names unique.
    public var trackProcesses: [TrackProcessConfiguration]
    /// `track_unit` blocks in file order, names unique.
    public var trackUnits: [TrackUnitConfiguration] = []
    /// `bfd_instance` blocks in file order, names unique.
    public var bfdSessions: [BFDConfiguration] = []
    /// `interface_up_down_delays`, by interface.
    public var linkDelays: [String: LinkDelays] = [:]
    /// `vrrp_instance` blocks in file order, names unique.
    public var instances: [VRRPInstanceConfiguration]
    /// `vrrp_sync_group` blocks in file order, names unique; members exist.
    public var syncGroups: [SyncGroupConfiguration]
    /// `garp_group` blocks in file order; no interface is in two.
    public var garpGroups: [GARPGroupConfiguration]
    /// `track_group` blocks in file order, names unique; members exist.
    public var trackGroups: [TrackGroupConfiguration] = []
    /// `static_ipaddress` lines: addresses that do not follow any election.
    public var staticAddresses: [AddressLine]
    /// `static_routes` lines.
    public var staticRoutes: [RouteLine] = []
    /// `static_rules` lines.
    public var staticRules: [RuleLine] = []
    /// `virtual_server` blocks in file order, identities unique; one per address when a group is named.
    public var virtualServers: [VirtualServerConfiguration]

    /// A configuration that does nothing until something is given.
    public init(
        global: GlobalDefinitions = GlobalDefinitions(),
        scripts: [TrackScriptConfiguration] = [],
        trackFiles: [TrackFileConfiguration] = [],
        trackProcesses: [TrackProcessConfiguration] = [],
        instances: [VRRPInstanceConfiguration] = [],
        syncGroups: [SyncGroupConfiguration] = [],
        garpGroups: [GARPGroupConfiguration] = [],
        staticAddresses: [AddressLine] = [],
        virtualServers: [VirtualServerConfiguration] = []
    ) {
        self.global = global
        self.scripts = scripts
        self.trackFiles = trackFiles
        self.trackProcesses = trackProcesses
        self.instances = instances
        self.syncGroups = syncGroups
        self.garpGroups = garpGroups
        self.staticAddresses = staticAddresses
        self.virtualServers = virtualServers
    }
}

extension Configuration {
    /// The daemons that it gives something to do, by name.
    public var neededDaemons: [String] {
        var names: [String] = []
        let isRouting = !staticAddresses.isEmpty || !staticRoutes.isEmpty || !staticRules.isEmpty
        if !instances.isEmpty || !bfdSessions.isEmpty || isRouting { names.append("vrrpd") }
        if !virtualServers.isEmpty || global.syncDaemon != nil { names.append("ipvsd") }
        let isChecked = virtualServers.contains { $0.realServers.contains { !$0.checkers.isEmpty } }
        if isChecked || hasAlerts { names.append("checkd") }
        return names
    }

    /// Names of the `bfd_instance` blocks that checks look at.
    public var checkedSessions: Set<String> {
        let checkers = virtualServers.lazy.flatMap(\.realServers).flatMap(\.checkers)
        return Set(checkers.compactMap { if case .bfd(let name) = $0.probe { name } else { nil } })
    }

    /// Somebody is to be told, by mail or webhook, of what changes without any check.
    private var hasAlerts: Bool {
        if !global.webhooks.isEmpty { return !instances.isEmpty || !virtualServers.isEmpty }
        guard global.mail.isSent else { return false }
        return instances.contains(where: \.mailAlert) || syncGroups.contains(where: \.mailAlert)
            || virtualServers.contains(where: \.mailAlert)
    }

    /// The pipes that vrrpd writes into: `notify_fifo` and `vrrp_notify_fifo`.
    public var routerPipes: [NotifyPipeConfiguration] {
        var shared = global.notifyPipe
        if isSharedPipeReadForServices { shared?.script = nil }
        return [shared, global.vrrpNotifyPipe].compactMap(\.self)
    }

    /// The pipes that ipvsd writes into: `notify_fifo` and `lvs_notify_fifo`.
    public var servicePipes: [NotifyPipeConfiguration] {
        var shared = global.notifyPipe
        if !isSharedPipeReadForServices { shared?.script = nil }
        return [shared, global.serverNotifyPipe].compactMap(\.self)
    }

    /// What reads `notify_fifo` runs once: for ipvsd where vrrpd has nothing to do, else for vrrpd.
    private var isSharedPipeReadForServices: Bool {
        let needed = neededDaemons
        return needed.contains("ipvsd") && !needed.contains("vrrpd")
    }
}
