// `no_accept` (RFC 9568 §6.1, Accept_Mode false): packets to and from these virtual addresses are dropped, but for neighbour discovery. The
// list does not depend on who is master: an address that is not on this host is not concerned, and so a takeover waits for no rule. What
// adds to the list goes before addresses are added, what shortens it goes when they are off.

public import Net

/// Rules that drop packets to and from addresses; without any there are none.
public struct DropRules: Hashable, Sendable {
    /// Whose packets.
    public var addresses: Set<IPAddress>
    /// Of their chains.
    public var priority: Int32
    /// They count what they drop.
    public var isCounting: Bool

    /// Rules for addresses.
    public init(_ addresses: Set<IPAddress> = [], priority: Int32 = -1, isCounting: Bool = false) {
        self.addresses = addresses
        self.priority = addresses.isEmpty ? -1 : priority
        self.isCounting = !addresses.isEmpty && isCounting
    }

    /// These in the way of `other`, which drop what `other` drops, too.
    fileprivate func joined(to other: DropRules) -> DropRules {
        DropRules(addresses.union(other.addresses), priority: priority, isCounting: isCounting)
    }
}

/// Compares the list of addresses that the rules drop with the one that is wanted.
struct FirewallKeeper {
    private(set) var wanted = DropRules()
    /// What the rules drop; nil = not known: at the start, or somebody else has touched them.
    private var held: DropRules?
    private var retryAt = Instant.zero
    /// The kernel's words when it refused the last request.
    private(set) var refusal: String?

    /// A refused request is made again after this.
    static let retryInterval = Duration.seconds(1)

    /// When to plan although nothing has happened: a refusal is over. What an earlier process left goes with the first event.
    var deadline: Instant? { refusal == nil ? nil : retryAt }

    mutating func want(_ rules: DropRules) {
        guard rules != wanted else { return }
        wanted = rules
        retryAt = .zero
    }

    /// Somebody else changed the rules.
    mutating func touched() { held = nil }

    /// What the rules are to drop before addresses are added; nil when they do.
    func plan(at now: Instant) -> DropRules? {
        guard retryAt <= now, !wanted.addresses.isEmpty else { return nil }
        guard let held else { return wanted }
        let joined = wanted.joined(to: held)
        return joined == held ? nil : joined
    }

    /// What the rules are to drop when addresses have been taken off; nil when they do.
    func planRemovals(at now: Instant) -> DropRules? {
        held == wanted || retryAt > now ? nil : wanted
    }

    /// The kernel's answer.
    mutating func answered(_ rules: DropRules, refusal: String?, at now: Instant) {
        // Where nothing is to be dropped, rules that cannot be had are not missed.
        self.refusal = rules.addresses.isEmpty ? nil : refusal
        if refusal == nil || rules.addresses.isEmpty {
            held = rules
        } else {
            retryAt = now + Self.retryInterval
        }
    }
}
