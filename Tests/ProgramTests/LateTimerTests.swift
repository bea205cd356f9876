// A host that did not run for a while (SIGSTOP stands for a paused virtual machine) while the others did: what waits in its sockets is heard
// before it acts, and nobody fights over the addresses. With keepalived 2.2.7 and with another of ours on the wire.

import Bus
import Glibc
import JSON
import Net
import Platform
import Testing
import VRRP

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(4)))
struct LateTimerTests {
    /// Several master-down intervals at 100 ms.
    private static let pause = Duration.milliseconds(1500)

    /// Two routers at 100 ms; the one that is stopped is ours.
    private struct Pair {
        let segment: Segment
        let wire: Wire
        let ours: Router
        let other: Router

        init(_ priority: Int, more: String = "", other implementation: Implementation, _ otherPriority: Int) throws {
            segment = try Segment(hosts: 3)
            let (a, b) = (segment.hosts[0], segment.hosts[1])
            wire = try Wire(on: segment.hosts[2], loop: segment.loop)
            ours = try Router(
                .vrrpd, on: a, of: segment, Dialect.version3.text(priority, on: a, peer: b, more: more))
            other = try Router(
                implementation, on: b, of: segment, Dialect.version3.text(otherPriority, on: b, peer: a))
        }

        func holds(_ names: [String]) throws {
            do {
                try segment.eventually("\(names) hold the address", within: .seconds(20)) {
                    try segment.holders(of: virtualAddress) == names
                }
            } catch {
                Issue.record("\(try segment.holders(of: virtualAddress)) hold it\n\(ours.log)\n──\n\(other.log)")
                throw error
            }
        }

        /// Stops ours, lets time pass, and goes on; returns when it went on.
        func pauseOurs() throws -> Instant {
            ours.signal(SIGSTOP)
            try segment.observe(for: LateTimerTests.pause)
            let woken = segment.loop.refreshNow()
            ours.signal(SIGCONT)
            return woken
        }

        /// Priorities that a router has advertised since.
        func priorities(of router: Router, since: Instant) -> [UInt8] {
            wire.heard.filter { $0.source == router.host.address && $0.at > since }.map(\.priority)
        }
    }

    @Test(arguments: Implementation.allCases)
    func `a stopped backup hears what waits, stays backup, and says that it was late`(_ master: Implementation) throws {
        let pair = try Pair(100, other: master, 150)
        let (busd, tap) = try pair.ours.startBus(["io.evenkeel.vrrp.late"])
        defer { busd.signal(SIGKILL) }
        try pair.other.start()
        try pair.holds(["b"])
        try pair.ours.start()
        try pair.segment.eventually("the backup hears the master", within: .seconds(10)) {
            (try? pair.ours.show().runtime.master) == pair.other.host.address
        }
        let woken = try pair.pauseOurs()
        var seen: Set<[String]> = []
        try pair.segment.observe(for: .seconds(1)) { seen.insert(try pair.segment.holders(of: virtualAddress)) }
        #expect(seen == [["b"]], "\(pair.ours.log)")
        #expect(pair.priorities(of: pair.ours, since: woken) == [])
        let statistics = try pair.ours.show().runtime.statistics
        #expect(statistics.lateTimers ?? 0 >= 1)
        #expect(statistics.longestLatenessMilliseconds ?? 0 >= 1000)
        #expect(pair.ours.log.contains("timer fired late by 1."))
        try pair.segment.eventually("the event is there", within: .seconds(5)) {
            let data = tap.standing("io.evenkeel.vrrp.late")["VI_1"]
            return data?["latenessMilliseconds"]?.int ?? 0 >= 1000 && data?["state"]?.string == "backup"
                && data?["gaveWay"]?.bool == false
        }
    }

    @Test(arguments: Implementation.allCases)
    func `a stopped master of higher priority takes the address back without a fight`(_ backup: Implementation) throws {
        let pair = try Pair(150, other: backup, 100)
        try pair.ours.start()
        try pair.holds(["a"])
        try pair.other.start()
        let woken = try pair.pauseOurs()
        #expect(!pair.priorities(of: pair.other, since: .zero).isEmpty)
        try pair.holds(["a"])
        try pair.segment.observe(for: .milliseconds(600))
        #expect(pair.priorities(of: pair.ours, since: woken).allSatisfy { $0 == 150 })
        // The one that was on its way, and keepalived's last before it yields.
        #expect(pair.priorities(of: pair.other, since: woken).count <= 3)
        #expect(try pair.ours.show().runtime.statistics.becameMaster == 1)
    }

    @Test(arguments: Implementation.allCases)
    func `with timer_expired_backup a stopped master gives way, and leaves the other one alone`(
        _ backup: Implementation
    ) throws {
        let pair = try Pair(150, more: "nopreempt\n timer_expired_backup 200", other: backup, 100)
        try pair.ours.start()
        try pair.holds(["a"])
        try pair.other.start()
        let woken = try pair.pauseOurs()
        try pair.holds(["b"])
        var seen: Set<[String]> = []
        try pair.segment.observe(for: .seconds(1)) { seen.insert(try pair.segment.holders(of: virtualAddress)) }
        #expect(seen == [["b"]], "\(pair.ours.log)")
        #expect(pair.priorities(of: pair.ours, since: woken) == [0])
        let runtime = try pair.ours.show().runtime
        #expect(runtime.state == .backup && runtime.reason.contains("late"))
    }

    @Test(arguments: Implementation.allCases)
    func `a master of lower priority that was stopped yields to the one that came meanwhile`(
        _ higher: Implementation
    ) throws {
        let pair = try Pair(100, other: higher, 150)
        try pair.ours.start()
        try pair.holds(["a"])
        pair.ours.signal(SIGSTOP)
        try pair.other.start()
        try pair.segment.eventually("the other one is master", within: .seconds(15)) {
            !pair.priorities(of: pair.other, since: .zero).isEmpty
        }
        let woken = pair.segment.loop.refreshNow()
        pair.ours.signal(SIGCONT)
        try pair.holds(["b"])
        try pair.segment.observe(for: .milliseconds(600))
        #expect(pair.priorities(of: pair.ours, since: woken).count <= 1)
        #expect(!pair.priorities(of: pair.other, since: woken).contains(0))
    }
}
