// One vrrpd on host a, an observer and trouble-maker on host b, and what is done to a: the shape of most tests of vrrpd.

import Bus
import Glibc
import Net
import Platform
import Testing
import VRRP

/// One vrrpd and the world around it.
struct Alone {
    let segment: Segment
    let wire: Wire
    let router: Router
    var host: Host { segment.hosts[0] }
    var peer: Host { segment.hosts[1] }

    /// VI_1 with the virtual address of the tests.
    init(_ dialect: Dialect = .version3, priority: Int = 100, more: String = "") throws {
        try self.init { dialect.text(priority, on: $0, peer: $1, more: more) }
    }

    /// Any configuration, made from both hosts; `prepare` is done before vrrpd starts.
    init(prepare: (Segment) throws -> Void = { _ in }, _ text: (Host, Host) -> String) throws {
        segment = try Segment(hosts: 2)
        wire = try Wire(on: segment.hosts[1], loop: segment.loop)
        router = try Router(
            .vrrpd, on: segment.hosts[0], of: segment, text(segment.hosts[0], segment.hosts[1]))
        try prepare(segment)
        try router.start()
    }

    /// Waits until `condition` holds; what vrrpd said is part of a failure.
    @discardableResult
    func eventually(_ what: String, within limit: Duration = .seconds(10), _ condition: () throws -> Bool) throws
        -> Duration
    {
        do {
            return try segment.eventually(what, within: limit + segment.slack, condition)
        } catch {
            Issue.record("\(router.log.suffix(4000))")
            throw error
        }
    }

    func holds(_ expected: Bool, _ address: String = virtualAddress, within limit: Duration = .seconds(20)) throws {
        try eventually("\(expected ? "holds" : "lets go") \(address)", within: limit) {
            try segment.holders(of: address) == (expected ? ["a"] : [])
        }
    }

    /// Waits until an instance is in `state`.
    func becomes(_ state: VrrpAPI.State, _ name: String = "VI_1", within limit: Duration = .seconds(10)) throws {
        try eventually("\(name) is \(state)", within: limit) { (try? router.show(name).runtime.state) == state }
    }

    /// Runs `ip` on host a.
    func ip(_ arguments: String) throws {
        try segment.ip(["-n", host.namespace] + arguments.split(separator: " ").map(String.init))
    }

    /// Runs many `ip` commands on host a in one process.
    func batch(_ lines: some Sequence<String>) throws {
        try segment.batch(lines, on: host)
    }

    /// Does `body` while vrrpd does not run: it finds everything at once afterwards, as after a pause of a virtual machine.
    func paused(_ body: () throws -> Void) throws {
        router.signal(SIGSTOP)
        defer { router.signal(SIGCONT) }
        try body()
    }

    /// Sets a sysctl of host a.
    func sysctl(_ name: String, _ value: Int) throws {
        try segment.run(["/sbin/ip", "netns", "exec", host.namespace, "/sbin/sysctl", "-qw", "\(name)=\(value)"])
    }

    /// Goes over to another configuration by SIGHUP.
    func reload(_ text: String) throws {
        try router.configure(text)
        router.signal(SIGHUP)
    }

    func advertisement(priority: UInt8, id: UInt8 = 51, interval: Duration = .milliseconds(100)) -> Advertisement {
        Advertisement(
            version: .v3, virtualRouterID: id, priority: priority, interval: interval,
            addresses: [.v4(IPv4Address(10, 77, 0, 100))])
    }

    /// An advertisement of version 3 from host b.
    func packet(
        priority: UInt8, id: UInt8 = 51, interval: Duration = .milliseconds(100), timeToLive: UInt8 = 255
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        advertisement(priority: priority, id: id, interval: interval).encodePacket(
            into: &bytes, from: .v4(IPv4Address(10, 77, 0, 2)), to: .v4(Advertisement.group4), checksum: .pseudoHeader,
            timeToLive: timeToLive)
        return bytes
    }

    /// How often vrrpd has said priority 0 for a virtual router.
    func resignations(_ id: UInt8 = 51) -> Int {
        wire.heard.count { $0.source == host.address && $0.virtualRouterID == id && $0.priority == 0 }
    }
}
