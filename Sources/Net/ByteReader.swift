/// A read past the end of the input.
public struct Truncated: Error, Hashable, Sendable {
    /// Octets that were asked for.
    public let needed: Int
    /// Octets that were left.
    public let available: Int

    /// A read of `needed` octets with only `available` left.
    @inlinable
    public init(needed: Int, available: Int) {
        self.needed = needed
        self.available = available
    }
}

/// Reads numbers in network order from a buffer. Total: a read past the end throws and moves nothing.
public struct ByteReader<Bytes: RandomAccessCollection> where Bytes.Element == UInt8, Bytes.Index == Int {
    @usableFromInline let bytes: Bytes
    @usableFromInline var position: Int

    /// Starts at the first octet.
    @inlinable
    public init(_ bytes: Bytes) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// Octets not read yet.
    @inlinable public var remaining: Int { bytes.endIndex - position }

    /// The next octet.
    @inlinable
    public mutating func readUInt8() throws(Truncated) -> UInt8 {
        try require(1)
        defer { position += 1 }
        return bytes[position]
    }

    /// The next two octets, big-endian.
    @inlinable
    public mutating func readUInt16() throws(Truncated) -> UInt16 {
        try require(2)
        defer { position += 2 }
        return UInt16(bytes[position]) << 8 | UInt16(bytes[position + 1])
    }

    /// The next four octets, big-endian.
    @inlinable
    public mutating func readUInt32() throws(Truncated) -> UInt32 {
        try require(4)
        defer { position += 4 }
        return UInt32(bytes[position]) << 24 | UInt32(bytes[position + 1]) << 16
            | UInt32(bytes[position + 2]) << 8 | UInt32(bytes[position + 3])
    }

    /// The next `count` octets.
    @inlinable
    public mutating func read(_ count: Int) throws(Truncated) -> Bytes.SubSequence {
        try require(count)
        defer { position += count }
        return bytes[position..<position + count]
    }

    @inlinable
    func require(_ count: Int) throws(Truncated) {
        guard count >= 0, count <= remaining else { throw Truncated(needed: count, available: remaining) }
    }
}
