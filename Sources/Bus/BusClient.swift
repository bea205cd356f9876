// A client that waits, for lbctl: no event loop, one call at a time, every wait bounded when a time limit is given.
import Glibc
import JSON
import Net
public import Platform
public import Varlink

/// Why a call brought no reply.
public enum BusClientError: Error, Sendable, CustomStringConvertible {
    /// Nobody listens at the address.
    case unreachable(path: String, Errno)
    /// The service closed the connection before the (last) reply.
    case closed
    /// No reply within the limit.
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

/// A blocking connection to busd or to a daemon's private socket.
public final class BusClient {
    private let descriptor: FileDescriptor
    private var client = VarlinkClient()

    /// The socket, for a caller that polls several things. Not to be read from.
    public var descriptorNumber: Int32 { descriptor.number }

    /// Connects to a socket file (`@name` for an abstract one).
    public init(path: String) throws(BusClientError) {
        do throws(Errno) {
            descriptor = try UnixSocket.connect(to: path, blocking: true)
        } catch {
            throw .unreachable(path: path, error)
        }
    }

    /// Calls a method and waits for its reply.
    public func call<Method: VarlinkMethod>(
        _ parameters: Method, timeout: Duration? = .seconds(30)
    ) throws(BusClientError) -> Method.Reply {
        let call: VarlinkCall
        do throws(JSONCodingError) { call = try parameters.call() } catch { throw .badReply(error.description) }
        return try decode(try self.call(call, timeout: timeout), Method.self)
    }

    /// Calls a method with `more` and hands every reply to `body` until the last one or until `body` returns false. The
    /// limit is for each reply; nil waits for ever. After `false` the connection is of no further use.
    public func stream<Method: VarlinkMethod>(
        _ parameters: Method, timeout: Duration? = nil, _ body: (Method.Reply) throws -> Bool
    ) throws {
        try stream(try parameters.call(more: true), timeout: timeout) { reply in
            try body(try decode(reply, Method.self))
        }
    }

    /// Calls any method and waits for its reply; oneway calls return an empty one at once.
    public func call(_ call: VarlinkCall, timeout: Duration? = .seconds(30)) throws(BusClientError) -> VarlinkReply {
        try send(call)
        return call.oneway ? VarlinkReply() : try nextReply(timeout: timeout)
    }

    /// Calls any method with `more`; see the typed `stream`.
    public func stream(
        _ call: VarlinkCall, timeout: Duration? = nil, _ body: (VarlinkReply) throws -> Bool
    ) throws {
        var call = call
        call.more = true
        try send(call)
        while true {
            let reply = try nextReply(timeout: timeout)
            guard try body(reply), reply.continues else { return }
        }
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

    private func send(_ call: VarlinkCall) throws(BusClientError) {
        var octets: [UInt8]
        do throws(VarlinkProtocolError) { octets = try client.call(call) } catch { throw .violated(error) }
        while !octets.isEmpty {
            let written = octets.withUnsafeBytes { bytes in
                Result { () throws(Errno) in try descriptor.write(bytes) }
            }
            switch written {
            case .success(let count): octets.removeFirst(count)
            case .failure(let errno) where errno.code == EINTR: continue
            case .failure(let errno) where errno.code == EPIPE || errno.code == ECONNRESET: throw .closed
            case .failure(let errno): throw .failed(errno)
            }
        }
    }

    private func nextReply(timeout: Duration?) throws(BusClientError) -> VarlinkReply {
        let deadline = timeout.map { SystemClock.now + $0 }
        while true {
            let reply: VarlinkReply?
            do throws(VarlinkProtocolError) { reply = try client.nextReply() } catch { throw .violated(error) }
            if let reply {
                guard reply.error == nil else { throw .refused(reply) }
                return reply
            }
            try wait(until: deadline, timeout)
            try receive()
        }
    }

    private func wait(until deadline: Instant?, _ timeout: Duration?) throws(BusClientError) {
        while true {
            var limit: Int32 = -1
            if let deadline, let timeout {
                let left = (deadline - SystemClock.now).nanoseconds
                guard left > 0 else { throw .timedOut(after: timeout) }
                limit = Int32(clamping: left / 1_000_000 + 1)
            }
            var entry = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
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
        case .failure(let errno) where errno.code == EINTR: return
        case .failure(let errno) where errno.code == ECONNRESET: throw .closed
        case .failure(let errno): throw .failed(errno)
        }
    }
}
