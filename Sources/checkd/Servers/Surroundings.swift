// What every watched server needs of the daemon, and how its checkers are told apart there.
import Configuration
import HealthCheck
import Platform

/// What watched servers share.
struct Surroundings {
    let turns: any Turns
    let probes: SharedProbes
    let logger: Logger
    /// The kind of a checker.
    let kind: (CheckerConfiguration) -> any ProbeKind
    /// The server's published state changed.
    let changed: (WatchedServer) -> Void
    /// A checker of the server cannot be asked (why), or could be again (nil).
    let hindered: (CheckerKey, ProbeHindrance?) -> Void
}

/// A checker among all.
struct CheckerKey: Hashable, Sendable {
    let server: String
    /// `ProbeKind.title`.
    let title: String
    /// Place among the server's checkers.
    let number: Int
}
