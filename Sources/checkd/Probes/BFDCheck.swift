// BFD_CHECK: the server is up while a BFD session with it is (keepalived's check_bfd.c). vrrpd runs the session and says how it stands.
import Configuration
import HealthCheck
import VRRP

/// A BFD session.
struct BFDCheck: ProbeKind {
    let session: String
    let things: TrackedThings

    var title: String { "BFD_CHECK \(session)" }
    var identity: String { title }
    var rounds: CheckRounds { CheckRounds() }

    func follow(_ changed: @escaping () -> Void) -> AnyObject? { things.follow(.bfd(session), changed) }

    func start(step: Int, for attempt: ProbeAttempt) -> any RunningProbe {
        TrackedProbe(.bfd(session), of: things, attempt) { report in
            switch report.standing {
            case .good: (.success, nil)
            case .failed: (.failure(.tracked(report.words)), nil)
            case .unknown, .number: (.inconclusive(.unknown(report.words)), nil)
            }
        }
    }
}
