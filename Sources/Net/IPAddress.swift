/// An address family that IPVS and VRRP know.
public enum AddressFamily: String, Hashable, Sendable, CaseIterable {
    case inet
    case inet6

    /// Bits in an address: 32 or 128.
    public var bits: Int {
        switch self {
        case .inet: 32
        case .inet6: 128
        }
    }
}

/// An IPv4 or IPv6 address. IPv4 sorts before IPv6.
public enum IPAddress: Hashable, Comparable, Sendable, LosslessStringConvertible {
    case v4(IPv4Address)
    case v6(IPv6Address)

    /// Parses either family; no brackets, no prefix length, no zone.
    public init?(_ text: String) {
        if let address = IPv4Address(text) {
            self = .v4(address)
        } else if let address = IPv6Address(text) {
            self = .v6(address)
        } else {
            return nil
        }
    }

    /// From 4 or 16 octets in network order; nil for any other count.
    @inlinable
    public init?(octets: some Collection<UInt8>) {
        guard let address = octets.withOctets({ IPAddress($0) }) else { return nil }
        self = address
    }

    @usableFromInline
    init?(_ octets: UnsafeRawBufferPointer) {
        switch octets.count {
        case 4: self = .v4(IPv4Address(rawValue: UInt32(bigEndian: octets.loadUnaligned(as: UInt32.self))))
        case 16:
            self = .v6(
                IPv6Address(
                    high: UInt64(bigEndian: octets.loadUnaligned(as: UInt64.self)),
                    low: UInt64(bigEndian: octets.loadUnaligned(fromByteOffset: 8, as: UInt64.self))))
        default: return nil
        }
    }

    /// The family.
    public var family: AddressFamily {
        switch self {
        case .v4: .inet
        case .v6: .inet6
        }
    }

    /// Puts its octets in network order at the beginning of `buffer`, which has room for 16.
    public func copyOctets(to buffer: UnsafeMutableRawBufferPointer) {
        switch self {
        case .v4(let address): buffer.storeBytes(of: address.rawValue.bigEndian, as: UInt32.self)
        case .v6(let address):
            buffer.storeBytes(of: address.high.bigEndian, as: UInt64.self)
            buffer.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
    }

    /// 4 or 16 octets in network order.
    public var octets: [UInt8] {
        switch self {
        case .v4(let address):
            let (a, b, c, d) = address.octets
            return [a, b, c, d]
        case .v6(let address):
            return address.octets
        }
    }

    /// True for a group address of its family.
    public var isMulticast: Bool {
        switch self {
        case .v4(let address): address.isMulticast
        case .v6(let address): address.isMulticast
        }
    }

    /// True for fe80::/10. IPv4's 169.254.0.0/16 needs no interface's name beside it.
    public var isLinkLocal: Bool {
        switch self {
        case .v4: false
        case .v6(let address): address.isLinkLocal
        }
    }

    /// True for 127.0.0.0/8 and ::1.
    public var isLoopback: Bool {
        switch self {
        case .v4(let address): address.isLoopback
        case .v6(let address): address.isLoopback
        }
    }

    public var description: String {
        switch self {
        case .v4(let address): address.description
        case .v6(let address): address.description
        }
    }
}

/// An address with a prefix length: what `ip address add` takes.
public struct IPPrefix: Hashable, Comparable, Sendable, LosslessStringConvertible {
    /// The address, host bits kept.
    public var address: IPAddress
    /// 0...32 or 0...128.
    public var length: Int

    /// An address and its prefix length; nil when the length does not fit the family.
    public init?(_ address: IPAddress, length: Int) {
        guard (0...address.family.bits).contains(length) else { return nil }
        self.address = address
        self.length = length
    }

    /// A host prefix: /32 or /128.
    public init(host address: IPAddress) {
        self.address = address
        length = address.family.bits
    }

    /// Parses `ADDRESS` (a host prefix) or `ADDRESS/LENGTH`.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(String(first)) else { return nil }
        guard parts.count == 2 else {
            self.init(host: address)
            return
        }
        guard parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let length = Int(parts[1])
        else { return nil }
        self.init(address, length: length)
    }

    /// Whether an address is one of its network.
    public func contains(_ other: IPAddress) -> Bool {
        guard other.family == address.family else { return false }
        let differences = zip(address.octets, other.octets).map { $0 ^ $1 }
        let (octets, bits) = length.quotientAndRemainder(dividingBy: 8)
        return differences[..<octets].allSatisfy { $0 == 0 } && (bits == 0 || differences[octets] >> (8 - bits) == 0)
    }

    public static func < (left: IPPrefix, right: IPPrefix) -> Bool {
        (left.address, left.length) < (right.address, right.length)
    }

    public var description: String { "\(address)/\(length)" }
}

/// An address and a port, written `192.0.2.1:80` or `[2001:db8::1]:80`.
public struct Endpoint: Hashable, Comparable, Sendable, LosslessStringConvertible {
    /// The address.
    public var address: IPAddress
    /// The port, in host order.
    public var port: UInt16

    /// An address and a port.
    public init(_ address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Parses the two written forms; the port is required.
    public init?(_ text: String) {
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let digits = text[text.utf8.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = UInt16(digits)
        else { return nil }
        let host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            guard let address = IPv6Address(String(host.dropFirst().dropLast())) else { return nil }
            self.init(.v6(address), port: port)
        } else {
            guard let address = IPv4Address(String(host)) else { return nil }
            self.init(.v4(address), port: port)
        }
    }

    /// Tables are looked up by endpoint: one word for IPv4.
    public func hash(into hasher: inout Hasher) {
        switch address {
        case .v4(let address): hasher.combine(UInt64(address.rawValue) << 16 | UInt64(port))
        case .v6(let address):
            hasher.combine(address)
            hasher.combine(port)
        }
    }

    public static func < (left: Endpoint, right: Endpoint) -> Bool {
        (left.address, left.port) < (right.address, right.port)
    }

    public var description: String {
        switch address {
        case .v4(let address):
            // A colon and five digits at most. Tables have tens of thousands of endpoints.
            String(unsafeUninitializedCapacity: IPv4Address.longestText + 6) { text in
                let colon = address.write(to: text)
                text[colon] = UInt8(ascii: ":")
                return text.put(UInt32(port), at: colon + 1)
            }
        case .v6(let address): "[\(address)]:\(port)"
        }
    }
}
