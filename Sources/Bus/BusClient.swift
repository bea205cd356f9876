// A client that waits, for lbctl: no event loop, one call at a time. Connecting and sending always end, receiving does when
// a time limit is given: a program that is stopped, or too busy to accept, does not hold up the one who asks.
import Glibc
import JSON
import Net
public import Platform
public import Varlink

/// Why a call brought no reply.
public enum BusClientError: Error, Sendable, CustomStringConvertible {
    /// Nobody listens at the address.
    case unreachable(path: String, Errno)
    /// Somebody listens at the address and does not accept: too many are waiting before this one.
    case notAccepted(path: String, after: Duration)
    /// The service closed the connection before the (last) reply.
    case closed
    /// The call could not be sent, or no reply came, within the limit.
    case timedOut(after: Duration)
    /// The connection failed.
    case failed(Errno)
    /// What came is not Varlink.
    case violated(VarlinkProtocolError)
    /// The reply is an error; `failure(_:)` of the reply gives its parameters.
    case refused(VarlinkReply)
    /// The reply does not have the shape that the interface declares.
    case badReply(String)

    public var description: String {
        switch self {
        case .unreachable(let path, let errno):
            "cannot reach \(path): \(errno); is the daemon running (systemctl status evenkeel-busd)?"
        case .notAccepted(let path, let limit):
            "\(path) did not accept a connection within \(limit); is the daemon stuck (systemctl status evenkeel-busd)?"
        case .closed: "the service closed the connection without a reply"
        case .timedOut(let limit): "no reply within \(limit)"
        case .failed(let errno): "the connection failed: \(errno)"
        case .violated(let error): "the service broke the protocol: \(error)"
        case .refused(let reply):
            "\(reply.error ?? "refused")"
                + (reply.parameters.isEmpty
                    ? "" : " " + ((try? JSONValue.object(reply.parameters).text()) ?? ""))
        case .badReply(let problem): "the reply is not understood: \(problem)"
        }
    }
}

/// A connection to busd or to a daemon's private socket, for one call at a time.
public final class BusClient {
    /// Between attempts to join a socket whose queue of connections is full.
    private static let retryMicroseconds: UInt32 = 5000

    private let descriptor: FileDescriptor
    private let patience: Duration
    private var client = VarlinkClient()

    /// Connects to a socket file (`@name` for an abstract one).
    ///
    /// - Parameter patience: how long to wait for the connection, and later for a call to leave.
    public init(path: String, patience: Duration = .seconds(30)) throws(BusClientError) {
        self.patience = patience
        let deadline = SystemClock.now + patience
        while true {
            do throws(Errno) {
                descriptor = try UnixSocket.connect(to: path)
                return
            } catch  where error.code == EAGAIN {
                guard SystemClock.now < deadline else { throw .notAccepted(path: path, after: patience) }
                usleep(Self.retryMicroseconds)
            } catch {
                throw .unreachable(path: path, error)
            }
        }
    }

    /// Calls a method and waits for its reply.
    public func call<Method: VarlinkMethod>(
        _ parameters: Method, timeout: Duration? = .seconds(30)
    ) throws(BusClientError) -> Method.Reply {
        try decode(try call(parameters.call(), timeout: timeout), Method.self)
    }

    /// Calls a method with `more` and hands every reply to `body` until the last one or until `body` returns false. The
    /// limit is for each reply; nil waits for ever. After `false` the connection is of no further use.
    public func stream<Method: VarlinkMethod>(
        _ parameters: Method, timeout: Duration? = nil, _ body: (Method.Reply) throws -> Bool
    ) throws {
        try stream(parameters.call(more: true), first: timeout, next: timeout) { reply in
            try body(try decode(reply, Method.self))
        }
    }

    /// Calls any method and waits for its reply; oneway calls return an empty one at once. The limit includes sending.
    public func call(_ call: VarlinkCall, timeout: Duration? = .seconds(30)) throws(BusClientError) -> VarlinkReply {
        let deadline = Deadline(after: timeout)
        try send(call, deadline ?? Deadline(after: patience))
        return call.oneway ? VarlinkReply() : try nextReply(deadline)
    }

