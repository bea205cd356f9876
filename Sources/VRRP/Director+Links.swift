// What the kernel's interfaces and addresses mean for each router: its faults, its weight, its source address and channel, and where its
// addresses belong. `derive` computes all of it anew from the configuration, the table and the channels; only routers that look at
// an interface that changed are derived.

internal import Configuration
internal import Net

extension Director {
    /// Addresses of an interface to speak from.
    struct LinkSources: Equatable {
        /// IPv4: the first that is neither virtual nor, if there is a choice, a secondary; else one that was there before us.
        var own: IPAddress?
        /// IPv4: the first primary: an owner's own address is a virtual one.
        var owner: IPAddress?
        /// IPv6's link-local one, which multicast advertisements come from (RFC 9568 §5.1.2.1).
        var linkLocal: IPAddress?
        /// IPv6's first that is known beyond the link, for unicast.
        var routable: IPAddress?
    }

    mutating func heard(_ events: [RouteEvent], at now: Instant) {
        var names: Set<String> = []
        var links: Set<Int32> = []
        // Addresses that go with their interface were taken off by nobody; IPv6 ones go when it is set down already.
        var deletions: [Int32: Int] = [:]
        var closings: [Int32: Int] = [:]
        for (position, event) in events.enumerated() {
            switch event {
            case .routing: break
            case .linkGone(let link): deletions[link.index] = position
            case .link(let link) where link.flags & Link.up == 0: closings[link.index] = position
            case .link, .address, .addressGone: break
            }
        }
        for (position, event) in events.enumerated() {
            switch event {
            case .link(let link):
                let before = table.links[link.index]
                guard before != link else { continue }
                names.insert(link.name)
                if let before { names.insert(before.name) }
                virtualLinks.heard(link)
                announceAgain(ifReachedAnew: link)
                links.insert(link.index)
                // The kernel drops IPv4 routes of an interface that is set down without a word.
                if (before?.flags ?? 0) & Link.up != link.flags & Link.up { reviewRoutes() }
            case .linkGone(let link):
                names.insert(table.links[link.index]?.name ?? link.name)
                keeper.linkGone(link.index)
                reviewRoutes()
                virtualLinks.linkGone(link.index)
                sources[link.index] = nil
            case .address(let address), .addressGone(let address):
                links.insert(address.link)
                if let ids = virtualAddresses[address.prefix.address] { changed.formUnion(ids) }
                // Routes that speak from the address went with it.
                if case .addressGone = event { reviewRoutes() }
            case .routing(let news):
                let isUnsure = routing.heard(
                    news, &table,
                    goesAlong: { [table] route in
                        route.hops.contains { hop in
                            guard let link = hop.link else { return false }
                            return position < max(deletions[link] ?? 0, closings[link] ?? 0)
                                || table.links[link].map { $0.flags & Link.up == 0 } ?? true
                        }
                    }, at: now)
                if isUnsure { reviewRoutes() }
                continue
            }
            table.apply(event)
            switch event {
            case .address(let address): keeper.held.heard(address.key, isGone: false, at: now)
            case .addressGone(let address) where position < deletions[address.link] ?? 0: break
            case .addressGone(let address)
            where position < closings[address.link] ?? 0 && address.prefix.address.family == .inet6:
                keeper.held.wentAlong(address.key)
            case .addressGone(let address):
                keeper.heardGone(address, at: now)
                keeper.held.heard(address.key, isGone: true, at: now)
            case .link, .linkGone, .routing: break
            }
        }
        damping.observe(table, at: now)
        for link in links {
            let after = sources(on: link)
            guard sources[link] != after, let name = table.links[link]?.name else { continue }
            sources[link] = after
            names.insert(name)
        }
        var ids = names.reduce(into: Set<RouterID>()) { $0.formUnion(dependents[$1] ?? []) }
        changed.formUnion(ids)
        if !links.isEmpty { ids.formUnion(sourceTrackers) }
        for id in ids.sorted() { derive(id, at: now) }
        if !names.isDisjoint(with: statics.devices) { placeStatics() }
    }

    mutating func tableRead(_ snapshot: RouteSnapshot, then events: [RouteEvent], at now: Instant) {
        for link in snapshot.links { announceAgain(ifReachedAnew: link) }
        table = LinkTable(snapshot, after: table)
        for event in events {
            if case .link(let link) = event { announceAgain(ifReachedAnew: link) }
            table.apply(event)
        }
        keeper.held.tableReplaced(by: table)
        routing.tableReplaced(by: table)
        damping.observe(table, at: now)
        virtualLinks.tableReplaced()
        deriveAll(at: now)
    }

