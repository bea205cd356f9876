// What people, files and the bus see of a director.

public import Configuration
public import Net

extension Director {
    /// A router as it is now.
    public struct View {
        /// Which.
        public let id: RouterID
        /// Its name in the configuration.
        public let name: String
        /// What makes it this virtual router, as text for files.
        public let identity: String
        /// Its block.
        public let block: VRRPInstanceConfiguration
        /// Its machine.
        public let machine: VirtualRouter
        /// Its sync group.
        public let group: String?
        /// Where its advertisements come from, or came from last.
        public let source: IPAddress?
        /// The addresses that are on their interfaces for it.
        public let held: [IPPrefix]
        /// Who was heard, in the order of the addresses.
        public let peers: [(address: IPAddress, record: PeerRecord)]
        /// How long `vrrp_startup_delay` or `vrrp_delay_after_boot` keeps it from taking part, from the start of vrrpd on.
        public let delay: Duration?
        /// Its routes that the kernel has for it.
        public let routes: [String]
        /// Its rules that the kernel has for it.
        public let rules: [String]
        /// Its routes, where their interface is there.
        public let wantedRoutes: [String]
        /// Its rules.
        public let wantedRules: [String]
    }

    /// The router's name in the configuration; nil when it is gone.
    public func name(of id: RouterID) -> String? { routers[id]?.block.name }

    /// What makes it this virtual router, as text for files; nil when it is gone.
    public func identity(of id: RouterID) -> String? { routers[id]?.identity.description }

    /// The router; nil when it is gone.
    public func view(of id: RouterID) -> View? {
        guard let router = routers[id] else { return nil }
        // A backup has what the kernel has not let it take off yet.
        let keys = router.isHolding ? router.placed.map(\.key) : keeper.held.lingering(of: id)
        let held = keys.filter { !router.implied.contains($0) }.compactMap { table.address($0)?.prefix }
        return View(
            id: id, name: router.block.name, identity: router.identity.description, block: router.block,
            machine: router.machine, group: router.group, source: router.voice?.source, held: held,
            peers: router.peers.sorted,
            delay: router.machine.state == .initialize ? delay : nil,
            routes: router.isHolding ? router.routing.routes.filter { $0.isPresent(in: table) }.map(\.description) : [],
            rules: router.isHolding ? router.routing.rules.filter { $0.isPresent(in: table) }.map(\.description) : [],
            wantedRoutes: router.routing.routes.map(\.description),
            wantedRules: router.routing.rules.map(\.description))
    }

    private var delay: Duration? {
        guard case .delayed(let since, _) = phase, let until = delayedUntil else { return nil }
        return until - since
    }

    /// The router of that name.
    public func router(named name: String) -> RouterID? {
        order.first { routers[$0]?.block.name == name }
    }

    /// What a process after this one must know: nil when the router is not master and none of its addresses is left to be taken off.
    public func guards(_ id: RouterID) -> Predecessor? {
        guard let router = routers[id] else { return nil }
        if router.isMaster { return Predecessor(silence: .zero, sequence: router.replays.sent) }
        let isClean =
            keeper.held.lingering(of: id).isEmpty && routing.routes.lingering(of: id).isEmpty
            && routing.rules.lingering(of: id).isEmpty
        return isClean ? nil : Predecessor(silence: nil)
    }

    /// What a person must mend about a router: its first fault that does not mend itself, its addresses, its advertisements.
    public struct Concerns: Hashable, Sendable {
        /// Why it cannot take part.
        public var faults: [Fault] = []
        /// What is wrong with its addresses.
        public var addresses: [AddressTrouble] = []
        /// What is wrong with its routes and rules.
        public var routing: [RoutingTrouble] = []
        /// Why its interface cannot have `promote_secondaries`.
        public var promotion: String?
        /// Why its advertisements cannot be sent.
        public var muteness: String?
        /// Virtual addresses that do not fit an advertisement.
        public var unadvertised = 0
        /// Another host that is master too.
        public var rival: Rival?
        /// A host whose advertisements this backup drops.
        public var unheard: Rival?
        /// Tracked scripts that cannot be run as they are configured.
        public var refusedScripts: [RefusedScript] = []

        /// Nothing is wrong.
        public init() {}

        /// True when nothing is wrong.
        public var isEmpty: Bool { self == Concerns() }
    }

