// Drains that are going on: once a second it has the services looked at in which a server is being drained, and it says which drains have had
// their time. A limit runs from when this process first saw the drain: a restart begins it anew.

import Configuration
import IPVS
import Net

struct DrainWatch {
    private static let interval = Duration.seconds(1)

    /// When this process saw each drain first.
    private var began: [ServerIdentity: Instant] = [:]
    /// When `look` has something to do.
    private(set) var deadline = Instant.distantFuture

    /// What a look found.
    struct Look {
        /// To be read: their drains may be over.
        var services: Set<VirtualServerIdentity> = []
        /// They have had their time.
        var expired: [ServerIdentity] = []
    }

    /// Looks at the drains of configured servers, when it is time.
    mutating func look(_ reconciler: Reconciler, at now: Instant) -> Look {
        var look = Look()
        guard !reconciler.draining.isEmpty || !began.isEmpty else { return look }
        let active = reconciler.draining.filter {
            reconciler.standings[$0.service]?.pool?.member($0.endpoint) != nil
        }
        began = began.filter { active.contains($0.key) }
        for server in active where began[server] == nil { began[server] = now }
        guard !active.isEmpty else {
            deadline = .distantFuture
            return look
        }
        if deadline == .distantFuture { deadline = now + Self.interval }
        guard now >= deadline else { return look }
        deadline = now + Self.interval
        for server in active {
            let standing = reconciler.standings[server.service]
            let limit = standing?.decisions[server.endpoint]?.override.drainLimit
            if let limit, let start = began[server], now >= start + .seconds(Int64(limit)) {
                look.expired.append(server)
            } else if standing?.held.entry?.destinations[server.endpoint]?.weight == 0 {
                look.services.insert(server.service)
            }
        }
        return look
    }
}
