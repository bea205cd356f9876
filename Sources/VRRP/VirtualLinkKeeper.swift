// Macvlans and ipvlans on interfaces, as AddressKeeper has addresses: what is wanted and what the kernel has are compared, after every event. A macvlan is
// there as long as its router is configured and the parent exists, and up only while the router is master: so a backup takes no frame that
// is sent to the virtual MAC (RFC 9568 §6.4.2) and sends none from it, and no switch learns that MAC at the wrong port.

internal import Net

/// Compares the macvlans of all routers with the kernel's table.
struct VirtualLinkKeeper {
    /// What a router wants.
    struct Want: Equatable {
        var links: [VirtualLink] = []
        /// The interface that is to have `promote_secondaries`.
        var promoted: Int32?
        /// The router is master.
        var isUp = false
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
    /// Interfaces that had no `promote_secondaries` before. Nobody knows them after a restart: then it stays.
    private var unpromoted: Set<Int32> = []
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

    mutating func want(_ want: Want, by router: RouterID) {
        guard !want.links.isEmpty || want.promoted != nil else { return release(by: router) }
        guard wants[router] != want else { return }
        wants[router] = want
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

    /// The macvlans of a router, as they are wanted.
    func wanted(by router: RouterID) -> [VirtualLink] { wants[router]?.links ?? [] }

    /// The kernel's words when it refused something about a router's macvlans, or (`ofPromotion`) `promote_secondaries`.
    func refusal(of router: RouterID, ofPromotion: Bool = false) -> String? {
        attempts.first {
            $0.value.router == router && $0.value.refusal != nil && $0.key.isPromotion == ofPromotion
        }?.value.refusal
    }

    /// All macvlans that are wanted. Routers may share one: it is up while one of them is master.
    private var links: [(link: VirtualLink, isUp: Bool, router: RouterID)] {
        var places: [String: Int] = [:]
        var links: [(link: VirtualLink, isUp: Bool, router: RouterID)] = []
        for (router, want) in wants.sorted(by: { $0.key < $1.key }) {
            for link in want.links {
                if let place = places[link.name] {
                    links[place].link.usesIPv6 = links[place].link.usesIPv6 || link.usesIPv6
                    links[place].isUp = links[place].isUp || want.isUp
                } else {
                    places[link.name] = links.count
                    links.append((link, want.isUp || link.isAlwaysUp, router))
                }
            }
        }
        return links
    }

    // MARK: What the kernel says

    /// An interface changed, came or went.
    mutating func heard(_ link: Link) {
        guard !wants.isEmpty || link.mark != nil || !before.isEmpty || !unpromoted.isEmpty else { return }
        forgetAnswered()
        isDirty = true
    }

    mutating func linkGone(_ index: Int32) {
        made.remove(index)
        unpromoted.remove(index)
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
        func ask(_ change: LinkChange, for router: RouterID) {
            guard asked.insert(change).inserted, isDue(change, router, at: now) else { return }
            changes.append(change)
        }
        for (link, isUp, router) in links {
            for change in differences(link, isUp, in: table) { ask(change, for: router) }
        }
        for (router, want) in wants.sorted(by: { $0.key < $1.key }) {
            guard let index = want.promoted, let link = table.links[index], link.ipv4?.promotesSecondaries == 0 else {
                continue
            }
            unpromoted.insert(index)
            ask(.configure(index, link.name, LinkSettings(ipv4: .promoting(true))), for: router)
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
        for (wanted, isUp, router) in links {
            guard let link = table.link(named: wanted.name), link.isThe(wanted) else { continue }
            kept.insert(link.index)
            if !isUp, link.isUp { removals.append((.set(link.index, isUp: false), router)) }
        }
        let promoted = Set(wants.values.compactMap(\.promoted))
        for index in unpromoted.subtracting(promoted).sorted() {
            if let link = table.links[index], link.ipv4?.promotesSecondaries == 1 {
                removals.append((.configure(index, link.name, LinkSettings(ipv4: .promoting(false))), .nobody))
            } else {
                unpromoted.remove(index)
            }
        }
        let ours = table.links.values.filter { isOurs($0) }.sorted { $0.index < $1.index }
        let leaving = ours.filter { !kept.contains($0.index) }
        for link in leaving {
            guard let parent = link.parent, link.isPrivateMacvlan else { continue }
            if before[parent] == nil { before[parent] = link.mark?.parent }
        }
        let used = Set(wants.values.flatMap { $0.links.filter { $0.mac != nil }.map(\.parent) })
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
    private mutating func differences(
        _ wanted: VirtualLink, _ isUp: Bool, in table: LinkTable
    ) -> [LinkChange] {
        guard let parent = table.links[wanted.parent] else { return [] }
        guard let link = table.link(named: wanted.name) else { return [.create(wanted)] }
        guard link.isThe(wanted) else { return isOurs(link) ? [.delete(link.index)] : [] }
        made.insert(link.index)
        var changes: [LinkChange] = []
        switch wanted.kind {
        case .macvlan:
            let original =
                before[parent.index] ?? link.mark?.parent ?? siblingMark(on: parent.index, in: table) ?? parent.ipv4
                ?? IPv4Settings()
            before[parent.index] = original.asParent
            let mark = VirtualLinkMark(parent: original, usesIPv6: wanted.usesIPv6).text
            let isSet = link.ipv4.map(IPv4Settings.ofVirtualLink.areMet) ?? true
            if link.alias != mark || !isSet || link.mtu != parent.mtu || link.master != wanted.vrf {
                var settings = LinkSettings(
                    alias: mark, mtu: parent.mtu, ipv4: .ofVirtualLink, ipv6: wanted.usesIPv6)
                if link.master != wanted.vrf { settings.vrf = wanted.vrf ?? 0 }
                changes.append(.configure(link.index, link.name, settings))
            }
            if let present = parent.ipv4, !IPv4Settings.ofParent.areMet(by: present) {
                changes.append(.configure(parent.index, parent.name, LinkSettings(ipv4: .ofParent)))
            }
        case .ipvlan(let flags):
            // Its hardware address is the parent's: neighbours learn the same one from both.
            let mark = VirtualLinkMark(parent: IPv4Settings(), usesIPv6: true).text
            if link.alias != mark || link.mtu != parent.mtu || link.master != wanted.vrf
                || link.kind != .ipvlan(flags: flags)
            {
                var settings = LinkSettings(alias: mark, mtu: parent.mtu, ipv4: .unchanged)
                settings.ipvlanFlags = flags
                if link.master != wanted.vrf { settings.vrf = wanted.vrf ?? 0 }
                changes.append(.configure(link.index, link.name, settings))
            }
        }
        if changes.isEmpty, isUp, !link.isUp { changes.append(.set(link.index, isUp: true)) }
        return changes
    }

    private func siblingMark(on parent: Int32, in table: LinkTable) -> IPv4Settings? {
        table.links.values.first { $0.parent == parent && $0.isPrivateMacvlan && $0.mark != nil }?.mark?.parent
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
    /// It is about `promote_secondaries`.
    fileprivate var isPromotion: Bool {
        switch self {
        case .configure(_, _, let settings): settings.alias == nil && settings.ipv4.arpIgnore == nil
        case .create, .set, .delete: false
        }
    }

    /// It belongs to what is done after addresses are taken off.
    fileprivate var isRemoval: Bool {
        switch self {
        case .create, .set(_, isUp: true): false
        case .configure(_, _, let settings):
            settings.alias == nil && settings.ipv4 != .ofParent && settings.ipv4 != .promoting(true)
        case .set(_, isUp: false), .delete: true
        }
    }
}
