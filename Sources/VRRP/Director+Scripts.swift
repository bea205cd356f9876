// What tracked scripts mean for routers: a fault or a weight, like interfaces (Director+Links); and that a router whose scripts have not
// said anything yet is not started (keepalived's INIT), so that it takes nothing that it would have to give back. One that goes on as
// master after a restart does not wait: until its scripts have run again they count as well.

public import Configuration
internal import Net
internal import Scripts

extension Director {
    /// What the router and its sync group track.
    func trackedScripts(by block: VRRPInstanceConfiguration, _ group: String?) -> [TrackedObject] {
        TrackedObject.merged(
            block.trackedScripts, with: group.flatMap { groups[$0]?.configuration.trackedScripts } ?? [])
    }

    /// What the router, or one that moves with it, tracks and waits for before it takes part, each once: "track_script check".
    public func awaited(of id: RouterID) -> [String] {
        var seen: Set<String> = []
        return (awaitedScripts(of: id).map { "track_script \($0)" } + awaitedTrackers(of: id).map { "\($0)" })
            .filter { seen.insert($0).inserted }
    }

    /// Goes on as if what these routers track and nothing is known of yet did no harm: they were masters of the process before this one.
    mutating func assume(for ids: Set<RouterID>, at now: Instant) {
        assumed = Set(ids.flatMap(awaited))
        if !assumed.isEmpty { for id in ids.sorted() { derive(id, at: now) } }
    }

    /// Scripts that the router or one that moves with it tracks, and that have not run yet.
    func awaitedScripts(of id: RouterID) -> [String] {
        companions(of: id).flatMap { member in routers[member].map(unknownScripts) ?? [] }
    }

    /// Scripts that the router tracks and waits for.
    private func unknownScripts(of router: Router) -> [String] {
        trackedScripts(by: router.block, router.group).map(\.name).filter {
            scripts.monitors[$0]?.verdict == .unknown && !router.missedScripts.contains($0)
        }
    }

    /// Routers that were not started yet do not wait for ever for what cannot be run here: it has failed. keepalived takes such a script out of
    /// the tracking, as if all were well. Those that take part go on: nothing moves because scriptd is away.
    private mutating func giveUpWaiting(at now: Instant) {
        guard phase == .running else { return }
        var given: [RouterID] = []
        for id in order where routers[id]?.machine.state == .initialize {
            guard let router = routers[id] else { continue }
            let missed = unknownScripts(of: router).filter { name in
                scripts.monitors[name]?.hindrance.map { now - $0.since >= Self.scriptPatience } ?? false
            }
            guard !missed.isEmpty else { continue }
            routers[id]?.missedScripts.formUnion(missed)
            given.append(id)
        }
        guard !given.isEmpty else { return }
        for id in given { derive(id, at: now) }
        join(order, at: now)
    }

    /// How long a router that was not started yet waits for scripts that this host cannot run.
    static let scriptPatience = Duration.seconds(10)

    /// Goes over to the scripts of a configuration, after routers and groups have.
    mutating func adoptScripts(_ configuration: Configuration, at now: Instant) {
        scriptTrackers = [:]
        for id in order {
            guard let router = routers[id] else { continue }
            let names = trackedScripts(by: router.block, router.group).map(\.name)
            for name in names { scriptTrackers[name, default: []].insert(id) }
            routers[id]?.missedScripts.formIntersection(names)
        }
        effects.scripts += scripts.adopt(configuration.scripts.filter { scriptTrackers[$0.name] != nil }, at: now)
    }

    mutating func scriptsAreDue(at now: Instant) {
        let due = scripts.due(at: now)
        effects.scripts += due.orders
        for (name, before) in due.changed { scriptChanged(name, from: before, at: now) }
        if !due.changed.isEmpty { giveUpWaiting(at: now) }
    }

    mutating func scriptHeard(_ report: ScriptReport, of run: ScriptRun, at now: Instant) {
        let before = scripts.monitors[run.script]?.verdict
        let isNews = scripts.heard(report, of: run, at: now)
        if case .notRun = report { giveUpWaiting(at: now) }
        if isNews, let before { scriptChanged(run.script, from: before, at: now) }
    }

    /// Something about a script is different.
    private mutating func scriptChanged(_ name: String, from before: ScriptMonitor.Verdict, at now: Instant) {
        guard let monitor = scripts.monitors[name] else { return }
        let ids = (scriptTrackers[name] ?? []).sorted()
        changed.formUnion(ids)
        if before != monitor.verdict, let outcome = monitor.outcome {
            effects.remarks.append(.script(name, isGood: monitor.verdict == .good, outcome, lastLine: monitor.lastLine))
        }
        for id in ids {
            if monitor.verdict != .unknown { routers[id]?.missedScripts.remove(name) }
            derive(id, at: now)
        }
        if before == .unknown, phase == .running { join(order, at: now) }
    }

    /// How the script stands. One that cannot be run never speaks for the router.
    private func standing(of tracked: TrackedObject, missed: Set<String>) -> TrackerStanding {
        switch scripts.monitors[tracked.name]?.standing {
        case .refused?, nil: return tracked.isReversed ? .good : .failed
        case .unknown? where missed.contains(tracked.name): return tracked.isReversed ? .good : .failed
        case .unknown?: return assumed.contains("track_script \(tracked.name)") ? tracked.harmless : .unknown
        case .good?: return .good
        case .failed?: return .failed
        }
    }

    /// Faults because of scripts that are tracked without a weight.
    /// - Parameter isHeld: a fault of what is tracked stands; what nothing is known of does not end it.
    func scriptFaults(of router: Router, isHeld: Bool) -> [Fault] {
        trackedScripts(by: router.block, router.group).filter { tracked in
            let standing = standing(of: tracked, missed: router.missedScripts)
            return tracked.effect(of: standing) == .fault || isHeld && tracked.weight == 0 && standing == .unknown
        }.map { .scriptFailed($0.name) }
    }

    /// The weights of scripts; see `weight(of:)`.
    func scriptWeight(of router: Router) -> Int {
        trackedScripts(by: router.block, router.group).reduce(0) { sum, tracked in
            sum + tracked.effect(of: standing(of: tracked, missed: router.missedScripts)).weight
        }
    }

    /// A script that a router tracks.
    public struct TrackedScript: Sendable {
        /// What the instance or its group says of it: the weight.
        public let tracked: TrackedObject
        /// How it stands.
        public let monitor: ScriptMonitor
    }

    /// The scripts that a router and its group track.
    public func trackedScripts(of id: RouterID) -> [TrackedScript] {
        guard let router = routers[id] else { return [] }
        return trackedScripts(by: router.block, router.group).compactMap { tracked in
            scripts.monitors[tracked.name].map { TrackedScript(tracked: tracked, monitor: $0) }
        }
    }

    /// A tracked script that cannot be run as it is configured.
    public struct RefusedScript: Hashable, Sendable {
        public let name: String
        /// For people.
        public let why: String
    }

    func refusedScripts(of id: RouterID) -> [RefusedScript] {
        trackedScripts(of: id).compactMap { script in
            guard script.monitor.isRefused, case .refused(let why)? = script.monitor.outcome else { return nil }
            return RefusedScript(name: script.tracked.name, why: why)
        }
    }
}
