// World as it is: netlink, sockets and the event loop.

import CLinux
import Configuration
import Glibc
import Net
import Netlink
import Platform
import VRRP

/// The kernel over netlink. Requests and notifications have a socket each.
final class NetlinkKernel: AddressKernel {
    private let requests: RouteNetlink
    private let monitor: RouteMonitor
    private let table: String
    /// Nil where the kernel has no nf_tables, or as long as nothing is to be dropped.
    private var rules: Nftables?
    private var ruleMonitor: NftablesMonitor?
    /// The rules have begun to be watched.
    var watchRules: ((NftablesMonitor) -> Void)?

    /// Opens both; `table` is the name of the table of `no_accept`.
    init(table: String) throws(NetlinkError) {
        requests = try RouteNetlink()
        monitor = try RouteMonitor(kernel: requests)
        self.table = table
    }

    /// The descriptor to watch for notifications.
    var number: Int32 { monitor.number }

    /// Buffers of the two sockets. Returns what is wrong, by the word of the configuration.
    func setBuffers(commands: NetlinkBuffer, monitor: NetlinkBuffer) -> [(word: String, why: String)] {
        [
            ("vrrp_netlink_cmd_rcv_bufs", requests.setBuffer(commands)),
            ("vrrp_netlink_monitor_rcv_bufs", self.monitor.setBuffer(monitor)),
        ].compactMap { word, why in why.map { (word, $0) } }
    }

    func apply(_ changes: [KernelChange]) throws(NetlinkError) -> [RefusedChange] { try requests.apply(changes) }

    func routing(of origins: Set<UInt8>) throws(NetlinkError) -> RoutingSnapshot { try requests.routing(of: origins) }

    func watchRoutes(of origins: Set<UInt8>) { monitor.routeOrigins = origins }

    func apply(_ change: LinkChange) throws(NetlinkError) {
        try requests.apply(change)
        if case .configure(_, let name, let settings) = change, let isOn = settings.ipv6 {
            try InterfaceSettings.setIPv6(isOn, on: name)
        }
    }

    func drop(_ wanted: DropRules) throws(NetlinkError) {
        if rules == nil { rules = try Nftables(table: table) }
        if ruleMonitor == nil, !wanted.addresses.isEmpty {
            let monitor = try NftablesMonitor(table: table)
            ruleMonitor = monitor
            watchRules?(monitor)
        }
        try rules?.drop(wanted)
        // What waits now is our own doing, or older.
        _ = ruleMonitor?.isTouched()
    }

    func update(limit: Int) -> RouteMonitor.News { monitor.update(limit: limit) }

    func resynchronise() -> RouteMonitor.News { monitor.resynchronise() }
}

/// Raw sockets on the event loop.
final class SocketWire: Wire {
    private let loop: EventLoop
    private let frameSocket: FrameSocket?
    private let slots = PacketSlots()
    private var sockets: [ChannelKey: AdvertisementSocket] = [:]
    /// Why there is no socket for gratuitous ARP.
    private let frameFailure: Errno?
    /// Packets wait in a channel.
    var arrived: ((ChannelKey) -> Void)?

    /// No channel is open.
    init(on loop: EventLoop) {
        self.loop = loop
        do throws(Errno) {
            frameSocket = try FrameSocket()
            frameFailure = nil
        } catch {
            frameSocket = nil
            frameFailure = error
        }
    }

    func open(
        _ channel: ChannelKey, interface: String?, for routers: VirtualRouterIDs, buffer: Int?
    ) throws(Errno) {
        sockets[channel] = nil
        sockets[channel] = try AdvertisementSocket(
            channel, interface: interface, for: routers, buffer: buffer, slots: slots, on: loop
        ) { [weak self] in self?.arrived?(channel) }
    }

    func filter(_ channel: ChannelKey, for routers: VirtualRouterIDs, buffer: Int?) throws(Errno) {
        try sockets[channel]?.filter(routers)
        try sockets[channel]?.setBuffer(buffer)
    }

    func close(except channels: Set<ChannelKey>) {
        for channel in sockets.keys where !channels.contains(channel) { sockets[channel] = nil }
    }

    func drain(
        _ channel: ChannelKey, _ body: (_ packet: ArraySlice<UInt8>, _ arrived: Instant?, _ isLast: Bool) -> Void
    ) -> Bool {
        sockets[channel]?.drain(body) ?? true
    }

    func send(_ packet: [UInt8], to destination: IPAddress, through channel: ChannelKey) throws(Errno) {
        guard let socket = sockets[channel] else { throw Errno(ENODEV, "sendto(VRRP advertisement)") }
        try socket.send(packet, to: destination)
    }

    func send(frames: [UInt8], count: Int, through link: Int32) throws(Errno) {
        switch frameSocket {
        case .some(let socket): try socket.send(frames, count: count, through: link)
        case .none: throw frameFailure ?? Errno(EBADF, "socket(AF_PACKET)")
        }
    }

    func forwardsIPv6(_ interface: String) -> Bool {
        let value = try? FileSystem.contents(of: "/proc/sys/net/ipv6/conf/\(interface)/forwarding", limit: 16)
        return value?.first == UInt8(ascii: "1")
    }
}

/// The event loop's time and its one timer.
final class LoopTurns: Turns {
    private let loop: EventLoop
    private let timer: LoopTimer

    /// Calls `fired` when the time has come.
    init(on loop: EventLoop, fired: @escaping () -> Void) {
        self.loop = loop
        timer = loop.timer(fired)
    }

    var now: Instant { loop.now }
    var sinceBoot: Instant { SystemClock.sinceBoot }
    var wallTime: WallTime { WallTime(nanoseconds: SystemClock.wallNanoseconds) }
    var timestamp: String { SystemClock.timestamp }

    func arm(at deadline: Instant?) {
        if let deadline { timer.arm(at: deadline) } else { timer.disarm() }
    }

    func soon(_ work: @escaping () -> Void) { loop.soon(work) }
}
