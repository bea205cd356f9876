/// The Internet checksum of RFC 1071: the ones' complement of the ones' complement sum of 16-bit words. Feed any number
/// of pieces of even length (only the last may be odd), then read `value`.
public struct InternetChecksum: Sendable {
    @usableFromInline var sum: UInt64 = 0

    /// An empty sum.
    public init() {}

    /// Adds octets in transmission order; an odd last octet is padded with zero.
    @inlinable
    public mutating func add(_ bytes: some Collection<UInt8>) {
        bytes.withOctets { add($0) }
    }

    @usableFromInline
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        for index in stride(from: 0, to: bytes.count & ~1, by: 2) {
            sum += UInt64(bytes[index]) << 8 | UInt64(bytes[index + 1])
        }
        if bytes.count & 1 == 1 { sum += UInt64(bytes[bytes.count - 1]) << 8 }
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
    @inlinable
    public static func of(_ bytes: some Collection<UInt8>) -> UInt16 {
        var checksum = InternetChecksum()
        checksum.add(bytes)
        return checksum.value
    }
}
