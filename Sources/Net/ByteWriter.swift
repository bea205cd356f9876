/// Appends numbers in network order to a buffer that the caller keeps, so that a hot path reuses its memory.
extension [UInt8] {
    /// Two octets, big-endian.
    @inlinable
    public mutating func append(bigEndian value: UInt16) {
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    /// Four octets, big-endian.
    @inlinable
    public mutating func append(bigEndian value: UInt32) {
        append(bigEndian: UInt16(truncatingIfNeeded: value >> 16))
        append(bigEndian: UInt16(truncatingIfNeeded: value))
    }

    /// Eight octets, big-endian.
    @inlinable
    public mutating func append(bigEndian value: UInt64) {
        append(bigEndian: UInt32(truncatingIfNeeded: value >> 32))
        append(bigEndian: UInt32(truncatingIfNeeded: value))
    }

    /// The address in network order: 4 or 16 octets.
    @inlinable
    public mutating func append(_ address: IPAddress) {
        switch address {
        case .v4(let address):
            append(bigEndian: address.rawValue)
        case .v6(let address):
            append(bigEndian: address.high)
            append(bigEndian: address.low)
        }
    }
}
