// What comes and goes with mastership in a table of the kernel: what is wanted, what we hold (we added it and the kernel acknowledged), and
// what the kernel has. `differences` gives what is to be done, `done` and `refused` take the kernel's answer. Installation, removal,
// what somebody took off, an interface that comes late, is renamed or made again, a reload, a refusal and what an earlier process left
// behind are this one comparison, for addresses, routes and rules alike. What was there before us is used but never taken off.

internal import Net

/// Compares what all routers want of one kind with the kernel's table.
struct Keeper<Object: Kept> {
    struct Entry {
        var object: Object
        /// Who wants it now.
        var wantedBy: [RouterID] = []
        /// Who wanted it last.
        var owner: RouterID
        /// In the order of the first want: the kernel makes the first address of a subnet its primary one.
        var ordinal: Int
        /// We added it and the kernel acknowledged, or it was left by a process before us.
        var isOurs = false
        /// The answer to the request to add it was lost: until the table has been read it may be there. What is heard meanwhile may be older.
        var isInDoubt = false
        /// Another number after every time it went, also in an entry that is made anew: what was said of it before holds no more.
        var life: Int
        /// The kernel's words when it refused the last request.
        var refusal: String?
        /// Not before this time.
        var retryAt = Instant.zero
        /// Other attributes than the key changed since we added it: it is taken off and added anew.
        var isOutdated = false
        /// Until then its going is our own doing: the kernel takes it off together with another of ours.
        var goesUntil = Instant.zero
        /// How often somebody else has taken it off in a row, and when last.
        var losses = 0
        var lostAt = Instant.zero
    }

    private(set) var entries: [Object.Key: Entry] = [:]
    /// Where wanted, held and the table may differ.
    private var open: Set<Object.Key> = []
    private var isDirty = false
    private var counter = 0
    private var lives = 0
    private var fights: Set<Object.Key> = []
    /// Routers whose objects came, went or met trouble.
    private var moved: Set<RouterID> = []
    /// What somebody else took off.
    private var taken: [(router: RouterID, object: Object)] = []
    /// What is wanted and was found in place since they were last taken.
    private var arrivals: Set<Object.Key> = []
    /// When to compare although nothing has happened; nil = nothing differs.
    private(set) var deadline: Instant?

    /// Somebody else's row of losses ends then.
    var calmAt: Instant? { fights.lazy.compactMap { entries[$0] }.map { $0.lostAt + KeeperTiming.row }.min() }

    // MARK: What is wanted

    /// So many will be wanted at most: a takeover finds room for them.
    mutating func reserve(_ count: Int) {
        entries.reserveCapacity(count)
        open.reserveCapacity(count)
        arrivals.reserveCapacity(count)
    }

    mutating func want(_ object: Object, by router: RouterID) {
        let key = object.key
        guard let index = entries.index(forKey: key) else {
            counter += 1
            entries[key] = Entry(
                object: object, wantedBy: [router], owner: router, ordinal: counter, life: nextLife())
            return compare(key, of: router)
        }
        if entries.values[index].wantedBy.contains(router) {
            guard entries.values[index].wantedBy == [router], entries.values[index].object != object else { return }
            entries.values[index].isOutdated = entries.values[index].isOurs
        } else {
            if entries.values[index].wantedBy.isEmpty { entries.values[index].retryAt = .zero }
            entries.values[index].wantedBy.append(router)
            entries.values[index].owner = router
        }
        entries.values[index].object = object
        compare(index)
    }

    private mutating func nextLife() -> Int {
        lives += 1
        return lives
    }

    mutating func release(_ key: Object.Key, by router: RouterID) {
        guard let index = entries.index(forKey: key),
            let place = entries.values[index].wantedBy.firstIndex(of: router)
        else { return }
        entries.values[index].wantedBy.remove(at: place)
        if entries.values[index].wantedBy.isEmpty {
            entries.values[index].life = nextLife()
            entries.values[index].retryAt = .zero
            entries.values[index].losses = 0
        }
        compare(index)
    }

