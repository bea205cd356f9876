// ipvsd and busd alone on a host with the kernel's IPVS: the test plays checkd and the operator over the bus, and /proc tells what the
// kernel was told.

import Bus
import Glibc
import JSON
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
struct IPVSDaemonTests {
    private static let service = "tcp/10.7.7.7:80"
    private static let configuration = """
        virtual_server 10.7.7.7 80 {
            protocol TCP
            lvs_sched wrr
            lvs_method NAT
            sorry_server 10.7.0.9 80
            real_server 10.7.0.1 80 {
                weight 3
                TCP_CHECK {
                }
            }
            real_server 10.7.0.2 80 {
                weight 2
                TCP_CHECK {
                }
            }
        }
        """

    private let lab: Lab
    private let director: Director

    init() throws {
        lab = try Lab()
        let path = lab.directory + "/ipvsd.conf"
        try Self.write(Self.configuration, to: path)
        director = try Director(on: .director1, configurationAt: path, lab: lab)
        try director.start(.busd)
        try director.start(.ipvsd)
    }

    private static func write(_ text: String, to path: String) throws {
        let number = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        try #require(number >= 0)
        let file = FileDescriptor(owning: number)
        #expect(try Array(text.utf8).withUnsafeBytes { try file.write($0) } == text.utf8.count)
    }

    private func table(_ servers: String...) -> [String] {
        ["tcp 10.7.7.7:80 wrr"] + servers.map { "  10.7.0.\($0)" }
    }

    private func becomes(_ what: String, _ expected: [String], within limit: Duration = .seconds(10)) throws {
        do {
            try lab.eventually(what, within: limit) { try lab.table(of: .director1) == expected }
        } catch {
            Issue.record("\(try lab.table(of: .director1))\n\(director.logs)")
            throw error
        }
    }

    /// A connection to the bus, once ipvsd has registered.
    private func bus() throws -> BusClient {
        var client: BusClient?
        try lab.eventually("ipvsd is on the bus", within: .seconds(10)) {
            guard let bus = try? BusClient(path: director.directory + "/run/bus.sock") else { return false }
            guard (try? bus.call(IpvsAPI.ListServices())) != nil else { return false }
            client = bus
            return true
        }
        return try #require(client)
    }

    /// What checkd would publish.
    private func publish(_ bus: BusClient, server: Int, _ state: String) throws {
        let name = "\(Self.service)/10.7.0.\(server):80"
        _ = try bus.call(
            BusAPI.Publish(events: [
                BusAPI.Event(
                    specversion: "1.0", id: "\(server)-\(state)", source: "/checkd", type: EventType.checkServer,
                    subject: name, time: "2026-11-21T12:00:00.000Z",
                    data: [
                        "server": .string(name), "state": .string(state), "verified": true,
                        "since": "2026-11-21T12:00:00.000Z",
                        "reason": "connection refused", "checks": [],
                    ])
            ]))
    }

    private func server(_ number: Int) -> String { "\(Self.service)/10.7.0.\(number):80" }

    @Test func `verdicts reach the table, the sorry server steps in, a restart changes nothing`() throws {
        try becomes("the service is written", table("1:80 Masq 3", "2:80 Masq 2"))
        let bus = try bus()
        try publish(bus, server: 1, "down")
        try becomes("1 leaves", table("2:80 Masq 2"))
        try publish(bus, server: 2, "down")
        try becomes("the sorry server serves", table("9:80 Masq 1"))
        try director.kill(.ipvsd)
        try director.start(.ipvsd)
        var seen: Set<[String]> = []
        try lab.observe(for: .seconds(2)) { seen.insert(try lab.table(of: .director1)) }
        #expect(seen == [table("9:80 Masq 1")], "\(director.logs)")
        try publish(try self.bus(), server: 2, "up")
        try becomes("2 serves again", table("2:80 Masq 2"))
    }

