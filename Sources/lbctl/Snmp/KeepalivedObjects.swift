// KEEPALIVED-MIB as far as the bus knows what it asks for: virtual routers, their addresses and sync groups here, virtual and real servers in
// KeepalivedObjects+Services. Columns are named as in the MIB; rows are numbered from 1, in the order of the configuration, as keepalived does.
import Bus
import Net
import Platform

/// The objects of a director, as they are collected.
struct KeepalivedObjects {
    /// keepalived: enterprises (1.3.6.1.4.1), debian (9586), project (100), 5.
    static let root = OID(nil, 1, 3, 6, 1, 4, 1, 9586, 100, 5)

    private(set) var values: [OID: ManagedValue] = [:]

    /// What is known of a director.
    init(of status: Status) {
        // global, version
        values[OID(Self.root, 1, 1, 0)] = .string("Evenkeel \(evenkeelVersion)")
        addSyncGroups(of: status.instances)
        for (index, instance) in status.instances.enumerated() {
            add(instance, UInt32(index + 1), status.synchronisation)
        }
        for (index, service) in status.services.filter(\.isLookedAfter).enumerated() {
            add(service, UInt32(index + 1))
        }
    }

    /// A cell of `table`, a child of vrrp (2) or check (3), in a row; nil leaves it out.
    mutating func set(_ table: OID, _ column: UInt32, _ row: [UInt32], _ value: ManagedValue?) {
        guard let value else { return }
        var id = OID(table, 1, column)
        id.parts += row
        values[id] = value
    }

    private mutating func addSyncGroups(of instances: [VrrpAPI.Instance]) {
        let (groups, members) = (OID(Self.root, 2, 1), OID(Self.root, 2, 2))
        var names: [String] = []
        for name in instances.compactMap(\.context.syncGroup) where !names.contains(name) { names.append(name) }
        for (index, name) in names.enumerated() {
            let row = UInt32(index + 1)
            let own = instances.filter { $0.context.syncGroup == name }
            let state = own.contains { $0.runtime.state == .fault } ? .fault : own.first?.runtime.state
            set(groups, 2, [row], .string(name))
            set(groups, 3, [row], state?.managed)
            for (place, instance) in own.enumerated() {
                set(members, 2, [row, UInt32(place + 1)], .string(instance.name))
            }
        }
    }

    private mutating func add(
        _ instance: VrrpAPI.Instance, _ row: UInt32, _ synchronisation: IpvsAPI.Synchronisation?
    ) {
        let table = OID(Self.root, 2, 3)
        let (context, runtime) = (instance.context, instance.runtime)
        func column(_ number: UInt32, _ value: ManagedValue?) { set(table, number, [row], value) }
        column(2, .string(instance.name))
        column(3, context.virtualRouterId.map { .gauge($0) })
        column(4, runtime.state.managed)
        column(5, context.initialState?.managed)
        column(6, (runtime.state == .fault ? context.initialState ?? .backup : runtime.state).managed)
        column(7, context.priority.map { .integer($0) })
        column(8, .integer(runtime.effectivePriority))
        column(9, .truth(runtime.state == .master && instance.missingAddresses.isEmpty))
        column(10, context.interface.map { .string($0) })
        // Seconds in version 2, hundredths of them in version 3.
        let unit = context.version == 3 ? 10 : 1000
        column(12, context.advertisementIntervalMilliseconds.map { .gauge($0 / unit) })
        column(13, context.preempt.map { .truth($0) })
        column(14, context.preemptDelayMilliseconds.map { .gauge($0 / 1000) })
        let isSynchronised = synchronisation?.instance == instance.name
        column(16, .truth(isSynchronised))
        if isSynchronised { column(17, synchronisation.map { .string($0.interface) }) }
        column(18, context.syncGroup.map { .string($0) })
        column(27, context.accept.map { .truth($0) })
        column(30, context.version.map { .integer($0) })
        addAddresses(of: instance, row)
    }

    private mutating func addAddresses(of instance: VrrpAPI.Instance, _ row: UInt32) {
        let table = OID(Self.root, 2, 6)
        let missing = Set(instance.missingAddresses)
        let advertised = instance.context.virtualAddresses?.count ?? 0
        for (index, text) in instance.addresses.enumerated() {
            guard let prefix = IPPrefix(text) else { continue }
            let cell = [row, UInt32(index + 1)]
            set(table, 2, cell, prefix.address.managedType)
            set(table, 3, cell, .octets(prefix.address.octets))
            set(table, 5, cell, .gauge(prefix.length))
            set(table, 10, cell, .truth(!missing.contains(text)))
            set(table, 11, cell, .truth(index < advertised))
        }
    }
}

extension VrrpAPI.State {
    /// VrrpState.
    fileprivate var managed: ManagedValue {
        switch self {
        case .initialize: .integer(0)
        case .backup: .integer(1)
        case .master: .integer(2)
        case .fault: .integer(3)
        default: .integer(4)
        }
    }
}

extension IPAddress {
    /// InetAddressType (RFC 4001).
    var managedType: ManagedValue { .integer(family == .inet ? 1 : 2) }
}
