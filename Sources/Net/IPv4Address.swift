/// An IPv4 address. Ordered as an unsigned number in network order, which is what VRRP's tie-break compares
/// (RFC 9568 §6.4.3).
public struct IPv4Address: Hashable, Comparable, Sendable, LosslessStringConvertible {
    /// The address as a number in host order: 192.0.2.1 is 0xC0000201.
    public var rawValue: UInt32

    /// 0.0.0.0
    public static let any = IPv4Address(rawValue: 0)
    /// 255.255.255.255
    public static let broadcast = IPv4Address(rawValue: .max)

    /// From a number in host order.
    @inlinable
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// From its four octets, left to right.
    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        rawValue = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
    }

    /// Parses dotted-quad text: exactly four decimal octets, no leading zeros, nothing around them.
    public init?(_ text: String) {
        var text = text
        guard let value = text.withUTF8({ Self.parse($0) }) else { return nil }
        rawValue = value
    }

    private static func parse(_ text: UnsafeBufferPointer<UInt8>) -> UInt32? {
        var value: UInt32 = 0
        var octet: UInt32 = 0
        var digits = 0
        var dots = 0
        for byte in text {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard digits == 0 || octet != 0 else { return nil }
                octet = octet * 10 + UInt32(byte - UInt8(ascii: "0"))
                guard octet <= 255 else { return nil }
                digits += 1
            case UInt8(ascii: "."):
                guard digits > 0, dots < 3 else { return nil }
                value = value << 8 | octet
                (octet, digits) = (0, 0)
                dots += 1
            case _: return nil
            }
        }
        guard digits > 0, dots == 3 else { return nil }
        return value << 8 | octet
    }

    /// The four octets in network order.
    public var octets: (UInt8, UInt8, UInt8, UInt8) {
        (
            UInt8(truncatingIfNeeded: rawValue >> 24), UInt8(truncatingIfNeeded: rawValue >> 16),
            UInt8(truncatingIfNeeded: rawValue >> 8), UInt8(truncatingIfNeeded: rawValue)
        )
    }

    /// True for 224.0.0.0/4.
    public var isMulticast: Bool { rawValue >> 28 == 0xE }
    /// True for 127.0.0.0/8.
    public var isLoopback: Bool { rawValue >> 24 == 127 }

    public static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.rawValue < right.rawValue }

    public var description: String {
        // The longest, 255.255.255.255, has 15 octets. Tables have tens of thousands of addresses.
        String(unsafeUninitializedCapacity: 15) { text in
            var count = 0
            for shift: UInt32 in [24, 16, 8, 0] {
                let octet = rawValue >> shift & 0xFF
                if shift < 24 {
                    text[count] = UInt8(ascii: ".")
                    count += 1
                }
                for place: UInt32 in [100, 10, 1] where octet >= place || place == 1 {
                    text[count] = UInt8(ascii: "0") + UInt8(octet / place % 10)
                    count += 1
                }
            }
            return count
        }
    }
}
