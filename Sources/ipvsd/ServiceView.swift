// How services and servers look on the bus: configuration, state, and what the kernel has and counts.

import Bus
import Configuration
import IPVS
import Net
import Platform

extension IPVSDaemon {
    /// A service with its servers; with counters when a snapshot of it is at hand.
    func service(_ standing: Standing, _ pool: Pool, _ snapshot: ServiceSnapshot? = nil) -> IpvsAPI.Service {
        let destinations = Dictionary(
            (snapshot?.destinations ?? []).map { ($0.endpoint, $0) }, uniquingKeysWith: { _, last in last })
        return IpvsAPI.Service(
            name: "\(standing.identity)", context: IpvsAPI.ServiceContext(pool.configuration),
            runtime: runtime(standing, pool, snapshot),
            servers: pool.members.map { server(standing, $0, destinations[$0.configuration.endpoint]) })
    }

    /// The data of a service's event; nil when it is not configured.
    func summary(of subject: String) -> IpvsAPI.ServiceSummary? {
        guard let service = VirtualServerIdentity(subject), let standing = keeper.reconciler.standings[service],
            let pool = standing.pool
        else { return nil }
        return IpvsAPI.ServiceSummary(
            name: subject, context: IpvsAPI.ServiceContext(pool.configuration), runtime: runtime(standing, pool, nil))
    }

    /// The data of a server's event; nil when it is not configured.
    func server(_ subject: String) -> IpvsAPI.Server? {
        guard let server = ServerIdentity(subject), let standing = keeper.reconciler.standings[server.service],
            let member = standing.pool?.member(server.endpoint)
        else { return nil }
        return self.server(standing, member, nil)
    }

    /// What `lvs_sync_daemon` does; nil without it.
    var synchronisation: IpvsAPI.Synchronisation? {
        guard let configuration = sync.plan.configuration else { return nil }
        return IpvsAPI.Synchronisation(
            interface: configuration.interface, instance: configuration.instance,
            daemons: sync.held.map {
                IpvsAPI.SyncDaemon(
                    role: IpvsAPI.SyncRole($0.role), interface: $0.interface, syncID: Int($0.syncID),
                    group: "\($0.group)", port: Int($0.port), timeToLive: Int($0.timeToLive))
            }, problem: sync.problem?.message)
    }

    /// Decisions about servers that are not configured, in a stable order; nil when there are none.
    var orphans: [IpvsAPI.Orphan]? {
        let orphans = keeper.reconciler.standings.values.flatMap { standing in
            standing.orphans.map {
                IpvsAPI.Orphan(
                    server: "\(ServerIdentity(standing.identity, $0.key))", override: IpvsAPI.Override($0.value))
            }
        }
        return orphans.isEmpty ? nil : orphans.sorted { $0.server < $1.server }
    }

    private func runtime(
        _ standing: Standing, _ pool: Pool, _ snapshot: ServiceSnapshot?
    ) -> IpvsAPI.ServiceRuntime {
        let record = records[standing.identity]
        let up = pool.members.count { $0.isAlive }
        var reason = "\(up) of \(pool.members.count) servers serve, weight \(pool.livingWeight)"
        if !pool.hasQuorum {
            reason += ", quorum is \(pool.configuration.quorum)"
            if pool.isSorry { reason += "; the sorry server serves" }
        }
        if let repaired = record?.repaired { reason += "; somebody else changed the table, repaired at \(repaired)" }
        return IpvsAPI.ServiceRuntime(
            state: pool.hasQuorum ? .up : .down, since: record?.since ?? started, reason: reason,
            weightUp: Int(pool.livingWeight), onSorryServer: pool.isSorry, inKernel: standing.held.entry != nil,
            problem: keeper.kernelHealth.problem.map { "\($0.message); \($0.remedy)" }
                ?? keeper.problem(of: standing.identity),
            counters: snapshot.map { IpvsAPI.Counters($0.counters) })
    }

    private func server(_ standing: Standing, _ member: Member, _ snapshot: DestinationSnapshot?) -> IpvsAPI.Server {
        let configuration = member.configuration
        let identity = ServerIdentity(standing.identity, configuration.endpoint)
        let note = keeper.notes[identity]
        let destination = standing.held.entry?.destinations[configuration.endpoint]
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
                effectiveWeight: Int(destination?.weight ?? 0),
                override: standing.decisions[configuration.endpoint].map(IpvsAPI.Override.init),
                activeConnections: snapshot.map { Int($0.activeConnections) },
                inactiveConnections: snapshot.map { Int($0.inactiveConnections) },
                persistentConnections: snapshot.map { Int($0.persistentConnections) },
                counters: snapshot.map { IpvsAPI.Counters($0.counters) }))
    }
}

extension IpvsAPI.ServiceContext {
    /// What a block says.
    fileprivate init(_ configuration: VirtualServerConfiguration) {
        self.init(
            family: configuration.identity.family == .inet ? .inet : .inet6, scheduler: configuration.scheduler,
            schedulerFlags: configuration.schedulerFlags.names,
            persistenceTimeoutSeconds: configuration.persistence.map { Int($0.timeout.components.seconds) },
            persistencePrefixLength: configuration.persistence?.prefixLength,
            persistenceEngine: configuration.persistence?.engine,
            onePacket: configuration.schedulerFlags.contains(.onePacket), quorum: configuration.quorum,
            hysteresis: configuration.hysteresis, sorryServer: configuration.sorryServer.map { "\($0.endpoint)" })
        switch configuration.identity {
        case .address(let transport, let endpoint):
            self.transport = IpvsAPI.Transport(transport)
            self.address = "\(endpoint.address)"
            self.port = Int(endpoint.port)
        case .firewallMark(let mark, _): self.firewallMark = Int(mark)
        }
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

extension IpvsAPI.SyncRole {
    fileprivate init(_ role: SyncRole) {
        switch role {
        case .master: self = .master
        case .backup: self = .backup
        }
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
