// The kernel's side: which interfaces and addresses there are, what that means for each instance, and the changes of addresses.

import Configuration
import Glibc
import Net
import Netlink
import Platform
import VRRP

extension Daemon {
    /// Notifications wait. The table is brought up to date first, then every instance looks at what it needs; then addresses that somebody
    /// else took from a master are put back.
    func drainMonitor() { follow(monitor.update()) }

    /// Acts on what the monitor heard. Sockets of interfaces that went, or may have gone unseen, are opened anew.
    func follow(_ news: RouteMonitor.News) {
        switch news {
        case .nothing: return
        case .changed(let gone):
            for instance in instances where instance.socket?.key.link.map(gone.contains) == true {
                instance.socket = nil
            }
        case .replaced:
            for instance in instances { instance.socket = nil }
        case .stale(let error):
            logger.warning("interfaces and addresses cannot be read, trying again: \(error)")
            retryLater()
            return
        }
        for instance in instances { refresh(instance) }
        for instance in instances where instance.isHolding { putBack(instance) }
    }

    private func putBack(_ instance: Instance) {
        let missing = instance.changes(adding: true, in: table).filter { !isPresent($0.address) }
        guard !missing.isEmpty else { return }
        change(missing, because: instance.name)
        announce(instance, instance.schedule.start(.becameMaster, at: loop.now))
        let list = missing.map { "\($0.address.prefix)" }.joined(separator: ", ")
        logger.warning("\(instance.name): somebody else took off \(list); put back")
    }

    /// Looks at interface, source address and sockets of an instance, and tells its machine what changed.
    func refresh(_ instance: Instance) {
        openSocket(instance)
        instance.source = source(of: instance)
        let faults = faults(of: instance)
        let weight = weight(of: instance)
        let name = instance.name
        guard let before = routers[name] else { return }
        let known = before.faults.filter { if case .group = $0 { false } else { true } }
        let address = instance.source.map { IPAddress.v4($0) }
        if before.sourceAddress != address || before.weight != weight {
            perform(
                routers.apply(to: name, at: loop.now) {
                    $0.sourceAddress = address
                    $0.weightChanged(to: weight)
                    return []
                })
            rearmAfterWeight(instance)
        }
        for fault in faults.subtracting(known) {
            perform(routers.apply(to: name, at: loop.now) { $0.faultBegan(fault) })
        }
        for fault in known.subtracting(faults) {
            perform(routers.apply(to: name, at: loop.now) { $0.faultEnded(fault, at: loop.now) })
        }
        if faults != known {
            alarms.set("instance/\(name)", faults.sorted().lazy.compactMap(\.alarm).first)
            publishSoon(instance)
        }
    }

    private func rearmAfterWeight(_ instance: Instance) {
        if let deadline = routers[instance.name]?.deadline { instance.timer.arm(at: deadline) }
        publishSoon(instance)
    }

    /// Opens, keeps or closes the sockets so that they belong to the interface of that name as it is now.
    private func openSocket(_ instance: Instance) {
        guard let key = socketKey(of: instance) else {
            instance.socket = nil
            instance.socketFailure = nil
            return
        }
        if instance.socket?.key == key { return }
        if let shared = instances.first(where: { $0 !== instance && $0.socket?.key == key })?.socket {
            instance.socket = shared
            instance.socketFailure = nil
            return
        }
        instance.socket = nil
        do throws(Errno) {
            weak var opened: AdvertisementSocket?
            let socket = try AdvertisementSocket(key, interface: instance.configuration.interface, on: loop) {
                [weak self] packet in
                if let opened { self?.received(packet, through: opened) }
            }
            opened = socket
            instance.socket = socket
            instance.socketFailure = nil
        } catch {
            instance.socketFailure = "\(error)"
            retryLater()
        }
    }

    private func socketKey(of instance: Instance) -> AdvertisementSocket.Key? {
        let configuration = instance.configuration
        guard configuration.unsupported == nil else { return nil }
        var index: Int32?
        if let interface = configuration.interface {
            guard let link = table.link(named: interface) else { return nil }
            index = link.index
        }
        switch configuration.delivery {
        case .multicast(.v4(let group)):
            return AdvertisementSocket.Key(link: index, local: group)
        case .unicast:
            guard let source = source(of: instance) else { return nil }
            return AdvertisementSocket.Key(link: index, local: source)
        case .multicast(.v6):
            return nil
        }
    }

