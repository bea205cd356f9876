// `lbctl top`: rates from two looks, the busiest first, what there is room for, and how often ipvsd is asked.
import ArgumentParser
import Bus
import JSON
import Net
import Testing
import Varlink

@testable import lbctl

@Suite struct TopTests {
    private let daemons = ScriptedDaemons()

    private func counters(_ connections: Int, perSecond: Int = 0) -> IpvsAPI.Counters {
        IpvsAPI.Counters(
            connections: connections, packetsIn: connections * 10, packetsOut: connections * 8,
            bytesIn: connections * 1000, bytesOut: connections * 50_000, connectionsPerSecond: perSecond,
            packetsInPerSecond: perSecond * 10, packetsOutPerSecond: perSecond * 8,
            bytesInPerSecond: perSecond * 1000, bytesOutPerSecond: perSecond * 50_000)
    }

    /// A service with servers through which so many connections have gone.
    private func service(
        _ name: String, _ connections: [Int], perSecond: Int = 0, _ forwarding: IpvsAPI.Forwarding = .nat
    ) -> IpvsAPI.Service {
        var service = IpvsAPI.Service.sample(
            name,
            servers: connections.enumerated().map { index, count in
                var server = IpvsAPI.Server.sample("10.0.0.\(index + 1):80", active: count, service: name)
                server.runtime.counters = counters(count, perSecond: perSecond)
                server.context.forwarding = forwarding
                return server
            })
        service.runtime.counters = counters(connections.reduce(0, +), perSecond: perSecond * connections.count)
        return service
    }

    private func answer(_ services: [IpvsAPI.Service], age: Int? = nil) throws {
        let reply = IpvsAPI.ListServices.Reply(services: services, countersAgeMilliseconds: age)
        daemons["Ipvs.ListServices"] = .replies([reply.object])
    }

    private func past(_ packets: [String: [Int]]) throws {
        let histories = packets.map { name, packets in
            IpvsAPI.TrafficHistory(
                name: name,
                samples: packets.enumerated().map { index, count in
                    IpvsAPI.TrafficSample(
                        endedMillisecondsAgo: (packets.count - index) * 10_000, milliseconds: 10_000, connections: 0,
                        packetsIn: count, packetsOut: 0, bytesIn: 0, bytesOut: 0, activeConnections: 0)
                })
        }
        daemons["Ipvs.ListTraffic"] = .replies([
            IpvsAPI.ListTraffic.Reply(histories: histories).object
        ])
    }

    private func reading(_ services: [IpvsAPI.Service], at seconds: Int64, age: Int? = nil) throws -> TrafficReading {
        try answer(services, age: age)
        return try TrafficReading(of: nil, daemons) { .zero + .seconds(seconds) }
    }

