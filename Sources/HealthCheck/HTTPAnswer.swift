// Judging a finished HTTP answer. The order of the tests is keepalived's (check_http.c, http_handle_response): the status,
// then the digest, then the regex, so that an error page is reported by its status and not by its contents.
public import Configuration

/// A complete answer to one `url`.
public struct HTTPAnswer: Hashable, Sendable {
    /// The longest body that a digest is made of, or a regex looked for in, in octets. keepalived reads without limit; a server that sends for ever
    /// would hold the checker.
    public static let digestLimit = 16 << 20
    /// How much of a body is read when only the status counts.
    public static let statusLimit = 1 << 20

    /// How much of the body of an answer to `request` is read.
    public static func limit(for request: HTTPRequest) -> Int {
        request.judgesBody ? digestLimit : statusLimit
    }

    /// The status code of the final response.
    public var status: UInt16
    /// MD5 of the body when the url has a `digest`, 16 octets.
    public var digest: [UInt8]?
    /// What came of looking for the url's `regex`.
    public var pattern: PatternAnswer?
    /// The body went on beyond the limit and was not read further.
    public var isTruncated: Bool

    /// An answer as the transport delivered it.
    public init(status: UInt16, digest: [UInt8]? = nil, pattern: PatternAnswer? = nil, isTruncated: Bool = false) {
        self.status = status
        self.digest = digest
        self.pattern = pattern
        self.isTruncated = isTruncated
    }

    /// What the answer means for the checker that asked for `request`.
    public func judged(by request: HTTPRequest) -> ProbeOutcome {
        guard request.accepts(status: status) else { return .failure(.status(status)) }
        if let expected = request.digest {
            guard !isTruncated else { return .failure(.oversized(limit: Self.digestLimit)) }
            guard digest == expected else {
                return .failure(.digest(found: Self.hexadecimal(digest ?? []), expected: Self.hexadecimal(expected)))
            }
        }
        guard let regex = request.regex, let pattern else { return .success }
        guard !isTruncated || pattern != .nowhere else { return .failure(.oversized(limit: Self.digestLimit)) }
        return pattern.judged(isInverted: regex.isInverted)
    }

    private static func hexadecimal(_ octets: [UInt8]) -> String {
        octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
