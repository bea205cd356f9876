// Generated from Sources/Bus/interfaces/io.evenkeel.Vrrp.varlink: change that and run `make generate`.
// The types of `io.evenkeel.Vrrp`; methods and errors are in VrrpAPI+Methods.swift.
public import JSON

/// Virtual routers of this director: who holds the virtual addresses, and why.
public enum VrrpAPI: ReloadableAPI {
    /// The interface.
    public static let interface = "io.evenkeel.Vrrp"

    /// A virtual router.
    /// Data of the event `io.evenkeel.vrrp.instance`.
    public struct Instance: JSONStructure, Hashable, Sendable {
        /// Its name in the configuration: "VI_1".
        public var name: String
        /// What is configured.
        public var context: InstanceContext
        /// What is going on.
        public var runtime: InstanceRuntime

        public init(name: String, context: InstanceContext, runtime: InstanceRuntime) {
            self.name = name
            self.context = context
            self.runtime = runtime
        }
    }

    /// What the configuration says about an instance.
    public struct InstanceContext: JSONStructure, Hashable, Sendable {
        /// The interface that speaks VRRP.
        public var interface: String?
        /// `use_vmac`: the macvlan that has the addresses.
        public var virtualInterface: String?
        /// Its hardware address: "00:00:5e:00:01:33".
        public var virtualMac: String?
        /// False = `no_accept`: packets to the addresses are dropped.
        public var accept: Bool?
        /// VRID, 1 to 255.
        public var virtualRouterId: Int?
        /// VRRP version, 2 or 3.
        public var version: Int?
        /// Of the virtual addresses.
        public var family: Family?
        /// `state` of the configuration: master or backup.
        public var initialState: State?
        /// 1 to 255; 255 owns the addresses.
        public var priority: Int?
        /// Between adverts as master.
        public var advertisementIntervalMilliseconds: Int?
        /// Takes over from a master of lower priority.
        public var preempt: Bool?
        /// How long it waits before it does.
        public var preemptDelayMilliseconds: Int?
        /// Source of the adverts.
        public var sourceAddress: String?
        /// Adverts go to these instead of the multicast group.
        public var unicastPeers: [String]?
        /// ADDR/LENGTH, in adverts.
        public var virtualAddresses: [String]?
        /// ADDR/LENGTH, held alike but not in adverts.
        public var excludedAddresses: [String]?
        /// Routes that the master has, as "ip route" names them.
        public var virtualRoutes: [String]?
        /// Routing rules that the master has, as "ip rule" names them.
        public var virtualRules: [String]?
        /// Interfaces whose loss counts.
        public var trackedInterfaces: [String]?
        /// The sync group it belongs to.
        public var syncGroup: String?

        public init(
            interface: String? = nil, virtualInterface: String? = nil, virtualMac: String? = nil, accept: Bool? = nil,
            virtualRouterId: Int? = nil, version: Int? = nil, family: Family? = nil, initialState: State? = nil,
            priority: Int? = nil, advertisementIntervalMilliseconds: Int? = nil, preempt: Bool? = nil,
            preemptDelayMilliseconds: Int? = nil, sourceAddress: String? = nil, unicastPeers: [String]? = nil,
            virtualAddresses: [String]? = nil, excludedAddresses: [String]? = nil, virtualRoutes: [String]? = nil,
            virtualRules: [String]? = nil, trackedInterfaces: [String]? = nil, syncGroup: String? = nil
        ) {
            self.interface = interface
            self.virtualInterface = virtualInterface
            self.virtualMac = virtualMac
            self.accept = accept
            self.virtualRouterId = virtualRouterId
            self.version = version
            self.family = family
            self.initialState = initialState
            self.priority = priority
            self.advertisementIntervalMilliseconds = advertisementIntervalMilliseconds
            self.preempt = preempt
            self.preemptDelayMilliseconds = preemptDelayMilliseconds
            self.sourceAddress = sourceAddress
            self.unicastPeers = unicastPeers
            self.virtualAddresses = virtualAddresses
            self.excludedAddresses = excludedAddresses
            self.virtualRoutes = virtualRoutes
            self.virtualRules = virtualRules
            self.trackedInterfaces = trackedInterfaces
            self.syncGroup = syncGroup
        }
    }

