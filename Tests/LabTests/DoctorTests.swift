// `lbctl doctor` on a host where much is wrong: what each finding is about is made in a real kernel, found, mended by the command that the finding names, and
// found no more. The judgements by themselves are in LbctlTests/DoctorTests; what systemd's units have to say is in SystemdTests.

import Glibc
import JSON
import Platform
import Testing

@Suite(
    .serialized,
    .enabled(if: inEmulatedLab, "user-mode Linux has no nf_tables for ip and ip6: 'deploy/test emulated' runs this"),
    .timeLimit(.minutes(20)))
struct DoctorTests {
    private let lab: Lab
    private let director: Director

    init() throws {
        lab = try Lab()
        director = try Director(on: .director1, configurationAt: lab.directory + "/evenkeel.conf", lab: lab)
    }

    private struct Found: Equatable {
        var subject: String
        var what: String
        var remedy: String
    }

    /// What will hurt, and whether the exit status says so.
    private func look() throws -> [Found] {
        let words = [
            "\(Program.directory)/lbctl", "doctor", "--json", "--config", director.configuration, "--socket",
            "\(director.directory)/run/bus.sock",
        ]
        let log = "\(lab.directory)/doctor"
        FileSystem.remove(log)
        let program = try Program(words, on: .director1, log: log, loop: lab.loop)
        try lab.eventually("the doctor is done", within: .seconds(120)) { program.exit != nil }
        guard case .object(let answer) = try JSONValue(parsing: Array(program.output.utf8)) else { return [] }
        #expect(answer["notLookedAt"]?.array == [], "\(program.output)")
        let found = (answer["findings"]?.array ?? []).compactMap { finding -> Found? in
            guard case .object(let finding) = finding, finding["severity"]?.string == "willHurt" else { return nil }
            return Found(
                subject: finding["subject"]?.string ?? "", what: finding["what"]?.string ?? "",
                remedy: finding["remedy"]?.string ?? "")
        }
        #expect(program.exit == .exited(found.isEmpty ? 0 : 1), "\(program.output)")
        return found
    }

    /// Does what a finding says, as far as it is a command.
    private func mend(_ found: Found) throws {
        var command = found.remedy
        if command.hasPrefix("'") { command = String(command.dropFirst().prefix { $0 != "'" }) }
        if let more = command.firstRange(of: "; and the same") { command = String(command[..<more.lowerBound]) }
        try lab.run(["/bin/bash", "-ec", command], on: .director1)
    }

    private func expect(_ subjects: [String], _ why: String) throws -> [Found] {
        var found: [Found] = []
        try lab.eventually("\(why): \(subjects)", within: .seconds(180)) {
            try lab.observe(for: .milliseconds(500))
            found = try look()
            return found.map(\.subject).sorted() == subjects.sorted()
        }
        return found
    }

    @Test func `each finding goes with its command`() throws {
        let text = """
            global_defs {
             vrrp_mcast_group4 239.1.2.3
            }
            vrrp_instance VI_1 {
             interface br0
             virtual_router_id 51
             priority 100
             virtual_ipaddress {
              192.168.200.254/24
             }
            }
            virtual_server 192.168.200.254 80 {
             protocol TCP
             lvs_sched rr
             lvs_method NAT
             real_server 192.168.200.103 80 {
             }
            }

            """
        try FileSystem.replace(director.configuration, with: Array(text.utf8), durable: false)
        try lab.run(
            [
                "/bin/bash", "-ec",
                """
                chmod 640 \(director.configuration)
                sysctl -qw net.ipv4.ip_forward=1
                ip link add br0 type bridge mcast_snooping 0 forward_delay 0
                ip link set eth0 master br0; ip link set br0 up
                ip address del 192.168.200.101/24 dev eth0; ip address add 192.168.200.101/24 dev br0
                """,
            ], on: .director1)
        for daemon in [Daemon.busd, .vrrpd, .ipvsd] { try director.start(daemon) }
        _ = try expect([], "a host as it should be")

        // Files, and the kernel's settings, which ipvsd sees.
        try lab.run(
            ["/bin/bash", "-ec", "chmod 666 \(director.configuration); sysctl -qw net.ipv4.ip_forward=0"],
            on: .director1)
        for found in try expect(["files", "ipvsd/forwarding/ipv4"], "files and settings") { try mend(found) }
        _ = try expect([], "files and settings are mended")

        // A firewall as many are.
        try lab.run(
            [
                "/bin/bash", "-ec",
                """
                nft -f - <<'END'
                table inet filter {
                    chain input {
                        type filter hook input priority 0; policy drop;
                        iifname lo accept
                        ct state vmap { established : accept, related : accept, invalid : drop }
                        ip protocol icmp accept
                        tcp dport { 22, 443 } accept
                    }
                    chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; }
                    chain output { type filter hook output priority 0; policy accept; meta l4proto 112 counter drop; }
                }
                END
                """,
            ], on: .director1)
        // vrrpd says that its advertisements do not leave, too.
        let dropped = try look().filter { $0.subject == "firewall" }
        #expect(
            Set(dropped.map { $0.what.split(separator: " of nft")[0] }) == [
                "advertisements of VI_1 are dropped by chain input",
                "advertisements of VI_1 are dropped by chain output",
                "packets of clients to tcp/192.168.200.254:80 are dropped by chain input",
                "answers of 192.168.200.103:80 are dropped by chain forward",
            ], "\(dropped)")
        for found in dropped { try mend(found) }
        _ = try expect([], "the firewall lets it pass")

