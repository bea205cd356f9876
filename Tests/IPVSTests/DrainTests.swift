// Drains: a server keeps weight 0 until it has no connections, then leaves the table and stays out, across restarts; a limit ends what does not end.

import Configuration
import IPVS
import Net
import Testing

@testable import ipvsd

@Suite struct DrainTests {
    private func drain(_ rig: KeeperRig, limit: UInt32? = nil) throws {
        let override = ServerOverride(mode: .drained, drainLimit: limit)
        rig.keeper.decide(try server(1), Decision(override: override, since: "2026", uid: 0), at: rig.now) { _ in }
        rig.settle()
    }

    @Test func `connections are waited for, then the server leaves and stays out`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        try drain(rig)
        rig.pass(.seconds(60))
        #expect(try weights(rig.kernel.table, 1...2) == [0, 1])
        rig.restart()
        rig.pass(.seconds(5))
        #expect(try weights(rig.kernel.table, 1...2) == [0, 1])
        rig.kernel.busy = 0
        rig.pass(.seconds(2))
        #expect(try weights(rig.kernel.table, 1...2) == [nil, 1])
        #expect(rig.takeLines().contains(.drained([try server(1)], isCut: false)))
        rig.kernel.busy = 1
        rig.restart()
        rig.pass(.seconds(30))
        #expect(try weights(rig.kernel.table, 1...2) == [nil, 1])
        rig.configure([try virtualServer(weights: [1, 1, 1])])
        rig.pass(.seconds(30))
        #expect(try weights(rig.kernel.table, 1...3) == [nil, 1, 1])
        rig.keeper.decide(try server(1), nil, at: rig.now) { _ in }
        rig.settle()
        #expect(try weights(rig.kernel.table, 1...3) == [1, 1, 1])
    }

    @Test func `a limit cuts what is left`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        try drain(rig, limit: 30)
        rig.pass(.seconds(28))
        #expect(try weights(rig.kernel.table, 1...2) == [0, 1])
        rig.pass(.seconds(4))
        #expect(try weights(rig.kernel.table, 1...2) == [nil, 1])
        #expect(rig.takeLines().contains(.drained([try server(1)], isCut: true)))
    }

    @Test func `nothing is looked at once a second when nothing is being drained`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        try drain(rig)
        rig.kernel.busy = 0
        rig.pass(.seconds(20))
        let before = rig.kernel.requests
        rig.pass(.seconds(60))
        #expect(rig.kernel.requests - before <= 6 * 4, "sweeps alone")
    }

    @Test func `the limit is kept in the file`() throws {
        let override = ServerOverride(weight: 3, mode: .drained, drainLimit: 77)
        let text = DecisionText([try server(1): Decision(override: override, since: "2026", uid: 0)])
        #expect(DecisionText(parsing: text.text).decisions == text.decisions)
    }
}
