// Elections between vrrpd and keepalived 2.2.7 in both roles, and what the wire and the kernel show of them.

import Bus
import Glibc
import Net
import Platform
import Testing
import VRRP

/// Two routers on hosts a and b, an observer on host c.
private struct Duel {
    let segment: Segment
    let wire: Wire
    let first: Router
    let second: Router

    init(
        _ first: Implementation, _ high: Int, _ second: Implementation, _ low: Int, _ dialect: Dialect,
        seconds: Int = 1, more: String = ""
    ) throws {
        segment = try Segment(hosts: 3)
        let (a, b) = (segment.hosts[0], segment.hosts[1])
        wire = try Wire(on: segment.hosts[2], loop: segment.loop)
        self.first = try Router(
            first, on: a, of: segment, dialect.text(high, on: a, peer: b, seconds: seconds, more: more))
        self.second = try Router(
            second, on: b, of: segment, dialect.text(low, on: b, peer: a, seconds: seconds, more: more))
    }

    func holds(_ names: [String], within limit: Duration = .seconds(20)) throws {
        do {
            try segment.eventually("\(names) hold the address", within: limit) {
                try segment.holders(of: virtualAddress) == names
            }
        } catch {
            Issue.record("\(try segment.holders(of: virtualAddress)) hold it\n\(first.log)\n──\n\(second.log)")
            throw error
        }
    }
}

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(5)))
struct ElectionTests {
    private static let pairs: [(Implementation, Implementation)] = [(.vrrpd, .keepalived), (.keepalived, .vrrpd)]

    @Test(arguments: Dialect.allCases, [0, 1])
    func `the higher priority holds the address, a dead master is replaced, and it preempts when it is back`(
        dialect: Dialect, pair: Int
    ) throws {
        let (first, second) = Self.pairs[pair]
        let duel = try Duel(first, 150, second, 100, dialect)
        try duel.second.start()
        try duel.holds(["b"])
        try duel.first.start()
        try duel.holds(["a"])

        try duel.first.crash()
        let died = duel.segment.loop.refreshNow()
        // The dead router's address stays on its host: nobody is there to take it off.
        try duel.holds(["a", "b"])
        let took = duel.segment.loop.refreshNow() - died
        if second == .vrrpd { #expect(took < dialect.limit(priority: 100) + duel.segment.slack) }

        try duel.segment.observe(for: .milliseconds(700))
        try duel.first.start()
        try duel.holds(["a"])
    }

    @Test func `two of ours take over within the limit of the RFC, measured on the wire`() throws {
        let duel = try Duel(.vrrpd, 150, .vrrpd, 100, .version3)
        try duel.first.start()
        try duel.holds(["a"])
        try duel.second.start()
        try duel.segment.eventually("the backup hears the master", within: .seconds(10)) {
            (try? duel.second.show().runtime.master) == duel.first.host.address
        }
        try duel.first.crash()
        try duel.holds(["a", "b"])
        let last = try #require(duel.wire.last(from: duel.first.host))
        let first = { duel.wire.heard.first { $0.source == duel.second.host.address && $0.at > last.at } }
        try duel.segment.eventually("the new master is heard", within: .seconds(1)) { first() != nil }
        let next = try #require(first())
        let limit = Dialect.version3.limit(priority: 100)
        #expect(next.at - last.at > limit - duel.segment.slack)
        #expect(next.at - last.at < limit + duel.segment.slack)
    }

    @Test func `a stopped master gives up with priority 0 and is replaced after the skew`() throws {
        let duel = try Duel(.vrrpd, 150, .keepalived, 100, .version2)
        try duel.first.start()
        try duel.holds(["a"])
        try duel.second.start()
        try duel.segment.observe(for: .milliseconds(1500))
        let stopped = duel.segment.loop.refreshNow()
        try duel.first.end(SIGTERM)
        #expect(duel.first.exit == .exited(0))
        try duel.holds(["b"])
        #expect(duel.segment.loop.refreshNow() - stopped < .milliseconds(610) + .milliseconds(50) + duel.segment.slack)
        #expect(duel.wire.heard.last { $0.source == duel.first.host.address }?.priority == 0)
    }

    @Test func `a master that is back in time goes on, and nobody notices`() throws {
        // An interval that leaves a slow machine the time to start a program.
        let duel = try Duel(.vrrpd, 150, .keepalived, 100, .version2, seconds: 3)
        try duel.first.start()
        try duel.holds(["a"])
        try duel.second.start()
        try duel.segment.observe(for: .milliseconds(3500))
        var seen: Set<[String]> = []
        let pings = try Pings(virtualAddress, from: duel.second.host, loop: duel.segment.loop)
        // A crash, and the signal of `systemctl restart`.
        for signal in [SIGKILL, SIGUSR1] {
            try duel.first.end(signal)
            try duel.first.start()
            try duel.segment.observe(for: .seconds(4)) { seen.insert(try duel.segment.holders(of: virtualAddress)) }
        }
        #expect(seen == [["a"]], "\(duel.first.log)")
        pings.pause()
        try duel.segment.observe(for: .milliseconds(500))
        #expect(pings.sent > 500)
        #expect(pings.lost == [])
        #expect(!duel.wire.heard.contains { $0.source == duel.second.host.address })
        let reason = try duel.first.show().runtime.reason
        #expect(reason.contains("restart"))
    }

    @Test func `a restart into a configuration that would be refused gives the address up first`() throws {
        let duel = try Duel(.vrrpd, 150, .vrrpd, 100, .version3)
        try duel.first.start()
        try duel.holds(["a"])
        try duel.second.start()
        try duel.first.configure("vrrp_instance VI_1 {")
        try duel.first.end(SIGUSR1)
        #expect(duel.first.exit == .exited(0))
        try duel.holds(["b"])
    }

    @Test func `a master that is back too late takes its left-over address off and starts as backup`() throws {
        let duel = try Duel(.vrrpd, 150, .vrrpd, 200, .version3)
        try duel.first.start()
        try duel.holds(["a"])
        try duel.first.crash()
        try duel.second.start()
        try duel.holds(["a", "b"])
        try duel.first.start()
        try duel.holds(["b"])
        var seen: Set<[String]> = []
        try duel.segment.observe(for: .seconds(1)) { seen.insert(try duel.segment.holders(of: virtualAddress)) }
        #expect(seen == [["b"]])
    }

    @Test func `with nopreempt a returning router leaves a live master alone`() throws {
        let duel = try Duel(.vrrpd, 150, .keepalived, 100, .version3, more: "nopreempt")
        try duel.second.start()
        try duel.holds(["b"])
        try duel.first.start()
        var seen: Set<[String]> = []
        try duel.segment.observe(for: .seconds(2)) { seen.insert(try duel.segment.holders(of: virtualAddress)) }
        #expect(seen == [["b"]])
        try duel.second.end(SIGTERM)
        try duel.holds(["a"])
    }
}
