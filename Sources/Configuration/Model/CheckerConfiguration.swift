// The probes of a real server: what is asked, from where, how often, and what counts as an answer. Inheritance (checker ←
// real server ← virtual server ← defaults of that kind of checker) is resolved.
public import Net

/// One checker block of a real server, resolved from checker, real server, virtual server and the defaults.
public struct CheckerConfiguration: Hashable, Sendable {
    /// What is asked.
    public var probe: Probe
    /// When and how often.
    public var schedule: CheckSchedule
    /// Where to and where from; MISC, FILE and BFD checks ignore it.
    public var target: CheckTarget

    /// A checker.
    public init(probe: Probe, schedule: CheckSchedule = CheckSchedule(), target: CheckTarget) {
        self.probe = probe
        self.schedule = schedule
        self.target = target
    }
}

/// The kinds of checker.
public enum Probe: Hashable, Sendable {
    /// `TCP_CHECK`: the connection is accepted.
    case tcp
    /// `HTTP_GET` and `SSL_GET`.
    case http(HTTPProbe)
    /// `SMTP_CHECK`: 220, HELO, 250, QUIT.
    case smtp(heloName: String)
    /// `DNS_CHECK`: an answer without error to one question over UDP.
    case dns(DNSProbe)
    /// `PING_CHECK`: an ICMP echo reply.
    case ping
    /// `UDP_CHECK`.
    case udp(UDPProbe)
    /// `MISC_CHECK`: a program's exit status.
    case misc(MiscProbe)
    /// `FILE_CHECK`: a number in the named `track_file`.
    case file(TrackedObject)
    /// `BFD_CHECK`: the named `bfd_instance` is up.
    case bfd(String)

    /// The block's word: `TCP_CHECK`, `SSL_GET`, ….
    public var keyword: String {
        switch self {
        case .tcp: "TCP_CHECK"
        case .http(let probe): probe.tls == nil ? "HTTP_GET" : "SSL_GET"
        case .smtp: "SMTP_CHECK"
        case .dns: "DNS_CHECK"
        case .ping: "PING_CHECK"
        case .udp: "UDP_CHECK"
        case .misc: "MISC_CHECK"
        case .file: "FILE_CHECK"
        case .bfd: "BFD_CHECK"
        }
    }
}

/// When a probe runs and how many results make a verdict.
public struct CheckSchedule: Hashable, Sendable {
    /// A time in half the octets of a Duration: there are tens of thousands of schedules.
    private struct Span: Hashable, Sendable {
        private var nanoseconds: Int64

        init(_ duration: Duration) { nanoseconds = duration.nanoseconds }

        var duration: Duration {
            get { Duration(nanoseconds: nanoseconds) }
            set { nanoseconds = newValue.nanoseconds }
        }
    }

    private var loop = Span(.seconds(60))
    private var beforeRetry = Span(.seconds(1))
    private var warmingUp = Span(.seconds(60))
    private var connecting = Span(.seconds(5))

    /// `delay_loop`: from the end of one check to the next.
    public var delayLoop: Duration {
        get { loop.duration }
        set { loop.duration = newValue }
    }
    /// `delay_before_retry`: between the attempts after a failure.
    public var delayBeforeRetry: Duration {
        get { beforeRetry.duration }
        set { beforeRetry.duration = newValue }
    }
    /// `warmup`: the first check comes at a random time within this; zero = at once. = delay_loop unless given.
    public var warmup: Duration {
        get { warmingUp.duration }
        set { warmingUp.duration = newValue }
    }
    /// `connect_timeout`: for each phase of the probe.
    public var connectTimeout: Duration {
        get { connecting.duration }
        set { connecting.duration = newValue }
    }
    /// `retry` (`fall` - 1): more attempts after a failure before the server is down.
    public var retry = 1
    /// `rise`: successes in a row that bring a server up; keepalived's is always 1.
    public var rise = 1
    /// `alpha`: down until the first success.
    public var alpha = false
    /// `log_all_failures`.
    public var logAllFailures = false

    /// Failures in a row that take a server out.
    public var fall: Int { retry + 1 }

    /// keepalived's defaults (of TCP_CHECK).
    public init() {}
}

/// Where a probe goes and where it comes from.
public struct CheckTarget: Hashable, Sendable {
    /// `connect_ip` and `connect_port`, else the real server's.
    public var endpoint: Endpoint
    /// `bindto`.
    public var sourceAddress: IPAddress?
    /// `bind_port`.
    public var sourcePort: UInt16?
    /// `bind_if`.
    public var interface: String?
    /// `fwmark` on the probe's packets; 0 = none.
    public var firewallMark: UInt32 = 0

    /// Straight to an endpoint.
    public init(endpoint: Endpoint) {
        self.endpoint = endpoint
    }
}

/// `HTTP_GET { … }` and `SSL_GET { … }`.
public struct HTTPProbe: Hashable, Sendable {
    /// The request line and headers, `http_protocol`.
    public enum Version: String, Hashable, Sendable {
        case http10 = "1.0"
        /// 1.0 with `Connection: close`.
        case http10Close = "1.0C"
        case http11 = "1.1"
    }

    /// TLS for SSL_GET.
    public struct TLS: Hashable, Sendable {
        /// `enable_sni`, `sni_name` or `verify`: the server name is sent.
        public var sendsServerName = false
        /// Evenkeel's `verify`: the certificate must be valid for the server name; without one for the target's address.
        public var verifies = false
        /// Evenkeel's `ca FILE`; nil = the system's.
        public var authorities: String?
        /// The `SSL` block's certificate, shown to servers that ask for one.
        public var identity: ClientIdentity?

