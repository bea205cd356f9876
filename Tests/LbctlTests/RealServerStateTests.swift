// What `lbctl real-server status` makes of what the kernel says: every fault by itself, and none where there is none.

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
}
