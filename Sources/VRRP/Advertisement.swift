// The one message of VRRP, as a value: what version 2 (RFC 3768 §5) and version 3 (RFC 9568 §5) have in common, and
// the few words in which they differ. Encoding and decoding are in AdvertisementEncoder and AdvertisementDecoder.

public import Net

/// The protocol's version. Version 2 is IPv4 with whole-second intervals; version 3 is both families and centiseconds.
public enum ProtocolVersion: UInt8, Hashable, Sendable, CaseIterable {
    case v2 = 2
    case v3 = 3
}

/// Simple text authentication of version 2 (RFC 2338 §5.3.6, kept by keepalived): eight octets, padded with zero.
///
/// Kept as one word so that a comparison takes the same time whatever the difference.
public struct Password: Hashable, Sendable {
    /// The eight octets, the first one on top.
    let bits: UInt64

    /// The first eight of `octets`, padded with zero; the rest is not sent, as in keepalived.
    public init(_ octets: some Sequence<UInt8>) {
        var bits: UInt64 = 0
        var shift: UInt64 = 64
        for octet in octets.prefix(8) {
            shift -= 8
            bits |= UInt64(octet) << shift
        }
        self.bits = bits
    }

    init(bits: UInt64) {
        self.bits = bits
    }

    /// True when all eight octets are equal; does the same work for every pair.
    public func matches(_ other: Password) -> Bool {
        bits ^ other.bits == 0
    }
}

/// How a version 3 checksum over IPv4 is made. RFC 5798 §5.2.8 was read as including an IPv4 pseudo-header (keepalived,
/// FRR); RFC 9568 §5.2.8 says that it does not. Both are accepted; which one is sent is configuration.
public enum ChecksumForm: String, Hashable, Sendable {
    /// Over source, destination, protocol and length as well: keepalived's default.
    case pseudoHeader
    /// Over the VRRP message only: `v3_checksum_as_v2`, and always in version 2.
    case messageOnly
    /// As `pseudoHeader`, but with the multicast group for a destination although it went to a unicast peer: keepalived before 2.0.
    case groupPseudoHeader
}

/// An advertisement.
public struct Advertisement: Hashable, Sendable {
    /// Version 2 or 3.
    public var version: ProtocolVersion
    /// 1...255.
    public var virtualRouterID: UInt8
    /// 0 (the master gives up), 1...254, or 255 (owns the addresses). RFC 9568 §5.2.4.
    public var priority: UInt8
    /// The sender's advertisement interval: whole seconds up to 255 in version 2, centiseconds up to 40.95 s in 3.
    public var interval: Duration
    /// The virtual addresses, in the sender's order.
    public var addresses: [IPAddress]
    /// Version 2's simple text password; nil for authentication type 0.
    public var password: Password?
    /// Version 2: it travels in an Authentication Header, and its type says so.
    public var isSigned: Bool

    /// An advertisement with the given fields.
    public init(
        version: ProtocolVersion, virtualRouterID: UInt8, priority: UInt8, interval: Duration, addresses: [IPAddress],
        password: Password? = nil, isSigned: Bool = false
    ) {
        self.version = version
        self.virtualRouterID = virtualRouterID
        self.priority = priority
        self.interval = interval
        self.addresses = addresses
        self.password = password
        self.isSigned = isSigned
    }

    /// The interval as its wire field: seconds in version 2, centiseconds in version 3, each clamped to its range.
    var intervalField: UInt16 {
        let centiseconds = interval.nanoseconds / 10_000_000
        switch version {
        case .v2: return UInt16(clamping: min(max(centiseconds / 100, 1), 255))
        case .v3: return UInt16(clamping: min(max(centiseconds, 1), 4095))
        }
    }

    /// Octets of the VRRP message for a number of addresses of a family.
    static func length(_ version: ProtocolVersion, addresses: Int, family: AddressFamily) -> Int {
        8 + addresses * (family.bits / 8) + (version == .v2 ? 8 : 0)
    }

    /// IP protocol number (RFC 9568 §5.1.1.4).
    public static let protocolNumber: UInt8 = 112
    /// The TTL or hop limit of every advertisement (RFC 9568 §5.1.1.3).
    public static let timeToLive: UInt8 = 255
    /// 224.0.0.18 (RFC 9568 §5.1.1.2).
    public static let group4 = IPv4Address(224, 0, 0, 18)
    /// ff02::12 (RFC 9568 §5.1.2.2).
    public static let group6 = IPv6Address(high: 0xFF02_0000_0000_0000, low: 0x12)
}
