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
        withUnsafeMutableBytes(of: &plan.address) { target.endpoint.address.copyOctets(to: $0) }
        plan.port = target.endpoint.port
        if let source = target.sourceAddress {
            plan.has_source = 1
            withUnsafeMutableBytes(of: &plan.source) { source.copyOctets(to: $0) }
        }
        plan.source_port = target.sourcePort ?? 0
        plan.mark = target.firewallMark
        var stage: Int32 = 0
        let result = Self.connect(&plan, through: target.interface, &stage)
        guard result < 0 else { return FileDescriptor(owning: result) }
        if stage == Int32(EK_PROBE_CONNECT.rawValue) {
            throw ConnectFailure(outcome: SystemFault.connecting(-result))
        }
        let isForbidden = self == .echo && result == -EACCES
        throw ConnectFailure(outcome: isForbidden ? .inconclusive(.echoForbidden) : SystemFault.here(-result))
    }

    private static func connect(
        _ plan: inout ek_probe_target, through interface: String?, _ stage: inout Int32
    ) -> Int32 {
        guard let interface else { return ek_probe_connect(&plan, &stage) }
        return interface.withCString { name in
            plan.interface = name
            return ek_probe_connect(&plan, &stage)
        }
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
