// IPv6 elections between vrrpd and keepalived 2.2.7 in both roles, and what is on the wire and in the kernel: source, hop limit, checksum,
// neighbour advertisements, flags of the addresses.

import Bus
import Glibc
import Net
import Netlink
import Platform
import Testing
import VRRP

private let linkLocal = "fe80::5100"
private let global = "2001:db8:77::100"
private let single = "2001:db8:77::101"

/// VI_6 at a priority.
private func text(_ priority: Int, _ more: String = "") -> String {
    """
    vrrp_instance VI_6 {
     state BACKUP
     interface eth0
     virtual_router_id 51
     priority \(priority)
     version 3
     advert_int 0.1
     \(more)
     virtual_ipaddress {
     \(linkLocal)/64
     \(global)/64
     \(single)
     }
     virtual_ipaddress_excluded {
     10.77.0.100/24
     }
    }

    """
}

/// Two routers on hosts a and b, an observer on host c.
private struct Duel {
    let segment: Segment
    let wire: Wire
    let routers: [Router]
    /// The link-local addresses of a and b.
    let sources: [IPAddress]

    init(_ programs: [Implementation], _ configurations: (Segment) throws -> [String]) throws {
        let segment = try Segment(hosts: 3)
        self.segment = segment
        sources = try [0, 1].map { try segment.linkLocal(of: segment.hosts[$0]) }
        _ = try segment.linkLocal(of: segment.hosts[2])
        wire = try Wire(on: segment.hosts[2], loop: segment.loop, family: .inet6)
        let texts = try configurations(segment)
        routers = try [0, 1].map { try Router(programs[$0], on: segment.hosts[$0], of: segment, texts[$0]) }
    }

    func holds(_ names: [String], within limit: Duration = .seconds(20)) throws {
        do {
            for address in [linkLocal, global, single, virtualAddress] {
                try segment.eventually("\(names) hold \(address)", within: limit) {
                    try segment.holders(of: address) == names
                }
            }
        } catch {
            Issue.record("\(error)\n\(routers[0].log.suffix(3000))\n──\n\(routers[1].log.suffix(3000))")
            throw error
        }
    }

    /// Addresses of a host's eth0 as the kernel has them.
    func addresses(of host: Host) throws -> [InterfaceAddress] {
        try host.inside { try RouteNetlink() }.snapshot().addresses
    }
}

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(5)))
struct IPv6ElectionTests {
    private static let pairs: [[Implementation]] = [[.vrrpd, .keepalived], [.keepalived, .vrrpd], [.vrrpd, .vrrpd]]

    @Test(arguments: pairs) func `an IPv6 master is elected, dies, is replaced, and preempts when it is back`(
        programs: [Implementation]
    ) throws {
        let duel = try Duel(programs) { _ in [text(150), text(100)] }
        try duel.routers[1].start()
        try duel.holds(["b"])
        try duel.routers[0].start()
        try duel.holds(["a"])
        try duel.segment.observe(for: .milliseconds(500))
        try duel.routers[0].crash()
        let died = duel.segment.loop.refreshNow()
        try duel.holds(["a", "b"])
        if programs[1] == .vrrpd {
            let took = duel.segment.loop.refreshNow() - died
            #expect(took < Dialect.version3.limit(priority: 100) + duel.segment.slack)
        }
        try duel.segment.observe(for: .milliseconds(700))
        try duel.routers[0].start()
        try duel.holds(["a"])
        try duel.routers[0].end(SIGTERM)
        try duel.holds(["b"])
        let last = try #require(duel.wire.heard.last { $0.source == "\(duel.sources[0])" })
        #expect(last.priority == 0)
    }

