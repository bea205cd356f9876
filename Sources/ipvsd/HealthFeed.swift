// What checkd says, as it arrives over the bus. States, not edges: after any reconnect the retained events say everything again. When checkd or
// busd is gone, what was heard last stays in force and is marked stale.

import Bus
import Configuration
import IPVS
import JSON
import Platform

/// What is known about a server besides its verdict, for people.
struct HealthNote: Equatable {
    var state: CheckAPI.Health
    var isVerified: Bool
    var since: String
    var reason: String
}

final class HealthFeed {
    /// By server; only servers that checkd spoke of.
    private(set) var notes: [ServerIdentity: HealthNote] = [:]
    /// False while nobody checks: the bus or checkd is away.
    private(set) var isLive = false
    /// Hears of a server about which something is new.
    var verdict: (ServerIdentity, HealthNote) -> Void = { _, _ in }
    /// Hears when checks stopped or resumed.
    var livenessChanged: () -> Void = {}
    private let logger: Logger
    private var subscription: BusSubscription?

    init(logger: Logger) {
        self.logger = logger
    }

    /// Begins to listen.
    func start(on service: DaemonService) {
        subscription = service.subscribe(types: [EventType.checkServer, EventType.interface]) { [weak self] in
            self?.handle($0)
        }
    }

    /// Forgets servers that are not configured any more.
    func keep(_ isConfigured: (ServerIdentity) -> Bool) {
        notes = notes.filter { isConfigured($0.key) }
    }

    private func handle(_ update: BusSubscription.Update) {
        switch update {
        case .event(let event) where event.type == EventType.checkServer: heard(event)
        case .event(let event) where event.subject == CheckAPI.interface:
            let state: BusAPI.InterfaceState? = try? event.data?.decode()
            setLive(state?.state == .attached)
        case .event, .snapshotComplete: break
        case .lost: setLive(false)
        }
    }

    private func heard(_ event: BusAPI.Event) {
        // A server that checkd forgot keeps its last state until the configuration drops it.
        guard let data = event.data else { return }
        do throws(JSONCodingError) {
            let health: CheckAPI.ServerHealth = try data.decode()
            guard let server = ServerIdentity(health.server) else {
                logger.warning("health of '\(health.server)' ignored: not the name of a real server")
                return
            }
            let note = HealthNote(
                state: health.state, isVerified: health.verified, since: health.since, reason: health.reason)
            guard notes[server] != note else { return }
            notes[server] = note
            verdict(server, note)
        } catch {
            logger.warning("health event of \(event.subject) not understood, ignored: \(error)")
        }
    }

    private func setLive(_ live: Bool) {
        guard live != isLive else { return }
        isLive = live
        livenessChanged()
    }
}
