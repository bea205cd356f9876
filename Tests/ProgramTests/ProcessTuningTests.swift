// What the configuration asks of the kernel for vrrpd's own process: done, changed by a reload, given back; what is refused is said.

import Bus
import CLinux
import Glibc
import Net
import Platform
import Testing
import VRRP

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(3)))
struct ProcessTuningTests {
    /// What the kernel says of a process.
    private struct Standing: Equatable, CustomStringConvertible {
        var nice = 0
        var realtime = 0
        var processors = ""
        var isLocked = false

        init(_ pid: pid_t) throws {
            func text(_ name: String) throws -> String {
                String(
                    decoding: try FileSystem.contents(of: "/proc/\(pid)/\(name)", limit: 1 << 16) ?? [], as: UTF8.self)
            }
            // After the name: field 3 of proc(5), the state, comes first.
            let fields = try text("stat").split(separator: ")").last?.split(separator: " ") ?? []
            nice = fields.count > 38 ? Int(fields[16]) ?? 99 : 99
            realtime = fields.count > 38 && fields[38] == "2" ? Int(fields[37]) ?? 0 : 0
            for line in try text("status").split(separator: "\n") {
                let words = line.split(whereSeparator: { $0 == "\t" || $0 == " " })
                if line.hasPrefix("Cpus_allowed_list") { processors = String(words.last ?? "") }
                if line.hasPrefix("VmLck") { isLocked = words.dropFirst().first != "0" }
            }
        }

        var description: String {
            "nice \(nice), real time \(realtime), on \(processors), \(isLocked ? "locked" : "not locked")"
        }
    }

    private func text(_ words: String, _ host: Host, _ peer: Host) -> String {
        "global_defs {\n\(words)\n}\n" + Dialect.version3.text(100, on: host, peer: peer)
    }

