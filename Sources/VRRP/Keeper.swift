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

    mutating func want(_ object: Object, by router: RouterID) {
        let key = object.key
        if entries[key] == nil {
            counter += 1
            entries[key] = Entry(object: object, owner: router, ordinal: counter, life: nextLife())
        }
        guard var entry = entries[key] else { return }
        guard !entry.wantedBy.contains(router) else {
            guard entry.wantedBy == [router], entry.object != object else { return }
            entries[key]?.object = object
            entries[key]?.isOutdated = entry.isOurs
            return compare(key)
        }
        if entry.wantedBy.isEmpty { entry.retryAt = .zero }
        entry.object = object
        entry.wantedBy.append(router)
        entry.owner = router
        entries[key] = entry
        compare(key)
    }

    private mutating func nextLife() -> Int {
        lives += 1
        return lives
    }

    mutating func release(_ key: Object.Key, by router: RouterID) {
        guard var entry = entries[key], let index = entry.wantedBy.firstIndex(of: router) else { return }
        entry.wantedBy.remove(at: index)
        if entry.wantedBy.isEmpty {
            entry.life = nextLife()
            entry.retryAt = .zero
            entry.losses = 0
        }
        entries[key] = entry
        compare(key)
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
        guard var entry = entries[key] else { return }
        if isGone {
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
            entries[key] = entry
        }
        compare(key)
    }

    /// The kernel took the object off because what it belonged to went.
    mutating func wentAlong(_ key: Object.Key) {
        guard entries[key] != nil else { return }
        entries[key]?.isOurs = false
        let life = nextLife()
        entries[key]?.life = life
        compare(key)
    }

    /// Its going will be our own doing. False when nobody wants it.
    mutating func expectLoss(of key: Object.Key, at now: Instant) -> Bool {
        guard let entry = entries[key], !entry.wantedBy.isEmpty else { return false }
        entries[key]?.goesUntil = now + KeeperTiming.notificationLimit
        return true
    }

    /// The table was read anew.
    mutating func tableReplaced(by table: LinkTable) {
        for (key, entry) in entries {
            entries[key]?.isInDoubt = false
            if entry.isInDoubt { entries[key]?.isOurs = true }
            if !entry.object.isPresent(in: table) {
                entries[key]?.isOurs = false
                let life = nextLife()
                entries[key]?.life = life
            }
            compare(key)
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
            guard let entry = entries[key] else {
                open.remove(key)
                continue
            }
            switch (entry.wantedBy.isEmpty, entry.object.isPresent(in: table)) {
            case (false, true) where entry.isOutdated:
                guard isDue(entry.retryAt, at: now) else { continue }
                entries[key]?.goesUntil = now + KeeperTiming.notificationLimit
                result.removals.append((entry.ordinal, entry.object))
                result.additions.append((entry.ordinal, entry.object))
            case (false, true):
                arrivals.insert(key)
                settle(key)
            case (false, false) where !entry.object.isPossible(in: table):
                settle(key)
            case (false, false):
                if isDue(entry.retryAt, at: now) { result.additions.append((entry.ordinal, entry.object)) }
            case (true, true) where entry.isOurs || entry.isInDoubt:
                if isDue(entry.retryAt, at: now) { result.removals.append((entry.ordinal, entry.object)) }
            case (true, false) where entry.isInDoubt:
                continue
            case (true, _):
                settle(key)
                entries[key] = nil
                fights.remove(key)
            }
        }
        return result
    }

    /// The kernel did a change; the table has it already.
    mutating func done(_ change: Change<Object>) {
        let key = change.object.key
        guard entries[key] != nil else { return }
        switch change {
        case .add:
            entries[key]?.isOurs = true
            entries[key]?.isInDoubt = false
        case .delete:
            entries[key]?.isOurs = false
            entries[key]?.isOutdated = false
            let life = nextLife()
            entries[key]?.life = life
        }
        noteRefusal(nil, of: key)
        compare(key)
    }

    /// The kernel refused a change; `words` nil: because what it belongs to has just gone, which the kernel will say by itself.
    mutating func refused(_ change: Change<Object>, _ words: String?, at now: Instant) {
        let key = change.object.key
        guard entries[key] != nil else { return }
        entries[key]?.retryAt = now + KeeperTiming.retryInterval
        noteRefusal(words, of: key)
        compare(key)
    }

    /// Nobody knows whether the kernel did a change: what was to be added counts as ours, so that it is taken off where it is found.
    mutating func isUnknown(_ change: Change<Object>, _ words: String, at now: Instant) {
        if case .add(let object) = change {
            entries[object.key]?.isOurs = true
            entries[object.key]?.isInDoubt = true
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

    private mutating func compare(_ key: Object.Key) {
        open.insert(key)
        isDirty = true
        if let owner = entries[key]?.owner { moved.insert(owner) }
    }

    private mutating func settle(_ key: Object.Key) {
        open.remove(key)
        noteRefusal(nil, of: key)
    }

    private mutating func noteRefusal(_ words: String?, of key: Object.Key) {
        guard let entry = entries[key], entry.refusal != words else { return }
        entries[key]?.refusal = words
        moved.insert(entry.owner)
    }

    private mutating func isDue(_ retryAt: Instant, at now: Instant) -> Bool {
        if retryAt <= now { return true }
        deadline = min(deadline ?? retryAt, retryAt)
        return false
    }
}
