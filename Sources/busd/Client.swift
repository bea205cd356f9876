// One client connection. Calls are taken one at a time, so replies are in order whoever answers them; further calls wait
// in the buffer, and beyond the high-water marks in the client.
import Bus
import JSON
import Platform
import Varlink

final class Client: ByteStreamOwner {
    /// Input held for a busy client before it is no longer read from.
    private static let inputHighWater = 1 << 16
    /// Output queued before no further call is taken.
    static let outputHighWater = 1 << 20
    /// Octets that a reader of a snapshot is sent at a time, and a channel gathers at most.
    static let outputPiece = 1 << 18
    /// Octets of events queued for a subscriber before it counts as too slow.
    static let subscriberBudget = 4 << 20

    /// What the connection is busy with.
    enum Activity {
        case idle
        /// A daemon has the call.
        case forwarding(Upstream)
        /// A subscription that is being sent the kept events: the filter and the last place sent.
        case reading(EventFilter, after: Int)
        /// A subscription that gets changes.
        case following(Channel)
        /// The lease of a daemon.
        case registered(AttachedService)
        /// Nothing more is taken.
        case ending
    }

    /// Never given to another connection, unlike an address in memory.
    let number: Int
    let peer: PeerCredentials
    let role: Role
    let account: Account
    var activity = Activity.idle
    private(set) var upstreams: [String: Upstream] = [:]
    private unowned let broker: Broker
    private var framer = VarlinkFramer()
    private var stream: ByteStream?
    private var chargedInput = 0
    private var isPumping = false
    private var peerFinished = false
    private var refusalIsLogged = false

    init(
        _ descriptor: consuming FileDescriptor, number: Int, _ peer: PeerCredentials, _ role: Role,
        _ account: Account, _ broker: Broker
    ) throws(Errno) {
        self.number = number
        self.peer = peer
        self.role = role
        self.account = account
        self.broker = broker
        stream = try ByteStream(descriptor, on: broker.loop, owner: self, meter: account.queued)
    }

    /// Octets that the client has not read.
    var queued: Int { stream?.queued ?? 0 }
    var isOpen: Bool { stream?.isOpen == true }

    // MARK: Input

    func stream(_ stream: ByteStream, received octets: UnsafeRawBufferPointer) {
        framer.append(octets)
        pump()
        charge(framer.pending)
        if account.queued.octets > account.quota.queuedBytes {
            end(with: BusAPI.QuotaExceeded(quota: "queuedBytes", limit: account.quota.queuedBytes))
        }
    }

    func streamFinished(_ stream: ByteStream) {
        peerFinished = true
        if case .registered = activity { stream.close(); return broker.closed(self) }
        endIfDone()
    }

    func streamClosed(_ stream: ByteStream) {
        broker.closed(self)
    }

    func streamDrained(_ stream: ByteStream) {
        switch activity {
        case .reading: broker.continueSnapshot(of: self)
        case .forwarding(let upstream): upstream.isReading = true
        case .idle, .following, .registered, .ending: pump()
        }
        endIfDone()
    }

    /// Takes calls until one has to wait.
    func pump() {
        guard !isPumping, let stream else { return }
        isPumping = true
        defer { isPumping = false }
        do throws(VarlinkProtocolError) {
            while case .idle = activity, stream.isOpen, stream.queued < Self.outputHighWater,
                let message = try framer.next()
            {
                try take(message)
            }
        } catch {
            broker.logger.info("closing the connection of uid \(peer.uid), pid \(peer.pid): \(error)")
            stream.close()
            return broker.closed(self)
        }
        if case .idle = activity {
            stream.isReading = stream.queued < Self.outputHighWater
            endIfDone()
        } else {
            stream.isReading = framer.pending < Self.inputHighWater
        }
    }

    private func take(_ message: ArraySlice<UInt8>) throws(VarlinkProtocolError) {
        try message.withUnsafeBytes { text in
            Result { () throws(VarlinkProtocolError) in
                do throws(JSONError) { try broker.index.scan(text) } catch { throw .json(error) }
                let envelope = try CallEnvelope(broker.index, in: text)
                broker.serve(IncomingCall(envelope: envelope, text: text), from: self, message)
            }
        }.get()
    }

    private func charge(_ pending: Int) {
        account.queued.octets += pending - chargedInput
        chargedInput = pending
    }

    // MARK: Output

    /// Sends the last reply to a call that busd answers itself.
    func reply(_ reply: VarlinkReply, to call: CallEnvelope) {
        guard !call.oneway else { return }
        send(reply)
    }

    /// Refuses a call. Told once per connection in the journal, because a client can repeat it without end.
    func refuse(_ reply: VarlinkReply, _ call: CallEnvelope) {
        broker.refused += 1
        if !refusalIsLogged {
            refusalIsLogged = true
            let error = reply.error ?? ""
            broker.logger.warning("refused \(call.method) of uid \(peer.uid), pid \(peer.pid): \(error)")
        }
        self.reply(reply, to: call)
    }

    /// Sends octets of whole messages.
    func send(octets: [UInt8]) {
        stream?.send(octets)
    }

    func send(_ reply: VarlinkReply) {
        do throws(JSONError) {
            stream?.send(try reply.encoded())
        } catch {
            broker.logger.error("reply not sent: \(error)")
        }
    }

    /// Queues events for a subscriber, unless it has fallen too far behind. `first` is the place of the first of them.
    func deliver(_ piece: [UInt8], first: Int) {
        let isTooSlow =
            queued + piece.count > Self.subscriberBudget || account.queued.octets > account.quota.queuedBytes
        if isTooSlow { broker.overrun(self, first: first) } else { send(octets: piece) }
    }

    /// Sends a last error and closes when it has been read.
    func end(with failure: some VarlinkFailure) {
        broker.release(self)
        activity = .ending
        send(VarlinkReply(failure))
        stream?.closeWhenDrained()
    }

    /// A client that has said its last and been told everything is let go.
    private func endIfDone() {
        guard peerFinished, case .idle = activity else { return }
        activity = .ending
        stream?.closeWhenDrained()
    }

    /// Closes without a word.
    func close() {
        charge(0)
        for upstream in upstreams.values { upstream.close() }
        upstreams = [:]
        stream?.close()
    }

    // MARK: Calls that a daemon answers

    /// The connection to the daemon that serves `interface`, made when it is first needed.
    func upstream(to service: AttachedService, for interface: String) throws(Errno) -> Upstream {
        if let upstream = upstreams[interface] { return upstream }
        let upstream = try Upstream(service, interface: interface, for: self, broker)
        upstreams[interface] = upstream
        return upstream
    }

    /// Passes a reply on.
    func relay(_ octets: [UInt8], isLast: Bool, from upstream: Upstream) {
        guard case .forwarding(let current) = activity, current === upstream else { return }
        send(octets: octets)
        if isLast {
            account.calls -= 1
            activity = .idle
            pump()
        } else if queued > Self.outputHighWater {
            upstream.isReading = false
        }
    }

    /// A daemon's connection is gone; whoever waits for its reply is told.
    func upstreamEnded(_ upstream: Upstream) {
        if upstreams[upstream.interface] === upstream { upstreams[upstream.interface] = nil }
        guard case .forwarding(let current) = activity, current === upstream else { return }
        account.calls -= 1
        activity = .idle
        send(VarlinkReply(BusAPI.ServiceUnavailable(interface: upstream.interface)))
        pump()
    }
}
