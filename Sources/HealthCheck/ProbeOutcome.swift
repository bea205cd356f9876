// What one probe found out, and whose doing it is: a type each, so that trouble of this host can never be counted against a server. What a
// server can send or do is always its failure. Both carry data; their text is what the log line, the event and `lbctl` show.

/// The result of one probe.
public enum ProbeOutcome: Hashable, Sendable {
    /// The server did what the checker asks for.
    case success
    /// The server did not. Counts towards taking it out.
    case failure(ProbeFailure)
    /// Says nothing about the server; its verdict stays.
    case inconclusive(ProbeHindrance)
}

/// What a probe says about its server's weight, beside its outcome.
public enum ProbeWeight: Hashable, Sendable {
    /// This would be the weight if no other checker changed it: `misc_dynamic`.
    case weight(Int64)
    /// So much is added to the configured weight; less than 0: taken away: a `track_file`.
    case change(Int64)

    /// What is added to a configured weight. Those of a server's checkers add up (keepalived's `effective_weight`).
    public func change(of configured: Int) -> Int64 {
        switch self {
        case .weight(let weight): weight - Int64(configured)
        case .change(let change): change
        }
    }
}

/// Why a probe says nothing about the server: trouble of this host, or nobody can tell.
public enum ProbeHindrance: Hashable, Sendable, CustomStringConvertible {
    /// A system call of this host failed; why, in words: `too many open files`.
    case system(String)
    /// A library is missing or refuses what the configuration asks for (a CA file that cannot be read); its words.
    case library(String)
    /// This host, or this process, did not run for longer than the probe had time.
    case paused
    /// This process may not open ICMP echo sockets.
    case echoForbidden
    /// Nobody can tell whose fault it is.
    case unknown(String)

    /// Short enough for a log line.
    public var description: String {
        switch self {
        case .system(let text), .library(let text), .unknown(let text): text
        case .paused: "this host was paused"
        case .echoForbidden: "checkd's group may not send pings"
        }
    }

    /// What to do, where that can be said in a sentence.
    public var remedy: String? {
        switch self {
        case .echoForbidden:
            "as root in checkd's network namespace: sysctl -w net.ipv4.ping_group_range='0 2147483647'; "
                + "and see docs/checkd.md, \"PING_CHECK\""
        case .system, .library, .paused, .unknown: nil
        }
    }
}

/// What the server did wrong.
public enum ProbeFailure: Hashable, Sendable, CustomStringConvertible {
    /// What the probe was waiting for when its time was up.
    public enum Phase: String, Hashable, Sendable {
        case connect, answer
    }

    /// The connection was refused or broke; how, in words: `connection refused`.
    case connection(String)
    /// Nothing came within connect_timeout.
    case timeout(Phase)
    /// The TLS handshake failed; the library's words.
    case tls(String)
    /// An HTTP status that is not in `status_code`.
    case status(UInt16)
    /// MD5 of the body, both in hexadecimal.
    case digest(found: String, expected: String)
    /// An answer in its protocol that is not the one asked for; in words: `greeting 554 no`.
    case answer(String)
    /// Not an HTTP answer, or one that ended early.
    case malformed(String)
    /// The program of a check says so, or does not end; its status and what it printed last.
    case script(String)
    /// What a check tracks says so: a number in a file.
    case tracked(String)
    /// The body was longer than a digest is computed over, or a regex looked for in, in octets.
    case oversized(limit: Int)

    /// Short enough for a log line: `connection refused`, `timeout (connect)`, `status 503`.
    public var description: String {
        switch self {
        case .connection(let text): text
        case .timeout(let phase): "timeout (\(phase.rawValue))"
        case .tls(let text): "TLS: \(text)"
        case .status(let code): "status \(code)"
        case .digest(let found, let expected): "digest \(found), expected \(expected)"
        case .answer(let text): text
        case .malformed(let text): "bad answer: \(text)"
        case .script(let text), .tracked(let text): text
        case .oversized(let limit): "body longer than \(limit) octets"
        }
    }
}
