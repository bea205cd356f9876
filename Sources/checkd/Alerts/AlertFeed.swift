// What vrrpd and ipvsd say on the bus, as alerts see it. States, not edges: after any reconnect the kept events say everything again, and
// what was told already is no news.
import Alerts
import Bus
import Configuration
import HealthCheck
import JSON

/// Events as sights.
enum AlertFeed {
    /// The types that are subscribed to.
    static let types = [EventType.vrrpInstance, EventType.ipvsService, EventType.interface]

    /// What an update of the subscription shows; nil: nothing of interest, or not understood, which is said to `remark`.
    static func sight(of update: BusSubscription.Update, _ remark: (String) -> Void) -> AlertSight? {
        switch update {
        case .lost: return nil
        case .snapshotComplete: return .everythingOnBus
        case .event(let event):
            // What has gone is known by the configuration.
            guard let data = event.data else { return nil }
            do throws(JSONCodingError) {
                return try sight(of: event, data)
            } catch {
                remark("event \(event.type) of \(event.subject) not understood, nobody is alerted: \(error)")
                return nil
            }
        }
    }

    private static func sight(of event: BusAPI.Event, _ data: JSONValue) throws(JSONCodingError) -> AlertSight? {
        switch event.type {
        case EventType.vrrpInstance:
            let runtime = try (data.decode() as VrrpAPI.Instance).runtime
            guard let state = RouterLook.State(runtime.state) else { return nil }
            return .instance(event.subject, RouterLook(state, reason: runtime.reason, since: runtime.since))
        case EventType.ipvsService:
            let service: IpvsAPI.ServiceSummary = try data.decode()
            let (context, runtime) = (service.context, service.runtime)
            guard service.origin ?? .configuration == .configuration, runtime.isLeaving != true else { return nil }
            return .service(
                event.subject,
                ServiceLook(
                    hasQuorum: runtime.state == .up, quorum: context.quorum ?? 1, hysteresis: context.hysteresis ?? 0,
                    weightUp: runtime.weightUp, reason: runtime.reason, since: runtime.since ?? event.time))
        case EventType.interface where event.subject == VrrpAPI.interface:
            return .vrrp(isThere: try (data.decode() as BusAPI.InterfaceState).state == .attached)
        default: return nil
        }
    }
}

extension RouterLook.State {
    fileprivate init?(_ state: VrrpAPI.State) {
        switch state {
        case .initialize: self = .initialize
        case .backup: self = .backup
        case .master: self = .master
        case .fault: self = .fault
        case .other: return nil
        }
    }
}

extension WatchedServer {
    /// As alerts see it.
    var alertLook: ServerLook {
        let checkers = zip(checkers, zip(records, machine.checkers)).map { configuration, checker in
            ServerLook.Checker(
                kind: configuration.probe.keyword, identity: checker.0.identity, isUp: checker.1.verdict == .up)
        }
        return ServerLook(
            isUp: machine.verdict == .up, isHeld: machine.isHeld, isVerified: machine.isVerified, checkers: checkers,
            reason: reason, since: since)
    }
}
