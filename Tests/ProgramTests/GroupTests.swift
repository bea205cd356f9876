// A sync group over two segments' worth of addresses on one wire (scenarios/warm-standby's shape): its instances are master together
// and in fault together.

import Bus
import Glibc
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(2)))
struct GroupTests {
    /// VI_1 on eth0 and VI_2 on the dummy eth1, which only this host sees.
    private func text(_ priority: Int, on host: Host, peer: Host) -> String {
        let first = Dialect.unicast.text(priority, on: host, peer: peer)
        let second = first.replacing("VI_1", with: "VI_2").replacing("10.77.0.100/24", with: "10.77.0.101/24")
            .replacing("virtual_router_id 51", with: "virtual_router_id 52\n track_interface {\n eth1\n }")
        return first + second + "vrrp_sync_group VG_1 {\n group {\n VI_1\n VI_2\n }\n}\n"
    }

    @Test func `a fault of one instance moves the whole group, and back`() throws {
        let segment = try Segment(hosts: 2)
        let (a, b) = (segment.hosts[0], segment.hosts[1])
        for host in [a, b] {
            try segment.ip(["-n", host.namespace, "link", "add", "eth1", "type", "veth", "peer", "name", "eth2"])
            try segment.ip(["-n", host.namespace, "link", "set", "eth1", "up"])
            try segment.ip(["-n", host.namespace, "link", "set", "eth2", "up"])
        }
        let first = try Router(.vrrpd, on: a, of: segment, text(150, on: a, peer: b))
        let second = try Router(.vrrpd, on: b, of: segment, text(100, on: b, peer: a))
        try first.start()
        try second.start()
        func together(_ name: String) throws {
            do {
                try segment.eventually("\(name) holds both addresses", within: .seconds(20)) {
                    try segment.holders(of: virtualAddress) == [name] && segment.holders(of: "10.77.0.101") == [name]
                }
            } catch {
                Issue.record("\(first.log)\n──\n\(second.log)")
                throw error
            }
        }
        try together("a")
        try segment.ip(["-n", a.namespace, "link", "set", "eth2", "down"])
        try together("b")
        #expect(try first.show("VI_1").runtime.faults == ["another member of sync group VG_1 is in fault"])
        #expect(try first.show("VI_2").runtime.faults == ["interface eth1 is down"])
        try segment.ip(["-n", a.namespace, "link", "set", "eth2", "up"])
        try together("a")
        _ = try first.call(VrrpAPI.Failover(name: "VI_2"))
        try together("b")
        _ = try first.call(VrrpAPI.Resume(name: "VI_1"))
        try together("a")
    }
}
