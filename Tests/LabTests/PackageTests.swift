// The Debian package as an administrator meets it: installed beside a keepalived that holds the addresses, upgraded while clients ask, refused by its own new
// programs, removed and purged.
import Glibc
import Net
import Platform
import Testing

@Suite(
    .serialized, .enabled(if: inTheLab && packages != nil, "deploy/test makes the packages that this installs"),
    .timeLimit(.minutes(10)))
struct PackageTests {
    private let lab: Lab
    private let machine: Machine
    private let servers: [WebServer]

    init() throws {
        lab = try Lab()
        servers = [try WebServer(on: .web1, loop: lab.loop), try WebServer(on: .web2, loop: lab.loop)]
        machine = try Machine(.director1, lab: lab)
    }

    private static let daemons = ["busd", "scriptd", "vrrpd", "ipvsd", "checkd"].map { "evenkeel-\($0)" }

    /// Their processes.
    private func processes() throws -> [String] {
        try machine.run("systemctl show --value -p MainPID \(Self.daemons.joined(separator: " "))")
            .split(separator: "\n").map(String.init)
    }

    private func holdsAddress() throws -> Bool { try lab.holders() == [.director1] }

    private func install(_ which: String) throws -> String {
        try machine.run("DEBIAN_FRONTEND=noninteractive dpkg -i /packages/\(which)/*.deb 2>&1")
    }

    @Test func `installed, upgraded under traffic, removed and purged`() throws {
        try machine.install("master.conf", as: "/etc/keepalived/keepalived.conf")
        try machine.run("systemctl start keepalived")
        try lab.eventually("keepalived holds the address", within: .seconds(20)) { try holdsAddress() }

        try beInstalled()
        try start()
        try beUpgraded()
        try stayWhereTheNewOneWouldEnd()
        try beRemoved()
    }

