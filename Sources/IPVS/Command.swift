// One change of the kernel's table. Commands are values: the driver turns each into one netlink message.

public import Configuration
public import Net

/// A change to one service or one destination.
public enum Command: Equatable, Sendable, CustomStringConvertible {
    /// IPVS_CMD_NEW_SERVICE.
    case addService(VirtualServerIdentity, ServiceAttributes)
    /// IPVS_CMD_SET_SERVICE.
    case editService(VirtualServerIdentity, ServiceAttributes)
    /// IPVS_CMD_DEL_SERVICE; its destinations go with it.
    case deleteService(VirtualServerIdentity)
    /// IPVS_CMD_NEW_DEST.
    case addDestination(VirtualServerIdentity, Endpoint, DestinationAttributes)
    /// IPVS_CMD_SET_DEST.
    case editDestination(VirtualServerIdentity, Endpoint, DestinationAttributes)
    /// IPVS_CMD_DEL_DEST.
    case deleteDestination(VirtualServerIdentity, Endpoint)

    /// The service concerned.
    public var service: VirtualServerIdentity {
        switch self {
        case .addService(let service, _), .editService(let service, _), .deleteService(let service),
            .addDestination(let service, _, _), .editDestination(let service, _, _),
            .deleteDestination(let service, _):
            service
        }
    }

    /// The destination concerned; nil for a command about the service itself.
    public var endpoint: Endpoint? {
        switch self {
        case .addService, .editService, .deleteService: nil
        case .addDestination(_, let endpoint, _), .editDestination(_, let endpoint, _),
            .deleteDestination(_, let endpoint):
            endpoint
        }
    }

    /// For logs: `add tcp/192.0.2.1:80`, `edit tcp/192.0.2.1:80/192.0.2.10:80 weight 0`.
    public var description: String {
        switch self {
        case .addService(let service, let attributes): "add \(service) \(attributes.scheduler)"
        case .editService(let service, let attributes): "edit \(service) \(attributes.scheduler)"
        case .deleteService(let service): "delete \(service)"
        case .addDestination(let service, let endpoint, let attributes):
            "add \(service)/\(endpoint) weight \(attributes.weight)"
        case .editDestination(let service, let endpoint, let attributes):
            "edit \(service)/\(endpoint) weight \(attributes.weight)"
        case .deleteDestination(let service, let endpoint): "delete \(service)/\(endpoint)"
        }
    }
}
