// Two masters that hear each other and do not come to terms: said while it lasts, and not while masters merely change.
import Net
import Testing

@testable import Configuration
@testable import VRRP

@Suite struct RivalTests {
    private let own = IPv4Address(192, 0, 2, 201)
    private let other = IPv4Address(192, 0, 2, 9)
    private let group = IPv4Address(224, 0, 0, 18)

    /// A director whose only router is master, and the time of that.
    private func master(
        _ prepare: (inout VRRPInstanceConfiguration) -> Void = { _ in }
    ) throws -> (Director, Instant, ChannelKey, RouterID) {
        var block = VRRPInstanceConfiguration(
            name: "A", interface: "eth0", virtualRouterID: 51, delivery: .multicast(group: .v4(group)))
        block.priority = 100
        block.virtualAddresses = [AddressLine(try #require(IPPrefix("192.0.2.100/32")), device: "eth0")]
        prepare(&block)
        var director = Director()
        var now = Instant.zero
        _ = director.handle(.configuration(Configuration(instances: [block])), at: now)
        var snapshot = RouteSnapshot()
        snapshot.links = [Link(index: 2, name: "eth0", flags: Link.up | Link.running)]
        snapshot.addresses = [InterfaceAddress(link: 2, prefix: try #require(IPPrefix("192.0.2.201/24")))]
        _ = director.handle(.snapshot(snapshot, then: []), at: now)
        _ = director.handle(.start([:], uptime: .zero), at: now)
        for request in director.takeChannels(at: now) {
            _ = director.handle(.channel(request.key, failure: nil), at: now)
        }
        let id = try #require(director.order.first)
        now = now + .seconds(5)
        _ = director.handle(.timer, at: now)
        _ = director.handle(.sent, at: now)
        #expect(director.routers[id]?.isMaster == true)
        return (director, now, try #require(director.channels.keys.first), id)
    }

    private func packet(
        priority: UInt8, version: ProtocolVersion = .v2, from last: UInt8 = 9
    ) -> ArraySlice<UInt8> {
        var packet: [UInt8] = []
        Advertisement(
            version: version, virtualRouterID: 51, priority: priority, interval: .seconds(1),
            addresses: [.v4(IPv4Address(192, 0, 2, 100))]
        ).encodePacket(into: &packet, from: .v4(IPv4Address(192, 0, 2, last)), to: .v4(group), checksum: .pseudoHeader)
        return packet[...]
    }

    @Test(arguments: [(3, 3), (49, 49), (50, 0), (60_000, 0), (-3, 0)])
    func `what waited long, or comes from the future, counts from now`(age: Int, counted: Int) throws {
        var (director, now, key, id) = try master()
        now = now + .seconds(100)
        _ = director.handle(.packet(packet(priority: 200), through: key, arrived: now - .milliseconds(age)), at: now)
        // Version 2, one second, priority 100.
        #expect(director.routers[id]?.machine.deadline == now - .milliseconds(counted) + .microseconds(3_609_375))
    }

    @Test func `a backup names whose advertisements it drops, and no more when they are accepted`() throws {
        var (director, now, key, id) = try master()
        // A higher one of the right version makes it a backup.
        _ = director.handle(.packet(packet(priority: 200), through: key), at: now)
        #expect(director.routers[id]?.machine.state.name == .backup)
        _ = director.takeChanged()
        for times in 1...4 {
            _ = director.handle(.packet(packet(priority: 200, version: .v3), through: key), at: now)
            let expected = times < 3 ? nil : "version 3 is not the configured one"
            #expect(director.concerns(of: id, at: now).unheard?.refusal.map { "\($0)" } == expected)
            #expect(director.concerns(of: id, at: now).rival == nil)
            now = now + .milliseconds(300)
        }
        #expect(director.takeChanged() == [id])
        now = now + .seconds(3)
        _ = director.handle(.packet(packet(priority: 200), through: key), at: now)
        now = now + .seconds(15)
        _ = director.handle(.packet(packet(priority: 200), through: key), at: now)
        #expect(director.concerns(of: id, at: now).unheard == nil)
    }

    @Test func `each sender has a record: what it speaks, what was accepted and what was not`() throws {
        var (director, now, key, id) = try master()
        for priority in [50, 60] as [UInt8] {
            _ = director.handle(.packet(packet(priority: priority), through: key), at: now)
        }
        now = now + .milliseconds(5)
        _ = director.handle(.packet(packet(priority: 70, version: .v3), through: key), at: now)
        let peers = try #require(director.view(of: id)).peers
        #expect(peers.map(\.address) == [.v4(other)])
        let record = try #require(peers.first?.record)
        #expect(record.received == 2)
        #expect(record.last?.priority == 60)
        #expect(record.last?.version == .v2)
        #expect(record.refused == [.version: 1])
        #expect(record.refusal == .version(3))
        #expect(record.heardAt == now)
    }

    @Test func `invented senders do not fill the memory, and the latest ones are kept`() throws {
        var table = PeerTable()
        for number in 0..<1000 {
            let source = IPAddress.v4(IPv4Address(rawValue: UInt32(number)))
            table.refused(.type(2), from: source, isAccepted: false, at: .zero + .milliseconds(number))
        }
        #expect(table.records.count == PeerTable.limit)
        #expect(table.records[.v4(IPv4Address(rawValue: 999))] != nil)
        #expect(table.records[.v4(IPv4Address(rawValue: 0))] == nil)
    }

    @Test func `a lower master that does not yield is named at the third time, and no more when it is silent`() throws {
        var (director, now, key, id) = try master()
        for times in 1...4 {
            _ = director.handle(.packet(packet(priority: 50), through: key), at: now)
            let expected = times < 3 ? nil : Director.Rival(address: .v4(other), refusal: nil)
            #expect(director.concerns(of: id, at: now).rival == expected)
            if times == 3 { #expect(director.takeChanged() == [id]) }
            now = now + .seconds(1)
        }
        for _ in 0..<20 {
            now = now + .seconds(1)
            _ = director.handle(.timer, at: now)
        }
        #expect(director.concerns(of: id, at: now).rival == nil)
        #expect(director.takeChanged().contains(id))
    }

    @Test func `two senders that take turns are known, one of them is named, and a third is not lost`() throws {
        var (director, now, key, id) = try master()
        _ = director.takeChanged()
        for _ in 0..<20 {
            for last in [9, 10, 11] as [UInt8] {
                _ = director.handle(.packet(packet(priority: 50, version: .v3, from: last), through: key), at: now)
            }
            now = now + .milliseconds(300)
        }
        #expect(director.concerns(of: id, at: now).rival?.address == .v4(other))
        // One change of the state, however often they speak; the refusal itself is news once.
        _ = director.takeChanged()
        for _ in 0..<20 {
            for last in [9, 10, 11] as [UInt8] {
                _ = director.handle(.packet(packet(priority: 50, version: .v3, from: last), through: key), at: now)
            }
        }
        #expect(director.takeChanged().isEmpty)
        // The named one is silent: the next one is named.
        for _ in 0..<20 {
            now = now + .seconds(1)
            _ = director.handle(.packet(packet(priority: 50, version: .v3, from: 11), through: key), at: now)
            _ = director.handle(.timer, at: now)
        }
        #expect(director.concerns(of: id, at: now).rival?.address == .v4(IPv4Address(192, 0, 2, 11)))
    }

    @Test func `another reason takes the place of the first not sooner than after ten seconds`() throws {
        var (director, now, key, id) = try master()
        for _ in 0..<3 {
            now = now + .milliseconds(300)
            _ = director.handle(.packet(packet(priority: 50, version: .v3), through: key), at: now)
        }
        #expect(director.concerns(of: id, at: now).rival?.refusal?.reason == .version)
        var changes = 0
        for step in 0..<40 {
            now = now + .milliseconds(500)
            var packet = packet(priority: 50, version: step % 2 == 0 ? .v2 : .v3)
            if step % 2 == 0 { packet[packet.startIndex + 26] ^= 0xFF }
            _ = director.takeChanged()
            let before = director.concerns(of: id, at: now).rival
            _ = director.handle(.packet(packet, through: key), at: now)
            if director.concerns(of: id, at: now).rival != before { changes += 1 }
        }
        #expect((1...2).contains(changes), "\(changes)")
    }

    @Test func `a master whose advertisements are refused is named with the reason`() throws {
        var (director, now, key, id) = try master()
        for _ in 1...3 {
            now = now + .milliseconds(300)
            _ = director.handle(.packet(packet(priority: 50, version: .v3), through: key), at: now)
        }
        #expect(director.concerns(of: id, at: now).rival?.refusal != nil)
        // The one that wins ends it.
        _ = director.handle(.packet(packet(priority: 200), through: key), at: now)
        #expect(director.concerns(of: id, at: now).rival == nil)
        now = now + .seconds(1)
        #expect(director.routers[id]?.isMaster == false)
    }

    @Test func `what waited together after a pause is answered once, and names nobody`() throws {
        var (director, now, key, id) = try master()
        now = now + .seconds(7)
        var sent = 0
        for number in 1...7 {
            let effects = director.handle(
                .packet(packet(priority: 50), through: key, isLast: number == 7), at: now)
            sent += effects.sends.count
        }
        #expect(sent == 1)
        #expect(director.concerns(of: id, at: now).rival == nil)
        // One that goes on is answered, and named.
        for _ in 1...2 {
            now = now + .seconds(1)
            _ = director.handle(.packet(packet(priority: 50), through: key), at: now)
        }
        #expect(director.concerns(of: id, at: now).rival?.address == .v4(other))
    }

    @Test func `a late master that gives way announces nothing that it takes off`() throws {
        var (director, now, _, _) = try master {
            $0.lateYieldsTo = 254
            $0.gratuitousARP.refresh = .seconds(2)
        }
        // The address is there, and was announced.
        var snapshot = RouteSnapshot()
        snapshot.links = [Link(index: 2, name: "eth0", flags: Link.up | Link.running)]
        snapshot.addresses = [
            InterfaceAddress(link: 2, prefix: try #require(IPPrefix("192.0.2.201/24"))),
            InterfaceAddress(link: 2, prefix: try #require(IPPrefix("192.0.2.100/32"))),
        ]
        _ = director.handle(.snapshot(snapshot, then: []), at: now)
        now = now + .seconds(1)
        _ = director.handle(.timer, at: now)
        _ = director.handle(.sent, at: now)
        now = now + .seconds(20)
        let effects = director.handle(.timer, at: now)
        #expect(effects.sends.map(\.advertisement.priority) == [0])
        #expect(effects.announcements.isEmpty)
    }
}
