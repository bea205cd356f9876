// What people and programs have put into the table by hand (`ipvsadm -A`, `lbctl service add`): kept like a configuration, and carried out by
// the same machine. A service is made by hand, or it is configured and some servers were added to it by hand.

internal import Configuration
public import Net

/// What was made by hand of one service.
public struct HandMade: Equatable, Sendable {
    /// The service; nil: it is configured, and only servers were added.
    public var attributes: ServiceAttributes?
    /// The servers.
    public var servers: [Endpoint: DestinationAttributes]

    /// A service without servers, or (nil) servers to come for a configured one.
    public init(_ attributes: ServiceAttributes? = nil, servers: [Endpoint: DestinationAttributes] = [:]) {
        self.attributes = attributes
        self.servers = servers
    }

    /// Nothing was made.
    public var isEmpty: Bool { attributes == nil && servers.isEmpty }

    /// Notes a command that the kernel has executed.
    public mutating func note(_ command: Command) {
        switch command {
        case .addService(_, let attributes): self = HandMade(attributes)
        case .editService(_, let attributes): if self.attributes != nil { self.attributes = attributes }
        case .deleteService: self = HandMade()
        case .addDestination(_, let endpoint, let attributes): servers[endpoint] = attributes
        case .editDestination(_, let endpoint, let attributes):
            if servers[endpoint] != nil { servers[endpoint] = attributes }
        case .deleteDestination(_, let endpoint): servers[endpoint] = nil
        }
    }

    /// The service as it would be configured: nothing checks its servers, and one that serves is quorum enough. In a configured one the
    /// servers of the configuration come first, and hide those of the same name that were made by hand.
    func configuration(
        _ identity: VirtualServerIdentity, in configured: VirtualServerConfiguration?
    ) -> VirtualServerConfiguration? {
        guard var configuration = configured ?? attributes.map({ VirtualServerConfiguration(identity, $0) }) else {
            return nil
        }
        guard !servers.isEmpty else { return configuration }
        let known = Set(configuration.realServers.map(\.endpoint))
        for (endpoint, attributes) in servers.sorted(by: { $0.key < $1.key }) where !known.contains(endpoint) {
            guard let server = RealServerConfiguration(endpoint, attributes) else { continue }
            configuration.realServers.append(server)
        }
        return configuration
    }
}

extension VirtualServerConfiguration {
    /// A service with such attributes and no servers.
    init(_ identity: VirtualServerIdentity, _ attributes: ServiceAttributes) {
        self.init(identity: identity)
        scheduler = attributes.scheduler
        schedulerFlags = attributes.flags
        persistence = attributes.persistence
    }
}

extension RealServerConfiguration {
    /// A server with such attributes and no checks; nil for a forwarding that nobody can ask for.
    init?(_ endpoint: Endpoint, _ attributes: DestinationAttributes) {
        guard case .method(let forwarding) = attributes.forwarding else { return nil }
        self.init(endpoint: endpoint)
        self.forwarding = forwarding
        weight = Int(attributes.weight)
        upperThreshold = attributes.upperThreshold
        lowerThreshold = attributes.lowerThreshold
    }
}
