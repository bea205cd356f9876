// The first half of every TCP probe: a connection that is being made.
import CLinux
import Configuration
import HealthCheck
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
            let socket = try ProbeSocket.tcp.open(to: target)
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
}
