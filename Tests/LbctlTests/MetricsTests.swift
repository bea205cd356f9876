// The text of /metrics.
import Bus
import JSON
import Platform
import Testing
import Varlink

@testable import lbctl

struct MetricsTests {
    /// A director of which everything is known.
    private var facts: MetricsFacts {
        var instance = VrrpAPI.Instance.sample(reason: "")
        instance.runtime.statistics.lateTimers = 1
        instance.runtime.statistics.addressesPutBack = 0
        instance.runtime.statistics.becameFault = 2
        instance.runtime.statistics.latestTakeoverMilliseconds = 3609
        var status = Status()
        status.instances = [instance]
        status.services = [.sample(servers: [.sample("192.168.200.103:80")])]
        status.services[0].runtime.repairs = 1
        status.services[0].servers[0].runtime.counters = .init(
            connections: 4, packetsIn: 3, packetsOut: 2, bytesIn: 1, bytesOut: 0, connectionsPerSecond: 7)
        var server = CheckAPI.ServerHealth.sample(.down)
        server.checks[0].runtime.certificateDays = 3
        let bus = BusAPI.Statistics(
            seq: 1, connections: 1, subscriptions: 0, kept: 0, queuedBytes: 0, published: 0, overruns: 0, refused: 0)
        return MetricsFacts(
            status: status, bus: bus, checks: [server],
            latencies: [.init(server: server.server, checks: [.init(name: "SSL_GET 1", probes: [2, 1])])],
            latencyLimits: [1000], processes: ["vrrpd": .init(processorSeconds: 1.5, residentOctets: 4096)],
            askedSeconds: 0.01)
    }

    @Test func `what the rules and the dashboard ask for is served`() throws {
        let names = Set(
            facts.text(at: now, isOpenMetrics: true).split(separator: "\n").filter { !$0.hasPrefix("#") }
                .map { String($0.prefix { $0 != "{" && $0 != " " }) })
        #expect(names.contains("evenkeel_check_duration_seconds_bucket"))
        for file in ["evenkeel.rules.yml", "grafana.json", "zabbix.yaml"] {
            let text = String(decoding: try MonitoringTests.contents(file), as: UTF8.self)
            let asked = Set(text.matches(of: /evenkeel_[a-z_]+/).map { String($0.output) })
            #expect(!asked.isEmpty && asked.isSubset(of: names), "\(file): \(asked.subtracting(names))")
        }
        _ = try JSONValue(parsing: try MonitoringTests.contents("grafana.json"))
    }

    @Test func `latencies are asked for once, however many servers there are`() throws {
        let daemons = ScriptedDaemons()
        daemons.attach(.checkd)
        daemons["Bus.Subscribe"] = .replies([["snapshotComplete": true]])
        let counters = BusAPI.Statistics(
            seq: 1, connections: 1, subscriptions: 0, kept: 0, queuedBytes: 0, published: 0, overruns: 0, refused: 0)
        daemons["Bus.GetStatistics"] = .replies([
            BusAPI.GetStatistics.Reply(statistics: counters).object
        ])
        let names = (1...1000).map { "tcp/192.0.2.1:80/10.0.0.\($0 / 250):\($0)" }
        daemons["Check.List"] = .replies([
            CheckAPI.List.Reply(
                servers: names.map { name in
                    var server = CheckAPI.ServerHealth.sample(.up)
                    server.server = name
                    return server
                }
            ).object
        ])
        daemons["Check.ListLatencies"] = .replies(
            [names[..<600], names[600...]].map { part in
                CheckAPI.ListLatencies.Reply(
                    upToMicroseconds: [1000],
                    servers: part.map { .init(server: $0, checks: [.init(name: "TCP_CHECK 1", probes: [2, 1])]) }
                ).object
            })
        let text = try MetricsFacts(from: daemons).text(at: now, isOpenMetrics: true)
        #expect(text.matches(of: /evenkeel_check_duration_seconds_count/).count == 1000)
        #expect(
            text.contains(
                #"evenkeel_check_duration_seconds_bucket{service="tcp/192.0.2.1:80",server="10.0.0.0:7",check="TCP_CHECK 1",le="0.001"} 2"#
            ))
        #expect(daemons.calls.count { $0.hasPrefix("Check.") } == 2)
    }

    @Test(arguments: [
        ScriptedDaemons.Answer.failure(.timedOut(method: "m", .seconds(2), by: .daemon(.checkd))),
        .failure(.disconnected(method: "m", by: .daemon(.checkd))), .replies([["servers": 7]]),
    ])
    func `a checkd that is attached and does not answer, or wrongly, is not up, and costs no scrape`(
        _ answer: ScriptedDaemons.Answer
    ) throws {
        let daemons = ScriptedDaemons()
        daemons.attach(.vrrpd, .checkd)
        daemons["Vrrp.List"] = .replies([
            VrrpAPI.List.Reply(instances: Status.well.instances).object
        ])
        daemons["Bus.Subscribe"] = .replies([["snapshotComplete": true]])
        daemons["Bus.GetStatistics"] = .replies([
            BusAPI.GetStatistics.Reply(
                statistics: .init(
                    seq: 1, connections: 1, subscriptions: 0, kept: 0, queuedBytes: 0, published: 0, overruns: 0,
                    refused: 0)
            ).object
        ])
        daemons["Check.List"] = answer
        let text = try MetricsFacts(from: daemons).text(at: now, isOpenMetrics: false)
        #expect(text.contains("evenkeel_daemon_up{daemon=\"checkd\"} 0\n"))
        #expect(text.contains("evenkeel_daemon_up{daemon=\"vrrpd\"} 1\n"))
        #expect(!daemons.calls.contains { $0.hasPrefix("Check.ListLatencies") }, "it is not asked again")
    }

    @Test func `both text formats, with labels as they must be escaped`() {
        func text(_ isOpenMetrics: Bool) -> String {
            var text = MetricsText(isOpenMetrics: isOpenMetrics)
            text.family("a_packets", as: .counter, "Packets.", [(["name": "x\"\\\ny", "other": "z"], 3)])
            text.family("a_nothing", "Left out.", [])
            text.family("a_load", "A fraction.", [([:], 0.25)])
            text.histograms("a_seconds", "Times.", [(["b": "c"], [(limit: 0.5, count: 2), (limit: nil, count: 1)])])
            text.end()
            return text.text
        }
        let histogram = """
            # HELP a_load A fraction.
            # TYPE a_load gauge
            a_load 0.25
            # HELP a_seconds Times.
            # TYPE a_seconds histogram
            a_seconds_bucket{b="c",le="0.5"} 2
            a_seconds_bucket{b="c",le="+Inf"} 3
            a_seconds_count{b="c"} 3

            """
        let sample = #"a_packets_total{name="x\"\\\ny",other="z"} 3"#
        #expect(
            text(false) == "# HELP a_packets_total Packets.\n# TYPE a_packets_total counter\n\(sample)\n" + histogram)
        #expect(text(true) == "# HELP a_packets Packets.\n# TYPE a_packets counter\n\(sample)\n\(histogram)# EOF\n")
    }
}
