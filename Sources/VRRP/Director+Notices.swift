// What happens, as notices: for instances when their machine changes state, for groups when all that an event did to their members is done.
// keepalived's order is kept: members, then the group; at the start all groups first. Groups come in the configuration's order.

internal import Configuration
internal import Net
internal import Scripts

extension Director {
    /// A machine has changed its state.
    mutating func notice(_ transition: Transition, of router: Router, at now: Instant) {
        let kind: Notice.Kind =
            switch transition.to {
            case .master: .master
            case .backup: .backup
            case .fault: .fault
            // Removed by a reload; a program of its own says so, or it is a fault, as in keepalived.
            case .initialize where phase != .stopped: router.block.notify.saysDeleted ? .deleted : .fault
            case .initialize: .stop
            }
        notice(
            Notice(
                subject: .instance(router.block.name), kind: kind, previous: transition.from,
                priority: router.machine.priority, reason: "\(transition.cause)"),
            router.block.notify, in: .router(router.identity), at: now)
        if let group = router.group { noticedGroups.insert(group) }
    }

    /// The state goes on, and something else is to be said.
    mutating func notice(_ kind: Notice.Kind, of router: Router, _ reason: String, at now: Instant) {
        notice(
            Notice(
                subject: .instance(router.block.name), kind: kind, previous: router.machine.state.name,
                priority: router.machine.priority, reason: reason),
            router.block.notify, in: .router(router.identity), at: now)
    }

    /// The effective priority has changed.
    mutating func noticePriority(of router: Router, at now: Instant) {
        switch router.machine.state.name {
        case .master: notice(.masterPriority, of: router, "its priority changed", at: now)
        case .backup: notice(.backupPriority, of: router, "its priority changed", at: now)
        case .initialize, .fault: return
        }
    }

    private mutating func notice(
        _ notice: Notice, _ commands: NotifyCommands, in lane: NoticeLane, at now: Instant
    ) {
        effects.notices.append(notice)
        notices.add(notice, commands, in: lane, at: now)
    }

    /// The groups whose members have moved.
    mutating func noticeGroups(at now: Instant) {
        guard !noticedGroups.isEmpty else { return }
        var started = 0
        for name in groupOrder where noticedGroups.contains(name) {
            guard let group = groups[name] else { continue }
            let states = group.members.compactMap { routers[$0]?.machine.state.name }
            let state = Self.state(ofMembers: states)
            let before = groupStates[name] ?? .initialize
            guard state != before else { continue }
            groupStates[name] = state
            let kind: Notice.Kind =
                switch state {
                case .master: .master
                case .backup: .backup
                case .fault: .fault
                case .initialize: .stop
                }
            let notice = Notice(
                subject: .group(name), kind: kind, previous: before, priority: 0, reason: "follows its members")
            let members = Set(group.members.compactMap { routers[$0]?.block.name })
            let isStart = effects.notices.contains {
                $0.previous == .initialize && members.contains($0.subject.name)
            }
            if before == .initialize, isStart {
                effects.notices.insert(notice, at: started)
                started += 1
            } else {
                effects.notices.append(notice)
            }
            notices.add(notice, group.configuration.notify, in: .group(name), at: now)
        }
        noticedGroups = []
    }

    /// `notify_priority_changes` of the instance or its group.
    func notifiesPriorityChanges(_ router: Router) -> Bool {
        router.block.notifiesPriorityChanges
            || router.group.flatMap { groups[$0]?.configuration.notifiesPriorityChanges } ?? false
    }

    /// `fifo_write_vrrp_states_on_reload`: the pipes get all states, whether or not they have changed; programs are not told.
    mutating func sayStates() {
        guard areStatesWanted else { return }
        areStatesWanted = false
        func say(_ subject: NoticeSubject, _ state: StateName, _ priority: UInt8) {
            let kind: Notice.Kind
            switch state {
            case .master: kind = .master
            case .backup: kind = .backup
            case .fault: kind = .fault
            case .initialize: return
            }
            effects.notices.append(
                Notice(subject: subject, kind: kind, previous: state, priority: priority, reason: "reloaded"))
        }
        for name in groupOrder { if let state = groupStates[name] { say(.group(name), state, 0) } }
        for id in order {
            guard let router = routers[id] else { continue }
            say(.instance(router.block.name), router.machine.state.name, router.machine.priority)
        }
    }

    private static func state(ofMembers states: [StateName]) -> StateName {
        let states = states.filter { $0 != .initialize }
        if states.isEmpty { return .initialize }
        if states.contains(.fault) { return .fault }
        return states.allSatisfy { $0 == .master } ? .master : .backup
    }

    /// Takes over what is to be done for notices.
    mutating func takeNotices() {
        let (orders, remarks) = notices.take()
        effects.notifications += orders
        effects.remarks += remarks.map { remark in
            switch remark {
            case .leftOut(let subject, let count): .noticesLeftOut(subject, count)
            case .failed(let subject, let word, let outcome, let line):
                .notifyFailed(subject, word, outcome, lastLine: line)
            }
        }
    }

    /// Everything that is to be told has been told.
    public var hasToldAll: Bool { notices.isIdle }

    /// Who is told, from now on.
    mutating func adoptNotices(_ configuration: Configuration) {
        let instances = configuration.instances.map { (NoticeSubject.instance($0.name), $0.notify) }
        let groups = configuration.syncGroups.map { (NoticeSubject.group($0.name), $0.notify) }
        notices.adopt(Dictionary(instances + groups) { first, _ in first })
    }
}
