// Messages out of a stream of octets: each ends in a NUL. Octets are searched once; a cursor remembers how far.

internal import Glibc

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

    /// Position of the first NUL not yet passed.
    private mutating func endOfMessage() -> Int? {
        let end: Int? = buffer.withUnsafeBytes { octets in
            guard searched < octets.count, let start = octets.baseAddress,
                let found = memchr(start + searched, 0, octets.count - searched)
            else { return nil }
            return UnsafeRawPointer(found) - start
        }
        searched = end ?? buffer.count
        return end
    }

    private mutating func reset() {
        buffer.removeAll(keepingCapacity: buffer.capacity <= Self.keptCapacity)
        start = 0
        searched = 0
    }
}
