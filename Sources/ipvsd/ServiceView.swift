// How services and servers look on the bus: configuration, state, and what the kernel has and counts.

import Bus
import Configuration
import IPVS
import IPVSWords
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
            servers: pool.members.map { server(standing, $0, destinations[$0.configuration.endpoint]) },
            origin: origin(of: standing))
    }

    /// Who made a service.
    func origin(of standing: Standing?) -> IpvsAPI.Origin {
        guard let standing else { return .foreign }
        if standing.configured != nil || standing.isDeparting { return .configuration }
        return standing.handMade.attributes == nil ? .foreign : .hand
    }

    /// The data of a service's event; nil when it is not configured.
    func summary(of subject: String) -> IpvsAPI.ServiceSummary? {
        guard let service = VirtualServerIdentity(subject), let standing = keeper.reconciler.standings[service],
            let pool = standing.pool
        else { return nil }
        return IpvsAPI.ServiceSummary(
            name: subject, context: IpvsAPI.ServiceContext(pool.configuration), runtime: runtime(standing, pool, nil),
            origin: origin(of: standing))
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
            daemons: sync.held.map(IpvsAPI.SyncDaemon.init), problem: sync.problem?.message)
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
        let all = pool.members.count { $0.departure == nil }
        var reason = "\(up) of \(all) servers serve, weight \(pool.livingWeight)"
        // Without real servers the sorry server is what the service is meant to have.
        let isSorryAlone = pool.isSorry && all == 0
        if isSorryAlone {
            reason = "no real server is configured; the sorry server serves"
        } else if !pool.hasQuorum {
            reason += ", quorum is \(pool.configuration.quorum)"
        }
        if standing.isDeparting {
            reason = "left the configuration; \(pool.members.count) servers drain"
        } else if standing.configured == nil {
            reason = "made by hand: " + reason
        }
        if let repaired = record?.repaired { reason += "; somebody else changed the table, repaired at \(repaired)" }
        return IpvsAPI.ServiceRuntime(
            state: pool.hasQuorum || isSorryAlone ? .up : .down, since: record?.since ?? started, reason: reason,
            weightUp: Int(pool.livingWeight), onSorryServer: pool.isSorry, inKernel: standing.held.entry != nil,
            problem: keeper.kernelHealth.problem.map { "\($0.message); \($0.remedy)" }
                ?? keeper.problem(of: standing.identity),
            counters: snapshot.map { IpvsAPI.Counters($0.counters) }, isLeaving: standing.isDeparting ? true : nil,
            repairs: record?.repairs ?? 0)
    }

    private func server(_ standing: Standing, _ member: Member, _ snapshot: DestinationSnapshot?) -> IpvsAPI.Server {
        let configuration = member.configuration
        let identity = ServerIdentity(standing.identity, configuration.endpoint)
        let note = keeper.notes[identity]
        let destination = standing.held.entry?.destinations[configuration.endpoint]
        let departure = member.departure
        let isChecked = !configuration.checkers.isEmpty && departure == nil
        let unchecked =
            standing.isHandMade(configuration.endpoint) ? "made by hand, not checked" : "no checks configured"
        let reason =
            departure.map { "left the configuration, drains for at most \($0.limit) s" } ?? note?.reason
            ?? (isChecked ? member.health.reasonUnheard : unchecked)
        return IpvsAPI.Server(
            name: "\(identity)",
            context: IpvsAPI.ServerContext(
                address: "\(configuration.endpoint.address)", port: Int(configuration.endpoint.port),
                forwarding: IpvsAPI.Forwarding(.method(configuration.forwarding)), weight: configuration.weight,
                upperThreshold: Int(configuration.upperThreshold), lowerThreshold: Int(configuration.lowerThreshold),
                inhibitOnFailure: configuration.inhibitOnFailure),
            runtime: IpvsAPI.ServerRuntime(
                health: IpvsAPI.Health(member.health), since: departure?.since ?? note?.since,
                reason: reason, stale: isChecked && isStale, inKernel: destination != nil,
                effectiveWeight: Int(destination?.weight ?? 0),
                override: standing.decisions[configuration.endpoint].map(IpvsAPI.Override.init),
                activeConnections: snapshot.map { Int($0.activeConnections) },
                inactiveConnections: snapshot.map { Int($0.inactiveConnections) },
                persistentConnections: snapshot.map { Int($0.persistentConnections) },
                counters: snapshot.map { IpvsAPI.Counters($0.counters) },
                departure: departure.map { IpvsAPI.Departure(since: $0.since, limitSeconds: Int($0.limit)) },
                weightChange: member.weightChange == 0 ? nil : Int(member.weightChange)),
            origin: standing.isHandMade(configuration.endpoint) ? .hand : .configuration)
    }
}

