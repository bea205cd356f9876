// What `lbctl real-server status` makes of what the kernel says: every fault by itself, and none where there is none.

import IPVS
import Net
import Testing
import VRRP

@testable import lbctl

@Suite struct RealServerStateTests {
    private let vip: IPAddress = .v4(IPv4Address(192, 168, 200, 254))
    private let silent = ARPSettings(ignore: 1, announce: 2)

    /// lo and eth0, the address on lo.
    private func host() -> RouteSnapshot {
        var host = RouteSnapshot()
        host.links = [
            VRRP.Link(index: 1, name: "lo", flags: VRRP.Link.up | VRRP.Link.loopback),
            VRRP.Link(
                index: 2, name: "eth0", flags: VRRP.Link.up, mac: MACAddress(octets: [2, 0, 0, 0, 0, 1])),
        ]
        host.addresses = [InterfaceAddress(link: 1, prefix: IPPrefix(host: vip))]
        return host
    }

    private func problems(_ host: RouteSnapshot, all: ARPSettings? = nil, own: ARPSettings? = nil) -> [String] {
        RealServerState(vip, host) { $0 == "all" ? all ?? silent : own ?? ARPSettings(ignore: 0, announce: 0) }
            .faults.map(\.problem)
    }

    @Test func `as it should be`() {
        #expect(problems(host()) == [])
        // The larger of the two values counts.
        #expect(problems(host(), all: ARPSettings(ignore: 0, announce: 0), own: silent) == [])
    }

    @Test func `each fault`() throws {
        var broken = host()
        broken.addresses = []
        #expect(problems(broken) == ["not on lo: packets to it are not taken"])
        broken = host()
        broken.addresses.append(InterfaceAddress(link: 2, prefix: IPPrefix(host: vip)))
        #expect(problems(broken) == ["also on eth0: this host answers for it beside the director"])
        broken = host()
        broken.addresses[0].prefix = try #require(IPPrefix(vip, length: 24))
        #expect(problems(broken) == ["on lo as 192.168.200.254/24: all of that prefix is taken for this host's own"])
        broken = host()
        broken.links[0].flags = VRRP.Link.loopback
        #expect(problems(broken) == ["lo is down: nothing is taken"])
        #expect(
            problems(host(), all: ARPSettings(ignore: 0, announce: 2))
                == ["ARP requests for it at eth0 are answered: clients bypass the director"])
        #expect(
            problems(host(), all: ARPSettings(ignore: 1, announce: 1))
                == ["ARP requests from eth0 may name it as their source: neighbours learn it"])
    }

    @Test func `IPv6 needs no settings`() throws {
        let six = try #require(IPAddress("2001:db8::fe"))
        var host = host()
        host.addresses = [InterfaceAddress(link: 1, prefix: IPPrefix(host: six))]
        let state = RealServerState(six, host) { _ in ARPSettings(ignore: 0, announce: 0) }
        #expect(state.faults == [])
        #expect(state.text == "2001:db8::fe  served")
    }

    /// The values that arp_ignore() of net/ipv4/arp.c acts on.
    @Test(arguments: [(0, false), (1, true), (2, true), (3, false), (4, false), (7, false), (8, true), (9, false)])
    func `not every larger arp_ignore is silent`(_ value: Int, _ isSilent: Bool) {
        #expect(problems(host(), all: ARPSettings(ignore: value, announce: 2)).isEmpty == isSilent)
    }

    @Test func `what start cannot change is said for the interface`() {
        let state = RealServerState(vip, host()) { $0 == "all" ? silent : ARPSettings(ignore: 3, announce: 3) }
        #expect(
            state.faults.map(\.remedy) == [
                "sysctl -w net.ipv4.conf.eth0.arp_ignore=1", "sysctl -w net.ipv4.conf.eth0.arp_announce=2",
            ])
    }

    @Test func `a command about a VLAN is one that sysctl takes`() {
        var host = host()
        host.links[1].name = "eth0.7"
        let state = RealServerState(vip, host) { $0 == "all" ? silent : ARPSettings(ignore: 3, announce: 2) }
        #expect(state.faults.map(\.remedy) == ["sysctl -w net/ipv4/conf/eth0.7/arp_ignore=1"])
    }

    @Test func `what keeps an address from being started`() throws {
        let six = try #require(IPAddress("2001:db8::fe"))
        func remedy(_ address: IPAddress, _ host: RouteSnapshot, off: Bool? = false) -> String? {
            RealServerState.obstacle(to: address, host, switchedOff: off)?.remedy
        }
        #expect(remedy(vip, host()) == nil)
        #expect(remedy(vip, host(), off: true) == nil)
        #expect(remedy(six, host()) == nil)
        #expect(remedy(six, host(), off: true) == "sysctl -w net.ipv6.conf.lo.disable_ipv6=0")
        #expect(remedy(six, host(), off: nil) == "boot it without ipv6.disable=1")
        var broken = host()
        broken.links[0].flags = VRRP.Link.loopback
        #expect(remedy(vip, broken) == "ip link set lo up")
        broken = host()
        broken.addresses.append(InterfaceAddress(link: 1, prefix: try #require(IPPrefix(vip, length: 24))))
        #expect(
            remedy(vip, broken)
                == "ip address delete 192.168.200.254/24 dev lo; lbctl real-server start 192.168.200.254")
        broken.addresses[1].link = 2
        #expect(remedy(vip, broken) == nil)
    }

    @Test(arguments: [
        "255.255.255.255", "224.0.0.18", "0.0.0.0", "0.1.2.3", "240.0.0.1", "127.0.0.1", "::", "::1", "fe80::1",
        "ff02::1", "::ffff:10.0.0.1",
    ])
    func `an address that no client can connect to is refused, with what to do`(_ text: String) throws {
        let address = try #require(IPAddress(text))
        let flaw = try #require(RealServerCommand.flaw(of: address))
        #expect(flaw.contains("; give the one that clients connect to") || flaw.hasSuffix("; write 10.0.0.1"))
    }

    @Test func `addresses that clients connect to are not refused`() throws {
        for text in ["10.0.0.1", "223.255.255.255", "169.254.1.1", "2001:db8::fe", "fd00::1", "::1:ffff:a00:1"] {
            let address = try #require(IPAddress(text))
            #expect(RealServerCommand.flaw(of: address) == nil, "\(text)")
        }
    }
}
