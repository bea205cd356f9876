// Who has been told what about services and servers, compared with how they stand: what differs is told, once. keepalived's rules of what
// is told at the start, for what a reload brings and takes away, and at the end (ipwrapper.c: init_service_rs, update_quorum_state,
// clear_service_rs, update_svr_checker_state).
//
// A server's programs hear of its health, not of what people decided about it; a quorum is what it is, people's decisions included. A
// virtual_server_group is one service here, as in keepalived: one of its addresses speaks for it.

public import Configuration
public import Net

/// What has been told.
public struct ServiceNotices: Sendable {
    /// About one service.
    public struct Told: Equatable, Sendable {
        /// Its quorum is there.
        public var hasQuorum: Bool?
        /// Servers that are up or down as far as anybody was told; those of which nothing was said are missing.
        public var servers: [Endpoint: Bool] = [:]

        /// Nothing was told.
        public init() {}
    }

    private struct Entry {
        var configuration: VirtualServerConfiguration
        /// nil: the service has not been looked at.
        var told: Told?
        /// Servers that were looked at.
        var known: Set<Endpoint> = []
    }

    private var entries: [VirtualServerIdentity: Entry] = [:]
    /// What an earlier process told of services that this one has not looked at yet.
    private var remembered: [VirtualServerIdentity: Told]
    /// Services that have not been looked at yet.
    public private(set) var unseen: Set<VirtualServerIdentity> = []
    /// `rs_init_notifies`.
    private var tellsUpAtStart = false
    /// Somebody may have been told something since it was last asked.
    public private(set) var version = 0

    /// Starts from what an earlier process told.
    public init(remembered: [VirtualServerIdentity: Told] = [:]) {
        self.remembered = remembered
    }

    /// What has been told, by service.
    public var told: [VirtualServerIdentity: Told] {
        var told = remembered
        for (service, entry) in entries { if let known = entry.told { told[service] = known } }
        return told
    }

    /// Goes over to a configuration. What is said of services and servers that are gone: their servers, then the service.
    public mutating func configure(_ configuration: Configuration) -> [ServiceNotice] {
        tellsUpAtStart = configuration.global.notifyRealServersAtStart
        var notices: [ServiceNotice] = []
        var wanted: [VirtualServerIdentity: VirtualServerConfiguration] = [:]
        let speakers = speakers(of: configuration)
        for service in configuration.virtualServers {
            if let group = service.groupName, speakers[group] != service.identity { continue }
            wanted[service.identity] = service
        }
        for (service, entry) in entries where wanted[service] == nil {
            if let speaker = entry.configuration.groupName.flatMap({ speakers[$0] }), entries[speaker] == nil {
                entries[speaker] = entry
                entries[service] = nil
                if unseen.remove(service) != nil { unseen.insert(speaker) }
                continue
            }
            notices += Self.farewell(entry, entry.configuration.realServers)
            if entry.told?.hasQuorum == true {
                notices.append(ServiceNotice(entry.configuration, isUp: false, wasUp: true))
            }
            entries[service] = nil
            unseen.remove(service)
        }
        remembered = remembered.filter { wanted[$0.key] != nil }
        for (service, configuration) in wanted {
            guard var entry = entries.removeValue(forKey: service) else {
                entries[service] = Entry(configuration: configuration)
                unseen.insert(service)
                continue
            }
            if entry.configuration != configuration {
                let staying = Set(configuration.realServers.map(\.endpoint))
                let leaving = entry.configuration.realServers.filter { !staying.contains($0.endpoint) }
                notices += Self.farewell(entry, leaving)
                for server in leaving {
                    entry.told?.servers[server.endpoint] = nil
                    entry.known.remove(server.endpoint)
                }
                entry.configuration = configuration
            }
            entries[service] = entry
        }
        version += 1
        return notices
    }

