// What vrrpd makes of garbage, of links that come and go, of addresses that somebody else takes, and of operators.

import Bus
import Glibc
import Net
import Platform
import Testing
import VRRP

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(5)))
struct RobustnessTests {
    @Test func `garbage is counted by reason and never acted on`() throws {
        let alone = try Alone()
        try alone.holds(true)
        var truncated = alone.packet(priority: 200)
        truncated.removeLast(6)
        truncated[3] -= 6
        var checksum = alone.packet(priority: 200)
        checksum[26] ^= 0xFF
        var version = alone.packet(priority: 200)
        version[20] = 0x51
        var type = alone.packet(priority: 200)
        type[20] = 0x32
        for packet in [truncated, checksum, version, type, alone.packet(priority: 200, timeToLive: 64)] {
            for _ in 1...10 { try alone.wire.send(packet) }
        }
        try alone.segment.eventually("all are counted", within: .seconds(5)) {
            try alone.router.show().runtime.statistics.discarded
                == ["length": 10, "checksum": 10, "version": 10, "type": 10, "timeToLive": 10]
        }
        #expect(try alone.router.show().runtime.state == .master)
        let lines = alone.router.log.split(separator: "\n").filter { $0.contains("advertisement from 10.77.0.2") }
        #expect(lines.count == 5, "one line per reason, not per packet")
        try alone.wire.send(alone.packet(priority: 200))
        try alone.segment.eventually("a right one counts", within: .seconds(10)) {
            try alone.router.show().runtime.state == .backup
        }
    }

    @Test func `a packet says when it came in, however late it is read`() throws {
        let alone = try Alone()
        try alone.holds(true)
        let before = SystemClock.now
        usleep(1_500_000)
        let late = SystemClock.now
        try alone.segment.eventually("what came meanwhile is read", within: .seconds(5)) {
            alone.wire.heard.contains { before < $0.at && $0.at < late }
        }
    }

    @Test func `a pulled cable is a fault, and the election starts over when it is back`() throws {
        let alone = try Alone()
        try alone.holds(true)
        try alone.segment.cable(alone.host, in: false)
        try alone.holds(false, within: .seconds(10))
        #expect(try alone.router.show().runtime.faults == ["interface eth0 is down"])
        try alone.segment.cable(alone.host, in: true)
        try alone.holds(true)
    }

    @Test func `a deleted interface is waited for by its name`() throws {
        let alone = try Alone()
        try alone.holds(true)
        try alone.segment.delete(alone.host)
        try alone.segment.eventually("FAULT", within: .seconds(10)) {
            try alone.router.show().runtime.faults.contains("interface eth0 does not exist")
        }
        try alone.segment.plug(alone.host)
        try alone.holds(true)
        let before = alone.wire.heard.count
        try alone.segment.eventually("it advertises on the new one", within: .seconds(10)) {
            alone.wire.heard.count > before + 2
        }
        try alone.wire.send(alone.packet(priority: 200))
        try alone.segment.eventually("it listens on the new one", within: .seconds(10)) {
            try alone.router.show().runtime.master == "10.77.0.2"
        }
    }

    @Test func `an interface that is missing at the start is an alarm, not the end`() throws {
        let alone = try Alone()
        try alone.holds(true)
        try alone.router.end(SIGTERM)
        try alone.segment.delete(alone.host)
        try alone.router.start()
        try alone.segment.eventually("it says so", within: .seconds(3)) {
            alone.router.log.contains("interface eth0 does not exist; waiting")
        }
        try alone.segment.plug(alone.host)
        try alone.holds(true)
    }

    @Test func `an address that somebody else takes off is put back at once`() throws {
        let alone = try Alone()
        try alone.holds(true)
        try alone.segment.ip(["-n", alone.host.namespace, "addr", "del", "10.77.0.100/24", "dev", "eth0"])
        try alone.holds(true, within: .milliseconds(500) + alone.segment.slack)
        #expect(try alone.router.show().runtime.statistics.becameMaster == 1)
    }

