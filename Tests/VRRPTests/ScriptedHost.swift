// A host for whole daemons in simulated time: a kernel with interfaces and addresses that behaves as Linux does (secondaries that go with
// their primary, notifications that are dropped when nobody reads them, refusals), sockets that go deaf with their interface, and the file
// of notes that a crash leaves behind.

import Configuration
import Net
import Netlink
import Platform
import Scripts
import VRRP

@testable import vrrpd

/// A director's host.
final class ScriptedHost {
    let number: Int
    let network: SimulatedNetwork
    /// The configuration that the next process reads.
    var configuration: Configuration
    private(set) var daemon: Daemon?
    var pausedUntil = Instant.zero
    /// Hosts hear only their own side of a partition.
    var side = 0

    // The kernel.
    private(set) var links: [Int32: Link] = [:]
    private(set) var addresses: [Int32: [InterfaceAddress]] = [:]
    /// Which wire an interface is on.
    private(set) var segments: [Int32: Int] = [:]
    private var births: [Int32: Int] = [:]
    private var lastBirth = 0
    var promotesSecondaries = false
    private var queue: [RouteEvent] = []
    /// Notifications that wait at most.
    var capacity = 1000
    private var overran = false
    private var needsDump = false
    /// How many of the next dumps fail.
    var failingDumps = 0
    /// Answers that get lost although the kernel acts.
    var lostAnswers = 0
    /// Addresses that rules drop.
    private(set) var dropped: Set<IPAddress> = []
    private(set) var dropRequests = 0
    private(set) var dropRules = DropRules()
    /// Why rules cannot be set.
    var refusesRules: NetlinkError?
    /// What it refuses to do to interfaces.
    var refusesLink: (LinkChange) -> NetlinkError? = { _ in nil }
    private var nextIndex: Int32 = 1000
    /// Settings of interfaces that are not macvlans, as an administrator has them.
    var parentSettings = IPv4Settings(arpAnnounce: 0, reversePathFilter: 0, acceptsLocal: 0, promotesSecondaries: 0)
    /// What the kernel refuses.
    var refuses: (AddressChange) -> NetlinkError? = { _ in nil }
    /// What it refuses of routes and rules.
    var refusesAny: (KernelChange) -> NetlinkError? = { _ in nil }
    private(set) var routes = ScriptedRouting()
    /// What was asked of routes and rules.
    private(set) var routing: [KernelChange] = []
    /// How many of the next changes of a socket's filter fail.
    var filteringFails = 0
    /// Why nothing can be sent.
    var sendingFails: Int32?
    /// Interfaces that forward IPv6.
    var forwarding: Set<String> = []

    /// Interfaces that are up have a link-local address, which duplicate address detection holds back for a second.
    var hasIPv6 = false
    private var detections: [(at: Instant, key: AddressKey)] = []

    // The process.
    private var sockets: [ChannelKey: (birth: Int, routers: VirtualRouterIDs)] = [:]
    /// What channels were given for waiting packets; nothing: the driver's own choice.
    private(set) var buffers: [ChannelKey: Int] = [:]
    private var inbox: [(channel: ChannelKey, packet: [UInt8], arrived: Instant)] = []
    private var deadline: Instant?
    private var work: [() -> Void] = []
    private var notes: [String: MastershipNote] = [:]
    private var identities: [RouterID: String] = [:]
    var notesFail = false
    private var notesAreLost = false
    /// How often notes were begun, or not.
    private(set) var notesBegun = 0
    /// No other vrrpd runs on the host.
    var isAlone = true
    private(set) var steppedDown: Set<String> = []

    /// Scripts that run.
    private(set) var runs: [ScriptRun] = []
    /// Programs that are told.
    private(set) var jobs: [NotifyJob] = []
    /// `startup_script` runs; called with what comes of it.
    private(set) var preparing: ((ScriptReport) -> Void)?
    /// What was written into pipes.
    private(set) var lines: [String] = []

    /// How far this host's wall clock is from the right time, in nanoseconds.
    var clockError: Int64 = 0

