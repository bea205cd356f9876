// The first half of every TCP probe: a connection that is being made. A failure of our own (no descriptor, no such source address) is kept
// apart from one that the server or the way to it caused, see `SystemFault`.
import CLinux
import Configuration
import HealthCheck
import Net
import Platform

/// How the attempt ended.
enum ConnectResult: ~Copyable {
    case connected(FileDescriptor)
    case failed(ProbeOutcome)
}

/// One attempt. Released or cancelled, it closes its socket and says nothing.
final class Connecting: RunningProbe {
    private var socket: FileDescriptor?
    private var watch: Watch?
    private var completion: ((consuming ConnectResult) -> Void)?

    /// Starts at once; `completion` is called later, from the loop.
    init(to target: CheckTarget, on loop: EventLoop, completion: @escaping (consuming ConnectResult) -> Void) {
        self.completion = completion
        do throws(ConnectFailure) {
            let socket = try Self.open(target)
            let number = socket.number
            self.socket = consume socket
            do throws(Errno) {
                watch = try loop.watch(number, .write) { [weak self] _ in self?.decided() }
            } catch {
                throw ConnectFailure(outcome: SystemFault.here(error.code))
            }
        } catch {
            let outcome = error.outcome
            loop.soon { [weak self] in self?.finish(.failed(outcome)) }
        }
    }

    func cancel() {
        completion = nil
        watch?.cancel()
        socket = nil
    }

    private func decided() {
        guard let socket = socket.take() else { return }
        let error = ek_socket_error(socket.number)
        if error == 0 {
            finish(.connected(socket))
        } else {
            self.socket = consume socket
            finish(.failed(SystemFault.onTheWire(error)))
        }
    }

    private func finish(_ result: consuming ConnectResult) {
        guard let completion else { return }
        cancel()
        completion(result)
    }

    private static func open(_ target: CheckTarget) throws(ConnectFailure) -> FileDescriptor {
        var plan = ek_tcp_target()
        plan.is_ipv6 = target.endpoint.address.family == .inet6 ? 1 : 0
        withUnsafeMutableBytes(of: &plan.address) { $0.copyBytes(from: target.endpoint.address.octets) }
        plan.port = target.endpoint.port
        if let source = target.sourceAddress {
            plan.has_source = 1
            withUnsafeMutableBytes(of: &plan.source) { $0.copyBytes(from: source.octets) }
        }
        plan.source_port = target.sourcePort ?? 0
        plan.mark = target.firewallMark
        var stage: Int32 = 0
        let result = withOptionalCString(target.interface) { name in
            plan.interface = name
            return ek_tcp_connect(&plan, &stage)
        }
        guard result < 0 else { return FileDescriptor(owning: result) }
        let isConnect = stage == Int32(EK_TCP_CONNECT.rawValue)
        throw ConnectFailure(outcome: isConnect ? SystemFault.connecting(-result) : SystemFault.here(-result))
    }
}

/// No attempt could be started.
private struct ConnectFailure: Error {
    let outcome: ProbeOutcome
}

/// The text as a C string, or NULL for nil.
func withOptionalCString<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let text else { return body(nil) }
    return text.withCString(body)
}
