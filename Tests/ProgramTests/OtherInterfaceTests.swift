// What an instance has besides its own interface, against the kernel and beside keepalived 2.2.7 with the same file: macvlans for addresses on
// another interface, announcements there, `promote_secondaries`, and static addresses that it cannot do without.

import Bus
import Glibc
import Net
import Netlink
import Platform
import Testing
import VRRP

private let virtualMAC = MACAddress(rawValue: 0x0000_5E00_0133)
/// On eth1, which joins hosts a and b.
private let otherAddress = "10.78.0.100"

private func text(_ priority: Int, _ more: String, line: String = "10.78.0.100/24 dev eth1") -> String {
    """
    vrrp_instance VI_1 {
     state BACKUP
     interface eth0
     virtual_router_id 51
     priority \(priority)
     version 3
     advert_int 0.1
     \(more)
     virtual_ipaddress {
     10.77.0.100/24
     }
     virtual_ipaddress_excluded {
     \(line)
     }
    }

    """
}

/// Two routers that have eth1 besides.
private struct Pair {
    let segment: Segment
    let frames: Frames
    let routers: [Router]

    init(_ programs: [Implementation], _ texts: [String]) throws {
        let segment = try Segment(hosts: 3)
        self.segment = segment
        let names = segment.hosts.map(\.namespace)
        try segment.ip([
            "-n", names[0], "link", "add", "eth1", "type", "veth", "peer", "name", "eth1", "netns", names[1],
        ])
        for (number, name) in names.prefix(2).enumerated() {
            try segment.ip(["-n", name, "addr", "add", "10.78.0.\(number + 1)/24", "dev", "eth1"])
            try segment.ip(["-n", name, "link", "set", "eth1", "up"])
        }
        frames = try Frames(on: segment.hosts[1], loop: segment.loop)
        routers = try [0, 1].map { try Router(programs[$0], on: segment.hosts[$0], of: segment, texts[$0]) }
    }

    func holds(_ names: [String], within limit: Duration = .seconds(20)) throws {
        do {
            try segment.eventually("\(names) hold both", within: limit) {
                try segment.holders(of: virtualAddress) == names && segment.holders(of: otherAddress) == names
            }
        } catch {
            Issue.record("\(error)\n\(routers[0].log.suffix(3000))\n──\n\(routers[1].log.suffix(3000))")
            throw error
        }
    }

    func snapshot(_ number: Int) throws -> RouteSnapshot {
        try segment.hosts[number].inside { try RouteNetlink() }.snapshot()
    }

    /// Where a host has the address on eth1's side: the interface, and what that is on.
    func place(_ number: Int) throws -> (link: Link, parent: Link?)? {
        let snapshot = try snapshot(number)
        let address = snapshot.addresses.first { "\($0.prefix.address)" == otherAddress }
        guard let link = snapshot.links.first(where: { $0.index == address?.link }) else { return nil }
        return (link, snapshot.links.first { $0.index == link.parent })
    }
}

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(5)))
struct OtherInterfaceTests {
    private static let pairs: [[Implementation]] = [[.vrrpd, .keepalived], [.keepalived, .vrrpd]]

    @Test(arguments: pairs) func `use_vmac_addr has the virtual MAC on another interface, also across a failover`(
        programs: [Implementation]
    ) throws {
        let more = "use_vmac_addr\n garp_extra_if 1"
        let pair = try Pair(programs, [text(150, more), text(100, more)])
        for router in pair.routers { try router.start() }
        try pair.holds(["a"])
        let place = try #require(try pair.place(0))
        #expect(place.link.isPrivateMacvlan && place.link.mac == virtualMAC && place.link.name == "vrrp.51")
        #expect(place.parent?.name == "eth1")
        // The burst, and then one a second.
        try pair.segment.eventually("it is announced again", within: .seconds(10)) {
            let times = pair.frames.of(otherAddress).map(\.at)
            return times.last.map { $0 - times[0] > .seconds(2) } ?? false
        }
        #expect(pair.frames.of(otherAddress).allSatisfy { $0.mac == virtualMAC && $0.source == virtualMAC })
        // Advertisements come from the interface itself.
        let own = try pair.snapshot(0).links.first { $0.name == "eth0" }?.mac
        let spoken = pair.frames.advertisements.filter { $0.address == IPAddress("10.77.0.1") }
        #expect(!spoken.isEmpty && spoken.allSatisfy { $0.source == own })
        try pair.routers[0].end(SIGTERM)
        try pair.holds(["b"])
        let after = try #require(try pair.place(1))
        #expect(after.link.mac == virtualMAC && after.parent?.name == "eth1")
        let left = try pair.snapshot(0).links.filter { $0.name.hasPrefix("vrrp") }
        #expect(left.isEmpty)
    }

    @Test(arguments: pairs) func `use_vmac of an address is for that address alone`(programs: [Implementation]) throws {
        let line = "10.78.0.100/24 dev eth1 use_vmac\n 10.78.0.101/24 dev eth1"
        let pair = try Pair(programs, [text(150, "", line: line), text(100, "", line: line)])
        for router in pair.routers { try router.start() }
        try pair.holds(["a"])
        #expect(try pair.place(0)?.link.mac == virtualMAC)
        // keepalived adds one after the other.
        try pair.segment.eventually("the other one is on eth1 itself", within: .seconds(5)) {
            let snapshot = try pair.snapshot(0)
            let other = snapshot.addresses.first { "\($0.prefix.address)" == "10.78.0.101" }
            return snapshot.links.first { $0.index == other?.link }?.name == "eth1"
        }
    }

    @Test(arguments: Implementation.allCases) func `promote_secondaries is on while the program runs`(
        program: Implementation
    ) throws {
        let pair = try Pair([program, .vrrpd], [text(150, "promote_secondaries"), text(100, "")])
        func value() throws -> UInt32? {
            try pair.snapshot(0).links.first { $0.name == "eth0" }?.ipv4?.promotesSecondaries
        }
        let host = pair.segment.hosts[0]
        try pair.segment.run([
            "/sbin/ip", "netns", "exec", host.namespace, "/sbin/sysctl", "-qw",
            "net.ipv4.conf.eth0.promote_secondaries=0",
        ])
        try pair.routers[0].start()
        try pair.holds(["a"])
        #expect(try value() == 1)
        try pair.routers[0].end(SIGTERM)
        try pair.segment.eventually("it is as it was", within: .seconds(5)) { try value() == 0 }
    }

    @Test(arguments: Implementation.allCases) func `a static address of a track_group keeps its instance in FAULT`(
        program: Implementation
    ) throws {
        // keepalived knows a group from there on only.
        let more = """
            track_group G {
             group {
             VI_1
             }
            }
            static_ipaddress {
             10.79.0.1/24 dev eth1 track_group G
            }

            """
        // The other address is on eth0, so that only the static one has to do with eth1.
        let line = "10.78.0.100/24"
        let pair = try Pair([program, .vrrpd], [more + text(150, "", line: line), text(100, "", line: line)])
        for router in pair.routers { try router.start() }
        try pair.holds(["a"])
        #expect(try pair.segment.holders(of: "10.79.0.1") == ["a"])
        try pair.segment.ip(["-n", pair.segment.hosts[0].namespace, "link", "set", "eth1", "down"])
        try pair.holds(["b"])
        try pair.segment.ip(["-n", pair.segment.hosts[0].namespace, "link", "set", "eth1", "up"])
        try pair.holds(["a"])
        #expect(try pair.segment.holders(of: "10.79.0.1") == ["a"])
    }
}