    /// The object was left by a process before us.
    mutating func adopt(_ object: Object, from router: RouterID) {
        want(object, by: router)
        entries[object.key]?.isOurs = true
        release(object.key, by: router)
    }

    /// What is wanted was left by a process before us.
    mutating func claim(_ key: Object.Key) { entries[key]?.isOurs = true }

    /// True when we added the object, or took it over.
    func isOurs(_ key: Object.Key) -> Bool { entries[key]?.isOurs ?? false }

    /// What is wrong with the object; nil when nothing is.
    func trouble(with key: Object.Key, at now: Instant) -> Trouble? {
        guard let entry = entries[key] else { return nil }
        if let refusal = entry.refusal { return .refused(entry.object, refusal) }
        guard entry.losses > KeeperTiming.patience, now < entry.lostAt + KeeperTiming.row else { return nil }
        return .takenOffAgainAndAgain(entry.object)
    }

    /// What can be wrong.
    enum Trouble: Hashable {
        /// The kernel refuses to add or remove it; tried again every second.
        case refused(Object, String)
        /// Somebody else takes it off again and again.
        case takenOffAgainAndAgain(Object)
    }

    /// What is wrong with the objects of routers that are gone.
    func trouble(besides known: (RouterID) -> Bool, at now: Instant) -> [Trouble] {
        open.filter { key in entries[key].map { !known($0.owner) } ?? false }.compactMap { trouble(with: $0, at: now) }
    }

    /// Keys of a router's objects that are still to be taken off.
    func lingering(of router: RouterID) -> [Object.Key] {
        open.filter { key in entries[key].map { $0.owner == router && $0.wantedBy.isEmpty } ?? false }
    }

    // MARK: What the kernel says

    /// A notification about an object has been applied to the table.
    mutating func heard(_ key: Object.Key, isGone: Bool, at now: Instant) {
        guard let index = entries.index(forKey: key) else { return }
        if isGone {
            var entry = entries.values[index]
            entry.isOutdated = false
            entry.life = nextLife()
            if now >= entry.goesUntil {
                if entry.isOurs, !entry.wantedBy.isEmpty {
                    entry.losses = now < entry.lostAt + KeeperTiming.row ? entry.losses + 1 : 1
                    entry.lostAt = now
                    let over = entry.losses - KeeperTiming.patience
                    entry.retryAt = over > 0 ? now + .seconds(1 << min(over - 1, 5)) : .zero
                    if over > 0 { fights.insert(key) }
                    taken.append((entry.owner, entry.object))
                }
                entry.isOurs = false
            }
            entries.values[index] = entry
        }
        compare(index)
    }

    /// The kernel took the object off because what it belonged to went.
    mutating func wentAlong(_ key: Object.Key) {
        guard let index = entries.index(forKey: key) else { return }
        entries.values[index].isOurs = false
        entries.values[index].life = nextLife()
        compare(index)
    }

    /// Its going will be our own doing. False when nobody wants it.
    mutating func expectLoss(of key: Object.Key, at now: Instant) -> Bool {
        guard let entry = entries[key], !entry.wantedBy.isEmpty else { return false }
        entries[key]?.goesUntil = now + KeeperTiming.notificationLimit
        return true
    }

    /// The table was read anew.
    mutating func tableReplaced(by table: LinkTable) {
        for index in entries.indices {
            if entries.values[index].isInDoubt { entries.values[index].isOurs = true }
            entries.values[index].isInDoubt = false
            if !entries.values[index].object.isPresent(in: table) {
                entries.values[index].isOurs = false
                entries.values[index].life = nextLife()
            }
            compare(index)
        }
    }

    // MARK: The difference

    /// What is to be asked of the kernel, each with its place in the order of wants.
    struct Differences {
        var removals: [(ordinal: Int, object: Object)] = []
        var additions: [(ordinal: Int, object: Object)] = []
    }

    /// True when `differences` would find something to look at.
    func isDue(at now: Instant) -> Bool { isDirty || deadline.map { $0 <= now } ?? false }

