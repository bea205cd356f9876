// How things stand, as the judge is shown it.

/// Something that was looked at.
public enum AlertSight: Equatable, Sendable {
    /// A virtual router, by name.
    case instance(String, RouterLook)
    /// vrrpd came or went.
    case vrrp(isThere: Bool)
    /// A virtual service, by name on the bus.
    case service(String, ServiceLook)
    /// A real server, by name on the bus.
    case server(String, ServerLook)
    /// Every real server has been shown: what comes of them from now on is news.
    case everyServer
    /// Everything that the bus keeps has been shown.
    case everythingOnBus
}

/// How a virtual router stands.
public struct RouterLook: Equatable, Sendable {
    /// Its state.
    public enum State: String, Hashable, Sendable {
        case initialize, backup, master, fault
        /// vrrpd gave it up and ended.
        case stopped
    }

    public var state: State
    public var reason: String
    /// Since when: RFC 3339, UTC.
    public var since: String

    /// A standing.
    public init(_ state: State, reason: String, since: String) {
        (self.state, self.reason, self.since) = (state, reason, since)
    }
}

/// How a virtual service stands.
public struct ServiceLook: Equatable, Sendable {
    public var hasQuorum: Bool
    public var quorum: Int
    public var hysteresis: Int
    /// What counts towards the quorum.
    public var weightUp: Int
    public var reason: String
    /// Since when: RFC 3339, UTC.
    public var since: String

    /// A standing.
    public init(hasQuorum: Bool, quorum: Int, hysteresis: Int, weightUp: Int, reason: String, since: String) {
        (self.hasQuorum, self.quorum, self.hysteresis) = (hasQuorum, quorum, hysteresis)
        (self.weightUp, self.reason, self.since) = (weightUp, reason, since)
    }

    /// keepalived's text: `=> Lost quorum 1-0=1 > 0 <=`.
    func text(isFirst: Bool) -> String {
        let what =
            isFirst
            ? "Starting with quorum \(hasQuorum ? "up" : "down")" : "\(hasQuorum ? "Gained" : "Lost") quorum"
        let threshold = hasQuorum ? quorum + hysteresis : quorum - hysteresis
        return "=> \(what) \(quorum)+\(hysteresis)=\(threshold) <= \(weightUp) <="
    }
}

/// How a real server stands.
public struct ServerLook: Equatable, Sendable {
    /// One of its checkers.
    public struct Checker: Equatable, Sendable {
        /// The keyword: `TCP_CHECK`.
        public var kind: String
        /// What tells it from the server's others, also after a restart.
        public var identity: String
        public var isUp: Bool

        /// A checker.
        public init(kind: String, identity: String, isUp: Bool) {
            (self.kind, self.identity, self.isUp) = (kind, identity, isUp)
        }
    }

    public var isUp: Bool
    /// It is held down for changing its state too often.
    public var isHeld: Bool
    /// The verdict was found by probing; one that is assumed or remembered is no news.
    public var isVerified: Bool
    public var checkers: [Checker]
    public var reason: String
    /// Since when: RFC 3339, UTC.
    public var since: String

    /// A standing.
    public init(
        isUp: Bool, isHeld: Bool = false, isVerified: Bool, checkers: [Checker], reason: String, since: String
    ) {
        (self.isUp, self.isHeld, self.isVerified, self.checkers) = (isUp, isHeld, isVerified, checkers)
        (self.reason, self.since) = (reason, since)
    }
}

extension ServerLook.Checker {
    /// keepalived's text: `=> TCP CHECK failed on service <=`. What it adds about HTTP and SMTP is in the reason.
    var text: String {
        let result = isUp ? "succeed" : "failed"
        return switch kind {
        case "TCP_CHECK": "=> TCP CHECK \(result) on service <="
        case "MISC_CHECK": "=> MISC CHECK \(isUp ? "succeeded" : "failed") on service <="
        case "DNS_CHECK": "=> DNS_CHECK: \(isUp ? "succeeded" : "failed") on service <="
        case "UDP_CHECK": "=> UDP CHECK \(result) on service <="
        case "PING_CHECK": "=> ICMP CHECK \(result) on service <="
        case "FILE_CHECK": "=> FILE CHECK \(result) on service <="
        case "BFD_CHECK":
            "=> BFD CHECK \(identity.drop { $0 != " " }.dropFirst()) \(isUp ? "succeeded" : "failed") on service <="
        case "HTTP_GET", "SSL_GET": "=> CHECK \(result) on service\(isUp ? "" : " : HTTP request failed") <="
        default: "=> CHECK \(result) on service <="
        }
    }
}
