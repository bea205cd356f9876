// Rows of HTTP_GET, SSL_GET and their `url` blocks. SSL_GET has keepalived's keywords and two of ours: keepalived never
// verifies a certificate, so `verify` and `ca` ask for it.
import Net

/// `url` while it is read.
struct URLDraft: BlockDraft {
    var path: String?
    var statusCodes: [ClosedRange<UInt16>] = []
    var digest: [UInt8]?
    var pattern: String?
    var isInverted = false
    var regexOptions: Set<String> = []
    var minimumOffset = 0
    var maximumOffset: Int?
    var virtualHost: String?
}

/// `SSL` while it is read.
struct ClientIdentityDraft: BlockDraft {
    var password: String?
    var authorities: String?
    var certificate: String?
    var key: String?
}

extension Grammars {
    static let httpGet = Grammar<CheckerDraft>(.httpGet, targetRows, scheduleRows, httpRows)
    static let sslGet = Grammar<CheckerDraft>(.sslGet, targetRows, scheduleRows, httpRows, tlsRows)

    private static let httpRows: [Keyword<CheckerDraft>] = [
        Keyword.block(
            "url", "", { url }, kind: .url, standard: "required", .everywhere, "a page to get",
            from: { _, _ in URLDraft() }, store: { draft, parsed, _ in draft.urls.append(parsed) }
        ).required.repeatable,
        .word(
            "virtualhost", "TEXT", \.ownVirtualHost, standard: "real server's, else virtual server's", .common,
            "Host header"),
        .choice(
            "http_protocol", [.http10, .http10Close, .http11], \.httpVersion, ignoresCase: true, .rare,
            "version of the request; 1.0C and 1.1 send Connection: close"),
        .boolean("fast_recovery", \.fastRecovery, .rare, "test a failed server's pages again without waiting"),
        .unneeded("tls_compliant", "exchange close_notify", because: closesAlways),
        .boolean("enable_sni", \.tls.sendsServerName, .common, "send the server name (SSL_GET)"),
        .word("sni_name", "NAME", \.serverName, standard: "virtualhost", .common, "the server name to send"),
    ]

    private static let tlsRows: [Keyword<CheckerDraft>] = [
        Keyword.boolean(
            "verify", \.tls.verifies, .common,
            "the certificate must be valid for the server name, which is sent; without a name, for the address"
        ).addition,
        Keyword.word("ca", "FILE", \.tls.authorities, standard: "the system's", .common, "authorities for verify")
            .addition,
    ]

    static let url = Grammar<URLDraft>(
        .url,
        [
            Keyword.word("path", "PATH", \.path, isScript: true, .everywhere, "what to get, from the slash on")
                .required,
            Keyword(
                "status_code", "N[-M]…", range: "100…999", standard: "200-299", .everywhere,
                "statuses that are right"
            ) { draft, statement, interpreter in
                guard !statement.arguments.isEmpty else { return interpreter.sayMissing(statement) }
                draft.statusCodes += statement.arguments.compactMap { interpreter.statusRange($0) }
            }.repeatable,
            Keyword("digest", "MD5", standard: "none", .everywhere, "MD5 of the body in hexadecimal") {
                draft, statement, interpreter in
                guard let word = interpreter.single(statement) else { return }
                let isHexadecimal = word.text.utf8.count == 32 && word.text.utf8.allSatisfy { hexDigit($0) != nil }
                guard isHexadecimal else {
                    return interpreter.reporter.error(
                        .badValue, at: word, "a digest is 32 hexadecimal digits",
                        remedy: "lbctl check digest URL gives it")
                }
                draft.digest = interpreter.hexadecimal(CollectionOfOne(word), wildcards: false).map(\.value)
            },
            .word("regex", "PATTERN", \.pattern, isScript: true, .rare, "PCRE2 pattern that the body must match"),
            .toggle("regex_no_match", \.isInverted, .rare, "a match is a failure"),
            Keyword("regex_options", "NAME…", standard: "none", .rare, "PCRE2 options") {
                draft, statement, interpreter in
                for word in statement.arguments {
                    if regexOptions.contains(word.text) {
                        draft.regexOptions.insert(word.text)
                    } else {
                        interpreter.sayNotOneOf(regexOptions.sorted(), word, statement)
                    }
                }
            },
            .integer(
                "regex_min_offset", 0...Int(Int32.max), \.minimumOffset, unit: "bytes", .rare,
                "where in the body the search begins"),
            .integer(
                "regex_max_offset", 0...Int(Int32.max), optional: \.maximumOffset, unit: "bytes", standard: "all",
                .rare,
                "where in the body a match begins at the latest"),
            .unneeded(
                "regex_stack", "START MAX", unit: "bytes", standard: "library's", "stack of the compiled pattern",
                because: "patterns are interpreted, within limits of steps and memory"),
            .word("virtualhost", "TEXT", \.virtualHost, standard: "checker's", .everywhere, "Host header"),
            .unneeded("tls_compliant", "exchange close_notify", because: closesAlways),
        ])

    private static let closesAlways = "close_notify is always sent"

    static let ssl = Grammar<ClientIdentityDraft>(
        .ssl,
        [
            Keyword.word("password", "TEXT", \.password, .rare, "of the key file").secret,
            .word("ca", "FILE", \.authorities, .rare, "authorities for verify of SSL_GETs that name none"),
            .word("certificate", "FILE", \.certificate, .rare, "client certificate, and what it is signed with"),
            .word(
                "key", "FILE", \.key, standard: "the certificate's file", .rare, "its key; checkd's user must read it"),
        ])

    private static let regexOptions: Set<String> = [
        "allow_empty_class", "alt_bsux", "auto_callout", "caseless", "dollar_endonly", "dotall", "dupnames", "extended",
        "firstline", "match_unset_backref", "multiline", "never_ucp", "never_utf", "no_auto_capture", "no_auto_possess",
        "no_dotstar_anchor", "no_start_optimize", "ucp", "ungreedy", "utf", "never_backslash_c", "alt_circumflex",
        "alt_verbnames", "use_offset_limit",
    ]
}

extension Interpreter {
    /// `200` or `200-299`.
    mutating func statusRange(_ word: Word) -> ClosedRange<UInt16>? {
        let parts = word.text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let codes = parts.compactMap { part in
            part.utf8.count == 3 && part.utf8.allSatisfy { hexDigit($0) ?? 10 < 10 } ? UInt16(part) : nil
        }
        guard codes.count == parts.count, let low = codes.first, let high = codes.last, 100 <= low, low <= high else {
            reporter.error(
                .badValue, at: word, "\(quoted(word.text)) is not a status code or range",
                remedy: "write status_code 200 301-399, say")
            return nil
        }
        return low...high
    }
}
