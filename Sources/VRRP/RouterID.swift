// By what the parts of a director refer to each other: numbers. Names and identities are for people and for files; a reload may rename
// everything without any part noticing.

public import Net

/// A virtual router of this director, from its appearance in the configuration to its end. Never used again for another one.
public struct RouterID: Hashable, Comparable, Sendable {
    let number: Int

    /// Stands for routers that are not configured any more.
    static let nobody = RouterID(number: 0)

    public static func < (left: RouterID, right: RouterID) -> Bool { left.number < right.number }
}

/// Where advertisements are received and sent: an interface and a group, or this host's unicast address. Many routers share one.
public struct ChannelKey: Hashable, Sendable {
    /// The interface's number; nil = any.
    public var link: Int32?
    /// Tells an interface from an earlier one with the same number.
    public var birth: Int
    /// The group, or this host's unicast address.
    public var local: IPv4Address
}

/// How a router speaks: through which channel and from which address.
public struct Voice: Hashable, Sendable {
    /// The sockets.
    public var channel: ChannelKey
    /// The source of its advertisements.
    public var source: IPv4Address
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
