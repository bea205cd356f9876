// One connection seen from the server: calls come out one at a time, so replies are in order without ids however many
// calls the client has pipelined. No I/O: octets in, calls out, replies in, octets out.
internal import JSON

/// The server's side of a connection.
public struct VarlinkServer: Sendable {
    private enum State {
        case idle
        case serving(more: Bool, oneway: Bool)
    }

    private var framer: VarlinkFramer
    private var state = State.idle

    /// A connection on which nothing has happened.
    public init(limit: Int = VarlinkFramer.messageLimit) {
        framer = VarlinkFramer(limit: limit)
    }

    /// Octets received that no call has been made of; a driver stops reading when a busy client piles them up.
    public var pendingInput: Int { framer.pending }

    /// A call is being served.
    public var isServing: Bool {
        switch state {
        case .idle: false
        case .serving: true
        }
    }

    /// Whether a whole call waits for its turn. A client that sends no more is done only without one.
    public mutating func hasCall() -> Bool { framer.hasMessage() }

    /// Adds what was received.
    public mutating func receive(_ octets: UnsafeRawBufferPointer) {
        framer.append(octets)
    }

    /// The next call, once the one before it has been answered; nil while there is none. After an error the
    /// connection is to be closed.
    public mutating func nextCall() throws(VarlinkProtocolError) -> VarlinkCall? {
        guard !isServing, let message = try framer.next() else { return nil }
        let call = try VarlinkCall(parsing: message)
        state = .serving(more: call.more, oneway: call.oneway)
        return call
    }

    /// Gives the call that is being served up: nobody waits for its answer any more.
    public mutating func abandon() {
        state = .idle
    }

    /// Answers the call that is being served and returns the octets to send: none for a oneway call.
    /// Throws when the reply breaks the protocol; the state is then unchanged.
    public mutating func reply(_ reply: VarlinkReply) throws(VarlinkProtocolError) -> [UInt8] {
        guard case .serving(let more, let oneway) = state else { throw .unexpectedReply }
        guard !reply.continues || more || oneway else { throw .continuesUnasked }
        guard !reply.continues || reply.error == nil else { throw .errorAndContinues }
        if !reply.continues { state = .idle }
        guard !oneway else { return [] }
        do throws(JSONError) { return try reply.encoded() } catch { throw .json(error) }
    }

    /// The same with a long list, for the last time.
    public mutating func reply(_ reply: VarlinkListReply) throws(VarlinkProtocolError) -> [UInt8] {
        guard case .serving(_, let oneway) = state else { throw .unexpectedReply }
        state = .idle
        return oneway ? [] : reply.encoded()
    }
}
