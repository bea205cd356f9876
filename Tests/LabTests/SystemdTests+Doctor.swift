// What `lbctl doctor` says of a host that runs systemd: each finding is made, found, mended by the command that it names as far as that is one, and found no
// more. What else is wrong with the guest, drop-ins of other tests among it, is not looked at: only findings that name what a test has made are its own.
import Glibc
import JSON
import Platform
import Testing

extension SystemdTests {
    private struct Found: Hashable {
        var severity: String
        var subject: String
        var what: String
        var remedy: String
    }

    private func shell(_ script: String) throws -> String {
        // Links of SysV take half a minute here.
        try guest.run(["/usr/bin/env", "SYSTEMCTL_SKIP_SYSV=1", "/bin/bash", "-ec", script])
    }

    /// Everything that it finds.
    private func look() throws -> [Found] {
        let output = try shell("lbctl doctor --json || echo \"status $?\"")
        let lines = output.split(separator: "\n").map(String.init)
        guard case .object(let answer) = try JSONValue(parsing: Array((lines.first ?? "").utf8)) else { return [] }
        let found = (answer["findings"]?.array ?? []).compactMap(\.object).map { finding in
            Found(
                severity: finding["severity"]?.string ?? "", subject: finding["subject"]?.string ?? "",
                what: finding["what"]?.string ?? "", remedy: finding["remedy"]?.string ?? "")
        }
        #expect(lines.dropFirst() == (found.contains { $0.severity == "willHurt" } ? ["status 1"] : []), "\(output)")
        return found
    }

    /// Something that is made wrong, and what is then said.
    private struct Trouble {
        var subject: String
        /// Of what is found.
        var part: String
        var severity = "willHurt"
        var make: String
        /// Nil: the remedy that the finding names, up to a comma.
        var mend: String?

        init(_ subject: String, _ part: String, _ severity: String = "willHurt", by make: String, mend: String? = nil) {
            (self.subject, self.part, self.severity, self.make, self.mend) = (subject, part, severity, make, mend)
        }

        func isMeant(by found: Found) -> Bool { found.subject == subject && found.what.contains(part) }
    }

    /// Makes all of them, finds each, mends each, and finds none. Looking takes seconds here, so they come together.
    private func provoke(_ troubles: [Trouble], location: SourceLocation = #_sourceLocation) throws {
        var found = try look()
        for trouble in troubles {
            #expect(!found.contains(where: trouble.isMeant), "\(trouble.part) is there", sourceLocation: location)
            if !trouble.make.isEmpty { _ = try shell(trouble.make) }
        }
        func missing() -> [Trouble] { troubles.filter { !found.contains(where: $0.isMeant) } }
        do {
            try guest.eventually("all is found", within: .seconds(60)) {
                found = try look()
                return missing().isEmpty
            }
        } catch {
            Issue.record("not found: \(missing().map(\.part)) in \(found)", sourceLocation: location)
        }
        for trouble in troubles {
            guard let one = found.first(where: trouble.isMeant) else { continue }
            #expect(one.severity == trouble.severity, "\(one)", sourceLocation: location)
            _ = try shell(trouble.mend ?? String(one.remedy.prefix { $0 != "," }))
        }
        do {
            try guest.eventually("all is mended", within: .seconds(60)) {
                found = try look()
                return missing().count == troubles.count
            }
        } catch {
            Issue.record("not mended: \(found)", sourceLocation: location)
        }
    }

    @Test func `the doctor finds what overrides do to the units, and takes nobody else's for them`() throws {
        let directory = "/etc/systemd/system/evenkeel-checkd.service.d"
        let other = "\(directory)/somebody.conf", own = "\(directory)/test-of-the-doctor.conf"
        let busd = "/etc/systemd/system/evenkeel-busd.service"
        defer { _ = try? shell("rm -rf \(directory) \(busd); systemctl daemon-reload") }
        _ = try shell(
            "mkdir -p \(directory); printf '[Service]\\nNice=-1\\nEnvironment=LAB=1\\n' >\(other); systemctl daemon-reload"
        )
        try provoke([
            Trouble(
                "evenkeel-checkd.service", "\(own) makes Restart=no of always",
                by: "printf '[Service]\\nRestart=no\\nSupplementaryGroups=\\nMemoryMax=8M\\n' >\(own)",
                mend: "rm \(own)"),
            Trouble(
                "evenkeel-checkd.service", "\(own) makes SupplementaryGroups=(nothing) of evenkeel-private", by: "",
                mend: "true"),
            Trouble("evenkeel-checkd.service", "\(own) makes MemoryMax=8M of 1G", "mayHurt", by: "", mend: "true"),
            Trouble(
                "evenkeel-busd.service", "\(busd) stands in place of", "mayHurt",
                by: "cp /usr/lib/systemd/system/evenkeel-busd.service \(busd); systemctl daemon-reload",
                mend: "rm \(busd)"),
        ])
        #expect(access(other, F_OK) == 0)
        #expect(try !look().contains { $0.what.contains(other) }, "it changes nothing that something depends on")
    }

