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
        guard let address = text.withUTF8({ IPv4Address(ascii: $0) }) else { return nil }
        self = address
    }

    /// The same from the text's octets.
    public init?(ascii text: UnsafeBufferPointer<UInt8>) {
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
        rawValue = value << 8 | octet
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
        String(unsafeUninitializedCapacity: Self.longestText) { write(to: $0) }
    }

    /// Of `description`, in octets.
    static let longestText = 15

    /// Puts its text at the beginning of `text`, which has room; how many octets that is.
    func write(to text: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var count = text.put(rawValue >> 24, at: 0)
        for shift: UInt32 in [16, 8, 0] {
            text[count] = UInt8(ascii: ".")
            count = text.put(rawValue >> shift & 0xFF, at: count + 1)
        }
        return count
    }
}

extension UnsafeMutableBufferPointer<UInt8> {
    /// Puts a number in decimal at `index`; the index behind it.
    func put(_ number: UInt32, at index: Int) -> Int {
        var place: UInt32 = 1
        while number / place >= 10 { place *= 10 }
        var index = index
        while place > 0 {
            self[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / place % 10)
            index += 1
            place /= 10
        }
        return index
    }
}
