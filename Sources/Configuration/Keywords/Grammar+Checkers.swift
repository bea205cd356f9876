// Rows of the checker blocks: the common keywords once, then what each checker adds. All checkers are read into one draft,
// which starts from what real server and virtual server say; what is left open there depends on the kind of checker and is
// filled in by Resolve/ResolveChecker.swift.
import Net

/// Any checker while it is read.
struct CheckerDraft: BlockDraft {
    /// Which checker it is; each has its own defaults.
    enum Kind: Sendable { case tcp, http, ssl, smtp, dns, ping, udp, misc, file, bfd }

    var kind = Kind.tcp
    var check = CheckInheritance()
    var serviceDelayLoop = Duration.seconds(60)
    var serviceVirtualHost: Word?
    var connectAddress: IPAddress?
    var connectPort: UInt16?
    var sourceAddress: IPAddress?
    var sourcePort: UInt16?
    var interface: String?
    var firewallMark: UInt32 = 0
    var ownRetry: Int?
    var fall: Int?
    var rise = 1
    // HTTP_GET, SSL_GET
    var urls: [Parsed<URLDraft>] = []
    var httpVersion = HTTPProbe.Version.http10
    var fastRecovery = false
    var ownVirtualHost: String?
    var tls = HTTPProbe.TLS()
    var serverName: String?
    // SMTP_CHECK
    var heloName = "smtpchecker.keepalived.org"
    var smtpHosts: [CheckerDraft] = []
    // DNS_CHECK, UDP_CHECK
    var dns = DNSProbe()
    var udp = UDPProbe()
    // MISC_CHECK
    var command: ScriptCommand?
    var miscTimeout: Duration?
    var isDynamic = false
    var user: ScriptUser?
    // FILE_CHECK
    var trackFile: Word?
    var bfdSession: Word?
    var weight: Int?
    var isReversed: Bool?

    init() {}

    init(_ kind: Kind, server: RealServerDraft) {
        self.kind = kind
        check = server.check
        serviceDelayLoop = server.serviceDelayLoop
        serviceVirtualHost = server.serviceVirtualHost
    }
}

extension Grammars {
    /// The checker rows of `real_server`.
    static let checkerRows: [Keyword<RealServerDraft>] = [
        checker("TCP_CHECK", .tcp, .tcpCheck, { tcpCheck }, .everywhere, "a connection is accepted"),
        checker("HTTP_GET", .http, .httpGet, { httpGet }, .everywhere, "a web page is as expected"),
        checker("SSL_GET", .ssl, .sslGet, { sslGet }, .everywhere, "a web page over TLS is as expected"),
        checker("SMTP_CHECK", .smtp, .smtpCheck, { smtpCheck }, .common, "a mail server greets"),
        checker("DNS_CHECK", .dns, .dnsCheck, { dnsCheck }, .common, "a name server answers"),
        checker("PING_CHECK", .ping, .pingCheck, { pingCheck }, .common, "an echo comes back"),
        checker("UDP_CHECK", .udp, .udpCheck, { udpCheck }, .rare, "a datagram is not refused, or answered"),
        checker("MISC_CHECK", .misc, .miscCheck, { miscCheck }, .common, "a program exits with 0"),
        checker(
            "FILE_CHECK", .file, .fileCheck, { fileCheck }, .rare, "a number in a track_file is added to the weight"),
        checker("BFD_CHECK", .bfd, .bfdCheck, { bfdCheck }, .rare, "a BFD session is up"),
    ]

