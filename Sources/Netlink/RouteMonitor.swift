// Hears what the kernel says by itself about interfaces and addresses. When notifications are lost (ENOBUFS) the monitor says so and
// the owner dumps again: nothing is ever assumed.

internal import CNl
internal import CNlRoute
internal import Glibc
public import VRRP

/// Listens to the interface and address groups of rtnetlink.
public final class RouteMonitor {
    private static let bufferSize = 32 << 10
    private let socket: NetlinkSocket
    private let buffer: UnsafeMutableRawBufferPointer

    /// Joins the groups in the current network namespace. Open it before the first dump, so that nothing falls between.
    public init() throws(NetlinkError) {
        let socket = try NetlinkSocket(.route, receiveBuffer: 1 << 20)
        try socket.join(Int32(RTNLGRP_LINK.rawValue))
        try socket.join(Int32(RTNLGRP_IPV4_IFADDR.rawValue))
        try socket.join(Int32(RTNLGRP_IPV6_IFADDR.rawValue))
        self.socket = socket
        buffer = .allocate(byteCount: Self.bufferSize, alignment: 16)
    }

    deinit {
        buffer.deallocate()
    }

    /// The descriptor to watch for reading.
    public var number: Int32 { socket.number }

    /// Reads what is queued, at most 64 datagrams, so that a flood cannot hold up the loop.
    public func drain(_ body: (RouteEvent) -> Void) {
        for _ in 0..<64 {
            do throws(NetlinkError) {
                let length = try socket.receive(into: buffer)
                for reply in NetlinkDatagram(UnsafeRawBufferPointer(rebasing: buffer[..<length])) {
                    if let event = RouteEvent(reply) { body(event) }
                }
            } catch .timedOut {
                return
            } catch {
                body(.lost)
                return
            }
        }
    }
}

extension RouteEvent {
    /// Decodes a notification; nil for those that say nothing here.
    init?(_ reply: NetlinkReply) {
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
        default:
            return nil
        }
    }
}