    // What was seen.
    private(set) var requests: [AddressChange] = []
    private(set) var linkRequests: [LinkChange] = []
    /// The hardware addresses of advertisements that were sent as frames.
    private(set) var sentFrom: [MACAddress] = []
    private(set) var frames: [(link: Int32, bytes: [UInt8])] = []
    private(set) var sent: [(router: UInt8, priority: UInt8, source: IPAddress)] = []
    /// The sequence numbers of Authentication Headers.
    private(set) var sequences: [UInt32] = []
    /// Every advertisement that was sent as a packet.
    private(set) var packets: [[UInt8]] = []
    private(set) var remarks: [Remark] = []
    private(set) var trouble = Trouble()

    init(_ number: Int, _ configuration: Configuration, in network: SimulatedNetwork) {
        self.number = number
        self.configuration = configuration
        self.network = network
    }

    // MARK: The process

    var isAlive: Bool { daemon != nil }

    /// Starts a process.
    func start() {
        let daemon = Daemon(
            steppedDown: steppedDown, kernel: self, wire: self, notes: self, scripts: self, pipes: self,
            turns: self, isAlone: isAlone)
        daemon.observer = self
        self.daemon = daemon
        needsDump = true
        do throws(NetlinkError) {
            try daemon.start(configuration, after: predecessors)
        } catch {
            self.daemon = nil
        }
        endTurn()
    }

    /// What the process before noted.
    private var predecessors: [String: Predecessor] {
        notes.compactMapValues { note in
            switch note {
            case .nothing: nil
            case .lingering: Predecessor(silence: nil)
            case .master(let time, let sequence): Predecessor(silence: network.now - time, sequence: sequence)
            }
        }
    }

    /// SIGKILL: sockets close, addresses stay.
    func crash() {
        daemon = nil
        sockets = [:]
        inbox = []
        deadline = nil
        work = []
        queue = []
        runs = []
    }

    /// SIGTERM.
    func stop() {
        daemon?.stop()
        endTurn()
        crash()
    }

    /// SIGUSR1 and the next process.
    func handOver() {
        daemon?.leave(to: configuration)
        endTurn()
        crash()
        start()
    }

    /// SIGHUP.
    func reload(_ configuration: Configuration) {
        self.configuration = configuration
        daemon?.reload(configuration)
        endTurn()
    }

    /// Something else that the process is told.
    func tell(_ body: (Daemon) -> Void) {
        if let daemon { body(daemon) }
        endTurn()
    }

    /// Whatever is ready at this time.
    func turn() {
        endDetections()
        guard let daemon, network.now >= pausedUntil else { return }
        if !queue.isEmpty || overran { daemon.hearKernel() }
        for channel in Set(inbox.map(\.channel)).sorted(by: { $0.local < $1.local }) { daemon.hear(channel) }
        if let due = deadline, due <= network.now {
            deadline = nil
            daemon.timerFired()
        }
        endTurn()
    }

    private func endTurn() {
        while !work.isEmpty { work.removeFirst()() }
    }

    /// The router of that name.
    func view(_ name: String = "VI_1") -> Director.View? {
        daemon.flatMap { daemon in daemon.director.router(named: name).flatMap { daemon.director.view(of: $0) } }
    }

    /// The state of the router of that name.
    func state(_ name: String = "VI_1") -> StateName? { view(name)?.machine.state.name }

    /// What a person must mend about the router of that name.
    func concerns(_ name: String = "VI_1") -> Director.Concerns {
        guard let daemon, let id = daemon.director.router(named: name) else { return Director.Concerns() }
        return daemon.director.concerns(of: id, at: network.now)
    }

    /// Somebody takes the notes away.
    func loseNotes() {
        notes = [:]
        notesAreLost = true
    }

    /// Forgets what was seen.
    func forget() {
        requests = []
        routing = []
        linkRequests = []
        sentFrom = []
        frames = []
        sent = []
        packets = []
        remarks = []
    }

    // MARK: The kernel, from outside

