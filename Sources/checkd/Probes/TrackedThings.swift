// What checks track and never ask: files whose number counts (FILE_CHECK), BFD sessions (BFD_CHECK). Each is watched once, however many checks
// name it, and they are told when it stands otherwise.
import Configuration
import HealthCheck
import Platform
import Tracking
import VRRP

/// How tracked things stand, and who is told.
final class TrackedThings {
    /// Hears of a thing as long as it is kept.
    final class Follower {
        fileprivate let changed: () -> Void

        fileprivate init(_ changed: @escaping () -> Void) { self.changed = changed }
    }

    private struct WeakFollower { weak var follower: Follower? }

    private let loop: EventLoop
    private var files: FileTrackers?
    private var sessions: BFDNews?
    private var reports: [Tracker: TrackerReport] = [:]
    private var followers: [Tracker: [WeakFollower]] = [:]

    /// Nothing is tracked yet. `subscribe` follows what vrrpd says of BFD sessions.
    init(on loop: EventLoop, subscribe: @escaping BFDNews.Subscribe = { _ in nil }) {
        self.loop = loop
        sessions = BFDNews(on: loop, subscribe: subscribe) { [weak self] in self?.heard($0, $1) }
    }

    /// Tracks what the checks of a configuration name, and nothing else.
    func adopt(_ configuration: Configuration) {
        var named: Set<String> = []
        for checker in configuration.virtualServers.lazy.flatMap(\.realServers).flatMap(\.checkers) {
            if case .file(let tracked) = checker.probe { named.insert(tracked.name) }
        }
        let blocks = configuration.trackFiles.filter { named.contains($0.name) }.map { block in
            var block = block
            // vrrpd replaces it at its own start. A check that is restarted must not.
            block.overwrites = false
            return block
        }
        let sessions = configuration.checkedSessions
        reports = reports.filter { tracker, _ in
            switch tracker {
            case .file(let name): named.contains(name)
            case .bfd(let name): sessions.contains(name)
            case .interface, .process, .unit: false
            }
        }
        self.sessions?.watch(sessions)
        if files == nil, !blocks.isEmpty {
            files = FileTrackers(on: loop) { [weak self] in self?.heard($0, $1) }
        }
        files?.watch(blocks)
    }

    /// How a thing stands; nil: nobody knows yet.
    func report(of tracker: Tracker) -> TrackerReport? { reports[tracker] }

    /// Hears when a thing stands otherwise.
    func follow(_ tracker: Tracker, _ changed: @escaping () -> Void) -> Follower {
        let follower = Follower(changed)
        followers[tracker, default: []].removeAll { $0.follower == nil }
        followers[tracker, default: []].append(WeakFollower(follower: follower))
        return follower
    }

    func heard(_ report: TrackerReport, _ tracker: Tracker) {
        guard reports[tracker] != report else { return }
        reports[tracker] = report
        for entry in followers[tracker] ?? [] { entry.follower?.changed() }
    }
}

/// A look at a tracked thing, which lasts until something is known of it.
final class TrackedProbe: RunningProbe {
    private var follower: TrackedThings.Follower?

    /// `known` says what follows from how the thing stands.
    init(
        _ tracker: Tracker, of things: TrackedThings, _ attempt: ProbeAttempt,
        _ known: @escaping (TrackerReport) -> (ProbeOutcome, ProbeWeight?)
    ) {
        let look = { [weak attempt, weak things] in
            guard let attempt, let report = things?.report(of: tracker) else { return }
            let outcome: ProbeOutcome
            (outcome, attempt.weight) = known(report)
            let words = report.hindrance.map { "\(report.words); \($0)" } ?? report.words
            attempt.note = words
            attempt.tell(words)
            attempt.finish(outcome)
        }
        follower = things.follow(tracker, look)
        look()
    }

    func cancel() { follower = nil }
}
