// TCP_CHECK: the connection is made within connect_timeout; nothing is sent.
import Configuration
import HealthCheck

/// A connection and nothing else.
struct TCPCheck: ProbeKind {
    let target: CheckTarget
    let network: ProbeNetwork

    var title: String { "TCP_CHECK \(target.endpoint)" }
    var identity: String { ([title] + target.identity).joined(separator: " ") }
    var fixedConnection: FixedConnection? { target.fixedConnection }
    var rounds: CheckRounds { CheckRounds() }

    func start(step: Int, for attempt: ProbeAttempt) -> any RunningProbe {
        attempt.expect(.connect)
        return Connecting(to: target, on: network.loop) { result in
            switch result {
            case .failed(let outcome): attempt.finish(outcome)
            case .connected(let connection):
                connection.close()
                attempt.tell("connected")
                attempt.finish(.success)
            }
        }
    }
}
