// What happens to a director, and what it asks its driver to do.

public import Configuration
public import Net
public import Scripts

/// Something that happened.
public enum Event {
    /// A packet arrived through a channel, a while ago where that is known (else now). What follows from it is told with the last of those
    /// that were read together.
    case packet(ArraySlice<UInt8>, through: ChannelKey, arrived: Instant? = nil, isLast: Bool = true)
    /// `deadline` has come.
    case timer
    /// The advertisements of a takeover have left: what else follows from it. See `Effects.isUnfinished`.
    case sent
    /// Notifications of the kernel, oldest first.
    case links([RouteEvent])
    /// The kernel's table was read anew, and what was notified meanwhile.
    case snapshot(RouteSnapshot, then: [RouteEvent])
    /// A channel was opened, or could not be.
    case channel(ChannelKey, failure: String?)
    /// An advertisement could not be sent, or (nil) could again.
    case sending(RouterID, failure: String?)
    /// The runner says something about a program that is told: the job's number.
    case notified(Int, ScriptReport)
    /// The runner says something about a script.
    case script(ScriptRun, ScriptReport)
    /// A watcher says how something tracked stands.
    case tracker(Tracker, TrackerReport)
    /// The kernel's answer to the changes that were asked for: refused ones with the kernel's words (nil: the interface has just gone).
    case changed([KernelChange], refused: [KernelChange: String?])
    /// The kernel's answer to changes of interfaces: refused ones with the kernel's words.
    case linksChanged([LinkChange], refused: [LinkChange: String])
    /// The rules drop these addresses now, or could not be set.
    case dropping(DropRules, failure: String?)
    /// Somebody else changed the rules.
    case rulesTouched
    /// Nobody knows whether the kernel did the changes.
    case changesUnknown([KernelChange], String)
    /// Routes and rules were read anew.
    case routing(RoutingSnapshot)
    /// Take part. What a process before this one noted, by identity: see `Predecessor`; since when the machine is up.
    case start([String: Predecessor], uptime: Duration)
    /// `startup_script` is over.
    case prepared
    /// A new configuration.
    case configuration(Configuration)
    /// An operator hands the addresses of the router and its sync group to another director.
    case stepDown(RouterID)
    /// An operator takes that back.
    case resume(RouterID)
    /// Advertise once more: another process goes on.
    case leave
    /// Give up everything.
    case stop
}

/// What an earlier process noted about a router that it was master of.
public struct Predecessor: Hashable, Sendable {
    /// Since its last advertisement as master; nil when it had given up but perhaps still held addresses.
    public var silence: Duration?
    /// It marked the addresses that it added as its own, where the kernel can (5.18).
    public var marksAddresses: Bool
    /// `auth_hmac`: the sequence number that it signed with last. The clock may have been set back since.
    public var sequence: TrailerSequence?

    /// A note.
    public init(silence: Duration?, marksAddresses: Bool = true, sequence: TrailerSequence? = nil) {
        self.silence = silence
        self.marksAddresses = marksAddresses
        self.sequence = sequence
    }
}

/// What to do, in this order: the advertisement leaves first, because other routers wait for it, then addresses, then gratuitous ARP
/// (RFC 9568 §6.4.2). Remarks are for the end of the turn.
public struct Effects {
    /// An advertisement to send.
    public struct Sending: Sendable {
        /// Whose.
        public var router: RouterID
        /// What.
        public var advertisement: Advertisement
        /// To whom.
        public var delivery: AdvertDelivery
        /// With which checksum.
        public var checksum: ChecksumForm
        /// Unicast peers that get old keepalived's checksum, because they send it.
        public var oldPeers: Set<IPAddress>
        /// The group that is in that.
        public var group: IPv4Address
        /// The Authentication Header that it travels in.
        public var signature: HeaderSignature?
        /// The trailer of `auth_hmac`.
        public var trailer: TrailerSignature?
        /// Through what: a router that gives up speaks with the voice that it had. Nil when it never had one.
        public var voice: Voice?
    }

    /// Addresses to announce on one interface.
    public struct Announcing: Hashable, Sendable {
        /// On which interface, with its hardware address.
        public var link: Link
        /// What.
        public var addresses: [IPAddress]
        /// Frames of each, in rounds: every address once, then the repeats.
        public var count: Int
    }

    /// To send.
    public var sends: [Sending] = []
    /// There is nothing but `sends`, and `.sent` brings the rest: other routers do not wait until addresses have been compared.
    public var isUnfinished = false
    /// The addresses that rules are to drop packets of; answer with `.dropping`.
    public var drops: DropRules?
    /// Interfaces to change, one after the other, before anything else is asked; answer with `.linksChanged`.
    public var linkChanges: [LinkChange] = []
    /// To ask of the kernel in one round trip; answer with `.changed` or `.changesUnknown`.
    public var changes: [KernelChange] = []
    /// To announce.
    public var announcements: [Announcing] = []
    /// The kernel's table must be read anew.
    public var isTableInDoubt = false
    /// Routes may have gone without a word: they are to be read anew.
    public var isRoutingInDoubt = false
    /// To say.
    public var remarks: [Remark] = []
    /// Tracked scripts to begin and to end, after everything else.
    public var scripts: [ScriptOrder] = []
    /// Programs to tell, after everything else.
    public var notifications: [NotifyOrder] = []
    /// What has happened, for the pipes.
    public var notices: [Notice] = []

    /// Adds an address to announce; those of one interface that go out equally often go together.
    mutating func announce(_ address: IPAddress, on link: Link, count: Int) {
        if let last = announcements.indices.last, announcements[last].link == link, announcements[last].count == count {
            announcements[last].addresses.append(address)
        } else {
            announcements.append(Announcing(link: link, addresses: [address], count: count))
        }
    }
}

/// What is worth a log line.
public enum Remark: Hashable, Sendable {
    /// A state changed.
    case transition(RouterID, Transition, priority: UInt8)
    /// An advertisement was refused for a new reason.
    case refused(RouterID, DecodeError, from: IPAddress?)
    /// An advertisement of a virtual router that is not ours.
    case foreign(virtualRouterID: UInt8, from: IPAddress)
    /// Somebody else took an address off.
    case takenOff(RouterID, IPPrefix)
    /// Addresses that an earlier process left are taken off.
    case leftBehind(RouterID, [IPPrefix])
    /// Somebody else took a route or a rule off.
    case routingTakenOff(RouterID, String)
    /// Routes and rules that an earlier process left are taken off.
    case routingLeftBehind(RouterID, [String])
    /// Advertisements cannot be sent, or (nil) can again.
    case sending(RouterID, String?)
    /// A router's timer fired late.
    case late(RouterID, LateTimer)
    /// A tracked thing stands otherwise from now on.
    case tracker(Tracker, TrackerReport)
    /// A tracked script is good, or failed, from now on.
    case script(String, isGood: Bool, ScriptOutcome, lastLine: String)
    /// A notify program (its keyword) failed, or cannot be run.
    case notifyFailed(NoticeSubject, String, ScriptOutcome, lastLine: String)
    /// `startup_script` or `shutdown_script` is over, or was not run and why.
    case lifeScript(String, ScriptReport)
    /// So many programs were not told, because too many waited behind one that hangs.
    case noticesLeftOut(NoticeSubject, Int)
}
