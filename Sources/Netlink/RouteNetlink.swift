// Requests to rtnetlink: the interfaces, the addresses, and changes of addresses in one batch. Behind a protocol, so that a test can
// be the kernel.

internal import CNl
internal import CNlRoute
public import Configuration
internal import Glibc
internal import Net
internal import Platform
public import VRRP

/// A change that the kernel refused.
public struct RefusedChange: Error, Hashable, Sendable {
    /// The change.
    public let change: KernelChange
    /// The kernel's answer.
    public let error: NetlinkError

    /// A change and the kernel's answer to it.
    public init(change: KernelChange, error: NetlinkError) {
        self.change = change
        self.error = error
    }
}

/// The kernel's interfaces and addresses.
public protocol RouteKernel: AnyObject {
    /// Dumps interfaces and addresses.
    func snapshot() throws(NetlinkError) -> RouteSnapshot
    /// Dumps rules, and the routes that these made (RTPROT_*).
    func routing(of origins: Set<UInt8>) throws(NetlinkError) -> RoutingSnapshot
    /// Executes the changes in order in one round trip and returns the refused ones. An address that is already there (EEXIST), a rule
    /// that is, and what is already gone (EADDRNOTAVAIL, ESRCH, ENOENT, ENODEV) is not a refusal.
    func apply(_ changes: [KernelChange]) throws(NetlinkError) -> [RefusedChange]
}

/// The real kernel.
public final class RouteNetlink: RouteKernel {
    let client: NetlinkClient
    /// The socket's; nil where there is none.
    private let number: Int32?
    private static let receiveBuffer: Int32 = 1 << 20

    /// Opens a request socket in the current network namespace.
    public convenience init() throws(NetlinkError) {
        let socket = try NetlinkSocket(.route, receiveBuffer: Self.receiveBuffer)
        let number = socket.number
        self.init(NetlinkClient(socket), number: number)
    }

    /// Speaks over `client`.
    public init(_ client: NetlinkClient, number: Int32? = nil) {
        self.client = client
        self.number = number
    }

    /// Where the kernel's answers wait: `vrrp_netlink_cmd_rcv_bufs`. Returns what is wrong, for people.
    public func setBuffer(_ buffer: NetlinkBuffer) -> String? {
        number.flatMap { ReceiveBuffer.set(buffer, atLeast: Int(Self.receiveBuffer), of: $0) }
    }

    public func snapshot() throws(NetlinkError) -> RouteSnapshot {
        var attempts = 0
        while true {
            do throws(NetlinkError) {
                return try dump()
            } catch {
                attempts += 1
                guard error == .dumpInterrupted, attempts < 5 else { throw error }
            }
        }
    }

    private func dump() throws(NetlinkError) -> RouteSnapshot {
        var snapshot = RouteSnapshot()
        let links = try NetlinkMessage(type: RTM_GETLINK, flags: NLM_F_DUMP, header: ifinfomsg())
        try client.query(links) { reply in
            if Int(reply.type) == RTM_NEWLINK, let link = Link(reply) { snapshot.links.append(link) }
        }
        let addresses = try NetlinkMessage(type: RTM_GETADDR, flags: NLM_F_DUMP, header: ifaddrmsg())
        try client.query(addresses) { reply in
            if Int(reply.type) == RTM_NEWADDR, let address = InterfaceAddress(reply) {
                snapshot.addresses.append(address)
            }
        }
        return snapshot
    }

    public func routing(of origins: Set<UInt8>) throws(NetlinkError) -> RoutingSnapshot {
        var snapshot = RoutingSnapshot()
        for family in [AF_INET, AF_INET6] {
            for origin in origins.sorted() {
                try client.query(NetlinkMessage.dumpingRoutes(family, of: origin)) { reply in
                    guard Int(reply.type) == RTM_NEWROUTE, Route.origin(of: reply) == origin, let route = Route(reply)
                    else { return }
                    snapshot.routes.append(route)
                }
            }
            try client.query(NetlinkMessage.dumpingRules(family)) { reply in
                if Int(reply.type) == RTM_NEWRULE, let rule = Rule(reply) { snapshot.rules.append(rule) }
            }
        }
        return snapshot
    }

    public func apply(_ changes: [KernelChange]) throws(NetlinkError) -> [RefusedChange] {
        guard !changes.isEmpty else { return [] }
        var batch = NetlinkBatch()
        for change in changes { try batch.append(NetlinkMessage.changing(change)) }
        return try client.run(batch).compactMap { refusal in
            let change = changes[refusal.index]
            switch (change, refusal.error.code) {
            case (.address(.add), EEXIST), (.rule(.add), EEXIST): return nil
            case (.address(.delete), EADDRNOTAVAIL), (.address(.delete), ENODEV): return nil
            case (.route(.delete), ESRCH), (.route(.delete), ENODEV), (.rule(.delete), ENOENT): return nil
            default: return RefusedChange(change: change, error: refusal.error)
            }
        }
    }
}

extension NetlinkMessage {
    /// A request with a fixed header, `ifinfomsg` or `ifaddrmsg`.
    init<Header: BitwiseCopyable>(type: Int, flags: Int32, header: Header) throws(NetlinkError) {
        guard let raw = nlmsg_alloc_simple(Int32(type), flags) else { throw .messageTooLong }
        var header = header
        guard nlmsg_append(raw, &header, MemoryLayout<Header>.size, Int32(NLMSG_ALIGNTO)) == 0 else {
            nlmsg_free(raw)
            throw .messageTooLong
        }
        self.init(owning: raw)
    }

    static func changing(_ change: KernelChange) throws(NetlinkError) -> NetlinkMessage {
        switch change {
        case .address(let change): try changing(change)
        case .route(let change): try changing(change)
        case .rule(let change): try changing(change)
        }
    }

    /// RTM_NEWADDR (refused when the address exists) or RTM_DELADDR.
    static func changing(_ change: AddressChange) throws(NetlinkError) -> NetlinkMessage {
        let address = change.object
        let remote = address.peer ?? address.prefix
        var header = ifaddrmsg()
        header.ifa_family = UInt8(address.prefix.address.family == .inet ? AF_INET : AF_INET6)
        header.ifa_prefixlen = UInt8(clamping: remote.length)
        header.ifa_scope = address.scope
        header.ifa_index = UInt32(bitPattern: address.link)
        let isAddition = if case .add = change { true } else { false }
        var message = try NetlinkMessage(
            type: isAddition ? RTM_NEWADDR : RTM_DELADDR, flags: isAddition ? NLM_F_CREATE | NLM_F_EXCL : 0,
            header: header)
        message.put(Int(IFA_LOCAL), octets: address.prefix.address.octets)
        message.put(Int(IFA_ADDRESS), octets: remote.address.octets)
        guard isAddition else { return message }
        if let broadcast = address.broadcast { message.put(Int(IFA_BROADCAST), octets: IPAddress.v4(broadcast).octets) }
        if !address.label.isEmpty { message.put(Int(IFA_LABEL), address.label) }
        if address.flags != 0 { message.put(Int(IFA_FLAGS), address.flags) }
        if address.origin != 0 { message.put(InterfaceAddress.originAttribute, octets: [address.origin]) }
        if let preferred = address.preferredLifetime {
            var lifetime = ifa_cacheinfo()
            lifetime.ifa_prefered = preferred
            lifetime.ifa_valid = .max
            message.put(Int(IFA_CACHEINFO), octets: withUnsafeBytes(of: lifetime) { Array($0) })
        }
        return message
    }
}
