// One connection to a daemon. A client that calls the daemon has it for itself until everything it asked for is
// answered, so order, pipelining and `more` need no ids; then it serves the next client. Oneway calls are passed on as
// calls whose reply is thrown away: so they count until the daemon has done them, and what follows them comes after
// them.
import Bus
import DequeModule
import JSON
import Net
import Platform
import Varlink

final class Upstream: ByteStreamOwner {
    /// What happens to the replies to a call.
    enum Expectation {
        /// The client waits for them.
        case relayed
        /// The call was oneway.
        case discarded
    }

    /// Why there is no connection.
    enum Failure: Error, CustomStringConvertible {
        case unreachable(Errno)
        /// Somebody else listens there: not the user that registered.
        case foreign(uid: UInt32)

        var description: String {
            switch self {
            case .unreachable(let errno): errno.description
            case .foreign(let uid): "uid \(uid) listens there, not the user that registered; remove that socket"
            }
        }
    }

    private let pool: UpstreamPool
    private(set) weak var client: Client?
    /// Who is charged: the user of the client that has it or had it last.
    private(set) var account: Account?
    private var framer = VarlinkFramer()
    private var stream: ByteStream?
    /// The calls that are not answered; `change` is what the journal said of one that changes something.
    private var expected: Deque<(expectation: Expectation, change: String?)> = []
    /// It stays with its client, because the daemon may keep something for it.
    private(set) var staysWithClient = false
    /// When it is closed unless something happens before; nil while a client waits for replies.
    private(set) var deadline: Instant?

    /// Connects to the socket at `path`, at which `uid` must listen.
    init(to path: String, of uid: UInt32, _ pool: UpstreamPool) throws(Failure) {
        self.pool = pool
        let listener: UInt32
        do throws(Errno) {
            let socket = try UnixSocket.connect(to: path)
            listener = try PeerCredentials(of: socket.number).uid
            stream = try ByteStream(socket, on: pool.loop, owner: self)
        } catch {
            throw .unreachable(error)
        }
        guard listener == uid else { throw .foreign(uid: listener) }
        expireAfter(Limits.idleUpstream)
    }

    var isBusy: Bool { !expected.isEmpty }

    /// It only stays with its client, which has not used it for a while: others may have its place.
    func isSpare(at now: Instant) -> Bool {
        guard staysWithClient, !isBusy, client != nil, let deadline else { return false }
        return deadline - now <= Limits.keptUpstream - Limits.undisturbedUpstream
    }

    // MARK: Clients

    /// A client has it from now on.
    func serve(_ client: Client) {
        self.client = client
        account = client.account
        stream?.meter = client.account.queued
        deadline = nil
    }

    /// Passes a call on. A changing one binds the connection to its client.
    func send(_ octets: [UInt8], _ expectation: Expectation, change: String?) {
        expected.append((expectation, change))
        account?.calls += 1
        staysWithClient = staysWithClient || change != nil
        deadline = nil
        stream?.send(octets)
    }

    /// The client is gone. What the daemon has begun it may finish.
    func orphan() {
        client = nil
        if isBusy {
            stream?.isReading = true
            expireAfter(Limits.orphanedUpstream)
        } else {
            close()
        }
    }

    /// Whether replies are read; off while the client does not read its own.
    var isReading: Bool {
        get { stream?.isReading ?? false }
        set { stream?.isReading = newValue }
    }

    private func expireAfter(_ time: Duration) { deadline = pool.loop.now + time }

    // MARK: Replies

    func stream(_ stream: ByteStream, received octets: UnsafeRawBufferPointer) {
        framer.append(octets)
        do throws(VarlinkProtocolError) {
            while stream.isOpen, let message = try framer.next() {
                guard let (expectation, change) = expected.first else { throw .unexpectedReply }
                let isLast = try isLast(message)
                if isLast { finishCall() }
                if let change, let error = Self.error(in: message) { pool.say("\(change): refused, \(error)") }
                switch expectation {
                case .relayed: client?.relay(Array(message) + [0], isLast: isLast, from: self)
                case .discarded: if isLast { client?.onewayFinished() }
                }
            }
        } catch {
            pool.broken("closing, its daemon sent something that is not a reply: \(error)")
            return end()
        }
        guard stream.isOpen, !isBusy else { return }
        if client == nil || !staysWithClient {
            rest()
        } else if deadline == nil {
            expireAfter(Limits.keptUpstream)
            pool.serveWaiting()
        }
    }

    /// Everything is answered and nobody keeps it.
    private func rest() {
        guard !staysWithClient else { return close() }
        client?.lost(self)
        client = nil
        stream?.meter = nil
        stream?.isReading = true
        expireAfter(Limits.idleUpstream)
        pool.rested(self)
    }

    private func finishCall() {
        expected.removeFirst()
        account?.calls -= 1
    }

    /// The error that a reply is.
    private static func error(in message: ArraySlice<UInt8>) -> String? {
        (try? JSONValue(parsing: Array(message)))?["error"]?.string
    }

    private func isLast(_ message: ArraySlice<UInt8>) throws(VarlinkProtocolError) -> Bool {
        try message.withUnsafeBytes { text in
            Result { () throws(VarlinkProtocolError) in
                var index = JSONIndex()
                do throws(JSONError) { try index.scan(text) } catch { throw .json(error) }
                guard index.nodes.first?.kind == .object else { throw .notAnObject }
                guard let node = index.member("continues", of: 0, in: text) else { return true }
                return text[index.nodes[node].start] != UInt8(ascii: "t")
            }
        }.get()
    }

    // MARK: The end

    func streamFinished(_ stream: ByteStream) { end() }

    func streamClosed(_ stream: ByteStream) { end() }

    func streamDrained(_ stream: ByteStream) {}

    /// Nobody needs it any more.
    func close() {
        stream?.closeWhenDrained()
        end()
    }

    /// The connection is over; whoever waits for a reply is told.
    private func end() {
        deadline = nil
        stream?.closeWhenDrained()
        let waits = expected.map(\.expectation)
        for case (_, let change?) in expected { pool.say("\(change): its daemon went away before it answered") }
        expected = []
        account?.calls -= waits.count
        let client = self.client
        self.client = nil
        pool.ended(self)
        client?.upstreamEnded(self, waits)
    }
}
