// Conversations with the kernel: run a batch, run one request, dump a table. Synchronous and without any waiting: the kernel has answered
// when `send` returns, so an answer that is not there was lost (`.timedOut`). After a lost answer the socket is emptied, so that the next
// conversation begins with nothing of this one.

internal import CNl
internal import Glibc

/// Sends requests over a transport and matches the answers by sequence number. Answers to earlier, abandoned requests are skipped.
public final class NetlinkClient {
    /// What the kernel fills in one datagram at most during a dump is 32 KiB; twice that never truncates.
    private static let bufferSize = 64 << 10

    private let transport: any Carrier
    private let buffer: UnsafeMutableRawBufferPointer
    private var lastSequence: UInt32

    /// A client over `transport`; sequence numbers start after `sequence`.
    public init(_ transport: consuming some NetlinkTransport & ~Copyable, sequence: UInt32 = 0) {
        self.transport = Owner(transport)
        lastSequence = sequence
        buffer = .allocate(byteCount: Self.bufferSize, alignment: 16)
    }

    deinit {
        buffer.deallocate()
    }

    /// Executes a batch in order and returns the refused messages. Throws when the outcome of part of the batch is unknown
    /// (`stateIsUnknown`) or the socket failed; the rest of the batch is then not sent.
    public func run(_ batch: NetlinkBatch) throws(NetlinkError) -> [NetlinkRefusal] {
        var refusals: [NetlinkRefusal] = []
        var sent = 0
        for datagram in batch.datagrams {
            do {
                refusals += try run(datagram, firstIndex: sent)
            } catch {
                if error.stateIsUnknown { transport.discard(into: buffer) }
                throw error
            }
            sent += datagram.offsets.count
        }
        return refusals
    }

    /// Executes one request and waits for its acknowledgement.
    public func run(_ message: borrowing NetlinkMessage) throws(NetlinkError) {
        var batch = NetlinkBatch()
        try batch.append(message)
        if let refusal = try run(batch).first { throw refusal.error }
    }

    /// Sends a request and passes every answer to `body`, until NLMSG_DONE for a dump (NLM_F_DUMP set in the message) or the
    /// acknowledgement otherwise. `body` may see part of a dump before an error is thrown.
    public func query(_ message: borrowing NetlinkMessage, _ body: (NetlinkReply) -> Void) throws(NetlinkError) {
        do {
            try ask(message, body)
        } catch {
            if error.stateIsUnknown { transport.discard(into: buffer) }
            throw error
        }
    }

    private func ask(_ message: borrowing NetlinkMessage, _ body: (NetlinkReply) -> Void) throws(NetlinkError) {
        let sequence = nextSequence()
        try message.withBytes { (header, bytes) throws(NetlinkError) in
            header.pointee.nlmsg_seq = sequence
            header.pointee.nlmsg_flags |= UInt16(NLM_F_REQUEST)
            if header.pointee.nlmsg_flags & UInt16(NLM_F_DUMP) != UInt16(NLM_F_DUMP) {
                header.pointee.nlmsg_flags |= UInt16(NLM_F_ACK)
            }
            try transport.send(bytes)
        }
        var interrupted = false
        while true {
            for reply in try receive() where reply.sequence == sequence {
                interrupted = interrupted || reply.flags & UInt16(NLM_F_DUMP_INTR) != 0
                switch Int32(reply.type) {
                case NLMSG_ERROR, NLMSG_DONE:
                    // A dump that failed half way carries its errno in NLMSG_DONE.
                    guard let code = reply.errorCode else { throw .malformed("short end of answer") }
                    guard code == 0 else { throw .refused(code: code, message: reply.errorText) }
                    if interrupted { throw .dumpInterrupted }
                    return
                case NLMSG_OVERRUN: throw .overrun
                case NLMSG_NOOP: continue
                default: body(reply)
                }
            }
        }
    }

    private func run(_ datagram: NetlinkBatch.Datagram, firstIndex: Int) throws(NetlinkError) -> [NetlinkRefusal] {
        var bytes = datagram.bytes
        let first = lastSequence &+ 1
        for (index, offset) in datagram.offsets.enumerated() {
            let isLast = index == datagram.offsets.count - 1
            bytes.withUnsafeMutableBytes { space in
                var header = space.loadUnaligned(fromByteOffset: offset, as: nlmsghdr.self)
                header.nlmsg_seq = nextSequence()
                header.nlmsg_flags = header.nlmsg_flags & ~UInt16(NLM_F_ACK) | UInt16(NLM_F_REQUEST)
                if isLast { header.nlmsg_flags |= UInt16(NLM_F_ACK) }
                space.storeBytes(of: header, toByteOffset: offset, as: nlmsghdr.self)
            }
        }
        let last = lastSequence
        try bytes.withUnsafeBufferPointer { (space) throws(NetlinkError) in
            try transport.send(UnsafeRawBufferPointer(space))
        }
        var refusals: [NetlinkRefusal] = []
        while true {
            for reply in try receive() where Int32(reply.type) == NLMSG_ERROR {
                let position = Int(reply.sequence &- first)
                guard position < datagram.offsets.count else { continue }
                guard let code = reply.errorCode else { throw .malformed("short acknowledgement") }
                if code != 0 {
                    let error = NetlinkError.refused(code: code, message: reply.errorText)
                    refusals.append(NetlinkRefusal(index: firstIndex + position, error: error))
                }
                if reply.sequence == last { return refusals }
            }
        }
    }

    private func receive() throws(NetlinkError) -> NetlinkDatagram {
        let length = try transport.receive(into: buffer)
        return NetlinkDatagram(UnsafeRawBufferPointer(rebasing: buffer[..<length]))
    }

    private func nextSequence() -> UInt32 {
        lastSequence &+= 1
        return lastSequence
    }
}
