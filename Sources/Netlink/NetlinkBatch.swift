// Many requests, few system calls. Messages are laid one after the other into datagrams of at most `limit` messages; only the last of each
// datagram asks for an acknowledgement, because the kernel executes a datagram in order and always answers a failed message, asked or
// not. So one send and (when nothing fails) one receive move 200 commands, and each refusal still comes back with its own sequence number.

internal import CNl

/// Requests to be sent together, in order.
public struct NetlinkBatch {
    /// Messages per datagram. 200 refusals fit the smallest default receive buffer (about 256 answers).
    static let limit = 200
    /// Octets per datagram: far below the default send buffer.
    static let octetLimit = 64 << 10

    /// One datagram's worth of messages.
    struct Datagram {
        var bytes: [UInt8] = []
        /// Where each message's header starts.
        var offsets: [Int] = []
    }

    private(set) var datagrams: [Datagram] = []
    /// Messages appended so far.
    public private(set) var count = 0

    /// An empty batch.
    public init() {}

    /// Appends a message; its sequence number is given when it is sent.
    public mutating func append(_ message: borrowing NetlinkMessage) throws(NetlinkError) {
        try message.withBytes { (_, bytes) throws(NetlinkError) in
            if !hasRoom(for: bytes.count) { datagrams.append(Datagram()) }
            let index = datagrams.count - 1
            datagrams[index].offsets.append(datagrams[index].bytes.count)
            datagrams[index].bytes.append(contentsOf: bytes)
            datagrams[index].bytes.append(contentsOf: repeatElement(0, count: -bytes.count & 3))
        }
        count += 1
    }

    private func hasRoom(for octets: Int) -> Bool {
        guard let last = datagrams.last else { return false }
        return last.offsets.count < Self.limit && last.bytes.count + octets <= Self.octetLimit
    }
}

/// A message of a batch that the kernel refused; the others were executed.
public struct NetlinkRefusal: Error, Hashable, Sendable {
    /// Its position in the batch, from 0.
    public let index: Int
    /// `.refused` with the kernel's errno.
    public let error: NetlinkError

    /// A refusal of message `index`.
    public init(index: Int, error: NetlinkError) {
        self.index = index
        self.error = error
    }
}
