// All virtual routers of one host as one value: their machines, sync groups, what they track, when they announce, which addresses they
// want. `handle` takes an event with its time and returns what to do; `deadline` says when to call with `.timer`. No sockets, no
// clock: the driver translates, and a test runs several directors against each other.
//
// This file holds the records and takes the events; Director+Events is the way of one, Director+Configuration goes over to a new
// configuration, Director+Links looks at interfaces, Director+Packets hears, Director+Announcements tells the link, Director+Groups keeps
// groups together, Director+View is what people see.

internal import Configuration
public import Net
public import Scripts

/// The virtual routers of a host.
public struct Director {
    /// One virtual router and what belongs to it.
    struct Router {
        let id: RouterID
        /// What makes it this virtual router; survives a renaming and a restart.
        let identity: VRRPInstanceConfiguration.Identity
        /// Its block.
        var block: VRRPInstanceConfiguration
        var machine: VirtualRouter
        var schedule: AnnouncementSchedule
        /// Its sync group's name.
        var group: String?
        /// Its own faults; those of its group are added when the machine is told.
        var faults: Set<Fault> = []
        /// How it speaks, or spoke last.
        var voice: Voice?
        /// The channels that it hears; none while it has none. With `use_vmac` also the macvlan while that is up: what comes from another
        /// router with the same MAC arrives there only.
        var channels: [ChannelKey] = []
        /// Its addresses where they belong now.
        var placed: [InterfaceAddress] = []
        /// The address of its ipvlan, which is there whoever is master.
        var resident: InterfaceAddress?
        /// The link-local addresses that its macvlans need besides.
        var implied: Set<AddressKey> = []
        /// Its addresses whose interface is not there.
        var unplaced: [(prefix: IPPrefix, device: String?)] = []
        /// Its routes and rules as they can be now.
        var routing = RoutingWants()
        /// The addresses are asked of the keeper.
        var isHolding = false
        /// Why its advertisements cannot be sent.
        var muteness: String?
        /// Unicast peers whose last advertisement had old keepalived's checksum: they understand no other.
        var oldPeers: Set<IPAddress> = []
        /// Other masters beside it, or senders that a backup does not understand.
        var rivalries = Rivalries()
        /// When its timer fired late last.
        var lateness = Lateness()
        /// Who was heard.
        var peers = PeerTable()
        /// AH: the virtual router's sequence number, the highest that was sent or heard.
        var sequence: UInt32 = 0
        /// AH: the highest that each sender has signed. Two masters that send at the same time would drop each other's for ever if one number
        /// stood for both.
        var sequences: [IPAddress: UInt32] = [:]
        /// Tracked scripts that it does not wait for any more, because scriptd is away: they have failed until they have run.
        var missedScripts: Set<String> = []
        /// `auth_hmac`: the numbers that were sent and heard.
        var replays = ReplayGuard()
        /// Addresses that do not fit an advertisement on its interface.
        var unadvertised = 0
    }

    /// Routers that share sockets.
    struct Channel {
        /// By virtual router ID; more than one only where unicast peers tell whose an advertisement is.
        var routers = [[RouterID]](repeating: [], count: 256)
        var count = 0
        var state = ChannelState.wanted
        /// Its filter does not fit its routers any more, or its buffer not what they ask for.
        var isMisfiltered = false
        /// The buffer that was asked for last.
        var buffer: Int?
    }