    /// Beside keepalived.
    private func beInstalled() throws {
        _ = try install("first")
        #expect(try machine.run("dpkg --verify evenkeel") == "")
        #expect(try !machine.run("dpkg --status evenkeel").contains("Conflicts"))
        #expect(try machine.property("ActiveState", of: "keepalived") == "active")
        #expect(try holdsAddress())
        #expect(
            try machine.attempt("systemctl is-enabled evenkeel.target evenkeel-serve").output == "disabled\ndisabled\n")
        #expect(try machine.run("systemctl list-units --no-legend --all 'evenkeel*'") == "", "nothing is started")
        #expect(
            try machine.run("stat -c '%U:%G %a' /etc/evenkeel; id -un evenkeel-busd evenkeel-ipvsd evenkeel-checkd")
                == "root:evenkeel-private 2750\nevenkeel-busd\nevenkeel-ipvsd\nevenkeel-checkd\n")
        for page in ["lbctl", "evenkeel.conf", "vrrpd", "ipvsd", "checkd", "scriptd", "busd"] {
            #expect(try machine.attempt("man --where \(page)").exit == .exited(0), "\(page)")
        }
        // The pictures are where the README beside them looks.
        let documents = Set(try machine.run("dpkg -L evenkeel").split(separator: "\n").map(String.init))
        let readme = try lab.lines(of: Lab.repository + "/README.md").joined(separator: "\n")
        let pictures = readme.matches(of: /!\[[^\]]*\]\(([^)]+)\)/).map { String($0.output.1) }
        #expect(!pictures.isEmpty)
        for picture in pictures { #expect(documents.contains("/usr/share/doc/evenkeel/" + picture), "\(picture)") }
    }

    private func start() throws {
        try machine.run(
            """
            install -m 640 -g evenkeel-private /etc/keepalived/keepalived.conf /etc/evenkeel/evenkeel.conf
            # A program takes seconds to start here, and vrrpd has to be back within three intervals.
            sed -i 's/^advert_int 1/advert_int 5/' /etc/evenkeel/evenkeel.conf
            echo '# mine' >>/etc/evenkeel/evenkeel.conf
            systemctl enable --now evenkeel.target
            """)
        #expect(try machine.property("ActiveState", of: "keepalived") == "inactive", "two would be one too many")
        try lab.eventually("Evenkeel serves", within: .seconds(60)) {
            try holdsAddress() && lab.table(of: .director1).count == 3
        }
    }

    private func beUpgraded() throws {
        let before = try processes()
        let version = try machine.run("dpkg-query -W -f '${Version}' evenkeel")
        // The connections that were begun before keepalived went have ended.
        let traffic = Traffic(every: .milliseconds(50), limit: .seconds(10), loop: lab.loop)
        try lab.eventually("clients are answered", within: .seconds(20)) {
            Traffic.answers(Array(traffic.requests.suffix(20))).count == 20
        }
        let began = lab.loop.refreshNow()
        let said = try install("second")
        try lab.eventually("all of them are ready", within: .seconds(30)) {
            try machine.attempt("systemctl is-active \(Self.daemons.joined(separator: " "))").exit == .exited(0)
        }
        try lab.observe(for: .seconds(3))
        traffic.pause()
        try lab.eventually("the last request is over", within: .seconds(15)) { traffic.isQuiet }
        #expect(try machine.run("dpkg-query -W -f '${Version}' evenkeel") == version + ".1")
        let after = try processes()
        #expect(zip(before, after).allSatisfy { $0 != $1 } && !after.contains("0"), "\(said)")
        let during = traffic.since(began)
        #expect(Traffic.failures(during).isEmpty, "\(Traffic.failures(during).prefix(5))")
        #expect(during.count > 20 && Set(Traffic.answers(during)) == ["web1", "web2"])
        #expect(try holdsAddress())
        #expect(try machine.run("lbctl vrrp show VI_1").contains("after a restart"))
        #expect(try machine.run("tail -n 1 /etc/evenkeel/evenkeel.conf") == "# mine\n")
        #expect(try machine.property("ActiveState", of: "evenkeel-serve") == "inactive", "it did not run before")
    }

    /// The same version again: what the new programs would not take, and what the administrator forbids, goes on with the old ones, and that is said.
    private func stayWhereTheNewOneWouldEnd() throws {
        let before = try processes()
        try machine.run(
            """
            cp -p /etc/evenkeel/evenkeel.conf /root/good; echo nonsense >>/etc/evenkeel/evenkeel.conf
            printf '#!/bin/sh\\n[ "$1" != evenkeel-busd.service ] || exit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
            """)
        let said = try install("second")
        let after = try processes()
        #expect(zip(before, after).map { $0 == $1 } == [true, false, true, true, true], "\(said)")
        for unit in ["vrrpd", "ipvsd", "checkd"] {
            #expect(
                said.contains("evenkeel-\(unit).service still runs the old program: the new one refuses"), "\(said)")
        }
        #expect(said.contains("evenkeel-busd.service still runs the old program (policy-rc.d)"), "\(said)")
        try machine.run("cp -p /root/good /etc/evenkeel/evenkeel.conf; rm /usr/sbin/policy-rc.d")
        #expect(try holdsAddress())
    }

    private func beRemoved() throws {
        let said = try machine.run("dpkg --remove evenkeel 2>&1")
        #expect(said.contains("the table of IPVS stays as it is"))
        #expect(try lab.holders() == [])
        #expect(try machine.run("systemctl list-units --no-legend --all 'evenkeel*'") == "")
        #expect(try machine.run("find /etc/systemd/system -name '*evenkeel*'") == "")
        #expect(try machine.run("ls /etc/evenkeel; ls -d /var/lib/evenkeel/vrrpd").hasPrefix("evenkeel.conf\n"))
        try machine.run("dpkg --purge evenkeel 2>&1")
        #expect(try machine.run("find /etc /run /usr /var -xdev -name '*evenkeel*' -not -path '/var/log/*'") == "")
        // keepalived is as it was.
        try machine.run("systemctl start keepalived")
        try lab.eventually("keepalived holds the address again", within: .seconds(20)) { try holdsAddress() }
    }
}
