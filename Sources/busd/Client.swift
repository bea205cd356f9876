// One client connection. Calls are taken one at a time when it is the client's turn, so replies are in order whoever
// answers them; further calls wait in the buffer, and beyond the high-water marks in the client.
import Bus
import JSON
import Platform
import Varlink

final class Client: ByteStreamOwner, TurnTaker {
    /// What the connection is busy with.
    enum Activity {
        case idle
        /// A call that waits for a connection to its daemon.
        case waiting(WaitingCall)
        /// A daemon has the call.
        case forwarding(Upstream, interface: String)
        /// A subscription that is being sent the kept events.
        case reading(SnapshotReader)
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
    let claim: Claim
    let account: Account
    var activity = Activity.idle
    var isInLine = false
    /// The connections to daemons that this client has.
    var upstreams: [ObjectIdentifier: Upstream] = [:]
    /// Oneway calls that daemons have not finished.
    var onewaysUnderWay = 0
    let broker: Broker
    /// The peer is gone: only its oneway calls still count.
    private(set) var isGone = false
    private var framer: VarlinkFramer
    private(set) var stream: ByteStream?
    private var chargedInput = 0
    private var peerFinished = false
    /// Octets sent so far, to tell what a call has cost.
    private var sent = 0

    init(
        _ descriptor: consuming FileDescriptor, number: Int, _ peer: PeerCredentials, _ role: Role, _ claim: Claim,
        _ account: Account, _ broker: Broker
    ) throws(Errno) {
        self.number = number
        self.peer = peer
        self.role = role
        self.claim = claim
        self.account = account
        self.broker = broker
        framer = VarlinkFramer(limit: role.messageLimit)
        stream = try ByteStream(descriptor, on: broker.loop, owner: self, meter: account.queued)
    }

    var payer: UInt32 { peer.uid }
    /// Octets that the client has not read.
    var queued: Int { stream?.queued ?? 0 }
    /// Octets held for the client: its input and its output.
    var held: Int { queued + chargedInput }
    var isOpen: Bool { stream?.isOpen == true }

    // MARK: The stream

    func stream(_ stream: ByteStream, received octets: UnsafeRawBufferPointer) {
        framer.append(octets)
        charge(framer.pending)
        let limit = broker.queueLimit(of: account)
        guard account.queued.octets <= limit else {
            return end(with: BusAPI.QuotaExceeded(quota: "queuedBytes", limit: limit))
        }
        broker.turns.join(self)
    }

    func streamFinished(_ stream: ByteStream) {
        peerFinished = true
        if case .registered = activity { return broker.closed(self) }
        broker.turns.join(self)
    }

    func streamClosed(_ stream: ByteStream) {
        switch activity {
        case .idle where framer.hasMessage(): isGone = true
        case .waiting(let call) where call.isOneway: isGone = true
        case .idle, .waiting, .forwarding, .reading, .following, .registered, .ending: return broker.closed(self)
        }
        broker.turns.join(self)
    }

    func streamDrained(_ stream: ByteStream) {
        if case .forwarding(let upstream, _) = activity { upstream.isReading = true }
        broker.turns.join(self)
    }

    // MARK: Calls

    func takeTurn(_ allowance: inout TurnAllowance) -> Bool {
        if case .reading(let reader) = activity {
            guard queued < Limits.outputPiece else { return false }
            broker.continueSnapshot(of: self, reader, &allowance)
            if case .reading = activity { return queued < Limits.outputPiece }
        }
        do throws(VarlinkProtocolError) {
            while !allowance.isSpent, takesCalls, let message = try framer.next() {
                let before = sent
                try take(message)
                allowance.spend(octets: message.count + sent - before)
            }
        } catch {
            violated(error)
            return false
        }
        charge(isOpen || isGone ? framer.pending : 0)
        let waits = framer.hasMessage()
        stream?.isReading = framer.pending < Limits.inputHighWater || isIdle && !waits
        if takesCalls, waits { return true }
        endIfDone(waits)
        return false
    }

    private var isIdle: Bool { if case .idle = activity { true } else { false } }

    private var takesCalls: Bool {
        isIdle && (isOpen && queued < role.outputHighWater || isGone) && onewaysUnderWay < Limits.onewayCalls
    }

    private func take(_ message: ArraySlice<UInt8>) throws(VarlinkProtocolError) {
        defer { broker.trimmer.note(freed: broker.index.giveBack()) }
        try message.withUnsafeBytes { text in
            Result { () throws(VarlinkProtocolError) in
                do throws(JSONError) { try broker.index.scan(text) } catch { throw .json(error) }
                let envelope = try CallEnvelope(broker.index, in: text)
                // Nobody would hear the reply.
                guard envelope.oneway || !isGone else { return }
                broker.serve(IncomingCall(envelope: envelope, text: text), from: self, message)
            }
        }.get()
    }

    private func violated(_ error: VarlinkProtocolError) {
        broker.peerLog.note("connection closed", peer, error.description)
        guard case .messageTooLong(let limit) = error else { return broker.closed(self) }
        end(with: BusAPI.QuotaExceeded(quota: "messageBytes", limit: limit))
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

    /// Refuses a call.
    func refuse(_ reply: VarlinkReply, _ method: String, _ call: CallEnvelope) {
        broker.refused += 1
        broker.peerLog.note("call refused", peer, "\(method): \(reply.error ?? "")")
        self.reply(reply, to: call)
    }

    /// Sends octets of whole messages.
    func send(octets: [UInt8]) {
        sent += octets.count
        stream?.send(octets)
    }

    func send(_ reply: VarlinkReply) {
        do throws(JSONError) {
            send(octets: try reply.encoded())
        } catch {
            broker.logger.error("reply not sent: \(error)")
        }
    }

    /// Queues events for a subscriber, unless it has fallen too far behind. `first` is the place of the first of them.
    func deliver(_ piece: [UInt8], first: Int) {
        let isTooSlow =
            queued + piece.count > Limits.subscriberBudget || account.queued.octets > broker.queueLimit(of: account)
        if isTooSlow { broker.overrun(self, first: first) } else { send(octets: piece) }
    }

    // MARK: The end

    /// Sends a last error and closes when it has been read, or after a while.
    func end(with failure: some VarlinkFailure) {
        broker.release(self)
        activity = .ending
        framer = VarlinkFramer(limit: role.messageLimit)
        charge(0)
        guard isOpen else { return broker.closed(self) }
        send(VarlinkReply(failure))
        stream?.closeWhenDrained()
    }

    /// A client that has said its last and been told everything is let go. `waits`: a call is not taken yet.
    private func endIfDone(_ waits: Bool) {
        guard isIdle, !waits else { return }
        if isGone { return broker.closed(self) }
        guard peerFinished else { return }
        activity = .ending
        stream?.closeWhenDrained()
    }

    /// Closes without a word. Daemons finish what they have begun.
    func close() {
        activity = .ending
        isGone = false
        charge(0)
        for upstream in upstreams.values { upstream.orphan() }
        upstreams = [:]
        stream?.close()
    }
}

extension Role {
    /// Octets of the longest message that a caller may send.
    var messageLimit: Int {
        switch self {
        case .stranger: Limits.strangerMessage
        case .reader: Limits.callOctets
        case .daemon, .administrator: VarlinkFramer.messageLimit
        }
    }

    /// Output queued before no further call is taken.
    var outputHighWater: Int {
        switch self {
        case .stranger: Limits.strangerOutput
        case .reader, .daemon, .administrator: Limits.outputHighWater
        }
    }
}
