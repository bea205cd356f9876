// The virtual routers of one daemon and the sync groups that tie some of them together (keepalived's vrrp_sync_group):
// members become master together, become backup together and are in FAULT together. Every event goes through `apply`,
// which lets the group's other members follow in the same turn.

public import Net

/// Routers by name, with their groups.
public struct RouterSet: Sendable {
    /// One router's actions.
    public typealias Outcome = (router: String, actions: [Action])

    private var routers: [String: VirtualRouter] = [:]
    private var groups: [String: [String]] = [:]

    /// An empty set.
    public init() {}

    /// The router of that name.
    public subscript(name: String) -> VirtualRouter? { routers[name] }

    /// Adds or replaces a router; its state comes with it.
    public mutating func insert(_ router: VirtualRouter, named name: String) {
        routers[name] = router
    }

    /// Forgets a router that was stopped.
    public mutating func remove(_ name: String) {
        routers[name] = nil
    }

    /// Replaces the groups: group name to members.
    public mutating func setGroups(_ groups: [String: [String]]) {
        self.groups = groups
    }

    /// The members that move with `name`, itself included.
    public func companions(of name: String) -> [String] {
        group(of: name)?.members ?? [name]
    }

    /// Lets an event happen to a router, then lets its group follow.
    /// - Returns: the actions of every router that was touched, the first one first. Also where there is nothing to do: its deadline may
    ///   have moved.
    public mutating func apply(
        to name: String, at now: Instant, _ event: (inout VirtualRouter) -> [Action]
    ) -> [Outcome] {
        guard let before = routers[name]?.state.name else { return [] }
        var outcomes: [Outcome] = []
        perform(on: name, &outcomes, event)
        guard let group = group(of: name) else { return outcomes }
        shareFaults(of: group, at: now, &outcomes)
        if before == .master, case .backup = routers[name]?.state {
            for member in group.members where member != name {
                perform(on: member, &outcomes) { $0.followGroupToBackup(at: now) }
            }
        }
        goMasterTogether(group, at: now, &outcomes)
        return outcomes
    }

    private func group(of name: String) -> (name: String, members: [String])? {
        groups.first { $0.value.contains(name) }.map { ($0.key, $0.value) }
    }

    private mutating func perform(
        on name: String, _ outcomes: inout [Outcome], _ event: (inout VirtualRouter) -> [Action]
    ) {
        guard let actions = routers.update(name, event) else { return }
        outcomes.append((name, actions))
    }

    /// A member is in FAULT as long as another member has a fault of its own.
    private mutating func shareFaults(
        of group: (name: String, members: [String]), at now: Instant, _ outcomes: inout [Outcome]
    ) {
        let faulty = group.members.filter { routers[$0]?.hasOwnFault ?? false }
        for member in group.members {
            let othersFail = faulty.contains { $0 != member }
            perform(on: member, &outcomes) {
                othersFail ? $0.faultBegan(.group(group.name)) : $0.faultEnded(.group(group.name), at: now)
            }
        }
    }

    /// All members become master in one turn, once each of them either is or is ready.
    private mutating func goMasterTogether(
        _ group: (name: String, members: [String]), at now: Instant, _ outcomes: inout [Outcome]
    ) {
        guard group.members.allSatisfy({ routers[$0]?.isMasterOrReady ?? true }) else { return }
        for member in group.members {
            perform(on: member, &outcomes) { $0.joinGroupAsMaster(at: now) }
        }
    }
}

extension [String: VirtualRouter] {
    /// Runs an event on the value in place.
    fileprivate mutating func update(_ name: String, _ event: (inout VirtualRouter) -> [Action]) -> [Action]? {
        guard let index = index(forKey: name) else { return nil }
        return event(&values[index])
    }
}

extension VirtualRouter {
    fileprivate var hasOwnFault: Bool { faults.contains { !$0.isOfGroup } }

    fileprivate var isMasterOrReady: Bool {
        switch state {
        case .initialize, .fault: false
        case .backup(let backup): backup.isReady
        case .master: true
        }
    }
}