    @Test func `stepping down hands over once, survives a restart, and ends with resume`() throws {
        let segment = try Segment(hosts: 2)
        let (a, b) = (segment.hosts[0], segment.hosts[1])
        let first = try Router(.vrrpd, on: a, of: segment, Dialect.version3.text(150, on: a, peer: b))
        let second = try Router(.vrrpd, on: b, of: segment, Dialect.version3.text(100, on: b, peer: a))
        try first.start()
        try second.start()
        func holds(_ name: String) throws {
            try segment.eventually("\(name) holds the address", within: .seconds(5)) {
                try segment.holders(of: virtualAddress) == [name]
            }
        }
        try holds("a")
        _ = try first.call(VrrpAPI.Failover(name: "VI_1"))
        try holds("b")
        try first.end(SIGTERM)
        try first.start()
        var seen: Set<[String]> = []
        try segment.observe(for: .seconds(1)) { seen.insert(try segment.holders(of: virtualAddress)) }
        #expect(seen == [["b"]])
        #expect(try first.show().runtime.steppedDown)
        _ = try first.call(VrrpAPI.Resume(name: "VI_1"))
        try holds("a")
    }

    @Test func `a reload changes what differs and nothing else; a bad file changes nothing`() throws {
        let alone = try Alone()
        try alone.holds(true)
        let addresses = ["10.77.0.100/24", "10.77.0.101/24"]
        try alone.router.configure(
            Dialect.version3.text(120, on: alone.host, peer: alone.segment.hosts[1], addresses: addresses))
        alone.router.signal(SIGHUP)
        try alone.segment.eventually("the second address appears", within: .seconds(10)) {
            try alone.segment.holders(of: "10.77.0.101") == ["a"]
        }
        #expect(try alone.segment.holders(of: virtualAddress) == ["a"])
        #expect(try alone.router.show().runtime.statistics.becameMaster == 1)
        try alone.router.configure("vrrp_instance VI_1 {\n nonsense\n")
        alone.router.signal(SIGHUP)
        try alone.segment.eventually("it is refused", within: .seconds(10)) {
            alone.router.log.contains("configuration refused")
        }
        #expect(try alone.router.show().runtime.effectivePriority == 120)
        #expect(try alone.segment.holders(of: "10.77.0.101") == ["a"])
    }

    @Test func `an owner's own address stays on its host through a fault and after the end`() throws {
        let segment = try Segment(hosts: 2)
        let (host, peer) = (segment.hosts[0], segment.hosts[1])
        let own = "\(host.address)"
        let text = Dialect.version3.text(255, on: host, peer: peer, addresses: ["\(own)/24", "10.77.0.100/24"])
        let router = try Router(.vrrpd, on: host, of: segment, text)
        try router.start()
        func becomes(_ state: VrrpAPI.State) throws {
            try segment.eventually("it is \(state)", within: .seconds(20)) {
                (try? router.show().runtime.state) == state
            }
        }
        try becomes(.master)
        try segment.cable(host, in: false)
        try becomes(.fault)
        #expect(try segment.holders(of: own) == ["a"])
        #expect(try segment.holders(of: virtualAddress) == [])
        try segment.cable(host, in: true)
        try becomes(.master)
        #expect(try segment.holders(of: virtualAddress) == ["a"])
        try router.end(SIGTERM)
        #expect(try segment.holders(of: own) == ["a"])
        #expect(try segment.holders(of: virtualAddress) == [])
    }

    @Test func `a bad configuration at the start ends with status 2`() throws {
        let segment = try Segment(hosts: 1)
        let router = try Router(.vrrpd, on: segment.hosts[0], of: segment, "vrrp_instance VI_1 {\n nonsense\n")
        try router.start()
        try segment.eventually("it ends", within: .seconds(5)) { router.exit != nil }
        #expect(router.exit == .exited(2))
        #expect(router.log.contains("vrrp.conf:2"))
    }

    @Test func `a second vrrpd on the same run directory does not start`() throws {
        let alone = try Alone()
        try alone.holds(true)
        let log = alone.segment.directory + "/second.log"
        let directory = alone.segment.directory + "/a"
        let second = try Program(
            [
                Program.directory + "/vrrpd", "--config", directory + "/vrrp.conf", "--run-dir", directory + "/run",
                "--state-dir", directory + "/state",
            ], on: alone.host, log: log, loop: alone.segment.loop)
        try alone.segment.eventually("it ends", within: .seconds(5)) { second.exit != nil }
        #expect(second.exit == .exited(1))
        #expect(try alone.segment.holders(of: virtualAddress) == ["a"])
    }
}
