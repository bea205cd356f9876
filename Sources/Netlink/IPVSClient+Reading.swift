// The kernel's IPVS table over generic netlink: reading. The kernel has one dump for the services and one for the servers of each service;
// there is no lock over all of them, so a table is as good as the time that it takes to read. A daemon reads single services, or walks the
// table in slices, so that no turn of its loop pays for the whole of a large one.

internal import CNlGenl
public import Configuration
internal import Glibc
public import IPVS

/// A walk over the whole table, begun by `IPVSClient.beginWalk`. A value: dropping it ends the walk.
public struct TableWalk: Sendable {
    /// The services of the table when the walk began, still without their servers: those that are not read yet, last first.
    fileprivate var remaining: [ServiceSnapshot]

    /// Nothing is left to read.
    public var isComplete: Bool { remaining.isEmpty }
    /// Services still to be read.
    public var remainingCount: Int { remaining.count }
}

extension IPVSClient {
    /// The whole table with its counters, however large. `.noFamily` when the ip_vs module is not loaded.
    public func services() throws(NetlinkError) -> [ServiceSnapshot] {
        var services = try dumpServices()
        for index in services.indices {
            services[index].destinations = try destinations(of: services[index].identity)
        }
        return services
    }

    /// One service with its servers and counters; nil when the kernel does not have it.
    public func service(_ identity: VirtualServerIdentity) throws(NetlinkError) -> ServiceSnapshot? {
        var service: ServiceSnapshot?
        do throws(NetlinkError) {
            try request { (encoder) throws(NetlinkError) in
                try client.query(encoder.serviceMessage(IPVS_CMD_GET_SERVICE, identity)) { reply in
                    service = reply.nest(IPVS_CMD_ATTR_SERVICE).flatMap(ServiceSnapshot.init)
                }
            }
        } catch .refused(ESRCH, _) {
            return nil
        }
        service?.destinations = try destinations(of: identity)
        return service
    }

    /// Begins a walk over the table: reads its services, without their servers, with one request. What every walk must bring is in
    /// `services`, so that the caller can tell at once what is missing from the table altogether.
    public func beginWalk() throws(NetlinkError) -> (walk: TableWalk, services: [VirtualServerIdentity]) {
        let services = try dumpServices()
        return (TableWalk(remaining: services.reversed()), services.map(\.identity))
    }

    /// The next services of a walk with their servers: at most `services`, and no further one once `servers` servers were read. Empty
    /// when the walk is complete. After an error the walk stands where it stood and may be continued.
    ///
    /// A service that somebody deleted since the walk began looks like one without servers (the kernel's dump does not tell), so what
    /// differs is sent as a command, and its surprising answer tells.
    public func advance(
        _ walk: inout TableWalk, services: Int = 50, servers: Int = 1000
    ) throws(NetlinkError) -> [ServiceSnapshot] {
        var slice: [ServiceSnapshot] = []
        var read = 0
        for var service in walk.remaining.reversed().prefix(services) where read < servers {
            service.destinations = try destinations(of: service.identity)
            read += service.destinations.count
            slice.append(service)
        }
        walk.remaining.removeLast(slice.count)
        return slice
    }

    /// The names of the table's services.
    public func serviceNames() throws(NetlinkError) -> [VirtualServerIdentity] {
        try dumpServices().map(\.identity)
    }

    /// What the kernel's IPVS is and how long it keeps idle connections.
    public func facts() throws(NetlinkError) -> KernelFacts {
        try request { (encoder) throws(NetlinkError) in
            var facts = KernelFacts()
            try client.query(encoder.message(IPVS_CMD_GET_INFO)) { reply in
                for attribute in reply.attributes(after: 4) {
                    switch attribute.type {
                    case IPVS_INFO_ATTR_VERSION: facts.version = attribute.number() ?? 0
                    case IPVS_INFO_ATTR_CONN_TAB_SIZE: facts.connectionTableSize = attribute.number() ?? 0
                    default: continue
                    }
                }
            }
            try client.query(encoder.message(IPVS_CMD_GET_CONFIG)) { reply in
                for attribute in reply.attributes(after: 4) {
                    switch attribute.type {
                    case IPVS_CMD_ATTR_TIMEOUT_TCP: facts.tcpTimeout = attribute.number() ?? 0
                    case IPVS_CMD_ATTR_TIMEOUT_TCP_FIN: facts.tcpFinTimeout = attribute.number() ?? 0
                    case IPVS_CMD_ATTR_TIMEOUT_UDP: facts.udpTimeout = attribute.number() ?? 0
                    default: continue
                    }
                }
            }
            return facts
        }
    }

    private func dumpServices() throws(NetlinkError) -> [ServiceSnapshot] {
        try request { (encoder) throws(NetlinkError) in
            var services: [ServiceSnapshot] = []
            try client.query(encoder.message(IPVS_CMD_GET_SERVICE, flags: NLM_F_DUMP)) { reply in
                if let service = reply.nest(IPVS_CMD_ATTR_SERVICE).flatMap(ServiceSnapshot.init) {
                    services.append(service)
                }
            }
            return services
        }
    }

    private func destinations(of service: VirtualServerIdentity) throws(NetlinkError) -> [DestinationSnapshot] {
        try request { (encoder) throws(NetlinkError) in
            var destinations: [DestinationSnapshot] = []
            try client.query(encoder.serviceMessage(IPVS_CMD_GET_DEST, service, flags: NLM_F_DUMP)) { reply in
                guard let nest = reply.nest(IPVS_CMD_ATTR_DEST) else { return }
                if let destination = DestinationSnapshot(nest, serviceFamily: service.family) {
                    destinations.append(destination)
                }
            }
            return destinations
        }
    }
}

extension NetlinkReply {
    /// The attributes in the nest `type` after the generic netlink header.
    fileprivate func nest(_ type: Int) -> NetlinkAttributes? {
        attributes(after: 4).first { $0.type == type }?.nested
    }
}