    private static func checker(
        _ word: String, _ kind: CheckerDraft.Kind, _ block: BlockKind,
        _ grammar: @escaping @Sendable () -> Grammar<CheckerDraft>,
        _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword<RealServerDraft> {
        Keyword.block(
            word, "", grammar, kind: block, tier, meaning, from: { server, _ in CheckerDraft(kind, server: server) },
            store: { draft, parsed, _ in draft.checkers.append(parsed) }
        ).repeatable
    }

    /// All checkers' grammars.
    static let checkers = [
        tcpCheck, httpGet, sslGet, smtpCheck, dnsCheck, pingCheck, udpCheck, miscCheck, fileCheck, bfdCheck,
    ]

    static let tcpCheck = Grammar<CheckerDraft>(.tcpCheck, targetRows, scheduleRows)
    static let pingCheck = Grammar<CheckerDraft>(.pingCheck, targetRows, scheduleRows)

    static let smtpCheck = Grammar<CheckerDraft>(
        .smtpCheck, targetRows, scheduleRows,
        [
            .text("helo_name", "NAME", \.heloName, .common, "name in HELO"),
            .block(
                "host", "", { smtpHost }, kind: .smtpHost, .rare, "old way to test several addresses",
                from: { checker, _ in checker }, store: { draft, parsed, _ in draft.smtpHosts.append(parsed.draft) }
            ).repeatable,
        ])

    static let smtpHost = Grammar<CheckerDraft>(.smtpHost, targetRows)

    static let dnsCheck = Grammar<CheckerDraft>(
        .dnsCheck, targetRows, scheduleRows,
        [
            Keyword(
                "type", DNSProbe.RecordType.allCases.map(\.name).joined(separator: "|"), standard: "SOA", .common,
                "record type"
            ) { draft, statement, interpreter in
                guard let word = interpreter.single(statement) else { return }
                let types = DNSProbe.RecordType.allCases
                guard let type = types.first(where: { $0.name == word.text.uppercased() }) else {
                    return interpreter.sayNotOneOf(types.map(\.name), word, statement)
                }
                draft.dns.recordType = type
            },
            Keyword("name", "NAME", standard: ".", .common, "name to ask for") { draft, statement, interpreter in
                guard let word = interpreter.single(statement) else { return }
                guard isDomainName(word.text) else {
                    return interpreter.reporter.error(
                        .badValue, at: word, "\(quoted(word.text)) is no domain name",
                        remedy:
                            "write labels of 1 to 63 octets with dots between them, e.g. www.example.com, or a dot alone"
                    )
                }
                draft.dns.name = word.text
            },
        ])

    private static func isDomainName(_ text: String) -> Bool {
        if text == "." { return true }
        let name = text.hasSuffix(".") ? text.dropLast() : text[...]
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return name.utf8.count <= 253 && labels.allSatisfy { (1...63).contains($0.count) }
    }

    static let udpCheck = Grammar<CheckerDraft>(
        .udpCheck, targetRows, scheduleRows,
        [
            Keyword("payload", "HEX", standard: "32 octets of text", .rare, "datagram to send") {
                draft, statement, interpreter in
                guard !statement.arguments.isEmpty else { return interpreter.sayMissing(statement) }
                draft.udp.payload = interpreter.hexadecimal(statement.arguments, wildcards: false).map(\.value)
            },
            Keyword("require_reply", "[HEX]", standard: "off", .rare, "silence is a failure; x matches any digit") {
                draft, statement, interpreter in
                draft.udp.requiresReply = true
                draft.udp.reply = interpreter.hexadecimal(statement.arguments, wildcards: true)
            },
            .integer("min_reply_length", 0...65535, \.udp.minimumReplyLength, unit: "bytes", .rare, "shortest reply"),
            .integer("max_reply_length", 0...65535, \.udp.maximumReplyLength, unit: "bytes", .rare, "longest reply"),
        ])

    static let miscCheck = Grammar<CheckerDraft>(
        .miscCheck, scheduleRows,
        [
            Keyword.command("misc_path", \.command, takesUser: false, .common, "program and arguments").required,
            .seconds(
                "misc_timeout", 0.001...longestTime, optional: \.miscTimeout, standard: "virtual server's delay_loop",
                .common, "longest run"),
            .toggle("misc_dynamic", \.isDynamic, .common, "exit status 2…255 is up with weight 0…253"),
            Keyword("user", "USER [GROUP]", standard: "script_user", .common, "who runs it") {
                draft, statement, interpreter in
                draft.user = interpreter.user(statement) ?? draft.user
            },
        ])

    static let fileCheck = Grammar<CheckerDraft>(
        .fileCheck,
        [
            Keyword("track_file", "NAME", standard: "required", .rare, "the track_file block") {
                draft, statement, interpreter in
                draft.trackFile = interpreter.single(statement)
            }.required,
            Keyword(
                "weight", "N [reverse]", range: "-2147483647…2147483647", standard: "the track_file's", .rare,
                "multiplied with the number"
            ) {
                draft, statement, interpreter in
                guard let word = statement.arguments.first else { return interpreter.sayMissing(statement) }
                draft.weight = interpreter.integer(word, -2_147_483_647...2_147_483_647, of: "weight")
                let rest = statement.arguments.dropFirst()
                if let reverse = rest.first { draft.isReversed = reverse.text == "reverse" }
                interpreter.ignoreExtra(rest.dropFirst(), statement)
            },
        ])

    static let bfdCheck = Grammar<CheckerDraft>(
        .bfdCheck,
        [
            Keyword("name", "NAME", standard: "required", .rare, "the bfd_instance") { draft, statement, interpreter in
                draft.bfdSession = interpreter.single(statement)
            }.required,
            alpha,
        ])

    /// Where a probe goes to and comes from.
    static let targetRows: [Keyword<CheckerDraft>] = [
        .address("connect_ip", \.connectAddress, standard: "real server's", .common, "address to probe"),
        .integer(
            "connect_port", 1...65535, optional: \.connectPort, standard: "real server's", .everywhere, "port to probe"),
        .address("bindto", \.sourceAddress, .rare, "source address"),
        .integer("bind_port", 1...65535, optional: \.sourcePort, standard: "any", .rare, "source port"),
        Keyword("bind_if", "IF", standard: "none", .rare, "interface to probe through") {
            draft, statement, interpreter in
            draft.interface = interpreter.interface(statement) ?? draft.interface
        },
        .integer("fwmark", 0...Int(UInt32.max), \.firewallMark, .rare, "firewall mark of the probe's packets"),
        checkSeconds(
            "connect_timeout", 0.001...longestTime, \.check, \.connectTimeout, "real server's", .everywhere,
            "patience in each phase of the check"),
        checkSeconds(
            "timeout", 0.001...longestTime, \.check, \.connectTimeout, "real server's", .everywhere,
            "patience in each phase of the check"
        ).spelling(of: "connect_timeout"),
    ]

    /// When a probe runs and what its results mean.
    static let scheduleRows: [Keyword<CheckerDraft>] = [
        retry, retry.spelled("nb_get_retry"),
        checkOptional(
            "delay_before_retry", 0...longestTime, \.check, \.delayBeforeRetry,
            "real server's, else 1; HTTP 3; DNS delay_loop", .everywhere, "between attempts"),
        checkOptional(
            "warmup", 0...longestTime, \.check, \.warmup, "real server's, else delay_loop", .common,
            "first check within this"),
        checkSeconds(
            "delay_loop", 0.001...longestTime, \.check, \.delayLoop, "real server's", .common, "between checks"),
        alpha,
        .boolean(
            "log_all_failures", \.check.logAllFailures, standard: "checker_log_all_failures", .rare,
            "log every failed attempt"),
        Keyword.integer("rise", 1...1000, \.rise, .common, "successes in a row that bring a server up").addition,
        Keyword.integer(
            "fall", 1...1000, optional: \.fall, standard: "retry + 1", .common,
            "failures in a row that take a server out"
        ).addition,
    ]

    private static let alpha = Keyword<CheckerDraft>.boolean(
        "alpha", \.check.alpha, standard: "real server's", .common, "down until the first success")

    private static let retry = Keyword<CheckerDraft>.integer(
        "retry", 0...2_147_483_647, optional: \.ownRetry, standard: "real server's, else 1; DNS 3; MISC 0", .everywhere,
        "more attempts before the server is down")
}

extension Interpreter {
    /// Hexadecimal digits with optional blanks, a digit by itself as an octet; with wildcards an x matches any digit.
    mutating func hexadecimal(_ words: some Collection<Word>, wildcards: Bool) -> [MaskedOctet] {
        var octets: [MaskedOctet] = []
        for word in words {
            var digits = Array(word.text.utf8)[...]
            while !digits.isEmpty {
                var octet = MaskedOctet(value: 0)
                for digit in digits.prefix(2) {
                    let isWild = wildcards && digit | 0x20 == UInt8(ascii: "x")
                    guard isWild || hexDigit(digit) != nil else {
                        reporter.error(
                            .badValue, at: word, "\(quoted(word.text)) is not hexadecimal",
                            remedy: "write pairs of digits, e.g. 0a ff")
                        return octets
                    }
                    octet.value = octet.value << 4 | UInt8(isWild ? 0 : hexDigit(digit) ?? 0)
                    octet.mask = octet.mask << 4 | (isWild ? 0 : 0xF)
                }
                octets.append(octet)
                digits = digits.dropFirst(2)
            }
        }
        return octets
    }
}
