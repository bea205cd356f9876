// Evenkeel installed by deploy/install under a real systemd: who runs with which rights, what happens to the dead, and who
// may reach what. Runs in the guest of `deploy/lab/boot --systemd`, whose interface eth0 is made here.
import Glibc
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: underSystemd))
struct SystemdTests {
    let guest: Guest

    /// Has the target up with the published master's file.
    init() throws {
        guest = try Guest()
        try guest.run([
            "/bin/bash", "-c",
            """
            ip -br link show eth0 2>/dev/null || { ip link add eth0 type dummy
                ip address add 192.168.200.101/24 dev eth0; ip link set eth0 up; }
            install -m 640 -g evenkeel-private '\(Guest.repository)/Tests/LabTests/Fixtures/master.conf' \
                /etc/evenkeel/evenkeel.conf
            rm -f /etc/evenkeel/daemons.env /var/lib/evenkeel/*/configuration.*
            systemctl reset-failed; systemctl start --no-block evenkeel.target evenkeel-{busd,vrrpd,ipvsd,checkd,scriptd}
            """,
        ])
        for daemon in Daemon.allCases {
            try guest.eventually("\(daemon) is ready", within: .seconds(10)) {
                try property("ActiveState", of: daemon) == "active"
            }
        }
    }

    func property(_ name: String, of daemon: Daemon) throws -> String {
        let value = try guest.run(["/bin/systemctl", "show", "--value", "-p", name, "evenkeel-\(daemon)"])
        return String(value.dropLast())
    }

    /// A field of /proc/PID/status of a running daemon.
    private func status(_ field: String, of daemon: Daemon) throws -> String {
        let path = "/proc/\(try property("MainPID", of: daemon))/status"
        let text = String(decoding: try FileSystem.contents(of: path, limit: 1 << 16) ?? [], as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix(field + ":") }
        return line?.split(separator: "\t").dropFirst().first.map(String.init) ?? ""
    }

    @Test func `each daemon has its own user and only the capabilities of its job`() throws {
        // CAP_NET_ADMIN is bit 12, CAP_NET_RAW 13, CAP_IPC_LOCK 14, CAP_SYS_NICE 23.
        let expected: [Daemon: (user: String, capabilities: UInt64)] = [
            .busd: ("evenkeel-busd", 0),
            .checkd: ("evenkeel-checkd", 0),
            .ipvsd: ("evenkeel-ipvsd", 1 << 12),
            .vrrpd: ("root", 1 << 12 | 1 << 13 | 1 << 14 | 1 << 23),
        ]
        for (daemon, rights) in expected {
            #expect(UInt32(try status("Uid", of: daemon)) == Accounts.user(rights.user), "\(daemon)")
            #expect(UInt64(try status("CapEff", of: daemon), radix: 16) == rights.capabilities, "\(daemon)")
            #expect(UInt64(try status("CapBnd", of: daemon), radix: 16) == rights.capabilities, "\(daemon)")
        }
    }

    @Test func `what the configuration asks of the processes is not refused under their units`() throws {
        let words = ["vrrp", "checker"].map {
            "\($0)_priority -4\n\($0)_rt_priority 3\n\($0)_rlimit_rttime 500000\n\($0)_cpu_affinity 0\n\($0)_no_swap\n"
        }
        try guest.run([
            "/bin/bash", "-c",
            """
            sed -i '/^global_defs {/r /dev/stdin' /etc/evenkeel/evenkeel.conf <<'END'
            \(words.joined())
            END
            systemctl reload evenkeel-vrrpd evenkeel-checkd
            """,
        ])
        for daemon in [Daemon.vrrpd, .checkd] {
            let pid = try property("MainPID", of: daemon)
            do {
                try guest.eventually("\(daemon) has what it asks for", within: .seconds(10)) {
                    let stat = try FileSystem.contents(of: "/proc/\(pid)/stat", limit: 4096) ?? []
                    let fields =
                        String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
                    let locked = try status("VmLck", of: daemon)
                    let processors = try status("Cpus_allowed_list", of: daemon)
                    return fields.count > 38 && fields[16] == "-4" && fields[37] == "3" && fields[38] == "2"
                        && locked.contains { $0 != "0" && $0.isNumber } && processors == "0"
                }
            } catch {
                Issue.record("\(try guest.run(["/bin/journalctl", "-n", "40", "-u", "evenkeel-\(daemon)"]))")
                throw error
            }
            #expect(try property("MainPID", of: daemon) == pid)
        }
    }

