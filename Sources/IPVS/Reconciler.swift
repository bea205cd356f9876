// The whole of ipvsd's judgement, without a kernel or a bus: pools in, observed table in, commands out. It believes the table to be what it
// last observed plus the commands it handed out, so an event costs what it changes; a periodic observation corrects the belief.
//
// Ownership: a service is ours once it stood in a configuration we acted on, and until we deleted it. Services that are not ours are
// never touched, whatever they are.

public import Configuration
internal import Net

/// Desired state against observed state.
public struct Reconciler: Sendable {
    /// Pools by service.
    public private(set) var pools: [VirtualServerIdentity: Pool] = [:]
    /// The services that we may delete.
    public private(set) var owned: Set<VirtualServerIdentity>
    /// What the kernel is believed to have; nil until it was observed once.
    public private(set) var table: KernelTable?
    /// Last health heard of each server, also of servers that are not configured any more until the next `configure`.
    public private(set) var health: [ServerIdentity: Bool]
    /// Overrides by server; only those that decide something.
    public private(set) var overrides: [ServerIdentity: ServerOverride]
    /// What an earlier process remembered.
    private let inherited: Memory
    private var hasAdopted = false

    /// Starts from what an earlier process remembered.
    public init(_ memory: Memory = Memory()) {
        inherited = memory
        owned = memory.owned
        health = memory.health
        overrides = memory.decisions.mapValues(\.override)
    }

    /// Makes `servers` the configuration. State is kept by identity; health of servers that are gone is forgotten, overrides of
    /// them are kept (a server that is taken out of the file for an hour comes back as it was left).
    /// Returns what to tell the kernel.
    public mutating func configure(_ servers: [VirtualServerConfiguration]) -> [Command] {
        var pools: [VirtualServerIdentity: Pool] = [:]
        pools.reserveCapacity(servers.count)
        var remembered: [ServerIdentity: Bool] = [:]
        for server in servers {
            pools[server.identity] = pool(server)
            for real in server.realServers {
                let identity = ServerIdentity(server.identity, real.endpoint)
                remembered[identity] = health[identity]
            }
        }
        self.pools = pools
        health = remembered
        owned.formUnion(pools.keys)
        return reconcile()
    }

    /// The kernel's table was dumped. Returns what differs from the desired one: at start the adoption, later the repair of drift.
    public mutating func observed(_ observed: KernelTable) -> [Command] {
        table = observed
        if !hasAdopted { adopt() }
        hasAdopted = true
        return reconcile()
    }

    /// The kernel's table was read after it refused something: belief follows it, and nothing is commanded before the next `observed`.
    public mutating func believe(_ observed: KernelTable) {
        table = observed
    }

    /// The kernel's table is unknown again (answers were lost, or IPVS is gone): no commands until it is observed.
    public mutating func lostTable() {
        table = nil
    }

    /// What `configure` with `servers` would command if the kernel's table were as desired now.
    public func changes(to servers: [VirtualServerConfiguration]) -> [Command] {
        var trial = self
        trial.table = desired
        return trial.configure(servers)
    }

    /// A verdict about a server arrived. One that no probe has confirmed yet (assumed, or remembered by checkd) does not overrule what the
    /// kernel of an adopted service shows, and brings no server back that is known to be down: the first probe will.
    public mutating func heard(_ server: ServerIdentity, isUp: Bool, isVerified: Bool = true) -> [Command] {
        let known = pools[server.service]?.member(server.endpoint)?.health
        if !isVerified {
            if case .unknown(.some) = known { return [] }
            if known == .down { return [] }
        }
        health[server] = isUp
        return update(server) { member in
            if !member.configuration.checkers.isEmpty { member.health = isUp ? .up : .down }
        }
    }

    /// A person decided about a server; an empty override takes the decision back.
    public mutating func decide(_ server: ServerIdentity, _ override: ServerOverride) -> [Command] {
        overrides[server] = override.isEmpty ? nil : override
        return update(server) { $0.override = override }
    }

    /// A deletion reached the kernel: the service is not ours any more.
    public mutating func disown(_ service: VirtualServerIdentity) {
        guard pools[service] == nil else { return }
        owned.remove(service)
    }

    /// What the table should be.
    public var desired: KernelTable {
        KernelTable(services: pools.mapValues(\.entry))
    }

    private mutating func update(_ server: ServerIdentity, _ change: (inout Member) -> Void) -> [Command] {
        guard let effect = pools[server.service]?.update(server.endpoint, change), let pool = pools[server.service],
            let actual = table?.services[server.service]
        else { return [] }
        var changes = OrderedChanges()
        switch effect {
        case .server:
            changes.add(
                server.service, server.endpoint, from: actual.destinations[server.endpoint],
                to: pool.destination(server.endpoint))
        case .pool:
            changes.add(server.service, from: actual, to: pool.entry)
        }
        return expect(changes.commands)
    }

    private mutating func reconcile() -> [Command] {
        guard let table else { return [] }
        return expect(diff(actual: table, desired: desired, owned: owned))
    }

    private mutating func expect(_ commands: [Command]) -> [Command] {
        for command in commands { table?.apply(command) }
        return commands
    }

    private func pool(_ server: VirtualServerConfiguration) -> Pool {
        let before = pools[server.identity]
        let adopted = before == nil ? table?.services[server.identity] : nil
        return Pool(
            server, hadQuorum: before?.hasQuorum ?? false,
            health: { endpoint in
                let identity = ServerIdentity(server.identity, endpoint)
                if let isUp = health[identity] { return isUp ? .up : .down }
                if let known = before?.member(endpoint)?.health, case .unknown = known { return known }
                return .unknown(adopted: adopted.map { Self.presence($0.destinations[endpoint]) })
            },
            override: { overrides[ServerIdentity(server.identity, $0)] ?? ServerOverride() })
    }

    /// Servers about which nothing is known stay as the kernel has them, and so do those that were up when we last heard but are not
    /// serving: the kernel heard later than the state file. A server that we never heard of before and that is missing from a service of
    /// ours is new in the configuration, because we would have put it there: it starts like any other.
    private mutating func adopt() {
        for (service, pool) in pools {
            guard let entry = table?.services[service] else { continue }
            for member in pool.members where member.override.mode == .enabled {
                let endpoint = member.configuration.endpoint
                let presence = Self.presence(entry.destinations[endpoint])
                switch member.health {
                case .unknown:
                    let isKnown = inherited.servers.contains(ServerIdentity(service, endpoint))
                    if presence == .absent, inherited.owned.contains(service), !isKnown { continue }
                case .up:
                    if presence == .serving || pool.isSorry || member.configuration.checkers.isEmpty { continue }
                case .down: continue
                }
                _ = pools[service]?.update(endpoint) { $0.health = .unknown(adopted: presence) }
            }
        }
    }

    private static func presence(_ destination: DestinationAttributes?) -> Health.Presence {
        guard let destination else { return .absent }
        return destination.weight == 0 ? .quiesced : .serving
    }
}
