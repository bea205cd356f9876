// Each kind of diagnostic: the text that earns it, where it points, how grave it is.
import Net
import Testing

@testable import Configuration

@Suite struct DiagnosticTests {
    static let syntax: [(String, [String])] = [
        ("nonsense\n", ["1:1 error unknownKeyword"]),
        ("vrrp_instanse V {\n}\n", ["1:1 error unknownKeyword"]),
        ("priority 7\n", ["1:1 error misplacedKeyword"]),
        ("global_defs {\n", ["1:1 error unclosedBlock"]),
        ("global_defs {\n}\n}\n", ["3:1 error unexpectedBrace"]),
        ("{\n}\n", ["1:1 error unexpectedBrace", "1:1 error unknownKeyword"]),
        ("global_defs\nrouter_id A\n}\n", ["1:1 error missingBlock"]),
        ("global_defs {\nrouter_id \"A\n}\n", ["2:11 error unmatchedQuote"]),
        ("global_defs {\nrouter_id “A”\n}\n", ["2:11 error typographicQuote"]),
        ("global_defs {\nrouter_id ‘A’\n}\n", ["2:11 error typographicQuote"]),
        ("global_defs {\nrouter_id ${NAME}\n}\n", ["2:11 error undefinedParameter"]),
        ("global_defs {\nrouter_id A \\\n}\n", ["2:13 error badCharacter", "2:13 warning extraWords"]),
        ("global_defs {\nrouter_id A {\n}\n}\n", ["2:1 error unexpectedBrace"]),
        ("global_defs {\nrouter_id A\nrouter_id B\n}\n", ["3:1 warning duplicateKeyword"]),
        ("global_defs {\nrouter_id A B C\n}\n", ["2:13 warning extraWords"]),
        ("global_defs {\nrouter_id\n}\n", ["2:1 error missingValue"]),
        ("a\u{0}b\n", ["1:2 error badCharacter"]),
        // A block that is not known ends before what belongs to the file, and before nothing else.
        ("foo {\nglobal_defs {\n}\n", ["1:1 error unclosedBlock", "1:1 error unknownKeyword"]),
        (
            "virtual_server 192.0.2.1 80 {\nprotocol TCP\nfoo {\nreal_server 192.0.2.2 80 {\n}\n}\n}\n",
            ["1:1 warning missingKeyword", "3:1 error unknownKeyword"]
        ),
    ]

    @Test(arguments: syntax)
    func `problems of form`(_ text: String, _ expected: [String]) {
        #expect(summary(load(text)) == expected)
    }

