// One connection to a daemon's private socket: the server machine on a stream.
import JSON
import Platform
import Varlink

final class ServiceConnection: ByteStreamOwner {
    /// A client that pipelines beyond this while a call is served is not read from.
    private static let inputHighWater = 1 << 16
    /// A client that does not read its replies is not read from beyond this.
    private static let outputHighWater = 1 << 20

    private unowned let service: DaemonService
    private let peer: PeerCredentials
    private var server = VarlinkServer()
    private var stream: ByteStream?
    private weak var pending: PendingCall?
    private var isPumping = false
    private var isFinished = false

    init(
        _ descriptor: consuming FileDescriptor, _ peer: PeerCredentials, of service: DaemonService, on loop: EventLoop
    ) throws(Errno) {
        self.service = service
        self.peer = peer
        stream = try ByteStream(descriptor, on: loop, owner: self)
    }

    var isOpen: Bool { stream?.isOpen == true }

    func stream(_ stream: ByteStream, received octets: UnsafeRawBufferPointer) {
        server.receive(octets)
        pump()
    }

    func streamFinished(_ stream: ByteStream) {
        isFinished = true
        closeIfDone()
    }

    func streamClosed(_ stream: ByteStream) {
        service.drop(self)
        pending?.abandon()
    }

    func streamDrained(_ stream: ByteStream) {
        pump()
        closeIfDone()
    }

    /// Sends a reply to the call being served and goes on with the next one.
    func answer(_ reply: VarlinkReply, tooLarge: VarlinkReply) {
        guard let stream, stream.isOpen else { return }
        do throws(VarlinkProtocolError) {
            var before = server
            var octets = try server.reply(reply)
            if octets.count > VarlinkFramer.messageLimit {
                octets = try before.reply(tooLarge)
                server = before
            }
            stream.send(octets)
        } catch {
            service.logger.error("\(service.name): reply refused: \(error)")
            return end()
        }
        pump()
    }

    /// Serves calls until one waits for its answer.
    private func pump() {
        guard !isPumping, let stream else { return }
        isPumping = true
        defer { isPumping = false }
        do throws(VarlinkProtocolError) {
            while stream.isOpen, stream.queued < Self.outputHighWater, let call = try server.nextCall() {
                serve(call)
            }
        } catch {
            service.logger.info("\(service.name): closing the connection of pid \(peer.pid): \(error)")
            return end()
        }
        stream.isReading =
            server.pendingInput < Self.inputHighWater
            || !server.isServing
                && stream.queued < Self.outputHighWater
        closeIfDone()
    }

    private func serve(_ call: VarlinkCall) {
        do throws(JSONCodingError) {
            let pending = PendingCall(call, try Caller(extensions: call.extensions, peer: peer), self)
            self.pending = pending
            service.serve(call, pending)
        } catch {
            answer(VarlinkServiceError.invalidParameter(Caller.member).reply, tooLarge: VarlinkReply())
        }
    }

    private func closeIfDone() {
        guard isFinished, !server.isServing, let stream else { return }
        stream.closeWhenDrained()
    }

    private func end() {
        stream?.close()
        service.drop(self)
        pending?.abandon()
    }
}
