// What published files write and keepalived runs with: old words, switches with a value, zeros, comments in definitions. They
// load, and a warning says what happens.
import Net
import Testing

@testable import Configuration

@Suite struct PublishedFilesTests {
    /// The diagnostics but those on what nothing acts on yet, as `severity code: message`.
    private func said(_ text: String) -> [String] {
        load(text).diagnostics.filter { $0.code != .notActedOn || $0.message.contains("has no effect") }
            .map { "\($0.severity.rawValue) \($0.code.rawValue): \($0.message)" }
    }

    @Test(arguments: ["nat_mask 255.255.255.0", "net_mask 255.255.255.0"])
    func `a mask of keepalived 1 has no effect`(_ line: String) throws {
        let plain = try service()
        #expect(try service(line) == plain)
        #expect(said(serviceText(line)).count == 1)
        #expect(said(serviceText(line)).first?.contains("has no effect") == true)
    }

    @Test func `lvs_id is router_id, which counts when both stand, in whatever order`() {
        func routerID(_ lines: String) -> String? {
            load("global_defs {\n\(lines)\n}\n").configuration?.global.routerID
        }
        #expect(routerID("lvs_id OLD") == "OLD")
        #expect(routerID("lvs_id OLD\nrouter_id NEW") == "NEW")
        #expect(routerID("router_id NEW\nlvs_id OLD") == "NEW")
        #expect(routerID("lvs_id OLD\n}\nglobal_defs {\nrouter_id NEW") == "NEW")
        #expect(said("global_defs {\nlvs_id OLD\n}\n") == ["warning deprecated: lvs_id is understood as router_id"])
        #expect(said("global_defs {\nlvs_id OLD\nrouter_id NEW\n}\n").contains { $0.contains("lvs_id is ignored") })
    }

    @Test func `quorum 0 is 1, persistence_timeout 0 is none`() throws {
        #expect(try service("quorum 0").quorum == 1)
        #expect(said(serviceText("quorum 0")).map { $0.hasPrefix("warning adjusted: quorum 0") } == [true])
        #expect(try service("persistence_timeout 0").persistence == nil)
        #expect(said(serviceText("persistence_timeout 0")).map { $0.hasPrefix("warning adjusted: persist") } == [true])
        #expect(said(serviceText("persistence_timeout 2678400")) == [])
        #expect(said(serviceText("persistence_timeout 2678401")).first?.hasPrefix("error outOfRange") == true)
    }

    @Test(arguments: ["tcp", "tcpfin", "udp"])
    func `the kernel's timeouts end at 31 days, as in keepalived`(_ word: String) {
        #expect(said("global_defs {\nlvs_timeouts \(word) 2678400\n}") == [])
        let refused = said("global_defs {\nlvs_timeouts \(word) 2678401\n}")
        #expect(refused.map { $0.hasPrefix("error outOfRange") } == [true], "\(refused)")
    }

    @Test(arguments: ["SLAVE", "slave", "backup", "Backup"])
    func `a state that means BACKUP is BACKUP`(_ state: String) throws {
        #expect(try instance("state \(state)").initialState == .backup)
        #expect(said(instanceText("state \(state)")).map { $0.hasPrefix("warning deprecated: state") } == [true])
    }

    /// Words whose handler in keepalived does not look at a value: block, word, and how to see that it is on.
    private static let switches: [(String, String)] = [
        ("global", "enable_script_security"), ("global", "vrrp_strict"), ("global", "vrrp_skip_check_adv_addr"),
        ("global", "vrrp_check_unicast_src"), ("global", "no_email_faults"), ("global", "vrrp_no_swap"),
        ("global", "log_unknown_vrids"), ("global", "lvs_flush_on_stop"), ("instance", "nopreempt"),
        ("instance", "dont_track_primary"), ("instance", "track_src_ip"), ("instance", "check_unicast_src"),
        ("instance", "accept"), ("instance", "no_accept"), ("instance", "promote_secondaries"),
        ("service", "alpha"), ("service", "omega"), ("service", "ha_suspend"), ("service", "inhibit_on_failure"),
        ("service", "flag-3"), ("service", "hashed"),
    ]

    private func text(_ block: String, _ line: String) -> String {
        switch block {
        case "global": "global_defs {\n\(line)\n}\n"
        case "instance": instanceText(line)
        default: serviceText("lb_algo sh\n" + line)
        }
    }

