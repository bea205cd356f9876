// What one user has open, over all of its connections: opening more connections gives no more quota.
import Bus

/// The shares of one user.
struct Quota {
    var connections = 256
    var subscriptions = 128
    var calls = 128
    /// Octets that busd holds for the user: replies and events not read yet, messages not complete yet.
    var queuedBytes = 32 << 20
    /// Subjects whose latest event is kept.
    var kept = 1 << 16

    /// For an ordinary user.
    static let ordinary = Quota()
    /// For root and busd's own user, so that others cannot lock them out by chance.
    static let reserved = Quota(
        connections: 1024, subscriptions: 512, calls: 512, queuedBytes: 128 << 20, kept: 1 << 18)
}

/// One user's balance.
final class Account {
    let uid: UInt32
    let quota: Quota
    var connections = 0
    var subscriptions = 0
    var calls = 0
    var kept = 0
    let queued = QueueMeter()

    init(uid: UInt32, quota: Quota) {
        self.uid = uid
        self.quota = quota
    }

    /// Whether nothing is owed and the account can be forgotten.
    var isSettled: Bool { connections == 0 && kept == 0 }
}
