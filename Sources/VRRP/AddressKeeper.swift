// Virtual addresses on interfaces: the comparison of Keeper, and what is peculiar to addresses. The kernel takes the secondaries of an IPv4
// subnet off with their primary, so what goes with one of ours is added again, the host's own addresses too. And neighbours must hear
// of an address that is in place.

public import Net

extension InterfaceAddress: Kept {
    func isPresent(in table: LinkTable) -> Bool { table.has(key) }
    func isPossible(in table: LinkTable) -> Bool { table.links[link] != nil }
}

/// Compares the addresses of all routers with the kernel's table.
struct AddressKeeper {
    /// What is wanted and held.
    var held = Keeper<InterfaceAddress>()
    /// Addresses of the host that the kernel takes off with a virtual one; wanted back until it has acknowledged.
    private var rescues: [AddressKey: (address: InterfaceAddress, retryAt: Instant)] = [:]
    /// The hardware address under which an address was announced, and in which of its lives.
    private var announced: [AddressKey: (mac: MACAddress?, life: Int)] = [:]
    private var toBeAnnounced: Set<AddressKey> = []
    private var rescueDeadline: Instant?
    /// IPv4 addresses of ours that the kernel was asked to take off and has not said to be gone, since when.
    private var leaving: [AddressKey: Instant] = [:]

    /// When to call `plan` although nothing has happened; nil = nothing differs.
    var deadline: Instant? {
        guard let rescueDeadline else { return held.deadline }
        return held.deadline.map { min($0, rescueDeadline) } ?? rescueDeadline
    }

    // MARK: What the kernel says

    /// The interface is gone, and its addresses with it.
    mutating func linkGone(_ link: Int32) {
        for key in held.entries.keys where key.link == link { held.wentAlong(key) }
        for key in rescues.keys where key.link == link { rescues[key] = nil }
        for key in leaving.keys where key.link == link { leaving[key] = nil }
    }

    /// The kernel says that an address is gone. One of the host's own that came while we asked for the primary of its subnet to be taken off, so
    /// that nobody knew of it, has gone with that: the kernel names it first.
    mutating func heardGone(_ address: InterfaceAddress, at now: Instant) {
        if leaving.removeValue(forKey: address.key) != nil { return }
        guard !leaving.isEmpty, address.flags & InterfaceAddress.secondary != 0, held.entries[address.key] == nil,
            rescues[address.key] == nil
        else { return }
        guard let subnet = Subnet(address.key),
            leaving.contains(where: { now - $1 < KeeperTiming.retryInterval && Subnet($0) == subnet })
        else { return }
        rescues[address.key] = (address, now)
        rescueDeadline = now
    }

    /// IPv4 addresses of an interface of which one is the primary and the others are secondaries.
    private struct Subnet: Hashable {
        let link: Int32
        let length: Int
        let network: UInt32

        /// Nil where an address has none but itself.
        init?(_ key: AddressKey) {
            guard case .v4(let address) = key.address, (1..<32).contains(key.length) else { return nil }
            link = key.link
            length = key.length
            network = address.rawValue >> UInt32(32 - key.length)
        }
    }

    /// The interface has another hardware address, or can be heard again: neighbours must hear of its addresses.
    mutating func announceAgain(on link: Int32) {
        for key in held.entries.keys where key.link == link {
            announced[key] = nil
            toBeAnnounced.insert(key)
        }
    }

    // MARK: The difference

    /// What to ask of the kernel now, removals first.
    mutating func plan(against table: LinkTable, at now: Instant) -> [AddressChange] {
        guard held.isDue(at: now) || rescueDeadline.map({ $0 <= now }) ?? false else { return [] }
        var differences = held.differences(from: table, at: now)
        let going = Set(differences.removals.map(\.object.key))
        var companions: [AddressKey: (ordinal: Int, object: InterfaceAddress)] = [:]
        for key in expectLosses(with: differences.removals.map(\.object), in: table, at: now) where !going.contains(key)
        {
            companions[key] = held.entries[key].map { ($0.ordinal, $0.object) }
        }
        // Of what has not been heard of for longer, the notification is lost.
        if !going.isEmpty { leaving = leaving.filter { now - $1 < KeeperTiming.retryInterval } }
        for key in going where key.address.family == .inet { leaving[key] = now }
        differences.additions += companions.values
        rescueDeadline = rescues.values.lazy.map(\.retryAt).filter { $0 > now }.min()
        let changes =
            differences.removals.sorted { $0.ordinal < $1.ordinal }.map { AddressChange.delete($0.object) }
            + rescues.values.filter { $0.retryAt <= now }.map(\.address).sorted { $0.prefix < $1.prefix }
            .map { AddressChange.add($0) }
        return changes
            + differences.additions.sorted { $0.ordinal < $1.ordinal }.map { AddressChange.add($0.object) }
    }

