// Drains that are going on: once a second it has the services looked at in which a server is being drained, and it says which drains have had
// their time. A limit runs from when this process first saw the drain, and of a server that left the configuration from when it had weight 0:
// a restart begins it anew.

import Configuration
import IPVS
import Net

struct DrainWatch {
    private static let interval = Duration.seconds(1)

    /// When this process saw a drain first, and of a server that left the configuration, when that came into force.
    private struct Beginning {
        let time: Instant
        let departed: String?
    }

    private var began: [ServerIdentity: Beginning] = [:]
    /// When `look` has something to do.
    private(set) var deadline = Instant.distantFuture

    /// What a look found.
    struct Look {
        /// To be read: their drains may be over.
        var services: Set<VirtualServerIdentity> = []
        /// They have had their time.
        var expired: Set<ServerIdentity> = []
    }

    /// Looks at the drains of servers that are in a pool, when it is time.
    mutating func look(_ reconciler: Reconciler, at now: Instant) -> Look {
        var look = Look()
        guard !reconciler.draining.isEmpty else {
            self = DrainWatch()
            return look
        }
        guard deadline == .distantFuture || now >= deadline else { return look }
        let isFirst = deadline == .distantFuture
        var running: [ServerIdentity: Beginning] = [:]
        var isIdle = true
        for (service, servers) in reconciler.draining {
            guard let standing = reconciler.standings[service], let pool = standing.pool else { continue }
            for endpoint in servers {
                guard let member = pool.member(endpoint) else { continue }
                isIdle = false
                let server = ServerIdentity(service, endpoint)
                let isQuiet = standing.held.entry?.destinations[endpoint]?.weight == 0
                let departed = member.departure?.since
                if isQuiet || departed == nil {
                    let before = began[server].flatMap { $0.departed == departed ? $0 : nil }
                    running[server] = before ?? Beginning(time: now, departed: departed)
                }
                if let limit = standing.drainLimit(of: endpoint), let start = running[server]?.time,
                    now >= start + .seconds(Int64(limit))
                {
                    look.expired.insert(server)
                } else if isQuiet, !isFirst {
                    look.services.insert(service)
                }
            }
        }
        began = running
        deadline = isIdle ? .distantFuture : now + Self.interval
        return look
    }
}