        /// keepalived's: no SNI, nothing verified.
        public init() {}
    }

    /// `SSL { … }`: files in PEM form.
    public struct ClientIdentity: Hashable, Sendable {
        /// `certificate`: the certificate, and what it is signed with.
        public var certificate: String
        /// `key`; nil = in the certificate's file.
        public var key: String?
        /// `password` of the key.
        public var password: String?
    }

    /// In file order, at least one.
    public var urls: [HTTPRequest]
    /// `http_protocol`.
    public var version = Version.http10
    /// nil for HTTP_GET.
    public var tls: TLS?
    /// `fast_recovery`: a failed server's URLs are tested again without waiting.
    public var fastRecovery = false

    /// A probe.
    public init(urls: [HTTPRequest], tls: TLS? = nil) {
        self.urls = urls
        self.tls = tls
    }
}

/// One `url { … }`.
public struct HTTPRequest: Hashable, Sendable {
    /// `path`, beginning with a slash.
    public var path: String
    /// The Host header: url, checker, real server, virtual server `virtualhost`, else ADDR:PORT of the target.
    public var host: String
    /// The name that TLS is told (and `verify` wants in the certificate): `sni_name`, then url, checker and virtual server
    /// `virtualhost`, without a port. A host name or an address, an IPv6 address in brackets; nil = none.
    public var serverName: String?
    /// `status_code`; 200-299 unless given.
    public var statusCodes: [ClosedRange<UInt16>]
    /// `digest`: MD5 of the body, 16 octets.
    public var digest: [UInt8]?
    /// `regex`.
    public var regex: RegexCheck?

    /// A request that wants a status of 200-299.
    public init(path: String, host: String) {
        self.path = path
        self.host = host
        statusCodes = [200...299]
    }

    /// Whether an octet can be part of a path or of a header's value that is one word: no blank, and nothing that ends a line.
    public static func isPrintable(_ octet: UInt8) -> Bool { octet > UInt8(ascii: " ") && octet != 0x7F }

    /// What is in the body counts.
    public var judgesBody: Bool { digest != nil || regex != nil }

    /// True when the answer's status is one that was asked for.
    public func accepts(status: UInt16) -> Bool {
        statusCodes.contains { $0.contains(status) }
    }
}

/// `regex`, `regex_no_match`, `regex_options`, `regex_min_offset`, `regex_max_offset`.
public struct RegexCheck: Hashable, Sendable {
    /// A PCRE2 pattern.
    public var pattern: String
    /// `regex_no_match`: a match is a failure.
    public var isInverted = false
    /// Names of PCRE2 options as keepalived spells them.
    public var options: Set<String> = []
    /// The octet of the body at which a match begins at the earliest.
    public var minimumOffset = 0
    /// The octet at which it begins at the latest; nil = anywhere.
    public var maximumOffset: Int?

    /// A pattern that must match.
    public init(pattern: String) {
        self.pattern = pattern
    }
}

/// `DNS_CHECK { … }`.
public struct DNSProbe: Hashable, Sendable {
    /// `type`, with its number (RFC 1035 §3.2.2, RFC 3596, RFC 4034).
    public enum RecordType: UInt16, Hashable, Sendable, CaseIterable {
        case a = 1
        case ns = 2
        case cname = 5
        case soa = 6
        case mx = 15
        case txt = 16
        case aaaa = 28
        case rrsig = 46
        case dnskey = 48

        /// As zone files have it.
        public var name: String { "\(self)".uppercased() }
    }

    /// `type`.
    public var recordType = RecordType.soa
    /// `name`: labels of 1 to 63 octets, at most 253 in all; a dot alone is the root.
    public var name = "."

    /// A query for the root's SOA.
    public init() {}
}

/// `UDP_CHECK { … }`.
public struct UDPProbe: Hashable, Sendable {
    /// `payload`; unless given what keepalived sends: 32 octets of text.
    public var payload = Array("keepalived check - keepalived ch".utf8)
    /// `require_reply`: silence is a failure.
    public var requiresReply = false
    /// `require_reply HEX`: what the reply must begin with, as far as both go.
    public var reply: [MaskedOctet] = []
    /// `min_reply_length`.
    public var minimumReplyLength = 0
    /// `max_reply_length`.
    public var maximumReplyLength = 255

    /// A datagram that nobody refuses.
    public init() {}
}

/// An octet of which some bits may be anything.
public struct MaskedOctet: Hashable, Sendable {
    /// The bits that count; the others are 0.
    public var value: UInt8
    /// 1 = the bit counts.
    public var mask: UInt8

    /// An octet with its mask.
    public init(value: UInt8, mask: UInt8 = 0xFF) {
        self.value = value & mask
        self.mask = mask
    }

    /// True when the bits that count are as they should.
    public func matches(_ octet: UInt8) -> Bool { octet & mask == value }
}

/// `MISC_CHECK { … }`.
public struct MiscProbe: Hashable, Sendable {
    /// `misc_path` and `user`.
    public var command: ScriptCommand
    /// `misc_timeout`; = the virtual server's delay_loop unless given.
    public var timeout: Duration
    /// `misc_dynamic`: exit status 2...255 is up with weight status - 2.
    public var isDynamic = false

    /// A program and how long it may run.
    public init(command: ScriptCommand, timeout: Duration) {
        self.command = command
        self.timeout = timeout
    }
}
