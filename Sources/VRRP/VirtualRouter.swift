// The virtual router machine of RFC 3768 §6.4 and RFC 9568 §6.4 with keepalived's additions. No clock and no sockets: an
// event comes in with the time, actions go out, `deadline` says when to call `timerExpired`. This file holds the state
// and the events from inside (start, stop, timer, faults, operator); advertisements are in VirtualRouter+Received.

public import Net

/// One virtual router on one interface.
public struct VirtualRouter: Sendable {
    /// The state, with what only that state needs.
    public enum State: Hashable, Sendable {
        /// Not started, or stopped.
        case initialize
        /// Started, but something that it needs is missing: see `faults`.
        case fault
        /// Listens.
        case backup(Backup)
        /// Holds the addresses and advertises.
        case master(advertiseAt: Instant)

        /// The state's name.
        public var name: StateName {
            switch self {
            case .initialize: .initialize
            case .fault: .fault
            case .backup: .backup
            case .master: .master
            }
        }
    }

    /// What a backup knows.
    public struct Backup: Hashable, Sendable {
        /// The master that it follows; nil until one was heard.
        public internal(set) var master: Peer?
        /// The master's interval: learned in version 3 (RFC 9568 §6.4.2), one's own in version 2.
        public internal(set) var interval: Duration
        /// When it, or another router, was last accepted as master, or gave up; when listening began.
        public internal(set) var heardAt: Instant
        /// The master sent priority 0.
        public internal(set) var hasGivenUp = false
        /// When the master counts as gone.
        public internal(set) var masterDownAt: Instant
        /// When `preempt_delay` ends; nil while no lower advertisement was heard.
        public internal(set) var preemptAt: Instant?
        /// The timer has run out; the sync group's other members have not agreed yet.
        public internal(set) var isReady = false
    }

    /// The parameters.
    public private(set) var configuration: RouterConfiguration
    /// The primary address of the interface, which breaks ties; nil while there is none.
    public var sourceAddress: IPAddress?
    /// The state.
    public internal(set) var state: State = .initialize
    /// Everything that keeps the router in FAULT.
    public private(set) var faults: Set<Fault> = []
    /// An operator asked it to step down: it advertises priority 1 and never preempts until it is resumed.
    public private(set) var isSteppedDown: Bool
    /// Sum of the weights of what is tracked; effective only below priority 255.
    public private(set) var weight = 0
    /// The counters.
    public internal(set) var statistics = Statistics()

    /// A router that was not started yet.
    public init(_ configuration: RouterConfiguration, sourceAddress: IPAddress? = nil, isSteppedDown: Bool = false) {
        self.configuration = configuration
        self.sourceAddress = sourceAddress
        self.isSteppedDown = isSteppedDown
    }

    /// The priority that is advertised: base plus weights, clamped to 1...254; an owner's stays 255.
    public var priority: UInt8 {
        if isSteppedDown { return 1 }
        if configuration.priority == 255 { return 255 }
        return UInt8(clamping: min(max(Int(configuration.priority) + weight, 1), 254))
    }

    /// When to call `timerExpired`; nil when no timer runs.
    public var deadline: Instant? {
        switch state {
        case .initialize, .fault: nil
        case .backup(let backup): backup.masterDownAt
        case .master(let advertiseAt): advertiseAt
        }
    }

    /// How long after a master's last advertisement this router takes over: in the master's interval where that was
    /// learned, else in its own.
    public var masterDownInterval: Duration {
        if case .backup(let backup) = state { return masterDown(interval: backup.interval) }
        return masterDown(interval: configuration.interval)
    }

    // MARK: Events

    /// RFC 9568 §6.4.1, "Initialize": a Startup event. An owner is master at once; the others listen first, whatever
    /// the configured initial state says.
    /// - Parameter continuing: the daemon was master less than a master-down interval ago and its addresses are still
    ///   in place: nobody has noticed, go on.
    public mutating func start(at now: Instant, continuing: Bool = false) -> [Action] {
        guard state == .initialize else { return [] }
        guard faults.isEmpty else { return enter(.fault, faults.min().map(Cause.fault) ?? .started) }
        if continuing { return becomeMaster(.continued, at: now) }
        return listen(.started, at: now)
    }