    var routers = RouterTable()
    /// In the configuration's order.
    public internal(set) var order: [RouterID] = []
    var channels: [ChannelKey: Channel] = [:]
    /// Some channel is to be opened or closed.
    public internal(set) var channelsChanged = false
    var failedChannels: Set<ChannelKey> = []
    var groups: [String: Group] = [:]
    /// In the configuration's order.
    var groupOrder: [String] = []
    var scripts = TrackedScripts()
    var notices = NoticeQueue<NoticeSubject>()
    /// Groups whose members this event moved, and what was last said of each group.
    var noticedGroups: Set<String> = []
    var groupStates: [String: StateName] = [:]
    /// Who tracks a script.
    var scriptTrackers: [String: Set<RouterID>] = [:]
    /// How what is watched stands, as last said.
    var reports: [Tracker: TrackerReport] = [:]
    /// Who tracks a thing.
    var trackerUsers: [Tracker: Set<RouterID>] = [:]
    /// What is tracked and taken to do no harm until something is known of it, as in `awaited(of:)`.
    var assumed: Set<String> = []
    var damping = LinkDamping()
    var rest = ConfigurationRest()
    var startupDelay = Duration.zero
    /// `vrrp_mcast_group4`: old keepalived has it in checksums over unicast.
    var group4 = Advertisement.group4
    /// How long elections wait for `startup_script` at most; nil: there is none.
    var startupPatience: Duration?
    /// A reload asks for all states in the pipes.
    var areStatesWanted = false
    var delayAfterBoot = Duration.zero
    /// `log_unknown_vrids`: channels hear everybody, and the virtual routers that were spoken of.
    var hearsForeign = false
    var saidForeign: Set<UInt8> = []
    /// Identities that an operator made step down, also while they are not configured.
    public internal(set) var steppedDown: Set<String> = []
    /// The kernel's interfaces and addresses as last heard.
    public internal(set) var table = LinkTable()
    var keeper = AddressKeeper()
    /// Addresses that all routers together would have.
    var placedCount = 0
    var pacer = AnnouncementPacer()
    var routing = RoutingKeeper()
    /// Whose routes are of interest: RTPROT_*.
    public internal(set) var routeOrigins: Set<UInt8> = [Route.ofVRRP]
    /// What follows no election.
    var statics = Statics()
    var virtualLinks: VirtualLinkKeeper
    var firewall = FirewallKeeper()
    /// Who looks at an interface, by its name.
    var dependents: [String: Set<RouterID>] = [:]
    /// Who has a virtual address.
    var virtualAddresses: [IPAddress: [RouterID]] = [:]
    /// Routers with `track_src_ip`.
    var sourceTrackers: Set<RouterID> = []
    var sources: [Int32: LinkSources] = [:]
    /// Routers of which something that people see has changed; the driver takes them out.
    public internal(set) var changed: Set<RouterID> = []

    // Kept rather than computed: the driver reads these after every packet, and a method of a value this large, called from another module,
    // copies the value.

    /// When to call `handle(.timer, …)`; may be earlier than anything is due, never later.
    public internal(set) var deadline: Instant?
    /// Since when scripts are not run for this host's fault, and why.
    public internal(set) var scriptHindrance: Hindrance?
    /// Since when programs are not told for this host's fault, and why.
    public internal(set) var noticeHindrance: Hindrance?
    /// Programs that cannot be run, by whom they would be told about.
    public internal(set) var noticeRefusals: [NoticeSubject: String] = [:]

    var queue = DeadlineQueue<RouterID>()
    var phase = Phase.waiting
    let isAlone: Bool
    let digest: KeyedDigest
    let wallTime: () -> WallTime
    var sealer: TrailerSealer
    var clock = AdvertisementClock()
    var lastID = 0
    /// Groups of the routers that this event touched.
    var touchedGroups: Set<String> = []
    /// What follows from takeovers whose advertisements are about to leave.
    var takeovers: [Takeover] = []
    var effects = Effects()

    /// Where a director is in its life.
    enum Phase: Equatable {
        case waiting
        /// `startup_script` runs.
        case preparing(since: Instant, until: Instant, uptime: Duration)
        /// `vrrp_startup_delay` and `vrrp_delay_after_boot`: held off since this time, on a machine that had been up for so long then.
        case delayed(since: Instant, uptime: Duration)
        case running
        case stopped
    }

