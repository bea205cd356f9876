// `no_accept` (RFC 9568 §6.1, Accept_Mode false): packets to and from these virtual addresses are dropped, but for neighbour discovery. The
// list does not depend on who is master: an address that is not on this host is not concerned, and so a takeover waits for no rule. What
// adds to the list goes before addresses are added, what shortens it goes when they are off.

internal import Net

/// Compares the list of addresses that the rules drop with the one that is wanted.
struct FirewallKeeper {
    private(set) var wanted: Set<IPAddress> = []
    /// What the rules drop; nil = not known: at the start, or somebody else has touched them.
    private var held: Set<IPAddress>?
    private var retryAt = Instant.zero
    /// The kernel's words when it refused the last request.
    private(set) var refusal: String?

    /// A refused request is made again after this.
    static let retryInterval = Duration.seconds(1)

    /// When to plan although nothing has happened: a refusal is over. What an earlier process left goes with the first event.
    var deadline: Instant? { refusal == nil ? nil : retryAt }

    mutating func want(_ addresses: Set<IPAddress>) {
        guard addresses != wanted else { return }
        wanted = addresses
        retryAt = .zero
    }

    /// Somebody else changed the rules.
    mutating func touched() { held = nil }

    /// What the rules are to drop before addresses are added; nil when they do.
    func plan(at now: Instant) -> Set<IPAddress>? {
        guard retryAt <= now else { return nil }
        guard let held else { return wanted.isEmpty ? nil : wanted }
        return wanted.isSubset(of: held) ? nil : wanted.union(held)
    }

    /// What the rules are to drop when addresses have been taken off; nil when they do.
    func planRemovals(at now: Instant) -> Set<IPAddress>? {
        held == wanted || retryAt > now ? nil : wanted
    }

    /// The kernel's answer.
    mutating func answered(_ addresses: Set<IPAddress>, refusal: String?, at now: Instant) {
        // Where nothing is to be dropped, rules that cannot be had are not missed.
        self.refusal = addresses.isEmpty ? nil : refusal
        if refusal == nil || addresses.isEmpty {
            held = addresses
        } else {
            retryAt = now + Self.retryInterval
        }
    }
}
