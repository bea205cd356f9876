// Short ways to write services and servers, and the kernel that tests run commands against.

import Configuration
import IPVS
import Net
import Testing

func endpoint(_ text: String) throws -> Endpoint { try #require(Endpoint(text)) }

func service(_ text: String) throws -> VirtualServerIdentity { try #require(VirtualServerIdentity(text)) }

/// A DR service with real servers 10.0.0.1:80 … of the given weights, each with one checker.
func virtualServer(
    _ name: String = "tcp/192.0.2.1:80", weights: [Int], _ change: (inout VirtualServerConfiguration) -> Void = { _ in }
) throws -> VirtualServerConfiguration {
    var configuration = VirtualServerConfiguration(identity: try service(name))
    configuration.forwarding = .directRouting
    configuration.realServers = weights.enumerated().map { index, weight in
        let endpoint = Endpoint(.v4(IPv4Address(10, 0, 0, UInt8(index + 1))), port: 80)
        var server = RealServerConfiguration(endpoint: endpoint)
        server.forwarding = .directRouting
        server.weight = weight
        server.checkers = [CheckerConfiguration(probe: .tcp, target: CheckTarget(endpoint: endpoint))]
        return server
    }
    change(&configuration)
    return configuration
}

/// The attributes such a server has in the table.
func routed(_ weight: Int32) -> DestinationAttributes {
    DestinationAttributes(forwarding: .method(.directRouting), weight: weight)
}

/// The server 10.0.0.N:80 of the default service.
func server(_ number: UInt8) throws -> ServerIdentity {
    ServerIdentity(try service("tcp/192.0.2.1:80"), Endpoint(.v4(IPv4Address(10, 0, 0, number)), port: 80))
}

/// The weights the table has for 10.0.0.1…, nil where there is no destination.
func weights(_ table: KernelTable?, _ numbers: ClosedRange<UInt8>) throws -> [Int32?] {
    try numbers.map { number in
        let identity = try server(number)
        return table?.services[identity.service]?.destinations[identity.endpoint]?.weight
    }
}
