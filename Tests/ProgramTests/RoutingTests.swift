// Routes and rules that follow mastership, against the kernel, with `ip` as the witness; and beside keepalived with the same file.

import Bus
import Glibc
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(3)))
struct RoutingTests {
    private static let lines = """
        virtual_routes {
         192.0.2.0/24 via 10.77.0.9
         192.0.3.0/24 via 10.77.0.9 dev eth0 src 10.77.0.100 metric 7
         10.10.0.0/16 dev eth0 scope link table 100
         unreachable 10.11.0.0/16
         default nexthop via 10.77.0.8 dev eth0 weight 2 nexthop via 10.77.0.9 dev eth0
         2001:db8:1::/48 dev eth0
         10.12.0.0/16 via 10.77.0.9 mtu 1400 advmss lock 1200
        }
        virtual_rules {
         from 10.1.0.0/16 table 100 priority 500
         to 10.2.0.0/16 fwmark 0x10/0xff table 101 priority 300
         from 10.3.0.0/16 iif eth0 blackhole priority 301
         not from 10.4.0.0/16 tos 0x10 goto 500 priority 302
         from 10.5.0.0/16 sport 80-90 ipproto tcp suppress_prefixlength 0 table main priority 303
         uidrange 10-20 oif eth0 unreachable priority 304
         from 2001:db8:2::/48 table 100 priority 305
        }
        """
    private static let statics = """
        static_ipaddress {
         10.88.0.1/24 dev eth0
        }
        static_routes {
         10.89.0.0/24 via 10.77.0.9 dev eth0
         blackhole 10.90.0.0/24
        }
        static_rules {
         from 10.88.0.0/24 table 100 priority 600
        }

        """

    /// Routes and rules that are not the kernel's own, without their protocol, sorted.
    static func shown(_ host: Host, _ segment: Segment) throws -> [String] {
        var lines: [String] = []
        for arguments in [
            ["-d", "-4", "route", "show", "table", "all"], ["-d", "-6", "route", "show", "table", "all"],
            ["-d", "-4", "rule"], ["-d", "-6", "rule"],
        ] {
            let path = "\(segment.directory)/shown"
            try segment.run([
                "/bin/sh", "-c", "exec ip -n \(host.namespace) \(arguments.joined(separator: " ")) > \(path)",
            ])
            let text = String(decoding: try FileSystem.contents(of: path, limit: 1 << 20) ?? [], as: UTF8.self)
            // Hops stand on lines of their own.
            for line in text.replacing("\n\t", with: " ").split(separator: "\n") {
                let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
                guard let place = words.firstIndex(of: "proto"), place + 1 < words.count else { continue }
                guard ["112", "keepalived"].contains(words[place + 1]) else { continue }
                lines.append((words[..<place] + words[(place + 2)...]).joined(separator: " "))
            }
        }
        return lines.sorted()
    }

    private func alone(more: String = Self.lines, before: String = "") throws -> Alone {
        let alone = try Alone { before + Dialect.version3.text(100, on: $0, peer: $1, more: more) }
        try alone.becomes(.master)
        return alone
    }

    private func expects(_ alone: Alone, _ lines: [String]) throws {
        try alone.eventually("\(lines.count) routes and rules") { try Self.shown(alone.host, alone.segment) == lines }
    }

    @Test func `a master has the routes and rules that keepalived has with the same file, and both leave none`() throws
    {
        let segment = try Segment(hosts: 2)
        let text = { (host: Host, peer: Host) in
            Self.statics + Dialect.version3.text(100, on: host, peer: peer, more: Self.lines)
        }
        let ours = try Router(
            .vrrpd, on: segment.hosts[0], of: segment, text(segment.hosts[0], segment.hosts[1]))
        try ours.start()
        try segment.eventually("master", within: .seconds(10)) {
            (try? ours.show().runtime.state) == .master
        }
        let own = try Self.shown(segment.hosts[0], segment)
        let instance = try ours.show()
        #expect(instance.runtime.heldRoutes?.count == 7)
        #expect(instance.runtime.heldRules?.count == 7)
        #expect(instance.runtime.routingTroubles == nil)
        try ours.end(SIGTERM)
        #expect(try Self.shown(segment.hosts[0], segment) == [])
        let theirs = try Router(
            .keepalived, on: segment.hosts[0], of: segment, text(segment.hosts[0], segment.hosts[1]), at: "k")
        try theirs.start()
        defer { try? theirs.end(SIGTERM) }
        try segment.eventually("keepalived's are the same", within: .seconds(10)) {
            try Self.shown(segment.hosts[0], segment) == own
        }
        #expect(own.count == 17)
    }

    @Test func `what somebody takes off or replaces is put back`() throws {
        let alone = try alone()
        let all = try Self.shown(alone.host, alone.segment)
        #expect(all.count == 14)
        try alone.ip("route del 192.0.2.0/24")
        try alone.ip("route del default")
        try alone.ip("-6 route del 2001:db8:1::/48")
        try alone.ip("rule del priority 301")
        try expects(alone, all)
        try alone.ip("route replace 10.12.0.0/16 via 10.77.0.7")
        try expects(alone, all)
        #expect(alone.router.log.contains("somebody else took off rule priority 301"))
    }

    @Test func `routes come back with the interface`() throws {
        let alone = try alone()
        let all = try Self.shown(alone.host, alone.segment)
        for _ in 0..<3 {
            try alone.ip("link set eth0 down")
            try alone.becomes(.fault)
            try alone.ip("link set eth0 up")
            try alone.becomes(.master)
            try expects(alone, all)
        }
        #expect(!alone.router.log.contains("somebody else took off route"))
    }

    @Test func `a reload changes one route and touches no other`() throws {
        let alone = try alone()
        let all = try Self.shown(alone.host, alone.segment)
        let path = "\(alone.segment.directory)/monitor"
        let monitor = try ChildProcess(
            ["/bin/sh", "-c", "exec ip -n \(alone.host.namespace) monitor route rule > \(path)"],
            environment: Program.environment, on: alone.segment.loop
        ) { _ in }
        try alone.segment.observe(for: .milliseconds(300))
        let text = Self.lines.replacing("192.0.2.0/24 via", with: "198.51.100.0/24 via")
        try alone.reload(Dialect.version3.text(100, on: alone.host, peer: alone.peer, more: text))
        try expects(alone, all.map { $0.replacing("192.0.2.0/24", with: "198.51.100.0/24") }.sorted())
        try alone.segment.observe(for: .milliseconds(200))
        monitor.signal(SIGTERM)
        let seen = String(decoding: try FileSystem.contents(of: path, limit: 1 << 20) ?? [], as: UTF8.self)
        // The kernel's own come when they come: that of a link-local address when its detection is over.
        #expect(seen.split(separator: "\n").count { $0.contains("proto 112") } == 2, "\(seen)")
    }

    @Test func `SIGKILL and a return keep them, SIGKILL and another master's taking over takes them off`() throws {
        let alone = try alone(before: Self.statics)
        let all = try Self.shown(alone.host, alone.segment)
        try alone.router.crash()
        #expect(try Self.shown(alone.host, alone.segment) == all)
        try alone.router.start()
        try alone.becomes(.master)
        #expect(try Self.shown(alone.host, alone.segment) == all)
        try alone.router.crash()
        // Nobody is master for longer than anyone waits.
        try alone.segment.observe(for: .seconds(1))
        try alone.router.start()
        try expects(alone, all.filter { $0.contains("10.8") || $0.contains("10.90.") })
        try alone.becomes(.master)
        try expects(alone, all)
    }
}
