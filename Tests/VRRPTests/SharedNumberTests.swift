// Two unicast instances with one virtual router ID on one interface: the sender of an advertisement tells whose it is.
import Net
import Testing

@testable import Configuration
@testable import VRRP

@Suite struct SharedNumberTests {
    private let own = IPv4Address(192, 0, 2, 201)

    private func block(_ name: String, peer: UInt8, address: UInt8) -> VRRPInstanceConfiguration {
        var block = VRRPInstanceConfiguration(
            name: name, interface: "eth0", virtualRouterID: 51,
            delivery: .unicast(peers: [UnicastPeer(.v4(IPv4Address(192, 0, 2, peer)))], timeToLive: 255))
        block.sourceAddress = .v4(own)
        block.checkUnicastSource = true
        block.sharesNumber = true
        if let prefix = IPPrefix("192.0.2.\(address)/32") {
            block.virtualAddresses = [AddressLine(prefix, device: "eth0")]
        }
        return block
    }

    @Test func `each hears its own peer, and a reload does not mix them up`() throws {
        var director = Director()
        let now = Instant.zero
        let configuration = Configuration(instances: [
            block("A", peer: 2, address: 101), block("B", peer: 3, address: 102),
        ])
        _ = director.handle(.configuration(configuration), at: now)
        #expect(director.order.count == 2)
        var snapshot = RouteSnapshot()
        snapshot.links = [Link(index: 2, name: "eth0", flags: Link.up | Link.running)]
        let prefix = try #require(IPPrefix("192.0.2.201/24"))
        snapshot.addresses = [InterfaceAddress(link: 2, prefix: prefix)]
        _ = director.handle(.snapshot(snapshot, then: []), at: now)
        _ = director.handle(.start([:], uptime: .zero), at: now)
        for request in director.takeChannels(at: now) {
            _ = director.handle(.channel(request.key, failure: nil), at: now)
        }
        let key = try #require(director.channels.keys.first)
        #expect(director.channels.count == 1)
        for peer: UInt8 in [3, 3, 9] {
            let source = IPv4Address(192, 0, 2, peer)
            var packet: [UInt8] = []
            let advertisement = Advertisement(
                version: .v2, virtualRouterID: 51, priority: 200, interval: .seconds(1),
                addresses: [.v4(IPv4Address(192, 0, 2, 102))])
            advertisement.encodePacket(into: &packet, from: .v4(source), to: .v4(own), checksum: .pseudoHeader)
            _ = director.handle(.packet(packet[...], through: key), at: now)
        }
        let received = director.order.map { director.routers[$0]?.machine.statistics.received }
        #expect(received == [0, 2])
        // What nobody's peer sends is refused, once.
        let refused = director.order.map { director.routers[$0]?.machine.statistics.refused.values.reduce(0, +) }
        #expect(refused == [1, 0])

        let before = director.order
        _ = director.handle(.configuration(configuration), at: now)
        #expect(director.order == before)
        _ = director.handle(.configuration(Configuration(instances: [configuration.instances[1]])), at: now)
        #expect(director.order == [before[1]])
    }
}
