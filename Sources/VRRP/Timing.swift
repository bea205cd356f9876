// The two intervals of RFC 9568 §6.1, kept in nanoseconds: nothing is rounded to seconds or centiseconds on the way.

internal import Net

/// Interval arithmetic.
public enum Timing {
    /// Skew_Time: (256 − priority) × interval / 256 in version 3 (RFC 9568 §6.1), (256 − priority) / 256 s in version 2
    /// (RFC 3768 §6.1). The higher the priority, the sooner a router takes over.
    public static func skew(_ version: ProtocolVersion, priority: UInt8, interval: Duration) -> Duration {
        .nanoseconds(skew(version, priority: priority, interval.nanoseconds))
    }

    /// Master_Down_Interval: `missed` × interval + skew; `missed` is 3 in the RFCs.
    public static func masterDown(
        _ version: ProtocolVersion, priority: UInt8, interval: Duration, missed: Int
    ) -> Duration {
        .nanoseconds(masterDown(version, priority: priority, interval.nanoseconds, missed: missed))
    }

    /// In nanoseconds: a backup computes it for every advertisement, and Duration's arithmetic is a tenth of what one costs.
    static func masterDown(_ version: ProtocolVersion, priority: UInt8, _ interval: Int64, missed: Int) -> Int64 {
        interval * Int64(missed) + skew(version, priority: priority, interval)
    }

    private static func skew(_ version: ProtocolVersion, priority: UInt8, _ interval: Int64) -> Int64 {
        (version == .v2 ? 1_000_000_000 : interval) * (256 - Int64(priority)) / 256
    }
}
