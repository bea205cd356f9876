// `track_unit`: a systemd unit that must be active and must not be restarted too often. systemd gives every start of a unit a number of its own
// (the invocation ID); there is none while the unit is inactive or failed.

public import Configuration
public import Net

/// A tracked unit and its standing.
public struct UnitMonitor: Equatable, Sendable {
    private enum State: Equatable {
        case unknown
        case active(String)
        case inactive(since: Instant)
    }

    /// Its block.
    public private(set) var configuration: TrackUnitConfiguration
    private var state = State.unknown
    /// The last start that was seen.
    private var last: String?
    /// When it was started again, oldest first; no more than decide.
    private var restarts: [Instant] = []

    /// A unit that nothing is known of.
    public init(_ configuration: TrackUnitConfiguration) {
        self.configuration = configuration
    }

    /// Goes over to an edited block of the same unit.
    public mutating func adopt(_ configuration: TrackUnitConfiguration) {
        self.configuration = configuration
        trim()
    }

    /// The unit's invocation now; nil = it is not active.
    public mutating func saw(_ invocation: String?, at now: Instant) {
        guard let invocation else {
            if case .inactive = state { return }
            // One that did not run when it was first looked at is not being restarted.
            state = .inactive(since: state == .unknown ? now - configuration.terminateDelay : now)
            return
        }
        state = .active(invocation)
        guard last != invocation else { return }
        if last != nil { restarts.append(now) }
        last = invocation
        trim()
    }

    private mutating func trim() {
        restarts.removeFirst(max(0, restarts.count - (configuration.maximumRestarts ?? 0) - 1))
    }

    /// When it was restarted once too often; nil while it was not.
    private func excess(at now: Instant) -> Instant? {
        guard let limit = configuration.maximumRestarts, restarts.count > limit, let oldest = restarts.first,
            oldest + configuration.window > now
        else { return nil }
        return oldest
    }

    /// When `report` says something else although nothing happens.
    public func deadline(after now: Instant) -> Instant? {
        var times = [excess(at: now).map { $0 + configuration.window }]
        if case .inactive(let since) = state { times.append(since + configuration.terminateDelay) }
        return times.compactMap(\.self).filter { $0 > now }.min()
    }

    /// How it stands.
    public func report(at now: Instant) -> TrackerReport {
        if excess(at: now) != nil {
            return TrackerReport(
                .failed, "restarted more than \(configuration.maximumRestarts ?? 0) times in \(configuration.window)")
        }
        switch state {
        case .unknown: return TrackerReport(.unknown, "not looked at yet")
        case .active: return TrackerReport(.good, "active")
        case .inactive(let since):
            let isTolerated = since + configuration.terminateDelay > now
            return TrackerReport(
                isTolerated ? .good : .failed, isTolerated ? "inactive, not for long enough" : "inactive")
        }
    }
}
