// vrrpd as a whole: the instances of the configuration, their machines, the kernel's interfaces and addresses. This file starts and
// stops them; Daemon+Machine does what the machines ask, Daemon+Kernel listens to the kernel, Daemon+Reload changes the configuration,
// BusFace answers questions.

import Configuration
import Net
import Netlink
import Platform
import VRRP

/// The running daemon.
final class Daemon {
    let loop: EventLoop
    let logger: Logger
    let alarms: Alarms
    let options: DaemonOptions
    let kernel: any RouteKernel
    let monitor: RouteMonitor
    let frames: FrameSocket?
    let heartbeat: Heartbeat
    let steppedDown: StateFile

    var configuration: Configuration {
        didSet { virtualAddresses = Self.virtualAddresses(of: configuration) }
    }
    /// Every address of every instance.
    private(set) var virtualAddresses: Set<IPAddress>
    /// In the configuration's order.
    var instances: [Instance] = []
    var routers = RouterSet()
    var table: LinkTable { monitor.table }
    /// Instances whose event is to be published at the end of this turn.
    var unpublished: Set<String> = []
    /// Publishes an instance; set by the bus face.
    var publish: ((Instance) -> Void)?
    /// Tells the bus that an instance is gone.
    var withdraw: ((String) -> Void)?
    private var monitorWatch: Watch?
    private var retryTimer: LoopTimer?
    private var startTimer: LoopTimer?

    /// What the kernel refused is tried again this often.
    private static let retryInterval = Duration.seconds(1)

    /// Opens what no instance can do without.
    init(_ configuration: Configuration, options: DaemonOptions, loop: EventLoop, logger: Logger) throws {
        self.configuration = configuration
        virtualAddresses = Self.virtualAddresses(of: configuration)
        self.options = options
        self.loop = loop
        self.logger = logger
        alarms = Alarms(logger: logger)
        kernel = try RouteNetlink()
        monitor = try RouteMonitor(kernel: kernel)
        heartbeat = Heartbeat(path: options.runDirectory + "/private/vrrpd.heartbeat")
        steppedDown = StateFile("stepped-down", in: options.stateDirectory)
        do throws(Errno) {
            frames = try FrameSocket()
        } catch {
            frames = nil
            alarms.set(
                "gratuitous-arp",
                Alarms.Alarm(message: "\(error)", remedy: "give vrrpd CAP_NET_RAW and restart it"))
        }
    }

    /// Starts every instance; masters that nobody has missed go on as masters.
    func start() throws {
        applyProcessSettings()
        monitorWatch = try loop.watch(monitor.number, .read) { [weak self] _ in self?.drainMonitor() }
        retryTimer = loop.timer { [weak self] in self?.retry() }
        if case .stale(let error) = monitor.resynchronise() { throw error }
        let stepped = loadSteppedDown()
        routers.setGroups(groups)
        for block in configuration.instances { add(block, steppedDown: stepped) }
        let continuing = instancesToContinue()
        removeLeftovers(except: continuing)
        writeHeartbeat(masters: continuing)
        for name in continuing { start(name, continuing: true) }
        let delay = configuration.global.startupDelay
        guard delay > .zero else { return startRemaining() }
        startTimer = loop.timer { [weak self] in self?.startRemaining() }
        startTimer?.arm(after: delay)
    }

    /// Gives up every mastership (priority 0, addresses off) in one go.
    func stop() {
        startTimer = nil
        for instance in instances {
            perform(routers.apply(to: instance.name, at: loop.now) { $0.stop() })
        }
    }

    /// Makes room for a new process that goes on as master (`systemctl restart`): goes over to what it will read, so that it
    /// knows every address that stays, and advertises once more, so that the others wait a whole master-down interval.
    func leaveToSuccessor(_ next: Configuration) {
        reload(next)
        for instance in instances {
            guard let router = routers[instance.name], case .master = router.state else { continue }
            advertise(instance, router.priority)
        }
        logger.notice("leaving masterships and addresses to the next process")
    }

