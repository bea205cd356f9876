// What `lbctl reload` is told beside the commands of the table.

import Configuration
import IPVS
import Testing

@Suite struct ReloadChangesTests {
    private let before: Configuration

    init() throws {
        before = Configuration(virtualServers: [try virtualServer(weights: [1, 1])])
    }

    private func changes(_ edit: (inout Configuration) throws -> Void) throws -> [String] {
        var bench = Bench()
        _ = bench.configure(before.virtualServers)
        var after = before
        try edit(&after)
        return before.changesBesideTable(to: after, bench.reconciler.changes(to: after.virtualServers))
    }

    @Test func `nothing is nothing, and what checkd or the table has is theirs to say`() throws {
        #expect(try changes { _ in } == [])
        #expect(try changes { $0.virtualServers[0].realServers[0].checkers = [] } == [])
        #expect(try changes { $0.virtualServers[0].realServers[0].weight = 7 } == [])
        #expect(try changes { $0.virtualServers = [] } == [])
    }

    @Test func `programs, their users and their rules are said`() throws {
        let program = ScriptCommand(arguments: ["/told"])
        let name = before.virtualServers[0].identity
        #expect(try changes { $0.virtualServers[0].quorumUp = program } == ["\(name) quorum_up: change"])
        #expect(
            try changes {
                $0.virtualServers[0].quorumDown = program
                $0.virtualServers[0].realServers[1].notifyUp = program
                $0.virtualServers[0].realServers[0].notifyDown = program
            } == ["\(name) quorum_down, notify_up, notify_down: change"])
        let edits: [(String, (inout GlobalDefinitions) -> Void)] = [
            ("enable_script_security", { $0.scriptSecurity = true }), ("umask", { $0.umask = 0o77 }),
            ("set_supplementary_groups", { $0.scriptsHaveAllGroups = true }),
            ("notify_fifo", { $0.notifyPipe = NotifyPipeConfiguration(path: "/p") }),
            ("lvs_notify_fifo", { $0.serverNotifyPipe = NotifyPipeConfiguration(path: "/p") }),
            ("rs_init_notifies", { $0.notifyRealServersAtStart = true }),
            ("lvs_drain_removed", { $0.removedDrainLimit = 1 }), ("lvs_timeouts", { $0.timeouts.tcp = .seconds(9) }),
        ]
        for (word, edit) in edits { #expect(try changes { edit(&$0.global) } == ["\(word): change"]) }
    }

    @Test func `settings that count later are said`() throws {
        let name = before.virtualServers[0].identity
        #expect(try changes { $0.virtualServers[0].quorum = 2 } == ["\(name) quorum: change"])
        #expect(try changes { $0.virtualServers[0].omega = true } == ["\(name) omega: change"])
        #expect(
            try changes {
                $0.virtualServers[0].sorryServer = SorryServerConfiguration(
                    endpoint: try server(9).endpoint, forwarding: .masquerade)
                $0.virtualServers[0].realServers[0].inhibitOnFailure = true
            } == ["\(name) sorry_server, inhibit_on_failure: change"])
    }

    @Test func `what no command shows is said beside the commands too`() throws {
        let name = before.virtualServers[0].identity
        let said = try changes {
            $0.virtualServers[0].realServers[0].weight = 7
            $0.virtualServers[0].quorum = 2
        }
        #expect(said == ["\(name) quorum: change"])
    }

    /// What a value of its own has no word here would be a reload that says "nothing changes".
    @Test func `every value of a service and its servers has a word here or is checkd's`() throws {
        let service = Mirror(reflecting: before.virtualServers[0]).children.compactMap(\.label)
        #expect(
            service == [
                "identity", "group", "groupTransport", "marked", "scheduler", "schedulerFlags", "forwarding",
                "persistence", "quorum", "hysteresis", "quorumUp", "quorumDown", "sorryServer", "alpha", "omega",
                "suspendsWithoutAddress", "mailAlert", "realServers",
            ], "give a new one a word in ReloadChanges, then name it here")
        let server = Mirror(reflecting: before.virtualServers[0].realServers[0]).children.compactMap(\.label)
        #expect(
            server == [
                "endpoint", "weight", "forwarding", "inhibitOnFailure", "upperThreshold", "lowerThreshold", "notifyUp",
                "notifyDown", "mailAlert", "alpha", "flapLimit", "checkers",
            ], "give a new one a word in ReloadChanges, then name it here")
    }
}
