// A connection to a daemon on behalf of one client and one interface: order, pipelining and `more` need no ids, and the
// end of the client ends the daemon's work for it.
import Bus
import JSON
import Platform
import Varlink

final class Upstream: ByteStreamOwner {
    let interface: String
    private unowned let broker: Broker
    private weak var client: Client?
    private var framer = VarlinkFramer()
    private var stream: ByteStream?

    init(_ service: AttachedService, interface: String, for client: Client, _ broker: Broker) throws(Errno) {
        self.interface = interface
        self.broker = broker
        self.client = client
        stream = try ByteStream(
            try UnixSocket.connect(to: service.socketPath), on: broker.loop, owner: self, meter: client.account.queued)
    }

    func send(_ octets: [UInt8]) {
        stream?.send(octets)
    }

    /// Whether replies are read; off while the client does not read its own.
    var isReading: Bool {
        get { stream?.isReading ?? false }
        set { stream?.isReading = newValue }
    }

    /// Ends the connection after what is queued (oneway calls) has left.
    func close() {
        stream?.closeWhenDrained()
        stream = nil
    }

    func stream(_ stream: ByteStream, received octets: UnsafeRawBufferPointer) {
        framer.append(octets)
        do throws(VarlinkProtocolError) {
            while let message = try framer.next() {
                guard let client else { return }
                client.relay(Array(message) + [0], isLast: try isLast(message), from: self)
            }
        } catch {
            broker.logger.warning("\(interface): closing, its daemon sent something that is not a reply: \(error)")
            stream.close()
            client?.upstreamEnded(self)
        }
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

    func streamFinished(_ stream: ByteStream) {
        stream.close()
        client?.upstreamEnded(self)
    }

    func streamClosed(_ stream: ByteStream) {
        client?.upstreamEnded(self)
    }

    func streamDrained(_ stream: ByteStream) {}
}