    /// The kernel did a change; the table has it already.
    mutating func done(_ change: AddressChange) {
        if case .add(let address) = change { rescues[address.key] = nil }
        held.done(change)
    }

    /// The kernel refused a change; `words` nil: because the interface has just gone, which it will say by itself.
    mutating func refused(_ change: AddressChange, _ words: String?, at now: Instant) {
        noteRescue(change, at: now)
        if case .delete(let address) = change { leaving[address.key] = nil }
        held.refused(change, words, at: now)
    }

    /// Nobody knows whether the kernel did a change.
    mutating func isUnknown(_ change: AddressChange, _ words: String, at now: Instant) {
        noteRescue(change, at: now)
        held.isUnknown(change, words, at: now)
    }

    private mutating func noteRescue(_ change: AddressChange, at now: Instant) {
        guard case .add(let address) = change, rescues[address.key] != nil else { return }
        let retryAt = now + KeeperTiming.retryInterval
        rescues[address.key]?.retryAt = retryAt
        rescueDeadline = min(rescueDeadline ?? retryAt, retryAt)
    }

    /// Addresses that are in place and not announced under their interface's hardware address.
    mutating func toAnnounce(in table: LinkTable) -> [(router: RouterID, address: InterfaceAddress, link: Link)] {
        let arrivals = held.takeArrivals()
        if toBeAnnounced.isEmpty { toBeAnnounced = arrivals } else { toBeAnnounced.formUnion(arrivals) }
        guard !toBeAnnounced.isEmpty else { return [] }
        var arrived:
            [(ordinal: Int, index: Dictionary<AddressKey, Keeper<InterfaceAddress>.Entry>.Index, link: Int32)] = []
        var announcers: [Int32: Link] = [:]
        for key in toBeAnnounced {
            guard let index = held.entries.index(forKey: key), table.isSettled(key) else {
                continue
            }
            let entry = held.entries.values[index]
            if announcers[key.link] == nil { announcers[key.link] = table.announcer(of: key.link) }
            guard !entry.wantedBy.isEmpty, let link = announcers[key.link], link.announces, link.isUsable else {
                continue
            }
            if let last = announced[key], last.mac == link.mac, last.life == entry.life { continue }
            announced[key] = (link.mac, entry.life)
            arrived.append((entry.ordinal, index, key.link))
        }
        toBeAnnounced = []
        if announced.count > held.entries.count { announced = announced.filter { held.entries[$0.key] != nil } }
        arrived.sort { $0.ordinal < $1.ordinal }
        return arrived.compactMap { place in
            let entry = held.entries.values[place.index]
            return announcers[place.link].map { (entry.owner, entry.object, $0) }
        }
    }

    /// So many addresses will be wanted at most: a takeover finds room for them.
    mutating func reserve(_ count: Int) {
        held.reserve(count)
        announced.reserveCapacity(count)
    }

    /// An IPv4 address that is the primary of its subnet takes the secondaries with it (without promote_secondaries): those that are the
    /// host's own, and those of ours that are wanted, are added again in the same round trip. Where they stayed, the kernel says EEXIST,
    /// which changes nothing. Returns those of ours.
    private mutating func expectLosses(
        with addresses: [InterfaceAddress], in table: LinkTable, at now: Instant
    ) -> [AddressKey] {
        let primaries = addresses.filter { address in
            table.address(address.key).map { $0.flags & InterfaceAddress.secondary == 0 } ?? false
        }
        let subnets = Set(primaries.compactMap { Subnet($0.key) })
        var ours: [AddressKey] = []
        for link in Set(subnets.map(\.link)) {
            for other in table.addresses(on: link) where other.flags & InterfaceAddress.secondary != 0 {
                guard let subnet = Subnet(other.key), subnets.contains(subnet) else { continue }
                if held.entries[other.key] == nil {
                    rescues[other.key] = (other, .zero)
                } else if held.expectLoss(of: other.key, at: now) {
                    ours.append(other.key)
                }
            }
        }
        return ours
    }
}

/// What is wrong with one address.
public enum AddressTrouble: Hashable, Sendable {
    /// The kernel refuses to add or remove it; tried again every second.
    case refused(IPPrefix, String)
    /// Somebody else takes it off again and again.
    case takenOffAgainAndAgain(IPPrefix)
    /// Duplicate address detection found another host that has it (IPv6, `-nodad`).
    case isOnAnotherHost(IPPrefix)
    /// Its interface is not there; nil = the configuration names none.
    case noInterface(IPPrefix, String?)
    /// It was on the interface before us and stays there although this router is not master.
    case wasThereBefore(IPPrefix)

    /// What the keeper says.
    init(_ trouble: Keeper<InterfaceAddress>.Trouble) {
        switch trouble {
        case .refused(let address, let words): self = .refused(address.prefix, words)
        case .takenOffAgainAndAgain(let address): self = .takenOffAgainAndAgain(address.prefix)
        }
    }
}
