// PING_CHECK: an ICMP echo that comes back within connect_timeout, through a datagram socket, which needs no capability but a group in
// net.ipv4.ping_group_range (docs/checkd.md, "PING_CHECK").
import Configuration
import HealthCheck
import Net

/// One echo.
struct PingCheck: ProbeKind {
    let target: CheckTarget
    let network: ProbeNetwork

    var title: String { "PING_CHECK \(target.endpoint.address)" }
    var identity: String { ([title] + target.identity).joined(separator: " ") }
    var rounds: CheckRounds { CheckRounds() }

    func start(step: Int, for attempt: ProbeAttempt) -> any RunningProbe {
        attempt.expect(.answer)
        var generator = SystemRandomNumberGenerator()
        let request = EchoRequest(isIPv6: target.endpoint.address.family == .inet6, using: &generator)
        return DatagramTalk(
            .echo, to: target, asking: request.message, capacity: request.replyCapacity, on: network.loop, for: attempt
        ) { request.outcome(of: $0) }
    }
}