    /// An interface appears or changes.
    func set(_ index: Int32, _ name: String, segment: Int = 0, up: Bool = true, mac: UInt64? = nil, mtu: UInt32 = 1500)
    {
        if links[index] == nil {
            lastBirth += 1
            births[index] = lastBirth
        }
        let address = mac.map { MACAddress(rawValue: $0) } ?? links[index]?.mac
        var link = Link(
            index: index, name: name, flags: up ? 0x1043 : 0x1002,
            mac: address ?? MACAddress(rawValue: 0x0200_0000_0000 | UInt64(number) << 8 | UInt64(index)), mtu: mtu)
        link.parent = links[index]?.parent
        link.kind = links[index]?.kind ?? .other
        link.master = links[index]?.master
        link.alias = links[index]?.alias ?? ""
        link.ipv4 = links[index]?.ipv4 ?? parentSettings
        links[index] = link
        segments[index] = segment
        for other in links.values where other.parent == index { carry(other.index) }
        if !up {
            routes.linkWentDown(index)
            for address in addresses[index] ?? [] where address.prefix.address.family == .inet6 { _ = take(address) }
        }
        notify(.link(link))
        if up { addLinkLocal(to: index) }
    }

    /// A macvlan has its parent's carrier, and at most its MTU.
    private func carry(_ index: Int32) {
        guard var link = links[index], let parent = link.parent.flatMap({ links[$0] }) else { return }
        link.flags = link.isUp && parent.isUsable ? link.flags | Link.running : link.flags & ~Link.running
        link.mtu = min(link.mtu, parent.mtu)
        guard link != links[index] else { return }
        links[index] = link
        notify(.link(link))
    }

    /// What the kernel does when an interface comes up.
    func addLinkLocal(to index: Int32) {
        guard hasIPv6, links[index]?.isUsable == true else { return }
        let own = IPAddress.v6(IPv6Address(high: 0xFE80 << 48, low: UInt64(number + 1)))
        guard let prefix = IPPrefix(own, length: 64) else { return }
        _ = insert(InterfaceAddress(link: index, prefix: prefix))
    }

    /// Duplicate address detection finds another host.
    func fail(_ text: String, on index: Int32) {
        guard let place = addresses[index]?.firstIndex(where: { "\($0.prefix)" == text }) else { return }
        addresses[index]?[place].flags |= InterfaceAddress.tentative | InterfaceAddress.duplicate
        detections.removeAll { $0.key == addresses[index]?[place].key }
        if let address = addresses[index]?[place] { notify(.address(address)) }
    }

    /// Somebody changes routes or rules by hand, or the daemon asks for it.
    @discardableResult func applyRouting(_ change: KernelChange) -> NetlinkError? {
        let (refusal, event) = routes.apply(change) { links[$0]?.isUsable == true }
        if let event { notify(.routing(event)) }
        return refusal
    }

    private func endDetections() {
        for (at, key) in detections where at <= network.now {
            guard let place = addresses[key.link]?.firstIndex(where: { $0.key == key }),
                let address = addresses[key.link]?[place], address.isTentative
            else { continue }
            addresses[key.link]?[place].flags &= ~InterfaceAddress.tentative
            if let address = addresses[key.link]?[place] { notify(.address(address)) }
        }
        detections.removeAll { $0.at <= network.now }
    }

    /// An interface is deleted with its addresses and the macvlans on it.
    func delete(_ index: Int32) {
        guard let link = links[index] else { return }
        for other in links.values where other.parent == index { delete(other.index) }
        for address in addresses[index] ?? [] { notify(.addressGone(address)) }
        addresses[index] = nil
        links[index] = nil
        births[index] = nil
        notify(.linkGone(link))
    }

    /// `ip address add`; `origin`: who says to have made it (IFA_PROTO).
    func add(_ text: String, to index: Int32, origin: UInt8 = 0) {
        guard let prefix = IPPrefix(text) else { return }
        _ = insert(InterfaceAddress(link: index, prefix: prefix, origin: origin))
    }

