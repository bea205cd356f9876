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
        let known = Dictionary(realServers.map { ($0.endpoint, $0) }) { first, _ in first }
        let programs: [(word: String, differs: Bool)] = [
            ("quorum_up", quorumUp != new.quorumUp), ("quorum_down", quorumDown != new.quorumDown),
            ("notify_up", new.realServers.contains { known[$0.endpoint]?.notifyUp != $0.notifyUp }),
            ("notify_down", new.realServers.contains { known[$0.endpoint]?.notifyDown != $0.notifyDown }),
        ]
        let words = programs.filter(\.differs).map(\.word).joined(separator: ", ")
        if !words.isEmpty { return ["\(identity) \(words): change"] }
        return isCommanded || ofTable == new.ofTable ? [] : ["\(identity): change"]
    }

    /// Without what checkd has.
    private var ofTable: VirtualServerConfiguration {
        var service = self
        for index in service.realServers.indices { service.realServers[index].checkers = [] }
        return service
    }
}
