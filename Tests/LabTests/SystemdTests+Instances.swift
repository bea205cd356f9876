// Several directors on one host under a real systemd: evenkeel@red.target and evenkeel@blue.target in network namespaces of those names,
// beside evenkeel.target, each with its own bus, table and state.
import Bus
import Glibc
import Platform
import Testing

extension SystemdTests {
    private static let address = "10.77.0.100"

    /// Two namespaces on one wire, and what their directors read.
    private func makeInstances() throws {
        let script = """
            set -e
            for name in red blue; do ip netns add $name; ip -n $name link set lo up; done
            ip -n red link add eth0 type veth peer name eth0 netns blue
            number=0
            for name in red blue; do
                number=$((number + 1))
                ip -n $name address add 10.77.0.$number/24 dev eth0
                ip -n $name link set eth0 up
                cat >/etc/evenkeel/$name.conf <<EOF
            net_namespace $name
            global_defs {
                script_user root
            }
            vrrp_instance VI_$name {
                state BACKUP
                interface eth0
                use_vmac
                virtual_router_id 51
                priority $((200 - number * 50))
                advert_int 0.2
                version 3
                notify_master /usr/local/bin/told-$name
                virtual_ipaddress {
                    \(Self.address)/24
                }
            }
            virtual_server \(Self.address) 80$number {
                protocol TCP
                delay_loop 1
                real_server 127.0.0.1 9 {
                    TCP_CHECK {
                        retry 0
                        warmup 0
                    }
                }
            }
            EOF
                mkdir -p /run/mounted-$name
                cat >/usr/local/bin/told-$name <<EOF
            #!/bin/sh
            mount -t tmpfs told /run/mounted-$name
            readlink /proc/self/ns/net >/run/told-$name
            EOF
                chmod 755 /usr/local/bin/told-$name
            done
            systemctl start --no-block evenkeel@red.target evenkeel-{busd,vrrpd,ipvsd}@blue
            """
        try guest.run(["/bin/bash", "-c", script])
    }

    /// On its own bus; nil: the director of the host.
    private func state(of instance: String?) -> VrrpAPI.State? {
        let bus = try? BusClient(path: "/run/evenkeel\(instance.map { "@\($0)" } ?? "")/bus.sock")
        return try? bus?.call(VrrpAPI.Show(name: "VI_\(instance ?? "1")")).instance.runtime.state
    }

    private func inside(_ instance: String, _ command: String) throws -> String {
        try guest.run(["/sbin/ip", "netns", "exec", instance, "/bin/sh", "-c", command])
    }

    @Test func `directors in two network namespaces run beside the one of the host, each for itself`() throws {
        defer {
            _ = try? guest.run([
                "/bin/bash", "-c",
                """
                systemctl stop 'evenkeel@*' 'evenkeel-*@*'; systemctl reset-failed
                umount /run/mounted-red /run/mounted-blue; rm /etc/evenkeel/{red,blue}.conf
                ip netns delete red; ip netns delete blue
                """,
            ])
        }
        try makeInstances()
        do {
            try guest.eventually("red is master and blue its backup", within: .seconds(60)) {
                state(of: "red") == .master && state(of: "blue") == .backup
            }
        } catch {
            Issue.record("\(try guest.run(["/bin/journalctl", "-n", "80", "-u", "evenkeel*@*"]))")
            throw error
        }
        // Each has its addresses, settings and table in its own network, and its programs run there, on the host's file system.
        #expect(try inside("red", "ip -br address show vrrp.51").contains(Self.address))
        #expect(try inside("red", "cat /proc/sys/net/ipv6/conf/vrrp.51/disable_ipv6") == "1\n")
        let network = try inside("red", "readlink /proc/self/ns/net")
        try guest.eventually("a program is told in that network", within: .seconds(10)) {
            try FileSystem.contents(of: "/run/told-red", limit: 64) == Array(network.utf8)
        }
        let mounts = String(decoding: try FileSystem.contents(of: "/proc/mounts", limit: 1 << 16) ?? [], as: UTF8.self)
        #expect(mounts.contains("told /run/mounted-red tmpfs"))
        for (name, port) in [("red", "0321"), ("blue", "0322")] {
            try guest.eventually("\(name) has its table", within: .seconds(10)) {
                let table = try inside(name, "cat /proc/net/ip_vs")
                let lines = table.split(separator: "\n").filter { $0.contains("0A4D0064") }
                return lines.count == 1 && lines[0].contains(":\(port)")
            }
        }
        let status = try guest.run(["/usr/bin/lbctl", "--instance", "red", "status"])
        #expect(status.contains("VI_red is MASTER") && !status.contains("vrrpd/"), "no alarm: \(status)")
        #expect(status.split(separator: "\n").count { $0.contains("/etc/evenkeel/red.conf") } == 3, "\(status)")

        // One stops, and the others go on.
        try guest.run(["/bin/systemctl", "stop", "evenkeel@red.target"])
        #expect(try !inside("red", "ip -br address").contains(Self.address))
        try guest.eventually("blue is master", within: .seconds(10)) { state(of: "blue") == .master }
        #expect(state(of: nil) == .master)
    }

    @Test func `without its network namespace an instance fails at once and says how to make it`() throws {
        let target = "evenkeel@none.target"
        _ = try? guest.run(["/bin/systemctl", "start", target])
        try guest.eventually("it has failed", within: .seconds(10)) {
            (try? guest.run(["/bin/systemctl", "is-failed", "evenkeel-instance@none"])) == "failed\n"
        }
        let log = try guest.run(["/bin/journalctl", "-u", "evenkeel-instance@none"])
        #expect(log.contains("there is no network namespace none; make it first: ip netns add none"))
        try guest.run(["/bin/systemctl", "reset-failed"])
    }
}