    /// A director that has no routers and knows no interfaces.
    /// - Parameters:
    ///   - isAlone: no other vrrpd runs in this network namespace, so that marked addresses of no router are strays.
    ///   - digest: for `auth_type AH`.
    ///   - trailerDigest: for `auth_hmac`.
    ///   - wallTime: asked when an advertisement is signed, or a signed one is heard.
    public init(
        steppedDown: Set<String> = [], isAlone: Bool = true, digest: @escaping KeyedDigest = { _, _ in nil },
        trailerDigest: @escaping TrailerDigest = { _, _, _ in false },
        wallTime: @escaping () -> WallTime = { WallTime(nanoseconds: 0) }
    ) {
        self.digest = digest
        self.wallTime = wallTime
        sealer = TrailerSealer(trailerDigest)
        self.steppedDown = steppedDown
        self.isAlone = isAlone
        virtualLinks = VirtualLinkKeeper(isAlone: isAlone)
    }

    mutating func setDeadline() {
        var first = queue.first
        func consider(_ time: Instant?) {
            if let time { first = first.map { min($0, time) } ?? time }
        }
        consider(keeper.deadline)
        consider(keeper.held.calmAt)
        consider(pacer.deadline)
        consider(routing.deadline)
        consider(virtualLinks.deadline)
        consider(firewall.deadline)
        consider(channelRetry)
        consider(scripts.deadline)
        consider(notices.deadline)
        consider(damping.deadline)
        if case .preparing(_, let until, _) = phase { consider(until) }
        consider(delayedUntil)
        deadline = first
    }

    /// Lets something happen.
    public mutating func handle(_ event: Event, at now: Instant) -> Effects {
        if !takeovers.isEmpty { finishTakeovers(at: now) }
        switch event {
        case .packet(let bytes, let channel, let arrived, let isLast):
            received(bytes, through: channel, arrived: arrived, at: now)
            if !isLast {
                // The next one may be for a member that follows this one's.
                if !touchedGroups.isEmpty { settleGroups(at: now) }
                return Effects()
            }
        case .timer:
            routersAreDue(at: now)
            if !takeovers.isEmpty {
                defer { effects.sends = [] }
                var first = Effects()
                first.sends = effects.sends
                first.isUnfinished = true
                return first
            }
            othersAreDue(at: now)
        case .sent: othersAreDue(at: now)
        case .links(let events): heard(events, at: now)
        case .snapshot(let snapshot, let events): tableRead(snapshot, then: events, at: now)
        case .channel(let key, let failure): channelAnswered(key, failure, at: now)
        case .sending(let id, let failure): noteSending(id, failure)
        case .notified(let number, let report): notices.heard(report, of: number, at: now)
        case .script(let run, let report): scriptHeard(report, of: run, at: now)
        case .tracker(let tracker, let report): trackerHeard(report, of: tracker, at: now)
        case .changed(let changes, let refused): answered(changes, refused, at: now)
        case .linksChanged(let changes, let refused): answered(changes, refused, at: now)
        case .dropping(let rules, let failure): firewall.answered(rules, refusal: failure, at: now)
        case .rulesTouched: firewall.touched()
        case .changesUnknown(let changes, let words):
            for change in changes { areUnknown(change, words, at: now) }
            effects.isTableInDoubt = true
        case .routing(let snapshot):
            table.routing = RoutingTable(snapshot)
            routing.tableReplaced(by: table)
        case .start(let predecessors, let uptime): start(after: predecessors, uptime: uptime, at: now)
        case .prepared: prepared(at: now)
        case .configuration(let configuration): adopt(configuration, at: now)
        case .stepDown(let id): operate(on: id, at: now) { $0.stepDown(at: now) }
        case .resume(let id):
            operate(on: id, at: now) {
                $0.resume()
                return []
            }
        case .leave:
            for id in order {
                guard let router = routers[id], case .master = router.machine.state else { continue }
                run(id, at: now) { $0.advertise() }
            }
        case .stop: stop(at: now)
        }
        if case .packet = event {} else { reviewStaticNeeds(at: now) }
        return finish(at: now)
    }

    /// Hands over the routers of which something that people see has changed.
    public mutating func takeChanged() -> Set<RouterID> {
        defer { changed = [] }
        return changed
    }
}

extension Director.Router {
    var isMaster: Bool { if case .master = machine.state { true } else { false } }
}
