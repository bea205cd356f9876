// What the kernel says by itself about interfaces and addresses, and the table that these notifications keep up to date. After lost
// notifications the owner dumps again and starts over with a new table.

public import Net

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
    /// A route or a rule.
    case routing(RoutingEvent)
}

/// What exists now.
public struct RouteSnapshot: Hashable, Sendable {
    /// The interfaces.
    public var links: [Link] = []
    /// Their addresses.
    public var addresses: [InterfaceAddress] = []
    /// Routes of our making, and rules.
    public var routing = RoutingSnapshot()

    /// Nothing.
    public init() {}
}

/// What makes an address on an interface this one for the kernel: IPv6 knows an address once per interface, IPv4 once per prefix length
/// and peer (inet_insert_ifa, ipv6_add_addr).
public struct AddressKey: Hashable, Sendable {
    /// The interface.
    public var link: Int32
    /// The local address.
    public var address: IPAddress
    /// The prefix length; 0 in IPv6, where it does not matter.
    public var length: Int
    /// The other end of a point-to-point address.
    public var peer: IPAddress?

    /// What tells most of them apart: a takeover of thousands looks up each several times.
    public func hash(into hasher: inout Hasher) {
        switch address {
        case .v4(let address): hasher.combine(UInt64(UInt32(bitPattern: link)) << 32 | UInt64(address.rawValue))
        case .v6(let address):
            hasher.combine(address)
            hasher.combine(link)
        }
    }
}

extension InterfaceAddress {
    /// What the kernel knows the address by.
    public var key: AddressKey {
        AddressKey(
            link: link, address: prefix.address, length: prefix.address.family == .inet ? prefix.length : 0,
            peer: peer?.address)
    }
}

/// The interfaces and addresses as last heard. Every operation takes the same time however many addresses there are, but those that
/// say so.
public struct LinkTable: Sendable {
    /// An address and its place in the kernel's order.
    private struct Seat {
        var address: InterfaceAddress
        var ordinal: Int
    }

    /// Interfaces by the kernel's number.
    public private(set) var links: [Int32: Link] = [:]
    private var seats: [Int32: [AddressKey: Seat]] = [:]
    private var indices: [String: Int32] = [:]
    private var births: [Int32: Int] = [:]
    private var counter = 0
    /// Routes and rules.
    var routing = RoutingTable()

    /// Knows nothing.
    public init() {}

    /// What a dump said. Interfaces are taken for new ones after `earlier`: they may have been made again unheard.
    public init(_ snapshot: RouteSnapshot, after earlier: LinkTable = LinkTable()) {
        counter = earlier.counter
        for link in snapshot.links { apply(.link(link)) }
        for address in snapshot.addresses { apply(.address(address)) }
        routing = RoutingTable(snapshot.routing)
    }

    /// The interface of that name.
    public func link(named name: String) -> Link? {
        indices[name].flatMap { links[$0] }
    }

    /// Differs for two interfaces that had the same number one after the other: sockets of the first are deaf on the second.
    public func birth(of link: Int32) -> Int {
        births[link] ?? 0
    }

    /// The address as the kernel has it; nil when it is not there.
    public func address(_ key: AddressKey) -> InterfaceAddress? {
        seats[key.link]?[key]?.address
    }

    /// Whether the kernel has the address.
    func has(_ key: AddressKey) -> Bool { seats[key.link]?.index(forKey: key) != nil }

    /// Whether the kernel has the address and hosts may be told so: duplicate address detection is over.
    func isSettled(_ key: AddressKey) -> Bool {
        guard let index = seats[key.link]?.index(forKey: key) else { return false }
        return seats[key.link]?.values[index].address.isTentative == false
    }

    /// All addresses of an interface, in the kernel's order. Linear.
    public func addresses(on link: Int32) -> [InterfaceAddress] {
        (seats[link] ?? [:]).values.sorted { $0.ordinal < $1.ordinal }.map(\.address)
    }

    /// The first address of an interface in the kernel's order among those of the lowest rank; nil = not eligible. Linear.
    public func firstAddress(on link: Int32, rank: (InterfaceAddress) -> Int?) -> InterfaceAddress? {
        var best: (rank: Int, seat: Seat)?
        for seat in (seats[link] ?? [:]).values {
            guard let rank = rank(seat.address) else { continue }
            if let best, (best.rank, best.seat.ordinal) <= (rank, seat.ordinal) { continue }
            best = (rank, seat)
        }
        return best?.seat.address
    }

    /// True when the kernel says who made an address: since 5.18 it does for 127.0.0.1 and fe80::. Linear.
    public var hasOrigins: Bool {
        seats.values.contains { $0.values.contains { $0.address.origin != 0 } }
    }

    /// Addresses that a vrrpd added, as far as the kernel says so. Linear.
    var marked: [InterfaceAddress] {
        seats.values.flatMap { $0.values.map(\.address) }.filter { $0.origin == InterfaceAddress.ofVRRP }
            .sorted { ($0.link, $0.prefix) < ($1.link, $1.prefix) }
    }

    /// True when an interface has the address and answers for it; a link-local one counts on `link` only. Linear.
    public func offers(_ address: IPAddress, on link: Int32?) -> Bool {
        seats.contains { index, seats in
            guard !address.isLinkLocal || link == nil || link == index else { return false }
            return seats.values.contains { $0.address.prefix.address == address && !$0.address.isTentative }
        }
    }

    /// Takes over a notification.
    public mutating func apply(_ event: RouteEvent) {
        switch event {
        case .link(let link):
            forgetName(of: link.index)
            if links[link.index] == nil {
                counter += 1
                births[link.index] = counter
            }
            links[link.index] = link
            indices[link.name] = link.index
        case .linkGone(let link):
            forgetName(of: link.index)
            links[link.index] = nil
            seats[link.index] = nil
            births[link.index] = nil
        case .address(let address):
            place(address)
        case .addressGone(let address):
            seats[address.link]?[address.key] = nil
        case .routing(.route(let route)): routing.insert(route)
        case .routing(.replaced(let route)):
            routing.replaceFirst(of: route.slot)
            routing.insert(route)
        case .routing(.routeGone(let route)): routing.remove(route)
        case .routing(.rule(let rule)): routing.insert(rule)
        case .routing(.ruleGone(let rule)): routing.remove(rule)
        }
    }

    private mutating func place(_ address: InterfaceAddress) {
        counter += 1
        let seat = Seat(address: address, ordinal: counter)
        if let earlier = seats[address.link, default: [:]].updateValue(seat, forKey: address.key) {
            seats[address.link]?[address.key]?.ordinal = earlier.ordinal
        }
    }

    /// An interface was renamed or is gone; a new one may have its name already.
    private mutating func forgetName(of index: Int32) {
        if let name = links[index]?.name, indices[name] == index { indices[name] = nil }
    }
}
