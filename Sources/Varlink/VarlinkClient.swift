// One connection seen from the client: calls may be pipelined, replies are matched by their order.
internal import JSON

/// The client's side of a connection.
public struct VarlinkClient: Sendable {
    private var framer: VarlinkFramer
    /// For each call that waits for its last reply, whether it asked for several; the first is `waiting[head]`.
    private var waiting: [Bool] = []
    private var head = 0

    /// A connection on which nothing has happened.
    public init(limit: Int = VarlinkFramer.messageLimit) {
        framer = VarlinkFramer(limit: limit)
    }

    /// Calls that wait for a reply.
    public var callsWaiting: Int { waiting.count - head }

    /// Notes a call and returns the octets to send.
    public mutating func call(_ call: VarlinkCall) throws(VarlinkProtocolError) -> [UInt8] {
        guard !call.oneway || !call.more else { throw .onewayAndMore }
        do throws(JSONError) {
            let octets = try call.encoded()
            if !call.oneway { waiting.append(call.more) }
            return octets
        } catch {
            throw .json(error)
        }
    }

    /// Notes a call whose octets the driver has made itself; not for oneway calls.
    public mutating func called(more: Bool) {
        waiting.append(more)
    }

    /// Adds what was received.
    public mutating func receive(_ octets: UnsafeRawBufferPointer) {
        framer.append(octets)
    }

    /// The next reply, to the oldest call that waits; nil while there is none. After an error the connection is to be
    /// closed.
    public mutating func nextReply() throws(VarlinkProtocolError) -> VarlinkReply? {
        guard let message = try framer.next() else { return nil }
        let reply = try VarlinkReply(parsing: message)
        guard callsWaiting > 0 else { throw .unexpectedReply }
        guard !reply.continues || waiting[head] else { throw .continuesUnasked }
        if !reply.continues {
            head += 1
            if head == waiting.count {
                waiting.removeAll(keepingCapacity: true)
                head = 0
            }
        }
        return reply
    }
}
