// What a standing keeps besides health: the side of the quorum, ownership, refusals, decisions about servers that are not configured.

import Configuration
import IPVS
import Net
import Testing

@Suite struct StandingTests {
    private let sorry = Endpoint(.v4(IPv4Address(10, 0, 0, 99)), port: 80)

    private func banded(_ change: (inout VirtualServerConfiguration) -> Void = { _ in }) throws
        -> VirtualServerConfiguration
    {
        try virtualServer(weights: [1, 1, 1, 1]) {
            $0.quorum = 3
            $0.hysteresis = 1
            $0.sorryServer = SorryServerConfiguration(endpoint: sorry, forwarding: .directRouting)
            change(&$0)
        }
    }

    private func table(_ servers: [Endpoint]) throws -> KernelTable {
        KernelTable(services: [
            try service("tcp/192.0.2.1:80"): ServiceEntry(
                attributes: ServiceAttributes(),
                destinations: Dictionary(uniqueKeysWithValues: servers.map { ($0, routed(1)) }))
        ])
    }

    @Test(arguments: [true, false])
    func `a restart inside the hysteresis band changes nothing`(hasFile: Bool) throws {
        var memory = Memory()
        if hasFile {
            memory.remember(
                try service("tcp/192.0.2.1:80"), side: .held,
                [try server(1): .up, try server(2): .up, try server(3): .up, try server(4): .down])
        }
        var bench = Bench(memory)
        #expect(try bench.configure([banded()]).isEmpty)
        #expect(try bench.observed(table([server(1).endpoint, server(2).endpoint, server(3).endpoint])).isEmpty)
        #expect(try bench.pools[service("tcp/192.0.2.1:80")]?.hasQuorum == true)
        #expect(try bench.heard(server(4), isUp: false).isEmpty)
    }

