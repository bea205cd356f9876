// One connection to a daemon's private socket: the server machine on a stream. Calls are served when it is this
// connection's turn (FairTurns). What has arrived is served even when the peer is gone by then: it may have been a
// farewell.
import JSON
import Platform
import Varlink

final class ServiceConnection: ByteStreamOwner, TurnTaker {
    let peer: PeerCredentials
    var isInLine = false
    /// What is to be done when the connection ends, by the name of who asked for it.
    var whenEnded: [String: () -> Void] = [:]
    private weak var service: DaemonService?
    private let turns: FairTurns
    private var server = VarlinkServer(limit: ServiceLimits.messageOctets)
    private var stream: ByteStream?
    private weak var pending: PendingCall?
    /// Octets of replies so far, to tell what a call has cost.
    private var answered = 0
    private var peerFinished = false

    init(
        _ descriptor: consuming FileDescriptor, _ peer: PeerCredentials, of service: DaemonService, on loop: EventLoop
    ) throws(Errno) {
        self.service = service
        turns = service.turns
        self.peer = peer
        stream = try ByteStream(descriptor, on: loop, owner: self)
    }

    var payer: UInt32 { peer.uid }
    var isOpen: Bool { stream?.isOpen == true }
    var peerHasGone: Bool { stream?.peerHasGone ?? true }

    // MARK: The stream

    func stream(_ stream: ByteStream, received octets: UnsafeRawBufferPointer) {
        server.receive(octets)
        stream.isReading = wantsInput
        standInLine()
    }

    func streamFinished(_ stream: ByteStream) {
        peerFinished = true
        turns.join(self)
    }

    func streamClosed(_ stream: ByteStream) {
        pending?.abandon()
        server.abandon()
        turns.join(self)
    }

    func streamDrained(_ stream: ByteStream) {
        turns.join(self)
    }

    // MARK: Calls

    func takeTurn(_ allowance: inout TurnAllowance) -> Bool {
        do throws(VarlinkProtocolError) {
            while !allowance.isSpent, hasRoom {
                if let pending, pending.hasMore {
                    allowance.spend(octets: pending.goOn())
                    continue
                }
                let before = answered
                let waiting = server.pendingInput
                guard let call = try server.nextCall() else { break }
                serve(call)
                allowance.spend(octets: waiting - server.pendingInput + answered - before)
            }
        } catch {
            service?.peerLog.note("connection closed", peer, error.description)
            end()
            return false
        }
        stream?.isReading = wantsInput
        return hasRoom && canGoOn || endIfDone()
    }

    /// There is something to do.
    func standInLine() { turns.join(self) }

    /// The next reply can be queued.
    private var hasRoom: Bool { stream?.isOpen != true || stream?.queued ?? 0 < ServiceLimits.outputHighWater }

    private var wantsInput: Bool {
        server.pendingInput < ServiceLimits.inputHighWater || !server.isServing && !server.hasCall()
    }

    private var canGoOn: Bool { pending?.hasMore == true || !server.isServing && server.hasCall() }

    private func serve(_ call: VarlinkCall) {
        do throws(JSONCodingError) {
            let isBelieved = service?.believes(peer) ?? false
            let caller = isBelieved ? try Caller(extensions: call.extensions, peer: peer) : Caller(peer)
            let pending = PendingCall(call, caller, self)
            self.pending = pending
            service?.serve(call, pending)
        } catch {
            answer(VarlinkServiceError.invalidParameter(Caller.member).reply)
        }
    }

    /// Sends a reply to the call being served: its octets. Nil, with nothing done, when it is longer than a message may
    /// be.
    @discardableResult
    func answer(_ reply: VarlinkReply) -> Int? {
        answer { server throws(VarlinkProtocolError) in try server.reply(reply) }
    }

    /// The same with a long list.
    func answer(_ reply: VarlinkListReply) -> Int? {
        answer { server throws(VarlinkProtocolError) in try server.reply(reply) }
    }

    private func answer(_ make: (inout VarlinkServer) throws(VarlinkProtocolError) -> [UInt8]) -> Int? {
        do throws(VarlinkProtocolError) {
            var after = server
            let octets = try make(&after)
            guard octets.count <= VarlinkFramer.messageLimit else { return nil }
            server = after
            answered += octets.count
            stream?.send(octets)
            turns.join(self)
            return octets.count
        } catch {
            service?.logger.error("\(service?.name ?? ""): reply refused: \(error)")
            end()
            return 0
        }
    }

    // MARK: The end

    /// Ends when everything that arrived is answered and nothing more comes. Always false.
    private func endIfDone() -> Bool {
        guard !server.isServing, !server.hasCall() else { return false }
        if !isOpen { end() } else if peerFinished { stream?.closeWhenDrained() }
        return false
    }

    private func end() {
        stream?.close()
        pending?.abandon()
        service?.drop(self)
        let bodies = whenEnded.values
        whenEnded = [:]
        for body in bodies { body() }
    }
}
