// Virtual routers: the list, and one in full.
import Bus

extension Screen {
    /// One row per instance.
    func instanceTable(_ instances: [VrrpAPI.Instance]) -> Table {
        var table = Table(
            "INSTANCE", "STATE", "SINCE", "HELD BY", "ADDRESSES", .number("PRIORITY"), "INTERFACE", "WHY")
        for instance in instances {
            let (context, runtime) = (instance.context, instance.runtime)
            let configured = context.priority ?? runtime.effectivePriority
            let priority =
                configured == runtime.effectivePriority
                ? Cell(configured) : Cell("\(runtime.effectivePriority) of \(configured)", .warning)
            table.row(
                Cell(instance.name), instance.state,
                Cell(ago(runtime.since)), Cell(instance.holder), Cell(shortened(instance.addresses)), priority,
                Cell(context.interface ?? ""), Cell(runtime.reason))
        }
        return table
    }

    /// `lbctl vrrp show`.
    mutating func add(_ instance: VrrpAPI.Instance) {
        let (context, runtime) = (instance.context, instance.runtime)
        add(Cell(instance.name, .strong), ": ", runtime.state.cell, Cell(", \(ago(runtime.since)): \(runtime.reason)"))
        var facts = Facts()
        if runtime.steppedDown {
            facts.add("stepped down", Cell("by hand; 'lbctl vrrp resume \(instance.name)' ends it", .warning))
        }
        facts.add("faults", each: runtime.faults, .bad)
        facts.add("held by", instance.holder)
        if runtime.state != .master { facts.add("its priority", runtime.masterPriority.map(String.init)) }
        facts.add("addresses", each: context.virtualAddresses ?? [])
        facts.add("not in adverts", each: context.excludedAddresses ?? [])
        facts.add("on interface now", each: runtime.heldAddresses.isEmpty ? ["none"] : runtime.heldAddresses)
        facts.add("routes", each: context.virtualRoutes ?? [])
        facts.add("rules", each: context.virtualRules ?? [])
        let routing = (runtime.heldRoutes ?? []) + (runtime.heldRules ?? [])
        if context.virtualRoutes != nil || context.virtualRules != nil {
            facts.add("in the kernel now", each: routing.isEmpty ? ["none"] : routing)
        }
        facts.add("routing trouble", each: runtime.routingTroubles ?? [], .bad)
        facts.add("priority", priorityText(instance))
        facts.add("interface", context.interface)
        facts.add("virtual MAC", context.virtualMac.map { "\($0) on \(context.virtualInterface ?? "a macvlan")" })
        if context.accept == false { facts.add("accepts", "no packets to the addresses (no_accept)") }
        facts.add("virtual router", routerText(context))
        facts.add("adverts", context.advertisementIntervalMilliseconds.map { "every \(Self.seconds($0))" })
        facts.add("takes over after", runtime.masterDownIntervalMilliseconds.map { Self.seconds($0) + " of silence" })
        facts.add("preempts", preemptText(context))
        facts.add("source", context.sourceAddress)
        facts.add("unicast peers", each: context.unicastPeers ?? [])
        let plain = (runtime.trackers ?? []).filter { $0.kind == .interface }.map(\.name)
        let untold = (context.trackedInterfaces ?? []).filter { !plain.contains($0) }
        facts.add("tracked", each: (runtime.trackers ?? []).map(trackerText) + untold)
        facts.add("track scripts", each: (runtime.scripts ?? []).map(scriptText))
        facts.add("sync group", context.syncGroup)
        let statistics = runtime.statistics
        facts.add("adverts sent", "\(statistics.advertisementsSent), \(statistics.priorityZeroSent) of priority 0")
        facts.add(
            "adverts received", "\(statistics.advertisementsReceived), \(statistics.priorityZeroReceived) of priority 0"
        )
        facts.add(
            "became master",
            "\(counted(statistics.becameMaster, "time")), given up \(counted(statistics.releasedMaster, "time"))"
                + (statistics.latestTakeoverMilliseconds.map { "; the latest takeover took \(Self.seconds($0))" } ?? "")
        )
        if let late = statistics.lateTimers, late > 0 {
            let most = statistics.longestLatenessMilliseconds.map { ", by \(Self.seconds($0)) at most" } ?? ""
            facts.add("late timers", Cell("\(late)\(most): this host was paused or too busy", .warning))
        }
        let putBack = [
            (statistics.addressesPutBack, "address"), (statistics.routesPutBack, "route or rule"),
        ].compactMap { count, what in count.flatMap { $0 > 0 ? "\(what) \(counted($0, "time"))" : nil } }
        facts.add("put back", each: putBack, .warning)
        let discarded = statistics.discarded.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        facts.add("discarded", each: discarded.map { "\($0.value) for \($0.key)" }, .warning)
        add(facts, indent: 2)
        if let peers = runtime.peers, !peers.isEmpty { add(peerTable(peers), indent: 2) }
    }