    @Test func `the master serves, and its sockets are where they belong`() throws {
        // There are no servers here: they serve until a checkd has found that out, so it begins anew, whatever ran before.
        try guest.run([
            "/bin/bash", "-c",
            """
            systemctl stop evenkeel-checkd evenkeel-ipvsd
            rm -f /var/lib/evenkeel/checkd/checkd.json /var/lib/evenkeel/ipvsd/standings.state
            systemctl start evenkeel-ipvsd evenkeel-checkd
            """,
        ])
        do {
            try guest.eventually("the address and the table", within: .seconds(30)) {
                let addresses = try guest.run(["/sbin/ip", "-br", "address", "show", "eth0"])
                let table = try guest.run(["/sbin/ipvsadm", "-Ln"])
                return addresses.contains("192.168.200.254/32") && table.contains("192.168.200.104:80")
            }
        } catch {
            let script = "ip -br address; ipvsadm -Ln; lbctl status; journalctl -n 80 -u 'evenkeel*'"
            Issue.record("\(try guest.run(["/bin/bash", "-c", script]))")
            throw error
        }
        let sockets = try guest.run([
            "/bin/bash", "-c", "stat -c '%n %U:%G %a' /run/evenkeel/bus.sock /run/evenkeel/private/*.sock",
        ])
        #expect(
            sockets == """
                /run/evenkeel/bus.sock evenkeel-busd:evenkeel-busd 666
                /run/evenkeel/private/bus.sock evenkeel-busd:evenkeel-private 660
                /run/evenkeel/private/checkd.sock evenkeel-checkd:evenkeel-private 666
                /run/evenkeel/private/ipvsd.sock evenkeel-ipvsd:evenkeel-private 666
                /run/evenkeel/private/scriptd.sock root:evenkeel-private 666
                /run/evenkeel/private/vrrpd.sock root:evenkeel-private 666

                """)
        let status = try guest.run(["/usr/bin/lbctl", "status"])
        #expect(status.contains("VI_1 is MASTER"))
        let loaded = status.split(separator: "\n").count { $0.contains("/etc/evenkeel/evenkeel.conf") }
        #expect(loaded == 3, "vrrpd, ipvsd and checkd say what they run on: \(status)")
        // PING_CHECK without a capability: checkd's group may ping, and no other.
        let ping = try guest.run([
            "/bin/bash", "-c", "id -g evenkeel-checkd; cat /proc/sys/net/ipv4/ping_group_range",
        ]).split(whereSeparator: \.isWhitespace)
        #expect(Set(ping).count == 1 && ping.count == 3, "\(ping)")
    }

    @Test func `a unit for each virtual address makes a real server, and stopping them undoes it`() throws {
        let units = ["192.168.99.1", "192.168.99.2", "2001:db8:99::1"].map { "evenkeel-real-server@\($0)" }
        func state() throws -> String {
            try guest.run([
                "/bin/bash", "-c",
                "ip -o address show dev lo; grep . /proc/sys/net/ipv4/conf/{lo,all}/arp_{ignore,announce}",
            ])
        }
        let before = try state()
        // At once, as at a boot: one record is for all of them.
        try guest.run(["/bin/systemctl", "start"] + units)
        let during = try guest.run(["/usr/bin/lbctl", "real-server", "status"])
        for address in ["192.168.99.1", "192.168.99.2", "2001:db8:99::1"] {
            #expect(during.contains("\(address)  served\n"), "\(during)")
        }
        try guest.run(["/bin/systemctl", "stop"] + units.prefix(1))
        #expect(try state().contains("arp_announce:2"), "the other address still needs it")
        try guest.run(["/bin/systemctl", "stop"] + units)
        #expect(try state() == before)
    }

    /// What keepalived's users' scripts do: they are root, and what they mount is mounted for everybody.
    @Test func `a notify program is as free as its user, whatever the units of the daemons forbid`() throws {
        try guest.run([
            "/bin/bash", "-c",
            """
            mkdir -p /usr/local/sbin /run/mounted
            cat >/usr/local/sbin/tell <<'EOF'
            #!/bin/sh
            [ "$3" = BACKUP ] && mount -t tmpfs told /run/mounted
            echo "$1 $2 $3 $(id -u) $(grep CapEff /proc/self/status | cut -f2)" >>/run/told
            EOF
            chmod 755 /usr/local/sbin/tell
            sed -i 's|^vrrp_instance VI_1 {|&\\nnotify /usr/local/sbin/tell|' /etc/evenkeel/evenkeel.conf
            systemctl reload evenkeel-vrrpd
            """,
        ])
        try guest.eventually("VI_1 is master", within: .seconds(10)) {
            try guest.run(["/usr/bin/lbctl", "status"]).contains("VI_1 is MASTER")
        }
        try guest.run(["/usr/bin/lbctl", "vrrp", "failover", "VI_1"])
        let rights = try guest.run(["/bin/bash", "-c", "grep CapEff /proc/self/status | cut -f2"])
        try guest.eventually("it is told", within: .seconds(10)) {
            let told = try FileSystem.contents(of: "/run/told", limit: 1 << 16) ?? []
            return String(decoding: told, as: UTF8.self).contains("INSTANCE VI_1 BACKUP 0 \(rights)")
        }
        let mounts = String(decoding: try FileSystem.contents(of: "/proc/mounts", limit: 1 << 16) ?? [], as: UTF8.self)
        #expect(mounts.contains("told /run/mounted tmpfs"))
        try guest.run(["/usr/bin/lbctl", "vrrp", "resume", "VI_1"])
    }

    /// ipvsd and checkd are no root; scriptd runs for them what the configuration names.
    @Test func `quorum_down runs for ipvsd as its user, and not again after a restart`() throws {
        let configuration = """
            global_defs {
                script_user nobody
                enable_script_security
                lvs_notify_fifo /run/lvs.fifo
            }
            virtual_server 192.168.200.254 80 {
                protocol TCP
                delay_loop 1
                quorum_down "/usr/local/bin/told down"
                quorum_up "/usr/local/bin/told up"
                real_server 192.168.200.101 9 {
                    TCP_CHECK {
                        retry 0
                        warmup 0
                    }
                    MISC_CHECK {
                        misc_path "/usr/local/bin/told check"
                        warmup 0
                    }
                }
            }
            """
        try guest.run([
            "/bin/bash", "-c",
            """
            rm -f /tmp/checked; install -m 666 /dev/null /tmp/told
            cat >/usr/local/bin/told <<'EOF'
            #!/bin/sh
            [ "$1" = check ] && id -un >/tmp/checked || echo "$1 $EVENKEEL_NAME $EVENKEEL_STATE $(id -un)" >>/tmp/told
            EOF
            chmod 755 /usr/local/bin/told
            cat >/etc/evenkeel/evenkeel.conf <<'EOF'
            \(configuration)
            EOF
            systemctl restart evenkeel-ipvsd evenkeel-checkd
            """,
        ])
        func told() throws -> String {
            String(decoding: try FileSystem.contents(of: "/tmp/told", limit: 1 << 16) ?? [], as: UTF8.self)
        }
        let name = "tcp/192.168.200.254:80"
        do {
            try guest.eventually("it is told", within: .seconds(15)) { try told().contains("down \(name) DOWN nobody") }
        } catch {
            Issue.record(
                "\(try guest.run(["/bin/journalctl", "-n", "60", "-u", "evenkeel-ipvsd", "-u", "evenkeel-scriptd"]))")
            throw error
        }
        try guest.eventually("MISC_CHECK runs for checkd", within: .seconds(10)) {
            try FileSystem.contents(of: "/tmp/checked", limit: 64).map { String(decoding: $0, as: UTF8.self) }
                == "nobody\n"
        }
        #expect(try guest.run(["/usr/bin/lbctl", "check", "list", "--json"]).contains("MISC_CHECK 2"))
        let before = try told()
        try guest.eventually("the pipe has its lines", within: .seconds(10)) {
            try guest.run(["/bin/bash", "-c", "timeout 1 cat /run/lvs.fifo || true"])
                .contains("VS [192.168.200.254]:tcp:80 DOWN")
        }
        try guest.run(["/bin/systemctl", "restart", "evenkeel-ipvsd"])
        try guest.run([
            "/bin/systemd-run", "--unit=nine", "/usr/bin/socat", "TCP-LISTEN:9,fork,reuseaddr", "EXEC:/bin/true",
        ])
        try guest.eventually("the quorum is back", within: .seconds(15)) { try told() != before }
        #expect(try told() == before + "up \(name) UP nobody\n")
        try guest.run(["/bin/systemctl", "stop", "nine"])
        // A stranger in the readers' group, or in the daemons', gets nothing; ipvsd's own user no more than is written there.
        try guest.run([
            "/bin/bash", "-c",
            """
            cat >/usr/local/bin/ask <<'EOF'
            #!/bin/sh
            printf '%s\\0' '{"method":"io.evenkeel.Script.Run","parameters":{"arguments":["/bin/touch","/tmp/own"],
                "secure":false,"environment":{}}}' |
                timeout 3 setpriv --reuid "$1" --regid "$2" --clear-groups \
                socat -t 2 - UNIX-CONNECT:/run/evenkeel/private/scriptd.sock || true
            EOF
            chmod 755 /usr/local/bin/ask
            for user in 12345 evenkeel-ipvsd evenkeel-checkd; do
                for group in evenkeel evenkeel-private; do /usr/local/bin/ask $user $group; done
            done
            """,
        ])
        #expect(access("/tmp/own", F_OK) != 0)
    }

    @Test(arguments: Daemon.allCases)
    func `a killed daemon is started again at once`(_ daemon: Daemon) throws {
        let dead = try property("MainPID", of: daemon)
        let pid = try #require(Int32(dead))
        kill(pid, SIGKILL)
        // RestartSec is 0.1 s; the rest is what processes cost in the guest, on a busy machine.
        try guest.eventually("\(daemon) is back", within: .seconds(5)) {
            let now = try property("MainPID", of: daemon)
            return now != "0" && now != dead
        }
        try guest.eventually("\(daemon) is ready", within: .seconds(10)) {
            try property("ActiveState", of: daemon) == "active"
        }
    }

    @Test func `a reload stays within what the units allow`() throws {
        let before = try Daemon.allCases.map { try property("MainPID", of: $0) }
        try guest.run(["/usr/bin/lbctl", "reload"])
        for daemon in Daemon.allCases { try guest.run(["/bin/systemctl", "reload", "evenkeel-\(daemon)"]) }
        try guest.run(["/usr/bin/lbctl", "reload"])
        #expect(try Daemon.allCases.map { try property("MainPID", of: $0) } == before)
    }

    @Test func `restarting vrrpd is no failover`() throws {
        try guest.eventually("the address", within: .seconds(10)) {
            try guest.run(["/sbin/ip", "-br", "address", "show", "eth0"]).contains("192.168.200.254")
        }
        try guest.run(["/bin/systemctl", "restart", "evenkeel-vrrpd"])
        #expect(try guest.run(["/sbin/ip", "-br", "address", "show", "eth0"]).contains("192.168.200.254"))
        #expect(try guest.run(["/usr/bin/lbctl", "vrrp", "show", "VI_1"]).contains("after a restart"))
    }

    /// Has the daemons end where their file is refused: the units start them with the last good one.
    private func withoutLastGood() throws {
        try guest.run(["/bin/bash", "-c", "echo 'EVENKEEL_OPTIONS=' >/etc/evenkeel/daemons.env"])
    }

    @Test func `a broken configuration stops the start with status 2 and is not tried again`() throws {
        try withoutLastGood()
        try guest.run(["/bin/bash", "-c", "echo 'vrrp_instance VI_1 {' >/etc/evenkeel/evenkeel.conf"])
        _ = try? guest.run(["/bin/systemctl", "restart", "evenkeel-ipvsd"])
        try guest.eventually("ipvsd has failed", within: .seconds(3)) {
            try property("ActiveState", of: .ipvsd) == "failed"
        }
        #expect(try property("ExecMainStatus", of: .ipvsd) == "2")
        #expect(try property("NRestarts", of: .ipvsd) == "0")
    }

    func hasAddress() throws -> Bool {
        try guest.run(["/sbin/ip", "-br", "address", "show", "eth0"]).contains("192.168.200.254")
    }

    @Test func `a process that does not return leaves no address behind`() throws {
        try withoutLastGood()
        try guest.eventually("the address", within: .seconds(10)) { try hasAddress() }
        // It does not react when it is told to stop (systemd would wake a stopped process): it is killed after TimeoutStopSec.
        let deaf = "/run/systemd/system/evenkeel-vrrpd.service.d"
        try guest.run([
            "/bin/bash", "-c",
            "mkdir -p \(deaf) && printf '[Service]\\nKillSignal=SIGWINCH\\n' >\(deaf)/deaf.conf && systemctl daemon-reload",
        ])
        try guest.run(["/bin/systemctl", "stop", "evenkeel-vrrpd"])
        #expect(try property("Result", of: .vrrpd) == "timeout")
        #expect(try !hasAddress())
        try guest.run(["/bin/bash", "-c", "rm -r \(deaf) && systemctl daemon-reload"])

        // It is killed while the file on the disk would be refused.
        try guest.run(["/bin/systemctl", "start", "evenkeel-vrrpd"])
        try guest.eventually("the address again", within: .seconds(15)) { try hasAddress() }
        try guest.run(["/bin/bash", "-c", "echo 'vrrp_instance VI_1 {' >/etc/evenkeel/evenkeel.conf"])
        let killed = try #require(Int32(try property("MainPID", of: .vrrpd)))
        kill(killed, SIGKILL)
        try guest.eventually("it has failed", within: .seconds(10)) {
            try property("ActiveState", of: .vrrpd) == "failed"
        }
        #expect(try property("ExecMainStatus", of: .vrrpd) == "2")
        #expect(try !hasAddress())
    }

    @Test func `stopping the target hands the address over and ends every daemon cleanly`() throws {
        try guest.eventually("the address", within: .seconds(10)) {
            try guest.run(["/sbin/ip", "-br", "address", "show", "eth0"]).contains("192.168.200.254")
        }
        try guest.run(["/bin/systemctl", "stop", "evenkeel.target"])
        #expect(try !guest.run(["/sbin/ip", "-br", "address", "show", "eth0"]).contains("192.168.200.254"))
        for daemon in Daemon.allCases { #expect(try property("Result", of: daemon) == "success", "\(daemon)") }
    }
}
