// Two masters of one virtual router, and senders that a backup does not understand, which comes before it. A master that goes on hearing another one, because the other's advertisements are refused here, or because
// it has the lower priority and does not yield, tells people: both hosts hold the addresses, and neither can end that.

public import Net

extension Director {
    /// Another master on the link of this one; for a backup, somebody whose advertisements it drops.
    public struct Rival: Hashable, Sendable {
        /// Where its advertisements come from.
        public let address: IPAddress
        /// Why they are refused; nil = they have the lower priority, and their sender does not hear us.
        public let refusal: String?
    }

    /// A rival, and how surely it is one.
    struct Rivalry {
        var rival: Rival
        /// This router is master; else it drops what the other one says.
        let isBesideMaster: Bool
        /// Advertisements heard in a row. One or two are normal while masters change.
        var count = 1
        var heardAt: Instant

        static let sure = 3
        static let patience = Duration.seconds(10)

        var isSure: Bool { count >= Self.sure }
    }

    /// An advertisement came to a master, and it is master still; or a backup has dropped it.
    mutating func noteRival(
        of index: RouterTable.Index, from source: IPAddress, refusal: String?, at now: Instant
    ) {
        // Parts of the record, as in `run`.
        let isMaster = routers.values[index].isMaster
        let isConcerned = isMaster || refusal != nil && routers.values[index].machine.state.name == .backup
        guard isConcerned, source != routers.values[index].machine.sourceAddress else { return }
        let rival = Rival(address: source, refusal: refusal)
        let last = routers.values[index].rivalry
        guard var rivalry = last, rivalry.rival == rival else {
            if last?.isSure ?? false { changed.insert(routers.values[index].id) }
            routers.values[index].rivalry = Rivalry(rival: rival, isBesideMaster: isMaster, heardAt: now)
            return
        }
        rivalry.count += 1
        rivalry.heardAt = now
        if rivalry.count == Rivalry.sure { changed.insert(routers.values[index].id) }
        routers.values[index].rivalry = rivalry
    }

    /// Ends what was not heard for a while, or concerns a router in another state. A master looks at every advertisement of its own.
    mutating func endRivalry(of index: RouterTable.Index, at now: Instant) {
        guard let rivalry = routers.values[index].rivalry else { return }
        let router = routers.values[index]
        let limit = Rivalry.patience + router.machine.masterDownInterval
        let isBackup = router.machine.state.name == .backup
        let isAsBefore = rivalry.isBesideMaster ? router.isMaster : isBackup
        guard !isAsBefore || now >= rivalry.heardAt + limit else { return }
        routers.values[index].rivalry = nil
        if rivalry.isSure { changed.insert(router.id) }
    }
}