    @Test func `decisions are carried out, shown, kept over a restart, and reset`() throws {
        try becomes("the service is written", table("1:80 Masq 3", "2:80 Masq 2"))
        var bus = try bus()
        let seq = try bus.call(IpvsAPI.Drain(server: server(1))).seq
        #expect(seq != nil)
        try becomes("1 is drained", table("1:80 Masq 0", "2:80 Masq 2"))
        try becomes("1 has no connections and leaves", table("2:80 Masq 2"))
        #expect(try bus.call(IpvsAPI.Drain(server: server(1))).seq == nil, "nothing changed")
        _ = try bus.call(IpvsAPI.SetWeight(server: server(2), weight: 7))
        _ = try bus.call(IpvsAPI.SetWeight(server: server(1), weight: 5))
        try becomes("2 has its weight", table("2:80 Masq 7"))
        try director.kill(.ipvsd)
        try director.start(.ipvsd)
        bus = try self.bus()
        let shown = try bus.call(IpvsAPI.ShowService(name: Self.service)).service
        #expect(shown.servers.map(\.runtime.override?.kind) == [.drain, .weight])
        #expect(shown.servers.map(\.runtime.override?.weight) == [5, 7])
        #expect(shown.servers.map(\.runtime.effectiveWeight) == [0, 7])
        #expect(shown.servers.map(\.runtime.activeConnections) == [nil, 0])
        #expect(shown.servers.map(\.runtime.override?.isOver) == [true, nil])
        _ = try bus.call(IpvsAPI.Enable(server: server(1)))
        _ = try bus.call(IpvsAPI.Disable(server: server(2)))
        try becomes("1 is back with its weight, 2 is out", table("1:80 Masq 5"))
        _ = try bus.call(IpvsAPI.Reset(server: server(1)))
        _ = try bus.call(IpvsAPI.Reset(server: server(2)))
        try becomes("all as configured", table("1:80 Masq 3", "2:80 Masq 2"))
        #expect(throws: BusClientError.self) { try bus.call(IpvsAPI.Drain(server: self.server(5))) }
        #expect(throws: BusClientError.self) { try bus.call(IpvsAPI.ShowService(name: "tcp/1.1.1.1:1")) }
    }

    @Test func `what others change is repaired, what is theirs is left alone`() throws {
        try becomes("the service is written", table("1:80 Masq 3", "2:80 Masq 2"))
        try lab.run(["/bin/bash", "-c", "ipvsadm -C; ipvsadm -A -t 10.9.8.7:99 -s wlc"], on: .director1)
        try lab.eventually("ours is written again", within: .seconds(12)) {
            Set(try lab.table(of: .director1))
                == Set(["tcp 10.9.8.7:99 wlc"] + table("1:80 Masq 3", "2:80 Masq 2"))
        }
        let shown = try bus().call(IpvsAPI.ShowService(name: Self.service)).service
        #expect(shown.runtime.reason.contains("repaired") && shown.runtime.repairs == 1)
    }

    @Test func `a reload applies the difference, refuses nonsense, and deletes what is ours only`() throws {
        try becomes("the service is written", table("1:80 Masq 3", "2:80 Masq 2"))
        let bus = try bus()
        let path = director.configuration
        try Self.write("virtual_server 10.7.7.7 80 {\n  lvs_skhed rr\n}\n", to: path)
        #expect(throws: BusClientError.self) { try bus.call(IpvsAPI.PrepareReload()) }
        try Self.write(Self.configuration.replacing("weight 3", with: "weight 8"), to: path)
        let prepared = try bus.call(IpvsAPI.PrepareReload())
        #expect(prepared.changes == ["edit \(server(1)) weight 8"])
        #expect(throws: BusClientError.self) { try bus.call(IpvsAPI.CommitReload(digest: "0")) }
        #expect(try lab.table(of: .director1) == table("1:80 Masq 3", "2:80 Masq 2"), "nothing is in force yet")
        _ = try bus.call(IpvsAPI.CommitReload(digest: prepared.digest))
        try becomes("the new weight is in force", table("1:80 Masq 8", "2:80 Masq 2"))
        try lab.run(["/usr/sbin/ipvsadm", "-A", "-t", "10.9.8.7:99", "-s", "wlc"], on: .director1)
        // Half a second after its start ipvsd writes down which services are its own.
        let standings = director.directory + "/state/standings.state"
        try lab.eventually("it is noted whose service that is", within: .seconds(10)) {
            let octets = try FileSystem.contents(of: standings, limit: 1 << 20) ?? []
            return String(decoding: octets, as: UTF8.self).contains("10.7.7.7:80")
        }
        try director.kill(.ipvsd)
        try Self.write("global_defs {\n}\n", to: path)
        try director.start(.ipvsd)
        try becomes("our service went while we were away", ["tcp 10.9.8.7:99 wlc"])
    }

    /// The kernel of the lab has no twos.
    @Test func `one service the kernel refuses does not hold up the others`() throws {
        let path = director.configuration
        try Self.write(
            Self.configuration
                + "\nvirtual_server 10.7.7.8 80 {\n protocol TCP\n lvs_sched twos\n lvs_method NAT\n}\n",
            to: path)
        try director.kill(.ipvsd)
        try director.start(.ipvsd)
        try becomes("the good service is there", table("1:80 Masq 3", "2:80 Masq 2"))
        let bus = try bus()
        let shown = try bus.call(IpvsAPI.ShowService(name: "tcp/10.7.7.8:80")).service
        #expect(shown.runtime.problem?.contains("modprobe ip_vs_twos") == true)
        #expect(shown.runtime.inKernel == false)
        try publish(bus, server: 1, "down")
        try becomes("the good service follows its checks meanwhile", table("2:80 Masq 2"))
        let later = try bus.call(IpvsAPI.ShowService(name: "tcp/10.7.7.8:80")).service
        #expect(later.runtime.problem == shown.runtime.problem, "the refusal is not forgotten")
    }
}
