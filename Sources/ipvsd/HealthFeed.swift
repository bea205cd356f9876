// What checkd says, decoded. States, not edges: after any reconnect the retained events say everything again. What becomes of it is the
// service keeper's: it keeps what was said of servers that are not configured, too, until checkd takes it back, and looks at it again after a
// change of the configuration. When checkd or busd is gone, what was heard last stays in force and is marked stale.

import Bus
import Configuration
import IPVS
import JSON

/// What checkd said about a server.
struct HealthNote: Equatable {
    var state: CheckAPI.Health
    var isVerified: Bool
    var since: String
    var reason: String
    /// A probe of this checkd has said what the checks add.
    var isWeighed = false
    /// What the checks add to the configured weight.
    var weightChange: Int64 = 0
}

/// What an update of the subscription means.
enum HealthFeed: Equatable {
    /// Something about a server.
    case note(ServerIdentity, HealthNote)
    /// checkd does not know the server any more; its last state stays in force.
    case forgotten(ServerIdentity)
    /// checkd came or went.
    case attached(Bool)
    /// checkd is alive, and says so again after this time.
    case beat(every: Duration)
    /// Nothing of interest.
    case nothing
    /// Something for the log.
    case notUnderstood(String)

    init(_ update: BusSubscription.Update) {
        switch update {
        case .event(let event) where event.type == EventType.checkServer: self.init(verdict: event)
        case .event(let event) where event.type == EventType.checkHeartbeat:
            let beat: CheckHeartbeat? = try? event.data?.decode()
            self = beat.map { .beat(every: .seconds(CheckHeartbeat.interval(said: $0.intervalSeconds))) } ?? .nothing
        case .event(let event) where event.subject == CheckAPI.interface:
            let state: BusAPI.InterfaceState? = try? event.data?.decode()
            self = .attached(state?.state == .attached)
        case .event, .snapshotComplete: self = .nothing
        case .lost: self = .attached(false)
        }
    }

    private init(verdict event: BusAPI.Event) {
        guard let data = event.data else {
            self = ServerIdentity(event.subject).map(Self.forgotten) ?? .nothing
            return
        }
        do throws(JSONCodingError) {
            let health: CheckAPI.ServerHealth = try data.decode()
            guard let server = ServerIdentity(health.server) else {
                self = .notUnderstood("health of '\(health.server)' ignored: not the name of a real server")
                return
            }
            self = .note(
                server,
                HealthNote(
                    state: health.state, isVerified: health.verified, since: health.since, reason: health.reason,
                    isWeighed: health.weighed ?? false, weightChange: Int64(health.weightChange ?? 0)))
        } catch {
            self = .notUnderstood("health event of \(event.subject) not understood, ignored: \(error)")
        }
    }
}