    /// `ip address delete`, by somebody else.
    func remove(_ text: String, from index: Int32) {
        guard let prefix = IPPrefix(text) else { return }
        _ = take(InterfaceAddress(link: index, prefix: prefix))
    }

    /// The addresses of an interface as text.
    func shown(_ index: Int32) -> [String] { (addresses[index] ?? []).map { "\($0.prefix)" } }

    private func insert(_ address: InterfaceAddress) -> Bool {
        guard links[address.link] != nil else { return false }
        var list = addresses[address.link] ?? []
        guard !list.contains(where: { $0.key == address.key }) else { return true }
        var address = address
        if address.prefix.address.family == .inet6, address.flags & InterfaceAddress.noDuplicateDetection == 0 {
            address.flags |= InterfaceAddress.tentative
            detections.append((network.now + .seconds(1), address.key))
            network.wake(self, at: network.now + .seconds(1))
        }
        if list.contains(where: { $0.isOfSubnet(of: address) }) { address.flags |= InterfaceAddress.secondary }
        list.append(address)
        addresses[address.link] = list
        notify(.address(address))
        return true
    }

    /// inet_del_ifa: the secondaries of a primary go with it, or one of them is promoted.
    private func take(_ address: InterfaceAddress) -> Bool {
        guard let gone = addresses[address.link]?.first(where: { $0.key == address.key }) else { return false }
        routes.addressWent(gone.prefix.address)
        addresses[address.link]?.removeAll { $0.key == gone.key }
        let others = addresses[address.link]?.filter { $0.isOfSubnet(of: gone) } ?? []
        if gone.flags & InterfaceAddress.secondary == 0, !others.isEmpty {
            if promotesSecondaries || links[address.link]?.ipv4?.promotesSecondaries == 1 {
                notify(.addressGone(gone))
                guard let index = addresses[address.link]?.firstIndex(where: { $0.key == others[0].key }) else {
                    return true
                }
                addresses[address.link]?[index].flags &= ~InterfaceAddress.secondary
                if let promoted = addresses[address.link]?[index] { notify(.address(promoted)) }
                return true
            }
            for other in others {
                addresses[address.link]?.removeAll { $0.key == other.key }
                notify(.addressGone(other))
            }
        }
        notify(.addressGone(gone))
        return true
    }

    private func notify(_ event: RouteEvent) {
        guard isAlive, !overran else { return }
        guard queue.count < capacity else {
            overran = true
            return network.wake(self, at: network.now)
        }
        queue.append(event)
        network.wake(self, at: network.now + .microseconds(Int(network.random.next() % 500)))
    }

    // MARK: The wire, from outside

    /// A packet arrives at an interface, from a hardware address. A macvlan in private mode that has the same one gets it alone; otherwise all
    /// that are up get it, too (macvlan_handle_frame).
    func arrive(_ packet: [UInt8], to destination: IPAddress, at index: Int32, from mac: MACAddress? = nil) {
        let macvlans = links.values.filter { $0.parent == index && $0.isUsable }
        if let twin = macvlans.first(where: { $0.mac == mac }) {
            return deliver(packet, to: destination, at: twin.index)
        }
        for macvlan in macvlans.sorted(by: { $0.index < $1.index }) {
            deliver(packet, to: destination, at: macvlan.index)
        }
        deliver(packet, to: destination, at: index)
    }

    private func deliver(_ packet: [UInt8], to destination: IPAddress, at index: Int32) {
        guard isAlive, links[index]?.isUsable == true else { return }
        for (channel, socket) in sockets where channel.local == destination {
            guard channel.link == nil || (channel.link == index && births[index] == socket.birth),
                let identifier = ReceivedAdvertisement.virtualRouterID(ofPacket: packet[...]),
                socket.routers.contains(identifier)
            else { continue }
            inbox.append((channel, packet, now))
            network.wake(self, at: network.now)
        }
    }
}

