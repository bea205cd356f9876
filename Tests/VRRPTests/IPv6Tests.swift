// IPv6 virtual routers: the link-local address that they speak from, duplicate address detection, neighbour advertisements, and the filter
// of the sockets.

import Configuration
import Net
import Netlink
import Testing

@testable import VRRP
@testable import vrrpd

/// One host with IPv6 on eth0 (2), whose link-local address is ready after a second.
private func sixth(_ blocks: [VRRPInstanceConfiguration]) -> (SimulatedNetwork, ScriptedHost) {
    let network = SimulatedNetwork()
    let host = ScriptedHost(0, Configuration(instances: blocks), in: network)
    network.hosts = [host]
    host.hasIPv6 = true
    host.set(2, "eth0")
    host.add("10.0.0.1/24", to: 2)
    return (network, host)
}

private let addresses = ["fe80::33/64", "2001:db8::100/64", "2001:db8::101"]

@Suite struct IPv6Tests {
    @Test func `an IPv6 router waits for its link-local address, then advertises, adds, announces`() throws {
        let (network, host) = sixth([block(addresses: addresses)])
        host.forwarding = ["eth0"]
        host.start()
        network.run(.milliseconds(900))
        #expect(host.state() == .fault)
        #expect(host.concerns().faults == [.noLinkLocalAddress("eth0")])
        network.run(.milliseconds(200))
        #expect(host.state() == .backup)
        network.run(.milliseconds(3700))
        #expect(host.state() == .master)
        #expect(host.sent.first?.source == address("fe80::1"))
        #expect(host.shown(2) == ["fe80::1/64", "10.0.0.1/24", "fe80::33/64", "2001:db8::100/64", "2001:db8::101/128"])
        let added = host.requests.map(\.object)
        #expect(added.allSatisfy { $0.flags == InterfaceAddress.noDuplicateDetection })
        #expect(added.allSatisfy { $0.origin == InterfaceAddress.ofVRRP })
        // A /128 is not to be chosen as a source.
        #expect(added.map(\.preferredLifetime) == [nil, nil, 0])
        let frames = host.frames.map(\.bytes)
        #expect(frames.count == 15)
        for frame in frames {
            #expect(frame[0..<6] == [0x33, 0x33, 0, 0, 0, 1])
            #expect(frame[21] == 255, "hop limit")
            #expect(frame[22..<38] == frame[62..<78], "from the address itself")
            #expect(IPAddress(octets: frame[38..<54]) == address("ff02::1"))
            #expect(frame[58] == 0xA0, "router and override, not solicited")
            #expect(frame[78..<80] == [2, 1], "target link-layer address")
        }
    }

    @Test func `a link-local address that goes is a fault, and its return is seen`() {
        let (network, host) = sixth([block(addresses: addresses)])
        host.start()
        network.run(.seconds(6))
        #expect(host.state() == .master)
        host.remove("fe80::1/64", from: 2)
        network.run(.milliseconds(10))
        #expect(host.state() == .fault)
        #expect(host.sent.last?.priority == 0)
        host.add("fe80::7/64", to: 2)
        network.run(.seconds(6))
        #expect(host.state() == .master)
        #expect(host.sent.last?.source == address("fe80::7"))
    }

    @Test func `addresses that go with their interface were taken off by nobody`() {
        let (network, host) = sixth([block(addresses: addresses)])
        host.start()
        network.run(.seconds(6))
        host.forget()
        host.set(2, "eth0", up: false)
        network.run(.milliseconds(10))
        #expect(host.state() == .fault)
        #expect(!host.remarks.contains { if case .takenOff = $0 { true } else { false } })
        host.set(2, "eth0")
        network.run(.seconds(6))
        #expect(host.state() == .master)
        #expect(host.shown(2).contains("2001:db8::100/64"))
        #expect(host.concerns().isEmpty)
    }