extension IpvsAPI.Service {
    /// A service of somebody else, as the kernel has it.
    init(foreign snapshot: ServiceSnapshot) {
        let weight = snapshot.destinations.reduce(0) { $0 + Int($1.attributes.weight) }
        let serving = snapshot.destinations.count { $0.attributes.weight > 0 }
        self.init(
            name: "\(snapshot.identity)",
            context: IpvsAPI.ServiceContext(snapshot.identity, snapshot.attributes),
            runtime: IpvsAPI.ServiceRuntime(
                state: serving > 0 ? .up : .down, reason: "made by somebody else: listed, not looked after",
                weightUp: weight, onSorryServer: false, inKernel: true, counters: IpvsAPI.Counters(snapshot.counters)),
            servers: snapshot.destinations.map { destination in
                IpvsAPI.Server(
                    name: "\(ServerIdentity(snapshot.identity, destination.endpoint))",
                    context: IpvsAPI.ServerContext(
                        address: "\(destination.endpoint.address)", port: Int(destination.endpoint.port),
                        forwarding: IpvsAPI.Forwarding(destination.attributes.forwarding),
                        weight: Int(destination.attributes.weight),
                        upperThreshold: Int(destination.attributes.upperThreshold),
                        lowerThreshold: Int(destination.attributes.lowerThreshold)),
                    runtime: IpvsAPI.ServerRuntime(
                        health: .unknown, reason: "made by somebody else", stale: false, inKernel: true,
                        effectiveWeight: Int(destination.attributes.weight),
                        activeConnections: Int(destination.activeConnections),
                        inactiveConnections: Int(destination.inactiveConnections),
                        persistentConnections: Int(destination.persistentConnections),
                        counters: IpvsAPI.Counters(destination.counters)), origin: .foreign)
            }, origin: .foreign)
    }
}

extension IpvsAPI.ServiceContext {
    /// What a block says.
    fileprivate init(_ configuration: VirtualServerConfiguration) {
        self.init(configuration.identity, ServiceAttributes(configuration))
        quorum = configuration.quorum
        hysteresis = configuration.hysteresis
        sorryServer = configuration.sorryServer.map { "\($0.endpoint)" }
    }

    /// What the kernel's table says.
    fileprivate init(_ identity: VirtualServerIdentity, _ attributes: ServiceAttributes) {
        self.init(
            family: identity.family == .inet ? .inet : .inet6, scheduler: attributes.scheduler,
            schedulerFlags: attributes.flags.names,
            persistenceTimeoutSeconds: attributes.persistence.map { Int($0.timeout.components.seconds) },
            persistencePrefixLength: attributes.persistence?.prefixLength,
            persistenceEngine: attributes.persistence?.engine, onePacket: attributes.flags.contains(.onePacket))
        switch identity {
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

extension IpvsAPI.Transport {
    fileprivate init(_ transport: VirtualServerIdentity.TransportProtocol) {
        switch transport {
        case .tcp: self = .tcp
        case .udp: self = .udp
        case .sctp: self = .sctp
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
            case .drained, .left: .drain
            case .disabled: .disable
            }
        self.init(
            kind: kind, weight: decision.override.weight.map { Int($0) }, since: decision.since, uid: decision.uid,
            isOver: decision.override.mode == .left ? true : nil,
            limitSeconds: decision.override.drainLimit.map { Int($0) })
    }
}
