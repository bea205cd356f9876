// Two masters of one virtual router, and senders that a backup does not understand, which comes before it. A master that goes on hearing
// another one, because the other's advertisements are refused here, or because it has the lower priority and does not yield, tells people:
// both hosts hold the addresses, and neither can end that. Each sender is counted by itself, so that two of them do not hide each other.

public import Net

extension Director {
    /// Another master on the link of this one; for a backup, somebody whose advertisements it drops.
    public struct Rival: Hashable, Sendable {
        /// Where its advertisements come from.
        public let address: IPAddress
        /// Why they are refused; nil = they have the lower priority, and their sender does not hear us.
        public let refusal: DecodeError?
    }

    /// Senders that may be rivals of a router in the state that it is in. Anybody on the link can invent some, so there is room for a few.
    struct Rivalries {
        private struct Rivalry {
            var refusal: DecodeError?
            /// Advertisements heard in a row. One or two are normal while masters change.
            var count = 0
            var countedAt = Instant.zero
            var heardAt: Instant
            /// Since when the refusal is this one: another one takes its place not sooner than it is worth saying.
            var refusalSince: Instant

            var isSure: Bool { count >= Rivalries.sure }
        }

        static let sure = 3
        static let patience = Duration.seconds(10)
        static let limit = 8

        private var senders: [IPAddress: Rivalry] = [:]
        /// The surest one: what people are told.
        private(set) var sure: Rival?

        var isEmpty: Bool { senders.isEmpty }

        /// An advertisement of a rival was heard. True when `sure` is another one now.
        /// - Parameter spacing: what comes sooner after the last one that was counted has perhaps waited in the socket with it.
        mutating func heard(
            _ source: IPAddress, _ refusal: DecodeError?, spacing: Duration, at now: Instant
        ) -> Bool {
            if senders[source] == nil, senders.count >= Self.limit,
                let oldest = senders.min(by: { $0.value.heardAt < $1.value.heardAt })
            {
                senders[oldest.key] = nil
            }
            var rivalry = senders[source] ?? Rivalry(refusal: refusal, heardAt: now, refusalSince: now)
            if rivalry.count == 0 || now - rivalry.countedAt >= spacing {
                rivalry.count = min(rivalry.count + 1, Self.sure)
                rivalry.countedAt = now
            }
            rivalry.heardAt = now
            let isToChange = !rivalry.isSure || now >= rivalry.refusalSince + Self.patience
            if rivalry.refusal?.reason != refusal?.reason, isToChange {
                rivalry.refusal = refusal
                rivalry.refusalSince = now
            }
            senders[source] = rivalry
            return choose()
        }

        /// Forgets senders that were not heard for so long. True when `sure` is another one now.
        mutating func forget(silentFor limit: Duration, at now: Instant) -> Bool {
            guard senders.contains(where: { now >= $0.value.heardAt + limit }) else { return false }
            senders = senders.filter { now < $0.value.heardAt + limit }
            return choose()
        }

        /// The one that is told stays while it is there: two of them do not take turns.
        private mutating func choose() -> Bool {
            let kept = sure.flatMap { senders[$0.address]?.isSure == true ? $0.address : nil }
            let address = kept ?? senders.filter(\.value.isSure).map(\.key).min()
            let chosen = address.flatMap { at in senders[at].map { Rival(address: at, refusal: $0.refusal) } }
            defer { sure = chosen }
            return chosen != sure
        }
    }

    /// An advertisement came to a master, and it is master still; or a backup has dropped it.
    mutating func noteRival(
        of index: RouterTable.Index, from source: IPAddress, refusal: DecodeError?, at now: Instant
    ) {
        let isMaster = routers.values[index].isMaster
        let isConcerned = isMaster || refusal != nil && routers.values[index].machine.state.name == .backup
        guard isConcerned, source != routers.values[index].machine.sourceAddress else { return }
        let spacing = routers.values[index].machine.configuration.interval / 4
        guard routers.values[index].rivalries.heard(source, refusal, spacing: spacing, at: now) else { return }
        changed.insert(routers.values[index].id)
    }

    /// Ends what was not heard for a while, or concerned the router in another state. A master looks at every advertisement of its own.
    mutating func endRivalries(of index: RouterTable.Index, was state: StateName, at now: Instant) {
        guard !routers.values[index].rivalries.isEmpty else { return }
        if routers.values[index].machine.state.name != state {
            if routers.values[index].rivalries.sure != nil { changed.insert(routers.values[index].id) }
            routers.values[index].rivalries = Rivalries()
            return
        }
        let limit = Rivalries.patience + routers.values[index].machine.masterDownInterval
        guard routers.values[index].rivalries.forget(silentFor: limit, at: now) else { return }
        changed.insert(routers.values[index].id)
    }
}
