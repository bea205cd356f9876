// A file that is refused at the start, under the units as they are shipped: the last good configuration goes on, and everybody hears of it. What
// the test changes it puts back: the file, and daemons that run on it.
import Glibc
import Platform
import Testing

extension SystemdTests {
    @Test func `with a file that is refused the last good configuration goes on through restarts, loudly`() throws {
        let daemons = ["vrrpd", "ipvsd", "checkd"]
        func shell(_ script: String) throws -> String { try guest.run(["/bin/bash", "-c", script]) }
        /// Times at which systemd has started each.
        func starts() throws -> [String] {
            try daemons.map {
                try guest.run([
                    "/bin/systemctl", "show", "--value", "-p", "ActiveEnterTimestampMonotonic", "evenkeel-\($0)",
                ])
            }
        }
        /// Restarts all of them, and waits until they are there again.
        func restarted() throws {
            let before = try starts()
            try guest.run(["/bin/systemctl", "restart", "--no-block"] + daemons.map { "evenkeel-\($0)" })
            try guest.eventually("each is started again", within: .seconds(60)) {
                try zip(before, starts()).allSatisfy { $0 != $1 }
                    && daemons.allSatisfy {
                        try guest.run(["/bin/systemctl", "show", "--value", "-p", "ActiveState", "evenkeel-\($0)"])
                            == "active\n"
                    }
            }
        }
        let file = "/etc/evenkeel/evenkeel.conf"
        // They keep what they start with.
        try restarted()
        try guest.eventually("the address, and everything is kept", within: .seconds(60)) {
            try hasAddress() && daemons.allSatisfy { access("/var/lib/evenkeel/\($0)/configuration.good", F_OK) == 0 }
        }
        _ = try shell("cp -p \(file) /run/good.conf; echo nonsense >>\(file)")
        var isRestored = false
        defer { if !isRestored { _ = try? shell("cp -p /run/good.conf \(file); rm /run/good.conf; lbctl reload") } }
        try restarted()
        try guest.eventually("the address is kept, or taken again", within: .seconds(30)) { try hasAddress() }
        try guest.eventually("each says that its file was refused", within: .seconds(30)) {
            let status = try shell("lbctl status || true")
            return daemons.allSatisfy {
                status.contains("\($0)/configuration: the configuration was refused at the start")
            }
        }
        #expect(try shell("lbctl reload 2>&1 || true").contains("nonsense"))
        #expect(try hasAddress())
        _ = try shell("cp -p /run/good.conf \(file); rm /run/good.conf; lbctl reload")
        isRestored = true
        try guest.eventually("the alarms are over", within: .seconds(30)) {
            try !shell("lbctl status || true").contains("refused at the start")
        }
        #expect(try hasAddress())
    }
}