    /// Compares an interface with what the table still says of it.
    private mutating func announceAgain(ifReachedAnew link: Link) {
        guard let before = table.links[link.index] else { return }
        let isReached = !before.isUsable && link.isUsable
        // A macvlan of ours is announced through its parent.
        if before.mac != link.mac || isReached && link.mark == nil { keeper.announceAgain(on: link.index) }
        guard isReached else { return }
        for other in table.links.values where other.parent == link.index && other.mark != nil {
            keeper.announceAgain(on: other.index)
        }
    }

    mutating func deriveAll(at now: Instant) {
        sources = Dictionary(uniqueKeysWithValues: table.links.keys.map { ($0, sources(on: $0)) })
        for id in order { derive(id, at: now) }
        placeStatics()
    }

    /// Routes may have gone unheard: what is wanted is compared, and the kernel's are read anew.
    private mutating func reviewRoutes() {
        guard routing.isInUse else { return }
        effects.isRoutingInDoubt = true
    }

    private func sources(on link: Int32) -> LinkSources {
        func first(_ rank: (InterfaceAddress) -> Int?) -> IPAddress? {
            table.firstAddress(on: link, rank: rank)?.prefix.address
        }
        /// One that is not ours and that the host answers for; a virtual one, or one to be used less (`lesser`), only for want of another.
        func rank(_ address: InterfaceAddress, lesser: UInt32) -> Int? {
            guard !keeper.held.isOurs(address.key), !address.isTentative else { return nil }
            if virtualAddresses[address.prefix.address] != nil { return 2 }
            return address.flags & lesser == 0 ? 0 : 1
        }
        var sources = LinkSources()
        sources.own = first { address in
            guard case .v4 = address.prefix.address else { return nil }
            return rank(address, lesser: InterfaceAddress.secondary)
        }
        sources.owner = first { address in
            guard case .v4 = address.prefix.address else { return nil }
            return address.flags & InterfaceAddress.secondary == 0 ? 0 : 1
        }
        sources.linkLocal = first { address in
            guard address.prefix.address.isLinkLocal else { return nil }
            return rank(address, lesser: 0)
        }
        sources.routable = first { address in
            guard case .v6(let value) = address.prefix.address, !value.isLinkLocal, !value.isLoopback else {
                return nil
            }
            return rank(address, lesser: InterfaceAddress.deprecated | InterfaceAddress.temporary)
        }
        return sources
    }

    /// Computes what the world means for one router and tells its machine. A master that must give up does so with the voice that it had.
    mutating func derive(_ id: RouterID, at now: Instant) {
        guard let index = routers.index(forKey: id) else { return }
        let block = routers.values[index].block
        let base = block.interface.flatMap { table.link(named: $0) }
        wantVirtualLinks(of: index, on: base)
        let link = speakingLink(of: routers.values[index])
        // An ipvlan's own link-local address is not ready at once.
        let source = source(of: block, link) ?? source(of: block, base)
        let channel = channel(of: block, link, source)
        setChannels([channel, virtualChannel(of: block, channel)].compactMap(\.self), of: id)
        let faults = faults(of: block, link, source, routers.values[index])
        if faults != routers.values[index].faults {
            routers.values[index].faults = faults
            if let group = routers.values[index].group { touchedGroups.insert(group) }
        }
        tellFaults(id, at: now)
        let weight = weight(of: routers.values[index])
        if let channel, let source {
            let mac = block.virtualMAC.flatMap { $0.transmitsOnBase ? nil : $0.mac }
            routers.values[index].voice = Voice(channel: channel, source: source, virtualMAC: mac)
        }
        var parameters = RouterConfiguration(
            block, isGrouped: routers.values[index].group != nil, mtu: link.map { Int($0.mtu) } ?? .max)
        // A group gives way as one, before any member of it says a word.
        parameters.yieldsTo = companions(of: id).compactMap { routers[$0]?.block.lateYieldsTo }.max()
        let unadvertised = block.virtualAddresses.count - parameters.addresses.count
        if routers.values[index].unadvertised != unadvertised {
            routers.values[index].unadvertised = unadvertised
            changed.insert(id)
        }
        run(id, at: now) { machine in
            machine.sourceAddress = source ?? machine.sourceAddress
            machine.weightChanged(to: weight)
            return machine.reconfigure(parameters, at: now)
        }
        place(index)
    }

    private func source(of block: VRRPInstanceConfiguration, _ link: Link?) -> IPAddress? {
        if let given = block.sourceAddress { return given }
        guard let link, let sources = sources[link.index] else { return nil }
        switch (block.family, block.delivery) {
        case (.inet, _): return block.priority == 255 ? sources.owner : sources.own
        case (.inet6, .multicast): return sources.linkLocal
        case (.inet6, .unicast(let peers, _)):
            let isOnLink = peers.allSatisfy(\.address.isLinkLocal)
            return isOnLink ? sources.linkLocal : sources.routable ?? sources.linkLocal
        }
    }

