// Virtual addresses on interfaces: what is wanted, what we hold (we added it and the kernel acknowledged), and what the kernel has.
// `plan` gives the difference, `answered` takes the kernel's answer. Installation, removal, an address that somebody took off, an
// interface that comes late, is renamed or made again, a reload, a refusal and what an earlier process left behind are this one
// comparison. What was there before us is used but never taken off.

public import Net

/// Compares the addresses of all routers with the kernel's table.
struct AddressKeeper {
    private struct Entry {
        var address: InterfaceAddress
        /// Who wants it on the interface now.
        var wantedBy: [RouterID] = []
        /// Who wanted it last.
        var owner: RouterID
        /// In the order of the first want: the kernel makes the first of a subnet its primary address.
        var ordinal: Int
        /// We added it and the kernel acknowledged, or it was left by a process before us.
        var isOurs = false
        /// The hardware address under which it was announced; nil = to be announced.
        var announced: MACAddress?
        /// The kernel's words when it refused the last request.
        var refusal: String?
        /// Not before this time.
        var retryAt = Instant.zero
        /// Its other attributes (label, broadcast, scope …) changed since we added it: it is taken off and added anew.
        var isOutdated = false
        /// Until then its going is our own doing: the kernel takes it off together with another of ours.
        var goesUntil = Instant.zero
        /// How often somebody else has taken it off in a row, and when last.
        var losses = 0
        var lostAt = Instant.zero
    }

    /// A refused request is made again after this.
    static let retryInterval = Duration.seconds(1)
    /// Put back at once so often; then after 1, 2, 4 … 32 s: two managers of one address must not keep the network busy.
    static let patience = 4
    /// The kernel's notification of what we did ourselves comes before this.
    static let notificationLimit = Duration.seconds(1)
    /// Losses further apart are no row.
    static let row = Duration.seconds(64)

    private var entries: [AddressKey: Entry] = [:]
    /// Where wanted, held and the table may differ.
    private var open: Set<AddressKey> = []
    private var isDirty = false
    private var arrivals: Set<AddressKey> = []
    private var counter = 0
    /// Addresses of the host that the kernel takes off with a virtual one; wanted back until it has acknowledged.
    private var rescues: [AddressKey: (address: InterfaceAddress, retryAt: Instant)] = [:]
    private var fights: Set<AddressKey> = []
    /// Routers whose addresses came, went or met trouble; the director takes them out.
    private(set) var moved: Set<RouterID> = []
    /// Addresses that somebody else took off, for the log; the director takes them out.
    private(set) var taken: [(router: RouterID, prefix: IPPrefix)] = []
    /// When to call `plan` although nothing has happened; nil = nothing differs.
    private(set) var deadline: Instant?

    /// Somebody else's row of losses ends then.
    var calmAt: Instant? { fights.lazy.compactMap { entries[$0] }.map { $0.lostAt + Self.row }.min() }

    // MARK: What is wanted

    mutating func want(_ address: InterfaceAddress, by router: RouterID) {
        let key = address.key
        if entries[key] == nil {
            counter += 1
            entries[key] = Entry(address: address, owner: router, ordinal: counter)
        }
        guard var entry = entries[key] else { return }
        guard !entry.wantedBy.contains(router) else {
            guard entry.wantedBy == [router], entry.address != address else { return }
            entries[key]?.address = address
            entries[key]?.isOutdated = entry.isOurs
            return compare(key)
        }
        if entry.wantedBy.isEmpty { entry.retryAt = .zero }
        entry.address = address
        entry.wantedBy.append(router)
        entry.owner = router
        entries[key] = entry
        compare(key)
    }

    mutating func release(_ key: AddressKey, by router: RouterID) {
        guard var entry = entries[key], let index = entry.wantedBy.firstIndex(of: router) else { return }
        entry.wantedBy.remove(at: index)
        if entry.wantedBy.isEmpty {
            entry.announced = nil
            entry.retryAt = .zero
            entry.losses = 0
        }
        entries[key] = entry
        compare(key)
    }

    /// The address was left on its interface by a process before us.
    mutating func adopt(_ address: InterfaceAddress, from router: RouterID) {
        want(address, by: router)
        entries[address.key]?.isOurs = true
        release(address.key, by: router)
    }

    /// True when we added the address, or took it over.
    func isOurs(_ key: AddressKey) -> Bool { entries[key]?.isOurs ?? false }

    /// What is wrong with the address; nil when nothing is.
    func trouble(with key: AddressKey, at now: Instant) -> AddressTrouble? {
        guard let entry = entries[key] else { return nil }
        if let refusal = entry.refusal { return .refused(entry.address.prefix, refusal) }
        guard entry.losses > Self.patience, now < entry.lostAt + Self.row else { return nil }
        return .takenOffAgainAndAgain(entry.address.prefix)
    }

