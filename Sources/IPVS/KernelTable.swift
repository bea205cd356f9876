// A table of services as a value: what the kernel has, or what it should have. `apply` is what the kernel does with a command, so that
// the daemon's belief follows what it sent without asking again, and tests have a kernel to run commands against.

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
        for snapshot in snapshots {
            services[snapshot.identity] = ServiceEntry(
                attributes: snapshot.attributes,
                destinations: Dictionary(
                    snapshot.destinations.map { ($0.endpoint, $0.attributes) }, uniquingKeysWith: { _, last in last }))
        }
    }

    /// Executes a command as the kernel would; one that the kernel would refuse changes nothing.
    public mutating func apply(_ command: Command) {
        switch command {
        case .addService(let service, let attributes):
            guard services[service] == nil else { return }
            services[service] = ServiceEntry(attributes: attributes)
        case .editService(let service, let attributes):
            services[service]?.attributes = attributes
        case .deleteService(let service):
            services[service] = nil
        case .addDestination(let service, let endpoint, let attributes):
            guard services[service]?.destinations[endpoint] == nil else { return }
            services[service]?.destinations[endpoint] = attributes
        case .editDestination(let service, let endpoint, let attributes):
            guard services[service]?.destinations[endpoint] != nil else { return }
            services[service]?.destinations[endpoint] = attributes
        case .deleteDestination(let service, let endpoint):
            services[service]?.destinations[endpoint] = nil
        }
    }
}