    private func channel(of block: VRRPInstanceConfiguration, _ link: Link?, _ source: IPAddress?) -> ChannelKey? {
        guard block.socketDevice == nil || link != nil else { return nil }
        let birth = link.map { table.birth(of: $0.index) } ?? 0
        switch block.delivery {
        case .multicast(let group):
            return ChannelKey(link: link?.index, birth: birth, local: group, isSigned: block.isSigned)
        case .unicast:
            return source.map { ChannelKey(link: link?.index, birth: birth, local: $0, isSigned: block.isSigned) }
        }
    }

    private func faults(
        of block: VRRPInstanceConfiguration, _ link: Link?, _ source: IPAddress?, _ router: Router
    ) -> Set<Fault> {
        var faults: Set<Fault> = []
        let tracked = tracked(interfaces: block, router.group.flatMap { groups[$0]?.configuration })
        for name in block.vitalInterfaces(tracking: tracked) + (statics.needs[block.name]?.devices ?? []) {
            switch table.carrier(named: name) {
            case nil: faults.insert(.interfaceMissing(name))
            case let link? where !damping.isUsable(link): faults.insert(.interfaceDown(name))
            case .some: break
            }
        }
        if let interface = block.socketDevice, link == nil {
            faults.insert(.interfaceMissing(interface))
        } else if source == nil {
            faults.insert(.noSource(of: block))
        }
        if block.needsSourceAddress, let source = block.sourceAddress, !table.offers(source, on: link?.index) {
            faults.insert(.noSource(of: block))
        }
        if case .unicast(let peers, _) = block.delivery, peers.isEmpty { faults.insert(.noUnicastPeer) }
        for name in mustBeDown(for: block, router.group) {
            if let link = table.carrier(named: name), damping.isUsable(link) { faults.insert(.interfaceUp(name)) }
        }
        let isHeld = router.faults.contains(where: \.isTracking)
        faults.formUnion(scriptFaults(of: router, isHeld: isHeld))
        faults.formUnion(trackerFaults(of: block, router.group, isHeld: isHeld))
        // Without the macvlan's channel it is deaf to masters of the same MAC only, and has it again within a second.
        if let channel = router.channels.first, case .failed(let words, _)? = channels[channel]?.state {
            faults.insert(.noSocket(words))
        }
        faults.formUnion(virtualLinkFaults(of: router))
        faults.formUnion(statics.losses[block.name] ?? [])
        return faults
    }

    /// Finds where the router's addresses belong; what moved is wanted at the new place and given back at the old one.
    private mutating func place(_ index: RouterTable.Index) {
        let router = routers.values[index]
        var placed: [InterfaceAddress] = []
        var unplaced: [(prefix: IPPrefix, device: String?)] = []
        let present = virtualLinks.wanted(by: router.id).compactMap { wanted in
            presence(of: wanted).map { (virtual: wanted, link: $0) }
        }
        for line in router.block.addresses {
            let link =
                if let virtual = router.block.virtualMAC(of: line) {
                    present.first { $0.virtual.name == virtual.name }?.link
                } else {
                    line.device.flatMap { table.link(named: $0) }
                }
            if let link {
                placed.append(InterfaceAddress(line, on: link.index))
            } else {
                unplaced.append((line.prefix, line.device))
            }
        }
        let implied = present.compactMap { router.block.implied(on: $0.virtual, $0.link.index) }
        placed += implied
        routers.values[index].implied = Set(implied.map(\.key))
        placeResident(index)
        if unplaced.count != router.unplaced.count { changed.insert(router.id) }
        placeRouting(index)
        routers.values[index].unplaced = unplaced
        guard placed != router.placed else { return }
        routers.values[index].placed = placed
        placedCount += placed.count - router.placed.count
        keeper.reserve(placedCount)
        changed.insert(router.id)
        guard router.isHolding else { return }
        let keys = Set(placed.map(\.key))
        for old in router.placed where !keys.contains(old.key) { keeper.held.release(old.key, by: router.id) }
        for address in placed { keeper.held.want(address, by: router.id) }
    }
}

extension Fault {
    /// Something tracked is not as it should be.
    fileprivate var isTracking: Bool {
        switch self {
        case .scriptFailed, .tracked: true
        case .interfaceMissing, .interfaceDown, .interfaceUp, .noSourceAddress, .noLinkLocalAddress, .noUnicastPeer,
            .noVirtualLink, .noSocket, .staticLost, .group:
            false
        }
    }

    fileprivate static func noSource(of block: VRRPInstanceConfiguration) -> Fault {
        let name = block.interface ?? "any"
        return block.family == .inet6 && block.sourceAddress == nil ? .noLinkLocalAddress(name) : .noSourceAddress(name)
    }
}