    /// State of an instance.
    public struct InstanceRuntime: JSONStructure, Hashable, Sendable {
        /// RFC 9568 state, or fault.
        public var state: State
        /// When that began: RFC 3339, UTC.
        public var since: String
        /// Why, for people: "no advert from 192.168.200.101 for 3.609 s".
        public var reason: String
        /// Priority after tracking.
        public var effectivePriority: Int
        /// Stepped down by Failover until Resume: priority 1.
        public var steppedDown: Bool
        /// What keeps it in fault, each for people.
        public var faults: [String]
        /// Address of the current master, if known and not this one.
        public var master: String?
        /// Priority of its last advert.
        public var masterPriority: Int?
        /// Silence after which a backup takes over.
        public var masterDownIntervalMilliseconds: Int?
        /// ADDR/LENGTH that are on the interface because of this instance.
        public var heldAddresses: [String]
        /// Routes that are in the kernel because of this instance.
        public var heldRoutes: [String]?
        /// Routing rules that are in the kernel because of this instance.
        public var heldRules: [String]?
        /// What is wrong with its routes and rules, each for people.
        public var routingTroubles: [String]?
        /// Since vrrpd started.
        public var statistics: InstanceStatistics
        /// Who was heard on this virtual router, the 32 latest.
        public var peers: [Peer]?
        /// Scripts that the instance or its sync group tracks; absent when there are none.
        public var scripts: [TrackedScript]?
        /// What else the instance or its sync group tracks; absent when there is nothing.
        public var trackers: [Tracker]?

        public init(
            state: State, since: String, reason: String, effectivePriority: Int, steppedDown: Bool, faults: [String],
            master: String? = nil, masterPriority: Int? = nil, masterDownIntervalMilliseconds: Int? = nil,
            heldAddresses: [String], heldRoutes: [String]? = nil, heldRules: [String]? = nil,
            routingTroubles: [String]? = nil, statistics: InstanceStatistics, peers: [Peer]? = nil,
            scripts: [TrackedScript]? = nil, trackers: [Tracker]? = nil
        ) {
            self.state = state
            self.since = since
            self.reason = reason
            self.effectivePriority = effectivePriority
            self.steppedDown = steppedDown
            self.faults = faults
            self.master = master
            self.masterPriority = masterPriority
            self.masterDownIntervalMilliseconds = masterDownIntervalMilliseconds
            self.heldAddresses = heldAddresses
            self.heldRoutes = heldRoutes
            self.heldRules = heldRules
            self.routingTroubles = routingTroubles
            self.statistics = statistics
            self.peers = peers
            self.scripts = scripts
            self.trackers = trackers
        }
    }

    /// Another host of the virtual router, or somebody who pretends to be one.
    public struct Peer: JSONStructure, Hashable, Sendable {
        /// Where its adverts come from.
        public var address: String
        /// Since its last advert.
        public var silentMilliseconds: Int
        /// Adverts accepted from it.
        public var advertisementsReceived: Int
        /// Priority of the last accepted one; 0 = it gave up.
        public var priority: Int?
        /// VRRP version of the last accepted one.
        public var version: Int?
        /// The interval that it gave.
        public var advertisementIntervalMilliseconds: Int?
        /// How it makes the checksum, where version 3 over IPv4 leaves a choice.
        public var checksum: Checksum?
        /// Its adverts not acted on, by reason, as in InstanceStatistics.
        public var discarded: [String: Int]
        /// Why its last advert was not acted on; absent when it was.
        public var refusal: String?

        public init(
            address: String, silentMilliseconds: Int, advertisementsReceived: Int, priority: Int? = nil,
            version: Int? = nil, advertisementIntervalMilliseconds: Int? = nil, checksum: Checksum? = nil,
            discarded: [String: Int], refusal: String? = nil
        ) {
            self.address = address
            self.silentMilliseconds = silentMilliseconds
            self.advertisementsReceived = advertisementsReceived
            self.priority = priority
            self.version = version
            self.advertisementIntervalMilliseconds = advertisementIntervalMilliseconds
            self.checksum = checksum
            self.discarded = discarded
            self.refusal = refusal
        }
    }

