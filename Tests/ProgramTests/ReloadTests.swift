// What a reload changes takes effect at once, and what it removes leaves nothing behind.

import Bus
import Glibc
import Net
import Platform
import Testing
import VRRP

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(2)))
struct ReloadTests {
    /// VI_1 and VI_2 (id 52, 10.77.0.101) of one vrrpd, and what else the file says.
    private func pair(_ alone: Alone, second: String = "", _ more: String = "") -> String {
        pair(alone.host, alone.peer, second: second, more)
    }

    private func pair(_ host: Host, _ peer: Host, second: String = "", _ more: String = "") -> String {
        let first = Dialect.version3.text(100, on: host, peer: peer)
        return first
            + Dialect.version3.text(100, on: host, peer: peer, more: second, addresses: ["10.77.0.101/24"])
            .replacing("VI_1", with: "VI_2").replacing("virtual_router_id 51", with: "virtual_router_id 52") + more
    }

    private static let group = "vrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n}\n"

    @Test func `an instance with another virtual router ID is a new one: it answers, and it is what it is`() throws {
        let alone = try Alone(.version3)
        try alone.becomes(.master)
        try alone.reload(
            Dialect.version3.text(100, on: alone.host, peer: alone.peer)
                .replacing("virtual_router_id 51", with: "virtual_router_id 61"))
        try alone.eventually("it speaks as 61") { alone.wire.heard.contains { $0.virtualRouterID == 61 } }
        try alone.becomes(.master)
        #expect(alone.resignations(51) > 0)
        _ = try alone.router.call(VrrpAPI.Failover(name: "VI_1"))
        try alone.becomes(.backup)
        _ = try alone.router.call(VrrpAPI.Resume(name: "VI_1"))
        try alone.becomes(.master)
    }

    @Test func `sync groups come, change and go by reload`() throws {
        let alone = try Alone(
            prepare: { segment in
                try segment.batch(
                    ["link add eth1 type veth peer name eth2", "link set eth1 up"], on: segment.hosts[0])
            },
            { pair($0, $1, second: "track_interface {\n eth1\n }", Self.group) })
        // eth1 has no carrier: the group is in fault. Without the group only VI_2 is.
        try alone.becomes(.fault, "VI_1")
        try alone.becomes(.fault, "VI_2")
        try alone.reload(pair(alone, second: "track_interface {\n eth1\n }"))
        try alone.becomes(.master, "VI_1", within: .seconds(3))
        #expect(try alone.router.show("VI_2").runtime.state == .fault)

        // Both run; then a group that tracks the dead interface comes, under another name.
        try alone.reload(pair(alone))
        try alone.becomes(.master, "VI_2", within: .seconds(3))
        try alone.reload(
            pair(alone, "vrrp_sync_group H {\n group {\n VI_1\n VI_2\n }\n track_interface {\n eth1\n }\n}\n"))
        try alone.becomes(.fault, "VI_1", within: .seconds(2))
        try alone.becomes(.fault, "VI_2", within: .seconds(2))
        try alone.reload(pair(alone))
        try alone.becomes(.master, "VI_1", within: .seconds(3))
        try alone.becomes(.master, "VI_2", within: .seconds(3))

        // A master and a backup come into one group: there is no master in it while VI_2 hears a better one.
        func mastered() throws { try alone.wire.send(alone.packet(priority: 200, id: 52)) }
        try alone.eventually("VI_2 is backup") {
            try mastered()
            return try alone.router.show("VI_2").runtime.state == .backup
        }
        try alone.reload(pair(alone, Self.group))
        try alone.eventually("the group is backup as a whole", within: .seconds(3)) {
            try mastered()
            return try alone.router.show("VI_1").runtime.state == .backup
        }
        try alone.becomes(.master, "VI_1", within: .seconds(3))
        try alone.becomes(.master, "VI_2", within: .seconds(3))

        // Whoever hands over one member hands over all of them, and says so for each.
        let before = [alone.resignations(51), alone.resignations(52)]
        _ = try alone.router.call(VrrpAPI.Failover(name: "VI_1"))
        try alone.eventually("both resign", within: .seconds(1)) {
            alone.resignations(51) > before[0] && alone.resignations(52) > before[1]
        }
        #expect(try alone.segment.holders(of: virtualAddress) == [])
        #expect(try alone.segment.holders(of: "10.77.0.101") == [])

        // Who was stepped down is so after its block went and came back.
        try alone.reload("vrrp_instance OTHER {\n interface eth0\n virtual_router_id 77\n priority 1\n}\n")
        try alone.eventually("it is gone") { (try? alone.router.show("VI_1")) == nil }
        try alone.reload(pair(alone, Self.group))
        try alone.eventually("it is there") { (try? alone.router.show("VI_1")) != nil }
        #expect(try alone.router.show("VI_1").runtime.steppedDown)
    }

    @Test func `announcements that are to be repeated begin with the reload`() throws {
        let alone = try Alone(.version3)
        try alone.becomes(.master)
        let frames = try Frames(on: alone.peer, loop: alone.segment.loop)
        try alone.reload(
            Dialect.version3.text(
                100, on: alone.host, peer: alone.peer, more: "garp_master_refresh 1\n garp_master_delay 1"))
        try alone.segment.observe(for: .milliseconds(1300))
        let since = alone.segment.loop.refreshNow()
        try alone.eventually("two repetitions", within: .seconds(3)) {
            frames.of(virtualAddress, since: since).count >= 2
        }
    }
}