    private func standing(_ alone: Alone) throws -> Standing { try Standing(try #require(alone.router.pid)) }

    @Test func `words act, a reload changes what differs, and gives back what is taken out`() throws {
        let alone = try Alone { text("", $0, $1) }
        try alone.holds(true)
        let start = try standing(alone)
        let processor = try #require(start.processors.split(whereSeparator: { ",-".contains($0) }).first)
        func reads(_ words: String, _ change: (inout Standing) -> Void) throws {
            try alone.reload(text(words, alone.host, alone.peer))
            var expected = start
            change(&expected)
            do {
                try alone.eventually(words) { try standing(alone) == expected }
            } catch {
                Issue.record("\(try standing(alone)), not \(expected)")
                throw error
            }
        }
        try reads("vrrp_priority -3\nvrrp_rt_priority 5\nvrrp_cpu_affinity \(processor)\nvrrp_no_swap") {
            ($0.nice, $0.realtime, $0.processors, $0.isLocked) = (-3, 5, String(processor), true)
        }
        try reads("vrrp_priority 4\nvrrp_rt_priority 9") { ($0.nice, $0.realtime) = (4, 9) }
        try reads("") { _ in }
        #expect(try alone.router.show().runtime.state == .master)
        #expect(!alone.router.log.contains("tried again every minute"), "\(alone.router.log)")
    }

    @Test func `what the kernel refuses is an alarm with a remedy, and ends with the word`() throws {
        let segment = try Segment(hosts: 2)
        let (host, peer) = (segment.hosts[0], segment.hosts[1])
        let router = try Router(
            .vrrpd, on: host, of: segment,
            text("vrrp_priority -3\nvrrp_rt_priority 5\nvrrp_no_swap\nvrrp_cpu_affinity 1023", host, peer))
        try router.start(through: ["/usr/bin/setpriv", "--bounding-set", "-sys_nice,-ipc_lock"])
        let words = ["vrrp_priority: ", "vrrp_rt_priority or max_auto_priority: ", "vrrp_cpu_affinity: "]
        do {
            try segment.eventually("it says so", within: .seconds(10)) { words.allSatisfy(router.log.contains) }
        } catch {
            Issue.record("\(router.log)")
            throw error
        }
        #expect(router.log.contains("CAP_SYS_NICE") && router.log.contains("see lscpu"))
        // RLIMIT_MEMLOCK may be enough for it.
        try segment.eventually("it is master all the same", within: .seconds(10)) {
            (try? router.show().runtime.state) == .master
        }
        try router.configure(text("", host, peer))
        router.signal(SIGHUP)
        try segment.eventually("they are over", within: .seconds(10)) {
            ["nice: over", "realtime: over", "processors: over"].allSatisfy(router.log.contains)
        }
    }

    @Test func `disable_local_igmp turns the reports off while it stands, and what was off before stays off`() throws {
        let alone = try Alone { text("disable_local_igmp", $0, $1) }
        func reports() throws -> UInt8? {
            let path = "/proc/sys/net/ipv4/igmp_link_local_mcast_reports"
            return try alone.host.inside { try FileSystem.contents(of: path, limit: 16)?.first }
        }
        let (off, on) = (UInt8(ascii: "0"), UInt8(ascii: "1"))
        try alone.holds(true)
        #expect(try reports() == off)
        try alone.reload(text("", alone.host, alone.peer))
        try alone.eventually("on again") { try reports() == on }
        #expect(alone.router.log.contains("global_defs: change"))
        try alone.reload(text("disable_local_igmp", alone.host, alone.peer))
        try alone.eventually("off again") { try reports() == off }
        alone.router.signal(SIGTERM)
        try alone.eventually("on at the end") { try alone.router.exit != nil && reports() == on }
        let sysctl = ["/sbin/sysctl", "-qw", "net.ipv4.igmp_link_local_mcast_reports=0"]
        try alone.segment.ip(["netns", "exec", alone.host.namespace] + sysctl)
        try alone.router.start()
        try alone.holds(true)
        alone.router.signal(SIGTERM)
        try alone.eventually("it is over") { alone.router.exit != nil }
        #expect(try reports() == off)
    }

    @Test func `late timers raise the real-time priority step by step, up to the limit`() throws {
        let alone = try Alone { text("max_auto_priority 2\nmin_auto_priority_delay 200000", $0, $1) }
        try alone.holds(true)
        #expect(try standing(alone).realtime == 0)
        for expected in [1, 2, 2] {
            try alone.paused { try alone.segment.observe(for: .milliseconds(600)) }
            try alone.eventually("it goes on") { try standing(alone).realtime == expected }
            try alone.segment.observe(for: .milliseconds(300))
        }
        #expect(try standing(alone).realtime == 2)
        #expect(alone.router.log.contains("real-time priority 2 from now on (max_auto_priority)"))
        try alone.reload(text("", alone.host, alone.peer))
        try alone.eventually("it is ordinary again") { try standing(alone).realtime == 0 }
    }

    @Test func `beyond vrrp_rlimit_rttime it goes on with ordinary scheduling, and is not killed`() throws {
        let alone = try Alone { text("vrrp_rt_priority 5\nvrrp_rlimit_rttime 2", $0, $1) }
        try alone.holds(true)
        var broken = alone.packet(priority: 200)
        broken[26] ^= 0xFF
        // Longer than a tick of the clock, which is when the kernel looks.
        try alone.eventually("it says so", within: .seconds(20)) {
            try alone.paused { for _ in 0..<1000 { try alone.wire.send(broken) } }
            try alone.segment.observe(for: .milliseconds(200))
            return alone.router.log.contains("vrrp_rlimit_rttime: ran for longer")
        }
        #expect(try standing(alone).realtime == 0)
        #expect(alone.router.exit == nil)
        try alone.holds(true)
        try alone.reload(text("vrrp_rt_priority 5", alone.host, alone.peer))
        try alone.eventually("without the word there is no limit") { try standing(alone).realtime == 5 }
        #expect(alone.router.log.contains("realtime-limit: over"))
    }

    @Test func `netlink sockets have the buffers that are asked for, and change them by a reload`() throws {
        func words(_ size: Int) -> String {
            "vrrp_netlink_monitor_rcv_bufs \(size)\nvrrp_netlink_monitor_rcv_bufs_force\nvrrp_rx_bufs_policy \(size)"
        }
        let alone = try Alone { text(words(30_000_000), $0, $1) }
        try alone.holds(true)
        /// What the kernel has: twice what was asked for.
        func sizes() throws -> Set<Int> {
            let list = alone.segment.directory + "/sockets"
            let command = "ip netns exec \(alone.host.namespace) ss -H -n -a -f netlink -m >\(list)"
            try alone.segment.run(["/bin/bash", "-c", command])
            let text = String(decoding: try FileSystem.contents(of: list, limit: 1 << 20) ?? [], as: UTF8.self)
            // `skmem:(r0,rb200000,…`
            return Set(text.split(separator: ",").filter { $0.hasPrefix("rb") }.compactMap { Int($0.dropFirst(2)) })
        }
        try alone.eventually("what is asked for") { try sizes().contains(60_000_000) }
        try alone.reload(text(words(36_000_000), alone.host, alone.peer))
        try alone.eventually("another one after the reload") { try sizes().contains(72_000_000) }
        try alone.reload(text("", alone.host, alone.peer))
        try alone.eventually("its own without the words") { try sizes().isSuperset(of: [2 << 20, 16 << 20]) }
        #expect(!alone.router.log.contains("buffers:"), "\(alone.router.log)")
        try alone.becomes(.master)
    }
}
