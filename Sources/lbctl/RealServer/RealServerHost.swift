// The host behind `lbctl real-server`: addresses and routes through rtnetlink, ARP through /proc/sys. What is to be done is written down
// first, so that an end in the middle can be undone; settings come before addresses and go after them, so that no ARP request meets an
// address that is answered for.
import Glibc
import IPVS
import Net
import Netlink
import Platform
import VRRP

struct RealServerHost {
    /// RTPROT_STATIC and RT_SCOPE_LINK of linux/rtnetlink.h.
    private static let administrators: UInt8 = 4, ofTheLink: UInt8 = 253

    private let kernel: RouteNetlink
    private let loopback: VRRP.Link

    init() throws(Failure) {
        do throws(NetlinkError) {
            kernel = try RouteNetlink()
            guard let link = try kernel.snapshot().links.first(where: { $0.flags & VRRP.Link.loopback != 0 }) else {
                throw .malformed("no loopback interface")
            }
            loopback = link
        } catch {
            throw .hostRefused("\(error)", remedy: nil)
        }
    }

    /// Starts addresses; what became of each.
    func start(_ addresses: [IPAddress]) throws(Failure) -> [RealServerOutcome] {
        try changing(addresses) { (address, record, keeper) throws(Failure) in try start(address, &record, keeper) }
    }

    /// Undoes what was done for addresses; what became of each.
    func stop(_ addresses: [IPAddress]) throws(Failure) -> [RealServerOutcome] {
        try changing(addresses) { (address, record, keeper) throws(Failure) in try stop(address, &record, keeper) }
    }

    /// Does something with each address, whatever became of the one before. Settings go back when no IPv4 address needs them.
    private func changing(
        _ addresses: [IPAddress],
        _ change: (IPAddress, inout RealServerRecord, borrowing RealServerRecord.Keeper) throws(Failure) ->
            RealServerOutcome
    ) throws(Failure) -> [RealServerOutcome] {
        try RealServerRecord.locked { (keeper) throws(Failure) in
            var record = try keeper.read()
            var outcomes: [RealServerOutcome] = []
            for address in addresses {
                do throws(Failure) {
                    outcomes.append(try change(address, &record, keeper))
                } catch {
                    outcomes.append(RealServerOutcome(refused: address, error))
                }
            }
            do throws(Failure) {
                if !record.hasIPv4 { try restore(&record, keeper) }
            } catch {
                outcomes.append(.refused("\(error)"))
            }
            return outcomes
        }
    }

    private func start(
        _ address: IPAddress, _ record: inout RealServerRecord, _ keeper: borrowing RealServerRecord.Keeper
    ) throws(Failure) -> RealServerOutcome {
        let before = try snapshot()
        let switchedOff = Self.value("net/ipv6/conf/\(loopback.name)/disable_ipv6").map { $0 != 0 }
        if let obstacle = RealServerState.obstacle(to: address, before, switchedOff: switchedOff) {
            throw .hostRefused(obstacle.problem, remedy: obstacle.remedy)
        }
        if address.family == .inet { try silence(&record, keeper) }
        let isThere = before.addresses.contains { $0.prefix.address == address && $0.link == loopback.index }
        let hasRoute = try routes().contains { $0.slot == route(to: address).slot }
        // What is there now is of an earlier start only if that start put it there.
        let known = record.addresses.first { $0.address == address.description }
        var kept = RealServerRecord.Started(
            address: address.description, addedAddress: isThere && known?.addedAddress == true,
            addedRoute: hasRoute && known?.addedRoute == true)
        try keeper.note(
            RealServerRecord.Started(
                address: kept.address, addedAddress: kept.addedAddress || !isThere,
                addedRoute: kept.addedRoute || !hasRoute), in: &record)
        do throws(Failure) {
            if !isThere { try apply(.address(.add(held(address)))) }
            if !hasRoute { try apply(.route(.add(route(to: address)))) }
        } catch let refusal {
            // Nothing half done stays, or it stays noted.
            do throws(Failure) {
                if !isThere { try apply(.address(.delete(held(address)))) }
            } catch {
                kept.addedAddress = true
            }
            if kept.addedAddress || kept.addedRoute || known != nil && isThere {
                try keeper.note(kept, in: &record)
            } else {
                try keeper.forget(address, in: &record)
            }
            throw refusal
        }
        let state = state(of: address, try snapshot())
        guard state.faults.isEmpty else { return .faulty(state) }
        return .done(isThere && hasRoute ? "\(address) is served already" : "\(address) is served")
    }

    private func stop(
        _ address: IPAddress, _ record: inout RealServerRecord, _ keeper: borrowing RealServerRecord.Keeper
    ) throws(Failure) -> RealServerOutcome {
        guard let entry = record.addresses.first(where: { $0.address == address.description }) else {
            return .done("\(address) was not started here: nothing to undo")
        }
        if entry.addedRoute { try apply(.route(.delete(route(to: address)))) }
        if entry.addedAddress { try apply(.address(.delete(held(address)))) }
        try keeper.forget(address, in: &record)
        return .done(
            entry.addedAddress
                ? "\(address) is not served any more" : "\(address) stays on \(loopback.name): it was there before")
    }

