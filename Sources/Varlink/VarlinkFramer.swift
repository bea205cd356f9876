// Messages out of a stream of octets: each ends in a NUL. Octets are searched once; a cursor remembers how far.

/// Splits a stream into messages.
public struct VarlinkFramer: Sendable {
    /// Octets of the longest message accepted, without its NUL: 1 MiB.
    public static let messageLimit = 1 << 20
    /// Octets of the longest call that a broker passes on: it adds who the caller is.
    public static let relayedLimit = messageLimit + 256
    /// Room kept for the next message when none is held: more would add up over many idle connections.
    private static let keptCapacity = 1 << 13

    private let limit: Int
    private var buffer: [UInt8] = []
    private var start = 0
    private var searched = 0

    /// A framer that refuses messages longer than `limit` octets.
    public init(limit: Int = VarlinkFramer.messageLimit) {
        self.limit = limit
    }

    /// Octets held that no message has been made of.
    public var pending: Int { buffer.count - start }

    /// Adds what was received.
    public mutating func append(_ octets: UnsafeRawBufferPointer) {
        if start > 0, start >= buffer.count / 2 {
            buffer.removeFirst(start)
            searched -= start
            start = 0
        }
        buffer.append(contentsOf: octets)
    }

    /// The next complete message without its NUL, as a slice of the buffer. Let go of it before the next `append`,
    /// or that copies.
    public mutating func next() throws(VarlinkProtocolError) -> ArraySlice<UInt8>? {
        guard let end = endOfMessage() else {
            guard buffer.count - start <= limit else { throw .messageTooLong(limit: limit) }
            if start == buffer.count { reset() }
            return nil
        }
        guard end - start <= limit else { throw .messageTooLong(limit: limit) }
        let message = buffer[start..<end]
        start = end + 1
        searched = start
        return message
    }

    /// Whether `next` would return a message: octets after the last NUL alone are none.
    public mutating func hasMessage() -> Bool { endOfMessage() != nil }

    /// Position of the first NUL not yet passed; eight octets at a time.
    private mutating func endOfMessage() -> Int? {
        var position = searched
        let end: Int? = buffer.withUnsafeBytes { octets in
            while position + 8 <= octets.count {
                let word = octets.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                // The high bit of an octet is set where the octet was zero ("hasless" of Bit Twiddling Hacks).
                if (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0 { break }
                position += 8
            }
            while position < octets.count {
                if octets[position] == 0 { return position }
                position += 1
            }
            return nil
        }
        searched = position
        return end
    }

    private mutating func reset() {
        buffer.removeAll(keepingCapacity: buffer.capacity <= Self.keptCapacity)
        start = 0
        searched = 0
    }
}
