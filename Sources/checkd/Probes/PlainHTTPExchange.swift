// One HTTP request without TLS on a connection that exists, and what came of it. Over TLS libcurl speaks (`HTTPExchange`); without it there is
// nothing that it does for a probe which needs two dozen system calls and ten megabytes.
import Configuration
import HealthCheck
import Platform

/// A request and its answer.
final class PlainHTTPExchange {
    /// Reads in one turn: an answer that floods does not hold up other probes.
    private static let readsPerTurn = 8
    /// What was read, by whichever exchange reads just now. All of them live on one thread.
    nonisolated(unsafe) private static let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: 16 << 10, alignment: 1)

    private let request: HTTPRequest
    private let connection: ProbeConnection
    private let attempt: ProbeAttempt
    private let content: HTTPBody?
    private var reader: HTTPReader
    private var unsent: ArraySlice<UInt8>
    /// Sending failed so; what the server said before may be an answer all the same.
    private var sendError: Int32 = 0

    /// Sends the request; the result goes to `attempt`. Throws when this host cannot judge its body.
    init(
        _ request: HTTPRequest, _ version: HTTPProbe.Version, on connection: ProbeConnection, for attempt: ProbeAttempt
    ) throws(ProbeObstacle) {
        self.request = request
        self.connection = connection
        self.attempt = attempt
        content = request.judgesBody ? try HTTPBody(for: request) : nil
        reader = HTTPReader(limit: HTTPAnswer.limit(for: request))
        unsent = request.octets(version)[...]
        connection.ready = { [unowned self] in act($0) }
        send()
    }

    /// Nothing is reported after this.
    func cancel() { connection.close() }

    private func act(_ readiness: Readiness) {
        if readiness.contains(.write) { send() }
        if readiness != .write, connection.isOpen { receive() }
    }

    private func send() {
        if !unsent.isEmpty {
            let count = unsent.withUnsafeBytes { connection.write($0) }
            if count > 0 {
                unsent = unsent.dropFirst(count)
                attempt.progressed()
            } else if !Errno(Int32(clamping: -count), "write").isWouldBlock {
                sendError = Int32(clamping: -count)
                unsent = []
            }
        }
        do throws(Errno) {
            try connection.expect(unsent.isEmpty ? [.read, .readHangup] : [.read, .readHangup, .write])
        } catch {
            finish(SystemFault.here(error.code))
        }
    }

    private func receive() {
        for _ in 0..<Self.readsPerTurn {
            let count = connection.read(into: Self.buffer)
            guard count > 0 else { return ended(Int32(clamping: -count)) }
            attempt.progressed()
            let step = reader.take(
                UnsafeRawBufferPointer(rebasing: Self.buffer[..<count]), header: { line in attempt.tell(line) },
                body: { content?.take($0) })
            switch step {
            case .goesOn: continue
            case .isOver: return judge()
            case .isMalformed(let text): return finish(.failure(.malformed(text)))
            }
        }
    }

    /// Nothing could be read: the connection is closed (0), broken, or has nothing now.
    private func ended(_ error: Int32) {
        guard error == 0 || !Errno(error, "read").isWouldBlock else { return }
        let isAnswered = error == 0 && reader.isBeingRead
        if isAnswered { return judge() }
        let cause = error != 0 ? error : sendError
        guard cause == 0 else { return finish(SystemFault.onTheWire(cause)) }
        finish(.failure(.malformed(reader.hasBegun ? "closed inside the headers" : "closed without an answer")))
    }

    private func judge() {
        attempt.tell("\(reader.received) octets of body")
        let answer = HTTPAnswer(
            status: reader.headers.status ?? 0, digest: content?.finishedDigest(), pattern: content?.finishedPattern(),
            isTruncated: reader.isTruncated)
        finish(answer.judged(by: request))
    }

    private func finish(_ outcome: ProbeOutcome) {
        connection.close()
        attempt.finish(outcome)
    }
}

extension ProbeAttempt {
    /// A header line of an answer.
    func tell(_ line: UnsafeRawBufferPointer) {
        tell("< \(String(decoding: line.prefix { $0 != 0x0D && $0 != 0x0A }, as: UTF8.self))")
    }
}

extension HTTPRequest {
    /// keepalived's request.
    fileprivate func octets(_ version: HTTPProbe.Version) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(96 + path.utf8.count + host.utf8.count)
        octets += "GET ".utf8
        octets += path.utf8
        octets += (version == .http11 ? " HTTP/1.1" : " HTTP/1.0").utf8
        octets += "\r\nUser-Agent: KeepAliveClient\r\n".utf8
        if version != .http10 { octets += "Connection: close\r\n".utf8 }
        octets += "Host: ".utf8
        octets += host.utf8
        octets += "\r\n\r\n".utf8
        return octets
    }
}
