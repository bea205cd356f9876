// What an advertisement does: RFC 9568 §6.4.2 (Backup) and §6.4.3 (Active; "master" in RFC 3768 and here). The two
// classic mistakes are kept out by the shape: a lower advertisement never touches a backup's timer, and a version 3 backup
// counts in its master's interval.

public import Net

extension VirtualRouter {
    /// An advertisement that passed `RouterConfiguration.admit` came from `source`. Silence counts from when it `arrived`, shortly before it
    /// is looked at; nil: now.
    public mutating func received(
        _ advertisement: Advertisement, from source: IPAddress, arrived: Instant? = nil, at now: Instant
    ) -> [Action] {
        guard source != sourceAddress else { return [] }
        if configuration.priority == 255, configuration.ownerIgnoresAdvertisements { return [] }
        let peer = Peer(address: source, priority: advertisement.priority)
        switch state {
        case .initialize, .fault:
            return []
        case .backup(let backup):
            count(advertisement)
            return received(peer, interval: advertisement.interval, as: backup, arrived: arrived ?? now, at: now)
        case .master(let advertiseAt):
            count(advertisement)
            return receivedAsMaster(
                peer, interval: advertisement.interval, advertiseAt: advertiseAt, arrived: arrived ?? now, at: now)
        }
    }

    /// An advertisement was refused, or accepted with a remark.
    /// - Returns: true when it should be logged: the reason or the sender is new since the last change of state.
    public mutating func refused(_ error: DecodeError, from source: IPAddress?) -> Bool {
        statistics.refuse(error.reason, from: source)
    }

    /// RFC 9568 §6.4.2.
    private mutating func received(
        _ peer: Peer, interval: Duration, as backup: Backup, arrived: Instant, at now: Instant
    ) -> [Action] {
        var backup = backup
        guard peer.priority != 0 else {
            // The master gives up: the next one in rank is known after the skew (never later than it already was).
            if !backup.hasGivenUp { backup.heardAt = arrived }
            backup.hasGivenUp = true
            backup.masterDownAt = min(backup.masterDownAt, arrived + skew(interval: backup.interval))
            state = .backup(backup)
            return []
        }
        guard peer.priority >= priority || tolerates(lowerAt: now, &backup) else {
            state = .backup(backup)
            return []
        }
        if peer.priority >= priority { backup.preemptAt = nil }
        let isNew = backup.master != peer
        backup.master = peer
        backup.interval = configuration.version == .v3 ? interval : configuration.interval
        backup.masterDownAt = masterDown(after: arrived, interval: backup.interval)
        backup.heardAt = arrived
        backup.hasGivenUp = false
        backup.isReady = false
        state = .backup(backup)
        return isNew ? [.follow(peer)] : []
    }

    /// True when a lower master is to be accepted: `nopreempt`, or inside `preempt_delay`, which counts
    /// from the first lower advertisement.
    private func tolerates(lowerAt now: Instant, _ backup: inout Backup) -> Bool {
        switch configuration.preemption {
        case .enabled:
            return false
        case .disabled:
            return priority != 255
        case .delayed(let delay):
            let end = backup.preemptAt ?? now + delay
            backup.preemptAt = end
            return now < end
        }
    }

    /// RFC 9568 §6.4.3. Equal priority: the higher primary address wins, compared as an unsigned number.
    private mutating func receivedAsMaster(
        _ peer: Peer, interval: Duration, advertiseAt: Instant, arrived: Instant, at now: Instant
    ) -> [Action] {
        if peer.priority == 0 {
            state = .master(advertiseAt: now + configuration.interval)
            return [send(priority)]
        }
        let isHigher = peer.priority > priority
        let winsTie = peer.priority == priority && sourceAddress.map { peer.address > $0 } ?? true
        guard isHigher || winsTie else {
            guard configuration.answersLowerPriority else { return [.announce(.lowerPriorityHeard)] }
            // Answered at this instant already: after a pause many wait in the socket.
            guard advertiseAt != now + configuration.interval else { return [] }
            state = .master(advertiseAt: now + configuration.interval)
            return [send(priority), .announce(.lowerPriorityHeard)]
        }
        let answer = configuration.answersHigherPriority ? [send(priority)] : []
        let masterInterval = configuration.version == .v3 ? interval : configuration.interval
        let backup = Backup(
            master: peer, interval: masterInterval, heardAt: arrived,
            masterDownAt: masterDown(after: arrived, interval: masterInterval))
        return answer + enter(.backup(backup), .outranked(peer))
    }

    private mutating func count(_ advertisement: Advertisement) {
        statistics.received += 1
        if advertisement.priority == 0 { statistics.priorityZeroReceived += 1 }
    }
}

extension VirtualRouter.Backup {
    /// Why the timer ran out.
    func end(at now: Instant) -> Cause {
        hasGivenUp ? .masterGaveUp(master) : .masterDown(master, silent: now - heardAt)
    }
}
