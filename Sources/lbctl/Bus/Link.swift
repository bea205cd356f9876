// Calls over real sockets: through the bus, or with --direct to the daemons' own sockets beside it. A connection is made
// at the first call and kept for the next ones.
import Bus
import JSON
import Net
import Platform
import Varlink

/// The way to the daemons.
final class Link: Daemons {
    /// Where the bus is when nobody says otherwise.
    static let defaultSocket = "/run/evenkeel/bus.sock"

    /// Where it is when no option says otherwise.
    static var usualSocket: String { Environment.value("EVENKEEL_BUS") ?? defaultSocket }

    let timeout: Duration
    let isDirect: Bool
    var instance: String? { UnitName.instance(at: socket) }
    /// The bus's socket.
    let socket: String
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
        _ call: VarlinkCall, to daemon: Daemon?, _ patience: Patience,
        _ each: (JSONObject) throws(Failure) -> Appetite
    ) throws(Failure) {
        let daemon = isDirect ? try Self.daemon(for: call, daemon) : nil
        let path = daemon.map(privateSocket) ?? socket
        let start = SystemClock.now
        do {
            let client = try clients.removeValue(forKey: path) ?? BusClient(path: path, patience: patience.limit)
            let left = max(patience.limit - (SystemClock.now - start), .milliseconds(1))
            if call.more {
                let (first, next) = limits(patience, left)
                var isComplete = true
                try client.stream(call, first: first, next: next) { reply in
                    isComplete = !reply.continues
                    return try each(reply.parameters) == .more
                }
                if isComplete { clients[path] = client }
            } else {
                _ = try each(try client.call(call, timeout: left).parameters)
                clients[path] = client
            }
        } catch let failure as Failure {
            throw failure
        } catch let error as BusClientError {
            throw failure(error, call.method, daemon, patience.limit)
        } catch {
            throw .protocolViolation("\(call.method): \(error)")
        }
    }

    /// Limits of the first and of the next replies when connecting has left so much of it.
    private func limits(_ patience: Patience, _ left: Duration) -> (first: Duration?, next: Duration?) {
        switch patience {
        case .everyReply(let limit): (left, limit)
        case .firstReply: (left, nil)
        case .leaving: (nil, nil)
        }
    }

    /// What the client says about a call of `method`; `daemon` is nil when it went through the bus.
    func failure(_ error: BusClientError, _ method: String, _ daemon: Daemon?, _ limit: Duration) -> Failure {
        let neighbour = daemon.map { Culprit.daemon($0) } ?? .busd
        let failure: Failure =
            switch error {
            case .unreachable(let path, let errno):
                daemon.map { .daemonUnreachable($0, socket: path, errno) } ?? .busUnreachable(socket: path, errno)
            case .notAccepted: .timedOut(method: method, limit, by: neighbour)
            case .closed, .failed: .disconnected(method: method, by: neighbour)
            case .timedOut:
                .timedOut(method: method, limit, by: isDirect || !busAnswers() ? neighbour : Culprit(answering: method))
            case .violated(let error): .protocolViolation("\(method): \(error)")
            case .badReply(let problem): .protocolViolation("\(method): \(problem)")
            case .refused(let reply):
                Failure(method: method, error: reply.error ?? "", parameters: reply.parameters)
            }
        return failure.inInstance(instance)
    }

    /// The process that listens at the bus's socket; nil when none does.
    var busProcess: Int? {
        do throws(Errno) {
            let connection = try UnixSocket.connect(to: socket)
            return Int(try PeerCredentials(of: connection.number).pid)
        } catch {
            return nil
        }
    }

    /// Whether busd itself answers, asked after somebody did not: then it is the daemon behind it that is stuck.
    private func busAnswers() -> Bool {
        let limit = Duration.milliseconds(300)
        let question = VarlinkCall(method: "\(VarlinkService.interface).GetInfo")
        do throws(BusClientError) {
            _ = try BusClient(path: socket, patience: limit).call(question, timeout: limit)
            return true
        } catch {
            switch error {
            case .refused: return true
            case .unreachable, .notAccepted, .closed, .timedOut, .failed, .violated, .badReply: return false
            }
        }
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
