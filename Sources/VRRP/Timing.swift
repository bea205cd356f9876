// The two intervals of RFC 9568 §6.1, kept in nanoseconds: nothing is rounded to seconds or centiseconds on the way.

/// Interval arithmetic.
public enum Timing {
    /// Skew_Time: (256 − priority) × interval / 256 in version 3 (RFC 9568 §6.1), (256 − priority) / 256 s in version 2
    /// (RFC 3768 §6.1). The higher the priority, the sooner a router takes over.
    public static func skew(_ version: ProtocolVersion, priority: UInt8, interval: Duration) -> Duration {
        let base: Duration = version == .v2 ? .seconds(1) : interval
        return base * (256 - Int(priority)) / 256
    }

    /// Master_Down_Interval: `missed` × interval + skew; `missed` is 3 in the RFCs.
    public static func masterDown(
        _ version: ProtocolVersion, priority: UInt8, interval: Duration, missed: Int
    ) -> Duration {
        interval * missed + skew(version, priority: priority, interval: interval)
    }
}
