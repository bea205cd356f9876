// An interface that is deleted under a master takes its addresses and the way for the last words with it: neither is anybody's doing, and
// neither is worth an alarm.

import Net
import Testing

@testable import Configuration
@testable import VRRP

@Suite struct DeletedInterfaceTests {
    private let eth0 = Link(
        index: 2, name: "eth0", flags: Link.up | Link.running, mac: MACAddress(rawValue: 0x0200_0000_0007))

    /// A master of 192.0.2.100 on eth0.
    private func master() throws -> (director: Director, id: RouterID, held: InterfaceAddress, now: Instant) {
        var block = VRRPInstanceConfiguration(name: "VI_1", interface: "eth0", virtualRouterID: 51)
        block.virtualAddresses = [AddressLine(try #require(IPPrefix("192.0.2.100/32")), device: "eth0")]
        var director = Director()
        _ = director.handle(.configuration(Configuration(instances: [block])), at: .zero)
        var snapshot = RouteSnapshot()
        snapshot.links = [eth0]
        snapshot.addresses = [InterfaceAddress(link: 2, prefix: try #require(IPPrefix("192.0.2.1/24")))]
        _ = director.handle(.snapshot(snapshot, then: []), at: .zero)
        _ = director.handle(.start([:], uptime: .zero), at: .zero)
        for request in director.takeChannels(at: .zero) {
            _ = director.handle(.channel(request.key, failure: nil), at: .zero)
        }
        let now = Instant.zero + .seconds(10)
        let sends = director.handle(.timer, at: now)
        #expect(sends.isUnfinished && sends.changes.isEmpty && sends.sends.map(\.advertisement.priority) == [100])
        let effects = director.handle(.sent, at: now)
        #expect(effects.sends.isEmpty)
        _ = director.handle(.changed(effects.changes, refused: [:]), at: now)
        let id = try #require(director.order.first)
        #expect(director.routers[id]?.isMaster == true)
        return (director, id, try #require(effects.changes.first?.address?.object), now)
    }

    @Test func `what goes with its interface was taken off by nobody`() throws {
        var (director, id, held, now) = try master()
        let effects = director.handle(.links([.addressGone(held), .linkGone(eth0)]), at: now)
        #expect(!effects.remarks.contains { if case .takenOff = $0 { true } else { false } })
        #expect(effects.sends.map(\.advertisement.priority) == [0])
        _ = director.handle(.sending(id, failure: "No such device"), at: now)
        #expect(!director.isMute(id))
    }

    @Test func `what went before its interface came was taken off, and is put back`() throws {
        var (director, _, held, now) = try master()
        let effects = director.handle(.links([.addressGone(held)]), at: now)
        #expect(effects.remarks.contains { if case .takenOff = $0 { true } else { false } })
        #expect(effects.changes == [.address(.add(held))])
    }

    @Test func `an interface that is there again at once has the address again`() throws {
        var (director, _, held, now) = try master()
        let own = InterfaceAddress(link: 2, prefix: try #require(IPPrefix("192.0.2.1/24")))
        let events: [RouteEvent] = [
            .addressGone(held), .addressGone(own), .linkGone(eth0), .link(eth0), .address(own),
        ]
        let effects = director.handle(.links(events), at: now)
        #expect(effects.changes == [.address(.add(held))])
        #expect(director.channelsChanged)
    }

    @Test func `who is no master has no trouble with advertisements that do not leave`() throws {
        var (director, id, held, now) = try master()
        _ = director.handle(.sending(id, failure: "Operation not permitted"), at: now)
        #expect(director.isMute(id))
        _ = director.handle(.links([.addressGone(held), .linkGone(eth0)]), at: now)
        #expect(!director.isMute(id))
    }

    @Test func `an address that came before the carrier is announced with the carrier`() throws {
        var (director, _, held, now) = try master()
        var late = Link(index: 9, name: "late0", flags: 0, mac: MACAddress(rawValue: 0x0200_0000_0009))
        var block = VRRPInstanceConfiguration(name: "VI_1", interface: "eth0", virtualRouterID: 51)
        block.virtualAddresses = [
            AddressLine(held.prefix, device: "eth0"),
            AddressLine(try #require(IPPrefix("198.51.100.7/24")), device: "late0"),
        ]
        block.virtualAddresses[1].isTracked = false
        _ = director.handle(.configuration(Configuration(instances: [block])), at: now)
        var effects = director.handle(.links([.link(late)]), at: now)
        #expect(effects.changes.map { $0.address?.object.link } == [9])
        effects = director.handle(.changed(effects.changes, refused: [:]), at: now)
        #expect(effects.announcements.isEmpty, "nobody would hear it")
        late.flags = Link.up | Link.running
        effects = director.handle(.links([.link(late)]), at: now)
        #expect(effects.announcements.map(\.addresses) == [[.v4(IPv4Address(198, 51, 100, 7))]])
    }
}
