// A client that asks the virtual address for a page at a steady rate, each time over a new connection, and writes down what
// came of it. Requests overlap: one that hangs does not hide the next.
import Glibc
import Net
import Platform

final class Traffic {
    /// One request and what came of it.
    struct Request: CustomStringConvertible {
        enum Outcome: Equatable {
            /// The real server that answered.
            case answered(String)
            /// Refused, reset, cut short.
            case failed(String)
        }

        var sent: Instant
        var ended: Instant
        var outcome: Outcome

        var description: String { "sent \(sent), ended \(ended): \(outcome)" }
    }

    /// The requests that are over, in the order of their ends.
    private(set) var requests: [Request] = []

    private let loop: EventLoop
    private let address: String
    private let limit: Duration
    private var open: [Int32: (sent: Instant, watch: Watch?, deadline: LoopTimer)] = [:]
    private var pulse: LoopTimer?
    /// The client's next port. The kernel would begin somewhere else every 10 s, and so come back to ports of connections to a
    /// server that was stopped since: IPVS keeps those for a minute (SYN_RECV), and drops what comes from the same port.
    private var port: UInt16 = 10_000

    /// Asks every `interval` until released; a request may take `limit`: long enough for one SYN that a busy machine dropped
    /// to be sent again, which would not help one that goes to a dead server.
    init(
        of address: String = virtualAddress, every interval: Duration, limit: Duration = .seconds(3), loop: EventLoop
    ) {
        self.address = address
        self.loop = loop
        self.limit = limit
        pulse = loop.timer { [weak self] in
            self?.send()
            self?.pulse?.arm(after: interval)
        }
        pulse?.arm(after: .zero)
    }

    /// No new requests from here on; open ones go on.
    func pause() { pulse?.disarm() }

    /// Every request is over.
    var isQuiet: Bool { open.isEmpty }

    deinit { for descriptor in open.keys { close(descriptor) } }

    /// The requests sent at or after `moment`.
    func since(_ moment: Instant) -> [Request] { requests.filter { $0.sent >= moment } }

    /// Those among `requests` that nobody answered.
    static func failures(_ requests: [Request]) -> [Request] {
        requests.filter { if case .failed = $0.outcome { true } else { false } }
    }

    /// Who answered, in order.
    static func answers(_ requests: [Request]) -> [String] {
        requests.compactMap { if case .answered(let name) = $0.outcome { name } else { nil } }
    }

    private func send() {
        let sent = loop.now
        guard let descriptor = try? Host.client.inside({ try TCP.socket() }) else { return }
        let deadline = loop.timer { [weak self] in self?.end(descriptor, .failed("no answer in time")) }
        deadline.arm(after: limit)
        guard TCP.withAddress("0.0.0.0", port, { bind(descriptor, $0, $1) }) == 0 else {
            open[descriptor] = (sent, nil, deadline)
            return end(descriptor, .failed("bind: \(String(cString: strerror(errno)))"))
        }
        port += 1
        let result = TCP.withAddress(address, 80) { connect(descriptor, $0, $1) }
        open[descriptor] = (sent, nil, deadline)
        guard result == 0 || errno == EINPROGRESS else {
            return end(descriptor, .failed(String(cString: strerror(errno))))
        }
        open[descriptor]?.watch = try? loop.watch(descriptor, .write) { [weak self] _ in self?.connected(descriptor) }
    }

    private func connected(_ descriptor: Int32) {
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
        guard error == 0 else { return end(descriptor, .failed(String(cString: strerror(error)))) }
        do {
            try TCP.write("GET / HTTP/1.0\r\n\r\n", to: descriptor)
            open[descriptor]?.watch = nil
            open[descriptor]?.watch = try loop.watch(descriptor, .read) { [weak self] _ in self?.answered(descriptor) }
        } catch {
            end(descriptor, .failed("\(error)"))
        }
    }

    private func answered(_ descriptor: Int32) {
        do {
            guard let text = try TCP.read(descriptor) else { return }
            let body = text.split(separator: "\r\n").last.map(String.init)
            end(descriptor, text.hasPrefix("HTTP/1.0 200") ? .answered(body ?? "") : .failed("cut short"))
        } catch {
            end(descriptor, .failed("\(error)"))
        }
    }

    private func end(_ descriptor: Int32, _ outcome: Request.Outcome) {
        guard let request = open.removeValue(forKey: descriptor) else { return }
        request.watch?.cancel()
        close(descriptor)
        requests.append(Request(sent: request.sent, ended: loop.refreshNow(), outcome: outcome))
    }
}