    /// Who was heard on the virtual router.
    private func peerTable(_ peers: [VrrpAPI.Peer]) -> Table {
        var table = Table(
            "HEARD FROM", .number("PRIORITY"), "VERSION", "EVERY", "CHECKSUM", "LAST", .number("ADVERTS"), "DROPPED")
        for peer in peers {
            let dropped = peer.discarded.filter { $0.value > 0 }.sorted { $0.key < $1.key }
            let counts = dropped.map { "\($0.value) for \($0.key)" }.joined(separator: ", ")
            let reason = peer.refusal.map { counts + ": " + $0 } ?? counts
            table.row(
                Cell(peer.address), Cell(peer.priority.map(String.init) ?? ""),
                Cell(peer.version.map(String.init) ?? ""),
                Cell(peer.advertisementIntervalMilliseconds.map(Self.seconds) ?? ""), Cell(peer.checksum?.words ?? ""),
                Cell("\(Self.seconds(peer.silentMilliseconds)) ago"), Cell(peer.advertisementsReceived),
                Cell(reason, peer.refusal == nil ? .plain : .warning))
        }
        return table
    }

    private func priorityText(_ instance: VrrpAPI.Instance) -> String {
        let now = instance.runtime.effectivePriority
        guard let configured = instance.context.priority, configured != now else { return String(now) }
        return
            "\(now) (configured \(configured), \(instance.runtime.steppedDown ? "stepped down by hand" : "changed by tracking"))"
    }

    /// `check: failed 3 min ago, exit status 1: connection refused (weight -20)`
    private func scriptText(_ script: VrrpAPI.TrackedScript) -> String {
        var text = "\(script.name): \(script.state.rawValue)"
        if let since = script.since { text += " \(ago(since))" }
        if let result = script.lastResult { text += ", \(result)" }
        if let line = script.lastLine { text += ": \(line)" }
        if let hindrance = script.hindrance { text += "; not run now: \(hindrance)" }
        return text + Tracked.text(of: script.weight, isReversed: script.reverse)
    }

    /// `file load: 3 2 min ago (weight -10: -30)`
    private func trackerText(_ tracker: VrrpAPI.Tracker) -> String {
        var text = "\(tracker.kind.rawValue) \(tracker.name): \(tracker.detail)"
        if let since = tracker.since { text += " \(ago(since))" }
        if let hindrance = tracker.hindrance { text += "; not seen now: \(hindrance)" }
        text += Tracked.text(of: tracker.weight, isReversed: tracker.reverse, effect: tracker.effect)
        return tracker.fault ? text + ", FAULT" : text
    }

    private func routerText(_ context: VrrpAPI.InstanceContext) -> String? {
        guard let identifier = context.virtualRouterId else { return nil }
        return "VRID \(identifier)" + (context.version.map { ", VRRP version \($0)" } ?? "")
    }

    private func preemptText(_ context: VrrpAPI.InstanceContext) -> String? {
        guard let preempt = context.preempt else { return nil }
        guard preempt else { return "no" }
        let delay = context.preemptDelayMilliseconds ?? 0
        return delay > 0 ? "yes, after \(Self.seconds(delay))" : "yes"
    }

    /// Milliseconds as seconds: `1 s`, `3.609 s`, `0.01 s`.
    static func seconds(_ milliseconds: Int) -> String {
        "\((Double(milliseconds) / 1000).formatted) s"
    }
}