    @Test func `as deep as blocks go the next { belongs to the word before it`() {
        let (opens, closes) = (String(repeating: "a { ", count: 31), String(repeating: "}\n", count: 31))
        #expect(
            summary(load("\(opens)\nb\nc {\n}\n{\n}\n\(closes)"))
                == ["1:1 error unknownKeyword", "3:3 error limitExceeded", "5:1 error limitExceeded"])
    }

    static let values: [(String, String)] = [
        ("priority 256", "error outOfRange"), ("priority 0", "error outOfRange"), ("priority x", "error badValue"),
        ("priority 1.5", "error badValue"), ("priority -1", "error outOfRange"),
        ("priority 99999999999999999999", "error outOfRange"),
        ("priority", "error missingValue"), ("advert_int 0", "error outOfRange"), ("advert_int fast", "error badValue"),
        ("advert_int 256", "error outOfRange"), ("advert_int 0.5", "warning adjusted"),
        ("advert_int 1.5", "warning adjusted"),
        ("state MASTERS", "error badValue"), ("state master", "error badValue"), ("version 4", "error outOfRange"),
        ("vrf blue", "warning adjusted"), ("native_ipv6", "warning notActedOn"),
        ("strict_mode maybe", "error badValue"), ("interface abcdefghijklmnop", "error badValue"),
        ("unicast_src_ip host", "error badValue"), ("unicast_peer {\n192.0.2.9 min_ttl\n}", "error unknownKeyword"),
        ("track_script {\nnone\n}", "error unknownReference"),
        ("track_interface {\neth0 wait 3\n}", "error unknownKeyword"),
        ("track_interface {\neth0 weight 300\n}", "error outOfRange"), ("preempt_delay 1001", "error outOfRange"),
        ("preempt_delay -0", "error badValue"), ("preempt_delay +5", "error badValue"),
        ("authentication {\nauth_type PASSWORD\nauth_pass x\n}", "error badValue"),
        ("weight 3", "error misplacedKeyword"),
        ("authentication {\nauth_type PASS\n}", "error missingKeyword"),
        ("mcast_src_ip 2001:db8::1", "error contradiction"),
        ("authentication {\nauth_type PASS\nauth_pass 123456789\n}", "warning adjusted"),
        ("interface lo", "error contradiction"),
        ("state MASTER", "warning adjusted"), ("state MASTER\npriority 9\nnopreempt", "warning adjusted"),
        ("nopreempt\npreempt_delay 5", "warning adjusted"), ("vmac_garp_intvl 5", "warning deprecated"),
        ("garp_extra_if all", "error missingValue"), ("garp_extra_if 86401", "error outOfRange"),
        ("unicast_src_ip 192.0.2.9", "warning contradiction"), ("garp_master_repeat 0", "error outOfRange"),
    ]

    @Test(arguments: values)
    func `problems of an instance's values`(_ lines: String, _ expected: String) {
        let found = load(instanceText(lines)).diagnostics.map { "\($0.severity.rawValue) \($0.code.rawValue)" }
        #expect(found.contains(expected), "\(found)")
    }

    static let addresses: [(String, String)] = [
        ("192.0.2.300", "error badValue"), ("192.0.2.1/33", "error outOfRange"),
        ("192.0.2.1 dev", "error missingValue"),
        ("192.0.2.1 devv eth0", "error unknownKeyword"), ("192.0.2.1 192.0.2.2", "error unknownKeyword"),
        ("192.0.2.1 scope galaxy", "error badValue"), ("192.0.2.1 label abcdefghijklmnop", "error outOfRange"),
        ("2001:db8::1", "error contradiction"), ("192.0.2.1 { }", "error unexpectedBrace"),
    ]

    @Test(arguments: addresses)
    func `problems of address lines`(_ line: String, _ expected: String) {
        let text =
            "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.9\n\(line)\n}\n}\n"
        let found = load(text).diagnostics.map { "\($0.severity.rawValue) \($0.code.rawValue)" }
        #expect(found == [expected])
    }

    @Test func `an address line takes all its words`() throws {
        let text = instanceText(
            """
            virtual_ipaddress_excluded {
                192.0.2.9/24 brd 192.0.2.255 dev eth1 scope link label eth1:vip no_track
                192.0.2.10/24 brd + preferred_lft 60
                2001:db8::9/64 -nodad home mngtmpaddr noprefixroute autojoin
                2001:db8::10
            }
            """)
        let lines = try #require(load(text).configuration?.instances.first?.excludedAddresses)
        #expect(lines[0].device == "eth1")
        #expect(lines[0].scope == 253)
        #expect(lines[0].label == "eth1:vip")
        #expect(!lines[0].isTracked)
        #expect(lines[1].broadcast == .allOnes)
        #expect(lines[1].preferredLifetime == .seconds(60))
        #expect(lines[2].options == Set(AddressLine.Option.allCases))
        #expect(!lines[2].skipsDuplicateDetection)
        #expect(lines[2].preferredLifetime == .forever)
        #expect(lines[3].preferredLifetime == .seconds(0))
    }

    @Test func `what is missing in a block is named`() {
        #expect(
            summary(load("vrrp_instance V {\nvirtual_ipaddress {\n192.0.2.1\n}\n}\n")) == [
                "1:1 error missingKeyword", "1:1 error missingKeyword",
            ])
        #expect(summary(load("vrrp_instance {\n}\n")).contains("1:1 error missingValue"))
        #expect(summary(load("vrrp_script s {\n}\n")).contains("1:1 error missingKeyword"))
        #expect(summary(load("vrrp_sync_group g {\n}\n")) == ["1:1 error missingKeyword"])
    }

    @Test func `names are unique`() {
        let loaded = load(instanceText("", id: 1) + instanceText("", id: 2))
        #expect(loaded.diagnostics.map(\.code) == [.duplicateName])
        #expect(loaded.diagnostics.first?.notes.first?.source.position.line == 1)
    }

    @Test func `a virtual router id is used once on an interface`() {
        #expect(
            load(instanceText("", name: "A", id: 5) + instanceText("", name: "B", id: 5)).diagnostics.map(\.code) == [
                .contradiction
            ])
        // One that is no number is said where it stands, and is nobody else's.
        let wrong = (instanceText("", name: "A", id: 5) + instanceText("", name: "B", id: 5))
            .replacing("virtual_router_id 5", with: "virtual_router_id 256")
        #expect(load(wrong).diagnostics.map(\.code) == [.outOfRange, .outOfRange])
        let none = wrong.replacing("virtual_router_id 256\n", with: "")
        #expect(load(none).diagnostics.map(\.code) == [.missingKeyword, .missingKeyword])
        let apart = instanceText("", name: "A", id: 5) + instanceText("", name: "B", id: 5, interface: "eth1")
        #expect(load(apart).diagnostics == [])
    }

    @Test func `group members exist, once, in one group`() {
        let instances = instanceText("", name: "A", id: 1) + instanceText("", name: "B", id: 2)
        func group(_ members: String, _ name: String = "G") -> String {
            "vrrp_sync_group \(name) {\ngroup {\n\(members)\n}\n}\n"
        }
        #expect(load(instances + group("A\nB")).diagnostics == [])
        #expect(load(instances + group("A B")).configuration?.syncGroups.first?.members == ["A", "B"])
        #expect(load(instances + group("A\nC")).diagnostics.map(\.code).contains(.unknownReference))
        #expect(load(instances + group("A\nB") + group("A\nB", "H")).diagnostics.map(\.code).contains(.contradiction))
        #expect(load(instances + group("")).diagnostics.map(\.code) == [.missingValue])
    }

    @Test func `members written without group are told where they go`() {
        let text = instanceText("", name: "VI_2") + "vrrp_sync_group G {\nVI_2\n}\n"
        #expect(load(text).diagnostics.contains { $0.remedy?.contains("group { VI_2") == true })
    }

    @Test(arguments: [
        ("global_defs {\nrouter_idd A\n}\n", "router_id"), ("vrrp_instanse V {\n}\n", "vrrp_instance"),
        (instanceText("prioriti 5"), "priority"), (instanceText("track_scripts {\n}"), "track_script"),
        (serviceText("lb_algo wrrr"), "wrr"), (instanceText("state MASTRE"), "MASTER"),
        // Of equally near ones the first in the text.
        ("virtual_server_group GB {\n}\nvirtual_server_group GA {\n}\nvirtual_server group GC {\n}\n", "GB"),
    ])
    func `the nearest word is offered`(_ text: String, _ expected: String) {
        let remedies = load(text).diagnostics.compactMap(\.remedy)
        #expect(remedies.contains("did you mean \(expected)?"), "\(remedies)")
    }

    private static let checked =
        "virtual_server 192.0.2.1 80 {\nprotocol TCP\nreal_server 192.0.2.11 80 {\nMISC_CHECK {\nmisc_path /gone\n"
        + "user nobody\n}\n}\n}\n"
    private static let script = "vrrp_script S {\nscript /gone\nuser nobody\n}\n"

    private static let machineTexts: [(String, [String])] = [
        ("\(checked)\(script)", ["5:11", "6:6"]), ("\(script)\(checked)", ["2:8", "3:6"]),
        ("include checked.conf\n\(script)", ["5:11", "6:6"]), ("\(script)include checked.conf\n", ["2:8", "3:6"]),
        // global_defs is read before all.
        ("\(checked)global_defs {\nscript_user nobody\n}\n", ["5:11", "11:13"]),
    ]

    /// Virtual servers are read when the rest has been; what they name keeps its turn.
    @Test(arguments: machineTexts)
    func `what the machine lacks is said where it is read first`(_ text: String, _ expected: [String]) {
        let said = summary(load(text, ["checked.conf": Self.checked], machine: SmallMachine()))
        #expect(said.filter { $0.hasSuffix("machine") } == expected.map { $0 + " warning machine" })
    }

    @Test func `a missing brace is found where the next sibling betrays it`() {
        let text = """
            virtual_server 192.0.2.1 80 {
                protocol TCP
                real_server 192.0.2.2 80 {
                    TCP_CHECK {
                        connect_timeout 3
                    }
                real_server 192.0.2.3 80 {
                }
            }
            """
        let loaded = load(text)
        #expect(summary(loaded) == ["3:5 error unclosedBlock"])
        #expect(loaded.diagnostics.first?.notes.first?.source.position.line == 7)
    }

    @Test func `each keyword that is not acted on is named once`() {
        let text =
            serviceText("", server: "notify_up /bin/true\nnotify_down /bin/true")
            + "global_defs {\nenable_traps\nenable_traps\n}\n"
        let words = load(text).diagnostics.filter { $0.code == .notActedOn }.map {
            $0.message.split(separator: " ").first ?? ""
        }
        #expect(words.filter { $0 == "enable_traps" }.count == 1)
    }

    @Test func `an old spelling of what is not acted on yet does not hide that`() {
        let found = load("vrrp_track_file F {\nfile /tmp/f\n}\n").diagnostics.map { "\($0.code): \($0.message)" }
        guard KeywordTable.entries.contains(where: { $0.word == "track_file" && $0.support == .notYet }) else { return }
        #expect(found.contains { $0.hasPrefix("deprecated: vrrp_track_file ") })
        #expect(found.contains { $0.hasPrefix("notActedOn: track_file ") })
    }

    @Test func `what is said of a block for a group is said once, not for each address`() {
        let text = """
            virtual_server_group G {
                192.0.2.1-9 80
            }
            virtual_server group G {
                protocol TCP
                quorum 2
                real_server 192.0.2.20 80 {
                }
            }
            """
        let loaded = load(text)
        #expect(loaded.configuration?.virtualServers.count == 9)
        #expect(summary(loaded) == ["6:12 warning adjusted"])
    }

    @Test func `a file that says nothing is taken, as by keepalived, and that is said`() {
        for text in ["", "\n", "# nothing\n", "! nothing"] {
            let loaded = load(text)
            #expect(loaded.configuration != nil)
            #expect(loaded.diagnostics.map(\.severity) == [.warning], "\(loaded.diagnostics)")
        }
        #expect(load("global_defs {\n}\n").diagnostics == [])
    }

    @Test func `a file that cannot be read is named without a line`() throws {
        let missing = Configuration.load(files: MemoryFiles([:]), path: "gone.conf")
        let diagnostic = try #require(missing.diagnostics.first)
        #expect(diagnostic.rendered().hasPrefix("gone.conf: error: cannot be read: no such file\n"))
    }

    @Test func `too many diagnostics are counted, and warnings never hide errors`() {
        let text = String(repeating: "global_defs {\nrouter_id A B\n}\n", count: 1000) + "nonsense\n"
        let loaded = load(text)
        #expect(loaded.droppedDiagnostics > 0)
        #expect(loaded.diagnostics.contains { $0.code == .unknownKeyword })
        #expect(load(String(repeating: "global_defs {\nrouter_id A B\n}\n", count: 1000)).configuration != nil)
    }

    @Test func `a command that begins with a redirection is run by bash, and it is said`() throws {
        let loaded = load("vrrp_script s {\nscript \"</dev/tcp/127.0.0.1/80\"\n}\n")
        let command = try #require(loaded.configuration?.scripts.first?.command.arguments)
        #expect(command == ["/bin/bash", "-c", "</dev/tcp/127.0.0.1/80"])
        #expect(summary(loaded) == ["2:8 warning adjusted"])
    }

    @Test(arguments: ["a | b", "a && b", "a >/dev/null", "a $(hostname)"])
    func `what only a shell understands is said`(_ command: String) {
        #expect(summary(load("vrrp_script s {\nscript \"/bin/\(command)\"\n}\n")) == ["2:8 warning badValue"])
        #expect(summary(load("vrrp_script s {\nscript \"/bin/sh -c '\(command)'\"\n}\n")) == [])
    }

    @Test func `a program of root's that others can replace is said, a strict check refuses it`() {
        func text(_ user: String) -> String {
            "global_defs {\nscript_user \(user)\n}\nvrrp_script s {\nscript /bin/open\n}\n"
        }
        #expect(summary(load(text("root"), machine: SmallMachine())) == ["5:8 warning machine"])
        #expect(summary(load(text("nobody"), machine: SmallMachine())) == ["2:13 warning machine"])
        let strict = load(text("root"), machine: SmallMachine(), options: LoadOptions(isStrict: true))
        #expect(summary(strict) == ["5:8 error machine"])
    }
}
