// What the daemon needs of the machine it runs on, small enough to be played by a test: the kernel's addresses, the wire, the notes for
// the next process, time.

import Configuration
import Net
import Netlink
import Platform
import ScriptClient
import Scripts
import VRRP

/// The kernel's interfaces and addresses.
protocol AddressKernel: AnyObject {
    /// Does the changes in order and returns the refused ones.
    func apply(_ changes: [KernelChange]) throws(NetlinkError) -> [RefusedChange]
    /// The routes that these made, and the rules, as they are now.
    func routing(of origins: Set<UInt8>) throws(NetlinkError) -> RoutingSnapshot
    /// Hear of the routes of these from now on.
    func watchRoutes(of origins: Set<UInt8>)
    /// Changes an interface.
    func apply(_ change: LinkChange) throws(NetlinkError)
    /// Has these rules and no others.
    func drop(_ rules: DropRules) throws(NetlinkError)
    /// What the kernel has said since, so many notifications at most; after a loss the whole table.
    func update(limit: Int) -> RouteMonitor.News
    /// The whole table: at the start, and a second after `.stale`.
    func resynchronise() -> RouteMonitor.News
}

/// Sockets.
protocol Wire: AnyObject {
    /// Opens a channel's sockets on an interface (nil = any) for packets of these virtual routers, which may wait in so many octets (nil: 1 MiB).
    func open(_ channel: ChannelKey, interface: String?, for routers: VirtualRouterIDs, buffer: Int?) throws(Errno)
    /// An open channel is for these virtual routers from now on, with such a buffer; what others send wakes nobody.
    func filter(_ channel: ChannelKey, for routers: VirtualRouterIDs, buffer: Int?) throws(Errno)
    /// Closes every channel that is not in `channels`.
    func close(except channels: Set<ChannelKey>)
    /// Hands over the packets that wait, each with the time when it came where that is known; the last of those that were read together
    /// is marked.
    /// - Returns: false when more may wait.
    func drain(
        _ channel: ChannelKey, _ body: (_ packet: ArraySlice<UInt8>, _ arrived: Instant?, _ isLast: Bool) -> Void
    ) -> Bool
    /// Sends a whole IP packet.
    func send(_ packet: [UInt8], to destination: IPAddress, through channel: ChannelKey) throws(Errno)
    /// Sends `count` whole Ethernet frames of one length, each once; one that cannot be sent does not hold up those after it.
    func send(frames: [UInt8], count: Int, through link: Int32) throws(Errno)
    /// True when this host forwards IPv6 between interfaces: neighbour advertisements then say "router" (RFC 4861 §7.2.6).
    func forwardsIPv6(_ interface: String) -> Bool
}

/// Notes for a process after this one.
protocol MastershipNotes: AnyObject {
    /// Starts over with these routers and what is known of each.
    func begin(_ notes: [(router: RouterID, identity: String, note: MastershipNote)]) throws(Errno)
    /// Replaces some of them.
    func write(_ notes: [(router: RouterID, note: MastershipNote)]) throws(Errno)
}

/// What is noted about a router.
enum MastershipNote: Equatable {
    /// It is not master, and nothing of it is on any interface.
    case nothing
    /// It is not master, but some of its addresses could not be taken off yet.
    case lingering
    /// It advertised as master at this time (CLOCK_BOOTTIME), in `auth_hmac` with this sequence number.
    case master(Instant, TrailerSequence? = nil)
}

/// Runs scripts. Nothing here waits for one: what is heard of them comes later, through `Daemon.hear`.
protocol ScriptStarter: AnyObject {
    /// Begins a run.
    func begin(_ run: ScriptRun, _ script: TrackScriptConfiguration, _ rules: ScriptRules)
    /// Ends a run; nothing is heard of it any more.
    func abandon(_ run: ScriptRun)
    /// Begins a program that is told something.
    func tell(_ job: NotifyJob, _ rules: ScriptRules)
    /// Ends it: it has had its time.
    func end(_ job: NotifyJob)
    /// Runs `startup_script` until it is over; what comes of it is said once. It ends with this process.
    func prepare(_ script: LifeScript, _ rules: ScriptRules, _ done: @escaping (ScriptReport) -> Void)
    /// Begins `shutdown_script`, which goes on when this process has gone. Said when the runner has it, or cannot run it.
    func conclude(_ script: LifeScript, _ rules: ScriptRules, _ done: @escaping (ScriptReport) -> Void)
}

/// `notify_fifo` and `vrrp_notify_fifo`.
protocol NoticePipes: AnyObject {
    /// Goes over to these pipes.
    func adopt(_ pipes: [NotifyPipeConfiguration], _ rules: ScriptRules)
    /// Writes a line for each.
    func write(_ notices: [Notice])
    /// What is wrong with which pipe.
    var troubles: [String: String] { get }
    /// Nothing waits to be written.
    var isIdle: Bool { get }
}

extension NotifyPipes: NoticePipes {
    func write(_ notices: [Notice]) {
        write(notices.map { PipeLine(about: "\($0.subject.type) \($0.subject.name)", $0.line) })
    }
}

/// Watches what is tracked. Nothing here waits: what is seen comes through `Daemon.hear`, at the end of this turn or later.
protocol TrackerWatcher: AnyObject {
    /// Watches these blocks and no others.
    func watch(_ blocks: [WatchedBlock])
    /// Nobody is told any more; neighbors are told that this end goes.
    func stop()
}

/// Clocks, the one timer, and the end of the turn.
protocol Turns: AnyObject {
    /// The time of this turn.
    var now: Instant { get }
    /// CLOCK_BOOTTIME.
    var sinceBoot: Instant { get }
    /// The wall clock, for `auth_hmac`.
    var wallTime: WallTime { get }
    /// For people, RFC 3339.
    var timestamp: String { get }
    /// Sets the one timer; nil = off.
    func arm(at deadline: Instant?)
    /// Runs `work` once at the end of this turn.
    func soon(_ work: @escaping () -> Void)
}

/// Who is told what happened, at the end of the turn.
protocol DaemonObserver: AnyObject {
    /// For the log.
    func happened(_ remark: Remark)
    /// Something that people see of these routers is different; gone ones included.
    func changed(_ routers: Set<RouterID>)
    /// Other identities are stepped down than before.
    func steppedDown(_ identities: Set<String>)
    /// What is wrong with the machine itself.
    func troubled(_ trouble: Trouble)
}

/// What is wrong with the machine itself.
struct Trouble: Equatable {
    /// Interfaces and addresses could not be read again after notifications were lost.
    var table: String?
    /// The notes for the next process cannot be written.
    var notes: String?
    /// The rules of `no_accept` cannot be set.
    var rules: String?
    /// Gratuitous ARP cannot be sent.
    var frames: String?
    /// Scripts cannot be run: their last verdicts stand.
    var scripts: String?
    /// Programs that cannot be told, by instance or group.
    var notify: [NoticeSubject: String] = [:]
    /// Pipes that lines are lost from, by path.
    var pipes: [String: String] = [:]
}
