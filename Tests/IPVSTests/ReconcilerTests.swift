// Restarts, reloads and drift: what is adopted, what is repaired, what is left alone.

import Configuration
import IPVS
import Net
import Testing

@Suite struct ReconcilerTests {
    @Test func `nothing is commanded before the table was seen`() throws {
        var reconciler = Bench()
        #expect(try reconciler.configure([virtualServer(weights: [1])]).isEmpty)
        #expect(try reconciler.heard(server(1), isUp: false).isEmpty)
    }

    @Test func `a table that is right already is adopted without a command`() throws {
        let web = try service("tcp/192.0.2.1:80")
        let kernel = KernelTable(services: [
            web: ServiceEntry(
                attributes: ServiceAttributes(),
                destinations: [try server(1).endpoint: routed(1), try server(2).endpoint: routed(2)])
        ])
        var reconciler = Bench()
        _ = reconciler.configure([try virtualServer(weights: [1, 2])])
        #expect(reconciler.observed(kernel).isEmpty)
        #expect(reconciler.owned == [web])
    }

    @Test func `servers of an adopted service stay as they are until something is known`() throws {
        let web = try service("tcp/192.0.2.1:80")
        let kernel = KernelTable(services: [
            web: ServiceEntry(
                attributes: ServiceAttributes(),
                destinations: [try server(1).endpoint: routed(1), try server(2).endpoint: routed(0)])
        ])
        var reconciler = Bench()
        _ = reconciler.configure([try virtualServer(weights: [1, 1, 1])])
        #expect(reconciler.observed(kernel).isEmpty)
        _ = reconciler.heard(try server(3), isUp: true)
        _ = reconciler.heard(try server(2), isUp: true)
        #expect(try weights(reconciler.table, 1...3) == [1, 1, 1])
    }

