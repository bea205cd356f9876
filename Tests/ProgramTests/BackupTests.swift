// vrrpd as the backup: when it takes over. One vrrpd with many virtual routers, each with a master of its own, which is the wire tool.

import Bus
import Net
import Platform
import Testing
import VRRP

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(2)))
struct BackupTests {
    private static let interval = Duration.milliseconds(500)
    /// 0.5 s × (256 − 100) / 256.
    private static let skew = Duration.nanoseconds(304_687_500)

    private func instance(_ id: UInt8, interval: String = "0.5") -> String {
        """
        vrrp_instance VI_\(id) {
         state BACKUP
         interface eth0
         virtual_router_id \(id)
         priority 100
         version 3
         advert_int \(interval)
         virtual_ipaddress {
          10.77.0.\(id)/32
         }
        }

        """
    }

    @Test func `a resignation, a shorter interval and a reload shorten the wait, whenever they come`() throws {
        // When after its first advertisement each master gives up.
        let phases: [UInt8: Duration] = [
            101: .milliseconds(50), 102: .milliseconds(500), 103: .milliseconds(900), 104: .milliseconds(1300),
        ]
        let ids = Array(phases.keys)
        let text = { (patient: String) in
            (ids + [105]).map { instance($0) }.joined() + instance(106, interval: patient)
        }
        let alone = try Alone { _, _ in text("10") }
        let loop = alone.segment.loop
        try alone.eventually("it hears everybody", within: .seconds(10)) {
            for id in ids { try alone.wire.send(alone.packet(priority: 200, id: id, interval: Self.interval)) }
            // 105's master begins with a long interval.
            try alone.wire.send(alone.packet(priority: 200, id: 105, interval: .seconds(5)))
            return (ids + [105]).allSatisfy { (try? alone.router.show("VI_\($0)").runtime.master) != nil }
        }
        let start = loop.refreshNow()
        for id in ids { try alone.wire.send(alone.packet(priority: 200, id: id, interval: Self.interval)) }
        var resigned: [UInt8: Instant] = [:]
        while resigned.count < ids.count {
            try alone.segment.observe(for: .milliseconds(10))
            for id in ids where resigned[id] == nil {
                guard let phase = phases[id], loop.now - start >= phase else { continue }
                try alone.wire.send(alone.packet(priority: 0, id: id, interval: Self.interval))
                resigned[id] = loop.refreshNow()
            }
        }
        // By now 105 has lived longer than the master-down interval of its own interval, and waits for 15 s.
        try alone.segment.observe(for: .milliseconds(600))
        for _ in 0..<3 {
            try alone.wire.send(alone.packet(priority: 200, id: 105, interval: Self.interval))
            try alone.segment.observe(for: .milliseconds(100))
        }
        let lastShort = loop.refreshNow() - .milliseconds(100)
        let first = { (id: UInt8) in
            alone.wire.heard.first { $0.virtualRouterID == id && $0.source == alone.host.address }?.at
        }
        try alone.eventually("all have taken over", within: .seconds(3)) {
            (ids + [105]).allSatisfy { first($0) != nil }
        }
        for id in ids {
            let took = try #require(first(id)) - #require(resigned[id])
            #expect(took >= Self.skew - alone.segment.slack, "\(id)")
            #expect(took < Self.skew + .milliseconds(30) + alone.segment.slack, "\(id): \(took)")
        }
        let took = try #require(first(105)) - lastShort
        #expect(took < Self.interval * 3 + Self.skew + .milliseconds(30) + alone.segment.slack, "\(took)")

        // 106 would wait 36 s for a master that nobody has heard.
        #expect(first(106) == nil)
        try alone.reload(text("0.5"))
        try alone.eventually("the new interval counts", within: Self.interval * 3 + Self.skew + .seconds(1)) {
            first(106) != nil
        }
    }
}
