// Announcements at no more than a configured rate: `vrrp_garp_interval` and `vrrp_gna_interval` for each interface by itself, a
// `garp_group` for several together. What may not leave at once waits here, address after address in rounds, so that each has been
// announced once before any is repeated. Without a limit nothing passes through here.

internal import Configuration
internal import DequeModule
internal import Net

/// Holds back announcements.
struct AnnouncementPacer {
    /// What shares one limit.
    private enum Lane: Hashable {
        case interface(String, AddressFamily)
        /// By place in the configuration.
        case group(Int, AddressFamily)
    }

    private struct Queue {
        /// Whose turn it is.
        var order: Deque<AddressKey> = []
        /// Frames still to send.
        var counts: [AddressKey: Int] = [:]
        /// The next frame may leave then.
        var nextAt = Instant.zero

        mutating func add(_ address: AddressKey, count: Int, at now: Instant) {
            if order.isEmpty { nextAt = max(nextAt, now) }
            let before = counts[address]
            counts[address] = max(before ?? 0, count)
            if before == nil { order.append(address) }
        }
    }

    private var interval: (arp: Duration, neighbour: Duration) = (.zero, .zero)
    private var groups: [GARPGroupConfiguration] = []
    private var groupOf: [String: Int] = [:]
    private var queues: [Lane: Queue] = [:]

    /// Takes over other limits. What waits goes on under the new ones where its lane is the same, and is let go at once where it is not.
    mutating func adopt(_ configuration: Configuration) {
        interval = (
            configuration.global.gratuitousARP.interval, configuration.global.gratuitousARP.neighbourInterval
        )
        groups = configuration.garpGroups
        groupOf = [:]
        for (number, group) in groups.enumerated() {
            for interface in group.interfaces where groupOf[interface] == nil { groupOf[interface] = number }
        }
        for lane in Array(queues.keys) where interval(of: lane) == .zero { queues[lane]?.nextAt = .zero }
    }

    /// When to call `due`; nil = nothing waits.
    var deadline: Instant? { queues.values.lazy.filter { !$0.order.isEmpty }.map(\.nextAt).min() }

    /// Whether announcements of a family on an interface are limited.
    func limits(_ interface: String, _ family: AddressFamily) -> Bool {
        guard !groups.isEmpty || interval != (.zero, .zero) else { return false }
        return limit(interface, family).interval > .zero
    }

    /// Has `count` announcements of an address leave when it is their turn.
    mutating func add(_ address: AddressKey, on interface: String, count: Int, at now: Instant) {
        let lane = limit(interface, address.address.family).lane
        queues[lane, default: Queue()].add(address, count: count, at: now)
    }

    /// The announcements whose turn has come, each to be sent once; those of a lane without limit all.
    mutating func due(at now: Instant) -> [AddressKey] {
        guard !queues.isEmpty else { return [] }
        var due: [AddressKey] = []
        for lane in Array(queues.keys) {
            guard var queue = queues[lane] else { continue }
            let interval = interval(of: lane)
            while queue.nextAt <= now, let address = queue.order.popFirst() {
                // Nil: it was taken back.
                guard let count = queue.counts.removeValue(forKey: address) else { continue }
                due.append(address)
                if count > 1 {
                    queue.order.append(address)
                    queue.counts[address] = count - 1
                }
                // What a late timer missed is made up for, but never more than a second of it.
                queue.nextAt = max(queue.nextAt, now - .seconds(1)) + interval
            }
            // A lane that is idle is remembered until its next frame may leave.
            queues[lane] = queue.order.isEmpty && queue.nextAt <= now ? nil : queue
        }
        return due
    }

    /// Forgets what waits of an address: it is given up.
    mutating func remove(_ address: AddressKey) {
        for lane in Array(queues.keys) { queues[lane]?.counts[address] = nil }
    }

    private func limit(_ interface: String, _ family: AddressFamily) -> (lane: Lane, interval: Duration) {
        let lane = groupOf[interface].map { Lane.group($0, family) } ?? .interface(interface, family)
        return (lane, interval(of: lane))
    }

    private func interval(of lane: Lane) -> Duration {
        switch lane {
        case .interface(_, .inet): interval.arp
        case .interface(_, .inet6): interval.neighbour
        case .group(let number, let family):
            if !groups.indices.contains(number) {
                .zero
            } else {
                family == .inet ? groups[number].interval : groups[number].neighbourInterval
            }
        }
    }
}
