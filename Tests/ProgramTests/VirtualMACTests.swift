// `use_vmac` and `no_accept` on the wire and in the kernel: Ethernet sources of advertisements and announcements against keepalived 2.2.7 in both
// roles with the same file, ARP tables that do not change at a failover, settings of the interfaces, crash and return, and what others do to
// the macvlan and its parent.

import Bus
import Glibc
import Net
import Netlink
import Platform
import Testing
import VRRP

private let virtualMAC = MACAddress(rawValue: 0x0000_5E00_0133)

private func text(_ priority: Int, _ more: String = "use_vmac", addresses: [String] = ["10.77.0.100/24"]) -> String {
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
     \(addresses.joined(separator: "\n "))
     }
    }

    """
}

/// What the kernel has of a host's interfaces.
private func links(of host: Host) throws -> [Link] { try host.inside { try RouteNetlink() }.snapshot().links }

private func macvlan(of host: Host) throws -> Link? { try links(of: host).first { $0.name == "vrrp.51" } }

/// A number below /proc/sys/net; nil where there is no such file.
private func setting(_ path: String, of host: Host) throws -> Int? {
    let text = try host.inside { try FileSystem.contents(of: "/proc/sys/net/\(path)", limit: 32) }
    return text.flatMap { Int(String(decoding: $0.prefix { $0 != 10 }, as: UTF8.self)) }
}

/// The hardware address that a host has for another in its ARP table.
private func neighbour(_ address: String, of host: Host) throws -> String? {
    let text = try host.inside { try FileSystem.contents(of: "/proc/thread-self/net/arp", limit: 1 << 16) } ?? []
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
        let words = line.split(separator: " ").map(String.init)
        if words.count > 3, words[0] == address { return words[3] }
    }
    return nil
}

/// A connection that is being tried to a port where nobody listens.
struct Attempt: ~Copyable {
    private let socket: FileDescriptor

    init(from host: Host, to address: String) throws {
        let number = try host.inside {
            try Errno.check(
                Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0), "socket")
        }
        socket = FileDescriptor(owning: number)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(9).bigEndian
        name.sin_addr.s_addr = (IPv4Address(address) ?? .any).rawValue.bigEndian
        _ = withUnsafePointer(to: name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// The host has said that nobody listens: so it answers for the address. The kernel tells it once.
    var isAnswered: Bool {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(socket.number, SOL_SOCKET, SO_ERROR, &code, &length) == 0 && code == ECONNREFUSED
    }
}

/// Two routers with the same file but for the priority, and a host that looks on.
private struct Pair {
    let segment: Segment
    let frames: Frames
    let routers: [Router]
    var observer: Host { segment.hosts[2] }

    init(_ programs: [Implementation], _ texts: [String]) throws {
        let segment = try Segment(hosts: 3)
        self.segment = segment
        frames = try Frames(on: segment.hosts[2], loop: segment.loop)
        routers = try [0, 1].map { try Router(programs[$0], on: segment.hosts[$0], of: segment, texts[$0]) }
    }

    func holds(_ names: [String], within limit: Duration = .seconds(20)) throws {
        do {
            try segment.eventually("\(names) hold it", within: limit) {
                try segment.holders(of: virtualAddress) == names
            }
        } catch {
            Issue.record("\(error)\n\(routers[0].log.suffix(3000))\n──\n\(routers[1].log.suffix(3000))")
            throw error
        }
    }

    /// Makes the observer learn the address's MAC.
    func isAnswered() throws -> Bool {
        let attempt = try Attempt(from: observer, to: virtualAddress)
        let end = segment.loop.refreshNow() + .milliseconds(400)
        while segment.loop.now < end {
            if attempt.isAnswered { return true }
            try segment.loop.turn(timeoutMilliseconds: 2)
        }
        return false
    }
}

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(5)))
struct VirtualMACTests {
    private static let pairs: [[Implementation]] = [[.vrrpd, .keepalived], [.keepalived, .vrrpd], [.vrrpd, .vrrpd]]

    @Test(arguments: pairs) func `a failover does not change the MAC of the address, and everything comes from it`(
        programs: [Implementation]
    ) throws {
        let pair = try Pair(programs, [text(150), text(100)])
        try pair.routers[1].start()
        try pair.holds(["b"])
        try pair.routers[0].start()
        try pair.holds(["a"])
        try pair.segment.observe(for: .milliseconds(500))
        try pair.holds(["a"])
        #expect(try pair.isAnswered())
        // keepalived 2.2's host asks for the observer from the address and with its interface's MAC: the observer learns that.
        let known = try neighbour(virtualAddress, of: pair.observer)
        #expect(known == "\(virtualMAC)" || programs[0] == .keepalived)
        let spoken = pair.frames.advertisements.filter { $0.router == 51 }
        #expect(Set(spoken.map(\.source)) == [virtualMAC])
        #expect(Set(spoken.compactMap { $0.address.map { "\($0)" } }) == ["10.77.0.1", "10.77.0.2"])
        let announced = pair.frames.of(virtualAddress)
        #expect(announced.count >= 10)
        #expect(announced.allSatisfy { $0.mac == virtualMAC && $0.source == virtualMAC })
        // Gives up, and the other one takes over: hosts notice nothing, unless keepalived's host has told them its interface's MAC.
        try pair.routers[0].end(SIGTERM)
        try pair.holds(["b"])
        if programs[0] == .vrrpd {
            #expect(try pair.isAnswered())
            let still = try neighbour(virtualAddress, of: pair.observer)
            #expect(programs[1] == .keepalived || still == "\(virtualMAC)")
        }
        #expect(pair.frames.of(virtualAddress).allSatisfy { $0.mac == virtualMAC })
    }

    @Test func `both programs make the macvlan alike, and ours leaves the parent as it was`() throws {
        let paths =
            ["arp_ignore", "arp_filter", "rp_filter", "accept_local", "promote_secondaries"]
            .flatMap { name in ["vrrp/51", "eth0"].map { "ipv4/conf/\($0)/\(name)" } }
            + ["disable_ipv6"].map { "ipv6/conf/vrrp/51/\($0)" }
        var found: [Implementation: [String: Int?]] = [:]
        for program in Implementation.allCases {
            let pair = try Pair([program, .vrrpd], [text(150), text(100)])
            let host = pair.segment.hosts[0]
            let before = try ["arp_ignore", "arp_filter", "arp_announce"].map {
                try setting("ipv4/conf/eth0/\($0)", of: host)
            }
            try pair.routers[0].start()
            try pair.holds(["a"])
            try pair.segment.observe(for: .milliseconds(200))
            var values: [String: Int?] = [:]
            for path in paths {
                values[path] = try setting(path.replacing("vrrp/51", with: "vrrp.51"), of: host)
            }
            found[program] = values
            let link = try #require(try macvlan(of: host))
            #expect(link.isPrivateMacvlan && link.mac == virtualMAC)
            try pair.routers[0].end(SIGTERM)
            try pair.segment.eventually("the macvlan is gone", within: .seconds(5)) { try macvlan(of: host) == nil }
            guard program == .vrrpd else { continue }
            #expect(
                try ["arp_ignore", "arp_filter", "arp_announce"].map { try setting("ipv4/conf/eth0/\($0)", of: host) }
                    == before)
        }
        #expect(found[.vrrpd] == found[.keepalived])
        #expect(found[.vrrpd]?["ipv4/conf/eth0/arp_ignore"] == 1)
    }

    @Test func `vmac_xmit_base speaks with the interface's MAC, unicast does too`() throws {
        let pair = try Pair([.vrrpd, .keepalived], [150, 100].map { text($0, "use_vmac\n vmac_xmit_base") })
        for router in pair.routers { try router.start() }
        try pair.holds(["a"])
        try pair.segment.observe(for: .milliseconds(500))
        let own = try #require(try links(of: pair.segment.hosts[0]).first { $0.name == "eth0" }?.mac)
        let spoken = pair.frames.advertisements.filter { $0.address == IPAddress("10.77.0.1") }
        #expect(!spoken.isEmpty && spoken.allSatisfy { $0.source == own })
        #expect(pair.frames.of(virtualAddress).allSatisfy { $0.mac == virtualMAC })
    }

    @Test func `a crash and a quick return lose neither macvlan nor address nor what the parent was`() throws {
        let alone = try Alone { _, _ in text(100) }
        try alone.holds(true)
        let before = try #require(try macvlan(of: alone.host))
        try alone.router.crash()
        try alone.router.start()
        try alone.becomes(.master)
        #expect(try macvlan(of: alone.host)?.index == before.index)
        #expect(try alone.router.show().runtime.statistics.becameMaster <= 1)
        try alone.router.end(SIGTERM)
        try alone.eventually("it is gone") { try macvlan(of: alone.host) == nil }
        #expect(try setting("ipv4/conf/eth0/arp_ignore", of: alone.host) == 0)
        #expect(try setting("ipv4/conf/eth0/arp_filter", of: alone.host) == 0)
        #expect(try setting("ipv4/conf/eth0/arp_announce", of: alone.host) == 0)
    }

    @Test func `a macvlan that is deleted or set down is put back; a parent that is made again gets another`() throws {
        let alone = try Alone { _, _ in text(100) }
        try alone.holds(true)
        try alone.ip("link del vrrp.51")
        try alone.eventually("it is back") { try macvlan(of: alone.host)?.isUsable == true }
        try alone.holds(true, within: .seconds(2))
        try alone.ip("link set vrrp.51 down")
        try alone.eventually("it is up") { try macvlan(of: alone.host)?.isUsable == true }
        #expect(try alone.router.show().runtime.statistics.becameMaster == 1, "\(alone.router.log)")
        try alone.paused {
            try alone.segment.delete(alone.host)
            try alone.segment.plug(alone.host)
        }
        try alone.eventually("it is on the new eth0") {
            let all = try links(of: alone.host)
            return try macvlan(of: alone.host)?.parent == all.first { $0.name == "eth0" }?.index
        }
        try alone.holds(true)
    }

    @Test func `another interface of that name is a fault until it goes`() throws {
        let alone = try Alone(
            prepare: { try $0.ip(["-n", $0.hosts[0].namespace, "link", "add", "vrrp.51", "type", "veth"]) }
        ) { _, _ in text(100) }
        try alone.becomes(.fault)
        #expect(try alone.router.show().runtime.faults.contains { $0.contains("another interface has that name") })
        try alone.ip("link del vrrp.51")
        try alone.holds(true)
    }

    @Test func `a reload brings use_vmac in and out and nobody is without the address for long`() throws {
        let alone = try Alone { _, _ in text(100, "") }
        try alone.holds(true)
        try alone.reload(text(100))
        try alone.eventually("it has a macvlan") { try macvlan(of: alone.host)?.isUsable == true }
        try alone.holds(true)
        try alone.reload(text(100, ""))
        try alone.eventually("it has none") { try macvlan(of: alone.host) == nil }
        try alone.holds(true)
        #expect(try alone.router.show().runtime.statistics.becameMaster == 1)
    }

    @Test func `an IPv6 macvlan is elected beside IPv4's of the same number`() throws {
        let six = text(100).replacing("VI_1", with: "VI_6").replacing("10.77.0.100/24", with: "2001:db8:77::100/64")
        let alone = try Alone { _, _ in text(100) + six }
        try alone.becomes(.master, "VI_6", within: .seconds(20))
        try alone.holds(true, "2001:db8:77::100")
        try alone.holds(true)
        let link = try #require(try links(of: alone.host).first { $0.name == "vrrp6.51" })
        #expect(link.mac == MACAddress(rawValue: 0x0000_5E00_0233))
        let own = try alone.host.inside { try RouteNetlink() }.snapshot().addresses.filter { $0.link == link.index }
        #expect(Set(own.map { "\($0.prefix)" }) == ["2001:db8:77::100/64", "fe80::200:5eff:fe00:233/64"])
    }

    @Test(arguments: pairs) func `no_accept answers ARP and nothing else`(programs: [Implementation]) throws {
        let pair = try Pair(programs, [text(150, "use_vmac\n no_accept"), text(100, "no_accept")])
        try pair.routers[0].start()
        try pair.holds(["a"])
        #expect(try !pair.isAnswered())
        let known = try neighbour(virtualAddress, of: pair.observer)
        #expect(known == "\(virtualMAC)")
        try pair.routers[0].end(SIGTERM)
        try pair.routers[1].start()
        try pair.holds(["b"])
        #expect(try !pair.isAnswered())
    }

    @Test func `no_accept comes and goes with a reload, survives a flush and a crash, and ends with vrrpd`() throws {
        let pair = try Pair([.vrrpd, .vrrpd], [text(100, ""), text(90, "")])
        let router = pair.routers[0]
        func reload(_ more: String) throws {
            try router.configure(text(100, more))
            router.signal(SIGHUP)
        }
        func answers(_ expected: Bool) throws {
            try pair.segment.eventually("answers: \(expected)", within: .seconds(10)) {
                try pair.isAnswered() == expected
            }
        }
        try router.start()
        try pair.holds(["a"])
        try answers(true)
        try reload("no_accept")
        try answers(false)
        // `nft flush ruleset`, by somebody else.
        try pair.segment.hosts[0].inside { try Nftables(table: "evenkeel_vrrpd") }.drop(DropRules())
        try pair.segment.observe(for: .milliseconds(50))
        #expect(try !pair.isAnswered())
        try router.crash()
        #expect(try !pair.isAnswered())
        try router.start()
        try pair.holds(["a"])
        #expect(try !pair.isAnswered())
        try reload("accept")
        try answers(true)
        try reload("no_accept")
        try answers(false)
        try router.end(SIGTERM)
        // Somebody has the address on the host afterwards: nothing of ours is in the way.
        try pair.segment.ip(["-n", pair.segment.hosts[0].namespace, "addr", "add", "10.77.0.100/24", "dev", "eth0"])
        try answers(true)
    }

    @Test func `no_accept with chains of another priority and rules that count does the same`() throws {
        let words = "global_defs {\n nftables_priority -7\n nftables_counters\n}\n"
        let pair = try Pair([.vrrpd, .vrrpd], [words + text(150, "no_accept"), text(100, "")])
        try pair.routers[0].start()
        try pair.holds(["a"])
        #expect(try !pair.isAnswered())
        #expect(!pair.routers[0].log.contains("nf_tables"))
        try pair.routers[0].configure(text(150, "no_accept"))
        pair.routers[0].signal(SIGHUP)
        try pair.segment.observe(for: .milliseconds(300))
        #expect(try !pair.isAnswered())
        try pair.routers[0].configure(text(150, ""))
        pair.routers[0].signal(SIGHUP)
        try pair.segment.eventually("answers", within: .seconds(10)) { try pair.isAnswered() }
    }

    @Test func `no_accept of IPv6 lets neighbours discover`() throws {
        let six = text(100, "no_accept", addresses: ["fe80::5100/64", "2001:db8:77::100/64"])
        let alone = try Alone { _, _ in six }
        try alone.becomes(.master, within: .seconds(20))
        let peer = alone.peer.namespace
        try alone.segment.ip(["-n", peer, "addr", "add", "2001:db8:77::2/64", "dev", "eth0", "nodad"])
        try alone.segment.ip(["-n", peer, "neigh", "flush", "dev", "eth0"])
        // Any packet makes the peer ask.
        try alone.peer.inside {
            let socket = FileDescriptor(
                owning: try Errno.check(Glibc.socket(AF_INET6, Int32(SOCK_DGRAM.rawValue), 0), "socket"))
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = UInt16(9).bigEndian
            withUnsafeMutableBytes(of: &name.sin6_addr) { space in
                if case .v6(let value)? = IPAddress("2001:db8:77::100") { space.copyBytes(from: value.octets) }
            }
            _ = withUnsafePointer(to: name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(socket.number, "x", 1, 0, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
        try alone.eventually("the neighbour is known") {
            let command = "/sbin/ip -n \(peer) neigh show 2001:db8:77::100 | grep -q lladdr"
            return (try? alone.segment.run(["/bin/sh", "-c", command])) != nil
        }
    }
}
