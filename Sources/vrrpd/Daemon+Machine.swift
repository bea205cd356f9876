// Between the machines and the world: advertisements and timers in, actions out. On the way to becoming master nothing comes before the
// advertisement, the addresses and the gratuitous ARP, in this order: log lines and events wait until the end of the turn.

import Configuration
import Net
import Netlink
import Platform
import VRRP

extension Daemon {
    /// A packet arrived on a socket.
    func received(_ packet: ArraySlice<UInt8>, through socket: AdvertisementSocket) {
        do throws(DecodeError) {
            let received = try ReceivedAdvertisement(packet: packet)
            let identifier = received.advertisement.virtualRouterID
            guard let instance = instance(identifier, on: socket) else { return unknownRouter(received) }
            do throws(DecodeError) {
                let remark = try routers[instance.name]?.configuration.admit(received)
                if let remark { refuse(remark, by: instance, from: received.source) }
            } catch {
                return refuse(error, by: instance, from: received.source)
            }
            perform(
                routers.apply(to: instance.name, at: loop.now) {
                    $0.received(received.advertisement, from: received.source, at: loop.now)
                })
        } catch {
            let identifier = ReceivedAdvertisement.virtualRouterID(ofPacket: packet)
            // Damage that hides whom it is for counts for every router on the socket.
            for instance in instances where instance.socket === socket {
                guard identifier == nil || identifier == instance.configuration.virtualRouterID else { continue }
                refuse(error, by: instance, from: ReceivedAdvertisement.source(ofPacket: packet))
            }
        }
    }

    /// The machine's deadline has come. What waits in the socket is heard first: this process may have been asleep.
    func timerFired(_ identity: String) {
        guard let instance = instances.first(where: { $0.identity == identity }) else { return }
        instance.socket?.drain()
        guard let deadline = routers[instance.name]?.deadline else { return }
        guard deadline <= loop.now else { return instance.timer.arm(at: deadline) }
        perform(routers.apply(to: instance.name, at: loop.now) { $0.timerExpired(at: loop.now) })
        rearm(instance)
    }

    /// The announcement schedule's deadline has come.
    func announceAgain(_ identity: String) {
        guard let instance = instances.first(where: { $0.identity == identity }) else { return }
        announce(instance, instance.schedule.due(at: loop.now))
    }

    /// Does what the machines ask for.
    func perform(_ outcomes: [RouterSet.Outcome]) {
        for (name, actions) in outcomes {
            guard let instance = instance(named: name) else { continue }
            for action in actions { perform(action, for: instance) }
            rearm(instance)
        }
    }

    private func perform(_ action: Action, for instance: Instance) {
        switch action {
        case .send(let priority):
            advertise(instance, priority)
        case .install:
            hold(instance)
        case .remove:
            release(instance)
        case .announce(let occasion):
            announce(instance, instance.schedule.start(occasion, at: loop.now))
        case .follow:
            publishSoon(instance)
        case .report(let transition):
            report(transition, of: instance)
        }
    }

    /// Sets the timer to the machine's deadline.
    func rearm(_ instance: Instance) {
        if let deadline = routers[instance.name]?.deadline {
            instance.timer.arm(at: deadline)
        } else {
            instance.timer.disarm()
        }
    }

    /// Sends an advertisement and notes the time for a process after this one.
    func advertise(_ instance: Instance, _ priority: UInt8) {
        let failure = instance.advertise(priority: priority)
        heartbeat.beat(instance.identity, at: priority == 0 ? nil : SystemClock.sinceBoot)
        guard (failure != nil) != instance.sendFailed else { return }
        instance.sendFailed = failure != nil
        let name = instance.name
        loop.soon { [logger] in
            if let failure {
                logger.warning("\(name): \(failure)")
            } else {
                logger.notice("\(name): advertisements are sent again")
            }
        }
    }

    /// Puts the addresses on their interfaces; what is refused is tried again.
    func hold(_ instance: Instance) {
        instance.isHolding = true
        let changes = instance.changes(adding: true, in: table)
        let isComplete = change(changes, because: instance.name)
        instance.isIncomplete = !isComplete || changes.count < instance.configuration.addresses.count
        if instance.isIncomplete { retryLater() }
    }

    private func release(_ instance: Instance) {
        instance.isHolding = false
        instance.isIncomplete = false
        instance.schedule.stop()
        instance.announcementTimer.disarm()
        change(removals(of: instance), because: instance.name)
        heartbeat.beat(instance.identity, at: nil)
    }

    /// What takes an instance's addresses off. The address that an owner speaks from was on the interface before us and
    /// stays: without it the host could not be reached, and the owner itself would have no source address to come back with.
    func removals(of instance: Instance) -> [AddressChange] {
        let own = instance.configuration.priority == 255 ? instance.source.map { IPAddress.v4($0) } : nil
        return instance.changes(adding: false, in: table).filter { $0.address.prefix.address != own }
    }

    /// Announces the addresses `count` times and arms the schedule.
    func announce(_ instance: Instance, _ count: Int) {
        if let failure = sendAnnouncements(instance, count) {
            loop.soon { [logger, name = instance.name] in logger.warning("\(name): \(failure)") }
        }
        if let deadline = instance.schedule.deadline { instance.announcementTimer.arm(at: deadline) }
    }

    private func sendAnnouncements(_ instance: Instance, _ count: Int) -> Errno? {
        switch frames {
        case .some(let frames): instance.announce(count, in: table, through: frames)
        case .none: nil
        }
    }

    private func report(_ transition: Transition, of instance: Instance) {
        instance.since = SystemClock.timestamp
        instance.reason = "\(transition.cause)"
        let priority = routers[instance.name]?.priority ?? 0
        loop.soon { [logger, name = instance.name] in
            logger.notice(
                "\(name): \(transition.to) at priority \(priority) (was \(transition.from)): \(transition.cause)")
        }
        publishSoon(instance)
    }

    /// Publishes the instance at the end of this turn.
    func publishSoon(_ instance: Instance) {
        guard unpublished.insert(instance.name).inserted else { return }
        loop.soon { [weak self, weak instance] in
            guard let self, let instance else { return }
            unpublished.remove(instance.name)
            publish?(instance)
        }
    }

    private func instance(_ identifier: UInt8, on socket: AdvertisementSocket) -> Instance? {
        instances.first { $0.configuration.virtualRouterID == identifier && $0.socket === socket }
    }

    private func refuse(_ error: DecodeError, by instance: Instance, from source: IPAddress?) {
        var isNews = false
        _ = routers.apply(to: instance.name, at: loop.now) {
            isNews = $0.refused(error, from: source)
            return []
        }
        guard isNews else { return }
        let sender = source.map { "\($0)" } ?? "unknown"
        logger.warning("\(instance.name): advertisement from \(sender): \(error)")
        publishSoon(instance)
    }

    /// Routers of others on the same link are no business of ours.
    private func unknownRouter(_ received: ReceivedAdvertisement) {
        logger.debug(
            "advertisement of virtual router \(received.advertisement.virtualRouterID) from \(received.source): not ours"
        )
    }
}