    /// Something tracked that is no script.
    public struct Tracker: JSONStructure, Hashable, Sendable {
        /// What it is.
        public var kind: TrackerKind
        /// Its name in the configuration.
        public var name: String
        /// How it stands.
        public var state: TrackerState
        /// When that began: RFC 3339, UTC; absent while nothing is known.
        public var since: String?
        /// Why it stands so, for people: "2 processes", "no such file".
        public var detail: String
        /// Change of priority; 0: a failure is a fault.
        public var weight: Int
        /// The weight changes its sign; without a weight being good is the fault.
        public var reverse: Bool
        /// What it changes the priority by now.
        public var effect: Int
        /// It is a fault now.
        public var fault: Bool
        /// Why it could not be looked at last time; its state stays as it was.
        public var hindrance: String?

        public init(
            kind: TrackerKind, name: String, state: TrackerState, since: String? = nil, detail: String, weight: Int,
            reverse: Bool, effect: Int, fault: Bool, hindrance: String? = nil
        ) {
            self.kind = kind
            self.name = name
            self.state = state
            self.since = since
            self.detail = detail
            self.weight = weight
            self.reverse = reverse
            self.effect = effect
            self.fault = fault
            self.hindrance = hindrance
        }
    }

    /// A tracked script.
    public struct TrackedScript: JSONStructure, Hashable, Sendable {
        /// Its name in the configuration.
        public var name: String
        /// What its runs say.
        public var state: ScriptState
        /// When that began: RFC 3339, UTC; absent before the first run has ended.
        public var since: String?
        /// Change of priority; 0: a failure is a fault.
        public var weight: Int
        /// Good and failed change places.
        public var reverse: Bool
        /// A run is under way.
        public var running: Bool
        /// What the last run came to, for people: "exit status 1", "not done in time".
        public var lastResult: String?
        /// The last line that it printed.
        public var lastLine: String?
        /// Why this host could not run it last time; its state stays as it was.
        public var hindrance: String?

        public init(
            name: String, state: ScriptState, since: String? = nil, weight: Int, reverse: Bool, running: Bool,
            lastResult: String? = nil, lastLine: String? = nil, hindrance: String? = nil
        ) {
            self.name = name
            self.state = state
            self.since = since
            self.weight = weight
            self.reverse = reverse
            self.running = running
            self.lastResult = lastResult
            self.lastLine = lastLine
            self.hindrance = hindrance
        }
    }

    /// Counters of an instance.
    public struct InstanceStatistics: JSONStructure, Hashable, Sendable {
        /// Adverts sent.
        public var advertisementsSent: Int
        /// Adverts received and accepted.
        public var advertisementsReceived: Int
        /// Transitions to master.
        public var becameMaster: Int
        /// Transitions from master.
        public var releasedMaster: Int
        /// Transitions to fault.
        public var becameFault: Int?
        /// Between the last advert of the master before and the latest takeover from it: nobody was master meanwhile.
        /// Absent: there was none.
        public var latestTakeoverMilliseconds: Int?
        /// Adverts of priority 0 sent.
        public var priorityZeroSent: Int
        /// Adverts of priority 0 received.
        public var priorityZeroReceived: Int
        /// Times its timer fired late by more than half an interval (50 ms to 1 s): this host was paused, or too busy.
        public var lateTimers: Int?
        /// By how much at most.
        public var longestLatenessMilliseconds: Int?
        /// Addresses that somebody else took off and that were put back.
        public var addressesPutBack: Int?
        /// Routes and rules that somebody else took off and that were put back.
        public var routesPutBack: Int?
        /// Adverts not acted on, by reason: length, timeToLive, source, version, type, checksum, virtualRouterID,
        /// authentication, interval; of auth_hmac: unsigned, malformedTrailer, stale, unknownKey, wrongHMAC, replay.
        /// Under addressList: acted on although their addresses differ.
        public var discarded: [String: Int]

        public init(
            advertisementsSent: Int, advertisementsReceived: Int, becameMaster: Int, releasedMaster: Int,
            becameFault: Int? = nil, latestTakeoverMilliseconds: Int? = nil, priorityZeroSent: Int,
            priorityZeroReceived: Int, lateTimers: Int? = nil, longestLatenessMilliseconds: Int? = nil,
            addressesPutBack: Int? = nil, routesPutBack: Int? = nil, discarded: [String: Int]
        ) {
            self.advertisementsSent = advertisementsSent
            self.advertisementsReceived = advertisementsReceived
            self.becameMaster = becameMaster
            self.releasedMaster = releasedMaster
            self.becameFault = becameFault
            self.latestTakeoverMilliseconds = latestTakeoverMilliseconds
            self.priorityZeroSent = priorityZeroSent
            self.priorityZeroReceived = priorityZeroReceived
            self.lateTimers = lateTimers
            self.longestLatenessMilliseconds = longestLatenessMilliseconds
            self.addressesPutBack = addressesPutBack
            self.routesPutBack = routesPutBack
            self.discarded = discarded
        }
    }

