// What tracked things mean for routers. The director is told how each stands (interfaces it knows by itself) and computes faults and weights
// from that with everything else (Director+Links). A router that tracks something of which nothing is known yet is not started, like one that
// waits for a script.

public import Configuration
internal import Net

/// A tracked thing as one router sees it.
public struct TrackedThing: Sendable {
    /// What.
    public let tracker: Tracker
    /// What the instance or its group says of it: the weight.
    public let object: TrackedObject
    /// How it stands.
    public let report: TrackerReport
    /// What that does.
    public let effect: TrackingEffect
}

extension Director {
    /// Everything that the router and its sync group track but scripts.
    func tracked(by block: VRRPInstanceConfiguration, _ group: String?) -> [(tracker: Tracker, object: TrackedObject)] {
        let shared = group.flatMap { groups[$0]?.configuration }
        func lines(_ own: [TrackedObject], _ group: [TrackedObject]?, _ kind: (String) -> Tracker) -> [(
            tracker: Tracker, object: TrackedObject
        )] { TrackedObject.merged(own, with: group ?? []).map { (kind($0.name), $0) } }
        return tracked(interfaces: block, shared).map { (.interface($0.name), $0) }
            + lines(block.trackedFiles, shared?.trackedFiles, Tracker.file)
            + lines(block.trackedProcesses, shared?.trackedProcesses, Tracker.process)
            + lines(block.trackedUnits, shared?.trackedUnits, Tracker.unit)
            + lines(block.trackedSessions, shared?.trackedSessions, Tracker.bfd)
    }

    /// The interfaces among them. Its own is none of them: its loss is a fault anyway.
    func tracked(interfaces block: VRRPInstanceConfiguration, _ group: SyncGroupConfiguration?) -> [TrackedObject] {
        TrackedObject.merged(block.trackedInterfaces, with: group?.trackedInterfaces ?? [])
            .filter { $0.name != block.interface }
    }

    /// How a tracked thing stands.
    func report(of tracker: Tracker) -> TrackerReport {
        switch tracker {
        case .interface(let name):
            guard let link = table.carrier(named: name) else { return TrackerReport(.failed, "does not exist") }
            guard damping.isUsable(link) else {
                return TrackerReport(.failed, link.isUsable ? "up, not for long enough" : "down")
            }
            return TrackerReport(.good, link.isUsable ? "up" : "down, not for long enough")
        case .file: return reports[tracker] ?? TrackerReport(.unknown, "not read yet")
        case .process: return reports[tracker] ?? TrackerReport(.unknown, "not looked for yet")
        case .unit: return reports[tracker] ?? TrackerReport(.unknown, "not looked at yet")
        case .bfd: return reports[tracker] ?? TrackerReport(.unknown, "not begun yet")
        }
    }

    /// Interfaces that are tracked so that they must be down.
    func mustBeDown(for block: VRRPInstanceConfiguration, _ group: String?) -> [String] {
        tracked(interfaces: block, group.flatMap { groups[$0]?.configuration })
            .filter { $0.weight == 0 && $0.isReversed }.map(\.name)
    }

    /// How a tracked thing stands for who tracks it.
    private func standing(of tracker: Tracker, for object: TrackedObject) -> TrackerStanding {
        let standing = report(of: tracker).standing
        return standing == .unknown && assumed.contains("\(tracker)") ? object.harmless : standing
    }

    /// Faults because of what is tracked besides interfaces and scripts; see `scriptFaults`.
    func trackerFaults(of block: VRRPInstanceConfiguration, _ group: String?, isHeld: Bool) -> [Fault] {
        return tracked(by: block, group).compactMap { tracker, object in
            if case .interface = tracker { return nil }
            let standing = standing(of: tracker, for: object)
            return object.effect(of: standing) == .fault || isHeld && object.weight == 0 && standing == .unknown
                ? .tracked(tracker) : nil
        }
    }

    /// The sum of the weights of all that is tracked. Those of a group move all members alike; those of a member could pull it away from the
    /// others, and the configuration has kept them only with `sync_group_tracking_weight`.
    func weight(of router: Router) -> Int {
        tracked(by: router.block, router.group).reduce(scriptWeight(of: router)) { sum, tracked in
            sum + tracked.object.effect(of: standing(of: tracked.tracker, for: tracked.object)).weight
        }
    }

    /// Trackers of which nothing is known yet, of the router or one that moves with it.
    func awaitedTrackers(of id: RouterID) -> [Tracker] {
        companions(of: id).flatMap { member in
            routers[member].map { tracked(by: $0.block, $0.group).map(\.tracker) } ?? []
        }.filter { report(of: $0).standing == .unknown }
    }

    /// Goes over to what a configuration tracks, after routers and groups have.
    mutating func adoptTrackers() {
        trackerUsers = [:]
        for id in order {
            guard let router = routers[id] else { continue }
            for (tracker, _) in tracked(by: router.block, router.group) {
                trackerUsers[tracker, default: []].insert(id)
            }
        }
        reports = reports.filter { trackerUsers[$0.key] != nil }
        if !assumed.isEmpty { assumed.formIntersection(order.flatMap(awaited)) }
    }

    /// A watcher says how a thing stands.
    mutating func trackerHeard(_ report: TrackerReport, of tracker: Tracker, at now: Instant) {
        guard let users = trackerUsers[tracker], reports[tracker] != report else { return }
        let wasUnknown = self.report(of: tracker).standing == .unknown
        reports[tracker] = report
        changed.formUnion(users)
        for id in users.sorted() { derive(id, at: now) }
        if wasUnknown, phase == .running { join(order, at: now) }
    }

    /// Links whose delay has ended count now.
    mutating func linkDelaysEnded(at now: Instant) {
        let names = damping.due(at: now)
        let ids = names.reduce(into: Set<RouterID>()) { $0.formUnion(dependents[$1] ?? []) }
        changed.formUnion(ids)
        for id in ids.sorted() { derive(id, at: now) }
    }

    /// What a router and its group track but scripts, and how it stands.
    public func trackedThings(of id: RouterID) -> [TrackedThing] {
        guard let router = routers[id] else { return [] }
        return tracked(by: router.block, router.group).map { tracker, object in
            let report = report(of: tracker)
            return TrackedThing(
                tracker: tracker, object: object, report: report,
                effect: object.effect(of: standing(of: tracker, for: object)))
        }
    }
}

extension Configuration {
    /// What must be watched: the blocks that an instance or a group tracks.
    public var watched: [WatchedBlock] {
        func names(
            _ own: KeyPath<VRRPInstanceConfiguration, [TrackedObject]>,
            _ shared: KeyPath<SyncGroupConfiguration, [TrackedObject]>
        ) -> Set<String> {
            Set((instances.flatMap { $0[keyPath: own] } + syncGroups.flatMap { $0[keyPath: shared] }).map(\.name))
        }
        let files = names(\.trackedFiles, \.trackedFiles)
        let processes = names(\.trackedProcesses, \.trackedProcesses)
        let units = names(\.trackedUnits, \.trackedUnits)
        let blocks =
            trackFiles.filter { files.contains($0.name) }.map(WatchedBlock.file)
            + trackProcesses.filter { processes.contains($0.name) }.map(WatchedBlock.process)
        // A session of which nobody here makes use may be what the neighbor tracks.
        return blocks + trackUnits.filter { units.contains($0.name) }.map(WatchedBlock.unit)
            + bfdSessions.map(WatchedBlock.bfd)
    }
}
