// The host behind `lbctl real-server`: addresses and routes through rtnetlink, ARP through /proc/sys. What is to be done is written down
// first, so that an end in the middle can be undone; settings come before addresses and go after them, so that no ARP request meets an
// address that is answered for.
import Glibc
import Net
import Netlink
import Platform
import VRRP

struct RealServerHost {
    private static let arp = [("arp_ignore", 1), ("arp_announce", 2)]
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

    /// Starts addresses; what was done, for people.
    func start(_ addresses: [IPAddress]) throws(Failure) -> [String] {
        try RealServerRecord.locked { (keeper) throws(Failure) in
            var record = try keeper.read()
            if addresses.contains(where: { $0.family == .inet }) { try silence(&record, keeper) }
            return try addresses.map { (address) throws(Failure) in try start(address, &record, keeper) }
        }
    }

    private func start(
        _ address: IPAddress, _ record: inout RealServerRecord, _ keeper: borrowing RealServerRecord.Keeper
    ) throws(Failure) -> String {
        let isThere = try snapshot().addresses.contains { $0.prefix.address == address && $0.link == loopback.index }
        let hasRoute = try routes().contains { $0.slot == route(to: address).slot }
        let known = record.addresses.first { $0.address == address.description }
        let entry = RealServerRecord.Started(
            address: address.description, addedAddress: known?.addedAddress ?? false || !isThere,
            addedRoute: known?.addedRoute ?? false || !hasRoute)
        record.addresses.removeAll { $0.address == entry.address }
        record.addresses.append(entry)
        try keeper.write(record)
        if !isThere { try apply(.address(.add(held(address)))) }
        if !hasRoute { try apply(.route(.add(route(to: address)))) }
        return isThere && hasRoute ? "\(address) is served already" : "\(address) is served"
    }

    /// Undoes what was done for addresses; what that was, for people.
    func stop(_ addresses: [IPAddress]) throws(Failure) -> [String] {
        try RealServerRecord.locked { (keeper) throws(Failure) in
            var record = try keeper.read()
            let lines = try addresses.map { (address) throws(Failure) in try stop(address, &record, keeper) }
            if !record.addresses.contains(where: { !$0.address.utf8.contains(UInt8(ascii: ":")) }) {
                try restore(&record, keeper)
            }
            return lines
        }
    }

    private func stop(
        _ address: IPAddress, _ record: inout RealServerRecord, _ keeper: borrowing RealServerRecord.Keeper
    ) throws(Failure) -> String {
        guard let entry = record.addresses.first(where: { $0.address == address.description }) else {
            return "\(address) was not started here: nothing to undo"
        }
        if entry.addedRoute { try apply(.route(.delete(route(to: address)))) }
        if entry.addedAddress { try apply(.address(.delete(held(address)))) }
        record.addresses.removeAll { $0 == entry }
        try keeper.write(record)
        return entry.addedAddress
            ? "\(address) is not served any more" : "\(address) stays on \(loopback.name): it was there before"
    }

    /// How addresses are served, or those that were started.
    func status(_ addresses: [IPAddress]) throws(Failure) -> [RealServerState] {
        var asked = addresses
        if asked.isEmpty {
            asked = try RealServerRecord.current().addresses.compactMap { IPAddress($0.address) }
        }
        let snapshot = try snapshot()
        return asked.map { address in
            RealServerState(address, snapshot) { name in
                guard let ignore = Self.value(Self.path(name, "arp_ignore")),
                    let announce = Self.value(Self.path(name, "arp_announce"))
                else { return nil }
                return ARPSettings(ignore: ignore, announce: announce)
            }
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
    private var paths: [(path: String, value: Int)] {
        [loopback.name, "all"].flatMap { name in Self.arp.map { (Self.path(name, $0.0), $0.1) } }
    }

    private static func path(_ interface: String, _ setting: String) -> String {
        "net/ipv4/conf/\(interface)/\(setting)"
    }

    /// ARP is answered for addresses of the asked interface alone, and names no other's. A setting that is so already is left alone.
    private func silence(
        _ record: inout RealServerRecord, _ keeper: borrowing RealServerRecord.Keeper
    ) throws(Failure) {
        for (path, wanted) in paths {
            guard let value = Self.value(path) else {
                throw .hostRefused("/proc/sys/\(path) cannot be read", remedy: nil)
            }
            guard value != wanted else { continue }
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
            throw .hostRefused(
                "/proc/sys/\(path): \(String(cString: strerror(code)))", remedy: code == EACCES ? "it needs root" : nil)
        }
    }
}
