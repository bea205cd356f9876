// Scripted hosts as most tests of the driver want them: blocks in short, one host by itself, several on one wire.

import Configuration
import Net
import VRRP

@testable import vrrpd

/// A block with one address.
func block(
    _ name: String = "VI_1", router: UInt8 = 51, interface: String? = "eth0", priority: UInt8 = 100,
    addresses: [String] = ["10.0.0.100/24"], device: String? = nil
) -> VRRPInstanceConfiguration {
    var block = VRRPInstanceConfiguration(name: name, interface: interface, virtualRouterID: router)
    block.version = .v3
    block.priority = priority
    block.virtualAddresses = addresses.compactMap { text in
        IPPrefix(text).map { AddressLine($0, device: device ?? interface) }
    }
    block.family = block.virtualAddresses.first?.prefix.address.family ?? .inet
    block.delivery = .multicast(group: AdvertDelivery.defaultGroup(block.family))
    return block
}

/// Hosts on one wire, eth0 (2), 10.0.0.1/24, 10.0.0.2/24 …, with these blocks; they are not started.
func hosts(_ blocks: [[VRRPInstanceConfiguration]], groups: [SyncGroupConfiguration] = []) -> SimulatedNetwork {
    let network = SimulatedNetwork()
    for (number, blocks) in blocks.enumerated() {
        let host = ScriptedHost(number, Configuration(instances: blocks, syncGroups: groups), in: network)
        network.hosts.append(host)
        host.set(2, "eth0")
        host.add("10.0.0.\(number + 1)/24", to: 2)
    }
    return network
}

/// One such host.
func lone(_ blocks: [VRRPInstanceConfiguration] = [block()], groups: [SyncGroupConfiguration] = [])
    -> (SimulatedNetwork, ScriptedHost)
{
    let network = hosts([blocks], groups: groups)
    return (network, network.hosts[0])
}

/// The same, as master for ten seconds.
func loneMaster(_ blocks: [VRRPInstanceConfiguration] = [block()], groups: [SyncGroupConfiguration] = [])
    -> (SimulatedNetwork, ScriptedHost)
{
    let (network, host) = lone(blocks, groups: groups)
    host.start()
    network.run(.seconds(14))
    host.forget()
    return (network, host)
}

func prefix(_ text: String) -> IPPrefix { IPPrefix(text) ?? IPPrefix(host: .v4(IPv4Address(0, 0, 0, 0))) }

func address(_ text: String) -> IPAddress { IPAddress(text) ?? .v4(IPv4Address(0, 0, 0, 0)) }
