// Each finding of `lbctl doctor` but those about the firewall, and none where nothing is wrong.
import Configuration
import JSON
import Net
import Platform
import Testing

@testable import lbctl

@Suite struct DoctorTests {
    /// A director as it should be.
    private func facts(_ instance: String = "", _ rest: String = "", defs: String = "") -> DoctorFacts {
        var facts = DoctorFacts()
        facts.configurationPath = "/etc/evenkeel/evenkeel.conf"
        facts.clockIsSynchronised = true
        facts.daemonGroup = 500
        facts.files = [
            DoctorFacts.File(path: "/etc/evenkeel", isDirectory: true, group: 500, mode: 0o2750),
            DoctorFacts.File(path: "/etc/evenkeel/evenkeel.conf", group: 500, mode: 0o640),
        ]
        let text = """
            global_defs {\n\(defs)\n}
            vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {\n 192.0.2.1/24\n }\n\(instance)\n}
            virtual_server 192.0.2.1 80 {\n protocol TCP\n real_server 10.0.0.1 80 {\n }\n}
            \(rest)

            """
        facts.configuration = Configuration.load(files: OneFile(text: text), path: "f").configuration
        #expect(facts.configuration != nil)
        return facts
    }

    private func what(_ facts: DoctorFacts) -> [String] { facts.findings().map(\.what) }

    /// One that will hurt (or may), with reason and command.
    private func expect(
        _ facts: DoctorFacts, _ what: String, _ severity: Finding.Severity = .willHurt,
        location: SourceLocation = #_sourceLocation
    ) {
        let found = facts.findings()
        #expect(found.count == 1 && found.first?.what == what, "\(found)", sourceLocation: location)
        #expect(found.first?.severity == severity && found.first?.remedy != nil, sourceLocation: location)
    }