    /// A Shutdown event: a master gives up with priority 0 before its addresses go (RFC 9568 §6.4.3).
    public mutating func stop() -> [Action] {
        guard state != .initialize else { return [] }
        return giveUp() + enter(.initialize, .stopped)
    }

    /// The timer of `deadline` fired. In a grouped router the master-down timer only makes it ready: see `Director`.
    public mutating func timerExpired(at now: Instant) -> [Action] {
        switch state {
        case .initialize, .fault:
            return []
        case .backup(var backup):
            guard now >= backup.masterDownAt else { return [] }
            guard configuration.isGrouped else { return becomeMaster(backup.end(at: now), at: now) }
            backup.isReady = true
            backup.masterDownAt = now + masterDown(interval: backup.interval)
            state = .backup(backup)
            return []
        case .master(let advertiseAt):
            guard now >= advertiseAt else { return [] }
            let next = advertiseAt + configuration.interval
            state = .master(advertiseAt: next > now ? next : now + configuration.interval)
            return [send(priority)]
        }
    }

    /// The router's timer was due long ago: this host was paused, or had too much to do. Anything else that happens comes after this.
    /// With `timer_expired_backup` a master that another router may have taken for dead gives way (RFC 9568 §6.1, Active_Down_Interval of
    /// that router); else it goes on.
    public mutating func overslept(at now: Instant) -> [Action] {
        guard case .master(let advertiseAt) = state, let other = configuration.yieldsTo else { return [] }
        let patience = Timing.masterDown(
            configuration.version, priority: other, interval: configuration.interval,
            missed: configuration.missedAdvertisements)
        guard now - advertiseAt + configuration.interval >= patience else { return [] }
        return giveUp() + enter(.backup(freshBackup(at: now)), .late(now - advertiseAt))
    }

    /// Everything that the router needs and does not have, as it is now. A master gives up; after the last fault the router starts over
    /// as at startup.
    public mutating func faultsChanged(to faults: Set<Fault>, at now: Instant) -> [Action] {
        guard faults != self.faults else { return [] }
        let news = faults.subtracting(self.faults).min() ?? faults.min()
        self.faults = faults
        switch state {
        case .initialize:
            return []
        case .fault:
            return faults.isEmpty ? listen(.faultsEnded, at: now) : []
        case .backup, .master:
            guard let news else { return [] }
            return giveUp() + enter(.fault, .fault(news))
        }
    }

    /// The sum of tracked weights changed. A running master-down timer moves by the difference of the skews.
    public mutating func weightChanged(to weight: Int) {
        adjustingTimer { $0.weight = weight }
    }

    /// An operator hands the addresses to another router. Without one, this router takes them back after its own
    /// master-down interval at priority 1: an outage helps nobody.
    public mutating func stepDown(at now: Instant) -> [Action] {
        guard !isSteppedDown else { return [] }
        guard case .master = state else {
            adjustingTimer { $0.isSteppedDown = true }
            return []
        }
        let actions = giveUp()
        isSteppedDown = true
        return actions + enter(.backup(freshBackup(at: now)), .steppedDown)
    }

    /// An operator takes `stepDown` back; the election goes on with the configured priority.
    public mutating func resume() {
        adjustingTimer { $0.isSteppedDown = false }
    }

    /// New parameters for the same virtual router: state and counters stay, a master says so at once.
    public mutating func reconfigure(_ configuration: RouterConfiguration, at now: Instant) -> [Action] {
        guard configuration != self.configuration else { return [] }
        let before = masterDownInterval
        adjustingTimer { $0.configuration = configuration }
        waitAnew(insteadOf: before, at: now)
        guard case .master = state else { return [] }
        state = .master(advertiseAt: now + configuration.interval)
        return [send(priority)]
    }

    /// One more advertisement, out of turn; a router that is not master has nothing to say.
    mutating func advertise() -> [Action] {
        guard case .master = state else { return [] }
        return [send(priority)]
    }

    // MARK: For the sync group

    /// All members of the group are ready: become master.
    mutating func joinGroupAsMaster(at now: Instant) -> [Action] {
        guard case .backup(let backup) = state, backup.isReady else { return [] }
        return becomeMaster(.group, at: now)
    }

