// The pool machine through the reconciler: what health, quorum, sorry server and overrides mean for the table.

import Configuration
import IPVS
import Net
import Testing

@Suite struct PoolTests {
    private func started(_ configuration: VirtualServerConfiguration) -> Bench {
        var reconciler = Bench()
        _ = reconciler.configure([configuration])
        _ = reconciler.observed(KernelTable())
        return reconciler
    }

    @Test func `servers are in the table before any check, alpha servers are not`() throws {
        let plain = started(try virtualServer(weights: [1, 2]))
        #expect(try weights(plain.table, 1...2) == [1, 2])
        let alpha = started(try virtualServer(weights: [1, 2]) { $0.realServers[1].alpha = true })
        #expect(try weights(alpha.table, 1...2) == [1, nil])
    }

    @Test func `an alpha server that inhibits waits with weight 0`() throws {
        let reconciler = started(
            try virtualServer(weights: [1]) {
                $0.realServers[0].alpha = true
                $0.realServers[0].inhibitOnFailure = true
            })
        #expect(try weights(reconciler.table, 1...1) == [0])
    }

    @Test func `a failing server costs one command, and so does its return`() throws {
        var reconciler = started(try virtualServer(weights: [1, 2, 3]))
        let second = try server(2)
        #expect(reconciler.heard(second, isUp: false) == [.deleteDestination(second.service, second.endpoint)])
        #expect(reconciler.heard(second, isUp: false).isEmpty)
        #expect(reconciler.heard(second, isUp: true) == [.addDestination(second.service, second.endpoint, routed(2))])
    }

    @Test func `a failing server that inhibits stays with weight 0`() throws {
        var reconciler = started(try virtualServer(weights: [5]) { $0.realServers[0].inhibitOnFailure = true })
        let first = try server(1)
        #expect(reconciler.heard(first, isUp: false) == [.editDestination(first.service, first.endpoint, routed(0))])
    }

    @Test func `a server without checkers is always up`() throws {
        var reconciler = started(try virtualServer(weights: [1]) { $0.realServers[0].checkers = [] })
        #expect(try reconciler.heard(server(1), isUp: false).isEmpty)
    }

    @Test func `the sorry server is added before the last server leaves, and goes after the first is back`() throws {
        let sorry = try endpoint("10.0.0.99:80")
        var reconciler = started(
            try virtualServer(weights: [1]) {
                $0.sorryServer = SorryServerConfiguration(endpoint: sorry, forwarding: .directRouting)
            })
        let first = try server(1)
        #expect(
            reconciler.heard(first, isUp: false) == [
                .addDestination(first.service, sorry, routed(1)), .deleteDestination(first.service, first.endpoint),
            ])
        #expect(
            reconciler.heard(first, isUp: true) == [
                .addDestination(first.service, first.endpoint, routed(1)), .deleteDestination(first.service, sorry),
            ])
    }

    @Test func `an inhibited sorry server waits with weight 0`() throws {
        let sorry = try endpoint("10.0.0.99:80")
        var reconciler = started(
            try virtualServer(weights: [1]) {
                $0.sorryServer = SorryServerConfiguration(endpoint: sorry, forwarding: .directRouting, inhibits: true)
            })
        let first = try server(1)
        #expect(reconciler.table.services[first.service]?.destinations[sorry] == routed(0))
        _ = reconciler.heard(first, isUp: false)
        #expect(reconciler.table.services[first.service]?.destinations[sorry] == routed(1))
    }

    @Test func `a sorry server that is also a real server is never deleted while the quorum holds`() throws {
        let shared = try server(2)
        var reconciler = started(
            try virtualServer(weights: [1, 4]) {
                $0.quorum = 2
                $0.sorryServer = SorryServerConfiguration(endpoint: shared.endpoint, forwarding: .directRouting)
            })
        #expect(try weights(reconciler.table, 1...2) == [1, 4])
        #expect(reconciler.heard(shared, isUp: false).count == 2, "it stays, as the sorry server; the other one leaves")
        #expect(try weights(reconciler.table, 1...2) == [nil, 1])
        _ = reconciler.heard(shared, isUp: true)
        #expect(try weights(reconciler.table, 1...2) == [1, 4])
    }

    @Test func `quorum counts weights, with hysteresis`() throws {
        var reconciler = started(
            try virtualServer(weights: [2, 1, 1]) {
                $0.quorum = 2
                $0.hysteresis = 1
                $0.sorryServer = SorryServerConfiguration(
                    endpoint: Endpoint(.v4(IPv4Address(10, 0, 0, 99)), port: 80), forwarding: .directRouting)
            })
        let web = try service("tcp/192.0.2.1:80")
        #expect(reconciler.pools[web]?.livingWeight == 4)
        _ = reconciler.heard(try server(1), isUp: false)
        #expect(reconciler.pools[web]?.hasQuorum == true, "2 is not below 2 - 1")
        _ = reconciler.heard(try server(2), isUp: false)
        #expect(reconciler.pools[web]?.hasQuorum == true, "1 is not below 2 - 1")
        _ = reconciler.heard(try server(3), isUp: false)
        #expect(reconciler.pools[web]?.isSorry == true)
        _ = reconciler.heard(try server(1), isUp: true)
        #expect(reconciler.pools[web]?.isSorry == true, "2 is below 2 + 1")
        _ = reconciler.heard(try server(2), isUp: true)
        #expect(reconciler.pools[web]?.isSorry == false)
        #expect(try weights(reconciler.table, 1...3) == [2, 1, nil])
    }

    @Test func `without a sorry server the remaining servers go on below the quorum`() throws {
        var reconciler = started(try virtualServer(weights: [1, 1]) { $0.quorum = 2 })
        _ = reconciler.heard(try server(1), isUp: false)
        #expect(try reconciler.pools[service("tcp/192.0.2.1:80")]?.hasQuorum == false)
        #expect(try weights(reconciler.table, 1...2) == [nil, 1])
    }

    private static let decisions: [(ServerOverride, Int32?)] = [
        (ServerOverride(weight: 9), 9), (ServerOverride(mode: .drained), 0), (ServerOverride(mode: .disabled), nil),
        (ServerOverride(weight: 9, mode: .drained), 0), (ServerOverride(), 1),
    ]

    @Test(arguments: decisions)
    func `a decision shows in the table`(_ override: ServerOverride, expected: Int32?) throws {
        var reconciler = started(try virtualServer(weights: [1, 1]))
        _ = reconciler.decide(try server(1), override)
        #expect(try weights(reconciler.table, 1...2) == [expected, 1])
        _ = reconciler.decide(try server(1), ServerOverride())
        #expect(try weights(reconciler.table, 1...2) == [1, 1])
    }

    @Test func `a drained server that fails leaves nothing to undo when it returns`() throws {
        var reconciler = started(try virtualServer(weights: [1, 1]))
        _ = reconciler.decide(try server(1), ServerOverride(mode: .drained))
        #expect(try reconciler.heard(server(1), isUp: false).isEmpty)
        #expect(try reconciler.heard(server(1), isUp: true).isEmpty)
        #expect(try weights(reconciler.table, 1...2) == [0, 1])
    }
}
