// A client connection to busd that comes back by itself: the first retry after 50 ms, never more than 500 ms apart, so
// that a restarted busd is resynchronised within a second.
import JSON
import Net
import Platform
import Varlink

final class BusConnection: ByteStreamOwner {
    /// What the owner hears.
    enum Event {
        /// Connected: send the first calls now.
        case connected
        case reply(VarlinkReply)
        /// Gone, or not reached, for the reason; a retry is planned. It is news when the connection last worked.
        case lost(String, isNews: Bool)
    }

    private let socket: String
    private let loop: EventLoop
    private let handler: (Event) -> Void
    private var client = VarlinkClient()
    private var stream: ByteStream?
    private var retry: LoopTimer?
    private var pace = RetryPace(first: .milliseconds(50), longest: .milliseconds(500))
    private var lossIsKnown = false

    init(socket: String, loop: EventLoop, _ handler: @escaping (Event) -> Void) {
        self.socket = socket
        self.loop = loop
        self.handler = handler
        retry = loop.timer { [weak self] in self?.connect() }
    }

    /// Octets that busd has not taken yet.
    var queued: Int { stream?.queued ?? 0 }

    /// Connects at the end of this turn.
    func start() {
        retry?.arm(at: loop.now)
    }

    /// Sends a call; nothing happens without a connection.
    func call(_ call: VarlinkCall) throws(VarlinkProtocolError) {
        guard let stream, stream.isOpen else { return }
        stream.send(try client.call(call))
    }

    /// Sends a call whose octets, NUL included, are made already.
    func call(octets: [UInt8]) {
        guard let stream, stream.isOpen else { return }
        client.called(more: false)
        stream.send(octets)
    }

    private func connect() {
        do throws(Errno) {
            client = VarlinkClient()
            stream = try ByteStream(try UnixSocket.connect(to: socket), on: loop, owner: self)
        } catch {
            return lose("\(socket): \(error)")
        }
        handler(.connected)
    }

    func stream(_ stream: ByteStream, received octets: UnsafeRawBufferPointer) {
        client.receive(octets)
        do throws(VarlinkProtocolError) {
            while stream.isOpen, let reply = try client.nextReply() {
                if reply.error == nil {
                    pace.reset()
                    lossIsKnown = false
                }
                handler(.reply(reply))
            }
        } catch {
            lose(error.description)
        }
    }

    func streamFinished(_ stream: ByteStream) { lose("busd closed the connection") }

    func streamClosed(_ stream: ByteStream) { lose("busd closed the connection") }

    func streamDrained(_ stream: ByteStream) {}

    /// Gives the connection up and plans the next one.
    func lose(_ reason: String) {
        stream?.close()
        stream = nil
        retry?.arm(after: pace.next())
        let isNews = !lossIsKnown
        lossIsKnown = true
        handler(.lost(reason, isNews: isNews))
    }
}
