// What the kernel says by itself about interfaces and addresses, and the table that it keeps up to date. When notifications are lost
// (ENOBUFS) the monitor says so and the owner dumps again: nothing is ever assumed.

internal import CNl
internal import CNlRoute
internal import Glibc
internal import Net

/// A notification.
public enum RouteEvent: Hashable, Sendable {
    /// An interface appeared or changed.
    case link(Link)
    /// An interface is gone.
    case linkGone(Link)
    /// An address appeared or changed.
    case address(InterfaceAddress)
    /// An address is gone.
    case addressGone(InterfaceAddress)
    /// Notifications were lost: dump again.
    case lost
}

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
        try socket.setNonBlocking()
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

/// The interfaces and addresses as last heard.
public struct LinkTable: Sendable {
    /// Interfaces by the kernel's number.
    public private(set) var links: [Int32: Link] = [:]
    /// Addresses by interface, in the kernel's order.
    public private(set) var addresses: [Int32: [InterfaceAddress]] = [:]
    private var indices: [String: Int32] = [:]

    /// Knows nothing.
    public init() {}

    /// What a dump said.
    public init(_ snapshot: RouteSnapshot) {
        for link in snapshot.links { apply(.link(link)) }
        for address in snapshot.addresses { addresses[address.link, default: []].append(address) }
    }

    /// The interface of that name.
    public func link(named name: String) -> Link? {
        indices[name].flatMap { links[$0] }
    }

    /// Takes over a notification; `.lost` changes nothing.
    public mutating func apply(_ event: RouteEvent) {
        switch event {
        case .link(let link):
            forgetName(of: link.index)
            links[link.index] = link
            indices[link.name] = link.index
        case .linkGone(let link):
            forgetName(of: link.index)
            links[link.index] = nil
            addresses[link.index] = nil
        case .address(let address):
            var list = addresses[address.link] ?? []
            if let index = list.firstIndex(where: { $0.isSame(address) }) {
                list[index] = address
            } else {
                list.append(address)
            }
            addresses[address.link] = list
        case .addressGone(let address):
            addresses[address.link]?.removeAll { $0.isSame(address) }
        case .lost:
            return
        }
    }

    /// An interface was renamed or is gone; a new one may have its name already.
    private mutating func forgetName(of index: Int32) {
        if let name = links[index]?.name, indices[name] == index { indices[name] = nil }
    }
}

extension InterfaceAddress {
    /// True for the same address on the same interface, whatever its flags.
    public func isSame(_ other: InterfaceAddress) -> Bool {
        link == other.link && prefix == other.prefix && peer?.address == other.peer?.address
    }
}
