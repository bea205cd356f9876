// The virtual and real servers of KEEPALIVED-MIB, walked through snmpd in the kernel's presence: keepalived's answers beside those of `lbctl snmp`.
import Glibc
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
struct SnmpServiceTests {
    private static let root = ".1.3.6.1.4.1.9586.100.5"

    private static let services = """
        virtual_server 192.168.200.254 80 {
            protocol TCP
            lvs_sched wlc
            lvs_method NAT
            persistence_timeout 600
            quorum 2
            hysteresis 1
            sorry_server 192.168.200.9 8080
            real_server 192.168.200.103 80 {
                weight 3
                uthreshold 100
                lthreshold 50
            }
            real_server 192.168.200.104 80 {
                weight 2
                inhibit_on_failure
            }
        }
        virtual_server 2001:db8::254 53 {
            protocol UDP
            lvs_sched sh
            sh-port
            lvs_method DR
            ops
            real_server 2001:db8::1 53 {
            }
        }
        virtual_server fwmark 7 {
            lvs_sched mh
            lvs_method TUN
            real_server 192.168.200.103 0 {
            }
        }

        """

    @Test func `a walk finds what keepalived shows of the same servers`() throws {
        let lab = try Lab()
        let socket = "unix:\(lab.directory)/agentx"
        let path = lab.directory + "/services.conf"
        let global = "global_defs {\n enable_snmp_checker\n snmp_socket \(socket)\n}\n"
        try FileSystem.replace(path, with: Array((global + Self.services).utf8), durable: false)
        let director = try Director(on: .director1, configurationAt: path, lab: lab)

        let theirs = try walk(lab, "master agentx\nagentXSocket \(socket)") {
            try director.startKeepalived()
        }
        try director.end("keepalived")
        try lab.run(["/sbin/ipvsadm", "-C"], on: .director1)

        try director.start(.busd)
        try director.start(.ipvsd)
        let handler = "\(Program.directory)/lbctl snmp --socket \(director.directory)/run/bus.sock"
        let ours = try walk(lab, "pass_persist \(Self.root) \(handler)") {}

        for (id, value) in ours where id != "1.1.0" { #expect(theirs[id] == value, "\(id)") }
        // What the bus does not say: delays, retries, notification, mail, tunnels' wrappings; and the kernel's own flag of a service.
        // The sorry server has no counters here.
        func columns(_ objects: [String: String]) -> Set<String> {
            Set(
                objects.keys.filter { $0.hasPrefix("3.") }.map {
                    $0.split(separator: ".").prefix(4).joined(separator: ".")
                })
        }
        #expect(
            columns(theirs).subtracting(columns(ours)).sorted() == [
                "3.3.1.15", "3.3.1.16", "3.3.1.17", "3.3.1.18", "3.3.1.19", "3.3.1.51", "3.3.1.52", "3.3.1.56",
                "3.3.1.57", "3.3.1.58", "3.3.1.59", "3.3.1.60", "3.3.1.61", "3.3.1.64", "3.3.1.65", "3.3.1.66",
                "3.3.1.67", "3.3.1.68", "3.4.1.13", "3.4.1.42", "3.4.1.43", "3.4.1.44", "3.4.1.45", "3.4.1.46",
                "3.4.1.47", "3.4.1.48", "3.4.1.49", "3.4.1.50", "3.4.1.51", "3.4.1.52", "3.6.1.0",
            ])
    }

    /// What snmpd with these lines tells of the MIB, by what follows its root, as soon as there are three virtual servers.
    private func walk(_ lab: Lab, _ lines: String, _ start: () throws -> Void) throws -> [String: String] {
        let settings = "\(lab.directory)/snmpd.conf"
        let text = "agentAddress udp:127.0.0.1:1161\nrocommunity public 127.0.0.1\n\(lines)\n"
        try FileSystem.replace(settings, with: Array(text.utf8), durable: false)
        let environment = ["/usr/bin/env", "MIBS=", "SNMP_PERSISTENT_DIR=\(lab.directory)/snmp"]
        let log = lab.directory + "/snmpd.log"
        unlink(log)
        let snmpd = try Program(
            environment + ["/usr/sbin/snmpd", "-f", "-Lo", "-C", "-c", settings], on: .director1, log: log,
            loop: lab.loop)
        try lab.eventually("snmpd listens", within: .seconds(20)) { snmpd.output.contains("NET-SNMP version") }
        try start()
        var found: [String: String] = [:]
        try lab.eventually("three virtual servers in the kernel and in the walk", within: .seconds(60)) {
            let walked = try lab.run(
                environment + [
                    "/usr/bin/snmpwalk", "-v2c", "-c", "public", "-On", "-t", "10", "127.0.0.1:1161", Self.root,
                ],
                on: .director1)
            found = [:]
            for line in walked.split(separator: "\n") where line.hasPrefix(Self.root) {
                guard let middle = line.firstRange(of: " = ") else { continue }
                found[String(line[..<middle.lowerBound].dropFirst(Self.root.count + 1))] =
                    String(line[middle.upperBound...])
            }
            return (1...3).allSatisfy { found["3.3.1.11.\($0)"] == "INTEGER: 1" }
        }
        snmpd.signal(SIGTERM)
        try lab.eventually("snmpd ends", within: .seconds(20)) { snmpd.exit != nil }
        return found
    }
}
