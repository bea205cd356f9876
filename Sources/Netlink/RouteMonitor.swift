// What the kernel says by itself about the interfaces and addresses of this network namespace. When it had to drop notifications
// (ENOBUFS) the queue is emptied first and the table read after that: what is queued then is older than the table would be, and the kernel
// queues nothing new before the queue was empty once. What changes while the table is read is handed over with it, so that nobody sees
// what was between. A table that could not be read stays `needsDump`, and the owner asks again every second: it is never wrong for good.

internal import CNl
internal import CNlRoute
public import Configuration
internal import Glibc
internal import Platform
public import VRRP

/// Listens to the interface and address groups of rtnetlink.
public final class RouteMonitor {
    /// What `update` and `resynchronise` found.
    public enum News: Equatable, Sendable {
        /// No notification that concerns the table.
        case nothing
        /// The table changed: what happened, oldest first.
        case changed([RouteEvent])
        /// The table was read anew, and this happened meanwhile. Any interface may have gone and come back under its number unseen.
        case replaced(RouteSnapshot, then: [RouteEvent])
        /// Notifications were lost and the table could not be read. Call `resynchronise` in a second.
        case stale(NetlinkError)
    }

    /// Octets that notifications may wait in, forced over the system's limit; the kernel doubles it. One address is about 800 there, so
    /// this holds 20,000 of them: more than a takeover of 200 instances with 20 addresses each makes.
    private static let receiveBuffer: Int32 = 8 << 20
    private static let bufferSize = 64 << 10
    /// Notifications were lost again while the table was being read: how often that is begun anew before the owner has to ask again.
    private static let attempts = 3

    private let transport: any Carrier
    private let kernel: any RouteKernel
    private let buffer: UnsafeMutableRawBufferPointer
    /// The descriptor to watch for reading.
    public let number: Int32
    /// Whose routes are of interest: RTPROT_*. Of nobody's: none are read.
    public var routeOrigins: Set<UInt8> = [Route.ofVRRP]
    /// True from the start, or from a loss, until the table was read: call `resynchronise` until it is false.
    public private(set) var needsDump = true

    /// Joins the groups in the current network namespace, before the first dump, so that nothing falls between.
    /// - Parameter hearsRoutes: false: interfaces and addresses alone, whatever a routing daemon does to the table.
    public convenience init(kernel: any RouteKernel, hearsRoutes: Bool = true) throws(NetlinkError) {
        let socket = try NetlinkSocket(.route, receiveBuffer: Self.receiveBuffer)
        try socket.join(Int32(RTNLGRP_LINK.rawValue))
        try socket.join(Int32(RTNLGRP_IPV4_IFADDR.rawValue))
        try socket.join(Int32(RTNLGRP_IPV6_IFADDR.rawValue))
        if hearsRoutes {
            try socket.join(Int32(RTNLGRP_IPV4_ROUTE.rawValue))
            try socket.join(Int32(RTNLGRP_IPV6_ROUTE.rawValue))
            try socket.join(Int32(RTNLGRP_IPV4_RULE.rawValue))
            // RTNLGRP_IPV6_RULE; libnl's enumeration ends before it.
            try socket.join(19)
        }
        let number = socket.number
        self.init(socket, number: number, kernel: kernel)
        if !hearsRoutes { routeOrigins = [] }
    }

    /// Hears notifications over `transport`, whose descriptor is `number`, and reads the table from `kernel`.
    public init(_ transport: consuming some NetlinkTransport & ~Copyable, number: Int32, kernel: any RouteKernel) {
        self.transport = Owner(transport)
        self.number = number
        self.kernel = kernel
        buffer = .allocate(byteCount: Self.bufferSize, alignment: 16)
    }

    deinit {
        buffer.deallocate()
    }

    /// Where notifications wait: `vrrp_netlink_monitor_rcv_bufs`. Returns what is wrong, for people.
    public func setBuffer(_ buffer: NetlinkBuffer) -> String? {
        ReceiveBuffer.set(buffer, atLeast: Int(Self.receiveBuffer), of: number)
    }

    /// Call it when the descriptor is readable, and between large changes of one's own, whose notifications would fill the queue. Reads at
    /// most `limit` datagrams, so that a flood cannot hold up the loop; on a loss, everything that is queued, and the table anew. While the
    /// table is stale only the queue is emptied.
    public func update(limit: Int) -> News {
        guard !needsDump else {
            transport.discard(into: buffer)
            return .stale(.overrun)
        }
        guard let events = read(limit: limit) else { return resynchronise() }
        return events.isEmpty ? .nothing : .changed(events)
    }

    /// Reads the table anew: at the start, and again while `needsDump`. Never `.nothing` or `.changed`.
    public func resynchronise() -> News {
        needsDump = true
        for _ in 0..<Self.attempts {
            transport.discard(into: buffer)
            let snapshot: RouteSnapshot
            do throws(NetlinkError) {
                var dump = try kernel.snapshot()
                if !routeOrigins.isEmpty { dump.routing = try kernel.routing(of: routeOrigins) }
                snapshot = dump
            } catch {
                return .stale(error)
            }
            guard let events = read(limit: .max) else { continue }
            needsDump = false
            return .replaced(snapshot, then: events)
        }
        return .stale(.overrun)
    }

    /// Reads at most `limit` queued datagrams; nil when some were lost.
    private func read(limit: Int) -> [RouteEvent]? {
        var events: [RouteEvent] = []
        for _ in 0..<limit {
            do throws(NetlinkError) {
                let length = try transport.receive(into: buffer)
                for reply in NetlinkDatagram(UnsafeRawBufferPointer(rebasing: buffer[..<length])) {
                    if let event = RouteEvent(reply, routesOf: routeOrigins) { events.append(event) }
                }
            } catch .timedOut {
                return events
            } catch {
                return nil
            }
        }
        return events
    }
}

extension RouteEvent {
    /// Decodes a notification; nil for those that say nothing here.
    /// - Parameter origins: whose routes are of interest. A route that took another one's place is, whoever made it.
    init?(_ reply: NetlinkReply, routesOf origins: Set<UInt8>) {
        switch Int(reply.type) {
        case RTM_NEWLINK:
            guard let link = Link(reply) else { return nil }
            self = .link(link)
        case RTM_DELLINK:
            // A bridge port or a wireless event says DELLINK for its own family only.
            guard let link = Link(reply), reply.payload.first == UInt8(AF_UNSPEC) else { return nil }
            self = .linkGone(link)
        case RTM_NEWADDR:
            guard let address = InterfaceAddress(reply) else { return nil }
            self = .address(address)
        case RTM_DELADDR:
            guard let address = InterfaceAddress(reply) else { return nil }
            self = .addressGone(address)
        case RTM_NEWROUTE, RTM_DELROUTE:
            guard let origin = Route.origin(of: reply) else { return nil }
            let isNew = Int(reply.type) == RTM_NEWROUTE
            let hasReplaced = isNew && reply.flags & UInt16(NLM_F_REPLACE) != 0
            guard hasReplaced || origins.contains(origin), let route = Route(reply) else { return nil }
            self = .routing(hasReplaced ? .replaced(route) : isNew ? .route(route) : .routeGone(route))
        case RTM_NEWRULE:
            guard let rule = Rule(reply) else { return nil }
            self = .routing(.rule(rule))
        case RTM_DELRULE:
            guard let rule = Rule(reply) else { return nil }
            self = .routing(.ruleGone(rule))
        default:
            return nil
        }
    }
}
