// An instance as the bus shows it.

import Bus
import Configuration
import Net
import Scripts
import VRRP

extension Daemon {
    /// The wire's view of a router; nil when it is gone.
    func description(of id: RouterID) -> VrrpAPI.Instance? {
        guard let view = director.view(of: id) else { return nil }
        return VrrpAPI.Instance(name: view.name, context: context(of: view), runtime: runtime(of: view, standings[id]))
    }

    private func context(of view: Director.View) -> VrrpAPI.InstanceContext {
        let block = view.block
        var peers: [String]?
        if case .unicast(let list, _) = block.delivery { peers = list.map { "\($0.address)" } }
        return VrrpAPI.InstanceContext(
            interface: block.interface, virtualInterface: block.virtualMAC?.name ?? block.ipvlan?.name,
            virtualMac: block.virtualMAC.map { "\($0.mac)" }, accept: block.accept || block.priority == 255,
            virtualRouterId: Int(block.virtualRouterID), version: block.version.rawValue,
            family: block.family == .inet ? .inet : .inet6,
            initialState: block.initialState == .master ? .master : .backup, priority: Int(block.priority),
            advertisementIntervalMilliseconds: block.advertInterval.milliseconds, preempt: block.preempt,
            preemptDelayMilliseconds: block.preemptDelay.milliseconds,
            sourceAddress: view.source.map { "\($0)" }, unicastPeers: peers,
            virtualAddresses: block.virtualAddresses.map { "\($0.prefix)" },
            excludedAddresses: block.excludedAddresses.map { "\($0.prefix)" },
            virtualRoutes: block.routes.isEmpty ? nil : view.wantedRoutes,
            virtualRules: block.rules.isEmpty ? nil : view.wantedRules,
            trackedInterfaces: block.trackedInterfaces.map(\.name), syncGroup: view.group)
    }

    private func runtime(of view: Director.View, _ standing: Standing?) -> VrrpAPI.InstanceRuntime {
        let machine = view.machine
        let troubles =
            director.router(named: view.name)
            .map { director.concerns(of: $0, at: now).routing.map(\.description) } ?? []
        var master: Peer?
        if case .backup(let backup) = machine.state { master = backup.master }
        return VrrpAPI.InstanceRuntime(
            state: VrrpAPI.State(machine.state.name), since: standing?.since ?? timestamp,
            reason: reason(view, standing),
            effectivePriority: Int(machine.priority), steppedDown: machine.isSteppedDown,
            faults: machine.faults.sorted().map { "\($0)" }, master: master.map { "\($0.address)" },
            masterPriority: master.map { Int($0.priority) },
            masterDownIntervalMilliseconds: machine.masterDownInterval.milliseconds,
            heldAddresses: view.held.map { "\($0)" },
            heldRoutes: view.block.routes.isEmpty ? nil : view.routes,
            heldRules: view.block.rules.isEmpty ? nil : view.rules,
            routingTroubles: troubles.isEmpty ? nil : troubles,
            statistics: VrrpAPI.InstanceStatistics(machine.statistics),
            peers: view.peers.map { VrrpAPI.Peer($0.address, $0.record, at: now) }, scripts: scripts(of: view.id),
            trackers: trackers(of: view.id))
    }

    private func reason(_ view: Director.View, _ standing: Standing?) -> String {
        if let delay = view.delay {
            let seconds = delay.milliseconds / 1000
            return "held off for \(seconds) s from the start (vrrp_startup_delay, vrrp_delay_after_boot)"
        }
        let awaited = view.machine.state == .initialize ? director.awaited(of: view.id) : []
        guard !awaited.isEmpty else { return standing?.reason ?? "not started" }
        return "waits for the first result of \(awaited.joined(separator: ", "))"
    }

    private func trackers(of id: RouterID) -> [VrrpAPI.Tracker]? {
        let things = director.trackedThings(of: id)
        return things.isEmpty
            ? nil
            : things.map { thing in
                VrrpAPI.Tracker(
                    kind: VrrpAPI.TrackerKind(thing.tracker), name: thing.tracker.name,
                    state: VrrpAPI.TrackerState(thing.report.standing), since: trackerStandings[thing.tracker]?.since,
                    detail: thing.report.words, weight: thing.object.weight, reverse: thing.object.isReversed,
                    effect: thing.effect.weight, fault: thing.effect == .fault, hindrance: thing.report.hindrance)
            }
    }