        // A bridge that asks who listens, and forgets who does not say so. vrrpd's own membership is known again with the next question.
        try lab.run(
            ["/sbin/ip", "link", "set", "br0", "type", "bridge", "mcast_snooping", "1", "mcast_querier", "1"],
            on: .director1)
        try director.end(.vrrpd)
        let all = try look()
        let bridged = all.filter { $0.subject == "bridge" }
        #expect(bridged.count == 1, "\(all)")
        for found in bridged { try mend(found) }
        try director.start(.vrrpd)
        _ = try expect([], "the bridge floods")

        // Others who keep the same.
        try FileSystem.replace(
            lab.directory + "/empty.conf", with: Array("global_defs {\n}\n".utf8), durable: false)
        let others = try [
            ["/usr/sbin/keepalived", "-n", "-l", "-f", lab.directory + "/empty.conf", "-p", lab.directory + "/k.pid"],
            ["/bin/bash", "-c", "exec -a kube-proxy \(lab.directory)/kube-proxy 1000"],
        ].enumerated().map { index, words in
            if index == 1 { try lab.run(["/bin/cp", "/bin/sleep", lab.directory + "/kube-proxy"]) }
            return try Program(words, on: .director1, log: "\(lab.directory)/other-\(index)", loop: lab.loop)
        }
        let managers = try expect(["keepalived", "kube-proxy"], "other managers")
        #expect(managers[1].remedy.hasSuffix("192.168.200.254/32"))
        for other in others { other.signal(SIGTERM) }
        _ = try expect([], "they have gone")
    }

    @Test func `rules that stop what goes to servers, and what clients must hear about tunnels`() throws {
        let text = """
            virtual_server 192.168.200.254 80 {
             protocol TCP
             lvs_method DR
             real_server 192.168.200.103 80 {
             }
            }
            virtual_server 192.168.200.254 53 {
             protocol UDP
             lvs_method TUN
             real_server 192.168.200.104 53 {
             }
            }

            """
        try FileSystem.replace(director.configuration, with: Array(text.utf8), durable: false)
        try lab.run(
            [
                "/bin/bash", "-ec",
                """
                chmod 640 \(director.configuration)
                nft -f - <<'END'
                table inet own {
                    chain output {
                        type filter hook output priority 0; policy accept;
                        tcp dport 80 drop
                        meta l4proto { 4, 1 } drop
                    }
                }
                END
                """,
            ], on: .director1)
        let dropped = try look().filter { $0.subject == "firewall" }
        let chain = "are dropped by chain output of nft table inet own"
        #expect(
            Set(dropped.map(\.what)) == [
                "packets to server 192.168.200.103:80 \(chain)", "packets to server 192.168.200.104:53 \(chain)",
                "ICMP errors to clients of udp/192.168.200.254:53 \(chain)",
            ], "\(dropped)")
        for found in dropped { try mend(found) }
        #expect(try !look().contains { $0.subject == "firewall" })
    }
}
