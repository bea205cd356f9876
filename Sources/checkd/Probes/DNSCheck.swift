// DNS_CHECK: one question over UDP, and an answer to it without an error, within connect_timeout in all. What is no answer to it (another
// id, a cut header, garbage) does not end the wait.
import Configuration
import HealthCheck

/// One question to a name server.
struct DNSCheck: ProbeKind {
    let probe: DNSProbe
    let target: CheckTarget
    let network: ProbeNetwork

    var title: String { "DNS_CHECK \(target.endpoint)" }

    var identity: String {
        ([title] + target.identity + ["type \(probe.recordType.name)", "name \(probe.name)"]).joined(separator: " ")
    }

    var fixedConnection: FixedConnection? { target.fixedConnection }
    var rounds: CheckRounds { CheckRounds() }

    func start(step: Int, for attempt: ProbeAttempt) -> any RunningProbe {
        attempt.expect(.answer)
        let question = DNSQuestion(probe, id: .random(in: 0...UInt16.max))
        return DatagramTalk(
            .udp, to: target, asking: question.message, capacity: DNSQuestion.capacity, on: network.loop, for: attempt
        ) { question.outcome(of: $0) }
    }
}