    /// The address that speaks for each group: the one that does already as long as the group has it, else the first.
    private func speakers(of configuration: Configuration) -> [String: VirtualServerIdentity] {
        var speakers: [String: VirtualServerIdentity] = [:]
        for service in configuration.virtualServers {
            guard let group = service.groupName else { continue }
            let speaks = { (identity: VirtualServerIdentity) in
                entries[identity].map { $0.configuration.groupName == group } ?? (remembered[identity] != nil)
            }
            guard let speaker = speakers[group] else {
                speakers[group] = service.identity
                continue
            }
            if !speaks(speaker), speaks(service.identity) { speakers[group] = service.identity }
        }
        return speakers
    }

    /// Servers that are up are told to be down.
    private static func farewell(_ entry: Entry, _ servers: [RealServerConfiguration]) -> [ServiceNotice] {
        servers.filter { entry.told?.servers[$0.endpoint] == true }
            .map { ServiceNotice($0, of: entry.configuration, isUp: false, wasUp: true) }
    }

    /// Compares a service with what was told; `endpoints`: only these servers (nil: all).
    public mutating func look(at standing: Standing, _ endpoints: Set<Endpoint>? = nil) -> [ServiceNotice] {
        // Before the table was read nobody knows how an adopted service stands.
        guard let pool = standing.pool, standing.held != .unknown, var entry = entries[standing.identity] else {
            return []
        }
        let isFirst = unseen.remove(standing.identity) != nil
        var told = entry.told ?? Told()
        if isFirst, let before = remembered.removeValue(forKey: standing.identity) {
            told = before
            entry.known = Set(before.servers.keys)
        }
        var notices: [ServiceNotice] = []
        let members = isFirst ? pool.members : endpoints?.sorted().compactMap { pool.member($0) } ?? pool.members
        for member in members where member.departure == nil {
            let endpoint = member.configuration.endpoint
            let before = told.servers[endpoint]
            let isNew = entry.known.insert(endpoint).inserted
            // `alpha`: a server that waits for its first check was never up, so nobody is told that it is down.
            if before == nil, member.isAssumed, member.health == .down { continue }
            guard let isUp = member.isKnownUp ?? (isNew ? member.isTakenForUp : nil), isUp != before else { continue }
            told.servers[endpoint] = isUp
            if isNew, isUp, !(tellsUpAtStart || member.health == .up && member.waitsForItsFirstCheck) { continue }
            notices.append(ServiceNotice(member.configuration, of: pool.configuration, isUp: isUp, wasUp: before))
        }
        let before = told.hasQuorum
        if before != pool.hasQuorum {
            told.hasQuorum = pool.hasQuorum
            if before != nil || pool.hasQuorum || pool.configuration.sorryServer != nil {
                notices.append(ServiceNotice(pool.configuration, isUp: pool.hasQuorum, wasUp: before))
            }
        }
        if entry.told != told {
            entry.told = told
            version += 1
        }
        entries[standing.identity] = entry
        return notices
    }

    /// The end: services with `omega` are down from now on, their servers first.
    public mutating func end() -> [ServiceNotice] {
        var notices: [ServiceNotice] = []
        for (service, entry) in entries where entry.configuration.omega && entry.told != nil {
            notices += Self.farewell(entry, entry.configuration.realServers)
            if entry.told?.hasQuorum == true {
                notices.append(ServiceNotice(entry.configuration, isUp: false, wasUp: true))
            }
            entries[service]?.told = Told()
            entries[service]?.known = []
        }
        version += 1
        return notices
    }
}

extension Member {
    /// What a check said; nil: nothing yet.
    fileprivate var isKnownUp: Bool? {
        switch health {
        case .up: true
        case .down: false
        case .unknown: nil
        }
    }

    /// It serves before it has been checked; nil: nobody can say.
    fileprivate var isTakenForUp: Bool? { isWillingByHealth ? true : nil }

    private var isWillingByHealth: Bool {
        switch health {
        case .up, .unknown(.some(.serving)): true
        case .down, .unknown(.some): false
        case .unknown(nil): !configuration.alpha
        }
    }

    /// `alpha`: that it is up is news.
    fileprivate var waitsForItsFirstCheck: Bool { configuration.alpha && !configuration.checkers.isEmpty }
}

extension VirtualServerConfiguration {
    /// What the services of one group have in common, addresses and marks; nil: it has no group.
    public var groupName: String? { group.map { "\(groupTransport?.rawValue ?? "") \($0)" } }
}
