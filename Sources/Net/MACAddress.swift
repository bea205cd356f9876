/// A 48-bit Ethernet address.
public struct MACAddress: Hashable, Sendable, LosslessStringConvertible {
    /// The address in the low 48 bits.
    public let rawValue: UInt64

    /// ff:ff:ff:ff:ff:ff
    public static let broadcast = MACAddress(rawValue: 0xFFFF_FFFF_FFFF)

    /// From the low 48 bits of a number; the rest is dropped.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue & 0xFFFF_FFFF_FFFF
    }

    /// From six octets in transmission order; nil for any other count.
    public init?(octets: some Collection<UInt8>) {
        guard octets.count == 6 else { return nil }
        rawValue = octets.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Parses `00:00:5e:00:01:33` or the same with dashes: six groups of two hexadecimal digits.
    public init?(_ text: String) {
        let separator: Character = text.contains("-") ? "-" : ":"
        let groups = text.split(separator: separator, omittingEmptySubsequences: false)
        let octets = groups.compactMap {
            $0.utf8.count == 2 && $0.first?.isHexDigit == true ? UInt8($0, radix: 16) : nil
        }
        guard groups.count == 6, octets.count == 6 else { return nil }
        self.init(octets: octets)
    }

    /// The six octets in transmission order.
    public var octets: [UInt8] {
        [40, 32, 24, 16, 8, 0].map { UInt8(truncatingIfNeeded: rawValue >> UInt64($0)) }
    }

    public var description: String {
        octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}
