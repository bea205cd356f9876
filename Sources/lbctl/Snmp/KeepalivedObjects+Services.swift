// virtualServerTable and realServerTable.
import Bus
import Net

extension KeepalivedObjects {
    /// virtualServerLoadBalancingAlgo.
    private static let schedulers = [
        "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos",
    ]

    /// Where a table has the counters: its columns of connections, packets and octets, of the five rates, of the same with 64 bits, and of the
    /// rates in two halves.
    private struct CounterColumns {
        var connections, traffic, rates, wide, halves: UInt32
    }

    mutating func add(_ service: IpvsAPI.Service, _ row: UInt32) {
        let table = OID(Self.root, 3, 3)
        let (context, runtime) = (service.context, service.runtime)
        func column(_ number: UInt32, _ value: ManagedValue?) { set(table, number, [row], value) }
        column(2, .integer(context.firewallMark == nil ? 2 : 1))
        column(4, context.firewallMark.map { .gauge($0) })
        column(5, context.family.map { .integer($0 == .inet6 ? 2 : 1) })
        column(6, context.address.flatMap { IPAddress($0) }.map { .octets($0.octets) })
        column(7, context.port.map { .gauge($0) })
        column(8, context.transport.map { .integer($0 == .tcp ? 1 : $0 == .udp ? 2 : 3) })
        column(9, context.scheduler.map { .integer((Self.schedulers.firstIndex(of: $0) ?? 98) + 1) })
        column(10, service.servers.first?.context.forwarding?.managed)
        column(11, .truth(runtime.inKernel))
        column(13, .truth(context.persistenceTimeoutSeconds != nil))
        column(14, context.persistenceTimeoutSeconds.map { .gauge($0) })
        column(20, .gauge(service.members.count))
        column(21, .gauge(service.members.count { $0.runtime.health != .down }))
        column(22, context.quorum.map { .gauge($0) })
        column(23, .truth(runtime.state == .up))
        column(26, context.hysteresis.map { .gauge($0) })
        column(37, .truth(context.onePacket == true))
        // sh's and mh's fallback are one flag, and so are their ports; keepalived shows each under both names.
        for (number, flag) in [(53, "flag-1"), (54, "flag-2"), (55, "flag-3"), (62, "flag-1"), (63, "flag-2")] {
            column(UInt32(number), .truth(context.schedulerFlags?.contains(flag) == true))
        }
        add(
            runtime.counters, to: table, [row],
            CounterColumns(connections: 27, traffic: 28, rates: 32, wide: 38, halves: 41))
        addServers(of: service, row)
    }

    /// The sorry server comes first, as in keepalived.
    private mutating func addServers(of service: IpvsAPI.Service, _ row: UInt32) {
        let table = OID(Self.root, 3, 4)
        var number: UInt32 = 0
        if let sorry = service.context.sorryServer.flatMap({ Endpoint($0) }) {
            number += 1
            set(table, 2, [row, number], .integer(2))
            addAddress(sorry, to: table, [row, number])
        }
        for server in service.members {
            guard let endpoint = Endpoint(server.address) else { continue }
            number += 1
            let cell = [row, number]
            let (context, runtime) = (server.context, server.runtime)
            set(table, 2, cell, .integer(1))
            addAddress(endpoint, to: table, cell)
            set(table, 6, cell, .truth(runtime.health != .down))
            set(table, 7, cell, context.weight.map { .integer($0) })
            set(table, 8, cell, context.upperThreshold.flatMap { $0 > 0 ? .gauge($0) : nil })
            set(table, 9, cell, context.lowerThreshold.flatMap { $0 > 0 ? .gauge($0) : nil })
            set(table, 10, cell, .integer(context.inhibitOnFailure == true ? 2 : 1))
            set(table, 15, cell, runtime.activeConnections.map { .gauge($0) })
            set(table, 16, cell, runtime.inactiveConnections.map { .gauge($0) })
            set(table, 17, cell, runtime.persistentConnections.map { .gauge($0) })
            set(table, 40, cell, context.forwarding?.managed)
            add(
                runtime.counters, to: table, cell,
                CounterColumns(connections: 14, traffic: 18, rates: 22, wide: 27, halves: 30))
        }
    }

    private mutating func addAddress(_ endpoint: Endpoint, to table: OID, _ row: [UInt32]) {
        set(table, 3, row, endpoint.address.managedType)
        set(table, 4, row, .octets(endpoint.address.octets))
        set(table, 5, row, .gauge(Int(endpoint.port)))
    }

    private mutating func add(
        _ counters: IpvsAPI.Counters?, to table: OID, _ row: [UInt32], _ columns: CounterColumns
    ) {
        guard let counters else { return }
        set(table, columns.connections, row, .gauge(counters.connections))
        set(table, columns.traffic, row, .counter(counters.packetsIn))
        set(table, columns.traffic + 1, row, .counter(counters.packetsOut))
        set(table, columns.traffic + 2, row, .counter64(counters.bytesIn))
        set(table, columns.traffic + 3, row, .counter64(counters.bytesOut))
        for (index, total) in [counters.connections, counters.packetsIn, counters.packetsOut].enumerated() {
            set(table, columns.wide + UInt32(index), row, .counter64(total))
        }
        let rates = [
            counters.connectionsPerSecond, counters.packetsInPerSecond, counters.packetsOutPerSecond,
            counters.bytesInPerSecond, counters.bytesOutPerSecond,
        ]
        for (index, rate) in rates.enumerated() {
            guard let rate else { continue }
            set(table, columns.rates + UInt32(index), row, .gauge(rate))
            set(table, columns.halves + UInt32(2 * index), row, .gauge(rate & 0xFFFF_FFFF))
            set(table, columns.halves + UInt32(2 * index + 1), row, .gauge(rate >> 32))
        }
    }
}

extension IpvsAPI.Forwarding {
    /// virtualServerLoadBalancingKind and realServerForwardingMethod; nil for what they do not have.
    fileprivate var managed: ManagedValue? {
        switch self {
        case .nat: .integer(1)
        case .dr: .integer(2)
        case .tun: .integer(3)
        default: nil
        }
    }
}
