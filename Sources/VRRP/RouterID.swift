// By what the parts of a director refer to each other: numbers. Names and identities are for people and for files; a reload may rename
// everything without any part noticing.

public import Net

/// A virtual router of this director, from its appearance in the configuration to its end. Never used again for another one.
public struct RouterID: Hashable, Comparable, Sendable {
    let number: Int

    /// Stands for routers that are not configured any more.
    static let nobody = RouterID(number: 0)
    /// Stands for what follows no election: static_ipaddress, static_routes, static_rules.
    static let host = RouterID(number: -1)

    public static func < (left: RouterID, right: RouterID) -> Bool { left.number < right.number }
}

/// Where advertisements are received and sent: an interface and a group, or this host's unicast address. Many routers share one.
public struct ChannelKey: Hashable, Sendable {
    /// The interface's number; nil = any.
    public var link: Int32?
    /// Tells an interface from an earlier one with the same number.
    public var birth: Int
    /// The group, or this host's unicast address.
    public var local: IPAddress
    /// Advertisements come in Authentication Headers: another protocol to the kernel.
    public var isSigned = false
}

/// How a router speaks: through which channel and from which address.
public struct Voice: Hashable, Sendable {
    /// The sockets.
    public var channel: ChannelKey
    /// The source of its advertisements.
    public var source: IPAddress
    /// The hardware address of its frames, where it is not the interface's (`use_vmac`): such advertisements leave as whole frames.
    public var virtualMAC: MACAddress?
}

/// The channel's sockets.
public enum ChannelState: Hashable, Sendable {
    /// Not asked for yet.
    case wanted
    /// They work.
    case open
    /// They could not be had, in the system's words; asked for again at the time.
    case failed(String, retryAt: Instant)
}

/// A set of virtual router IDs, for a filter in the kernel.
public struct VirtualRouterIDs: Hashable, Sendable {
    /// Bit N % 32 of word N / 32.
    public private(set) var words = [UInt32](repeating: 0, count: 8)

    /// Nobody.
    public init() {}

    /// Everybody.
    public static let all = VirtualRouterIDs(0...255)

    /// These.
    public init(_ identifiers: some Sequence<UInt8>) {
        for identifier in identifiers { insert(identifier) }
    }

    /// One more.
    public mutating func insert(_ identifier: UInt8) {
        words[Int(identifier) / 32] |= 1 << UInt32(identifier % 32)
    }

    /// True when the set has it.
    public func contains(_ identifier: UInt8) -> Bool {
        words[Int(identifier) / 32] >> UInt32(identifier % 32) & 1 == 1
    }
}

/// What is to be done to a channel.
public struct ChannelRequest: Sendable {
    /// The work; its result comes back as `Event.channel`.
    public enum Work: Hashable, Sendable {
        /// None: it is as it should be, or not due yet.
        case none
        /// Open its sockets.
        case open
        /// Let its filter pass other virtual routers, and give it another buffer.
        case filter
    }

    /// Which one.
    public let key: ChannelKey
    /// Its interface's name.
    public let interface: String?
    /// Whose advertisements it is for.
    public let routers: VirtualRouterIDs
    /// The octets that packets may wait in; nil = the driver's own choice.
    public let buffer: Int?
    /// What to do.
    public let work: Work
}