    /// Calls any method with `more`; see the typed `stream`. The first reply, with sending the call, and each of the next
    /// ones have limits of their own.
    public func stream(
        _ call: VarlinkCall, first: Duration?, next: Duration?, _ body: (VarlinkReply) throws -> Bool
    ) throws {
        var call = call
        call.more = true
        var deadline = Deadline(after: first)
        try send(call, deadline ?? Deadline(after: patience))
        while true {
            let reply = try nextReply(deadline)
            guard try body(reply), reply.continues else { return }
            deadline = Deadline(after: next)
        }
    }

    /// Sends a call, whose replies `reply(within:)` waits for.
    public func begin(_ call: VarlinkCall) throws(BusClientError) { try send(call, Deadline(after: patience)) }

    /// The next reply to what was begun. After `timedOut` it can be asked for again.
    public func reply(within limit: Duration?) throws(BusClientError) -> VarlinkReply {
        try nextReply(Deadline(after: limit))
    }

    private func decode<Method: VarlinkMethod>(
        _ reply: VarlinkReply, _ method: Method.Type
    ) throws(BusClientError) -> Method.Reply {
        do throws(JSONCodingError) {
            return try JSONValue.object(reply.parameters).decode()
        } catch {
            throw .badReply(error.description)
        }
    }

    private func send(_ call: VarlinkCall, _ deadline: Deadline) throws(BusClientError) {
        let octets: [UInt8]
        do throws(VarlinkProtocolError) { octets = try client.call(call) } catch { throw .violated(error) }
        var sent = 0
        while sent < octets.count {
            let written = octets.withUnsafeBytes { bytes in
                Result { () throws(Errno) in
                    try descriptor.write(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
                }
            }
            switch written {
            case .success(let count): sent += count
            case .failure(let errno) where errno.code == EAGAIN: try wait(for: POLLOUT, deadline)
            case .failure(let errno) where errno.code == EINTR: continue
            case .failure(let errno) where errno.code == EPIPE || errno.code == ECONNRESET: throw .closed
            case .failure(let errno): throw .failed(errno)
            }
        }
    }

    private func nextReply(_ deadline: Deadline?) throws(BusClientError) -> VarlinkReply {
        while true {
            let reply: VarlinkReply?
            do throws(VarlinkProtocolError) { reply = try client.nextReply() } catch { throw .violated(error) }
            if let reply {
                guard reply.error == nil else { throw .refused(reply) }
                return reply
            }
            try wait(for: POLLIN, deadline)
            try receive()
        }
    }

    private func wait(for event: Int32, _ deadline: Deadline?) throws(BusClientError) {
        while true {
            var limit: Int32 = -1
            if let deadline {
                let left = (deadline.time - SystemClock.now).nanoseconds
                guard left > 0 else { throw .timedOut(after: deadline.limit) }
                limit = Int32(clamping: left / 1_000_000 + 1)
            }
            var entry = pollfd(fd: descriptor.number, events: Int16(event), revents: 0)
            let ready = poll(&entry, 1, limit)
            if ready > 0 { return }
            if ready < 0, errno != EINTR { throw .failed(Errno(errno, "poll")) }
        }
    }

    private func receive() throws(BusClientError) {
        let received = withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
            Result { () throws(Errno) in
                let count = try descriptor.read(into: buffer)
                client.receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                return count
            }
        }
        switch received {
        case .success(0): throw .closed
        case .success: return
        case .failure(let errno) where errno.code == EINTR || errno.code == EAGAIN: return
        case .failure(let errno) where errno.code == ECONNRESET: throw .closed
        case .failure(let errno): throw .failed(errno)
        }
    }
}

/// When to give up, and the limit that it came from.
private struct Deadline {
    let limit: Duration
    let time: Instant

    init(after limit: Duration) {
        self.limit = limit
        time = SystemClock.now + limit
    }

    init?(after limit: Duration?) {
        guard let limit else { return nil }
        self.init(after: limit)
    }
}