    @Test func `both programs' packets are the same octets, but for the flow label`() throws {
        var packets: [Implementation: [UInt8]] = [:]
        var announced: [Implementation: [[UInt8]]] = [:]
        for program in Implementation.allCases {
            let duel = try Duel([program, .vrrpd]) { _ in [text(150), text(100)] }
            let frames = try Frames(on: duel.segment.hosts[2], loop: duel.segment.loop)
            try duel.routers[0].start()
            try duel.holds(["a"])
            try duel.segment.observe(for: .milliseconds(400))
            var packet = try #require(duel.wire.heard.first).packet
            #expect(duel.wire.heard.first?.source == "\(duel.sources[0])")
            #expect(packet[7] == 255, "hop limit")
            #expect(packet[24..<40] == Advertisement.group6Octets[...])
            // The source and with it the checksum differ between two hosts; the decoder has checked it.
            packet.replaceSubrange(8..<24, with: repeatElement(0, count: 16))
            packet.replaceSubrange(46..<48, with: [0, 0])
            packets[program] = packet
            for address in [linkLocal, global, single] {
                let heard = frames.of(address)
                #expect(heard.count == 5, "\(program) announces \(address)")
                #expect(heard.allSatisfy { $0.flags == 0x20 }, "override, no router")
                announced[program, default: []] += heard.map { $0.shape }
            }
        }
        #expect(packets[.vrrpd] == packets[.keepalived])
        #expect(announced[.vrrpd] == announced[.keepalived])
    }

    @Test func `a host that forwards says router, and the addresses carry our mark and are usable at once`() throws {
        let duel = try Duel([.vrrpd, .vrrpd]) { _ in [text(150), text(100)] }
        let host = duel.segment.hosts[0]
        try duel.segment.run([
            "/sbin/ip", "netns", "exec", host.namespace, "/sbin/sysctl", "-qw", "net.ipv6.conf.all.forwarding=1",
        ])
        let frames = try Frames(on: duel.segment.hosts[2], loop: duel.segment.loop)
        try duel.routers[0].start()
        try duel.holds(["a"])
        try duel.segment.eventually("it is announced", within: .seconds(2)) { frames.of(global).count == 5 }
        #expect(frames.of(global).allSatisfy { $0.flags == 0xA0 })
        let held = try duel.addresses(of: host)
        for text in [linkLocal, global, single] {
            let address = try #require(held.first { $0.prefix.address == IPAddress(text) })
            #expect(!address.isTentative)
            #expect(address.flags & InterfaceAddress.noDuplicateDetection != 0)
            #expect((address.flags & InterfaceAddress.deprecated != 0) == (text == single))
            #expect(address.origin == InterfaceAddress.ofVRRP)
        }
        // A process that comes too late takes off what the one before it left.
        try duel.routers[0].crash()
        try duel.routers[1].start()
        try duel.holds(["a", "b"])
        try duel.routers[0].configure(text(50))
        try duel.routers[0].start()
        try duel.holds(["b"])
    }

    @Test func `the instance is in FAULT until the link-local address is ready, and whenever it goes`() throws {
        let duel = try Duel([.vrrpd, .vrrpd]) { _ in [text(150), text(100)] }
        let (router, host) = (duel.routers[0], duel.segment.hosts[0])
        try duel.segment.ip(["-n", host.namespace, "link", "set", "eth0", "down"])
        try duel.segment.ip(["-n", host.namespace, "link", "set", "eth0", "up"])
        try router.start()
        try duel.segment.eventually("it says what it waits for", within: .seconds(5)) {
            (try? router.show("VI_6").runtime.faults) == ["interface eth0 has no IPv6 link-local address that is ready"]
        }
        try duel.holds(["a"])
        let own = "\(try duel.segment.linkLocal(of: host))/64"
        try duel.segment.ip(["-n", host.namespace, "address", "del", own, "dev", "eth0"])
        try duel.holds([])
        try duel.segment.ip(["-n", host.namespace, "address", "add", "fe80::abc/64", "dev", "eth0"])
        try duel.holds(["a"])
        #expect(duel.wire.heard.last?.source == "fe80::abc")
        #expect(!router.log.contains("somebody else took off"))
    }

