// The way of an event: what it does to one machine, what follows from that, and what is asked of the driver in the end.

internal import Configuration
internal import Net
internal import Scripts

extension Director {
    /// Lets an event happen to one machine; everything that depends on its state follows, at once or, where the event makes it master, when
    /// its advertisement has left.
    mutating func run(
        _ id: RouterID, at now: Instant, sendsFirst: Bool = false, _ event: (inout VirtualRouter) -> [Action]
    ) {
        guard let index = routers.index(forKey: id) else { return }
        let before = routers.values[index].machine.visible
        if let due = routers.values[index].machine.deadline, due < now { overslept(index, since: due, at: now) }
        let actions = event(&routers.values[index].machine)
        if sendsFirst, before.state != .master, routers.values[index].isMaster, case .send? = actions.first {
            perform(actions[0], of: index, at: now)
            takeovers.append(Takeover(router: id, before: before, actions: actions.dropFirst()))
        } else {
            follow(actions[...], of: index, was: before, at: now)
        }
    }

    /// A router that has just become master, how it was, and what its machine asked for besides the advertisement.
    struct Takeover {
        let router: RouterID
        let before: Visible
        let actions: ArraySlice<Action>
    }

    mutating func finishTakeovers(at now: Instant) {
        let begun = takeovers
        takeovers = []
        for takeover in begun {
            guard let index = routers.index(forKey: takeover.router) else { continue }
            follow(takeover.actions, of: index, was: takeover.before, at: now)
        }
    }

    /// What a machine asked for, and what depends on its state.
    private mutating func follow(
        _ actions: ArraySlice<Action>, of index: RouterTable.Index, was before: Visible, at now: Instant
    ) {
        for action in actions { perform(action, of: index, at: now) }
        endRivalries(of: index, was: before.state, at: now)
        // Parts of the record, never the whole: to copy it is a dozen reference counts, and this is done for every packet.
        let isMaster = routers.values[index].isMaster
        if routers.values[index].isHolding != isMaster { hold(isMaster, index) }
        let after = routers.values[index].machine.visible
        if before.priority != after.priority, before.state == after.state,
            notifiesPriorityChanges(routers.values[index])
        {
            noticePriority(of: routers.values[index], at: now)
        }
        if before != after {
            changed.insert(routers.values[index].id)
            if let group = routers.values[index].group { touchedGroups.insert(group) }
        }
        setDeadline(of: index)
    }

    mutating func perform(
        _ action: Action, of index: RouterTable.Index, at now: Instant
    ) {
        switch action {
        case .send(let priority):
            // Parts of the record, as in `run`.
            let advertisement = routers.values[index].machine.configuration.advertisement(priority: priority)
            effects.sends.append(
                Effects.Sending(
                    router: routers.values[index].id, advertisement: advertisement,
                    delivery: routers.values[index].block.delivery, checksum: routers.values[index].block.checksum,
                    oldPeers: routers.values[index].oldPeers, group: group4, signature: sign(index, at: now),
                    trailer: trailerSignature(index, at: now), voice: routers.values[index].voice))
        case .announce(.becameMaster):
            // The first burst goes out when the addresses are in place.
            _ = routers.values[index].schedule.start(.becameMaster, at: now)
        case .announce(.lowerPriorityHeard):
            let router = routers.values[index]
            announce(routers.values[index].schedule.start(.lowerPriorityHeard, at: now), of: router, at: now)
            announceCompanions(of: router.id, at: now)
            notice(.heardLowerPriority, of: router, "a lower priority was heard", at: now)
        case .follow:
            return
        case .report(let transition):
            let router = routers.values[index]
            effects.remarks.append(.transition(router.id, transition, priority: router.machine.priority))
            notice(transition, of: router, at: now)
        }
    }

    /// What the router's next advertisement is signed with. The number is never below the quarters of a second since the machine started: so a
    /// process that goes on as master after a crash is not taken for a replay of the one before.
    private mutating func sign(_ index: RouterTable.Index, at now: Instant) -> HeaderSignature? {
        guard let key = routers.values[index].machine.configuration.headerKey else { return nil }
        let clock = UInt32(clamping: now.nanoseconds / 250_000_000)
        let last = routers.values[index].sequence
        routers.values[index].sequence = max(clock, last < .max ? last + 1 : last)
        return HeaderSignature(key: key, sequence: routers.values[index].sequence)
    }

