// The addresses of this network namespace, for `ha_suspend`: heard from rtnetlink while a configuration asks. As long as they cannot be read every
// address counts as here, so that nothing is left unchecked for that.
import Configuration
import Net
import Netlink
import Platform
import VRRP

/// Which addresses this host has.
final class LocalAddresses {
    private static let retry = Duration.seconds(1)
    /// Notifications read in one turn.
    private static let limit = 256

    private let loop: EventLoop
    private let logger: Logger
    private var monitor: RouteMonitor?
    private var watch: Watch?
    private var timer: LoopTimer?
    private var table = LinkTable()
    /// nil: nobody knows.
    private var addresses: Set<IPAddress>?
    private var problem: String?
    /// Called when `isHere` says something else of some address.
    var changed: (() -> Void)?

    /// Watches nothing yet.
    init(on loop: EventLoop, logger: Logger) {
        self.loop = loop
        self.logger = logger
        timer = loop.timer { [weak self] in self?.read() }
    }

    /// Watches from now on, where a virtual server asks, and else no more.
    func adopt(_ configuration: Configuration) {
        guard configuration.virtualServers.contains(where: { $0.suspendingAddress != nil }) else {
            (monitor, watch, addresses) = (nil, nil, nil)
            timer?.disarm()
            return
        }
        if monitor == nil { read() }
    }

    /// Whether this host has an address, as far as anybody knows.
    func isHere(_ address: IPAddress) -> Bool { addresses?.contains(address) ?? true }

    /// Opens what is not open, and reads all addresses.
    private func read() {
        do {
            let monitor = try self.monitor ?? RouteMonitor(kernel: RouteNetlink(), hearsRoutes: false)
            if watch == nil { watch = try loop.watch(monitor.number, .read) { [weak self] _ in self?.heard() } }
            self.monitor = monitor
            take(monitor.resynchronise())
        } catch {
            retry("\(error)")
        }
    }

    private func heard() {
        if let monitor { take(monitor.update(limit: Self.limit)) }
    }

    private func take(_ news: RouteMonitor.News) {
        switch news {
        case .nothing: return
        case .changed(let events): for event in events { table.apply(event) }
        case .replaced(let snapshot, let events):
            table = LinkTable(snapshot)
            for event in events { table.apply(event) }
        case .stale(let error): return retry("\(error)")
        }
        problem = nil
        let found = Set(table.links.keys.flatMap { table.addresses(on: $0) }.map(\.prefix.address))
        guard addresses != found else { return }
        addresses = found
        changed?()
    }

    private func retry(_ why: String) {
        if problem != why {
            logger.warning("the addresses of this host cannot be read, ha_suspend waits for that: \(why)")
        }
        problem = why
        // Notifications that arrive meanwhile do not put it off.
        if timer?.deadline == nil { timer?.arm(after: Self.retry) }
    }
}

extension VirtualServerConfiguration {
    /// Its checks pause while this address is not on this host: `ha_suspend`. A firewall mark has none, unless nftables_ipvs gives it to a group: then
    /// the first address of that speaks for it.
    var suspendingAddress: IPAddress? {
        guard suspendsWithoutAddress else { return nil }
        return switch identity {
        case .address(_, let endpoint): endpoint.address
        case .firewallMark: marked?.ranges.first?.addresses.first
        }
    }
}
