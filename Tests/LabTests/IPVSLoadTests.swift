// A large table: 1,000 services of 10 servers are written at the start, and a verdict about one server of each service comes at once. What it
// takes is printed, for the comparison with another version (EVENKEEL_PROGRAMS); only the outcome is asserted.
import Bus
import IPVS
import JSON
import Netlink
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
struct IPVSLoadTests {
    private static func name(_ service: Int) -> String { "10.1.\(service / 250).\(service % 250 + 1)" }

    private static var configuration: String {
        "global_defs {\n lvs_flush_on_stop VS\n lvs_netlink_cmd_rcv_bufs 30000000\n lvs_netlink_cmd_rcv_bufs_force\n}\n"
            + (0..<1000).map { service in
                let servers = (1...10).map { "real_server 10.2.0.\($0) 80 {\n weight 1\n TCP_CHECK {\n }\n }\n" }
                return "virtual_server \(name(service)) 80 {\n protocol TCP\n lvs_sched rr\n lvs_method NAT\n"
                    + servers.joined() + "}\n"
            }.joined()
    }

    private let lab: Lab
    private let director: Director
    private let kernel: IPVSClient

    init() throws {
        lab = try Lab()
        kernel = try Host.director1.inside { IPVSClient(NetlinkClient(try NetlinkSocket(.generic))) }
        let path = lab.directory + "/large.conf"
        try FileSystem.replace(path, with: Array(Self.configuration.utf8), durable: false)
        director = try Director(on: .director1, configurationAt: path, lab: lab)
    }

    /// Services and servers in the kernel's table. Not by /proc/net/ip_vs, which leaves lines out of a large table while another network
    /// namespace has services too.
    private func lines() throws -> Int { try kernel.services().reduce(0) { $0 + 1 + $1.destinations.count } }

    @Test func `1,000 services of 10 servers are written, follow 1,000 verdicts, and go at stop`() throws {
        let clock = ContinuousClock()
        try director.start(.busd)
        let start = clock.now
        try director.start(.ipvsd)
        try lab.eventually("all is written", within: .seconds(60)) { try lines() == 11_000 }
        let written = clock.now - start
        let socket = director.directory + "/run/bus.sock"
        try lab.eventually("ipvsd is on the bus", within: .seconds(60)) {
            (try? BusClient(path: socket).call(IpvsAPI.ShowService(name: "tcp/\(Self.name(999)):80"))) != nil
        }
        let bus = try BusClient(path: socket)
        let stormed = clock.now
        for first in stride(from: 0, to: 1000, by: 100) {
            _ = try bus.call(BusAPI.Publish(events: (first..<first + 100).map(Self.verdict)))
        }
        try lab.eventually("one server of each service left", within: .seconds(60)) { try lines() == 10_000 }
        print("lab: 1,000 × 10 in the table after \(written), 1,000 verdicts after \(clock.now - stormed)")
        let sockets = try lab.run(["/bin/ss", "-H", "-n", "-a", "-f", "netlink", "-m"], on: .director1)
        #expect(sockets.contains("rb60000000"), "the kernel doubles it: \(sockets)")
        try lab.run(["/sbin/ipvsadm", "-A", "-t", "10.9.9.9:80"], on: .director1)
        let stopped = clock.now
        try director.end(.ipvsd)
        print("lab: stopped after \(clock.now - stopped)")
        #expect(try lab.table(of: .director1) == ["tcp 10.9.9.9:80 wlc"], "lvs_flush_on_stop VS leaves those of others")
    }

    private static func verdict(_ service: Int) -> BusAPI.Event {
        let server = "tcp/\(name(service)):80/10.2.0.1:80"
        return BusAPI.Event(
            specversion: "1.0", id: "\(service)", source: "/checkd", type: EventType.checkServer, subject: server,
            time: "2026-11-21T12:00:00.000Z",
            data: [
                "server": .string(server), "state": "down", "verified": true, "since": "2026-11-21T12:00:00.000Z",
                "reason": "connection refused", "checks": [],
            ])
    }
}
