// Who serves goes on serving until somebody of the new pool does: restarts while a replacement is refused or was not written, services with
// servers of somebody else, reloads to servers that wait for a verdict. What is known to be down, and what people take out, goes all the same.

import Bus
import Configuration
import Glibc
import IPVS
import Net
import Netlink
import Platform
import Testing

@testable import ipvsd

@Suite struct AdoptionTests {
    private func web() throws -> VirtualServerIdentity { try service("tcp/192.0.2.1:80") }

    /// The default service with these of the servers 10.0.0.1 to 10.0.0.9.
    private func pool(
        _ numbers: ClosedRange<Int>, _ change: (inout VirtualServerConfiguration) -> Void = { _ in }
    ) throws -> VirtualServerConfiguration {
        try virtualServer(weights: Array(repeating: 1, count: numbers.upperBound)) {
            $0.realServers.removeFirst(numbers.lowerBound - 1)
            change(&$0)
        }
    }

    private func kernel(_ numbers: [UInt8]) throws -> ScriptedKernel {
        let kernel = ScriptedKernel()
        var entry = ServiceEntry(attributes: ServiceAttributes())
        for number in numbers { entry.destinations[try server(number).endpoint] = routed(1) }
        kernel.table.services[try web()] = entry
        kernel.executed = { [unowned kernel] command, before in
            let serve = { (table: KernelTable) in
                table.services[command.service]?.destinations.values.contains { $0.weight > 0 } == true
            }
            if serve(before), !serve(kernel.table) { Issue.record("\(command) empties the service") }
        }
        return kernel
    }

    private func refuse(_ numbers: ClosedRange<UInt8>, _ rig: KeeperRig) throws {
        let refused = try numbers.map { try server($0).endpoint }
        rig.kernel.refuses = {
            if case .addDestination(_, let endpoint, _) = $0 { refused.contains(endpoint) } else { false }
        }
    }

    @Test(arguments: [true, false])
    func `a restart while the replacement is refused leaves the old servers serving`(hasFile: Bool) throws {
        let rig = KeeperRig([try pool(1...3)], kernel: try kernel([1, 2, 3]))
        for number in UInt8(1)...5 { rig.say(try server(number), isUp: true) }
        rig.settle()
        try refuse(4...5, rig)
        rig.configure([try pool(4...5)])
        rig.pass(.seconds(5))
        #expect(try weights(rig.kernel.table, 1...5) == [1, 1, 1, nil, nil])
        rig.restart(standings: hasFile ? nil : ScriptedFile("standings.state"))
        rig.pass(.seconds(30))
        #expect(try weights(rig.kernel.table, 1...5) == [1, 1, 1, nil, nil], "nobody has said anything yet")
        for number in UInt8(4)...5 { rig.sayAgain(try server(number)) }
        rig.pass(.seconds(30))
        #expect(try weights(rig.kernel.table, 1...5) == [1, 1, 1, nil, nil])
        rig.kernel.refuses = { _ in false }
        rig.pass(.seconds(30))
        #expect(try weights(rig.kernel.table, 1...5) == [nil, nil, nil, 1, 1])
    }

    @Test(arguments: [[7], [1, 7], [7, 8, 9]] as [[UInt8]])
    func `a service with servers of somebody else is taken over without checkd, and is never empty`(
        _ found: [UInt8]
    ) throws {
        let kernel = try kernel(found)
        let rig = KeeperRig(kernel: kernel)
        // By a reload, then at a start.
        for _ in 0..<2 {
            rig.configure([try pool(1...3)])
            rig.pass(.seconds(30))
            #expect(try weights(kernel.table, 1...9) == [1, 1, 1, nil, nil, nil, nil, nil, nil])
            kernel.table = try self.kernel(found).table
            rig.restart(standings: ScriptedFile("standings.state"))
        }
    }

    @Test func `servers that wait for their first verdict replace nobody`() throws {
        let kernel = try kernel([7])
        let rig = KeeperRig(
            [try pool(1...2) { for index in $0.realServers.indices { $0.realServers[index].alpha = true } }],
            kernel: kernel)
        rig.pass(.seconds(30))
        #expect(try weights(kernel.table, 1...7) == [nil, nil, nil, nil, nil, nil, 1])
        rig.say(try server(1), isUp: false)
        rig.settle()
        #expect(try weights(kernel.table, 7...7) == [1])
        rig.say(try server(2), isUp: true)
        rig.settle()
        #expect(try weights(kernel.table, 1...7) == [nil, 1, nil, nil, nil, nil, nil])
        rig.configure([
            try pool(3...4) { for index in $0.realServers.indices { $0.realServers[index].alpha = true } }
        ])
        rig.settle()
        #expect(try weights(kernel.table, 2...4) == [1, nil, nil], "nor in a reload")
        kernel.executed = { _, _ in }
        rig.say(try server(3), isUp: false)
        rig.say(try server(4), isUp: false)
        rig.settle()
        #expect(try weights(kernel.table, 2...4) == [nil, nil, nil], "the whole pool is known to be down")
    }

