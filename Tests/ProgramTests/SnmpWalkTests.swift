// KEEPALIVED-MIB walked through Net-SNMP's snmpd: keepalived's own answers beside those of `lbctl snmp`, for one configuration.

import Glibc
import Platform
import Testing

private func isProgram(_ path: String) -> Bool { access(path, X_OK) == 0 }
private let hasSNMP =
    isProgram("/usr/sbin/snmpd") && isProgram("/usr/bin/snmpwalk") && isProgram("/usr/sbin/keepalived")

@Suite(.serialized, .enabled(if: canMakeNetworks && hasSNMP), .timeLimit(.minutes(2)))
struct SnmpWalkTests {
    private static let root = ".1.3.6.1.4.1.9586.100.5"

    private static let routers = """
        vrrp_sync_group G1 {
         group {
          VI_1
          VI_2
         }
        }
        vrrp_instance VI_1 {
         state MASTER
         interface eth0
         virtual_router_id 51
         priority 150
         advert_int 1
         virtual_ipaddress {
          10.77.0.100/24
          10.77.0.101/24
         }
         virtual_ipaddress_excluded {
          10.77.0.102/24
         }
        }
        vrrp_instance VI_2 {
         state BACKUP
         interface eth0
         virtual_router_id 52
         priority 100
         version 3
         advert_int 0.5
         virtual_ipaddress {
          fe80::100
          2001:db8::100/64
         }
        }
        vrrp_instance VI_3 {
         state BACKUP
         interface eth0
         virtual_router_id 53
         priority 90
         nopreempt
         virtual_ipaddress {
          10.77.0.200
         }
        }

        """

    @Test func `a walk finds what keepalived shows of the same configuration`() throws {
        let segment = try Segment(hosts: 1)
        let host = segment.hosts[0]
        let socket = "unix:\(segment.directory)/agentx"

        let global = "global_defs {\n enable_snmp_vrrp\n snmp_socket \(socket)\n}\n"
        let keepalived = try Router(.keepalived, on: host, of: segment, global + Self.routers, at: "keepalived")
        let theirs = try walk(host, of: segment, "master agentx\nagentXSocket \(socket)") { try keepalived.start() }
        try keepalived.end(SIGTERM)

        let vrrpd = try Router(.vrrpd, on: host, of: segment, Self.routers)
        let (busd, _) = try vrrpd.startBus([])
        try vrrpd.start()
        let handler = "\(Program.directory)/lbctl snmp --socket \(vrrpd.directory)/run/bus.sock"
        let ours = try walk(host, of: segment, "pass_persist \(Self.root) \(handler)") {}
        try vrrpd.end(SIGTERM)
        busd.signal(SIGTERM)

        for (id, value) in ours {
            switch id {
            // Its own name and version.
            case "1.1.0": #expect(value.contains("Evenkeel"))
            // keepalived says 0 in version 2, which the MIB does not have.
            case let id where id.hasPrefix("2.3.1.27."): break
            // keepalived calls the addresses of all instances but the first not advertised.
            case let id where id.hasPrefix("2.6.1.11.") && !id.hasPrefix("2.6.1.11.1."): break
            default: #expect(theirs[id] == value, "\(id)")
            }
        }
        // What the bus does not say.
        let missing = Set(
            theirs.keys.filter { ours[$0] == nil }.map { $0.split(separator: ".").prefix(4).joined(separator: ".") })
        #expect(
            missing.filter { $0.hasPrefix("2.") }.sorted() == [
                "2.1.1.10", "2.1.1.4", "2.1.1.5",
                "2.3.1.11", "2.3.1.15", "2.3.1.19", "2.3.1.20", "2.3.1.21", "2.3.1.28", "2.3.1.29", "2.3.1.33",
                "2.3.1.34",
                "2.3.1.35", "2.6.1.4", "2.6.1.6", "2.6.1.7", "2.6.1.8",
            ])
    }

    /// What snmpd with these lines tells of the MIB, by what follows its root, as soon as three routers are master.
    private func walk(
        _ host: Host, of segment: Segment, _ lines: String, _ start: () throws -> Void
    ) throws -> [String: String] {
        let (settings, answer) = ("\(segment.directory)/snmpd.conf", "\(segment.directory)/walk")
        let text = "agentAddress udp:127.0.0.1:1161\nrocommunity public 127.0.0.1\n\(lines)\n"
        try FileSystem.replace(settings, with: Array(text.utf8), durable: false)
        let environment = ["/usr/bin/env", "MIBS=", "SNMP_PERSISTENT_DIR=\(segment.directory)/snmp"]
        let snmpd = try Program(
            environment + ["/usr/sbin/snmpd", "-f", "-Lo", "-C", "-c", settings], on: host,
            log: segment.directory + "/snmpd.log", loop: segment.loop)
        defer { snmpd.signal(SIGTERM) }
        try segment.eventually("snmpd listens", within: .seconds(20)) { snmpd.output.contains("NET-SNMP version") }
        try start()
        var found: [String: String] = [:]
        try segment.eventually("three masters in the walk; snmpd: \(snmpd.output)", within: .seconds(30)) {
            unlink(answer)
            let walk = try Program(
                environment + [
                    "/usr/bin/snmpwalk", "-v2c", "-c", "public", "-On", "-t", "5", "127.0.0.1:1161", Self.root,
                ],
                on: host, log: answer, loop: segment.loop)
            try segment.eventually("snmpwalk ends", within: .seconds(30)) { walk.exit != nil }
            found = [:]
            for line in walk.output.split(separator: "\n") where line.hasPrefix(Self.root) {
                guard let middle = line.firstRange(of: " = ") else { continue }
                found[String(line[..<middle.lowerBound].dropFirst(Self.root.count + 1))] = String(
                    line[middle.upperBound...])
            }
            return (1...3).allSatisfy { found["2.3.1.4.\($0)"] == "INTEGER: 2" }
        }
        snmpd.signal(SIGTERM)
        try segment.eventually("snmpd ends", within: .seconds(20)) { snmpd.exit != nil }
        return found
    }
}
