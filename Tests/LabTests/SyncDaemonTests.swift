// `lvs_sync_daemon` in the kernel, with keepalived 2.2.7 as the other director, in both roles: connections of the master appear on the
// backup, and the directions change with mastership. Then what happens to it: no interface, somebody stops it, the daemon ends.

import Bus
import Glibc
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
struct SyncDaemonTests {
    private let lab: Lab

    init() throws { lab = try Lab() }

    /// A fixture with `word` in its global_defs.
    private func configuration(_ fixture: String, _ word: String) throws -> String {
        let content = try FileSystem.contents(
            of: Lab.repository + "/Tests/LabTests/Fixtures/\(fixture)", limit: 1 << 16)
        let text = String(decoding: try #require(content), as: UTF8.self)
        let parts = text.split(separator: "global_defs {", maxSplits: 1)
        try #require(parts.count == 2)
        let path = "\(lab.directory)/\(fixture)"
        try FileSystem.replace(
            path, with: Array("\(parts[0])global_defs {\n\(word)\n\(parts[1])".utf8), durable: false)
        return path
    }

    /// `master`, `backup`: what the kernel runs, with interface and id.
    private func daemons(of host: Host) throws -> [String] {
        try lab.run(["/sbin/ipvsadm", "-l", "--daemon"], on: host).split(separator: "\n").compactMap { line in
            guard let role = line.split(separator: " ").first, line.contains("mcast=eth0"), line.contains("syncid=51")
            else { return nil }
            return String(role)
        }
    }

    /// Connections to the virtual service that the host knows.
    private func connections(of host: Host) throws -> Int {
        let content = try host.inside {
            try FileSystem.contents(of: "/proc/thread-self/net/ip_vs_conn", limit: 1 << 20)
        }
        return String(decoding: content ?? [], as: UTF8.self).split(separator: "\n").count { $0.contains("C0A8C8FE") }
    }

    @Test(arguments: [false, true])
    func `connections appear on the backup, and the directions follow mastership`(oursIsMaster: Bool) throws {
        let web = [try WebServer(on: .web1, loop: lab.loop), try WebServer(on: .web2, loop: lab.loop)]
        defer { withExtendedLifetime(web) {} }
        let word = "lvs_sync_daemon eth0 VI_1"
        let master = try Director(
            on: .director1, configurationAt: try configuration("master.conf", word), lab: lab)
        let backup = try Director(
            on: .director2, configurationAt: try configuration("backup.conf", word), lab: lab)
        if oursIsMaster { try master.start() } else { try master.startKeepalived() }
        if oursIsMaster { try backup.startKeepalived() } else { try backup.start() }
        try lab.eventually("director 1 sends, director 2 receives", within: .seconds(20)) {
            try lab.holders() == [.director1] && daemons(of: .director1) == ["master"]
                && daemons(of: .director2) == ["backup"]
        }
        try lab.eventually("both tables are there", within: .seconds(15)) {
            try lab.table(of: .director1).count == 3 && lab.table(of: .director2).count == 3
        }
        let traffic = Traffic(every: .milliseconds(50), loop: lab.loop)
        try lab.eventually("the backup knows the master's connections", within: .seconds(20)) {
            try connections(of: .director2) > 5
        }
        #expect(Traffic.failures(traffic.requests).isEmpty)
        traffic.pause()

        if oursIsMaster { try master.kill(.vrrpd) } else { try master.kill("keepalived") }
        try lab.link(of: .director1, up: false)
        try lab.eventually("director 2 sends now", within: .seconds(15)) {
            try daemons(of: .director2) == ["master"]
        }
        if oursIsMaster {
            // Nobody says what VI_1 is there: what was there stays.
            #expect(try daemons(of: .director1) == ["master"])
            try lab.link(of: .director1, up: true)
            try master.start(.vrrpd)
        } else {
            try lab.link(of: .director1, up: true)
            try master.startKeepalived()
        }
        try lab.eventually("and receives again", within: .seconds(20)) {
            try daemons(of: .director1) == ["master"] && daemons(of: .director2) == ["backup"]
        }
    }

    @Test func `a missing interface is an alarm; what somebody stops is started again; the end stops it`() throws {
        let path = try configuration("master.conf", "lvs_sync_daemon sync0 id 51")
        let director = try Director(on: .director1, configurationAt: path, lab: lab)
        try director.start(.busd)
        try director.start(.ipvsd)
        let host = Host.director1
        func count() throws -> Int {
            try lab.run(["/sbin/ipvsadm", "-l", "--daemon"], on: host).split(separator: "\n").count {
                $0.contains("mcast=sync0")
            }
        }
        try lab.eventually("it says so", within: .seconds(10)) {
            director.logs.contains("there is no interface sync0")
        }
        try lab.run(["/sbin/ip", "link", "add", "sync0", "type", "veth", "peer", "name", "sync1"], on: host)
        for name in ["sync0", "sync1"] { try lab.run(["/sbin/ip", "link", "set", name, "up"], on: host) }
        try lab.eventually("both run", within: .seconds(15)) { try count() == 2 }
        try lab.run(["/sbin/ipvsadm", "--stop-daemon", "master"], on: host)
        try lab.eventually("it is put back", within: .seconds(10)) { try count() == 2 }
        try director.end(.ipvsd)
        #expect(try count() == 0)
    }
}