    @Test func `rates are those between two looks, whenever the kernel was really asked`() throws {
        let before = try reading([service("tcp/192.0.2.1:80", [100, 50])], at: 100, age: 1000)
        let after = try reading([service("tcp/192.0.2.1:80", [130, 50], perSecond: 7)], at: 102)
        let traffic = [ServiceTraffic](after, since: before, TrafficPast())
        #expect(traffic.map { $0.service.rates?.connections } == [10], "30 in 3 s")
        #expect(traffic[0].servers.map { $0.rates?.bytesOut } == [500_000, 0])
        let first = [ServiceTraffic](after, since: nil, TrafficPast())
        #expect(first[0].servers.map { $0.rates?.connections } == [7, 7], "the kernel's estimate")
        // The counters were zeroed: no huge or negative rate.
        let zeroed = try reading([service("tcp/192.0.2.1:80", [3, 2], perSecond: 1)], at: 104)
        #expect(
            [ServiceTraffic](zeroed, since: after, TrafficPast())[0].servers.map { $0.rates?.connections } == [1, 1])
    }

    @Test func `the busiest comes first, services and servers`() throws {
        let names = ["tcp/192.0.2.1:80", "tcp/192.0.2.2:80", "udp/192.0.2.3:53"]
        let before = try reading(names.map { service($0, [0, 0, 0]) }, at: 0)
        let now = try reading(
            [service(names[0], [1, 2, 0]), service(names[1], [10, 30, 20]), service(names[2], [0, 0, 0])], at: 2)
        let traffic = [ServiceTraffic](now, since: before, TrafficPast())
        #expect(traffic.map(\.service.name) == [names[1], names[0], names[2]])
        #expect(traffic[0].servers.map(\.name) == ["10.0.0.2:80", "10.0.0.3:80", "10.0.0.1:80"])
        #expect(traffic[2].servers.map(\.name) == ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"], "by name when equal")
    }

    @Test func `a frame has at most as many lines and columns as the terminal`() throws {
        let many = try reading((1...30).map { service("tcp/192.0.2.\($0):80", Array(repeating: $0, count: 12)) }, at: 0)
        try past(["tcp/192.0.2.30:80": Array(0..<30)])
        let traffic = [ServiceTraffic](many, since: nil, try TrafficPast(of: nil, daemons))
        for (columns, lines) in [(200, 50), (120, 24), (80, 24), (60, 10), (40, 5), (20, 3), (80, 1)] {
            let text = ScreenWidth.$current.withValue(columns) {
                shown { $0.add(traffic, height: lines, note: Cell("every 2 s")) }
            }
            let drawn = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            #expect(drawn.count <= lines || lines < 5, "\(columns) × \(lines): \(drawn.count)")
            if columns >= 60 { #expect(drawn.allSatisfy { $0.count <= columns }, "\(columns) × \(lines):\n\(text)") }
            if lines >= 10 { #expect(text.contains("tcp/192.0.2.30:80") && text.contains("more lines, less busy")) }
        }
        let all = shown { $0.add(traffic) }
        #expect(all.split(separator: "\n").count == 1 + 1 + 30 * 13, "without a terminal everything")
    }

    @Test(arguments: [("tcp/[2001:db8:aaaa:bbbb:cccc:dddd:eeee:f001]:443", true), ("tcp/[2001:db8::1]:443", false)])
    func `long names fit into 80 columns, a row to a line, with the port`(_ name: String, _ isLong: Bool) throws {
        let long = try reading([service(name, [7, 5], perSecond: 123_456)], at: 0)
        let traffic = [ServiceTraffic](long, since: nil, TrafficPast())
        for columns in [80, 60] {
            let text = ScreenWidth.$current.withValue(columns) { shown { $0.add(traffic, height: 24) } }
            let rows = text.split(separator: "\n").drop { !$0.hasPrefix("SERVICE") }
            #expect(rows.count == 4 && rows.allSatisfy { $0.count <= columns }, "\(text)")
            #expect(rows.contains { $0.contains("]:443 ") } && rows.first?.contains("B/S IN") == true, "\(text)")
            if columns == 80 || !isLong { #expect(text.contains(name + " "), "\(text)") }
        }
    }

    @Test func `the last minutes are as high as they were busy`() {
        func text(_ values: [Double], _ length: Int = 30) -> String {
            Sparkline.text(values, length: length, isUnicode: true)
        }
        #expect(text([0, 1, 4, 7]) == "                          ▁▂▅█")
        #expect(text([]) == "", "a column that nothing is in is left out")
        #expect(text(Array(repeating: 0, count: 30)) == String(repeating: "▁", count: 30))
        #expect(text(Array(repeating: 0, count: 29) + [5], 10) == "▁▁▁▁▁▁▁▁▁█", "a peak is not averaged away")
        #expect(Sparkline.text([0, 7], length: 2, isUnicode: false).hasSuffix("@"))
    }

    @Test func `a look that fails leaves the last numbers, and says how old they are`() throws {
        var now = Instant.zero + .seconds(100)
        try answer([service("tcp/192.0.2.1:80", [5])])
        try past([:])
        let watch = TrafficWatch(of: nil, every: .seconds(2), daemons) { now }
        try watch.look()
        #expect(watch.frame(columns: 80, lines: 24).contains { $0.contains("every 2 s") })
        #expect(watch.pause == .seconds(2))
        daemons["Ipvs.ListServices"] = nil
        now = now + .seconds(2)
        let stale = watch.frame(columns: 80, lines: 24)
        #expect(stale.contains { $0.contains("as it was 2 s ago; ") } && stale.contains { $0.contains("10.0.0.1:80") })
        try answer([service("tcp/192.0.2.1:80", [25])])
        now = now + .seconds(2)
        let fresh = watch.frame(columns: 80, lines: 24)
        #expect(fresh.contains { $0.contains("every 2 s") })
        #expect(fresh.first?.hasPrefix("1 service: 25 connections, 5 new/s; ") == true, "20 in 4 s: \(fresh)")
    }

    @Test func `what takes long to answer is asked less often, and the past once in ten seconds`() throws {
        var now = Instant.zero + .seconds(100)
        try answer([service("tcp/192.0.2.1:80", [5])])
        try past([:])
        // Each look at the clock takes a tenth of a second.
        let watch = TrafficWatch(of: nil, every: .seconds(2), daemons) {
            now = now + .milliseconds(100)
            return now
        }
        try watch.look()
        #expect(watch.pause > .seconds(1))
        for _ in 0..<10 {
            now = now + .seconds(2)
            _ = watch.frame(columns: 80, lines: 24)
        }
        #expect(daemons.calls.count { $0.hasPrefix("Ipvs.ListServices") } == 11)
        #expect(daemons.calls.count { $0.hasPrefix("Ipvs.ListTraffic") } == 3)
        var slow = Instant.zero
        let heavy = TrafficWatch(of: nil, every: .seconds(2), daemons) {
            slow = slow + .seconds(1)
            return slow
        }
        try heavy.look()
        #expect(heavy.pause >= .seconds(18), "it answers for a tenth of the time")
    }

    @Test func `one service is asked for by itself, and json is what the wire says`() throws {
        try answer([service("tcp/192.0.2.1:80", [5])])
        try past(["tcp/192.0.2.1:80": [1]])
        daemons["Ipvs.ShowService"] = .replies([
            IpvsAPI.ShowService.Reply(service: service("tcp/192.0.2.1:80", [5])).object
        ])
        let shown = try TopCommand.parse(["192.0.2.1"]).answer(from: daemons)
        #expect(daemons.calls.last == #"Ipvs.ListTraffic {"service":"tcp/192.0.2.1:80"}"#)
        #expect(daemons.calls.contains(#"Ipvs.ShowService {"name":"tcp/192.0.2.1:80"}"#))
        let lines = wire(shown)
        #expect(lines.count == 2 && lines[0].hasPrefix(#"{"service":"#) && lines[1].hasPrefix(#"{"histories":"#))
        #expect(throws: (any Error).self) { try TopCommand.parse(["--interval", "0.5"]) }
    }
}