    /// What is wrong with addresses of routers that are gone.
    func trouble(besides known: (RouterID) -> Bool, at now: Instant) -> [AddressTrouble] {
        open.filter { key in entries[key].map { !known($0.owner) } ?? false }.compactMap { trouble(with: $0, at: now) }
    }

    /// Keys of a router's addresses that are still to be taken off.
    func lingering(of router: RouterID) -> [AddressKey] {
        open.filter { key in entries[key].map { $0.owner == router && $0.wantedBy.isEmpty } ?? false }
    }

    // MARK: What the kernel says

    /// A notification about an address has been applied to the table.
    mutating func heard(_ key: AddressKey, isGone: Bool, at now: Instant) {
        guard var entry = entries[key] else { return }
        if isGone {
            entry.isOutdated = false
            if now < entry.goesUntil {
                entry.announced = nil
                entries[key] = entry
                return compare(key)
            }
            if entry.isOurs, !entry.wantedBy.isEmpty {
                entry.losses = now < entry.lostAt + Self.row ? entry.losses + 1 : 1
                entry.lostAt = now
                let over = entry.losses - Self.patience
                entry.retryAt = over > 0 ? now + .seconds(1 << min(over - 1, 5)) : .zero
                if over > 0 { fights.insert(key) }
                taken.append((entry.owner, entry.address.prefix))
            }
            entry.isOurs = false
            entry.announced = nil
            entries[key] = entry
        }
        compare(key)
    }

    /// The kernel took the address off because its interface was set down.
    mutating func wentWithLink(_ key: AddressKey) {
        guard entries[key] != nil else { return }
        entries[key]?.isOurs = false
        entries[key]?.announced = nil
        compare(key)
    }

    /// The interface is gone, and its addresses with it.
    mutating func linkGone(_ link: Int32) {
        for key in entries.keys where key.link == link {
            entries[key]?.isOurs = false
            entries[key]?.announced = nil
            compare(key)
        }
        for key in rescues.keys where key.link == link { rescues[key] = nil }
    }

    /// The interface has another hardware address, or can be heard again: neighbours must hear of its addresses.
    mutating func announceAgain(on link: Int32) {
        for key in entries.keys where key.link == link {
            entries[key]?.announced = nil
            arrivals.insert(key)
        }
    }

    /// The table was read anew.
    mutating func tableReplaced(by table: LinkTable) {
        for key in entries.keys {
            if table.address(key) == nil {
                entries[key]?.isOurs = false
                entries[key]?.announced = nil
            }
            compare(key)
        }
    }

    // MARK: The difference

    /// What to ask of the kernel now, removals first.
    mutating func plan(against table: LinkTable, at now: Instant) -> [AddressChange] {
        guard isDirty || deadline.map({ $0 <= now }) ?? false else { return [] }
        isDirty = false
        deadline = nil
        var removals: [(Int, InterfaceAddress)] = []
        var additions: [(Int, InterfaceAddress)] = []
        for key in open {
            guard let entry = entries[key] else {
                open.remove(key)
                continue
            }
            let isPresent = table.address(key) != nil
            switch (entry.wantedBy.isEmpty, isPresent) {
            case (false, true) where entry.isOutdated:
                guard isDue(entry.retryAt, at: now) else { continue }
                entries[key]?.goesUntil = now + Self.notificationLimit
                removals.append((entry.ordinal, entry.address))
                additions.append((entry.ordinal, entry.address))
            case (false, true):
                arrivals.insert(key)
                settle(key)
            case (false, false) where table.links[key.link] == nil:
                settle(key)
            case (false, false):
                if isDue(entry.retryAt, at: now) { additions.append((entry.ordinal, entry.address)) }
            case (true, true) where entry.isOurs:
                if isDue(entry.retryAt, at: now) { removals.append((entry.ordinal, entry.address)) }
            case (true, _):
                settle(key)
                entries[key] = nil
                fights.remove(key)
            }
        }
        let going = Set(removals.map(\.1.key))
        var companions: [AddressKey: (Int, InterfaceAddress)] = [:]
        for (_, address) in removals {
            for key in expectLosses(with: address, in: table, at: now) where !going.contains(key) {
                companions[key] = entries[key].map { ($0.ordinal, $0.address) }
            }
        }
        additions += companions.values
        let changes =
            removals.sorted { $0.0 < $1.0 }.map { AddressChange.delete($0.1) }
            + rescues.values.filter { isDue($0.retryAt, at: now) }.map(\.address).sorted { $0.prefix < $1.prefix }
            .map { AddressChange.add($0) }
        return changes + additions.sorted { $0.0 < $1.0 }.map { AddressChange.add($0.1) }
    }

