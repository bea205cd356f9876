// BFD sessions that checks look at, as vrrpd tells of them on the bus. States, not edges: after any reconnect the kept events say everything again.
// A vrrpd or a busd that is away says nothing about servers: what was heard last stands for as long as a restart takes, then nothing is known.
import Bus
import JSON
import Net
import VRRP

/// Hears of the sessions that checks name.
final class BFDNews {
    /// Follows vrrpd until the result is released.
    typealias Subscribe = (@escaping (BusSubscription.Update) -> Void) -> AnyObject?

    /// The types that are subscribed to.
    static let types = [EventType.vrrpSession, EventType.vrrpHeartbeat, EventType.interface]
    /// Signs of life of vrrpd that may be missed.
    private static let missedBeats = 3
    /// A session of which vrrpd says nothing for so long is not known of.
    static let patience = Duration.seconds(3)

    private let turns: any Turns
    private let subscribe: Subscribe
    private let tell: (TrackerReport, Tracker) -> Void
    private var subscription: AnyObject?
    private var timer: (any AlarmClock)?
    private var named: Set<String> = []
    /// What was said last of each session.
    private var said: [String: VrrpAPI.BFDSession] = [:]
    /// The sessions that the snapshot has named so far; nil when it is complete.
    private var snapshot: Set<String>? = []
    private var isVrrpdThere = false
    /// vrrpd has said that it is alive, and will again before that; nil: it was never heard.
    private var aliveUntil: Instant?
    private var silentSince: [String: Instant] = [:]

    /// Names nothing yet; `tell` is told how the sessions that are named stand, whether it is news or not.
    init(on turns: any Turns, subscribe: @escaping Subscribe, tell: @escaping (TrackerReport, Tracker) -> Void) {
        self.turns = turns
        self.subscribe = subscribe
        self.tell = tell
        timer = turns.alarmClock { [weak self] in self.map { $0.settle($0.named) } }
    }

    /// Tells of these sessions and no others.
    func watch(_ names: Set<String>) {
        named = names
        silentSince = silentSince.filter { names.contains($0.key) }
        if names.isEmpty {
            subscription = nil
            (said, snapshot, isVrrpdThere, aliveUntil) = ([:], [], false, nil)
        } else if subscription == nil {
            subscription = subscribe { [weak self] in self?.heard($0) }
        }
        settle(named)
    }

    /// Something came over the bus.
    func heard(_ update: BusSubscription.Update) {
        switch update {
        case .lost:
            (isVrrpdThere, aliveUntil) = (false, nil)
            snapshot = []
        case .snapshotComplete:
            if let snapshot { said = said.filter { snapshot.contains($0.key) } }
            snapshot = nil
        case .event(let event) where event.type == EventType.vrrpSession:
            snapshot?.insert(event.subject)
            said[event.subject] = event.data.flatMap { try? $0.decode() }
            return settle(named.intersection([event.subject]))
        case .event(let event) where event.type == EventType.vrrpHeartbeat:
            let beat: VrrpAPI.Heartbeat? = event.data.flatMap { try? $0.decode() }
            let isAwaited = isAlive && aliveUntil != nil
            aliveUntil = beat.map {
                turns.refreshNow() + .seconds(CheckHeartbeat.interval(said: $0.intervalSeconds)) * Self.missedBeats
            }
            // The timer looks for itself whether there was another one.
            if isAwaited, beat != nil { return }
        case .event(let event) where event.subject == VrrpAPI.interface:
            let state: BusAPI.InterfaceState? = event.data.flatMap { try? $0.decode() }
            isVrrpdThere = state?.state == .attached
            if !isVrrpdThere { aliveUntil = nil }
        case .event: return
        }
        settle(named)
    }

    /// What it said holds. One that was not heard yet has only just come.
    private var isAlive: Bool { isVrrpdThere && aliveUntil.map { turns.now < $0 } ?? true }

    private func settle(_ names: Set<String>) {
        let now = turns.refreshNow()
        for name in names {
            if isAlive, let session = said[name] {
                silentSince[name] = nil
                // One that has just begun says nothing yet.
                if let report = session.report { tell(report, .bfd(name)) }
            } else if now - silentSince[name, default: now] >= Self.patience {
                tell(TrackerReport(.unknown, silence(of: name)), .bfd(name))
            } else if silentSince[name] == nil {
                silentSince[name] = now
            }
        }
        let ends = silentSince.values.map { $0 + Self.patience } + [aliveUntil].compactMap(\.self)
        let next = ends.filter { $0 > now }.min()
        if let next { timer?.arm(at: next) } else { timer?.disarm() }
    }

    private func silence(of name: String) -> String {
        guard snapshot == nil else { return "the bus is away, and with it what vrrpd says of its BFD sessions" }
        guard isVrrpdThere else { return "vrrpd is away, which runs the BFD sessions" }
        return isAlive ? "vrrpd has no BFD session \(name)" : "vrrpd, which runs the BFD sessions, hangs"
    }
}

extension VrrpAPI.BFDSession {
    /// What follows for checks; nil: nothing yet.
    fileprivate var report: TrackerReport? {
        if let hindrance {
            return TrackerReport(.unknown, "vrrpd cannot run the session with \(neighbor): \(hindrance)")
        }
        let words = "session with \(neighbor) \(detail)"
        return switch state {
        case .good: TrackerReport(.good, words)
        case .failed: TrackerReport(.failed, words)
        case .unknown, .number, .other: nil
        }
    }
}
