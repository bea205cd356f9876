// The last minutes of services and servers: what the comparisons of the table find, in bounded memory.
import Bus
import Configuration
import IPVS
import IPVSWords
import Net
import Testing

@testable import ipvsd

@Suite struct TrafficHistoryTests {
    /// A service with one server through which so many connections have gone.
    private func snapshot(_ connections: UInt64, active: UInt32 = 0) throws -> ServiceSnapshot {
        var snapshot = ServiceSnapshot(identity: try server(1).service, attributes: ServiceAttributes(scheduler: "rr"))
        var destination = DestinationSnapshot(endpoint: try server(1).endpoint, attributes: routed(1))
        destination.activeConnections = active
        for (path, factor) in [
            (\Counters.connections, 1), (\.inPackets, 2), (\.outPackets, 3), (\.inBytes, 4), (\.outBytes, 5),
        ] as [(WritableKeyPath<Counters, UInt64>, UInt64)] {
            snapshot.counters[keyPath: path] = connections * factor
            destination.counters[keyPath: path] = connections * factor
        }
        snapshot.destinations = [destination]
        return snapshot
    }

    private func at(_ seconds: Int64) -> Instant { .zero + .seconds(seconds) }

    @Test func `a stretch is what was counted between two looks`() throws {
        var history = TrafficHistory()
        history.note(try snapshot(1000), at: at(100))
        #expect(history.samples(of: try server(1)) == [])
        history.note(try snapshot(1070, active: 3), at: at(110))
        for sample in [history.samples(of: try server(1)), history.samples(of: try server(1).service)] {
            #expect(sample.map(\.duration) == [.seconds(10)])
            #expect(sample.map(\.connections) == [70])
            #expect(sample.map(\.outBytes) == [350])
            #expect(sample.map(\.activeConnections) == [3])
        }
        let shown = IpvsAPI.TrafficSample(try #require(history.samples(of: try server(1)).first), at: at(112))
        #expect(
            shown
                == IpvsAPI.TrafficSample(
                    endedMillisecondsAgo: 2000, milliseconds: 10_000, connections: 70, packetsIn: 140, packetsOut: 210,
                    bytesIn: 280, bytesOut: 350, activeConnections: 3))
    }

    @Test func `looks in quick succession are one stretch`() throws {
        var history = TrafficHistory()
        for second in 0...30 { history.note(try snapshot(UInt64(second)), at: at(Int64(second))) }
        #expect(history.samples(of: try server(1)).map(\.connections) == [9, 9, 9])
    }

    @Test func `counters that began anew are no traffic`() throws {
        var history = TrafficHistory()
        for (index, connections) in ([10, 20, 5, 8] as [UInt64]).enumerated() {
            history.note(try snapshot(connections), at: at(Int64(index * 10)))
        }
        #expect(history.samples(of: try server(1)).map(\.connections) == [3])
    }

    @Test func `five minutes are kept, of what is in the table, and of no more than so many`() throws {
        var history = TrafficHistory()
        for round in 0..<100 as Range<Int64> { history.note(try snapshot(UInt64(round)), at: at(round * 10)) }
        #expect(history.samples(of: try server(1)).count == TrafficHistory.length)
        history.forget(notSeenSince: at(990))
        #expect(history.subjects == [.service(try server(1).service), .server(try server(1))])
        history.forget(notSeenSince: at(991))
        #expect(history.subjects == [])

        let many = try (0..<1200).map { number in
            var snapshot = try snapshot(1)
            snapshot.identity = try service("tcp/192.0.2.1:\(number + 1)")
            snapshot.destinations += [DestinationSnapshot(endpoint: try server(2).endpoint, attributes: routed(1))]
            return snapshot
        }
        for service in many { history.note(service, at: at(2000)) }
        #expect(history.subjects.count == 2 * TrafficHistory.limit)
    }

    @Test func `the keeper notes what its comparisons read, and asks the kernel for nothing more`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        rig.pass(.seconds(10))
        let before = rig.kernel.requests
        rig.pass(.seconds(60))
        let perSweep = (rig.kernel.requests - before) / 6
        #expect(perSweep <= 3, "the names, the services, their end")
        #expect(rig.keeper.history.samples(of: try server(2)).count >= 6)
        #expect(rig.keeper.history.samples(of: try server(2)).allSatisfy { $0.activeConnections == 1 })
        // Who looks often makes it no finer.
        for _ in 0..<30 {
            rig.keeper.list(at: rig.now) { _ in }
            rig.pass(.seconds(1))
        }
        let samples = rig.keeper.history.samples(of: try server(2))
        #expect(samples.suffix(3).allSatisfy { $0.duration >= .seconds(9) && $0.duration < .seconds(11) })
        rig.configure([])
        rig.pass(.seconds(25))
        #expect(rig.keeper.history.subjects == [])
    }
}
