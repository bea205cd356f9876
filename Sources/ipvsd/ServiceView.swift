// How a pool looks on the bus: configuration, state, and what the kernel counts.

import Bus
import Configuration
import IPVS
import Net

/// Everything that an `IpvsAPI.Service` is made of.
struct ServiceView {
    let pool: Pool
    let since: String
    let reason: String
    let problem: String?
    /// What the kernel is believed to have.
    let entry: ServiceEntry?
    let note: (ServerIdentity) -> HealthNote?
    let decision: (ServerIdentity) -> Decision?
    let isStale: Bool
    let started: String

    /// The service; with counters when a snapshot of it is at hand.
    func service(_ snapshot: ServiceSnapshot? = nil) -> IpvsAPI.Service {
        let destinations = Dictionary(
            (snapshot?.destinations ?? []).map { ($0.endpoint, $0) }, uniquingKeysWith: { _, last in last })
        return IpvsAPI.Service(
            name: "\(pool.configuration.identity)", context: context,
            runtime: IpvsAPI.ServiceRuntime(
                state: pool.hasQuorum ? .up : .down, since: since, reason: reason, weightUp: Int(pool.livingWeight),
                onSorryServer: pool.isSorry, inKernel: entry != nil, problem: problem,
                counters: snapshot.map { IpvsAPI.Counters($0.counters) }),
            servers: pool.members.map { server($0, destinations[$0.configuration.endpoint]) })
    }

    private var context: IpvsAPI.ServiceContext {
        let configuration = pool.configuration
        var context = IpvsAPI.ServiceContext(
            family: configuration.identity.family == .inet ? .inet : .inet6, scheduler: configuration.scheduler,
            schedulerFlags: configuration.schedulerFlags.names,
            persistenceTimeoutSeconds: configuration.persistence.map { Int($0.timeout.components.seconds) },
            persistencePrefixLength: configuration.persistence?.prefixLength,
            persistenceEngine: configuration.persistence?.engine,
            onePacket: configuration.schedulerFlags.contains(.onePacket), quorum: configuration.quorum,
            hysteresis: configuration.hysteresis, sorryServer: configuration.sorryServer.map { "\($0.endpoint)" })
        switch configuration.identity {
        case .address(let transport, let endpoint):
            context.transport = IpvsAPI.Transport(transport)
            context.address = "\(endpoint.address)"
            context.port = Int(endpoint.port)
        case .firewallMark(let mark, _): context.firewallMark = Int(mark)
        }
        return context
    }

    private func server(_ member: Member, _ snapshot: DestinationSnapshot?) -> IpvsAPI.Server {
        let configuration = member.configuration
        let identity = ServerIdentity(pool.configuration.identity, configuration.endpoint)
        let note = note(identity)
        let destination = entry?.destinations[configuration.endpoint]
        let isChecked = !configuration.checkers.isEmpty
        return IpvsAPI.Server(
            name: "\(identity)",
            context: IpvsAPI.ServerContext(
                address: "\(configuration.endpoint.address)", port: Int(configuration.endpoint.port),
                forwarding: IpvsAPI.Forwarding(configuration.forwarding), weight: configuration.weight,
                upperThreshold: Int(configuration.upperThreshold), lowerThreshold: Int(configuration.lowerThreshold),
                inhibitOnFailure: configuration.inhibitOnFailure),
            runtime: IpvsAPI.ServerRuntime(
                health: IpvsAPI.Health(member.health), since: note?.since ?? started,
                reason: note?.reason ?? (isChecked ? member.health.reasonUnheard : "no checks configured"),
                stale: isChecked && isStale, inKernel: destination != nil,
                effectiveWeight: Int(destination?.weight ?? 0), override: decision(identity).map(IpvsAPI.Override.init),
                activeConnections: snapshot.map { Int($0.activeConnections) },
                inactiveConnections: snapshot.map { Int($0.inactiveConnections) },
                persistentConnections: snapshot.map { Int($0.persistentConnections) },
                counters: snapshot.map { IpvsAPI.Counters($0.counters) }))
    }
}

extension Health {
    /// Why a server has this health although checkd said nothing to this process.
    fileprivate var reasonUnheard: String {
        switch self {
        case .up, .down: "remembered from before the restart"
        case .unknown(.some): "not checked yet; as the kernel has it"
        case .unknown(nil): "not checked yet"
        }
    }
}

extension SchedulerFlags {
    /// Names as keepalived.conf has them; nil when there are none.
    fileprivate var names: [String]? {
        let names = [(SchedulerFlags.flag1, "flag-1"), (.flag2, "flag-2"), (.flag3, "flag-3")]
            .filter { contains($0.0) }.map(\.1)
        return names.isEmpty ? nil : names
    }
}

extension IpvsAPI.Transport {
    fileprivate init(_ transport: VirtualServerIdentity.TransportProtocol) {
        switch transport {
        case .tcp: self = .tcp
        case .udp: self = .udp
        case .sctp: self = .sctp
        }
    }
}

extension IpvsAPI.Forwarding {
    fileprivate init(_ method: ForwardingMethod) {
        switch method {
        case .masquerade: self = .nat
        case .directRouting: self = .dr
        case .tunnel: self = .tun
        }
    }
}

extension IpvsAPI.Health {
    fileprivate init(_ health: Health) {
        switch health {
        case .up: self = .up
        case .down: self = .down
        case .unknown: self = .unknown
        }
    }
}

extension IpvsAPI.Override {
    fileprivate init(_ decision: Decision) {
        let kind: IpvsAPI.OverrideKind =
            switch decision.override.mode {
            case .enabled: .weight
            case .drained: .drain
            case .disabled: .disable
            }
        self.init(
            kind: kind, weight: decision.override.weight.map { Int($0) }, since: decision.since, uid: decision.uid)
    }
}

extension IpvsAPI.Counters {
    fileprivate init(_ counters: Counters) {
        self.init(
            connections: Int(clamping: counters.connections), packetsIn: Int(clamping: counters.inPackets),
            packetsOut: Int(clamping: counters.outPackets), bytesIn: Int(clamping: counters.inBytes),
            bytesOut: Int(clamping: counters.outBytes))
    }
}
