// What went through the services and servers of the table in the last minutes. Nothing is read for it: ipvsd compares the whole table every ten
// seconds anyway, and what that reads of the counters is noted here. Bounded in time and in number, whatever the table is.

public import Configuration
public import Net

/// What went through in a stretch of time.
public struct TrafficSample: Equatable, Sendable {
    /// When the stretch ended.
    public let end: Instant
    /// How long it was.
    public let duration: Duration
    /// Connections scheduled.
    public let connections: UInt64
    /// Packets from clients.
    public let inPackets: UInt64
    /// Packets to clients (NAT only).
    public let outPackets: UInt64
    /// Octets from clients.
    public let inBytes: UInt64
    /// Octets to clients (NAT only).
    public let outBytes: UInt64
    /// Established connections at its end.
    public let activeConnections: UInt32

    /// What was counted between two looks; nil when the counters began anew in between.
    fileprivate init?(
        from before: (at: Instant, counters: Counters), to counters: Counters, active: UInt32, at now: Instant
    ) {
        let old = before.counters
        guard counters.connections >= old.connections, counters.inPackets >= old.inPackets,
            counters.outPackets >= old.outPackets, counters.inBytes >= old.inBytes, counters.outBytes >= old.outBytes
        else { return nil }
        end = now
        duration = now - before.at
        connections = counters.connections - old.connections
        inPackets = counters.inPackets - old.inPackets
        outPackets = counters.outPackets - old.outPackets
        inBytes = counters.inBytes - old.inBytes
        outBytes = counters.outBytes - old.outBytes
        activeConnections = active
    }
}

/// The last five minutes of every service and server.
public struct TrafficHistory: Sendable {
    /// Looks that follow each other faster than this are one stretch. A little less than the ten seconds between two comparisons of the table.
    static let shortest = Duration.seconds(9)
    /// Stretches that are kept of each.
    public static let length = 30
    /// So many services, and so many servers, have a history: those that come first in the table. At most 4 MB.
    public static let limit = 1000

    private struct Series {
        /// Where the next stretch begins.
        var at: Instant
        var counters: Counters
        /// When it was in the table last.
        var seen: Instant
        /// Oldest first.
        var samples: [TrafficSample] = []

        mutating func note(_ counters: Counters, _ active: UInt32, at now: Instant) {
            seen = now
            guard now - at >= TrafficHistory.shortest else { return }
            if let sample = TrafficSample(from: (at, self.counters), to: counters, active: active, at: now) {
                if samples.count >= TrafficHistory.length { samples.removeFirst() }
                samples.append(sample)
            } else {
                samples = []
            }
            (at, self.counters) = (now, counters)
        }
    }

    private var services: [VirtualServerIdentity: Series] = [:]
    private var servers: [ServerIdentity: Series] = [:]

    /// Nothing known.
    public init() {}

    /// What was read of a service at `now`.
    public mutating func note(_ service: ServiceSnapshot, at now: Instant) {
        let active = service.destinations.reduce(0) { $0 &+ $1.activeConnections }
        Self.note(service.counters, active, at: now, in: &services, service.identity)
        for server in service.destinations {
            Self.note(
                server.counters, server.activeConnections, at: now, in: &servers,
                ServerIdentity(service.identity, server.endpoint))
        }
    }

    private static func note<Key>(
        _ counters: Counters, _ active: UInt32, at now: Instant, in all: inout [Key: Series], _ key: Key
    ) {
        // In its place: a second search, or a copy of the samples, would cost more than the note.
        guard let index = all.index(forKey: key) else {
            if all.count < limit { all[key] = Series(at: now, counters: counters, seen: now) }
            return
        }
        all.values[index].note(counters, active, at: now)
    }

    /// What was not in the table since `begin` is not there any more.
    public mutating func forget(notSeenSince begin: Instant) {
        Self.forget(notSeenSince: begin, of: &services)
        Self.forget(notSeenSince: begin, of: &servers)
    }

    private static func forget<Key>(notSeenSince begin: Instant, of all: inout [Key: Series]) {
        guard all.values.contains(where: { $0.seen < begin }) else { return }
        all = all.filter { $0.value.seen >= begin }
    }

    /// Of a service, oldest first.
    public func samples(of service: VirtualServerIdentity) -> [TrafficSample] { services[service]?.samples ?? [] }

    /// Of a server, oldest first.
    public func samples(of server: ServerIdentity) -> [TrafficSample] { servers[server]?.samples ?? [] }

    /// Everything that has a history: each service before its servers, in the order of their names.
    public var subjects: [ServiceSubject] {
        let all = services.keys.map { ServiceSubject.service($0) } + servers.keys.map { ServiceSubject.server($0) }
        return all.map { ("\($0)", $0) }.sorted { $0.0 < $1.0 }.map(\.1)
    }
}
