// Macvlans on interfaces, as AddressKeeper has addresses: what is wanted and what the kernel has are compared, after every event. A macvlan is
// there as long as its router is configured and the parent exists, and up only while the router is master: so a backup takes no frame that
// is sent to the virtual MAC (RFC 9568 §6.4.2) and sends none from it, and no switch learns that MAC at the wrong port.

internal import Net

/// Compares the macvlans of all routers with the kernel's table.
struct VirtualLinkKeeper {
    private struct Want {
        var link: VirtualLink
        /// The router is master.
        var isUp: Bool
    }

    /// A change that was asked for and is not seen yet, or was refused.
    private struct Attempt {
        var retryAt: Instant
        var refusal: String?
        var router: RouterID
    }

    /// A refused change is asked for again after this; the kernel's notification of one that was done comes before.
    static let retryInterval = Duration.seconds(1)

    private var wants: [RouterID: Want] = [:]
    private var attempts: [LinkChange: Attempt] = [:]
    /// How parents were before.
    private var before: [Int32: IPv4Settings] = [:]
    /// Macvlans that this process made or took over.
    private var made: Set<Int32> = []
    private var isDirty = false
    /// Routers for which something was refused that is not needed any more.
    private var mended: Set<RouterID> = []
    /// Nobody else here marks macvlans: those of no router are left over from an earlier process.
    let isAlone: Bool
    /// When to plan although nothing has happened.
    private(set) var deadline: Instant?

    init(isAlone: Bool) {
        self.isAlone = isAlone
    }

    // MARK: What is wanted

    mutating func want(_ link: VirtualLink, isUp: Bool, by router: RouterID) {
        guard wants[router]?.link != link || wants[router]?.isUp != isUp else { return }
        wants[router] = Want(link: link, isUp: isUp)
        isDirty = true
    }

    mutating func release(by router: RouterID) {
        guard wants.removeValue(forKey: router) != nil else { return }
        isDirty = true
    }

    /// A router became master, or is not any more.
    mutating func set(isUp: Bool, of router: RouterID) {
        guard let want = wants[router], want.isUp != isUp else { return }
        wants[router]?.isUp = isUp
        isDirty = true
    }

    /// The macvlan of a router, as it is wanted.
    func wanted(by router: RouterID) -> VirtualLink? { wants[router]?.link }

    /// The kernel's words when it refused something for the router.
    func refusal(of router: RouterID) -> String? {
        attempts.values.first { $0.router == router && $0.refusal != nil }?.refusal
    }

    // MARK: What the kernel says

    /// An interface changed, came or went.
    mutating func heard(_ link: Link) {
        guard !wants.isEmpty || link.mark != nil || !before.isEmpty else { return }
        forgetAnswered()
        isDirty = true
    }

    mutating func linkGone(_ index: Int32) {
        made.remove(index)
        before[index] = nil
        guard !wants.isEmpty || !before.isEmpty else { return }
        forgetAnswered()
        isDirty = true
    }

    /// What was done is seen now, or undone. Settings that do not stay are made again once a second only: they may be another manager's.
    private mutating func forgetAnswered() {
        attempts = attempts.filter { change, attempt in
            if case .configure = change { return true }
            return attempt.refusal != nil
        }
    }

    mutating func tableReplaced() {
        attempts = [:]
        isDirty = true
    }

    /// The kernel did a change, or refused it (`refusal`).
    /// - Returns: the router that it was for.
    mutating func answered(_ change: LinkChange, refusal: String?, at now: Instant) -> RouterID? {
        guard let router = attempts[change]?.router else { return nil }
        attempts[change] = Attempt(retryAt: now + Self.retryInterval, refusal: refusal, router: router)
        isDirty = true
        return router
    }

    // MARK: The difference

    /// What to ask before addresses are added: macvlans, their settings and their parents', and that they are up.
    mutating func plan(against table: LinkTable, at now: Instant) -> [LinkChange] {
        guard isDirty || deadline.map({ $0 <= now }) ?? false else { return [] }
        isDirty = true
        deadline = nil
        var changes: [LinkChange] = []
        var asked: Set<LinkChange> = []
        for (router, want) in wants.sorted(by: { $0.key < $1.key }) {
            for change in differences(want, in: table) {
                asked.insert(change)
                if isDue(change, router, at: now) { changes.append(change) }
            }
        }
        // What is not asked for any more has no refusal either; removals are looked at below.
        for (change, attempt) in attempts where !asked.contains(change) && !change.isRemoval {
            attempts[change] = nil
            if attempt.refusal != nil { mended.insert(attempt.router) }
        }
        return changes
    }