    private func scripts(of id: RouterID) -> [VrrpAPI.TrackedScript]? {
        let tracked = director.trackedScripts(of: id)
        return tracked.isEmpty
            ? nil
            : tracked.map { script in
                VrrpAPI.TrackedScript(
                    name: script.tracked.name, state: VrrpAPI.ScriptState(script.monitor.verdict),
                    since: scriptsSince[script.tracked.name], weight: script.tracked.weight,
                    reverse: script.tracked.isReversed, running: script.monitor.isRunning,
                    lastResult: script.monitor.outcome.map { "\($0)" },
                    lastLine: script.monitor.lastLine.isEmpty ? nil : script.monitor.lastLine,
                    hindrance: script.monitor.hindrance?.why)
            }
    }
}

extension VrrpAPI.TrackerKind {
    fileprivate init(_ tracker: Tracker) {
        switch tracker {
        case .interface: self = .interface
        case .file: self = .file
        case .process: self = .process
        case .unit: self = .unit
        case .bfd: self = .bfd
        }
    }
}

extension VrrpAPI.TrackerState {
    init(_ standing: TrackerStanding) {
        switch standing {
        case .unknown: self = .unknown
        case .good: self = .good
        case .failed: self = .failed
        case .number: self = .number
        }
    }
}

extension VrrpAPI.ScriptState {
    fileprivate init(_ verdict: ScriptMonitor.Verdict) {
        switch verdict {
        case .unknown: self = .unknown
        case .good: self = .good
        case .failed: self = .failed
        }
    }
}

extension VrrpAPI.Peer {
    fileprivate init(_ address: IPAddress, _ record: PeerRecord, at now: Instant) {
        let last = record.last
        let hasChoice = last?.version == .v3 && address.family == .inet
        self.init(
            address: "\(address)", silentMilliseconds: (now - record.heardAt).milliseconds,
            advertisementsReceived: Int(clamping: record.received), priority: last.map { Int($0.priority) },
            version: last.map { Int($0.version.rawValue) },
            advertisementIntervalMilliseconds: last.map(\.interval.milliseconds),
            checksum: hasChoice ? last.map { VrrpAPI.Checksum($0.checksum) } : nil,
            discarded: discardedByReason(record.refused), refusal: record.refusal.map { "\($0)" })
    }
}

extension VrrpAPI.Checksum {
    fileprivate init(_ form: ChecksumForm) {
        switch form {
        case .pseudoHeader: self = .pseudoHeader
        case .messageOnly: self = .messageOnly
        case .groupPseudoHeader: self = .groupPseudoHeader
        }
    }
}

/// Counters by the words that the bus has for the reasons.
private func discardedByReason(_ counters: [Reason: UInt64]) -> [String: Int] {
    Dictionary(uniqueKeysWithValues: counters.map { ($0.key.rawValue, Int(clamping: $0.value)) })
}

extension VrrpAPI.State {
    init(_ name: StateName) {
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
        self.init(
            advertisementsSent: Int(clamping: statistics.sent),
            advertisementsReceived: Int(clamping: statistics.received),
            becameMaster: Int(clamping: statistics.becameMaster),
            releasedMaster: Int(clamping: statistics.releasedMaster),
            becameFault: Int(clamping: statistics.becameFault),
            latestTakeoverMilliseconds: statistics.latestTakeover?.milliseconds,
            priorityZeroSent: Int(clamping: statistics.priorityZeroSent),
            priorityZeroReceived: Int(clamping: statistics.priorityZeroReceived),
            lateTimers: Int(clamping: statistics.lateTimers),
            longestLatenessMilliseconds: statistics.longestLateness.milliseconds,
            addressesPutBack: Int(clamping: statistics.addressesPutBack),
            routesPutBack: Int(clamping: statistics.routesPutBack),
            discarded: discardedByReason(statistics.refused))
    }
}

extension Duration {
    var milliseconds: Int { Int(clamping: nanoseconds / 1_000_000) }
}