    /// Another member became backup. Where a router won there, it takes this one too: no priority 0. Where nobody did (`givingUp`), the
    /// others are told to hurry.
    mutating func followGroupToBackup(givingUp: Bool, at now: Instant) -> [Action] {
        guard case .master = state else { return [] }
        let actions = givingUp ? giveUp() : []
        return actions + enter(.backup(freshBackup(at: now)), .group)
    }

    /// The router is new in a group whose other members are master: it joins them at once.
    mutating func becomeReady() {
        guard case .backup(var backup) = state else { return }
        backup.isReady = true
        state = .backup(backup)
    }

    // MARK: Transitions

    /// Enters a state: the only place where its name changes.
    mutating func enter(_ next: State, _ cause: Cause) -> [Action] {
        let from = state.name
        if from == .master { statistics.releasedMaster += 1 }
        if next == .fault { statistics.becameFault += 1 }
        state = next
        statistics.forgetRefusals()
        return [.report(Transition(from: from, to: next.name, cause: cause))]
    }

    /// RFC 9568 §6.4.2, timer fired: advertise, take the addresses, announce them.
    private mutating func becomeMaster(_ cause: Cause, at now: Instant) -> [Action] {
        statistics.becameMaster += 1
        if case .backup(let backup) = state, backup.master != nil { statistics.latestTakeover = now - backup.heardAt }
        let actions = [send(priority), .announce(.becameMaster)]
        return actions + enter(.master(advertiseAt: now + configuration.interval), cause)
    }

    /// RFC 9568 §6.4.1: an owner becomes master, another router becomes backup.
    private mutating func listen(_ cause: Cause, at now: Instant) -> [Action] {
        guard priority == 255 else { return enter(.backup(freshBackup(at: now)), cause) }
        guard configuration.isGrouped else { return becomeMaster(.owner, at: now) }
        var backup = freshBackup(at: now)
        backup.isReady = true
        return enter(.backup(backup), cause)
    }

    /// Leaves mastership while nobody else has it yet.
    private mutating func giveUp() -> [Action] {
        guard case .master = state else { return [] }
        return [send(0)]
    }

    private func freshBackup(at now: Instant) -> Backup {
        Backup(
            master: nil, interval: configuration.interval, heardAt: now,
            masterDownAt: now + masterDown(interval: configuration.interval))
    }

    /// Changes what the priority depends on; a running master-down timer moves with the skew.
    private mutating func adjustingTimer(_ change: (inout VirtualRouter) -> Void) {
        guard case .backup(var backup) = state else {
            change(&self)
            return
        }
        let before = skew(interval: backup.interval)
        change(&self)
        backup.masterDownAt = backup.masterDownAt + (skew(interval: backup.interval) - before)
        state = .backup(backup)
    }

    /// One's own interval was edited and is the one in force: version 2, or no master heard yet. A shorter wait counts from now, so that a
    /// master that is edited too still has its time; a longer one counts from what was last heard.
    private mutating func waitAnew(insteadOf before: Duration, at now: Instant) {
        guard case .backup(var backup) = state, backup.interval != configuration.interval,
            configuration.version == .v2 || backup.master == nil
        else { return }
        backup.interval = configuration.interval
        let wait = masterDown(interval: backup.interval)
        if wait < before {
            backup.masterDownAt = min(backup.masterDownAt, now + wait)
        } else if !backup.hasGivenUp {
            backup.masterDownAt = max(backup.masterDownAt, backup.heardAt + wait)
        }
        state = .backup(backup)
    }

    mutating func send(_ priority: UInt8) -> Action {
        statistics.sent += 1
        if priority == 0 { statistics.priorityZeroSent += 1 }
        return .send(priority: priority)
    }

    func skew(interval: Duration) -> Duration {
        Timing.skew(configuration.version, priority: priority, interval: interval)
    }

    /// When the master is given up that was heard last then.
    func masterDown(after heard: Instant, interval: Duration) -> Instant {
        heard.advanced(
            byNanoseconds: Timing.masterDown(
                configuration.version, priority: priority, interval.nanoseconds,
                missed: configuration.missedAdvertisements))
    }

    func masterDown(interval: Duration) -> Duration {
        Timing.masterDown(
            configuration.version, priority: priority, interval: interval, missed: configuration.missedAdvertisements)
    }
}