    /// Hands over whose trouble is over.
    mutating func takeMended() -> [RouterID] {
        defer { mended = [] }
        return mended.sorted()
    }

    /// What to ask when addresses have been taken off: macvlans down or deleted, parents as they were.
    mutating func planRemovals(against table: LinkTable, at now: Instant) -> [LinkChange] {
        guard isDirty else { return [] }
        isDirty = false
        var removals: [(LinkChange, RouterID)] = []
        var kept: Set<Int32> = []
        for (router, want) in wants.sorted(by: { $0.key < $1.key }) {
            guard let link = table.link(named: want.link.name), link.isThe(want.link) else { continue }
            kept.insert(link.index)
            if !want.isUp, link.isUp { removals.append((.set(link.index, isUp: false), router)) }
        }
        let ours = table.links.values.filter { isOurs($0) }.sorted { $0.index < $1.index }
        let leaving = ours.filter { !kept.contains($0.index) }
        for link in leaving {
            if let parent = link.parent, before[parent] == nil { before[parent] = link.mark?.parent }
        }
        let used = Set(wants.values.map(\.link.parent))
        var changed: Set<Int32> = []
        for (index, settings) in before where !used.contains(index) {
            if let parent = table.links[index], let present = parent.ipv4, !settings.areMet(by: present) {
                changed.insert(index)
                removals.append((.configure(index, parent.name, LinkSettings(ipv4: settings)), .nobody))
            } else if !leaving.contains(where: { $0.parent == index }) {
                before[index] = nil
            }
        }
        for link in leaving {
            // How the parent was stands in the alias: the macvlan goes when the parent is that again, for it may be another process's work.
            if link.parent.map(changed.contains) ?? false {
                if link.isUp { removals.append((.set(link.index, isUp: false), .nobody)) }
            } else {
                removals.append((.delete(link.index), .nobody))
            }
        }
        let asked = Set(removals.map(\.0))
        attempts = attempts.filter { asked.contains($0.key) || !$0.key.isRemoval }
        return removals.filter { isDue($0.0, $0.1, at: now) }.map(\.0)
    }

    /// What lies between a wanted macvlan and the table, one step at a time: a macvlan is configured when it is there and set up when it is right.
    private mutating func differences(_ want: Want, in table: LinkTable) -> [LinkChange] {
        guard let parent = table.links[want.link.parent] else { return [] }
        guard let link = table.link(named: want.link.name) else { return [.create(want.link)] }
        guard link.isThe(want.link) else { return isOurs(link) ? [.delete(link.index)] : [] }
        made.insert(link.index)
        let original =
            before[parent.index] ?? link.mark?.parent ?? siblingMark(on: parent.index, in: table) ?? parent.ipv4
            ?? IPv4Settings()
        before[parent.index] = original.asParent
        var changes: [LinkChange] = []
        let mark = VirtualLinkMark(parent: original, usesIPv6: want.link.usesIPv6).text
        let isSet = link.ipv4.map(IPv4Settings.ofVirtualLink.areMet) ?? true
        if link.alias != mark || !isSet || link.mtu != parent.mtu {
            let settings = LinkSettings(
                alias: mark, mtu: parent.mtu, ipv4: .ofVirtualLink, ipv6: want.link.usesIPv6)
            changes.append(.configure(link.index, link.name, settings))
        }
        if let present = parent.ipv4, !IPv4Settings.ofParent.areMet(by: present) {
            changes.append(.configure(parent.index, parent.name, LinkSettings(ipv4: .ofParent)))
        }
        if changes.isEmpty, want.isUp, !link.isUp { changes.append(.set(link.index, isUp: true)) }
        return changes
    }

    private func siblingMark(on parent: Int32, in table: LinkTable) -> IPv4Settings? {
        table.links.values.first { $0.parent == parent && $0.mark != nil }?.mark?.parent
    }

    private func isOurs(_ link: Link) -> Bool { link.mark != nil && (isAlone || made.contains(link.index)) }

    private mutating func isDue(_ change: LinkChange, _ router: RouterID, at now: Instant) -> Bool {
        if let attempt = attempts[change], attempt.retryAt > now {
            deadline = deadline.map { min($0, attempt.retryAt) } ?? attempt.retryAt
            return false
        }
        let refusal = attempts[change]?.refusal
        attempts[change] = Attempt(retryAt: now + Self.retryInterval, refusal: refusal, router: router)
        return true
    }
}

extension LinkChange {
    /// It belongs to what is done after addresses are taken off.
    fileprivate var isRemoval: Bool {
        switch self {
        case .create, .set(_, isUp: true): false
        case .configure(_, _, let settings): settings.alias == nil && settings.ipv4 != .ofParent
        case .set(_, isUp: false), .delete: true
        }
    }
}
