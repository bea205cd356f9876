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
        let daemons = ["vrrpd", "ipvsd", "checkd"]
        try guest.eventually("the address, and everything is kept", within: .seconds(60)) {
            try hasAddress() && daemons.allSatisfy { access("/var/lib/evenkeel/\($0)/configuration.good", F_OK) == 0 }
        }
        let file = "/etc/evenkeel/evenkeel.conf"
        defer {
            _ = try? shell(
                "sed -i '/^nonsense$/d' \(file); systemctl start evenkeel-{vrrpd,ipvsd,checkd}; lbctl reload")
        }
        _ = try shell("echo nonsense >>\(file); systemctl restart evenkeel-{vrrpd,ipvsd,checkd}")
        try guest.eventually("the address is kept, or taken again", within: .seconds(30)) { try hasAddress() }
        try guest.eventually("each says that its file was refused", within: .seconds(30)) {
            let status = try shell("lbctl status || true")
            return daemons.allSatisfy {
                status.contains("\($0)/configuration: the configuration was refused at the start")
            }
        }
        for daemon in daemons {
            #expect(try shell("systemctl is-active evenkeel-\(daemon) || true") == "active\n", "\(daemon)")
        }
        #expect(try shell("lbctl reload 2>&1 || true").contains("nonsense"))
        _ = try shell("sed -i '/^nonsense$/d' \(file); lbctl reload")
        try guest.eventually("the alarms are over", within: .seconds(20)) {
            try !shell("lbctl status || true").contains("refused at the start")
        }
    }
}
