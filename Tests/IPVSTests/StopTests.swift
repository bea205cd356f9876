// The end of the process: the table stays, or goes as `lvs_flush_on_stop` says and is not put back in the moments that are left.
import Configuration
import IPVS
import Net
import Netlink
import Testing

@testable import ipvsd

@Suite struct StopTests {
    /// Two services of the configuration, one made by hand, one of somebody else; 10.0.0.2 is down.
    private func rig() throws -> KeeperRig {
        let rig = KeeperRig([try virtualServer(weights: [1, 1]), try virtualServer("tcp/192.0.2.2:80", weights: [1])])
        rig.say(try server(2), isUp: false)
        rig.byHand([.change(.addService(try service("tcp/192.0.2.3:80"), ServiceAttributes(scheduler: "rr")))])
        let others = try service("tcp/192.0.2.9:80")
        rig.kernel.table.services[others] = ServiceEntry(attributes: ServiceAttributes(scheduler: "rr"))
        rig.settle()
        #expect(rig.kernel.table.services.count == 4)
        return rig
    }

    @Test func `without the word the table stays`() throws {
        let rig = try rig()
        let before = rig.kernel.table
        try rig.keeper.finish(at: rig.now)
        #expect(rig.kernel.table == before)
    }

    @Test(arguments: [TableFlush.everything, .services])
    func `with it services go and are not put back, and the next process has them as they were`(_ flush: TableFlush)
        throws
    {
        let rig = try rig()
        rig.kernel.errors = [.timedOut]
        try rig.keeper.finish(at: rig.now, emptying: flush)
        let left = flush == .services ? [try service("tcp/192.0.2.9:80")] : []
        #expect(Array(rig.kernel.table.services.keys) == left, "also when the answer was lost at first")
        rig.pass(.seconds(30))
        var refused: HandFailure?
        rig.byHand([.change(.addService(try service("tcp/192.0.2.4:80"), ServiceAttributes(scheduler: "rr")))]) {
            report, _ in
            refused = report.failure
        }
        #expect(refused?.problem.contains("repeat it") == true)
        #expect(Array(rig.kernel.table.services.keys) == left)
        #expect(rig.keeper.deadline > rig.now, "and nothing spins")

        rig.restart()
        rig.settle()
        #expect(rig.kernel.table.services.count == 3 + left.count)
        #expect(try weights(rig.kernel.table, 1...2) == [1, nil], "what was down is not back by that")
    }

    @Test func `a refusal is said, and what others removed is none`() throws {
        let rig = try rig()
        rig.kernel.table.services[try service("tcp/192.0.2.2:80")] = nil
        try rig.keeper.finish(at: rig.now, emptying: .services)
        #expect(Array(rig.kernel.table.services.keys) == [try service("tcp/192.0.2.9:80")])
        let other = try self.rig()
        other.kernel.outage = .refused(code: 1, message: "")
        #expect(throws: NetlinkError.self) { try other.keeper.finish(at: other.now, emptying: .everything) }
    }
}