    /// What is wrong with a router now.
    public func concerns(of id: RouterID, at now: Instant) -> Concerns {
        guard let router = routers[id] else { return Concerns() }
        var concerns = Concerns()
        concerns.faults = router.machine.faults.sorted()
        concerns.promotion = virtualLinks.refusal(of: id, ofPromotion: true)
        concerns.muteness = router.muteness
        concerns.unadvertised = router.unadvertised
        concerns.refusedScripts = refusedScripts(of: id)
        if router.isMaster {
            concerns.rival = router.rivalries.sure
        } else {
            concerns.unheard = router.rivalries.sure
        }
        concerns.addresses =
            router.isHolding ? router.unplaced.map { .noInterface($0.prefix, $0.device) } : []
        let keys = Set(
            (router.placed + [router.resident].compactMap(\.self)).map(\.key) + keeper.held.lingering(of: id)
        ).sorted { $0.address < $1.address }
        concerns.addresses += keys.compactMap { keeper.held.trouble(with: $0, at: now) }.map(AddressTrouble.init)
        if router.isHolding {
            concerns.addresses += router.placed
                .filter { (table.address($0.key)?.flags ?? 0) & InterfaceAddress.duplicate != 0 }
                .map { .isOnAnotherHost($0.prefix) }
        }
        if !router.isHolding, router.block.priority != 255, router.machine.state != .initialize {
            concerns.addresses += router.placed.filter { table.address($0.key) != nil && !keeper.held.isOurs($0.key) }
                .map { .wasThereBefore($0.prefix) }
        }
        concerns.routing =
            (router.isHolding ? router.routing.unplaced : []) + routing.troubles(of: id, router.routing, at: now)
        return concerns
    }

    /// What is wrong with static routes and rules, and with those of routers that are not configured any more.
    public func strayRoutingTroubles(at now: Instant) -> [RoutingTrouble] {
        statics.routing.unplaced
            + routing.routes.trouble(besides: { routers[$0] != nil }, at: now).map { RoutingTrouble($0) }
            + routing.rules.trouble(besides: { routers[$0] != nil }, at: now).map { RoutingTrouble($0) }
    }

    /// What is wrong with addresses of routers that are not configured any more.
    public func strayTroubles(at now: Instant) -> [AddressTrouble] {
        keeper.held.trouble(besides: { routers[$0] != nil }, at: now).map(AddressTrouble.init)
    }

    /// Channels of backups whose timer is about to run out, and of masters whose timer ran out long ago: what waits in them is to be heard
    /// first, because this process may have been asleep.
    public mutating func channelsToHear(at now: Instant) -> Set<ChannelKey> {
        var channels: Set<ChannelKey> = []
        for id in queue.due(at: now) {
            guard let index = routers.index(forKey: id) else { continue }
            // Parts of the record, as in `run`.
            switch routers.values[index].machine.state {
            case .initialize, .fault: break
            case .backup(let backup):
                if backup.masterDownAt <= now { channels.formUnion(routers.values[index].channels) }
            case .master(let advertiseAt):
                if now - advertiseAt >= Lateness.limit(routers.values[index].machine.configuration.interval) {
                    channels.formUnion(routers.values[index].channels)
                }
            }
            setDeadline(of: index)
        }
        return channels
    }

    /// What going over to a configuration would do, one line each.
    public func changes(to new: Configuration) -> [String] {
        let known = order.compactMap { routers[$0] }
        let old = Dictionary(known.map { ($0.identity, $0.block) }) { first, _ in first }
        let kept = Set(new.instances.map(\.identity))
        var lines = known.filter { !kept.contains($0.identity) }.map { "vrrp_instance \($0.block.name): stop" }
        for block in new.instances {
            switch old[block.identity] {
            case nil: lines.append("vrrp_instance \(block.name): start")
            case let before? where before.name != block.name:
                lines.append("vrrp_instance \(before.name): change, and rename to \(block.name)")
            case let before? where before != block: lines.append("vrrp_instance \(block.name): change")
            case .some: break
            }
        }
        let before = Dictionary(groups.map { ($0.key, $0.value.configuration) }) { first, _ in first }
        let after = Dictionary(new.syncGroups.map { ($0.name, $0) }) { first, _ in first }
        if before != after { lines.append("vrrp_sync_group: change") }
        return lines + rest.changes(to: new)
    }
}
