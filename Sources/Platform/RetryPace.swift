// What failed is tried again, ever more seldom.

/// How long is waited before each attempt: 1, 2, 4 … 60 s, unless said otherwise.
public struct RetryPace: Sendable {
    private let first: Duration
    private let longest: Duration
    private var delay: Duration

    /// Before the first attempt, and at most.
    public init(first: Duration = .seconds(1), longest: Duration = .seconds(60)) {
        (self.first, self.longest, delay) = (first, longest, first)
    }

    /// What is waited before the next attempt.
    public mutating func next() -> Duration {
        defer { delay = min(delay * 2, longest) }
        return delay
    }

    /// It did not fail: the next time begins anew.
    public mutating func reset() { delay = first }
}