    /// Asks the keeper for the router's addresses, or gives them back.
    private mutating func hold(_ isHolding: Bool, _ index: RouterTable.Index) {
        routers.values[index].isHolding = isHolding
        let router = routers.values[index]
        virtualLinks.set(isUp: isHolding, of: router.id)
        if isHolding {
            for address in router.placed { keeper.held.want(address, by: router.id) }
            routing.want(router.routing, by: router.id)
        } else {
            routing.release(router.routing, by: router.id)
            for address in router.placed {
                keeper.held.release(address.key, by: router.id)
                pacer.remove(address.key)
            }
            routers.values[index].schedule.stop()
            routers.values[index].muteness = nil
        }
    }

    mutating func setDeadline(of index: RouterTable.Index) {
        let id = routers.values[index].id
        let deadlines = (routers.values[index].machine.deadline, routers.values[index].schedule.deadline)
        switch deadlines {
        case (let machine?, let schedule?): queue.set(id, min(machine, schedule))
        case (let one, let other): queue.set(id, one ?? other)
        }
    }

    mutating func routersAreDue(at now: Instant) {
        for id in queue.due(at: now) {
            guard let index = routers.index(forKey: id) else { continue }
            // The machine first: a late master may give way, and does not announce what it takes off.
            if let due = routers.values[index].machine.deadline, due <= now {
                run(id, at: now, sendsFirst: true) { $0.timerExpired(at: now) }
            }
            if let due = routers.values[index].schedule.deadline, due <= now {
                announce(routers.values[index].schedule.due(at: now), of: routers.values[index], at: now)
                if routers.values[index].schedule.extraIsDue(at: now) {
                    announceElsewhere(routers.values[index], at: now)
                }
            }
            setDeadline(of: index)
        }
        settleGroups(sendsFirst: true, at: now)
    }

    mutating func othersAreDue(at now: Instant) {
        if case .preparing(_, let until, _) = phase, until <= now { prepared(at: now) }
        if let until = delayedUntil, until <= now { startRemaining(at: now) }
        linkDelaysEnded(at: now)
        if let retry = channelRetry, retry <= now { channelsChanged = true }
        scriptsAreDue(at: now)
        notices.due(at: now)
    }

    /// The end of every event: groups follow, then addresses are compared, then announced.
    mutating func finish(at now: Instant) -> Effects {
        effects.linkChanges = virtualLinks.plan(against: table, at: now)
        for id in virtualLinks.takeMended() { derive(id, at: now) }
        settleGroups(at: now)
        noticeGroups(at: now)
        sayStates()
        takeNotices()
        effects.linkChanges += virtualLinks.plan(against: table, at: now)
        effects.drops = firewall.plan(at: now)
        if effects.drops == nil, effects.linkChanges.isEmpty { plan(at: now) }
        if effects.drops == nil, effects.linkChanges.isEmpty, effects.changes.isEmpty {
            announceArrivals(at: now)
            // Before the start nobody knows yet what is to stay.
            if phase != .waiting { effects.linkChanges = virtualLinks.planRemovals(against: table, at: now) }
            effects.drops = firewall.planRemovals(at: now)
        }
        for address in pacer.due(at: now) where table.address(address) != nil {
            guard let link = table.announcer(of: address.link), link.announces else { continue }
            effects.announce(address.address, on: link, count: 1)
        }
        takeNews(at: now)
        setDeadline()
        scriptHindrance = scripts.hindrance
        noticeHindrance = notices.hindrance
        noticeRefusals = notices.refusals
        defer { effects = Effects() }
        return effects
    }
}

/// What people see of a machine; counters and deadlines are not news.
struct Visible: Equatable {
    let state: StateName
    let priority: UInt8
    let isSteppedDown: Bool
    let isReady: Bool
    let faults: Set<Fault>
    let master: Peer?
}

extension VirtualRouter {
    /// Asked of the machine where it is: to copy it is a dozen reference counts.
    var visible: Visible {
        let backup: Backup? = if case .backup(let backup) = state { backup } else { nil }
        return Visible(
            state: state.name, priority: priority, isSteppedDown: isSteppedDown, isReady: backup?.isReady ?? false,
            faults: faults, master: backup?.master)
    }
}
