/// The Internet checksum of RFC 1071: the ones' complement of the ones' complement sum of 16-bit words. Feed any number
/// of pieces of even length (only the last may be odd), then read `value`.
public struct InternetChecksum: Sendable {
    private var sum: UInt64 = 0

    /// An empty sum.
    public init() {}

    /// Adds octets in transmission order; an odd last octet is padded with zero.
    public mutating func add(_ bytes: some Collection<UInt8>) {
        var high = true
        for byte in bytes {
            sum += high ? UInt64(byte) << 8 : UInt64(byte)
            high.toggle()
        }
    }

    /// Adds one 16-bit word.
    public mutating func add(_ word: UInt16) {
        sum += UInt64(word)
    }

    /// The checksum to put on the wire. Over data that already carries a right checksum it is 0.
    public var value: UInt16 {
        var folded = sum
        while folded > 0xFFFF { folded = folded & 0xFFFF + folded >> 16 }
        return ~UInt16(truncatingIfNeeded: folded)
    }

    /// The checksum of one piece.
    public static func of(_ bytes: some Collection<UInt8>) -> UInt16 {
        var checksum = InternetChecksum()
        checksum.add(bytes)
        return checksum.value
    }
}
