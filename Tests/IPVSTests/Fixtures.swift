// Short ways to write services and servers, and the kernel that tests run commands against.

import Configuration
import IPVS
import Net
import Testing

func endpoint(_ text: String) throws -> Endpoint { try #require(Endpoint(text)) }

func service(_ text: String) throws -> VirtualServerIdentity { try #require(VirtualServerIdentity(text)) }

/// A DR service with real servers 10.0.0.1:80 … of the given weights, each with one checker.
func virtualServer(
    _ name: String = "tcp/192.0.2.1:80", weights: [Int], _ change: (inout VirtualServerConfiguration) -> Void = { _ in }
) throws -> VirtualServerConfiguration {
    var configuration = VirtualServerConfiguration(identity: try service(name))
    configuration.forwarding = .directRouting
    configuration.realServers = weights.enumerated().map { index, weight in
        let endpoint = Endpoint(.v4(IPv4Address(10, 0, 0, UInt8(index + 1))), port: 80)
        var server = RealServerConfiguration(endpoint: endpoint)
        server.forwarding = .directRouting
        server.weight = weight
        server.checkers = [CheckerConfiguration(probe: .tcp, target: CheckTarget(endpoint: endpoint))]
        return server
    }
    change(&configuration)
    return configuration
}

/// The attributes such a server has in the table.
func routed(_ weight: Int32) -> DestinationAttributes {
    DestinationAttributes(forwarding: .method(.directRouting), weight: weight)
}

/// The server 10.0.0.N:80 of the default service.
func server(_ number: UInt8) throws -> ServerIdentity {
    ServerIdentity(try service("tcp/192.0.2.1:80"), Endpoint(.v4(IPv4Address(10, 0, 0, number)), port: 80))
}

/// The weights the table has for 10.0.0.1…, nil where there is no destination.
func weights(_ table: KernelTable?, _ numbers: ClosedRange<UInt8>) throws -> [Int32?] {
    try numbers.map { number in
        let identity = try server(number)
        return table?.services[identity.service]?.destinations[identity.endpoint]?.weight
    }
}

/// A reconciler with a kernel that obeys: every event is carried out at once, and its commands are returned.
struct Bench {
    var reconciler: Reconciler

    init(_ memory: Memory = Memory()) {
        reconciler = Reconciler(memory)
    }

    /// What the kernel has of the services of ours.
    var table: KernelTable { KernelTable(services: reconciler.standings.compactMapValues { $0.held.entry }) }
    var pools: [VirtualServerIdentity: Pool] { reconciler.standings.compactMapValues(\.pool) }
    var owned: Set<VirtualServerIdentity> { Set(reconciler.standings.values.filter(\.isOwned).map(\.identity)) }

    mutating func configure(_ servers: [VirtualServerConfiguration]) -> [Command] {
        reconciler.configure(servers)
        return carryOut()
    }

    /// The whole table is read.
    mutating func observed(_ kernel: KernelTable) -> [Command] {
        for (service, standing) in reconciler.standings where standing.pool != nil || standing.isOwned {
            reconciler.observed(service, kernel.services[service])
        }
        return carryOut()
    }

    mutating func heard(
        _ server: ServerIdentity, isUp: Bool, isVerified: Bool = true, isWeighed: Bool = false, weightChange: Int64 = 0
    ) -> [Command] {
        reconciler.heard(
            server, isUp: isUp, isVerified: isVerified, isWeighed: isWeighed, weightChange: weightChange)
        return carryOut()
    }

    mutating func decide(_ server: ServerIdentity, _ override: ServerOverride) -> [Command] {
        reconciler.decide(
            server, override.isEmpty ? nil : Decision(override: override, since: "2026-11-26T00:00:00.000Z", uid: 0))
        return carryOut()
    }

    /// Writes what is pending; the kernel refuses the commands for which `refuses` holds.
    mutating func carryOut(refusing refuses: (Command) -> Bool = { _ in false }) -> [Command] {
        var sent: [Command] = []
        while !reconciler.pending.isEmpty {
            for (service, scope) in reconciler.takePending(.max) {
                let change = reconciler.change(of: service, scope)
                let refused = change.raising.filter(refuses)
                let phases = refused.isEmpty ? change.commands : change.raising
                sent += phases
                reconciler.took(phases.filter { !refused.contains($0) }[...], of: service)
                reconciler.refused(service, refused)
                if refused.isEmpty { reconciler.settle(service) } else { reconciler.plan(service, .all) }
            }
        }
        return sent
    }
}

extension Memory {
    /// Remembers a service of ours with what was known of its servers.
    mutating func remember(
        _ name: VirtualServerIdentity, side: QuorumSide? = nil, _ servers: [ServerIdentity: RememberedHealth] = [:]
    ) {
        var service = RememberedService()
        service.isOwned = true
        service.side = side
        for (server, health) in servers { service.servers[server.endpoint] = health }
        services[name] = service
    }
}

/// The commands that turn one table into another, all raising ones first.
func diff(actual: KernelTable, desired: KernelTable) -> [Command] {
    let changes = desired.services.map { Change($0.key, from: actual.services[$0.key], to: $0.value) }
    return changes.flatMap(\.raising) + changes.flatMap(\.lowering)
}
