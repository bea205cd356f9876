// What keeps clients from being served beside the table: said when it is so, and never otherwise.
import Configuration
import IPVS
import Net
import Testing

@testable import ipvsd

@Suite struct PitfallTests {
    private let forwarding = HostForwarding(families: [.inet, .inet6])
    private let silent = HostForwarding(families: [])

    /// A rig with one service of masqueraded servers 10.0.0.1 ….
    private func rig(
        _ name: String = "tcp/192.0.2.1:80", weights: [Int] = [1, 1], _ method: ForwardingMethod = .masquerade
    ) throws -> KeeperRig {
        KeeperRig([
            try virtualServer(name, weights: weights) {
                for index in $0.realServers.indices { $0.realServers[index].forwarding = method }
            }
        ])
    }

    private func found(_ rig: KeeperRig, _ host: HostForwarding?, _ history: TrafficHistory = TrafficHistory())
        -> [Pitfall]?
    {
        Pitfall.found(in: rig.keeper.reconciler.standings.values, history) { host }
    }

    /// Two looks at 10.0.0.1: so many connections, and packets out, in between.
    private func history(_ service: String, connections: UInt64, out: UInt64) throws -> TrafficHistory {
        var history = TrafficHistory()
        for (second, factor) in [(0, 0), (10, 1)] as [(Int64, UInt64)] {
            var snapshot = ServiceSnapshot(
                identity: try IPVSTests.service(service), attributes: ServiceAttributes(scheduler: "rr"))
            var destination = DestinationSnapshot(endpoint: try server(1).endpoint, attributes: routed(1))
            (destination.counters.connections, destination.counters.outPackets) = (connections * factor, out * factor)
            snapshot.destinations = [destination]
            history.note(snapshot, at: .zero + .seconds(second))
        }
        return history
    }

    @Test func `a host that does not forward is said for masqueraded servers, by family`() throws {
        #expect(found(try rig(), silent) == [.noForwarding(.inet, server: try server(1), count: 2)])
        #expect(found(try rig(), HostForwarding(families: [.inet6]))?.count == 1)
        #expect(found(try rig(), HostForwarding(families: [.inet])) == [])
        #expect(found(try rig(), nil) == nil, "who cannot look says nothing new")
    }

    @Test func `direct routing and tunnels need no forwarding, nor do servers on this host, and the host is not asked`()
        throws
    {
        for method in [ForwardingMethod.directRouting, .tunnel(.ipip)] {
            let rig = try rig("tcp/192.0.2.1:80", method)
            #expect(
                Pitfall.found(in: rig.keeper.reconciler.standings.values, TrafficHistory()) {
                    Issue.record("asked")
                    return nil
                } == [])
        }
        let own = HostForwarding(
            families: [], addresses: [try server(1).endpoint.address, try server(2).endpoint.address])
        #expect(found(try rig(), own) == [])
        let one = HostForwarding(families: [], addresses: [try server(1).endpoint.address])
        #expect(found(try rig(), one) == [.noForwarding(.inet, server: try server(2), count: 1)])
    }

    @Test func `a server that gets connections and is never heard is said`() throws {
        let web = "tcp/192.0.2.1:80"
        let silence = [Pitfall.noAnswers(server: try server(1), connections: 5, count: 1)]
        #expect(found(try rig(), forwarding, try history(web, connections: 5, out: 0)) == silence)
        #expect(found(try rig(), forwarding, try history(web, connections: 5, out: 1)) == [])
        #expect(found(try rig(), forwarding, try history(web, connections: 2, out: 0)) == [], "clients that broke off")
        #expect(found(try rig(), silent, try history(web, connections: 5, out: 0))?.count == 1, "the cause alone")
        let udp = "udp/192.0.2.1:514"
        #expect(found(try rig(udp), forwarding, try history(udp, connections: 50, out: 0)) == [], "need not answer")
        let routed = try rig(web, .directRouting)
        #expect(found(routed, forwarding, try history(web, connections: 50, out: 0)) == [], "does not pass here")
        let down = try rig()
        down.say(try server(1), isUp: false)
        #expect(found(down, forwarding, try history(web, connections: 50, out: 0)) == [], "that is known already")
    }

    @Test func `it is looked at every ten seconds, and what was found stands when nothing can be seen`() throws {
        let rig = try rig()
        var watch = PitfallWatch()
        var host: HostForwarding? = silent
        var looks = 0
        func look(after time: Duration) {
            rig.now = rig.now + time
            watch.look(at: rig.keeper.reconciler, rig.keeper.history, rig.now) {
                looks += 1
                return host
            }
        }
        look(after: .zero)
        #expect(watch.pitfalls.count == 1)
        look(after: .seconds(9))
        #expect(looks == 1)
        host = nil
        look(after: .seconds(1))
        #expect(looks == 2 && watch.pitfalls.count == 1)
        host = forwarding
        look(after: .seconds(10))
        #expect(watch.pitfalls == [])
    }

    @Test func `this host can be looked at`() throws {
        let host = try #require(HostForwarding.now())
        #expect(host.addresses.contains(.v4(IPv4Address(127, 0, 0, 1))))
    }
}
