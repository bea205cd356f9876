// The first look at the kernel's table: what an earlier process knew and what the kernel has become one. Verdicts were carried out in
// the table before they were written down, so where the two differ the table is the later.

internal import Configuration
internal import Net

extension Standing {
    /// Takes over a service as the kernel has it (nil: it does not). Servers about which nothing is known stay as they are in the
    /// table. A server that we never heard of and that is missing from a service of ours is new in the configuration, because we
    /// would have put it there: it starts like any other. So does a server that is missing from a table which was not written from this
    /// configuration, unless it was known to be down.
    mutating func adopt(_ entry: ServiceEntry?, _ remembered: RememberedService) {
        guard let entry, let pool else { return }
        let sorry = pool.configuration.sorryServer?.endpoint
        let shown = side(of: entry, pool, remembered) ?? .lost
        self.pool?.settle(on: shown)
        let isSorry = self.pool?.isSorry ?? false
        let isOthers = isOthers(entry, pool, remembered)
        for member in pool.members where member.override.mode == .enabled && member.isRemembered {
            let endpoint = member.configuration.endpoint
            let presence = Health.Presence(entry.destinations[endpoint])
            if presence == .absent, isOthers { continue }
            switch member.health {
            case .unknown:
                let isNew = remembered.isOwned && remembered.servers[endpoint] == nil
                if presence == .absent, isNew { continue }
            case .up:
                if presence == .serving || isSorry || member.servingWeight == 0 { continue }
                if member.configuration.checkers.isEmpty { continue }
            case .down:
                if presence != .serving || endpoint == sorry { continue }
            }
            _ = self.pool?.update(endpoint) {
                $0.health = .unknown(adopted: presence)
                $0.isRemembered = false
            }
        }
        self.pool?.settle()
    }

    /// Whether what is missing from a table says nothing about health: it has destinations that are not configured (somebody else's, or ours
    /// of an earlier configuration whose replacement was not written or is refused), or the service is not ours and empty.
    private func isOthers(_ entry: ServiceEntry, _ pool: Pool, _ remembered: RememberedService) -> Bool {
        if entry.destinations.isEmpty { return !remembered.isOwned && !isOwned }
        let sorry = pool.configuration.sorryServer?.endpoint
        return entry.destinations.keys.contains { $0 != sorry && pool.member($0) == nil }
    }

    /// The side of the hysteresis band that a table shows: who serves, the real servers or the sorry server. Where it does not tell, what
    /// the earlier process remembered.
    private func side(of entry: ServiceEntry, _ pool: Pool, _ remembered: RememberedService) -> QuorumSide? {
        let serving = entry.destinations.filter { $0.value.weight > 0 }.map(\.key)
        guard let sorry = pool.configuration.sorryServer?.endpoint else {
            return remembered.side ?? (serving.isEmpty ? nil : .held)
        }
        let isShared = pool.member(sorry) != nil
        switch (serving.contains { $0 != sorry }, serving.contains(sorry)) {
        case (true, false): return .held
        case (true, true): return isShared ? .held : remembered.side
        case (false, true): return isShared ? remembered.side : .lost
        case (false, false): return remembered.side
        }
    }
}

extension Health.Presence {
    /// How a table has a server.
    init(_ destination: DestinationAttributes?) {
        switch destination?.weight {
        case nil: self = .absent
        case 0: self = .quiesced
        case .some: self = .serving
        }
    }
}