    @Test func `a host as it should be`() { #expect(what(facts()) == []) }

    @Test func `the configuration: errors, what this machine lacks, other warnings`() {
        var facts = facts()
        let loaded = Configuration.load(files: OneFile(text: "nonsense\nglobal_defs {\n}\n"), path: "f")
        (facts.configuration, facts.diagnostics) = (nil, loaded.diagnostics)
        #expect(facts.findings().map(\.severity) == [.willHurt], "\(facts.findings())")
        let first = facts.diagnostics[0]
        func diagnostic(_ code: Diagnostic.Code) -> Diagnostic {
            var diagnostic = first
            (diagnostic.severity, diagnostic.code) = (.warning, code)
            (diagnostic.message, diagnostic.remedy) = ("no interface eth9", "name another")
            return diagnostic
        }
        facts.diagnostics = [diagnostic(.machine), diagnostic(.unused), diagnostic(.adjusted)]
        let found = facts.findings()
        #expect(found.map(\.severity) == [.willHurt, .mayHurt])
        #expect(found[0].remedy == "name another" && found[1].what == "2 warnings about it")
    }

    @Test func `rights of the configuration`() {
        var facts = facts()
        facts.files[1].mode = 0o660
        expect(facts, "/etc/evenkeel/evenkeel.conf can be changed by others than root")
        facts.files[1].group = 0
        facts.files[1].mode = 0o664
        #expect(what(facts) == [], "root's group is root")
        facts.files[1].owner = 1000
        expect(facts, "/etc/evenkeel/evenkeel.conf can be changed by others than root")
        facts.files[1] = DoctorFacts.File(path: "/etc/evenkeel/evenkeel.conf", mode: 0o600)
        expect(facts, "ipvsd and checkd cannot read /etc/evenkeel/evenkeel.conf")
        facts.files[1].mode = 0o644
        facts.files[0].mode = 0o700
        expect(facts, "ipvsd and checkd cannot enter /etc/evenkeel")
        facts.daemonGroup = nil
        #expect(what(facts) == [], "nothing is installed")
        var secret = self.facts("authentication {\n auth_type PASS\n auth_pass x\n }")
        secret.files[1].mode = 0o644
        expect(secret, "everybody on this host can read /etc/evenkeel/evenkeel.conf", .mayHurt)
    }

    @Test func `bridges: what is always flooded, and what is not`() {
        var facts = facts()
        facts.bridges = [DoctorFacts.Bridge(name: "br0", snoops: true, isQuerier: true, ports: ["eth0"])]
        #expect(what(facts) == [], "224.0.0.18 is flooded")
        var other = self.facts(defs: "vrrp_mcast_group4 239.1.2.3")
        other.bridges = facts.bridges
        expect(
            other, "bridge br0 snoops multicast, and knows nobody who listens to 239.1.2.3, the group of VI_1")
        other.bridges[0].isQuerier = false
        #expect(other.findings().map(\.severity) == [.mayHurt])
        other.bridges[0].groups = [.v4(IPv4Address(239, 1, 2, 3))]
        #expect(what(other) == [])
    }

    @Test func `other managers`() {
        for manager in DoctorFacts.Manager.allCases {
            var facts = facts()
            facts.managers = [manager: 12]
            facts.enabledManagers = [manager]
            expect(facts, "\(manager.rawValue) runs here (process 12)")
            if manager == .kubeProxy { #expect(facts.findings()[0].remedy?.hasSuffix(": 192.0.2.1/32") == true) }
        }
        var facts = facts()
        facts.enabledManagers = [.keepalived]
        expect(facts, "keepalived starts at the next boot")
        facts.enabledManagers = []
        facts.managedByNetworkManager = ["eth0", "eth1"]
        expect(facts, "NetworkManager manages eth0", .mayHurt)
    }

    @Test func `systemd-networkd`() {
        var facts = facts(
            "virtual_routes {\n 198.51.100.0/24 via 192.0.2.9\n }\n virtual_rules {\n from 192.0.2.0/24 table 5\n }")
        facts.networkd = DoctorFacts.Networkd(
            networks: ["eth0": .init(path: "/etc/systemd/network/10-lan.network", keepsConfiguration: true)])
        #expect(
            what(facts) == [
                "systemd-networkd takes away routes that are not its own (ManageForeignRoutes=yes)",
                "systemd-networkd takes away routing rules that are not its own (ManageForeignRoutingPolicyRules=yes)",
            ])
        facts.networkd?.managesForeignRoutes = false
        facts.networkd?.managesForeignRules = false
        #expect(what(facts) == [])
        facts.networkd?.networks["eth0"]?.keepsConfiguration = false
        expect(
            facts,
            "systemd-networkd sets eth0 up by /etc/systemd/network/10-lan.network, without KeepConfiguration")
        var without = self.facts()
        without.networkd = DoctorFacts.Networkd()
        #expect(what(without) == [], "there are no routes to be taken")
    }

    @Test func `the clock`() {
        var facts = facts()
        facts.clockIsSynchronised = false
        expect(facts, "nothing keeps this host's clock right", .mayHurt)
        facts.clockIsSynchronised = nil
        #expect(what(facts) == [])
        facts.clockIsSynchronised = false
        let secret = AuthenticationSecret(Array(repeating: 7, count: 32))
        facts.configuration?.instances[0].authenticationHMAC = AuthenticationHMACConfiguration(
            keys: [.init(id: 1, secret: secret)], activeKey: 1)
        facts.configuration?.instances[0].authenticationHMAC?.antiReplay = .time
        #expect(facts.findings().map(\.severity) == [.willHurt])
    }

    @Test func `what overrides break`() {
        let packaged = DoctorFacts.Unit.Text(
            path: "/usr/lib/systemd/system/evenkeel-vrrpd.service",
            content: """
                [Service]
                # Restart=no
                Restart=always
                RestartKillSignal=SIGUSR1
                CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW
                ProtectSystem=strict
                """)
        func found(_ contents: String...) -> [Finding] {
            var facts = self.facts()
            facts.units = [
                DoctorFacts.Unit(
                    name: "evenkeel-vrrpd.service", packaged: packaged,
                    overrides: contents.enumerated().map {
                        .init(path: "/etc/systemd/system/evenkeel-vrrpd.service.d/\($0).conf", content: $1)
                    })
            ]
            return facts.findings()
        }
        #expect(found() == [])
        #expect(
            found("[Service]\nNice=-5\nRestart=always\nEnvironment=A=1\n") == [], "what changes nothing that matters")
        let restart = found("[Service]\nRestart=no\n")
        #expect(restart.map(\.severity) == [.willHurt])
        #expect(
            restart.first?.what == "/etc/systemd/system/evenkeel-vrrpd.service.d/0.conf makes Restart=no of always")
        #expect(found("[Service]\nRestart=no\n", "[Service]\nRestart=always\n") == [], "the last one counts")
        #expect(
            found("[Service]\nNice=-1\n", "[Service]\n Restart =\n").first?.what
                == "/etc/systemd/system/evenkeel-vrrpd.service.d/1.conf makes Restart=(nothing) of always")
        #expect(found("[Service]\nCapabilityBoundingSet=\nCapabilityBoundingSet=CAP_NET_ADMIN\n").count == 1)
        #expect(
            found("[Service]\nCapabilityBoundingSet=CAP_NET_RAW CAP_NET_ADMIN\n").count == 1,
            "twice is not the same list")
        #expect(found("[Service]\nProtectSystem=no\n").map(\.severity) == [.mayHurt])
        #expect(found("[Service]\nPrivateNetwork=yes\nRestartKillSignal=SIGTERM\n").count == 2)

        var facts = self.facts()
        facts.units = [
            DoctorFacts.Unit(
                name: "evenkeel-vrrpd.service", packaged: packaged,
                overrides: [.init(path: "/etc/systemd/system/evenkeel-vrrpd.service", content: packaged.content)],
                needsReload: true)
        ]
        #expect(facts.findings().map(\.severity) == [.mayHurt, .mayHurt])
    }

    @Test func `the daemons' alarms come with it, and that they cannot be asked`() throws {
        let daemons = ScriptedDaemons()
        daemons.attach(.vrrpd, .ipvsd, .checkd)
        daemons["Bus.Subscribe"] = .replies([
            [
                "event": [
                    "id": "1", "source": "ipvsd", "type": "io.evenkeel.daemon.alarm",
                    "subject": "ipvsd/forwarding/ipv4",
                    "time": "2026-11-21T12:00:00.000Z", "specversion": "1.0", "seq": 1,
                    "data": ["active": true, "message": "it does not forward", "remedy": "sysctl -w x=1"],
                ]
            ], ["snapshotComplete": true],
        ])
        daemons["Vrrp.List"] = .replies([["instances": []]])
        daemons["Ipvs.ListServices"] = .replies([["services": []]])
        daemons["Check.List"] = .replies([["servers": []]])
        let diagnosis = DoctorCommand.diagnosis(facts: facts(), .init(from: daemons))
        #expect(
            diagnosis.findings == [
                Finding(
                    severity: .willHurt, subject: "ipvsd/forwarding/ipv4", what: "it does not forward", why: nil,
                    remedy: "sysctl -w x=1")
            ])
        let away = ScriptedDaemons()
        away["Bus.ListServices"] = .failure(.busUnreachable(socket: "/run/evenkeel/bus.sock", Errno(2, "connect")))
        var facts = self.facts()
        facts.gaps = ["firewall: nft: Operation not permitted"]
        facts.managedByNetworkManager = ["eth0"]
        let silent = DoctorCommand.diagnosis(facts: facts, .init(from: away))
        #expect(silent.findings.map(\.subject) == ["daemons", "NetworkManager"] && silent.willHurt)
        let screen = shown { $0.add(silent) }
        for part in [
            "1 WILL HURT, 1 may", "-> systemctl start evenkeel.target", "NOT LOOKED AT",
            "firewall: nft: Operation not permitted",
        ] {
            #expect(screen.contains(part), "\(screen)")
        }
        #expect(silent.wire["notLookedAt"]?.array?.count == 1)
        #expect(shown { $0.add(Diagnosis(findings: [], gaps: [])) } == "Nothing found that would hurt\n")
    }

    @Test func `the file is the one that the daemons read, and what hangs on it is not looked at without it`() {
        let daemons = ScriptedDaemons()
        daemons.attach(.vrrpd)
        func event(_ daemon: String, _ file: String) -> JSONObject {
            [
                "event": [
                    "id": "1", "source": .string(daemon), "type": "io.evenkeel.daemon.config",
                    "subject": .string(daemon), "time": "2026-11-21T12:00:00.000Z", "specversion": "1.0", "seq": 1,
                    "data": [
                        "digest": "d", "file": .string(file), "loaded": "2026-11-21T12:00:00.000Z", "needs": ["vrrpd"],
                    ],
                ]
            ]
        }
        daemons["Vrrp.List"] = .replies([["instances": []]])
        daemons["Bus.Subscribe"] = .replies([
            event("ipvsd", "/tmp/c.conf"), event("vrrpd", "/tmp/c.conf"), ["snapshotComplete": true],
        ])
        var heard = DoctorCommand.Heard(from: daemons)
        #expect(heard.files == ["/tmp/c.conf"])
        var facts = facts()
        facts.configurationPath = "/tmp/c.conf"
        #expect(DoctorCommand.diagnosis(facts: facts, heard).gaps == [])
        daemons["Bus.Subscribe"] = .replies([
            event("ipvsd", "/tmp/d.conf"), event("vrrpd", "/tmp/c.conf"), ["snapshotComplete": true],
        ])
        heard = DoctorCommand.Heard(from: daemons)
        #expect(heard.files == ["/tmp/c.conf", "/tmp/d.conf"], "vrrpd's first")
        #expect(
            DoctorCommand.diagnosis(facts: facts, heard).gaps.first?.hasPrefix("/tmp/d.conf, which daemons run") == true
        )
        facts.configuration = nil
        #expect(DoctorCommand.diagnosis(facts: facts, heard).gaps.last?.hasPrefix("firewall, bridges") == true)
    }

    @Test func `who may not ask is told so, and is not told that the daemons are away`() {
        let daemons = ScriptedDaemons()
        daemons["Bus.ListServices"] = .failure(.denied(method: "io.evenkeel.Bus.ListServices"))
        let diagnosis = DoctorCommand.diagnosis(facts: facts(), .init(from: daemons))
        #expect(diagnosis.findings == [] && diagnosis.gaps.count == 1, "\(diagnosis)")
    }

    @Test func `a name that somebody has chosen is one word of a remedy`() {
        #expect("/etc/evenkeel/a-b_c.conf".shellWord == "/etc/evenkeel/a-b_c.conf")
        #expect("".shellWord == "''")
        #expect("a; reboot".shellWord == "'a; reboot'")
        #expect("it's $(reboot)".shellWord == #"'it'\''s $(reboot)'"#)
        var facts = facts(defs: "vrrp_mcast_group4 239.1.2.3")
        facts.bridges = [
            DoctorFacts.Bridge(name: "br0;reboot", snoops: true, isQuerier: true, ports: ["eth0"])
        ]
        facts.files[1].path = "/etc/evenkeel/$(reboot).conf"
        facts.files[1].owner = 1000
        #expect(
            facts.findings().compactMap(\.remedy) == [
                "chown root '/etc/evenkeel/$(reboot).conf'; chmod go-w '/etc/evenkeel/$(reboot).conf'",
                "ip link set 'br0;reboot' type bridge mcast_snooping 0",
            ])
        // Nor does it move the cursor.
        facts.files[1].path = "/etc/\u{1B}[2J.conf"
        let screen = shown { $0.add(Diagnosis(findings: facts.findings(), gaps: [])) }
        #expect(!screen.contains("\u{1B}"))
    }

    @Test func `a tool that does not answer is not waited for`() throws {
        let began = SystemClock.now
        #expect(throws: ProgramFailure.self) { try ProgramOutput.of(["/bin/sleep", "60"], within: .milliseconds(200)) }
        // One that has said much is as well heard as ever.
        #expect(try ProgramOutput.of(["/usr/bin/seq", "200000"]).hasSuffix("\n200000\n"))
        #expect(SystemClock.now - began < .seconds(30))
    }
}