    @Test func `a server that was down before the restart stays out`() throws {
        let web = try service("tcp/192.0.2.1:80")
        let kernel = KernelTable(services: [
            web: ServiceEntry(attributes: ServiceAttributes(), destinations: [try server(1).endpoint: routed(1)])
        ])
        var memory = Memory()
        memory.remember(web, [try server(1): .up, try server(2): .down, try server(4): .unheard])
        var reconciler = Bench(memory)
        _ = reconciler.configure([try virtualServer(weights: [1, 1, 1, 1])])
        let third = try server(3)
        #expect(
            reconciler.observed(kernel) == [.addDestination(web, third.endpoint, routed(1))],
            "3 is new in a service of ours, so it starts like any other; 4 was out before")
    }

    @Test func `a server that left the table just before the crash stays out`() throws {
        let web = try service("tcp/192.0.2.1:80")
        let kernel = KernelTable(services: [
            web: ServiceEntry(attributes: ServiceAttributes(), destinations: [try server(1).endpoint: routed(1)])
        ])
        var memory = Memory()
        memory.remember(web, [try server(1): .up, try server(2): .up])
        var reconciler = Bench(memory)
        _ = reconciler.configure([try virtualServer(weights: [1, 1])])
        #expect(reconciler.observed(kernel).isEmpty)
        #expect(try reconciler.heard(server(2), isUp: true).count == 1)
    }

    @Test func `a verdict that no probe confirmed does not overrule what is known`() throws {
        let web = try service("tcp/192.0.2.1:80")
        let kernel = KernelTable(services: [
            web: ServiceEntry(attributes: ServiceAttributes(), destinations: [try server(1).endpoint: routed(1)])
        ])
        var reconciler = Bench()
        _ = reconciler.configure([try virtualServer(weights: [1, 1])])
        _ = reconciler.observed(kernel)
        #expect(try reconciler.heard(server(1), isUp: false, isVerified: false).isEmpty, "alpha, not probed: it serves")
        #expect(try reconciler.heard(server(2), isUp: true, isVerified: false).isEmpty, "it was out")
        #expect(try reconciler.heard(server(2), isUp: true).count == 1)
        #expect(
            try reconciler.heard(server(2), isUp: false, isVerified: false).isEmpty,
            "checkd lost its file; the server is known to be up")
        #expect(try reconciler.heard(server(2), isUp: false).count == 1)
        #expect(try reconciler.heard(server(2), isUp: true, isVerified: false).isEmpty)
    }

    @Test func `a service that left the configuration while we were away is deleted if it is ours`() throws {
        let ours = try service("tcp/192.0.2.7:80")
        let theirs = try service("tcp/192.0.2.8:80")
        let entry = ServiceEntry(attributes: ServiceAttributes())
        var memory = Memory()
        memory.remember(ours)
        var reconciler = Bench(memory)
        _ = reconciler.configure([])
        #expect(reconciler.observed(KernelTable(services: [ours: entry, theirs: entry])) == [.deleteService(ours)])
        #expect(reconciler.owned.isEmpty)
        #expect(reconciler.observed(KernelTable(services: [ours: entry, theirs: entry])).isEmpty)
    }

    @Test func `a reload keeps health, overrides and the quorum's state`() throws {
        var reconciler = Bench()
        _ = reconciler.configure([try virtualServer(weights: [1, 1, 1])])
        _ = reconciler.observed(KernelTable())
        _ = reconciler.heard(try server(1), isUp: false)
        _ = reconciler.decide(try server(2), ServerOverride(mode: .drained))
        let third = try server(3)
        #expect(
            reconciler.configure([try virtualServer(weights: [1, 1, 5])])
                == [.editDestination(third.service, third.endpoint, routed(5))])
        #expect(try weights(reconciler.table, 1...3) == [nil, 0, 5])
    }

    @Test func `drift is repaired and strangers are not`() throws {
        var reconciler = Bench()
        _ = reconciler.configure([try virtualServer(weights: [1, 1])])
        _ = reconciler.observed(KernelTable())
        var kernel = reconciler.table
        let first = try server(1)
        kernel.services[first.service]?.destinations[first.endpoint] = routed(77)
        kernel.services[try service("udp/192.0.2.9:53")] = ServiceEntry(attributes: ServiceAttributes())
        #expect(reconciler.observed(kernel) == [.editDestination(first.service, first.endpoint, routed(1))])
    }

    @Test func `a flushed table is written again as it was, sick servers out`() throws {
        var reconciler = Bench()
        _ = reconciler.configure([try virtualServer(weights: [1, 1])])
        _ = reconciler.observed(KernelTable())
        _ = reconciler.heard(try server(2), isUp: false)
        reconciler.reconciler.lostTable()
        #expect(reconciler.observed(KernelTable()).count == 2)
        #expect(try weights(reconciler.table, 1...2) == [1, nil])
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `belief, desire and a kernel that obeys never drift apart`(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var reconciler = Bench()
        var kernel = KernelTable()
        let build = { (random: inout SplitMix) in
            let weights = (0..<Int.random(in: 1...5, using: &random)).map { _ in Int.random(in: 0...3, using: &random) }
            return try virtualServer(weights: weights) {
                $0.quorum = Int.random(in: 1...3, using: &random)
                if Bool.random(using: &random) {
                    $0.sorryServer = SorryServerConfiguration(
                        endpoint: Endpoint(.v4(IPv4Address(10, 0, 0, .random(in: 1...9, using: &random))), port: 80),
                        forwarding: .masquerade, inhibits: Bool.random(using: &random))
                }
                for index in $0.realServers.indices {
                    $0.realServers[index].inhibitOnFailure = Bool.random(using: &random)
                    $0.realServers[index].alpha = Bool.random(using: &random)
                }
            }
        }
        for command in reconciler.configure([try build(&random)]) + reconciler.observed(kernel) {
            kernel.apply(command)
        }
        for _ in 0..<60 {
            let target = try server(.random(in: 1...5, using: &random))
            let commands: [Command] =
                switch Int.random(in: 0...9, using: &random) {
                case 0: reconciler.configure([try build(&random)])
                case 1: reconciler.observed(kernel)
                case 2...4:
                    reconciler.decide(
                        target,
                        ServerOverride(
                            weight: Bool.random(using: &random) ? 4 : nil,
                            mode: ServerOverride.Mode.allCases.randomElement(using: &random) ?? .enabled))
                default: reconciler.heard(target, isUp: Bool.random(using: &random))
                }
            for command in commands { kernel.apply(command) }
            #expect(kernel == reconciler.table)
            #expect(reconciler.pools.keys.allSatisfy { reconciler.reconciler.change(of: $0).isEmpty })
        }
    }
}