    @Test func `a restart while the sorry server serves leaves it serving inside the band`() throws {
        var bench = Bench()
        _ = bench.configure([try banded()])
        #expect(try bench.observed(table([sorry])).isEmpty)
        for number in UInt8(1)...3 { #expect(try bench.heard(server(number), isUp: true).isEmpty) }
        #expect(try bench.heard(server(4), isUp: true).count == 5, "4 >= 3 + 1: four come, the sorry server goes")
    }

    @Test func `without a sorry server the file remembers the side`() throws {
        let configuration = try banded { $0.sorryServer = nil }
        var memory = Memory()
        memory.remember(
            configuration.identity, side: .lost,
            [try server(1): .up, try server(2): .up, try server(3): .up, try server(4): .down])
        var bench = Bench(memory)
        _ = bench.configure([configuration])
        _ = try bench.observed(table([server(1).endpoint, server(2).endpoint, server(3).endpoint]))
        #expect(bench.pools[configuration.identity]?.hasQuorum == false)
    }

    @Test func `an unverified verdict overrules no known success and no known failure`() throws {
        var bench = Bench()
        _ = bench.configure([try virtualServer(weights: [1, 1])])
        _ = bench.observed(KernelTable())
        _ = try bench.heard(server(1), isUp: true)
        #expect(try bench.heard(server(1), isUp: false, isVerified: false).isEmpty)
        #expect(try bench.heard(server(2), isUp: false, isVerified: false).count == 1, "nothing was known of it")
        #expect(try bench.heard(server(2), isUp: true, isVerified: false).isEmpty)
    }

    @Test func `the kernel's table is later than the file`() throws {
        let web = try service("tcp/192.0.2.1:80")
        var memory = Memory()
        memory.remember(web, [try server(1): .down, try server(2): .up])
        var bench = Bench(memory)
        _ = bench.configure([try virtualServer(weights: [1, 1])])
        #expect(try bench.observed(table([server(1).endpoint])).isEmpty, "1 came back, 2 left; then we died")
    }

    // MARK: Ownership

    @Test func `a service that was never written is not ours, whoever makes it later`() throws {
        let configuration = try virtualServer(weights: [1])
        var bench = Bench()
        bench.reconciler.configure([configuration])
        bench.reconciler.observed(configuration.identity, nil)
        _ = bench.carryOut { _ in true }
        #expect(bench.owned.isEmpty)
        #expect(bench.configure([]).isEmpty)
        #expect(try bench.observed(table([server(1).endpoint])).isEmpty)
        #expect(bench.reconciler.standings.isEmpty)
    }

    @Test func `ownership ends when neither the configuration nor the table has the service`() throws {
        var bench = Bench()
        _ = bench.configure([try virtualServer(weights: [1])])
        _ = bench.observed(KernelTable())
        #expect(bench.owned.count == 1)
        #expect(try bench.configure([]) == [.deleteService(service("tcp/192.0.2.1:80"))])
        #expect(bench.owned.isEmpty)
        #expect(try bench.observed(table([server(1).endpoint])).isEmpty, "somebody else made it anew")
    }

    @Test func `a service of ours that somebody else deleted while it left the configuration is forgotten`() throws {
        var bench = Bench()
        _ = bench.configure([try virtualServer(weights: [1])])
        _ = bench.observed(KernelTable())
        bench.reconciler.lostTable()
        #expect(bench.configure([]).isEmpty)
        #expect(bench.observed(KernelTable()).isEmpty)
        #expect(try bench.observed(table([server(1).endpoint])).isEmpty)
    }

    // MARK: Refusals

    private func refusing(_ number: UInt8) throws -> (Command) -> Bool {
        let refused = try server(number).endpoint
        return { command in
            if case .addDestination(_, refused, _) = command { true } else { false }
        }
    }

    @Test func `a replacement that the kernel refuses does not empty the pool`() throws {
        let web = try service("tcp/192.0.2.1:80")
        var bench = Bench()
        _ = bench.configure([try virtualServer(weights: [1])])
        _ = bench.observed(KernelTable())
        bench.reconciler.configure([try virtualServer(weights: [1, 1]) { $0.realServers.remove(at: 0) }])
        let sent = bench.carryOut(refusing: try refusing(2))
        #expect(try sent == [.addDestination(web, server(2).endpoint, routed(1))])
        #expect(try weights(bench.table, 1...2) == [1, nil], "the old server stays")
        #expect(bench.pools[web]?.hasQuorum == false, "what the kernel refuses does not serve")
        #expect(bench.observed(bench.table).isEmpty, "it is not tried again with every look")
        bench.reconciler.forgive(web)
        #expect(bench.carryOut().count == 2)
        #expect(try weights(bench.table, 1...2) == [nil, 1])
    }

    @Test func `a sorry server that the kernel refuses leaves the living in`() throws {
        var bench = Bench()
        _ = bench.configure([
            try banded {
                $0.quorum = 2; $0.hysteresis = 0
            }
        ])
        _ = bench.observed(KernelTable())
        for number in UInt8(1)...3 { bench.reconciler.heard(try server(number), isUp: false) }
        let refused = sorry
        _ = bench.carryOut { if case .addDestination(_, refused, _) = $0 { true } else { false } }
        #expect(try weights(bench.table, 1...4) == [nil, nil, nil, 1], "1 of 2 is below the quorum, but it serves")
        _ = try bench.heard(server(4), isUp: false)
        #expect(try weights(bench.table, 1...4) == [nil, nil, nil, nil], "a dead server leaves whatever is refused")
    }

    @Test func `refused servers do not count: the sorry server serves, and leaves when they are taken`() throws {
        let web = try service("tcp/192.0.2.1:80")
        var bench = Bench()
        bench.reconciler.configure([
            try virtualServer(weights: [1]) {
                $0.sorryServer = SorryServerConfiguration(endpoint: sorry, forwarding: .directRouting)
            }
        ])
        bench.reconciler.observed(web, nil)
        _ = bench.carryOut(refusing: try refusing(1))
        #expect(bench.table.services[web]?.destinations.keys.map(\.self) == [sorry])
        bench.reconciler.forgive(web)
        _ = bench.carryOut(refusing: try refusing(1))
        #expect(bench.table.services[web]?.destinations.keys.map(\.self) == [sorry], "a try does not remove it")
        bench.reconciler.forgive(web)
        _ = bench.carryOut()
        #expect(try bench.table.services[web]?.destinations.keys.map(\.self) == [server(1).endpoint])
        #expect(bench.pools[web]?.hasQuorum == true)
    }

    @Test func `what was only attempted does not move the side of the quorum`() throws {
        let web = try service("tcp/192.0.2.1:80")
        var bench = Bench()
        _ = bench.configure([try banded()])
        _ = try bench.observed(table([sorry]))
        for number in UInt8(1)...4 { bench.reconciler.heard(try server(number), isUp: true) }
        let refused = [try server(3).endpoint, try server(4).endpoint]
        _ = bench.carryOut {
            if case .addDestination(_, let endpoint, _) = $0 { refused.contains(endpoint) } else { false }
        }
        #expect(bench.pools[web]?.hasQuorum == false, "2 in the kernel were never 3 + 1")
        #expect(bench.table.services[web]?.destinations[sorry] == routed(1))
    }

    @Test func `a refused service gets no servers, and has no quorum`() throws {
        let web = try service("tcp/192.0.2.1:80")
        var bench = Bench()
        bench.reconciler.configure([try virtualServer(weights: [1, 1])])
        bench.reconciler.observed(web, nil)
        let sent = bench.carryOut { if case .addService = $0 { true } else { false } }
        #expect(sent.count == 3)
        #expect(bench.pools[web]?.hasQuorum == false)
        #expect(try bench.heard(server(1), isUp: false).isEmpty)
    }

    // MARK: Decisions

    @Test func `weight 0 keeps the last living server in, beside the sorry server`() throws {
        var bench = Bench()
        _ = bench.configure([
            try virtualServer(weights: [1]) {
                $0.sorryServer = SorryServerConfiguration(endpoint: sorry, forwarding: .directRouting)
            }
        ])
        _ = bench.observed(KernelTable())
        let first = try server(1)
        #expect(
            bench.decide(first, ServerOverride(weight: 0)) == [
                .addDestination(first.service, sorry, routed(1)),
                .editDestination(first.service, first.endpoint, routed(0)),
            ])
    }