/// The advertisement in a frame, and the group that it is for.
private func advertisement(in frame: [UInt8]) -> (received: ReceivedAdvertisement, destination: IPAddress)? {
    guard let received = try? ReceivedAdvertisement(packet: frame[14...]) else { return nil }
    let octets = frame[14] >> 4 == 4 ? frame[30..<34] : frame[38..<54]
    return IPAddress(octets: octets).map { (received, $0) }
}

extension InterfaceAddress {
    /// Linux makes the second address of a subnet a secondary.
    fileprivate func isOfSubnet(of other: InterfaceAddress) -> Bool {
        guard case .v4(let one) = prefix.address, case .v4(let two) = other.prefix.address,
            prefix.length == other.prefix.length, prefix.length > 0, prefix.length < 32
        else { return false }
        return (one.rawValue ^ two.rawValue) >> UInt32(32 - prefix.length) == 0
    }
}

// MARK: The daemon's world

extension ScriptedHost: AddressKernel {
    func routing(of origins: Set<UInt8>) throws(NetlinkError) -> RoutingSnapshot { routes.snapshot }

    func watchRoutes(of origins: Set<UInt8>) {}

    func apply(_ changes: [KernelChange]) throws(NetlinkError) -> [RefusedChange] {
        var refused: [RefusedChange] = []
        for request in changes {
            if let error = refusesAny(request) {
                refused.append(RefusedChange(change: request, error: error))
                continue
            }
            guard case .address(let change) = request else {
                routing.append(request)
                if let error = applyRouting(request) { refused.append(RefusedChange(change: request, error: error)) }
                continue
            }
            requests.append(change)
            if let error = refuses(change) {
                refused.append(RefusedChange(change: request, error: error))
                continue
            }
            switch change {
            case .add(let address):
                if !insert(address) {
                    refused.append(RefusedChange(change: request, error: .refused(code: 19, message: "")))
                }
            case .delete(let address): _ = take(address)
            }
        }
        if lostAnswers > 0 {
            lostAnswers -= 1
            throw .timedOut
        }
        return refused
    }

    func drop(_ rules: DropRules) throws(NetlinkError) {
        dropRequests += 1
        if let refusesRules { throw refusesRules }
        dropped = rules.addresses
        dropRules = rules
    }

    func apply(_ change: LinkChange) throws(NetlinkError) {
        linkRequests.append(change)
        if let error = refusesLink(change) { throw error }
        switch change {
        case .create(let wanted):
            guard links[wanted.parent] != nil else { throw .refused(code: 19, message: "") }
            guard !links.values.contains(where: { $0.name == wanted.name }) else { return }
            let index = nextIndex
            nextIndex += 1
            let mac: MACAddress? =
                switch wanted.kind {
                case .macvlan(let mac): mac
                case .ipvlan: links[wanted.parent]?.mac
                }
            set(index, wanted.name, segment: segments[wanted.parent] ?? 0, up: false, mac: mac?.rawValue)
            // What arrives comes through its parent.
            segments[index] = nil
            links[index]?.parent = wanted.parent
            links[index]?.master = wanted.vrf
            switch wanted.kind {
            case .macvlan: links[index]?.kind = .privateMacvlan
            case .ipvlan(let flags): links[index]?.kind = .ipvlan(flags: flags)
            }
            let mtu = links[wanted.parent]?.mtu ?? 1500
            links[index]?.mtu = mtu
            if let link = links[index] { notify(.link(link)) }
        case .configure(let index, _, let settings):
            guard var link = links[index] else { throw .refused(code: 19, message: "") }
            link.alias = settings.alias ?? link.alias
            link.mtu = settings.mtu ?? link.mtu
            if let flags = settings.ipvlanFlags { link.kind = .ipvlan(flags: flags) }
            if let vrf = settings.vrf { link.master = vrf == 0 ? nil : vrf }
            link.ipv4 = IPv4Settings(
                arpIgnore: settings.ipv4.arpIgnore ?? link.ipv4?.arpIgnore,
                arpFilter: settings.ipv4.arpFilter ?? link.ipv4?.arpFilter,
                arpAnnounce: settings.ipv4.arpAnnounce ?? link.ipv4?.arpAnnounce,
                reversePathFilter: settings.ipv4.reversePathFilter ?? link.ipv4?.reversePathFilter,
                acceptsLocal: settings.ipv4.acceptsLocal ?? link.ipv4?.acceptsLocal,
                promotesSecondaries: settings.ipv4.promotesSecondaries ?? link.ipv4?.promotesSecondaries)
            links[index] = link
            // netdev_state_change says nothing of an interface that is down.
            if link.isUp { notify(.link(link)) }
        case .set(let index, let isUp):
            guard var link = links[index] else { throw .refused(code: 19, message: "") }
            link.flags = isUp ? link.flags | Link.up : link.flags & ~(Link.up | Link.running)
            if isUp, link.parent.flatMap({ links[$0] })?.isUsable == true { link.flags |= Link.running }
            links[index] = link
            if !isUp {
                for address in addresses[index] ?? [] where address.prefix.address.family == .inet6 {
                    _ = take(address)
                }
            }
            notify(.link(link))
        case .delete(let index): delete(index)
        }
    }

