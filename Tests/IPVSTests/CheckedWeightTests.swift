// Weights that checks change (misc_dynamic, a track_file): what the table has, what counts towards the quorum, and what outlives a restart.

import Configuration
import IPVS
import Testing

@Suite struct CheckedWeightTests {
    private func edit(_ number: UInt8, _ weight: Int32) throws -> [Command] {
        let server = try server(number)
        return [.editDestination(server.service, server.endpoint, routed(weight))]
    }

    @Test func `what checks add is added to the configured weight, between 0 and the kernel's limit`() throws {
        var bench = Bench()
        _ = bench.configure([try virtualServer(weights: [5, 1])])
        _ = bench.observed(KernelTable())
        for (change, weight): (Int64, Int32) in [
            (3, 8), (-2, 3), (-5, 0), (4, 9), (-6, 0), (7, 12), (.min, 0), (.max, .max), (0, 5),
            (Int64(Int32.max), .max),
        ] {
            #expect(try bench.heard(server(1), isUp: true, weightChange: change) == edit(1, weight))
            #expect(bench.pools.values.first?.livingWeight == Int64(weight) + 1)
        }
    }

    @Test func `it counts towards the quorum, and a weight by hand counts without it`() throws {
        var bench = Bench()
        _ = bench.configure([try virtualServer(weights: [5]) { $0.quorum = 4 }])
        _ = bench.observed(KernelTable())
        #expect(bench.pools.values.first?.hasQuorum == true)
        _ = bench.heard(try server(1), isUp: true, weightChange: -2)
        #expect(bench.pools.values.first?.hasQuorum == false)
        #expect(try bench.decide(server(1), ServerOverride(weight: 9)) == edit(1, 9))
        #expect(try bench.heard(server(1), isUp: true, weightChange: 20).isEmpty)
        #expect(try bench.decide(server(1), ServerOverride()) == edit(1, 25))
    }

    @Test func `a reload with another weight keeps what checks add, as in keepalived`() throws {
        var bench = Bench()
        _ = bench.configure([try virtualServer(weights: [5])])
        _ = bench.observed(KernelTable())
        _ = bench.heard(try server(1), isUp: true, weightChange: 5)
        #expect(try bench.configure([virtualServer(weights: [8])]) == edit(1, 13))
        // Without a check nobody adds anything.
        #expect(
            try bench.configure([virtualServer(weights: [8]) { $0.realServers[0].checkers = [] }]) == edit(1, 8))
    }

    @Test func `an unverified word changes no weight that is known, a restart keeps it`() throws {
        var bench = Bench()
        _ = bench.configure([try virtualServer(weights: [5])])
        _ = bench.observed(KernelTable())
        _ = bench.heard(try server(1), isUp: true, weightChange: 5)
        #expect(try bench.heard(server(1), isUp: true, isVerified: false).isEmpty)
        let kernel = bench.table
        #expect(try weights(kernel, 1...1) == [10])
        // A check that cannot be asked keeps the verdict unverified: the weight of another one counts all the same.
        #expect(
            try bench.heard(server(1), isUp: false, isVerified: false, isWeighed: true, weightChange: 4) == edit(1, 9))
        #expect(try bench.heard(server(1), isUp: true, weightChange: 5) == edit(1, 10))
        let text = Memory.text(of: bench.reconciler.standings, boot: "b")
        var next = Bench(Memory(parsing: text, boot: "b"))
        _ = next.configure([try virtualServer(weights: [5])])
        #expect(next.observed(kernel).isEmpty)
        #expect(try weights(next.table, 1...1) == [10])
        // What it remembers before the table was read is written again.
        var last = Bench(Memory(parsing: text, boot: "b"))
        last.reconciler.configure([try virtualServer(weights: [5])])
        #expect(Memory.text(of: last.reconciler.standings, boot: "b") == text)
    }
}
