// An instance as the bus shows it.

import Bus
import Configuration
import Net
import Netlink
import VRRP

extension Daemon {
    /// The wire's view of an instance.
    func description(of instance: Instance) -> VrrpAPI.Instance {
        VrrpAPI.Instance(name: instance.name, context: context(of: instance), runtime: runtime(of: instance))
    }

    private func context(of instance: Instance) -> VrrpAPI.InstanceContext {
        let block = instance.configuration
        var peers: [String]?
        if case .unicast(let list, _) = block.delivery { peers = list.map { "\($0.address)" } }
        return VrrpAPI.InstanceContext(
            interface: block.interface, virtualRouterId: Int(block.virtualRouterID), version: block.version.rawValue,
            family: block.family == .inet ? .inet : .inet6,
            initialState: block.initialState == .master ? .master : .backup, priority: Int(block.priority),
            advertisementIntervalMilliseconds: block.advertInterval.milliseconds, preempt: block.preempt,
            preemptDelayMilliseconds: block.preemptDelay.milliseconds,
            sourceAddress: instance.source.map { "\($0)" }, unicastPeers: peers,
            virtualAddresses: block.virtualAddresses.map { "\($0.prefix)" },
            excludedAddresses: block.excludedAddresses.map { "\($0.prefix)" },
            trackedInterfaces: block.trackedInterfaces.map(\.name),
            syncGroup: configuration.syncGroups.first { $0.members.contains(block.name) }?.name)
    }

    private func runtime(of instance: Instance) -> VrrpAPI.InstanceRuntime {
        let router = routers[instance.name]
        var master: Peer?
        if case .backup(let backup)? = router?.state { master = backup.master }
        return VrrpAPI.InstanceRuntime(
            state: VrrpAPI.State(router?.state.name ?? .initialize), since: instance.since, reason: instance.reason,
            effectivePriority: Int(router?.priority ?? 0), steppedDown: router?.isSteppedDown ?? false,
            faults: (router?.faults ?? []).sorted().map { "\($0)" }, master: master.map { "\($0.address)" },
            masterPriority: master.map { Int($0.priority) },
            masterDownIntervalMilliseconds: router?.masterDownInterval.milliseconds,
            heldAddresses: held(by: instance),
            statistics: VrrpAPI.InstanceStatistics(router?.statistics ?? Statistics()))
    }

    /// What the kernel was told to hold; after a refusal, what it does hold.
    private func held(by instance: Instance) -> [String] {
        guard instance.isHolding else { return [] }
        return instance.changes(adding: true, in: table).map(\.address)
            .filter { !instance.isIncomplete || isPresent($0) }.map { "\($0.prefix)" }
    }
}

extension VrrpAPI.State {
    fileprivate init(_ name: StateName) {
        switch name {
        case .initialize: self = .initialize
        case .backup: self = .backup
        case .master: self = .master
        case .fault: self = .fault
        }
    }
}

extension VrrpAPI.InstanceStatistics {
    fileprivate init(_ statistics: Statistics) {
        let discarded = statistics.refused.map { ($0.key.rawValue, Int(clamping: $0.value)) }
        self.init(
            advertisementsSent: Int(clamping: statistics.sent),
            advertisementsReceived: Int(clamping: statistics.received),
            becameMaster: Int(clamping: statistics.becameMaster),
            releasedMaster: Int(clamping: statistics.releasedMaster),
            priorityZeroSent: Int(clamping: statistics.priorityZeroSent),
            priorityZeroReceived: Int(clamping: statistics.priorityZeroReceived),
            discarded: Dictionary(uniqueKeysWithValues: discarded))
    }
}

extension Duration {
    fileprivate var milliseconds: Int { Int(clamping: nanoseconds / 1_000_000) }
}