    /// The instance of that name.
    func instance(named name: String) -> Instance? {
        instances.first { $0.name == name }
    }

    /// Makes an instance and looks at what it needs; does not start it.
    func add(_ block: VRRPInstanceConfiguration, steppedDown: Set<String>) {
        let name = block.name
        let identity = block.identity.description
        let instance = Instance(
            block, timer: loop.timer { [weak self] in self?.timerFired(identity) },
            announcementTimer: loop.timer { [weak self] in self?.announceAgain(identity) })
        let router = VirtualRouter(
            RouterConfiguration(block, isGrouped: isGrouped(name)),
            isSteppedDown: steppedDown.contains(instance.identity))
        instances.append(instance)
        routers.insert(router, named: name)
        refresh(instance)
    }

    /// Starts one instance.
    func start(_ name: String, continuing: Bool = false) {
        perform(routers.apply(to: name, at: loop.refreshNow()) { $0.start(at: loop.now, continuing: continuing) })
    }

    /// Group name to members, as configured.
    var groups: [String: [String]] {
        Dictionary(configuration.syncGroups.map { ($0.name, $0.members) }) { first, _ in first }
    }

    private static func virtualAddresses(of configuration: Configuration) -> Set<IPAddress> {
        Set(configuration.instances.flatMap { $0.addresses.map(\.prefix.address) })
    }

    /// True when the instance moves with others.
    func isGrouped(_ name: String) -> Bool {
        configuration.syncGroups.contains { $0.members.contains(name) }
    }

    /// Tries again soon what failed.
    func retryLater() {
        guard let retryTimer, retryTimer.deadline == nil else { return }
        retryTimer.arm(after: Self.retryInterval)
    }

    private func startRemaining() {
        for instance in instances where routers[instance.name]?.state == .initialize { start(instance.name) }
    }

    private func retry() {
        if monitor.needsDump { follow(monitor.resynchronise()) }
        for instance in instances {
            if instance.socketFailure != nil { refresh(instance) }
            if instance.isIncomplete { hold(instance) }
        }
    }

    /// Masters of the process before us that are back inside their own master-down interval; groups all or none.
    private func instancesToContinue() -> Set<String> {
        let able = Set(
            instances.filter { instance in
                guard let router = routers[instance.name], router.faults.isEmpty, !router.isSteppedDown,
                    let silence = heartbeat.silence(of: instance.identity)
                else { return false }
                return silence < router.masterDownInterval
            }.map(\.name))
        return able.filter { routers.companions(of: $0).allSatisfy(able.contains) }
    }

    /// Takes off addresses that a process before us left behind: they would be on two hosts.
    private func removeLeftovers(except continuing: Set<String>) {
        var changes: [AddressChange] = []
        for instance in instances where !continuing.contains(instance.name) && instance.configuration.priority != 255 {
            changes += instance.changes(adding: false, in: table).filter { isPresent($0.address) }
        }
        guard !changes.isEmpty else { return }
        let list = changes.map { "\($0.address.prefix)" }.joined(separator: ", ")
        logger.notice("addresses left behind by an earlier process are taken off: \(list)")
        change(changes, because: "leftovers")
    }

    /// True when the address is on its interface.
    func isPresent(_ address: InterfaceAddress) -> Bool {
        table.addresses[address.link]?.contains { $0.isSame(address) } ?? false
    }

    private func applyProcessSettings() {
        func alarm(_ key: String, _ word: String, _ result: Errno?) {
            alarms.set(
                key,
                result.map {
                    Alarms.Alarm(message: "\(word): \($0)", remedy: "give vrrpd CAP_SYS_NICE and CAP_IPC_LOCK")
                })
        }
        let priority = configuration.global.vrrpRealtimePriority
        alarm("realtime", "vrrp_rt_priority", priority > 0 ? RealTime.setPriority(priority) : nil)
        alarm("memory", "vrrp_no_swap", configuration.global.vrrpNoSwap ? RealTime.lockMemory() : nil)
    }
}
