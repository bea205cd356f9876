// A point on the machine's monotonic clock, as a value. Pure modules never ask what time it is: the driver passes an
// `Instant` in and gets deadlines back, so that tests move time by adding to a number.

/// Nanoseconds on CLOCK_MONOTONIC. Wall-clock jumps do not change it.
public struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Nanoseconds since an arbitrary start (boot, on Linux).
    public var nanoseconds: Int64

    /// The clock's zero.
    public static let zero = Instant(nanoseconds: 0)
    /// Later than any deadline that can be armed.
    public static let distantFuture = Instant(nanoseconds: .max)

    /// A point given in nanoseconds.
    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The point `duration` later; saturates instead of trapping.
    @inlinable
    public static func + (left: Instant, right: Duration) -> Instant {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
        return overflow ? (right < .zero ? .zero : .distantFuture) : Instant(nanoseconds: sum)
    }

    /// The point so many nanoseconds later, of which there are no fewer than 0; saturates instead of trapping.
    @inlinable
    public func advanced(byNanoseconds nanoseconds: Int64) -> Instant {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return overflow ? .distantFuture : Instant(nanoseconds: sum)
    }

    /// The point `duration` earlier; saturates instead of trapping.
    @inlinable
    public static func - (left: Instant, right: Duration) -> Instant {
        let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
        return overflow ? (right < .zero ? .distantFuture : .zero) : Instant(nanoseconds: difference)
    }

    /// The time from `right` to `left`.
    @inlinable
    public static func - (left: Instant, right: Instant) -> Duration {
        let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
        return Duration(nanoseconds: overflow ? .max : difference)
    }

    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    public var description: String { "\(nanoseconds)ns" }
}

extension Duration {
    /// So many nanoseconds. `nanoseconds(_:)`, but that is generic and goes by way of several functions.
    @inlinable
    public init(nanoseconds: Int64) {
        self.init(attoseconds: Int128(nanoseconds) * 1_000_000_000)
    }

    /// The whole duration in nanoseconds, saturated to 64 bits (292 years).
    @inlinable
    public var nanoseconds: Int64 {
        let magnitude = attoseconds.magnitude
        // One instruction where the quotient fits into 63 bits; `components` divides 128 bits by 128.
        let (high, low) = (UInt64(truncatingIfNeeded: magnitude >> 64), UInt64(truncatingIfNeeded: magnitude))
        guard high < 500_000_000 else { return attoseconds < 0 ? .min : .max }
        let quotient = (1_000_000_000 as UInt64).dividingFullWidth((high, low)).quotient
        return attoseconds < 0 ? -Int64(quotient) : Int64(quotient)
    }
}
