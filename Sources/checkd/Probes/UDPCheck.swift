// UDP_CHECK: a datagram that is not refused, or is answered. An ICMP error is a failure; silence is a success unless `require_reply` wants
// an answer (keepalived check_udp.c).
import Configuration
import HealthCheck

/// One datagram.
struct UDPCheck: ProbeKind {
    let probe: UDPProbe
    let target: CheckTarget
    let network: ProbeNetwork

    var title: String { "UDP_CHECK \(target.endpoint)" }

    var identity: String {
        func hexadecimal(_ octets: [UInt8]) -> String { octets.map { String($0, radix: 16) }.joined(separator: ":") }
        var parts = [title] + target.identity + ["payload \(hexadecimal(probe.payload))"]
        if probe.requiresReply {
            parts.append("require_reply \(hexadecimal(probe.reply.flatMap { [$0.value, $0.mask] }))")
            parts.append("length \(probe.minimumReplyLength)-\(probe.maximumReplyLength)")
        }
        return parts.joined(separator: " ")
    }

    var fixedConnection: FixedConnection? { target.fixedConnection }
    var rounds: CheckRounds { CheckRounds() }

    func start(step: Int, for attempt: ProbeAttempt) -> any RunningProbe {
        attempt.listen(orElse: probe.requiresReply ? .failure(.timeout(.answer)) : .success)
        return DatagramTalk(
            .udp, to: target, asking: probe.payload, capacity: probe.replyCapacity, on: network.loop, for: attempt
        ) { probe.outcome(of: $0) }
    }
}
