// The text of /metrics.
import Bus
import JSON
import Platform
import Testing

@testable import lbctl

struct MetricsTests {
    /// A director of which everything is known.
    private var facts: MetricsFacts {
        var instance = VrrpAPI.Instance.sample(reason: "")
        instance.runtime.statistics.lateTimers = 1
        instance.runtime.statistics.addressesPutBack = 0
        var status = Status()
        status.instances = [instance]
        status.services = [.sample(servers: [.sample("192.168.200.103:80")])]
        var server = CheckAPI.ServerHealth.sample(.down)
        server.checks[0].runtime.certificateDays = 3
        let history = CheckAPI.CheckHistory(
            name: "SSL_GET 1", changes: [], latency: [.init(upToMicroseconds: 1000, probes: 2), .init(probes: 1)])
        return MetricsFacts(
            status: status, checks: [server], histories: [(server.server, [history])],
            processes: ["vrrpd": .init(processorSeconds: 1.5, residentOctets: 4096)], askedSeconds: 0.01)
    }

    @Test func `what the rules and the dashboard ask for is served`() throws {
        let names = Set(
            facts.text(at: now, isOpenMetrics: true).split(separator: "\n").filter { !$0.hasPrefix("#") }
                .map { String($0.prefix { $0 != "{" && $0 != " " }) })
        #expect(names.contains("evenkeel_check_duration_seconds_bucket"))
        let folder =
            #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 } + "/deploy/monitoring/"
        func contents(_ file: String) throws -> [UInt8] {
            let octets = try FileSystem.contents(of: folder + file, limit: 1 << 20)
            return try #require(octets)
        }
        for file in ["evenkeel.rules.yml", "grafana.json"] {
            let text = String(decoding: try contents(file), as: UTF8.self)
            let asked = Set(text.matches(of: /evenkeel_[a-z_]+/).map { String($0.output) })
            #expect(!asked.isEmpty && asked.isSubset(of: names), "\(file): \(asked.subtracting(names))")
        }
        _ = try JSONValue(parsing: try contents("grafana.json"))
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
