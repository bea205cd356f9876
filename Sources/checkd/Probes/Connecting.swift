// The first half of every TCP probe: a connection that is being made.
import Configuration
import HealthCheck
import Platform

/// How the attempt ended.
enum ConnectResult {
    case connected(ProbeConnection)
    case failed(ProbeOutcome)
}

/// One attempt. Released or cancelled, it closes its socket and says nothing.
final class Connecting: RunningProbe {
    private var connection: ProbeConnection?
    private var completion: (ConnectResult) -> Void

    /// Starts at once; `completion` is called later, from the loop.
    init(to target: CheckTarget, on loop: EventLoop, completion: @escaping (ConnectResult) -> Void) {
        self.completion = completion
        do throws(ConnectFailure) {
            let connection = try ProbeConnection(to: target, on: loop)
            connection.ready = { [unowned self] in decided($0) }
            self.connection = connection
        } catch {
            let outcome = error.outcome
            loop.soon { [weak self] in self?.finish(.failed(outcome)) }
        }
    }

    func cancel() {
        completion = { _ in }
        connection?.close()
        connection = nil
    }

    private func decided(_ readiness: Readiness) {
        guard let connection else { return }
        let error = readiness.isDisjoint(with: [.error, .hangup]) ? 0 : connection.error
        guard error == 0 else { return finish(.failed(SystemFault.onTheWire(error))) }
        self.connection = nil
        finish(.connected(connection))
    }

    private func finish(_ result: ConnectResult) {
        let completion = completion
        cancel()
        completion(result)
    }
}