    @Test func `what is known to be down stays out, whoever else serves`() throws {
        var memory = Memory()
        memory.remember(try web(), side: .held, [try server(1): .up, try server(2): .down])
        var bench = Bench(memory)
        _ = bench.configure([try pool(1...3)])
        _ = bench.observed(try kernel([7]).table)
        #expect(try weights(bench.table, 1...7) == [1, nil, 1, nil, nil, nil, nil])
    }

    @Test func `a server that a person took out is not kept although nobody else serves`() throws {
        let kernel = try kernel([1, 7])
        kernel.executed = { _, _ in }
        var bench = Bench()
        _ = bench.configure([try pool(1...2) { $0.realServers[1].alpha = true }])
        _ = bench.observed(kernel.table)
        _ = bench.decide(try server(1), ServerOverride(mode: .disabled))
        #expect(try weights(bench.table, 1...2) == [nil, nil])
    }

    @Test func `a start that ends before the table was read leaves the file as it was`() throws {
        let rig = KeeperRig([try pool(1...3)], kernel: try kernel([1, 2, 3]))
        for number in UInt8(1)...3 { rig.say(try server(number), isUp: number != 3) }
        rig.pass(.seconds(3))
        let before = Memory(parsing: String(decoding: rig.standings.content ?? [], as: UTF8.self), boot: "b1")
        #expect(try before.services[web()]?.servers.count == 3)
        rig.kernel.outage = .noFamily("IPVS")
        rig.servers = [try pool(4...6), try virtualServer("tcp/192.0.2.2:80", weights: [1])]
        rig.restart()
        rig.pass(.seconds(5))
        let after = Memory(parsing: String(decoding: rig.standings.content ?? [], as: UTF8.self), boot: "b1")
        #expect(try after.services[web()] == before.services[web()])
        #expect(try after.services[service("tcp/192.0.2.2:80")]?.servers == [:], "it was never written")
        rig.kernel.outage = nil
        rig.restart()
        rig.pass(.seconds(30))
        #expect(try weights(rig.kernel.table, 1...6) == [nil, nil, nil, 1, 1, 1])
    }

    @Test func `a server whose add is refused at the end of one process is tried by the next`() throws {
        let rig = KeeperRig([try pool(1...2)], kernel: try kernel([1]))
        rig.say(try server(2), isUp: true)
        try refuse(2...2, rig)
        rig.settle()
        #expect(try weights(rig.kernel.table, 1...2) == [1, nil])
        rig.kernel.refuses = { _ in false }
        rig.restart()
        rig.settle()
        #expect(try weights(rig.kernel.table, 1...2) == [1, 1])
    }

    // MARK: What is answered

    @Test func `a decision is taken when the table has what it asks for that server, and only then`() throws {
        let kernel = ScriptedKernel()
        kernel.outage = .noFamily("IPVS")
        let rig = KeeperRig([try pool(1...3)], kernel: kernel)
        let drain = { (number: UInt8, mode: ServerOverride.Mode) in
            let decision = Decision(override: ServerOverride(mode: mode), since: "2026", uid: 0)
            rig.keeper.decide(try server(number), decision, at: rig.now) { _ in }
            return rig.keeper.problem(of: try server(number))
        }
        #expect(try drain(1, .drained)?.contains("modprobe ip_vs") == true)
        #expect(try drain(1, .drained)?.contains("modprobe ip_vs") == true, "nor when it is said again")
        kernel.outage = nil
        rig.pass(.seconds(30))
        #expect(try rig.keeper.problem(of: server(1)) == nil)
        // The scheduler is refused, and one server.
        kernel.refuses = {
            switch $0 {
            case .editService: true
            case .addDestination(_, let endpoint, _): endpoint.port == 81
            case .addService, .deleteService, .editDestination, .deleteDestination: false
            }
        }
        let odd = Endpoint(.v4(IPv4Address(10, 0, 0, 9)), port: 81)
        rig.configure([
            try pool(1...3) {
                $0.scheduler = "nonesuch"
                var server = $0.realServers[2]
                server.endpoint = odd
                $0.realServers.append(server)
            }
        ])
        rig.pass(.seconds(1))
        #expect(try drain(2, .drained) == nil, "the scheduler is not what this is about")
        let last = ServerIdentity(try web(), odd)
        #expect(rig.keeper.problem(of: last) != nil)
        rig.keeper.decide(
            last, Decision(override: ServerOverride(mode: .disabled), since: "2026", uid: 0), at: rig.now
        ) { _ in }
        #expect(rig.keeper.problem(of: last) == nil, "it is out")
        #expect(try rig.keeper.problem(of: server(8)) == nil, "nothing is wanted of a stranger")
    }

    @Test func `a file that could not be read is no trouble any more once it was replaced`() throws {
        let file = ScriptedFile("standings.state")
        file.readError = Errno(EINVAL, "read")
        let keeper = StandingKeeper(file, old: ScriptedFile("ipvsd.state"), boot: "b1")
        #expect(keeper.failure != nil)
        keeper.write([:], version: 1, at: .zero, clock: { .zero })
        file.settle()
        #expect(keeper.failure == nil)
    }
}
