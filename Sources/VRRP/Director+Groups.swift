// Sync groups (keepalived's vrrp_sync_group): members become master together, become backup together and are in FAULT together. What the
// group is follows from its members; nothing about it is stored in them.

internal import Configuration
internal import Net

extension Director {
    /// A sync group of the configuration.
    struct Group {
        var members: [RouterID]
        var configuration: SyncGroupConfiguration
    }

    /// Lets the groups follow that this event touched, until none of them moves any more.
    /// - Parameters:
    ///   - givingUp: masters that must follow say so with priority 0: nobody else has won.
    ///   - sendsFirst: what else follows for those that become master waits until their advertisements have left.
    mutating func settleGroups(givingUp: Bool = false, sendsFirst: Bool = false, at now: Instant) {
        while let name = touchedGroups.min() {
            touchedGroups.remove(name)
            if let group = groups[name] { settle(group, givingUp: givingUp, sendsFirst: sendsFirst, at: now) }
        }
    }

    private mutating func settle(_ group: Group, givingUp: Bool, sendsFirst: Bool, at now: Instant) {
        for id in group.members { tellFaults(id, at: now) }
        // Members that were not started yet have no say.
        let states = group.members.compactMap { routers[$0]?.machine.state }.filter { $0 != .initialize }
        let isOneMaster = states.contains { $0.name == .master }
        if states.allSatisfy(\.isMasterOrReady) {
            for id in group.members where routers[id]?.isMaster == false {
                run(id, at: now, sendsFirst: sendsFirst) { $0.joinGroupAsMaster(at: now) }
            }
        } else if isOneMaster {
            // Where another router won, it takes the other members too.
            let isOutranked = states.contains {
                if case .backup(let backup) = $0 { backup.master != nil } else { false }
            }
            for id in group.members {
                run(id, at: now) { $0.followGroupToBackup(givingUp: givingUp || !isOutranked, at: now) }
            }
        }
    }

    /// Tells the machine its faults: its own and, in a group, that another member has one.
    mutating func tellFaults(_ id: RouterID, at now: Instant) {
        guard let router = routers[id] else { return }
        var faults = router.faults
        if let name = router.group, let group = groups[name],
            group.members.contains(where: { $0 != id && routers[$0]?.faults.isEmpty == false })
        {
            faults.insert(.group(name))
        }
        guard faults != router.machine.faults else { return }
        run(id, at: now) { $0.faultsChanged(to: faults, at: now) }
    }

    /// An operator's request to a router and all that move with it: each of them gives up by itself.
    mutating func operate(on id: RouterID, at now: Instant, _ step: (inout VirtualRouter) -> [Action]) {
        for member in companions(of: id) {
            run(member, at: now, step)
            guard let router = routers[member] else { continue }
            let identity = router.identity.description
            if router.machine.isSteppedDown {
                steppedDown.insert(identity)
            } else {
                steppedDown.remove(identity)
            }
        }
    }

    /// The members that move with a router, itself included.
    func companions(of id: RouterID) -> [RouterID] {
        routers[id]?.group.flatMap { groups[$0]?.members } ?? [id]
    }
}

extension VirtualRouter.State {
    /// The router is master, or would be if its group agreed.
    fileprivate var isMasterOrReady: Bool {
        switch self {
        case .initialize, .fault: false
        case .backup(let backup): backup.isReady
        case .master: true
        }
    }
}