    @Test func `a decision outlives its server's absence, shows as an orphan, and can be taken back`() throws {
        let web = try service("tcp/192.0.2.1:80")
        var bench = Bench()
        _ = bench.configure([try virtualServer(weights: [1, 1])])
        _ = bench.observed(KernelTable())
        _ = bench.decide(try server(2), ServerOverride(mode: .drained))
        _ = bench.configure([try virtualServer(weights: [1])])
        #expect(try bench.reconciler.standings[web]?.orphans.keys.map(\.self) == [server(2).endpoint])
        _ = bench.configure([])
        #expect(bench.reconciler.decisions.count == 1)
        _ = bench.configure([try virtualServer(weights: [1, 1])])
        _ = bench.observed(KernelTable())
        #expect(try weights(bench.table, 1...2) == [1, 0])
        _ = bench.configure([])
        _ = bench.decide(try server(2), ServerOverride())
        #expect(bench.reconciler.standings.isEmpty)
    }

    @Test func `decisions about servers that are not configured are limited, the oldest go`() throws {
        var reconciler = Reconciler()
        for number in UInt8(1)...5 {
            reconciler.decide(
                try server(number),
                Decision(override: ServerOverride(mode: .drained), since: "2026-11-2\(number)T00:00:00.000Z", uid: 0))
        }
        reconciler.configure([try virtualServer(weights: [1])])
        #expect(reconciler.dropOrphans(beyond: 2) == [try server(2), try server(3)])
        #expect(try Set(reconciler.decisions.keys) == [server(1), server(4), server(5)])
    }

    @Test func `a configuration that is as it was costs nothing`() throws {
        var bench = Bench()
        _ = bench.configure([try virtualServer(weights: [1, 1])])
        _ = bench.observed(KernelTable())
        #expect(try bench.reconciler.configure([virtualServer(weights: [1, 1])]).isEmpty)
        #expect(bench.reconciler.pending.isEmpty)
    }

    @Test func `one server's verdict compares one server`() throws {
        var bench = Bench()
        _ = bench.configure([try virtualServer(weights: [1, 1, 1])])
        _ = bench.observed(KernelTable())
        bench.reconciler.heard(try server(2), isUp: false)
        #expect(try bench.reconciler.pending.values.map(\.self) == [.servers([server(2).endpoint])])
    }
}
