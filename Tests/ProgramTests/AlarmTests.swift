// What vrrpd cannot do now: it says so while it lasts and under today's name, tries again, and loses nothing meanwhile.

import Bus
import Glibc
import JSON
import Net
import Platform
import Testing
import VRRP

private let canInject = access("/usr/bin/strace", X_OK) == 0

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(3)))
struct AlarmTests {
    // MARK: Alarms and events on the bus

    @Test func `alarms and events follow an instance to its new name, and to its new identity`() throws {
        let segment = try Segment(hosts: 2)
        let (host, peer) = (segment.hosts[0], segment.hosts[1])
        func text(_ name: String, _ interface: String, _ id: Int = 51) -> String {
            Dialect.version3.text(100, on: host, peer: peer).replacing("VI_1", with: name)
                .replacing("interface eth0", with: "interface \(interface)")
                .replacing("router_id 51", with: "router_id \(id)")
        }
        let router = try Router(.vrrpd, on: host, of: segment, text("VI_OLD", "nope0"))
        let (busd, tap) = try router.startBus(["io.evenkeel.daemon.alarm", "io.evenkeel.vrrp.instance"])
        defer { busd.signal(SIGKILL) }
        try router.start()
        func eventually(_ what: String, _ condition: () throws -> Bool) throws {
            do {
                try segment.eventually(what, within: .seconds(10), condition)
            } catch {
                Issue.record("\(tap.standing("io.evenkeel.daemon.alarm")) \(router.log)")
                throw error
            }
        }
        func alarms() -> Set<String> { Set(tap.standing("io.evenkeel.daemon.alarm").keys) }
        func instances() -> Set<String> { Set(tap.standing("io.evenkeel.vrrp.instance").keys) }
        func reload(_ text: String) throws {
            try router.configure(text)
            router.signal(SIGHUP)
        }
        try eventually("its alarm stands") { alarms() == ["vrrpd/instance/VI_OLD"] && instances() == ["VI_OLD"] }
        try reload(text("VI_NEW", "nope0"))
        try eventually("it has the new name") { alarms() == ["vrrpd/instance/VI_NEW"] && instances() == ["VI_NEW"] }
        try reload(text("VI_NEW", "eth0"))
        try eventually("it is over") { alarms().isEmpty && instances() == ["VI_NEW"] }
        try reload(text("VI_NEW", "eth0", 61))
        func shown() -> (id: Int64?, state: String?) {
            let data = tap.standing("io.evenkeel.vrrp.instance")["VI_NEW"]
            return (data?["context"]?["virtualRouterId"]?.int, data?["runtime"]?["state"]?.string)
        }
        try eventually("the other identity is shown as master") { shown() == (61, "master") }
        #expect(instances() == ["VI_NEW"])
    }

    // MARK: Configurations

    /// Unicast without `interface`.
    private func unicast(_ address: String) -> (Host, Host) -> String {
        { Dialect.unicast.text(100, on: $0, peer: $1, addresses: [address]).replacing("interface eth0", with: "") }
    }

    @Test func `an address that would be on no interface is refused at the start and by a reload`() throws {
        let refused = try Alone(unicast("\(virtualAddress)/24"))
        try refused.eventually("it ends") { refused.router.exit != nil }
        #expect(refused.router.exit == .exited(2))
        #expect(refused.router.log.contains("vrrp.conf:") && refused.router.log.contains("dev"))
        let alone = try Alone(unicast("\(virtualAddress)/24 dev eth0"))
        try alone.holds(true)
        try alone.reload(unicast("\(virtualAddress)/24")(alone.host, alone.peer))
        try alone.eventually("it is refused") { alone.router.log.contains("configuration refused") }
        try alone.holds(true)
    }

    @Test func `unicast from an address that the host does not have is a fault until it has it`() throws {
        let alone = try Alone {
            Dialect.unicast.text(100, on: $0, peer: $1).replacing("src_ip 10.77.0.1", with: "src_ip 10.77.0.9")
        }
        try alone.becomes(.fault)
        // Several master-down intervals.
        var seen: Set<[String]> = []
        try alone.segment.observe(for: .seconds(1)) { seen.insert(try alone.segment.holders(of: virtualAddress)) }
        #expect(seen == [[]])
        #expect(try alone.router.show().runtime.state == .fault)
        try alone.ip("addr add 10.77.0.9/24 dev eth0")
        try alone.holds(true)
        try alone.ip("addr del 10.77.0.9/24 dev eth0")
        try alone.holds(false)
        try alone.becomes(.fault)
    }

    // MARK: The kernel and the wire

    @Test(.enabled(if: canInject)) func `an address that is not taken off is asked for until it is`() throws {
        let alone = try Alone(.version3)
        try alone.becomes(.master)
        let pid = try #require(alone.router.pid)
        let trace = alone.segment.directory + "/trace"
        // Requests to the kernel do not reach it, nor do advertisements anybody.
        let strace = try Program(
            [
                "/usr/bin/strace", "-qq", "-p", "\(pid)", "-e", "trace=sendto,epoll_wait,epoll_pwait", "-e",
                "inject=sendto:error=EPERM", "-o", trace,
            ], on: nil, log: alone.segment.directory + "/strace", loop: alone.segment.loop)
        try alone.eventually("its calls are seen") {
            (try FileSystem.contents(of: trace, limit: 1 << 24) ?? []).count > 100
        }
        func outranked(_ what: String, _ condition: () throws -> Bool) throws {
            try alone.eventually(what) {
                try alone.wire.send(alone.packet(priority: 200))
                return try condition()
            }
        }
        try outranked("it is backup") { try alone.router.show().runtime.state == .backup }
        // Longer than until it asks again. Its log does not come through either.
        let start = alone.segment.loop.refreshNow()
        try outranked("time passes") { alone.segment.loop.now - start > .milliseconds(1500) }
        #expect(try alone.segment.holders(of: virtualAddress) == ["a"])
        #expect(try alone.router.show().runtime.heldAddresses == ["\(virtualAddress)/24"])
        #expect(strace.exit == nil)
        strace.signal(SIGTERM)
        try outranked("strace is gone") { strace.exit != nil }
        try outranked("it is taken off") { try alone.segment.holders(of: virtualAddress) == [] }
        #expect(try alone.router.show().runtime.heldAddresses == [])
    }

    @Test func `a thousand packets that come while vrrpd does not run wait for it`() throws {
        let alone = try Alone(.version3)
        try alone.becomes(.master)
        var broken = alone.packet(priority: 200)
        broken[26] ^= 0xFF
        try alone.paused { for _ in 0..<1000 { try alone.wire.send(broken) } }
        try alone.eventually("all are seen", within: .seconds(3)) {
            try alone.router.show().runtime.statistics.discarded["checksum"] == 1000
        }
    }
}