    /// The addresses that were started. Without a record that can be read: those on lo that look like it, and what is the matter with it.
    func started() throws(Failure) -> (addresses: [IPAddress], trouble: Failure?) {
        do throws(Failure) {
            return (try RealServerRecord.current().addresses.compactMap { IPAddress($0.address) }, nil)
        } catch {
            let hosts = try snapshot().addresses.filter {
                $0.link == loopback.index && $0.prefix == IPPrefix(host: $0.prefix.address)
            }
            return (hosts.map(\.prefix.address).filter { RealServerCommand.flaw(of: $0) == nil }, error)
        }
    }

    /// How addresses are served.
    func status(_ addresses: [IPAddress]) throws(Failure) -> [RealServerState] {
        let snapshot = try snapshot()
        return addresses.map { state(of: $0, snapshot) }
    }

    private func state(of address: IPAddress, _ snapshot: RouteSnapshot) -> RealServerState {
        RealServerState(address, snapshot) { name in
            guard let ignore = Self.value(Self.path(name, "arp_ignore")),
                let announce = Self.value(Self.path(name, "arp_announce"))
            else { return nil }
            return ARPSettings(ignore: ignore, announce: announce)
        }
    }

    private func snapshot() throws(Failure) -> RouteSnapshot {
        do throws(NetlinkError) { return try kernel.snapshot() } catch { throw .hostRefused("\(error)", remedy: nil) }
    }

    private func routes() throws(Failure) -> [Route] {
        do throws(NetlinkError) {
            return try kernel.routing(of: [Self.administrators]).routes
        } catch {
            throw .hostRefused("\(error)", remedy: nil)
        }
    }

    private func apply(_ change: KernelChange) throws(Failure) {
        do throws(NetlinkError) {
            guard let refused = try kernel.apply([change]).first else { return }
            throw refused.error
        } catch {
            throw .hostRefused("\(error)", remedy: error.code == EPERM ? "it needs root" : nil)
        }
    }

    /// The address on lo. IPv6: deprecated, so that it is no source of this host's own connections.
    private func held(_ address: IPAddress) -> InterfaceAddress {
        var held = InterfaceAddress(link: loopback.index, prefix: IPPrefix(host: address))
        switch address {
        case .v4(let v4):
            held.broadcast = v4
            held.label = "\(loopback.name):0"
        case .v6:
            held.flags = InterfaceAddress.noDuplicateDetection
            held.preferredLifetime = 0
        }
        return held
    }

    private func route(to address: IPAddress) -> Route {
        // An IPv4 route without a gateway has the scope of the link; IPv6 knows none and has a metric in any case.
        Route(
            RouteSlot(destination: IPPrefix(host: address), priority: address.family == .inet ? 0 : 1024),
            hops: [Route.Hop(link: loopback.index)], origin: Self.administrators,
            scope: address.family == .inet ? Self.ofTheLink : 0)
    }
}

/// ARP.
extension RealServerHost {
    /// A setting, what it is set to, and which values will do.
    private var settings: [(path: String, value: Int, isSilent: (Int) -> Bool)] {
        [loopback.name, "all"].flatMap { name in
            [
                (Self.path(name, "arp_ignore"), 1, ARPSettings.isSilent(ignore:)),
                (Self.path(name, "arp_announce"), 2, ARPSettings.isSilent(announce:)),
            ]
        }
    }

    private static func path(_ interface: String, _ setting: String) -> String {
        "net/ipv4/conf/\(interface)/\(setting)"
    }

    /// ARP is answered for addresses of the asked interface alone, and names no other's. A setting that is silent already, or
    /// stricter, is left alone.
    private func silence(
        _ record: inout RealServerRecord, _ keeper: borrowing RealServerRecord.Keeper
    ) throws(Failure) {
        for (path, wanted, isSilent) in settings {
            guard let value = Self.value(path) else {
                throw .hostRefused("/proc/sys/\(path) cannot be read", remedy: nil)
            }
            guard !isSilent(value) else { continue }
            record.settings.removeAll { $0.path == path }
            record.settings.append(RealServerRecord.Setting(path: path, before: value, set: wanted))
            try keeper.write(record)
            try Self.set(path, wanted)
        }
    }

    /// Settings that somebody else has changed since are theirs.
    private func restore(
        _ record: inout RealServerRecord, _ keeper: borrowing RealServerRecord.Keeper
    ) throws(Failure) {
        for setting in record.settings {
            if Self.value(setting.path) == setting.set { try Self.set(setting.path, setting.before) }
            record.settings.removeAll { $0 == setting }
            try keeper.write(record)
        }
    }

    private static func value(_ path: String) -> Int? {
        guard let content = try? FileSystem.beginning(of: "/proc/sys/\(path)", count: 16) else { return nil }
        return Int(String(decoding: content, as: UTF8.self).split(separator: "\n").first ?? "")
    }

    private static func set(_ path: String, _ value: Int) throws(Failure) {
        let number = open("/proc/sys/\(path)", O_WRONLY | O_CLOEXEC)
        let file = number < 0 ? nil : FileDescriptor(owning: number)
        let text = Array("\(value)\n".utf8)
        guard let file, Glibc.write(file.number, text, text.count) == text.count else {
            let code = errno
            let remedy: String? =
                switch code {
                case EACCES, EPERM: "it needs root"
                case EROFS: "it needs a container whose /proc/sys can be written"
                case _: nil
                }
            throw .hostRefused("/proc/sys/\(path): \(String(cString: strerror(code)))", remedy: remedy)
        }
    }
}