    @Test func `the doctor finds who else manages addresses, what the files allow, and daemons that do not run`() throws
    {
        let file = "/etc/evenkeel/evenkeel.conf"
        let managers = ["ldirectord", "ucarp"].map {
            Trouble(
                $0, "\($0) runs here",
                by: "cp /bin/sleep /run/\($0); systemd-run --quiet --unit=\($0) /run/\($0) 1000",
                mend: "systemctl stop \($0)")
        }
        defer { _ = try? shell("rm -rf /usr/bin/nmcli /run/NetworkManager; chmod 2750 /etc/evenkeel") }
        // An old spelling is in the file from the beginning.
        #expect(try look().contains { $0.subject == "configuration" && $0.what.contains("about it") })
        _ = try shell("sed -i 's/nb_get_retry/retry/' \(file); cp -p \(file) /run/good.conf")
        try provoke(
            managers + [
                Trouble("keepalived", "starts at the next boot", by: "systemctl enable keepalived"),
                Trouble(
                    "NetworkManager", "NetworkManager manages eth0", "mayHurt",
                    by: """
                        mkdir -p /run/NetworkManager; echo connected >/run/NetworkManager/eth0
                        cat >/usr/bin/nmcli <<'END'
                        #!/bin/sh
                        case "$*" in
                            *"device set eth0 managed no") echo unmanaged >/run/NetworkManager/eth0 ;;
                            *) echo "eth0:$(cat /run/NetworkManager/eth0)"; echo lo:unmanaged ;;
                        esac
                        END
                        chmod 755 /usr/bin/nmcli
                        """),
                Trouble("files", "\(file) can be changed by others", by: "chmod o+rw \(file)"),
                Trouble("files", "everybody on this host can read \(file)", "mayHurt", by: ""),
                Trouble(
                    "files", "ipvsd and checkd cannot enter /etc/evenkeel",
                    by: "chgrp root /etc/evenkeel; chmod 700 /etc/evenkeel"),
            ])
        #expect(try !look().contains { $0.subject == "configuration" })
        try provoke([
            Trouble("files", "\(file) can be changed by others", by: "chown nobody:root \(file)"),
            Trouble("files", "ipvsd and checkd cannot read \(file)", by: ""),
            Trouble(
                "configuration", "eth9", by: "sed -i 's/interface eth0/interface eth9/' \(file)",
                mend: "sed -i 's/interface eth9/interface eth0/' \(file)"),
            Trouble(
                "checkd", "not attached", by: "systemctl stop evenkeel-checkd", mend: "systemctl start evenkeel-checkd"),
        ])
        try provoke([
            Trouble(
                "configuration", "nonsense", by: "echo nonsense >>\(file)",
                mend: "lbctl config check || cp -p /run/good.conf \(file)"),
            Trouble("daemons", "busd is not reachable", by: "systemctl stop evenkeel.target"),
        ])
    }

