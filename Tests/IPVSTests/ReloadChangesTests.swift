// What `lbctl reload` is told beside the commands of the table.

import Configuration
import IPVS
import Testing

@Suite struct ReloadChangesTests {
    private let before: Configuration

    init() throws {
        before = Configuration(virtualServers: [try virtualServer(weights: [1, 1])])
    }

    private func changes(_ edit: (inout Configuration) -> Void) throws -> [String] {
        var bench = Bench()
        _ = bench.configure(before.virtualServers)
        var after = before
        edit(&after)
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
        #expect(try changes { $0.virtualServers[0].quorum = 2 } == ["\(name): change"])
        #expect(try changes { $0.virtualServers[0].omega = true } == ["\(name): change"])
    }
}
