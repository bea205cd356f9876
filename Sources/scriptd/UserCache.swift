// Users looked up on a thread of their own and remembered for a while: a directory service that is slow or away must keep neither the loop
// nor the scripts waiting.

import Net
import Platform

/// Who runs what.
final class UserCache {
    /// What a user is looked up by.
    struct Key: Hashable {
        var user: String?
        var group: String?
        var isSecure: Bool
        var hasAllGroups = false
    }

    typealias Answer = Result<ScriptUser, ScriptRefusal>

    /// An answer this old is looked up again.
    static let fresh = Duration.seconds(60)
    /// How long is waited for an answer; then the last one holds, or there is none.
    static let patience = Duration.seconds(2)
    /// Look-ups under way, each with a thread.
    private static let searchLimit = 16
    private static let knownLimit = 256

    private final class Search {
        var waiting: [(Answer) -> Void] = []
        var isLate = false
        var timer: LoopTimer?
    }

    private let loop: EventLoop
    private let database: UserDatabase
    private var known: [Key: (user: ScriptUser, at: Instant)] = [:]
    private var searches: [Key: Search] = [:]

    /// Knows nobody yet.
    init(on loop: EventLoop, database: UserDatabase = .system) {
        self.loop = loop
        self.database = database
    }

    /// Calls `found` with the answer: at once where it is known.
    func find(_ key: Key, _ found: @escaping (Answer) -> Void) {
        if let known = known[key], loop.now - known.at < Self.fresh { return found(.success(known.user)) }
        if let search = searches[key] {
            guard search.isLate else { return search.waiting.append(found) }
            return found(lastGood(key, Self.silence))
        }
        guard searches.count < Self.searchLimit else { return found(lastGood(key, Self.silence)) }
        let search = Search()
        do throws(Errno) {
            try Background.run(
                on: loop,
                { [database] () -> Answer in
                    do throws(ScriptRefusal) {
                        return .success(
                            try ScriptUser(
                                key.user, group: key.group, isSecure: key.isSecure, hasAllGroups: key.hasAllGroups,
                                in: database))
                    } catch {
                        return .failure(error)
                    }
                }, done: { [weak self] in self?.finish(key, $0) })
        } catch {
            return found(lastGood(key, ScriptRefusal(nil, "\(error)")))
        }
        search.waiting = [found]
        let timer = loop.timer { [weak self] in self?.isLate(key) }
        timer.arm(after: Self.patience)
        search.timer = timer
        searches[key] = search
    }

    private static let silence = ScriptRefusal(nil, "the user database does not answer; see /etc/nsswitch.conf")

    private func lastGood(_ key: Key, _ trouble: ScriptRefusal) -> Answer {
        known[key].map { .success($0.user) } ?? .failure(trouble)
    }

    private func isLate(_ key: Key) {
        guard let search = searches[key] else { return }
        search.isLate = true
        let waiting = search.waiting
        search.waiting = []
        for found in waiting { found(lastGood(key, Self.silence)) }
    }

    private func finish(_ key: Key, _ answer: Answer) {
        var answer = answer
        switch answer {
        case .success(let user):
            if known.count >= Self.knownLimit { known.removeAll() }
            known[key] = (user, loop.now)
        case .failure(let refusal) where refusal.reason == nil: answer = lastGood(key, refusal)
        case .failure: known[key] = nil
        }
        let search = searches.removeValue(forKey: key)
        search?.timer?.disarm()
        for found in search?.waiting ?? [] { found(answer) }
    }
}