    @Test func `the doctor finds what systemd-networkd takes away, and a clock that nobody keeps`() throws {
        let file = "/etc/evenkeel/evenkeel.conf"
        defer {
            _ = try? shell(
                """
                systemctl stop systemd-networkd.socket systemd-networkd; rm -rf /etc/systemd/network/10-lab* /etc/systemd/networkd.conf.d /run/systemd/netif /run/udev/data
                ip address replace 192.168.200.101/24 dev eth0
                """)
        }
        _ = try shell(
            """
            sed -i 's|^virtual_ipaddress {|virtual_routes {\\n198.51.100.0/24 via 192.168.200.9\\n}\\nvirtual_rules {\\nfrom 192.0.2.0/24 table 5\\n}\\n&|' \(file)
            lbctl config check
            """)
        let subject = "systemd-networkd"
        try provoke([
            Trouble(
                subject, "sets eth0 up by /etc/systemd/network/10-lab.network",
                by: """
                    mkdir -p /etc/systemd/network /run/udev/data
                    # There is no udev here that would say that the interface is ready.
                    printf 'I:1\\nG:systemd\\n' >/run/udev/data/n$(cat /sys/class/net/eth0/ifindex)
                    printf '[Match]\\nName=eth0\\n[Network]\\nAddress=192.168.200.101/24\\n' >/etc/systemd/network/10-lab.network
                    systemctl start systemd-networkd
                    """)
        ])
        let found = try look().filter { $0.subject == subject }
        #expect(found.count == 2 && found[0].what.contains("(ManageForeignRoutes=yes)"), "\(found)")
        #expect(found.last?.what.contains("(ManageForeignRoutingPolicyRules=yes)") == true, "\(found)")
        _ = try shell("mkdir -p /etc/systemd/networkd.conf.d")
        for one in found { _ = try shell(one.remedy.replacing(" (mkdir -p its directory first)", with: "")) }
        #expect(try !look().contains { $0.subject == subject })

        // Nothing keeps the guest's clock.
        #expect(try look().contains { $0.subject == "clock" && $0.severity == "mayHurt" })
    }

    /// Broken files, no rights, tools that hang or lie, and names that are commands.
    @Test func `the doctor survives what it looks at`() throws {
        func run(_ words: String) throws -> String {
            try shell("timeout 60 \(words) 2>&1 && echo \"status 0\" || echo \"status $?\"")
        }
        // Who may read nothing learns that, and no untruth.
        let stranger = try run("setpriv --reuid=65534 --regid=65534 --clear-groups lbctl doctor")
        for part in ["NOT LOOKED AT", "the configuration: this user may not read", "this user may not ask them"] {
            #expect(stranger.contains(part), "\(stranger)")
        }
        #expect(!stranger.contains("  configuration:") && !stranger.contains("  daemons:"), "\(stranger)")

        for content in [
            [], [0, 0, 0xFF, 0xFE] + Array("{{{{".utf8), Array("include /dev/zero\n".utf8),
            Array("include /run/hostile.conf\n".utf8), Array(repeating: UInt8(ascii: "{"), count: 200_000),
        ] as [[UInt8]] {
            try FileSystem.replace("/run/hostile.conf", with: content, durable: false)
            let answer = try run("lbctl doctor --json --config /run/hostile.conf")
            #expect(answer.contains("\"findings\""), "\(content.prefix(40)): \(answer.prefix(2000))")
        }
        #expect(try run("lbctl doctor --config /run/nowhere.conf").contains("no such file"))
        #expect(try run("lbctl doctor --config /run").hasSuffix("status 1\n"))

        // A program of a stranger is no manager; root's, under the same name, is.
        _ = try shell(
            "cp /bin/sleep /run/keepalived; systemd-run --quiet --unit=nokeeper --uid=65534 /run/keepalived 1000")
        #expect(try !look().contains { $0.subject == "keepalived" && $0.what.contains("runs here") })
        _ = try shell("systemctl stop nokeeper")

        // Tools that hang or say nonsense are gaps.
        let ip = try shell("readlink -f /sbin/ip").dropLast()
        defer { _ = try? shell("umount /usr/sbin/nft \(ip)") }
        _ = try shell(
            """
            printf '#!/bin/sh\\nexec sleep 1000\\n' >/run/hang; printf '#!/bin/sh\\necho "[{\\\\"ifname\\\\": 3, "\\n' >/run/lie
            chmod 755 /run/hang /run/lie; mount --bind /run/hang /usr/sbin/nft; mount --bind /run/lie \(ip)
            """)
        let ill = try run("lbctl doctor")
        #expect(ill.contains("firewall: nft --json --numeric-protocol list ruleset: no answer within"), "\(ill)")
        #expect(ill.contains("bridges: ip -json -details link show:"), "\(ill)")
    }
}
