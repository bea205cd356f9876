// Start, reload and end. Blocks are matched by what makes them the same virtual router, not by name (keepalived's vrrp_exist); machines of
// the same identity stay as they are.

internal import Configuration
internal import Net

extension Director {
    /// Goes over to a configuration. What went gives up first, with the voice that it had.
    mutating func adopt(_ configuration: Configuration, at now: Instant) {
        guard phase != .stopped else { return }
        rest = ConfigurationRest(configuration)
        startupDelay = configuration.global.startupDelay
        group4 = configuration.global.multicastGroup4
        startupPatience = configuration.global.startupScript?.timeout
        areStatesWanted = phase != .waiting && configuration.global.writesStatesOnReload
        delayAfterBoot = configuration.global.delayAfterBoot
        statics.addresses = configuration.staticAddresses
        statics.routes = configuration.staticRoutes
        statics.rules = configuration.staticRules
        statics.needs = Self.staticNeeds(of: configuration)
        hearForeign(configuration.global.logsUnknownRouters)
        pacer.adopt(configuration)
        var ids = Dictionary(order.compactMap { id in routers[id].map { ($0.identity, id) } }) { first, _ in first }
        let names = Dictionary(order.compactMap { id in routers[id].map { ($0.block.name, $0) } }) { first, _ in first }
        let kept = Set(configuration.instances.map(\.identity))
        for id in order where routers[id].map({ !kept.contains($0.identity) }) ?? false { remove(id, at: now) }
        order = []
        var added: [RouterID] = []
        for block in configuration.instances {
            if let id = ids[block.identity], let index = routers.index(forKey: id) {
                if routers.values[index].block != block { changed.insert(id) }
                routers.values[index].block = block
                routers.values[index].schedule.adopt(
                    AnnouncementSchedule.Settings(block.gratuitousARP), isMaster: routers.values[index].isMaster,
                    at: now)
                setDeadline(of: index)
                order.append(id)
            } else {
                // An operator's step down stays with the name when the identity changes, and whoever is told of the new one is told of
                // the end of the old one first.
                if let before = names[block.name], !kept.contains(before.identity) {
                    if before.machine.isSteppedDown { steppedDown.insert(block.identity.description) }
                    notices.move(.router(before.identity), to: .router(block.identity))
                }
                let id = add(block)
                ids[block.identity] = id
                added.append(id)
            }
        }
        regroup(configuration)
        index(configuration.global)
        adoptScripts(configuration, at: now)
        adoptTrackers()
        adoptNotices(configuration)
        damping.adopt(configuration.linkDelays)
        damping.observe(table, at: now)
        deriveAll(at: now)
        compareBuffers()
        // Whose group went has nobody's faults but its own.
        for id in order { tellFaults(id, at: now) }
        if phase == .running { join(added, at: now) }
        settleGroups(givingUp: true, at: now)
    }

    private mutating func add(_ block: VRRPInstanceConfiguration) -> RouterID {
        lastID += 1
        let id = RouterID(number: lastID)
        let machine = VirtualRouter(
            RouterConfiguration(block, isGrouped: false),
            isSteppedDown: steppedDown.contains(block.identity.description))
        routers[id] = Router(
            id: id, identity: block.identity, block: block, machine: machine,
            schedule: AnnouncementSchedule(AnnouncementSchedule.Settings(block.gratuitousARP)))
        order.append(id)
        changed.insert(id)
        return id
    }

    private mutating func remove(_ id: RouterID, at now: Instant) {
        run(id, at: now) { $0.stop() }
        setChannels([], of: id)
        virtualLinks.release(by: id)
        if let resident = routers[id]?.resident { keeper.held.release(resident.key, by: id) }
        queue.set(id, nil)
        placedCount -= routers[id]?.placed.count ?? 0
        routers[id] = nil
        changed.insert(id)
    }

    /// Group membership and what follows from it. A group that is new or changed is looked at as a whole.
    private mutating func regroup(_ configuration: Configuration) {
        let ids = Dictionary(order.compactMap { id in routers[id].map { ($0.block.name, id) } }) { first, _ in first }
        let before = groups
        groups = [:]
        for id in order { routers[id]?.group = nil }
        for group in configuration.syncGroups {
            let members = group.members.compactMap { ids[$0] }.filter { routers[$0]?.group == nil }
            groups[group.name] = Group(members: members, configuration: group)
            for id in members { routers[id]?.group = group.name }
            touchedGroups.insert(group.name)
        }
        for (name, group) in groups where before[name] == nil {
            let old = before.first { groups[$0.key] == nil && !Set($0.value.members).isDisjoint(with: group.members) }
            guard let old = old?.key else { continue }
            notices.move(.group(old), to: .group(name))
            groupStates[name] = groupStates[old]
        }
        groupOrder = configuration.syncGroups.map(\.name)
        groupStates = groupStates.filter { groups[$0.key] != nil }
    }

    /// Who looks at which interface, and whose the virtual addresses are.
    private mutating func index(_ global: GlobalDefinitions) {
        dependents = [:]
        virtualAddresses = [:]
        sourceTrackers = []
        var refused: Set<IPAddress> = []
        for id in order {
            guard let router = routers[id] else { continue }
            let block = router.block
            let names =
                [block.socketDevice, block.ipvlan?.name].compactMap(\.self) + block.virtualMACs.map(\.virtual.name)
                + block.addresses.compactMap(\.device)
                + block.routes.flatMap(\.devices) + block.rules.flatMap(\.devices)
                + tracked(by: block, router.group).compactMap(\.tracker.interface)
                + (statics.needs[block.name]?.devices ?? [])
            for name in names { dependents[name, default: []].insert(id) }
            for line in block.addresses { virtualAddresses[line.prefix.address, default: []].append(id) }
            if block.needsSourceAddress { sourceTrackers.insert(id) }
            if block.refusesPackets { refused.formUnion(block.addresses.map(\.prefix.address)) }
        }
        firewall.want(DropRules(refused, priority: global.dropPriority, isCounting: global.countsDrops))
    }

