// How long the probes of a check took, in a fixed number of buckets: what is kept does not grow with time.
import Net

/// Counts of durations.
public struct LatencyHistogram: Sendable {
    /// The upper bounds of all buckets but the last, which has none.
    public static let bounds: [Duration] = [
        .microseconds(250), .microseconds(500), .milliseconds(1), .microseconds(2500), .milliseconds(5),
        .milliseconds(10), .milliseconds(25), .milliseconds(50), .milliseconds(100), .milliseconds(250),
        .milliseconds(500), .seconds(1), .milliseconds(2500), .seconds(5), .seconds(10),
    ]

    private static let nanoseconds = bounds.map(\.nanoseconds)

    /// One for each bucket.
    private var counts = InlineArray<16, UInt32>(repeating: 0)

    /// Nothing took any time yet.
    public init() {}

    /// One more; a count that is full stays.
    public mutating func add(_ duration: Duration) {
        let nanoseconds = duration.nanoseconds
        let bucket = Self.nanoseconds.firstIndex { nanoseconds <= $0 } ?? Self.nanoseconds.count
        if counts[bucket] < .max { counts[bucket] += 1 }
    }

    /// Every bucket with its upper bound, nil for the last.
    public var buckets: [(bound: Duration?, count: Int)] {
        counts.indices.map { ($0 < Self.bounds.count ? Self.bounds[$0] : nil, Int(counts[$0])) }
    }
}
