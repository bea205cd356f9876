// A file that is refused at the start under the units as they are shipped: the last good configuration goes on, and everybody hears of it.
import Glibc
import Platform
import Testing

extension SystemdTests {
    /// Has the daemons end where their file is refused.
    func withoutLastGood() throws {
        try guest.run(["/bin/bash", "-c", "echo 'EVENKEEL_OPTIONS=' >/etc/evenkeel/daemons.env"])
    }

    private func shell(_ script: String) throws -> String { try guest.run(["/bin/bash", "-c", script]) }

    @Test func `with a file that is refused the last good configuration goes on through restarts, loudly`() throws {
        let programs = "/run/last-good"
        // A program of checkd's, so that scriptd has something to grant.
        _ = try shell(
            """
            mkdir -p \(programs); printf '#!/bin/sh\\ndate +%%s%%N >\(programs)/ran\\n' >/usr/local/bin/last-good; chmod 755 /usr/local/bin/last-good
            sed -i '0,/TCP_CHECK {/s||MISC_CHECK {\\nmisc_path /usr/local/bin/last-good\\n}\\n&|; s|^delay_loop 6|delay_loop 1|; \\
                s|^router_id|script_user root\\n&|' /etc/evenkeel/evenkeel.conf
            lbctl config check && lbctl reload
            """)
        try guest.eventually("the program runs, and everything is kept", within: .seconds(60)) {
            access(programs + "/ran", F_OK) == 0
                && ["vrrpd", "ipvsd", "checkd", "scriptd"].allSatisfy {
                    access("/var/lib/evenkeel/\($0)/configuration.good", F_OK) == 0
                }
        }
        try guest.eventually("the address", within: .seconds(30)) { try hasAddress() }

        _ = try shell("echo nonsense >>/etc/evenkeel/evenkeel.conf; rm \(programs)/ran")
        _ = try shell("systemctl restart evenkeel-{scriptd,vrrpd,ipvsd,checkd}")
        #expect(try hasAddress(), "a restart is no failover, whatever is in the file")
        try guest.eventually("the program still runs", within: .seconds(60)) { access(programs + "/ran", F_OK) == 0 }
        for daemon in ["vrrpd", "ipvsd", "checkd", "scriptd"] {
            #expect(try shell("systemctl is-active evenkeel-\(daemon) || true") == "active\n", "\(daemon)")
            let log = try shell("journalctl -n 40 -u evenkeel-\(daemon)")
            #expect(log.contains("configuration refused") && log.contains("nonsense"), "\(daemon): \(log)")
        }
        let status = try shell("lbctl status || true")
        for daemon in ["vrrpd", "ipvsd", "checkd"] {
            #expect(status.contains("\(daemon)/configuration: the configuration was refused at the start"), "\(status)")
        }
        #expect(status.contains("WRONG"), "\(status)")
        let event = try shell("lbctl events --type daemon.alarm --subject vrrpd/configuration --count 1")
        #expect(event.contains("refused"), "\(event)")
        #expect(try shell("lbctl reload 2>&1 || true").contains("nonsense"))

        // Without it a daemon ends, and systemd says so.
        try withoutLastGood()
        _ = try? shell("systemctl restart evenkeel-checkd")
        try guest.eventually("checkd has failed", within: .seconds(10)) {
            try property("ActiveState", of: .checkd) == "failed"
        }

        _ = try shell(
            "sed -i '/^nonsense$/d' /etc/evenkeel/evenkeel.conf; systemctl start evenkeel-checkd; lbctl reload")
        try guest.eventually("the alarms are over", within: .seconds(20)) {
            try !shell("lbctl status || true").contains("refused at the start")
        }
        #expect(try hasAddress())
    }
}