    func update(limit: Int) -> RouteMonitor.News {
        if overran || needsDump { return resynchronise() }
        guard !queue.isEmpty else { return .nothing }
        defer { queue = [] }
        return .changed(queue)
    }

    func resynchronise() -> RouteMonitor.News {
        queue = []
        overran = false
        if failingDumps > 0 {
            failingDumps -= 1
            needsDump = true
            return .stale(.dumpInterrupted)
        }
        needsDump = false
        var snapshot = RouteSnapshot()
        snapshot.links = links.values.sorted { $0.index < $1.index }
        snapshot.addresses = snapshot.links.flatMap { addresses[$0.index] ?? [] }
        snapshot.routing = routes.snapshot
        return .replaced(snapshot, then: [])
    }
}

extension ScriptedHost: Wire {
    func open(
        _ channel: ChannelKey, interface: String?, for routers: VirtualRouterIDs, buffer: Int?
    ) throws(Errno) {
        buffers[channel] = buffer
        if let link = channel.link {
            guard let birth = births[link] else { throw Errno(19, "setsockopt") }
            sockets[channel] = (birth, routers)
        } else {
            sockets[channel] = (0, routers)
        }
    }

    func filter(_ channel: ChannelKey, for routers: VirtualRouterIDs, buffer: Int?) throws(Errno) {
        buffers[channel] = buffer
        if filteringFails > 0 {
            filteringFails -= 1
            throw Errno(12, "setsockopt")
        }
        sockets[channel]?.routers = routers
    }

    func close(except channels: Set<ChannelKey>) {
        for channel in sockets.keys where !channels.contains(channel) { sockets[channel] = nil }
    }

    func drain(
        _ channel: ChannelKey, _ body: (_ packet: ArraySlice<UInt8>, _ arrived: Instant?, _ isLast: Bool) -> Void
    ) -> Bool {
        let packets = inbox.filter { $0.channel == channel }
        inbox.removeAll { $0.channel == channel }
        for (index, packet) in packets.enumerated() {
            body(packet.packet[...], packet.arrived, index == packets.count - 1)
        }
        return true
    }

    func send(_ packet: [UInt8], to destination: IPAddress, through channel: ChannelKey) throws(Errno) {
        if let sendingFails { throw Errno(sendingFails, "sendto") }
        guard let birth = sockets[channel]?.birth else { throw Errno(19, "sendto") }
        let index = channel.link ?? links.keys.min() ?? 0
        guard let link = links[index], channel.link == nil || births[index] == birth else { throw Errno(19, "sendto") }
        guard packet.count <= Int(link.mtu) else { throw Errno(90, "sendto") }
        if let received = try? ReceivedAdvertisement(packet: packet[...]) {
            sent.append((received.advertisement.virtualRouterID, received.advertisement.priority, received.source))
            if let header = received.header { sequences.append(header.sequence) }
            packets.append(packet)
        }
        // What an ipvlan sends leaves through its parent.
        guard link.isUsable, let segment = segments[index] ?? link.parent.flatMap({ segments[$0] }) else { return }
        network.transmit(packet, to: destination, from: self, on: segment)
    }

