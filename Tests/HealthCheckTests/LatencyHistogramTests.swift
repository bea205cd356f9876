// The buckets of probe durations.
import HealthCheck
import Testing

@Suite struct LatencyHistogramTests {
    @Test func `every duration is in the bucket whose bound it does not exceed`() {
        var histogram = LatencyHistogram()
        let durations: [Duration] = [
            .zero, .microseconds(250), .microseconds(251), .seconds(10), .seconds(11), .seconds(99),
        ]
        for duration in durations { histogram.add(duration) }
        let buckets = histogram.buckets
        #expect(buckets.count == LatencyHistogram.bounds.count + 1)
        #expect(buckets[0].count == 2 && buckets[1].count == 1)
        #expect(buckets[14].bound == .seconds(10) && buckets[14].count == 1)
        #expect(buckets[15].bound == nil && buckets[15].count == 2)
        #expect(LatencyHistogram.bounds == LatencyHistogram.bounds.sorted())
    }
}