    @Test(arguments: switches)
    func `a switch is on whatever follows, and that is said`(_ block: String, _ word: String) {
        guard word != "lvs_flush_on_stop" else { return }
        let bare = load(text(block, word))
        #expect(bare.configuration != nil)
        for value in ["1", "on", "True", "off", "no"] {
            let loaded = load(text(block, "\(word) \(value)"))
            #expect(loaded.configuration == bare.configuration, "\(word) \(value)")
            let isUnneeded = bare.diagnostics.contains { $0.message.contains("has no effect") }
            let warnings = loaded.diagnostics.filter { $0.code == .extraWords }
            #expect(warnings.count == (isUnneeded ? 0 : 1), "\(word) \(value)")
        }
    }

    @Test func `alpha off is on in a virtual server, off in a real server and a checker`() throws {
        #expect(try service("alpha off").alpha)
        #expect(try service("alpha off").realServers.first?.alpha == true)
        #expect(try service("alpha", server: "alpha off").realServers.first?.alpha == false)
        #expect(
            try service("alpha", server: "TCP_CHECK {\nalpha off\n}").realServers.first?.checkers.first?.schedule.alpha
                == false)
        #expect(said(serviceText("alpha off")).first?.contains("it is on whatever follows") == true)
        #expect(load(serviceText("alpha off")).diagnostics.first?.remedy == "remove the line to turn it off")
    }

    @Test(arguments: [
        ("global_defs {\nsmtp_alert True\n}\n", 1), ("global_defs {\nno_checker_emails 1\n}\n", 1),
        (instanceText("notify_priority_changes yes"), 0), (instanceText("notify_priority_changes junk"), 1),
        (serviceText("", server: "alpha 1"), 1), (serviceText("", server: "TCP_CHECK {\nalpha 1\n}"), 1),
    ])
    func `where keepalived reads a truth value we do, acted on or not`(_ text: String, _ errors: Int) {
        #expect(load(text).diagnostics.count { $0.severity == .error && $0.code == .badValue } == errors)
    }

    @Test(arguments: [
        ("garp_master_delay 3", "vrrp_garp_master_delay"), ("garp_master_repeat 2", "vrrp_garp_master_repeat"),
        ("strict_mode on", "vrrp_strict"), ("skip_check_adv_addr", "vrrp_skip_check_adv_addr"),
        ("version 3", "vrrp_version"),
    ])
    func `a word of instances in global_defs loads, and the right word is named`(_ line: String, _ meant: String) throws
    {
        let loaded = load("global_defs {\n\(line)\n}\n" + instanceText(""))
        #expect(loaded.configuration == load(instanceText("")).configuration)
        let diagnostic = try #require(loaded.diagnostics.first)
        #expect(loaded.diagnostics.count == 1)
        #expect(diagnostic.severity == .warning && diagnostic.code == .misplacedKeyword)
        #expect(diagnostic.remedy?.contains("write \(meant),") == true)
    }

    @Test(arguments: ["priority 100", "state MASTER", "virtual_router_id 51"])
    func `other words of instances in global_defs are errors`(_ line: String) {
        #expect(load("global_defs {\n\(line)\n}\n").diagnostics.map(\.severity) == [.error])
    }

    @Test(arguments: [
        "# a comment \\\n", "! a comment \\\n", "# one \\\n# two \\\n", " \\\n", "alpha # why \\\n", "alpha \\ # why\n",
    ])
    func `a comment inside a definition is skipped`(_ line: String) throws {
        let text = """
            $VS= \\
            virtual_server 192.0.2.1 80 { \\
                lb_algo rr \\
            \(line)    lb_kind DR \\
                protocol TCP \\
                real_server 192.0.2.2 80 { \\
                } \\
            }

            $VS
            """
        let loaded = load(text)
        #expect(loaded.diagnostics.filter { $0.code != .notActedOn } == [])
        #expect(loaded.configuration?.virtualServers.first?.forwarding == .directRouting)
    }

    @Test func `a comment without backslash ends a definition`() {
        let text = "$VS= \\\nglobal_defs { \\\nrouter_id A \\\n# the end\n}\n$VS\n}\n"
        #expect(load(text).diagnostics.map(\.code) == [.unexpectedBrace])
        #expect(load("$A=51 # all \\\n\n" + instanceText("").replacing("51\n", with: "$A\n")).configuration != nil)
    }

    @Test(arguments: ["m2", "m3", "m5", "m8", "m13"])
    func `the reviewed files that keepalived runs load`(_ name: String) throws {
        let loaded = try Fixtures.load("found/\(name).conf")
        #expect(loaded.configuration != nil, "\(loaded.diagnostics.map { $0.rendered() }.joined())")
        if name != "m2" && name != "m3" { #expect(!loaded.diagnostics.isEmpty) }
    }
}