    func send(frames: [UInt8], count: Int, through link: Int32) throws(Errno) {
        if let mac = MACAddress(octets: frames[6..<12]), let spoken = advertisement(in: frames) {
            return try send(spoken.received, Array(frames[14...]), to: spoken.destination, from: mac, through: link)
        }
        let length = frames.count / count
        for start in stride(from: 0, to: frames.count, by: length) {
            self.frames.append((link, Array(frames[start..<start + length])))
        }
    }

    private func send(
        _ received: ReceivedAdvertisement, _ packet: [UInt8], to destination: IPAddress, from mac: MACAddress,
        through link: Int32
    ) throws(Errno) {
        if let sendingFails { throw Errno(sendingFails, "sendto") }
        guard let parent = links[link] else { throw Errno(19, "sendto") }
        sent.append((received.advertisement.virtualRouterID, received.advertisement.priority, received.source))
        sentFrom.append(mac)
        guard parent.isUsable, let segment = segments[link] else { return }
        network.transmit(packet, to: destination, from: self, on: segment, mac: mac)
    }

    func forwardsIPv6(_ interface: String) -> Bool { forwarding.contains(interface) }
}

extension ScriptedHost: MastershipNotes {
    func begin(_ notes: [(router: RouterID, identity: String, note: MastershipNote)]) throws(Errno) {
        notesBegun += 1
        if notesFail { throw Errno(28, "pwrite") }
        notesAreLost = false
        self.notes = Dictionary(uniqueKeysWithValues: notes.map { ($0.identity, $0.note) })
        identities = Dictionary(uniqueKeysWithValues: notes.map { ($0.router, $0.identity) })
    }

    func write(_ notes: [(router: RouterID, note: MastershipNote)]) throws(Errno) {
        if notesFail { throw Errno(28, "pwrite") }
        if notesAreLost { throw Errno(2, "pwrite") }
        for note in notes {
            if let identity = identities[note.router] { self.notes[identity] = note.note }
        }
    }
}

extension ScriptedHost: ScriptStarter {
    func begin(_ run: ScriptRun, _ script: TrackScriptConfiguration, _ rules: ScriptRules) { runs.append(run) }
    func abandon(_ run: ScriptRun) { runs.removeAll { $0 == run } }
    func tell(_ job: NotifyJob, _ rules: ScriptRules) { jobs.append(job) }
    func end(_ job: NotifyJob) {}
    func prepare(_ script: LifeScript, _ rules: ScriptRules, _ done: @escaping (ScriptReport) -> Void) {
        preparing = done
    }
    func conclude(_ script: LifeScript, _ rules: ScriptRules, _ done: @escaping (ScriptReport) -> Void) {
        done(.accepted)
    }
}

extension ScriptedHost: NoticePipes {
    func adopt(_ pipes: [NotifyPipeConfiguration], _ rules: ScriptRules) {}
    func write(_ notices: [Notice]) { lines += notices.map(\.line) }
    var troubles: [String: String] { [:] }
    var isIdle: Bool { true }
}

extension ScriptedHost: Turns {
    var now: Instant { network.now }
    var sinceBoot: Instant { network.now }
    var wallTime: WallTime { WallTime(nanoseconds: 1_790_000_000_000_000_000 + network.now.nanoseconds + clockError) }
    var timestamp: String { "\(network.now)" }

    func arm(at deadline: Instant?) {
        self.deadline = deadline
        if let deadline { network.wake(self, at: deadline) }
    }

    func soon(_ work: @escaping () -> Void) { self.work.append(work) }
}

extension ScriptedHost: DaemonObserver {
    func happened(_ remark: Remark) { remarks.append(remark) }
    func changed(_ routers: Set<RouterID>) {}
    func steppedDown(_ identities: Set<String>) { steppedDown = identities }
    func troubled(_ trouble: Trouble) { self.trouble = trouble }
}
