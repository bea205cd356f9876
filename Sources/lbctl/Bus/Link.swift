// Calls over real sockets: through the bus, or with --direct to the daemons' own sockets beside it. A connection is made
// at the first call and kept for the next ones.
import Bus
import JSON
import Platform
import Varlink

/// The way to the daemons.
final class Link: Daemons {
    /// Where the bus is when nobody says otherwise.
    static let defaultSocket = "/run/evenkeel/bus.sock"

    let timeout: Duration
    let isDirect: Bool
    private let socket: String
    private var clients: [String: BusClient] = [:]

    /// - Parameters:
    ///   - socket: the bus's socket, as a path or `unix:PATH`.
    ///   - isDirect: talk to `private/NAME.sock` beside it instead.
    init(socket: String, isDirect: Bool, timeout: Duration) {
        self.socket = socket.hasPrefix("unix:") ? String(socket.dropFirst("unix:".count).prefix { $0 != ";" }) : socket
        self.isDirect = isDirect
        self.timeout = timeout
    }

    func send(
        _ call: VarlinkCall, to daemon: Daemon?, timeout: Duration?, _ each: (JSONObject) throws(Failure) -> Appetite
    ) throws(Failure) {
        let daemon = isDirect ? try Self.daemon(for: call, daemon) : nil
        let path = daemon.map(privateSocket) ?? socket
        do {
            let client = try self.client(path)
            if call.more {
                var isComplete = true
                try client.stream(call, timeout: timeout) { reply in
                    isComplete = !reply.continues
                    return try each(reply.parameters) == .more
                }
                if isComplete { clients[path] = client }
            } else {
                _ = try each(try client.call(call, timeout: timeout).parameters)
                clients[path] = client
            }
        } catch let failure as Failure {
            throw failure
        } catch let error as BusClientError {
            throw Failure(error, call.method, daemon)
        } catch {
            throw .protocolViolation("\(call.method): \(error)")
        }
    }

    /// The client kept from the last call, or a new one.
    private func client(_ path: String) throws(BusClientError) -> BusClient {
        if let client = clients.removeValue(forKey: path) { return client }
        return try BusClient(path: path)
    }

    private static func daemon(for call: VarlinkCall, _ named: Daemon?) throws(Failure) -> Daemon {
        if let named { return named }
        let interface = VarlinkCall.split(call.method).map { String($0.interface) } ?? call.method
        guard let daemon = Daemon(serving: interface) else {
            throw .usage(
                "\(call.method) cannot be called with --direct: only the daemons' own interfaces are there: "
                    + Daemon.allCases.map(\.interface).joined(separator: ", "))
        }
        return daemon
    }

    private func privateSocket(of daemon: Daemon) -> String {
        let folder = socket.lastIndex(of: "/").map { String(socket[..<$0]) } ?? "."
        return "\(folder)/private/\(daemon.rawValue).sock"
    }
}

extension Failure {
    /// What the client says about a call of `method`; `daemon` is nil when it went through the bus.
    fileprivate init(_ error: BusClientError, _ method: String, _ daemon: Daemon?) {
        switch error {
        case .unreachable(let path, let errno):
            self = daemon.map { .daemonUnreachable($0, socket: path, errno) } ?? .busUnreachable(socket: path, errno)
        case .closed, .failed: self = .disconnected(method: method)
        case .timedOut(let limit): self = .timedOut(method: method, limit)
        case .violated(let error): self = .protocolViolation("\(method): \(error)")
        case .badReply(let problem): self = .protocolViolation("\(method): \(problem)")
        case .refused(let reply):
            self.init(method: method, error: reply.error ?? "", parameters: reply.parameters)
        }
    }
}