    @Test func `an address with -nodad is announced when the host answers for it`() {
        var careful = block(addresses: ["2001:db8::100/64"])
        careful.virtualAddresses[0].skipsDuplicateDetection = false
        let (network, host) = sixth([careful])
        host.start()
        network.run(.milliseconds(5500))
        #expect(host.state() == .master)
        #expect(host.frames.isEmpty)
        network.run(.milliseconds(600))
        #expect(host.frames.count == 5)
    }

    @Test func `an address that another host has is an alarm`() {
        var careful = block(addresses: ["2001:db8::100/64"])
        careful.virtualAddresses[0].skipsDuplicateDetection = false
        let (network, host) = sixth([careful])
        host.start()
        network.run(.milliseconds(5500))
        host.fail("2001:db8::100/64", on: 2)
        network.run(.seconds(2))
        #expect(host.frames.isEmpty)
        #expect(host.concerns().addresses.contains { if case .isOnAnotherHost = $0 { true } else { false } })
    }

    @Test func `one number runs in both families side by side`() {
        let (network, host) = sixth([block(addresses: addresses), block("VI_4", addresses: ["10.0.0.100/24"])])
        host.start()
        network.run(.seconds(6))
        #expect(host.state("VI_1") == .master)
        #expect(host.state("VI_4") == .master)
        #expect(Set(host.sent.map(\.source)) == [address("fe80::1"), address("10.0.0.1")])
    }

    @Test func `a virtual link-local address is nobody's source`() {
        let (network, host) = sixth([block(addresses: ["fe80::33/64"])])
        host.add("fe80::33/64", to: 2)
        host.start()
        network.run(.seconds(6))
        #expect(host.sent.first?.source == address("fe80::1"))
    }

    @Test func `unicast speaks from where its peers are`() {
        var onLink = block(addresses: addresses)
        onLink.delivery = .unicast(peers: [UnicastPeer(address("fe80::9"))], timeToLive: 255)
        var routed = block("VI_2", router: 52, addresses: ["2001:db8::102/64"])
        routed.delivery = .unicast(peers: [UnicastPeer(address("2001:db8:1::9"))], timeToLive: 64)
        let (network, host) = sixth([onLink, routed])
        host.add("2001:db8::1/64", to: 2)
        host.start()
        network.run(.seconds(6))
        #expect(host.sent.first { $0.router == 51 }?.source == address("fe80::1"))
        #expect(host.sent.first { $0.router == 52 }?.source == address("2001:db8::1"))
    }

    @Test func `an owner that ignores advertisements does not yield, others do`() {
        for (priority, ignores, isMaster) in [(255, true, true), (255, false, false), (254, true, false)]
            as [(
                UInt8, Bool, Bool
            )]
        {
            let configuration = RouterConfiguration(
                version: .v3, virtualRouterID: 1, priority: priority, ownerIgnoresAdvertisements: ignores)
            var router = VirtualRouter(configuration, sourceAddress: address("fe80::1"))
            _ = router.start(at: .zero, continuing: true)
            _ = router.received(configuration.advertisement(priority: 255), from: address("fe80::2"), at: .zero)
            #expect((router.state.name == .master) == isMaster)
        }
    }

    @Test func `unicast_fault_no_peer is a fault while there is no peer`() {
        var deserted = block()
        deserted.delivery = .unicast(peers: [], timeToLive: 255)
        let (network, host) = sixth([deserted])
        host.start()
        network.run(.seconds(5))
        #expect(host.state() == .fault)
        #expect(host.concerns().faults == [.noUnicastPeer])
        deserted.delivery = .unicast(peers: [UnicastPeer(address("10.0.0.2"))], timeToLive: 255)
        host.reload(Configuration(instances: [deserted]))
        network.run(.seconds(5))
        #expect(host.state() == .master)
    }