    mutating func differences(from table: LinkTable, at now: Instant) -> Differences {
        isDirty = false
        deadline = nil
        var result = Differences()
        for key in open {
            guard let index = entries.index(forKey: key) else {
                open.remove(key)
                continue
            }
            let entry = entries.values[index]
            switch (entry.wantedBy.isEmpty, entry.object.isPresent(in: table)) {
            case (false, true) where entry.isOutdated:
                guard isDue(entry.retryAt, at: now) else { continue }
                entries.values[index].goesUntil = now + KeeperTiming.notificationLimit
                result.removals.append((entry.ordinal, entry.object))
                result.additions.append((entry.ordinal, entry.object))
            case (false, true):
                arrivals.insert(key)
                settle(index)
            case (false, false) where !entry.object.isPossible(in: table):
                settle(index)
            case (false, false):
                if isDue(entry.retryAt, at: now) { result.additions.append((entry.ordinal, entry.object)) }
            case (true, true) where entry.isOurs || entry.isInDoubt:
                if isDue(entry.retryAt, at: now) { result.removals.append((entry.ordinal, entry.object)) }
            case (true, false) where entry.isInDoubt:
                continue
            case (true, _):
                settle(index)
                entries.remove(at: index)
                fights.remove(key)
            }
        }
        return result
    }

    /// The kernel did a change; the table has it already.
    mutating func done(_ change: Change<Object>) {
        guard let index = entries.index(forKey: change.object.key) else { return }
        switch change {
        case .add:
            entries.values[index].isOurs = true
            entries.values[index].isInDoubt = false
        case .delete:
            entries.values[index].isOurs = false
            entries.values[index].isOutdated = false
            entries.values[index].life = nextLife()
        }
        noteRefusal(nil, of: index)
        compare(index)
    }

    /// The kernel refused a change; `words` nil: because what it belongs to has just gone, which the kernel will say by itself.
    mutating func refused(_ change: Change<Object>, _ words: String?, at now: Instant) {
        guard let index = entries.index(forKey: change.object.key) else { return }
        entries.values[index].retryAt = now + KeeperTiming.retryInterval
        noteRefusal(words, of: index)
        compare(index)
    }

    /// Nobody knows whether the kernel did a change: what was to be added counts as ours, so that it is taken off where it is found.
    mutating func isUnknown(_ change: Change<Object>, _ words: String, at now: Instant) {
        if case .add(let object) = change, let index = entries.index(forKey: object.key) {
            entries.values[index].isOurs = true
            entries.values[index].isInDoubt = true
        }
        refused(change, words, at: now)
    }

    /// What is wanted and in place since this was last asked.
    mutating func takeArrivals() -> Set<Object.Key> {
        defer { arrivals.removeAll(keepingCapacity: true) }
        return arrivals
    }

    /// Hands over what moved and what was taken, and forgets it.
    mutating func news(at now: Instant) -> (moved: Set<RouterID>, taken: [(router: RouterID, object: Object)]) {
        for key in fights {
            guard let entry = entries[key] else {
                fights.remove(key)
                continue
            }
            guard now >= entry.lostAt + KeeperTiming.row else { continue }
            fights.remove(key)
            moved.insert(entry.owner)
        }
        defer {
            moved = []
            taken = []
        }
        return (moved, taken)
    }

    private mutating func compare(_ index: Dictionary<Object.Key, Entry>.Index) {
        compare(entries.keys[index], of: entries.values[index].owner)
    }

    private mutating func compare(_ key: Object.Key, of owner: RouterID) {
        open.insert(key)
        isDirty = true
        moved.insert(owner)
    }

    private mutating func settle(_ index: Dictionary<Object.Key, Entry>.Index) {
        open.remove(entries.keys[index])
        noteRefusal(nil, of: index)
    }

    private mutating func noteRefusal(_ words: String?, of index: Dictionary<Object.Key, Entry>.Index) {
        guard entries.values[index].refusal != words else { return }
        entries.values[index].refusal = words
        moved.insert(entries.values[index].owner)
    }

    private mutating func isDue(_ retryAt: Instant, at now: Instant) -> Bool {
        if retryAt <= now { return true }
        deadline = min(deadline ?? retryAt, retryAt)
        return false
    }
}
