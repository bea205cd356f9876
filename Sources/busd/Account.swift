// What one user has open, over all of its connections: opening more connections gives no more quota.
import Bus

/// The shares of one user.
struct Quota {
    var connections = 256
    var subscriptions = 128
    /// Patterns of all its subscriptions: what an event costs to be matched.
    var patterns = 512
    /// Calls that daemons have and have not answered, oneway calls too.
    var calls = 128
    /// Connections to one daemon.
    var upstreams = 16
    /// Octets that busd holds for the user: replies and events not read yet, messages not complete yet.
    var queuedBytes = 32 << 20
    /// Subjects whose latest event is kept.
    var kept = 1 << 16
    /// Octets of these events.
    var keptOctets = 64 << 20

    /// For those who may call nothing.
    static let stranger = Quota(
        connections: 16, subscriptions: 0, patterns: 0, calls: 0, upstreams: 0, queuedBytes: 1 << 18, kept: 0,
        keptOctets: 0)
    /// For readers, administrators and daemons.
    static let ordinary = Quota()
    /// For root and busd's own user, so that others cannot lock them out by chance.
    static let reserved = Quota(
        connections: 1024, subscriptions: 512, patterns: 2048, calls: 512, upstreams: 48, queuedBytes: 128 << 20,
        kept: 1 << 18, keptOctets: 128 << 20)
}

/// One user's balance.
final class Account {
    let uid: UInt32
    /// Whether the user is one for whom room is kept.
    let isReserved: Bool
    private(set) var quota = Quota.stranger
    /// Has a part of what ordinary users may have together.
    private(set) var shares = false
    var connections = 0
    var subscriptions = 0
    var patterns = 0
    var calls = 0
    var kept = 0
    var keptOctets = 0
    let queued = QueueMeter()

    init(uid: UInt32, isReserved: Bool) {
        self.uid = uid
        self.isReserved = isReserved
    }

    /// A connection of the user has this role: its quota holds for all, until the account is forgotten. True when the
    /// user shares what all may have together from now on.
    func admit(_ role: Role) -> Bool {
        if isReserved {
            quota = .reserved
        } else if role > .stranger, !shares {
            quota = .ordinary
            shares = true
            return true
        }
        return false
    }

    /// Whether nothing is owed and the account can be forgotten.
    var isSettled: Bool { connections == 0 && kept == 0 && calls == 0 }
}