    @Test func `equal priorities are settled by the address as one number`() {
        let configuration = RouterConfiguration(version: .v3, virtualRouterID: 1)
        let advertisement = configuration.advertisement(priority: 100)
        for (own, other, wins) in [
            ("fe80::1", "fe80::2", false), ("fe80::2", "fe80::1", true),
            ("fe80::ffff:ffff:ffff:ffff", "fe80:0:0:1::", false), ("fe80:0:0:1::", "fe80::ffff:ffff:ffff:ffff", true),
        ] {
            var router = VirtualRouter(configuration, sourceAddress: address(own))
            _ = router.start(at: .zero, continuing: true)
            _ = router.received(advertisement, from: address(other), at: .zero + .milliseconds(1))
            #expect((router.state.name == .master) == wins, "\(own) against \(other)")
        }
    }
}

@Suite struct ReceiveFilterTests {
    private func heard(_ director: inout Director) -> [UInt8] {
        let sets = director.takeChannels(at: .zero).map(\.routers)
        return (0...255).filter { id in sets.contains { $0.contains(id) } }
    }

    private func director(_ routers: [UInt8], listensToAll: Bool = false) -> (Director, Configuration) {
        var director = Director()
        var configuration = Configuration(instances: routers.map { block("V\($0)", router: $0) })
        configuration.global.logsUnknownRouters = listensToAll
        _ = director.handle(.configuration(configuration), at: .zero)
        var snapshot = RouteSnapshot()
        snapshot.links = [Link(index: 2, name: "eth0", flags: 0x1043, mac: MACAddress(rawValue: 0x0200_0000_0001))]
        snapshot.addresses = [InterfaceAddress(link: 2, prefix: IPPrefix(host: .v4(IPv4Address(10, 0, 0, 1))))]
        _ = director.handle(.snapshot(snapshot, then: []), at: .zero)
        return (director, configuration)
    }

    @Test func `the sockets of an interface are one channel that hears its virtual routers`() {
        var (director, _) = director([1, 31, 32, 255])
        let requests = director.takeChannels(at: .zero)
        #expect(requests.map(\.work) == [.open])
        #expect(heard(&director) == [1, 31, 32, 255])
    }

    @Test func `a reload changes what is heard`() {
        var (director, configuration) = director([1, 2])
        for request in director.takeChannels(at: .zero) {
            _ = director.handle(.channel(request.key, failure: nil), at: .zero)
        }
        configuration.instances = [block("V2", router: 2), block("V3", router: 3)]
        _ = director.handle(.configuration(configuration), at: .zero)
        #expect(director.channelsChanged)
        let requests = director.takeChannels(at: .zero)
        #expect(requests.map(\.work) == [.filter])
        #expect(requests.map(\.routers) == [VirtualRouterIDs([2, 3])])
        #expect(director.takeChannels(at: .zero).map(\.work) == [.none])
    }

    @Test func `log_unknown_vrids hears everybody, and says each once`() throws {
        var (director, configuration) = director([1], listensToAll: true)
        #expect(heard(&director).count == 256)
        let key = try #require(director.channels.keys.first)
        var packet: [UInt8] = []
        RouterConfiguration(version: .v3, virtualRouterID: 9).advertisement(priority: 1).encodePacket(
            into: &packet, from: address("10.0.0.9"), to: .v4(Advertisement.group4), checksum: .messageOnly)
        let said = (0..<3).map { _ in director.handle(.packet(packet[...], through: key), at: .zero).remarks.count }
        #expect(said == [1, 0, 0])
        configuration.global.logsUnknownRouters = false
        _ = director.handle(.configuration(configuration), at: .zero)
        #expect(heard(&director) == [1])
    }

    @Test func `a filter that cannot be set is a fault, and the sockets are opened anew`() {
        let (network, host) = sixth([block()])
        host.start()
        network.run(.seconds(5))
        #expect(host.state() == .master)
        host.filteringFails = 1
        host.reload(Configuration(instances: [block(), block("VI_2", router: 52, addresses: ["10.0.0.102/24"])]))
        #expect(host.state() == .fault)
        network.run(.seconds(7))
        #expect(host.state() == .master)
        #expect(host.state("VI_2") == .master)
    }
}
