// A table of services as a value: what the kernel has, or what it should have. `apply` is what the kernel does with a command, so that
// what is known of the kernel follows what was sent without asking again, and tests have a kernel to run commands against.

public import Configuration
public import Net

/// A service and its destinations.
public struct ServiceEntry: Equatable, Sendable {
    /// What can be edited.
    public var attributes: ServiceAttributes
    /// By address and port.
    public var destinations: [Endpoint: DestinationAttributes]

    /// A service and its destinations.
    public init(attributes: ServiceAttributes, destinations: [Endpoint: DestinationAttributes] = [:]) {
        self.attributes = attributes
        self.destinations = destinations
    }

    /// What a dump shows, without the counters.
    public init(_ snapshot: ServiceSnapshot) {
        self.init(
            attributes: Self.attributes(snapshot),
            destinations: Dictionary(
                snapshot.destinations.map { ($0.endpoint, $0.attributes) }, uniquingKeysWith: { _, last in last }))
    }

    /// A dump shows just this. Costs less than to make an entry of it.
    public func isShown(by snapshot: ServiceSnapshot) -> Bool {
        destinations.count == snapshot.destinations.count && attributes == Self.attributes(snapshot)
            && snapshot.destinations.allSatisfy { destinations[$0.endpoint] == $0.attributes }
    }

    private static func attributes(_ snapshot: ServiceSnapshot) -> ServiceAttributes {
        var attributes = snapshot.attributes
        // A mask that is no prefix is as nobody here wants it.
        if let prefix = attributes.persistence?.prefixLength,
            snapshot.netmask != snapshot.identity.family.netmask(prefix)
        {
            attributes.persistence?.prefixLength = -1
        }
        return attributes
    }
}

/// Services by identity.
public struct KernelTable: Equatable, Sendable {
    /// The services.
    public var services: [VirtualServerIdentity: ServiceEntry]

    /// A table.
    public init(services: [VirtualServerIdentity: ServiceEntry] = [:]) {
        self.services = services
    }

    /// The table in a dump. A service that a racing change made the dump show twice counts once.
    public init(_ snapshots: [ServiceSnapshot]) {
        services = [:]
        services.reserveCapacity(snapshots.count)
        for snapshot in snapshots { services[snapshot.identity] = ServiceEntry(snapshot) }
    }

    /// Executes a command as the kernel would; one that the kernel would refuse changes nothing.
    public mutating func apply(_ command: Command) {
        switch command {
        case .addService(let service, let attributes):
            guard services[service] == nil else { return }
            services[service] = ServiceEntry(attributes: attributes)
        case .deleteService(let service):
            services[service] = nil
        case .editService(let service, _), .addDestination(let service, _, _), .editDestination(let service, _, _),
            .deleteDestination(let service, _):
            services[service]?.apply(command)
        }
    }
}

extension ServiceEntry {
    /// Executes a command about an existing service or its destinations, as the kernel would.
    mutating func apply(_ command: Command) {
        switch command {
        case .addService, .deleteService: return
        case .editService(_, let attributes): self.attributes = attributes
        case .addDestination(_, let endpoint, let attributes):
            if destinations[endpoint] == nil { destinations[endpoint] = attributes }
        case .editDestination(_, let endpoint, let attributes):
            if destinations[endpoint] != nil { destinations[endpoint] = attributes }
        case .deleteDestination(_, let endpoint): destinations[endpoint] = nil
        }
    }
}
