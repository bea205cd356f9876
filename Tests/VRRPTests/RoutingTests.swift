// Routes and rules of a virtual router on a scripted host: there exactly while it is master, in keepalived's order, whatever others do.

import Configuration
import Net
import Netlink
import Testing

@testable import VRRP
@testable import vrrpd

@Suite struct RoutingTests {
    private func routed(_ name: String = "VI_1") -> VRRPInstanceConfiguration {
        var block = block(name)
        var hop = RouteLine.Hop()
        hop.gateway = address("10.0.0.9")
        hop.device = "eth0"
        var route = RouteLine(to: prefix("192.0.2.0/24"))
        route.hops = [hop]
        var own = RouteLine(to: prefix("198.51.100.0/24"))
        own.hops = [hop]
        own.preferredSource = address("10.0.0.100")
        block.routes = [route, own]
        var rule = RuleLine(.inet)
        rule.source = prefix("10.1.0.0/16")
        rule.action = .table(100)
        rule.priority = 300
        block.rules = [rule]
        return block
    }

    private func shown(_ host: ScriptedHost) -> [String] {
        host.routes.snapshot.routes.map(\.description) + host.routes.snapshot.rules.map(\.description)
    }

    private let all = [
        "192.0.2.0/24 via 10.0.0.9", "198.51.100.0/24 via 10.0.0.9", "priority 300 from 10.1.0.0/16 table 100",
    ]

    @Test func `a master has them, who gives up takes them off, rules first`() {
        let (network, host) = loneMaster([routed()])
        #expect(shown(host) == all)
        #expect(host.view()?.routes == ["192.0.2.0/24 via 10.0.0.9", "198.51.100.0/24 via 10.0.0.9"])
        host.tell { daemon in _ = daemon.director.router(named: "VI_1").map { daemon.stepDown($0) } }
        network.run(.seconds(1))
        #expect(shown(host) == [])
        let kinds = host.routing.map { change in
            switch change {
            case .rule(.delete): "rule"
            case .route(.delete): "route"
            case _: "other"
            }
        }
        #expect(kinds == ["rule", "route", "route"])
        #expect(host.concerns().isEmpty)
    }

    @Test func `what somebody takes off is put back, ever more slowly`() throws {
        let (network, host) = loneMaster([routed()])
        let route = try #require(host.routes.snapshot.routes.first)
        let rule = try #require(host.routes.snapshot.rules.first)
        host.applyRouting(.route(.delete(route)))
        host.applyRouting(.rule(.delete(rule)))
        network.run(.milliseconds(10))
        #expect(Set(shown(host)) == Set(all))
        #expect(host.remarks.count { if case .routingTakenOff = $0 { true } else { false } } == 2)
        for _ in 0..<6 {
            host.applyRouting(.route(.delete(route)))
            network.run(.milliseconds(10))
        }
        #expect(host.concerns().routing == [.takenOffAgainAndAgain("route 192.0.2.0/24 via 10.0.0.9")])
        #expect(!shown(host).contains(all[0]))
        network.run(.seconds(100))
        #expect(Set(shown(host)) == Set(all))
        #expect(host.concerns().isEmpty)
    }

    @Test func `routes come back with their interface, of which the kernel says nothing`() {
        var block = routed()
        block.tracksPrimaryInterface = false
        block.routes = block.routes.map { line in
            var line = line
            line.isTracked = false
            return line
        }
        let (network, host) = loneMaster([block])
        host.set(2, "eth0", up: false)
        network.run(.seconds(2))
        #expect(!shown(host).contains(all[0]))
        host.set(2, "eth0", up: true)
        network.run(.seconds(3))
        #expect(Set(shown(host)) == Set(all))
        #expect(!host.remarks.contains { if case .routingTakenOff = $0 { true } else { false } })
    }

    @Test func `a route that speaks from a virtual address comes back with it`() throws {
        let (network, host) = loneMaster([routed()])
        host.remove("10.0.0.100/24", from: 2)
        network.run(.milliseconds(20))
        #expect(Set(shown(host)) == Set(all))
    }

    @Test func `a refused route is asked for every second`() {
        let (network, host) = lone([routed()])
        host.refusesAny = { if case .route = $0 { .refused(code: 101, message: "no") } else { nil } }
        host.start()
        network.run(.seconds(8))
        #expect(host.state() == .master)
        #expect(host.concerns().routing.count == 2)
        host.refusesAny = { _ in nil }
        network.run(.milliseconds(1100))
        #expect(Set(shown(host)) == Set(all))
        #expect(host.concerns().isEmpty)
    }

    @Test func `a reload touches what differs`() {
        let (network, host) = loneMaster([routed()])
        var next = routed()
        next.routes[0].destination = prefix("203.0.113.0/24")
        host.reload(Configuration(instances: [next]))
        network.run(.seconds(1))
        #expect(Set(shown(host)) == ["203.0.113.0/24 via 10.0.0.9", all[1], all[2]])
        #expect(host.routing.count == 2)
    }

    @Test func `what a killed process left goes on, or goes`() {
        let (network, host) = loneMaster([routed()])
        host.crash()
        host.start()
        network.run(.milliseconds(100))
        #expect(shown(host) == all)
        #expect(host.routing == [])
        host.crash()
        // Edited while nobody ran: the second route is a stray.
        host.configuration.instances[0].routes.removeLast()
        network.run(.seconds(20))
        host.start()
        network.run(.milliseconds(100))
        #expect(shown(host) == [])
    }

    @Test func `static ones are there from the start to the end, whoever is master`() {
        let (network, host) = lone()
        var static_ = RouteLine(to: prefix("203.0.113.0/24"))
        static_.kind = .blackhole
        host.configuration.staticRoutes = [static_]
        host.configuration.staticRules = routed().rules
        host.configuration.staticAddresses = [AddressLine(prefix("10.8.0.1/24"), device: "eth0")]
        host.start()
        network.run(.milliseconds(100))
        #expect(shown(host) == ["blackhole 203.0.113.0/24", all[2]])
        #expect(host.shown(2).contains("10.8.0.1/24"))
        host.stop()
        #expect(shown(host) == [])
        #expect(!host.shown(2).contains("10.8.0.1/24"))
    }
}
