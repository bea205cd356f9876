// What a reload changes for ipvsd and no command of the table shows: programs, pipes, the rules that they run under, and settings that count
// later (a quorum that is met with the old number and with the new one).

public import Configuration

extension Configuration {
    /// One line for each such change on the way to `new`.
    /// - Parameter commands: what the table is commanded, which speaks for its services.
    public func changesBesideTable(to new: Configuration, _ commands: [Command]) -> [String] {
        let commanded = Set(commands.map(\.service))
        let before = Dictionary(virtualServers.map { ($0.identity, $0) }) { first, _ in first }
        let services = new.virtualServers.flatMap { service in
            before[service.identity].map {
                $0.changes(to: service, isCommanded: commanded.contains(service.identity))
            } ?? []
        }
        let words = [
            global.notifyPipe == new.global.notifyPipe ? nil : "notify_fifo",
            global.serverNotifyPipe == new.global.serverNotifyPipe ? nil : "lvs_notify_fifo",
            global.notifyRealServersAtStart == new.global.notifyRealServersAtStart ? nil : "rs_init_notifies",
            global.timeouts == new.global.timeouts ? nil : "lvs_timeouts",
            global.syncDaemon == new.global.syncDaemon ? nil : "lvs_sync_daemon",
            marks == new.marks ? nil : "nftables_ipvs",
            global.removedDrainLimit == new.global.removedDrainLimit ? nil : "lvs_drain_removed",
        ].compactMap(\.self)
        return services + (words + global.scriptRules.changes(to: new.global.scriptRules)).map { "\($0): change" }
    }
}

extension Configuration {
    /// What nftables is to mark, and where.
    fileprivate var marks: GroupMarks? {
        global.groupMarkTable.map {
            GroupMarks(table: $0, priority: global.groupMarkPriority, addresses: virtualServers.compactMap(\.marked))
        }
    }

    fileprivate struct GroupMarks: Equatable {
        let table: String
        let priority: Int32
        let addresses: [MarkedAddresses]
    }
}

extension VirtualServerConfiguration {
    fileprivate func changes(to new: VirtualServerConfiguration, isCommanded: Bool) -> [String] {
        guard self != new else { return [] }
        let known = Dictionary(realServers.map { ($0.endpoint, $0) }) { first, _ in first }
        let servers = new.realServers.compactMap { server in known[server.endpoint].map { (old: $0, new: server) } }
            .filter { $0.old != $0.new }
        let words = (isCommanded ? [] : tableWords(to: new, servers)) + laterWords(to: new, servers)
        let changed = words.filter(\.differs).map(\.word)
        return changed.isEmpty ? [] : ["\(identity) \(changed.joined(separator: ", ")): change"]
    }

    private typealias Word = (word: String, differs: Bool)
    /// Servers that both have, where they are not the same.
    private typealias Servers = [(old: RealServerConfiguration, new: RealServerConfiguration)]

    /// What the table shows, now or when a decision or a verdict ends.
    private func tableWords(to new: VirtualServerConfiguration, _ servers: Servers) -> [Word] {
        [
            ("lb_algo", scheduler != new.scheduler || schedulerFlags != new.schedulerFlags),
            ("lb_kind", forwarding != new.forwarding), ("persistence_timeout", persistence != new.persistence),
            ("real_server", realServers.map(\.endpoint) != new.realServers.map(\.endpoint)),
            ("weight", differs(servers, \.weight)), ("lvs_method", differs(servers, \.forwarding)),
            ("uthreshold", differs(servers, \.upperThreshold)), ("lthreshold", differs(servers, \.lowerThreshold)),
        ]
    }

    /// What counts when something happens: no command of the table speaks of it. What checks and their pauses are checkd says.
    private func laterWords(to new: VirtualServerConfiguration, _ servers: Servers) -> [Word] {
        let (sorry, newSorry) = (sorryServer, new.sorryServer)
        let isSorrySame = sorry?.endpoint == newSorry?.endpoint
        return [
            (
                "virtual_server_group",
                group != new.group || groupTransport != new.groupTransport || marked != new.marked
            ),
            ("quorum", quorum != new.quorum), ("hysteresis", hysteresis != new.hysteresis),
            ("quorum_up", quorumUp != new.quorumUp), ("quorum_down", quorumDown != new.quorumDown),
            ("sorry_server", !isSorrySame),
            ("sorry_server_inhibit", isSorrySame && sorry?.inhibits != newSorry?.inhibits),
            ("sorry_server_lvs_method", isSorrySame && sorry?.forwarding != newSorry?.forwarding),
            ("inhibit_on_failure", differs(servers, \.inhibitOnFailure)),
            ("alpha", alpha != new.alpha || differs(servers, \.alpha)), ("omega", omega != new.omega),
            ("smtp_alert", mailAlert != new.mailAlert || differs(servers, \.mailAlert)),
            ("notify_up", differs(servers, \.notifyUp)), ("notify_down", differs(servers, \.notifyDown)),
        ]
    }

    /// Whether one of them has another value.
    private func differs<Value: Equatable>(
        _ servers: Servers, _ value: KeyPath<RealServerConfiguration, Value>
    ) -> Bool {
        servers.contains { $0.old[keyPath: value] != $0.new[keyPath: value] }
    }
}