    /// The kernel did a change; `table` has it already.
    mutating func done(_ change: AddressChange) {
        let key = change.address.key
        switch change {
        case .add: rescues[key] = nil
        case .delete: break
        }
        guard entries[key] != nil else { return }
        switch change {
        case .add: entries[key]?.isOurs = true
        case .delete:
            entries[key]?.isOurs = false
            entries[key]?.isOutdated = false
            entries[key]?.announced = nil
        }
        noteRefusal(nil, of: key)
        compare(key)
    }

    /// The kernel refused a change; `words` nil: because the interface has just gone, which it will say by itself.
    mutating func refused(_ change: AddressChange, _ words: String?, at now: Instant) {
        let key = change.address.key
        if case .add = change, rescues[key] != nil {
            rescues[key]?.retryAt = now + Self.retryInterval
            isDirty = true
        }
        guard entries[key] != nil else { return }
        entries[key]?.retryAt = now + Self.retryInterval
        noteRefusal(words, of: key)
        compare(key)
    }

    /// Nobody knows whether the kernel did a change: what was to be added counts as ours, so that it is taken off where it is found.
    mutating func isUnknown(_ change: AddressChange, _ words: String, at now: Instant) {
        if case .add(let address) = change, entries[address.key] != nil { entries[address.key]?.isOurs = true }
        refused(change, words, at: now)
    }

    /// Addresses that are in place and not announced under their interface's hardware address.
    mutating func toAnnounce(in table: LinkTable) -> [(router: RouterID, address: InterfaceAddress, link: Link)] {
        guard !arrivals.isEmpty else { return [] }
        var result: [(ordinal: Int, router: RouterID, address: InterfaceAddress, link: Link)] = []
        for key in arrivals {
            guard let entry = entries[key], !entry.wantedBy.isEmpty, table.address(key)?.isTentative == false,
                let link = table.links[key.link], link.announces, link.isUsable, entry.announced != link.mac
            else { continue }
            entries[key]?.announced = link.mac
            result.append((entry.ordinal, entry.owner, entry.address, link))
        }
        arrivals.removeAll(keepingCapacity: true)
        return result.sorted { $0.ordinal < $1.ordinal }.map { ($0.router, $0.address, $0.link) }
    }

    /// Hands over what moved and what was taken, and forgets it.
    mutating func news(at now: Instant) -> (moved: Set<RouterID>, taken: [(router: RouterID, prefix: IPPrefix)]) {
        for key in fights {
            guard let entry = entries[key] else {
                fights.remove(key)
                continue
            }
            guard now >= entry.lostAt + Self.row else { continue }
            fights.remove(key)
            moved.insert(entry.owner)
        }
        defer {
            moved = []
            taken = []
        }
        return (moved, taken)
    }

    private mutating func compare(_ key: AddressKey) {
        open.insert(key)
        isDirty = true
        if let owner = entries[key]?.owner { moved.insert(owner) }
    }

    private mutating func settle(_ key: AddressKey) {
        open.remove(key)
        noteRefusal(nil, of: key)
    }

    private mutating func noteRefusal(_ words: String?, of key: AddressKey) {
        guard let entry = entries[key], entry.refusal != words else { return }
        entries[key]?.refusal = words
        moved.insert(entry.owner)
    }

    private mutating func isDue(_ retryAt: Instant, at now: Instant) -> Bool {
        if retryAt <= now { return true }
        deadline = min(deadline ?? retryAt, retryAt)
        return false
    }

    /// An IPv4 address that is the primary of its subnet takes the secondaries with it (without promote_secondaries): those that are the
    /// host's own, and those of ours that are wanted, are added again in the same round trip. Where they stayed, the kernel says EEXIST,
    /// which changes nothing. Returns those of ours.
    private mutating func expectLosses(
        with address: InterfaceAddress, in table: LinkTable, at now: Instant
    ) -> [AddressKey] {
        guard case .v4(let value) = address.prefix.address, address.prefix.length < 32,
            let current = table.address(address.key), current.flags & InterfaceAddress.secondary == 0
        else { return [] }
        var ours: [AddressKey] = []
        for other in table.addresses(on: address.link) where other.prefix.length == address.prefix.length {
            guard other.flags & InterfaceAddress.secondary != 0, case .v4(let theirs) = other.prefix.address else {
                continue
            }
            let shift = UInt32(32 - address.prefix.length)
            guard (theirs.rawValue ^ value.rawValue) >> shift == 0 else { continue }
            if let entry = entries[other.key] {
                guard !entry.wantedBy.isEmpty else { continue }
                entries[other.key]?.goesUntil = now + Self.notificationLimit
                ours.append(other.key)
            } else {
                rescues[other.key] = (other, .zero)
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
}
