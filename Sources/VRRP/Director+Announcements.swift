// Telling the link where addresses are, when they arrive, by the schedule of each router, and on other interfaces than its own: at once or as
// the limits of an interface allow.

internal import Configuration
internal import Net

extension Director {
    /// Announces what is in place of a router's addresses.
    mutating func announce(_ count: Int, of router: Router, at now: Instant) {
        for address in router.placed where table.isSettled(address.key) {
            guard let link = table.announcer(of: address.link), link.announces else { continue }
            announce(address.key, on: link, count: count, at: now)
        }
    }

    /// `garp_extra_if`: switches forget a hardware address that sends nothing. The macvlan that the router speaks from says enough; of each of
    /// its others, or with `all` each other interface, one address is announced.
    mutating func announceElsewhere(_ router: Router, at now: Instant) {
        let spoken = router.block.virtualMAC.flatMap { $0.transmitsOnBase ? nil : $0.name } ?? router.block.interface
        var announced: Set<Int32> = []
        for address in router.placed where table.isSettled(address.key) {
            guard let place = table.links[address.link], place.name != spoken,
                place.mark != nil || router.block.gratuitousARP.extraCoversAll,
                let link = table.announcer(of: address.link), link.announces, announced.insert(address.link).inserted
            else { continue }
            announce(address.key, on: link, count: 1, at: now)
        }
    }

    /// Announces an address: at once, or as the limits of its interface allow.
    private mutating func announce(_ address: AddressKey, on link: Link, count: Int, at now: Instant) {
        guard count > 0 else { return }
        if pacer.limits(link.name, address.address.family) {
            pacer.add(address, on: link.name, count: count, at: now)
        } else {
            effects.announce(address.address, on: link, count: count)
        }
    }

    /// Announces what is in place since the last time.
    mutating func announceArrivals(at now: Instant) {
        var last: (router: RouterID, resident: AddressKey?, count: Int)?
        for (id, address, link) in keeper.toAnnounce(in: table) {
            if last?.router != id {
                // Parts of the record, never the whole: a takeover of hundreds asks for each.
                let index = routers.index(forKey: id)
                let count = index.map { routers.values[$0].schedule.settings.becameMaster.count }
                last = (id, index.flatMap { routers.values[$0].resident?.key }, count ?? 0)
            }
            guard let last, last.resident != address.key else { continue }
            announce(address.key, on: link, count: last.count, at: now)
        }
    }

    /// Another host that was master yields as a group, and may have been heard for one member only. A member whose second burst is still to come
    /// is announced by that.
    mutating func announceCompanions(of router: RouterID, at now: Instant) {
        for member in companions(of: router) where member != router {
            guard let index = routers.index(forKey: member), routers.values[index].isMaster,
                !routers.values[index].schedule.awaitsSecondBurst
            else { continue }
            let count = routers.values[index].schedule.start(.lowerPriorityHeard, at: now)
            announce(count, of: routers.values[index], at: now)
            setDeadline(of: index)
        }
    }
}