    /// The configured source, else the interface's primary address: the first that is neither secondary nor one of the virtual
    /// addresses, which another process may have left behind. An owner's own address is a virtual address.
    private func source(of instance: Instance) -> IPv4Address? {
        if case .v4(let given)? = instance.configuration.sourceAddress { return given }
        guard let interface = instance.configuration.interface, let link = table.link(named: interface) else {
            return nil
        }
        let isOwner = instance.configuration.priority == 255
        for address in table.addresses[link.index] ?? [] where address.flags & InterfaceAddress.secondary == 0 {
            guard case .v4(let value) = address.prefix.address, isOwner || !virtualAddresses.contains(.v4(value)) else {
                continue
            }
            return value
        }
        return nil
    }

    private func faults(of instance: Instance) -> Set<Fault> {
        let configuration = instance.configuration
        if let reason = configuration.unsupported { return [.unsupported(reason)] }
        var faults: Set<Fault> = []
        for name in configuration.vitalInterfaces(tracking: tracked(by: instance)) {
            switch table.link(named: name) {
            case nil: faults.insert(.interfaceMissing(name))
            case let link? where !link.isUsable: faults.insert(.interfaceDown(name))
            case .some: break
            }
        }
        if let interface = configuration.interface, table.link(named: interface) == nil {
            faults.insert(.interfaceMissing(interface))
        } else if instance.source == nil {
            faults.insert(.noSourceAddress(configuration.interface ?? "any"))
        }
        if configuration.tracksSourceAddress, let source = configuration.sourceAddress,
            !table.addresses.values.joined().contains(where: { $0.prefix.address == source })
        {
            faults.insert(.noSourceAddress(configuration.interface ?? "any"))
        }
        if let failure = instance.socketFailure { faults.insert(.noSocket(failure)) }
        return faults
    }

    /// What the instance and its sync group track.
    private func tracked(by instance: Instance) -> [TrackedObject] {
        instance.configuration.trackedInterfaces + (group(of: instance)?.trackedInterfaces ?? [])
    }

    private func group(of instance: Instance) -> SyncGroupConfiguration? {
        configuration.syncGroups.first { $0.members.contains(instance.name) }
    }

    /// Weights could pull the members of a group apart: there they count only with `sync_group_tracking_weight`. Positive weights count while the interface is usable, negative ones while it is not; `reverse` swaps them.
    private func weight(of instance: Instance) -> Int {
        guard group(of: instance)?.usesTrackingWeights ?? true else { return 0 }
        return tracked(by: instance).reduce(0) { sum, tracked in
            let isUsable = table.link(named: tracked.name)?.isUsable ?? false
            let counts = (tracked.weight > 0) == (isUsable != tracked.isReversed)
            return counts ? sum + tracked.weight : sum
        }
    }

    /// Changes addresses in one round trip. Refusals stand as an alarm until a change for the same cause succeeds.
    /// - Returns: true when the kernel did all of it.
    @discardableResult
    func change(_ changes: [AddressChange], because cause: String) -> Bool {
        var problem: NetlinkError?
        var what = "addresses"
        do throws(NetlinkError) {
            // An interface that has just gone is not the kernel's refusal: its notification is on the way.
            let refused = try kernel.apply(changes)
            let serious = refused.first { $0.error.code != ENODEV }
            problem = serious?.error
            if let serious { what = "\(serious.change.address.prefix)" }
            if refused.isEmpty == false, problem == nil { return false }
        } catch {
            problem = error
        }
        alarms.set(
            "addresses/\(cause)",
            problem.map {
                Alarms.Alarm(
                    message: "\(what): \($0)", remedy: "it is tried again every second; run vrrpd with CAP_NET_ADMIN")
            })
        return problem == nil
    }
}

extension Fault {
    /// What a person should do; nil for what comes and goes by itself.
    fileprivate var alarm: Alarms.Alarm? {
        let remedy: String
        switch self {
        case .interfaceMissing(let name):
            remedy = "waiting for an interface of that name; check 'interface' in the configuration or create \(name)"
        case .noSourceAddress:
            remedy = "give the interface an address, or set mcast_src_ip or unicast_src_ip"
        case .noSocket:
            remedy = "it is tried again every second; run vrrpd with CAP_NET_RAW"
        case .unsupported:
            remedy = "take the instance out of the configuration"
        case .interfaceDown, .group:
            return nil
        }
        return Alarms.Alarm(message: "\(self)", remedy: remedy)
    }
}