    // MARK: Start and end

    /// Starts every router; masters of the process before this one that nobody has missed go on as masters, groups all or none. What it
    /// left behind elsewhere is taken off.
    mutating func start(after predecessors: [String: Predecessor], uptime: Duration, at now: Instant) {
        guard phase == .waiting else { return }
        let kernelMarks = table.hasOrigins
        for id in order {
            guard let router = routers[id] else { continue }
            let predecessor = predecessors[router.identity.description]
            routers[id]?.replays.sent = predecessor?.sequence
            // Without marks the note must do; an owner's addresses are then taken for the host's own.
            let isNoted =
                predecessor.map { !kernelMarks || !$0.marksAddresses } ?? false && router.block.priority != 255
            if let resident = router.resident, table.address(resident.key)?.origin == InterfaceAddress.ofVRRP {
                keeper.held.claim(resident.key)
            }
            for address in router.placed {
                guard let present = table.address(address.key) else { continue }
                if present.origin == InterfaceAddress.ofVRRP || isNoted { keeper.held.adopt(address, from: id) }
            }
        }
        let leftRouting = Dictionary(
            uniqueKeysWithValues: order.map { id in
                (
                    id,
                    adoptRouting(
                        of: id, isNoted: routers[id].map { predecessors[$0.identity.description] != nil } ?? false)
                )
            })
        adoptStatics()
        // Addresses of ours that no router has any more: the configuration was edited while nobody ran.
        let strays = isAlone ? table.marked.filter { !keeper.held.isOurs($0.key) } : []
        for address in strays { keeper.held.adopt(address, from: .nobody) }
        if !strays.isEmpty { effects.remarks.append(.leftBehind(.nobody, strays.map(\.prefix))) }
        deriveAll(at: now)
        let able = Set(order.filter { canContinue($0, predecessors) })
        let continuing = able.filter { companions(of: $0).allSatisfy(able.contains) }
        assume(for: continuing, at: now)
        for id in order {
            if continuing.contains(id) {
                run(id, at: now) { $0.start(at: now, continuing: true) }
            } else if let router = routers[id] {
                let left = router.placed.filter { keeper.held.isOurs($0.key) }.map(\.prefix)
                if !left.isEmpty { effects.remarks.append(.leftBehind(id, left)) }
                if let names = leftRouting[id], !names.isEmpty { effects.remarks.append(.routingLeftBehind(id, names)) }
            }
        }
        // Somewhat longer, so that the runner can say that its time is up.
        phase = .preparing(since: now, until: now + (startupPatience.map { $0 + .seconds(1) } ?? .zero), uptime: uptime)
        placeStatics()
        if startupPatience == nil { prepared(at: now) }
    }

    /// `startup_script` is over, or has had its time: scripts run, and elections begin.
    mutating func prepared(at now: Instant) {
        guard case .preparing(let since, _, let uptime) = phase else { return }
        scripts.begin(at: now)
        phase = .delayed(since: now, uptime: uptime + (now - since))
        if let until = delayedUntil, until <= now { startRemaining(at: now) }
    }

    /// When the delays of the configuration, as it is now, end; nil when they do not matter (any more).
    var delayedUntil: Instant? {
        guard case .delayed(let since, let uptime) = phase else { return nil }
        return since + max(startupDelay, delayAfterBoot - uptime)
    }

    mutating func startRemaining(at now: Instant) {
        phase = .running
        join(order, at: now)
    }

    /// Starts routers that were not started and wait for nothing that they track. Those that are new in a group whose other members are all master join them.
    mutating func join(_ ids: [RouterID], at now: Instant) {
        let initial = ids.filter { routers[$0]?.machine.state == .initialize && awaited(of: $0).isEmpty }
        for id in initial {
            let others = companions(of: id).filter { !initial.contains($0) }
            let joinsMasters = !others.isEmpty && others.allSatisfy { routers[$0]?.isMaster ?? false }
            run(id, at: now) { machine in
                let actions = machine.start(at: now)
                if joinsMasters { machine.becomeReady() }
                return actions
            }
        }
        touchedGroups.formUnion(initial.compactMap { routers[$0]?.group })
    }

    /// The silence must be shorter than any other router's patience, whatever its priority: without the skew.
    private func canContinue(_ id: RouterID, _ predecessors: [String: Predecessor]) -> Bool {
        guard let router = routers[id], router.faults.isEmpty, !router.machine.isSteppedDown,
            let silence = predecessors[router.identity.description]?.silence
        else { return false }
        let parameters = router.machine.configuration
        return silence < parameters.interval * parameters.missedAdvertisements
    }

    mutating func stop(at now: Instant) {
        phase = .stopped
        effects.scripts += scripts.end()
        firewall.want(DropRules())
        for id in order {
            run(id, at: now) { $0.stop() }
            virtualLinks.release(by: id)
            if let resident = routers[id]?.resident { keeper.held.release(resident.key, by: id) }
            routers[id]?.resident = nil
        }
        releaseStatics()
        touchedGroups = []
    }
}