    @Test(arguments: [true, false]) func `unicast peers over IPv6`(isOnLink: Bool) throws {
        let hosts = ["2001:db8:77::1", "2001:db8:77::2"]
        for programs in Self.pairs {
            let duel = try Duel(programs) { segment in
                for index in [0, 1] {
                    try segment.ip([
                        "-n", segment.hosts[index].namespace, "addr", "add", hosts[index] + "/64", "dev", "eth0",
                        "nodad",
                    ])
                }
                let ends = isOnLink ? try [0, 1].map { "\(try segment.linkLocal(of: segment.hosts[$0]))" } : hosts
                return [(150, 0), (100, 1)].map { priority, own in
                    text(priority, "unicast_src_ip \(ends[own])\nunicast_peer {\n\(ends[1 - own])\n}")
                }
            }
            try duel.routers[1].start()
            try duel.holds(["b"])
            try duel.routers[0].start()
            try duel.holds(["a"])
            var seen: Set<[String]> = []
            try duel.segment.observe(for: .seconds(1)) { seen.insert(try duel.segment.holders(of: global)) }
            #expect(seen == [["a"]])
        }
    }

    @Test func `versions 2 and 3 and both families run with one number beside each other`() throws {
        let segment = try Segment(hosts: 2)
        let own = try segment.linkLocal(of: segment.hosts[0])
        let four = Dialect.version2.text(150, on: segment.hosts[0], peer: segment.hosts[1])
        let three = Dialect.version3.text(150, on: segment.hosts[0], peer: segment.hosts[1])
            .replacing("VI_1", with: "VI_3").replacing("router_id 51", with: "router_id 53")
            .replacing("10.77.0.100", with: "10.77.0.103")
        let six = text(150).replacing("10.77.0.100", with: "10.77.0.106")
        let router = try Router(.vrrpd, on: segment.hosts[0], of: segment, four + three + six)
        let wire4 = try Wire(on: segment.hosts[1], loop: segment.loop)
        let wire6 = try Wire(on: segment.hosts[1], loop: segment.loop, family: .inet6)
        try router.start()
        for address in [virtualAddress, "10.77.0.103", "10.77.0.106", global] {
            try segment.eventually("it holds \(address)", within: .seconds(20)) {
                try segment.holders(of: address) == ["a"]
            }
        }
        #expect(wire4.heard.contains { $0.virtualRouterID == 51 && $0.packet[20] == 0x21 })
        #expect(wire4.heard.contains { $0.virtualRouterID == 53 && $0.packet[20] == 0x31 })
        #expect(wire6.heard.allSatisfy { $0.source == "\(own)" && $0.packet[40] == 0x31 })
    }

    @Test func `what other virtual routers send wakes nobody`() throws {
        let alone = try Alone { Dialect.version2.text(100, on: $0, peer: $1, seconds: 3) }
        try alone.holds(true)
        try alone.segment.observe(for: .milliseconds(300))
        let pid = try #require(alone.router.pid)
        func wakings() throws -> Int {
            let status = String(
                decoding: try FileSystem.contents(of: "/proc/\(pid)/status", limit: 8192) ?? [], as: UTF8.self)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches") })
            return try #require(Int(line.drop { !$0.isNumber }))
        }
        for (id, isHeard) in [(52, false), (19, false), (51, true)] as [(UInt8, Bool)] {
            let before = try wakings()
            for _ in 0..<200 {
                try alone.wire.send(alone.packet(priority: 1, id: id))
                try alone.segment.observe(for: .milliseconds(2))
            }
            let times = try wakings() - before
            if isHeard { #expect(times > 100) } else { #expect(times < 20, "woken \(times) times by number \(id)") }
        }
    }
}

extension Frames.Announcement {
    /// What does not depend on the host.
    fileprivate var shape: [UInt8] { address.octets + [flags] }
}

extension Advertisement {
    fileprivate static var group6Octets: [UInt8] { IPAddress.v6(group6).octets }
}
