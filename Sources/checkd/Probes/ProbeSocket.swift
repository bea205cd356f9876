// The socket of a probe: TCP, UDP or ICMP echo, bound and marked as the checker says. A failure of our own (no descriptor, no such source
// address) is kept apart from one that the server or the way to it caused, see `SystemFault`.
import CLinux
import Configuration
import Glibc
import HealthCheck
import Net
import Platform

/// What kind of socket a probe wants.
enum ProbeSocket {
    case tcp, udp, echo

    /// A socket that is connecting (TCP) or has the target as its only peer.
    func open(to target: CheckTarget) throws(ConnectFailure) -> FileDescriptor {
        var plan = ek_probe_target()
        plan.kind = kind
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
        let texts = CStringArray([target.interface])
        plan.interface = texts[0]
        let result = withExtendedLifetime(texts) { ek_probe_connect(&plan, &stage) }
        guard result < 0 else { return FileDescriptor(owning: result) }
        if stage == Int32(EK_PROBE_CONNECT.rawValue) {
            throw ConnectFailure(outcome: SystemFault.connecting(-result))
        }
        let isForbidden = self == .echo && result == -EACCES
        throw ConnectFailure(outcome: isForbidden ? .inconclusive(.echoForbidden) : SystemFault.here(-result))
    }

    private var kind: ek_probe_kind {
        switch self {
        case .tcp: EK_PROBE_TCP
        case .udp: EK_PROBE_UDP
        case .echo: EK_PROBE_ECHO
        }
    }
}

/// No attempt could be started.
struct ConnectFailure: Error {
    let outcome: ProbeOutcome
}