    /// A timer of an instance fired late: this host was paused, or too busy. The latest one; of an instance that is
    /// late all the time one in ten seconds.
    /// Data of the event `io.evenkeel.vrrp.late`.
    public struct LateTimer: JSONStructure, Hashable, Sendable {
        /// The instance.
        public var instance: String
        /// When it fired: RFC 3339, UTC.
        public var at: String
        /// By how much it was late.
        public var latenessMilliseconds: Int
        /// What the instance was.
        public var state: State
        /// It was master and gave way (timer_expired_backup).
        public var gaveWay: Bool
        /// Late timers since vrrpd started, this one included.
        public var count: Int

        public init(instance: String, at: String, latenessMilliseconds: Int, state: State, gaveWay: Bool, count: Int) {
            self.instance = instance
            self.at = at
            self.latenessMilliseconds = latenessMilliseconds
            self.state = state
            self.gaveWay = gaveWay
            self.count = count
        }
    }

    /// Another host is master of the same virtual router beside this one. Over when the event has no data.
    /// Data of the event `io.evenkeel.vrrp.masters`.
    public struct OtherMaster: JSONStructure, Hashable, Sendable {
        /// The instance.
        public var instance: String
        /// Where the other one's adverts come from.
        public var peer: String
        /// Since when both are known to be master: RFC 3339, UTC.
        public var since: String
        /// Why neither gives way: lowerPriority (the other one does not hear this one), or the reason why its adverts
        /// are dropped here, as in InstanceStatistics.
        public var reason: String
        /// The same for people.
        public var detail: String

        public init(instance: String, peer: String, since: String, reason: String, detail: String) {
            self.instance = instance
            self.peer = peer
            self.since = since
            self.reason = reason
            self.detail = detail
        }
    }

    /// Adverts of another host of the virtual router are dropped here. Over when the event has no data.
    /// Data of the event `io.evenkeel.vrrp.dropped`.
    public struct DroppedPeer: JSONStructure, Hashable, Sendable {
        /// The instance.
        public var instance: String
        /// Where the adverts come from.
        public var peer: String
        /// Since when: RFC 3339, UTC.
        public var since: String
        /// Why, as in InstanceStatistics.
        public var reason: String
        /// The same for people: "wrong password".
        public var detail: String
        /// How many of that reason were dropped so far.
        public var count: Int

        public init(instance: String, peer: String, since: String, reason: String, detail: String, count: Int) {
            self.instance = instance
            self.peer = peer
            self.since = since
            self.reason = reason
            self.detail = detail
            self.count = count
        }
    }

    /// A sign of life of vrrpd's loop, while it has BFD sessions: what it says of them holds for some intervals. Its
    /// subject is vrrpd.
    /// Data of the event `io.evenkeel.vrrp.heartbeat`.
    public struct Heartbeat: JSONStructure, Hashable, Sendable {
        /// Until the next.
        public var intervalSeconds: Int

        public init(intervalSeconds: Int) {
            self.intervalSeconds = intervalSeconds
        }
    }

    /// A BFD session (bfd_instance). Over when the event has no data: the session is not configured any more, or vrrpd
    /// was stopped.
    /// Data of the event `io.evenkeel.vrrp.bfd`.
    public struct BFDSession: JSONStructure, Hashable, Sendable {
        /// Its name in the configuration.
        public var name: String
        /// Address of the neighbor.
        public var neighbor: String
        /// good is up. unknown: not up, which says nothing about the neighbor: the session has just begun, this host
        /// was paused, or hindrance.
        public var state: TrackerState
        /// Since when: RFC 3339, UTC.
        public var since: String
        /// Why, for people: "down: control detection time expired".
        public var detail: String
        /// Why this host cannot run it: another program has the port, or source_ip is not here.
        public var hindrance: String?

        public init(
            name: String, neighbor: String, state: TrackerState, since: String, detail: String, hindrance: String? = nil
        ) {
            self.name = name
            self.neighbor = neighbor
            self.state = state
            self.since = since
            self.detail = detail
            self.hindrance = hindrance
        }
    }
}
