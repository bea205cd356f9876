// What the kernel says by itself about interfaces and addresses, and the table that these notifications keep up to date. After lost
// notifications the owner dumps again and starts over with a new table.

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
}

/// What exists now.
public struct RouteSnapshot: Hashable, Sendable {
    /// The interfaces.
    public var links: [Link] = []
    /// Their addresses.
    public var addresses: [InterfaceAddress] = []

    /// Nothing.
    public init() {}
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

    /// Takes over a notification.
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
        }
    }

    /// An interface was renamed or is gone; a new one may have its name already.
    private mutating func forgetName(of index: Int32) {
        if let name = links[index]?.name, indices[name] == index { indices[name] = nil }
    }
}
