// The text of /metrics.
import Bus
import Testing

@testable import lbctl

struct MetricsTests {
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
