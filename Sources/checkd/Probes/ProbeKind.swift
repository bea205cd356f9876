// What a kind of checker is to the rest of checkd: one file for each, and one switch, below, that finds it. A new kind is its file and
// its line in that switch.
import Configuration
import HealthCheck
import Net

/// A checker of the configuration, ready to be asked.
protocol ProbeKind {
    /// For log lines: `TCP_CHECK 192.0.2.1:80`.
    var title: String { get }
    /// Everything that decides the result, as text: the key under which a verdict outlives the process. Two checkers with the same text
    /// find out the same thing, whatever their schedule.
    var identity: String { get }
    /// How its probes make rounds.
    var rounds: CheckRounds { get }
    /// Its probes may say something about the server's weight.
    var movesWeight: Bool { get }

    /// The connection that each of its probes has, so that only one may have it at a time; nil: the kernel chooses the port.
    var fixedConnection: FixedConnection? { get }

    /// What a step asks for, where there are several.
    func name(ofStep step: Int) -> String?

    /// `changed` is called when a probe would find out something else than before, as long as the result is kept; nil: nobody knows that.
    func follow(_ changed: @escaping () -> Void) -> AnyObject?

    /// Starts one probe; `step` is below `rounds.steps`. The result goes to the attempt, now or later, and so do the time limits; whoever
    /// lets go of the running probe, or cancels it, hears nothing any more.
    func start(step: Int, for attempt: ProbeAttempt) -> any RunningProbe
}

extension ProbeKind {
    func name(ofStep step: Int) -> String? { nil }
    var movesWeight: Bool { false }
    var fixedConnection: FixedConnection? { nil }

    func follow(_ changed: @escaping () -> Void) -> AnyObject? { nil }
}

/// A probe on its way.
protocol RunningProbe: AnyObject {
    /// Closes everything; nothing is reported after this.
    func cancel()
}

extension ProbeNetwork {
    /// The kind of a checker.
    func kind(of checker: CheckerConfiguration) -> any ProbeKind {
        switch checker.probe {
        case .tcp: TCPCheck(target: checker.target, network: self)
        case .http(let probe): HTTPCheck(probe: probe, target: checker.target, network: self)
        case .misc(let probe): MiscCheck(probe: probe, network: self)
        case .smtp(let name): SMTPCheck(heloName: name, target: checker.target, network: self)
        case .dns(let probe): DNSCheck(probe: probe, target: checker.target, network: self)
        case .ping: PingCheck(target: checker.target, network: self)
        case .udp(let probe): UDPCheck(probe: probe, target: checker.target, network: self)
        case .file(let tracked): FileCheck(tracked: tracked, things: self.tracked)
        case .bfd(let session): BFDCheck(session: session, things: tracked)
        }
    }
}

/// Both ends of a connection whose own port is configured (`bind_port`). Two probes at once would be refused (EADDRNOTAVAIL), or with UDP get each
/// other's answers.
struct FixedConnection: Hashable {
    let port: UInt16
    let target: Endpoint
}

extension CheckTarget {
    /// Nil without `bind_port`.
    var fixedConnection: FixedConnection? { sourcePort.map { FixedConnection(port: $0, target: endpoint) } }

    /// What of the target decides the result, beside the endpoint.
    var identity: [String] {
        var parts: [String] = []
        if let source = sourceAddress { parts.append("bindto \(source)") }
        if let port = sourcePort { parts.append("bind_port \(port)") }
        if let interface { parts.append("bind_if \(interface)") }
        if firewallMark != 0 { parts.append("fwmark \(firewallMark)") }
        return parts
    }
}
