// Since when tracked things stand as they do: found by comparing what the director says of them, at the end of a turn.

import VRRP

extension Daemon {
    /// Looks at everything that these routers track; what stands otherwise than before is said.
    func noteTrackers(of routers: Set<RouterID>) {
        guard !routers.isEmpty else { return }
        for thing in routers.sorted().flatMap({ director.trackedThings(of: $0) }) {
            guard thing.report.standing != .unknown else { continue }
            let before = trackerStandings[thing.tracker]?.standing
            guard before != thing.report.standing else { continue }
            trackerStandings[thing.tracker] = (thing.report.standing, timestamp)
            observer?.happened(.tracker(thing.tracker, thing.report))
        }
        if routers.contains(where: { director.name(of: $0) == nil }) {
            let tracked = Set(director.order.flatMap { director.trackedThings(of: $0).map(\.tracker) })
            trackerStandings = trackerStandings.filter { tracked.contains($0.key) }
        }
    }
}
