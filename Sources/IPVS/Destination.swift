// Real servers as the kernel keeps them: what can be edited in place. A destination is identified by its endpoint within a service.

public import Configuration

/// How packets reach a destination, as a table can hold it.
public enum PacketForwarding: Equatable, Sendable {
    /// One of the methods that can be configured.
    case method(ForwardingMethod)
    /// `Local`: this host serves (IP_VS_CONN_F_LOCALNODE); only ever found in tables made by others.
    case local
    /// Cache bypass (IP_VS_CONN_F_BYPASS); only ever found in tables made by others.
    case bypass
}

/// What `ipvsadm -e` can change about a destination while its connections go on.
public struct DestinationAttributes: Equatable, Sendable {
    /// How packets get there.
    public var forwarding: PacketForwarding
    /// Share of new connections, 0 = none, established ones go on.
    public var weight: Int32
    /// Connections at which no more are sent; 0 = none.
    public var upperThreshold: UInt32
    /// Connections below which they are sent again; 0 = the kernel's 3/4 rule.
    public var lowerThreshold: UInt32

    /// Attributes of a destination.
    public init(
        forwarding: PacketForwarding, weight: Int32 = 1, upperThreshold: UInt32 = 0, lowerThreshold: UInt32 = 0
    ) {
        self.forwarding = forwarding
        self.weight = weight
        self.upperThreshold = upperThreshold
        self.lowerThreshold = lowerThreshold
    }

    /// What a `real_server` block asks for, with the weight it shall have now.
    init(_ configuration: RealServerConfiguration, weight: Int32) {
        self.init(
            forwarding: .method(configuration.forwarding), weight: weight,
            upperThreshold: configuration.upperThreshold, lowerThreshold: configuration.lowerThreshold)
    }
}
