// What `lbctl doctor` says of a host that runs systemd: troubles are made together, found, mended, and found no more, in three looks, since one
// takes seconds here. Each is made of things that are the test's own, and the host is compared with what it was before. What else is wrong
// with the guest is not looked at. Addresses and interfaces are left alone: systemd-networkd and NetworkManager are in DoctorTests.
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

    private func shell(_ script: String) throws -> String { try guest.run(["/bin/bash", "-ec", script]) }

    /// Everything that it finds.
    private func look() throws -> [Found] {
        let output = try shell("lbctl doctor --json || echo \"status $?\"")
        let lines = output.split(separator: "\n").map(String.init)
        let answer = try JSONValue(parsing: Array((lines.first ?? "").utf8))
        let found = (answer["findings"]?.array ?? []).map { finding in
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
        /// Nothing where another trouble brings it along.
        var make = ""
        /// Nil: the remedy that the finding names.
        var mend: String?

        func isMeant(by found: Found) -> Bool { found.subject == subject && found.what.contains(part) }
    }

    /// What the troubles touch, for a comparison.
    private func host() throws -> String {
        try shell(
            """
            ip -o address show dev eth0 | sed 's/valid_lft.*//'; stat -c '%n %a %U:%G' /etc/evenkeel /etc/evenkeel/evenkeel.conf
            cat /etc/evenkeel/evenkeel.conf; find /etc/systemd/system /run/systemd/system | sort
            systemctl show -p DropInPaths,NeedDaemonReload,Restart evenkeel-checkd evenkeel-busd
            """)
    }

    @Test func `the doctor finds overrides, other managers, files and missing daemons, and its remedies mend them`()
        throws
    {
        try guest.eventually("the address", within: .seconds(30)) { try hasAddress() }
        let file = "/etc/evenkeel/evenkeel.conf"
        let directory = "/run/systemd/system/evenkeel-checkd.service.d"
        let override = "\(directory)/90-test-of-the-doctor.conf"
        let copy = "/etc/systemd/system/evenkeel-busd.service"
        let before = try host()
        defer {
            _ = try? shell(
                """
                rm -f \(override) \(copy); rmdir --ignore-fail-on-non-empty \(directory) || true; systemctl daemon-reload
                systemctl stop ldirectord || true; rm -f /run/ldirectord; [ ! -e /run/kept.conf ] || mv /run/kept.conf \(file)
                systemctl start evenkeel-checkd
                """)
        }
        let troubles = [
            Trouble(
                subject: "evenkeel-checkd.service", part: "\(override) makes Restart=no of always",
                make: """
                    mkdir -p \(directory); printf '[Service]\\nRestart=no\\nRestartSec=7\\n' >\(override)
                    cp /usr/lib/systemd/system/evenkeel-busd.service \(copy); systemctl daemon-reload
                    """,
                mend:
                    "rm \(override); rmdir --ignore-fail-on-non-empty \(directory); rm \(copy); systemctl daemon-reload"
            ),
            Trouble(
                subject: "evenkeel-checkd.service", part: "\(override) makes RestartSec=7 of 100ms",
                severity: "mayHurt",
                mend: ""),
            Trouble(
                subject: "evenkeel-busd.service", part: "\(copy) stands in place of", severity: "mayHurt", mend: ""),
            Trouble(
                subject: "ldirectord", part: "ldirectord runs here",
                make: "cp /bin/sleep /run/ldirectord; systemd-run --quiet --unit=ldirectord /run/ldirectord 1000",
                mend: "systemctl stop ldirectord; rm /run/ldirectord"),
            Trouble(
                subject: "files", part: "\(file) can be changed by others",
                make: "cp -p \(file) /run/kept.conf; chmod o+w \(file)"),
            Trouble(
                subject: "checkd", part: "not attached", make: "systemctl stop evenkeel-checkd",
                mend: "systemctl start evenkeel-checkd"),
        ]
        let first = try look()
        for trouble in troubles {
            #expect(!first.contains(where: trouble.isMeant), "\(trouble.part) is there")
            if !trouble.make.isEmpty { _ = try shell(trouble.make) }
        }
        let found = try look()
        for trouble in troubles {
            guard let one = found.first(where: trouble.isMeant) else {
                Issue.record("not found: \(trouble.part) in \(found)")
                continue
            }
            #expect(one.severity == trouble.severity, "\(one)")
            _ = try shell(trouble.mend ?? one.remedy)
        }
        _ = try shell("cmp \(file) /run/kept.conf; rm /run/kept.conf")
        var last: [Found] = []
        try guest.eventually("all is mended", within: .seconds(30)) {
            last = try look()
            return !troubles.contains { trouble in last.contains(where: trouble.isMeant) }
        }
        #expect(try host() == before)
        // Who may read nothing learns that, and no untruth.
        let stranger = try shell("setpriv --reuid=65534 --regid=65534 --clear-groups lbctl doctor 2>&1 || true")
        for part in ["NOT LOOKED AT", "the configuration: this user may not read", "this user may not ask them"] {
            #expect(stranger.contains(part), "\(stranger)")
        }
        #expect(!stranger.contains("  configuration:") && !stranger.contains("  daemons:"), "\(stranger)")
    }
}
