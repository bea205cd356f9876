// Generated from Sources/Bus/interfaces/io.evenkeel.Check.varlink: change that and run `make generate`.
// The types of `io.evenkeel.Check`; methods and errors are in CheckAPI+Methods.swift.
public import JSON

/// Health checks of the real servers.
public enum CheckAPI: ReloadableAPI {
    /// The interface.
    public static let interface = "io.evenkeel.Check"

    /// Health of a real server.
    /// Data of the event `io.evenkeel.check.server`.
    public struct ServerHealth: JSONStructure, Hashable, Sendable {
        /// SERVICE/ADDR:PORT.
        public var server: String
        /// Verdict of all checks together: up or down. A server without a check is up.
        public var state: Health
        /// True when the verdict was found by probing since checkd started, or when there is no check and it is final.
        /// False when it is assumed (up, or down with alpha) or remembered from before a restart or reload.
        public var verified: Bool
        /// When that began: RFC 3339, UTC.
        public var since: String
        /// Why, for people: "connection refused".
        public var reason: String
        /// The checks of this server.
        public var checks: [Check]
        /// What its checks together add to its configured weight, less than 0: take away; absent: nothing.
        public var weightChange: Int?
        /// True: what is added is known, whether or not the verdict is verified.
        public var weighed: Bool?
        /// True: not checked while the address of its virtual server is not on this host (ha_suspend); the verdict is
        /// the last one.
        public var suspended: Bool?
        /// Since when it is held down, whatever its checks say, because it changed its state too often (flap_limit):
        /// RFC 3339, UTC. Absent: it is not.
        public var heldSince: String?
        /// When that ends if its checks change nothing: RFC 3339, UTC. Absent also until its checks have been made.
        public var heldUntil: String?

        public init(
            server: String, state: Health, verified: Bool, since: String, reason: String, checks: [Check],
            weightChange: Int? = nil, weighed: Bool? = nil, suspended: Bool? = nil, heldSince: String? = nil,
            heldUntil: String? = nil
        ) {
            self.server = server
            self.state = state
            self.verified = verified
            self.since = since
            self.reason = reason
            self.checks = checks
            self.weightChange = weightChange
            self.weighed = weighed
            self.suspended = suspended
            self.heldSince = heldSince
            self.heldUntil = heldUntil
        }
    }

    /// A sign of life of checkd's loop. A checkd that has not said it for some intervals hangs, whatever its connection
    /// says.
    /// Data of the event `io.evenkeel.check.heartbeat`.
    public struct Heartbeat: JSONStructure, Hashable, Sendable {
        /// Until the next.
        public var intervalSeconds: Int
        /// How late the latest probe began since the sign of life before: the time since it was due.
        public var latenessMicroseconds: Int?

        public init(intervalSeconds: Int, latenessMicroseconds: Int? = nil) {
            self.intervalSeconds = intervalSeconds
            self.latenessMicroseconds = latenessMicroseconds
        }
    }

    /// One check of one server.
    public struct Check: JSONStructure, Hashable, Sendable {
        /// Unique within the server: "TCP_CHECK 1".
        public var name: String
        /// What is configured.
        public var context: CheckContext
        /// What is going on.
        public var runtime: CheckRuntime

        public init(name: String, context: CheckContext, runtime: CheckRuntime) {
            self.name = name
            self.context = context
            self.runtime = runtime
        }
    }

    /// What the configuration says about a check.
    public struct CheckContext: JSONStructure, Hashable, Sendable {
        /// The keyword: "TCP_CHECK", "HTTP_GET" …
        public var kind: String?
        /// ADDR:PORT that is probed, or the bfd_instance.
        public var target: String?
        /// Between probes.
        public var delayMilliseconds: Int?
        /// Between retries after a failure.
        public var retryDelayMilliseconds: Int?
        /// For one probe.
        public var timeoutMilliseconds: Int?
        /// Successes in a row that make it up.
        public var rise: Int?
        /// Failures in a row that make it down.
        public var fall: Int?

        public init(
            kind: String? = nil, target: String? = nil, delayMilliseconds: Int? = nil,
            retryDelayMilliseconds: Int? = nil, timeoutMilliseconds: Int? = nil, rise: Int? = nil, fall: Int? = nil
        ) {
            self.kind = kind
            self.target = target
            self.delayMilliseconds = delayMilliseconds
            self.retryDelayMilliseconds = retryDelayMilliseconds
            self.timeoutMilliseconds = timeoutMilliseconds
            self.rise = rise
            self.fall = fall
        }
    }

    /// State of a check.
    public struct CheckRuntime: JSONStructure, Hashable, Sendable {
        /// Verdict of this check.
        public var state: Health
        /// When that began: RFC 3339, UTC.
        public var since: String
        /// Why, for people.
        public var reason: String
        /// In a row.
        public var successes: Int
        /// In a row.
        public var failures: Int
        /// When the last probe ended: RFC 3339, UTC.
        public var lastProbe: String?
        /// How long it took.
        public var durationMicroseconds: Int?
        /// The last line that its program printed, at most 256 octets: MISC_CHECK.
        public var lastLine: String?
        /// When the certificate that the server showed last ends: RFC 3339, UTC. SSL_GET.
        public var certificateEnd: String?
        /// Whole days until then; below zero after it.
        public var certificateDays: Int?
        /// What it adds to the configured weight of the server, less than 0: takes away; absent: nothing. MISC_CHECK
        /// with misc_dynamic.
        public var weightChange: Int?
        /// So many servers ask the same on the same schedule, this one among them: one probe answers all. Absent:
        /// nobody else does. In an event: as it was when the server last changed.
        public var sharedBy: Int?

        public init(
            state: Health, since: String, reason: String, successes: Int, failures: Int, lastProbe: String? = nil,
            durationMicroseconds: Int? = nil, lastLine: String? = nil, certificateEnd: String? = nil,
            certificateDays: Int? = nil, weightChange: Int? = nil, sharedBy: Int? = nil
        ) {
            self.state = state
            self.since = since
            self.reason = reason
            self.successes = successes
            self.failures = failures
            self.lastProbe = lastProbe
            self.durationMicroseconds = durationMicroseconds
            self.lastLine = lastLine
            self.certificateEnd = certificateEnd
            self.certificateDays = certificateDays
            self.weightChange = weightChange
            self.sharedBy = sharedBy
        }
    }

    /// How a check did since checkd has watched the server.
    public struct CheckHistory: JSONStructure, Hashable, Sendable {
        /// As in Check.
        public var name: String
        /// The last changes of its verdict, at most 16, the newest last.
        public var changes: [CheckChange]
        /// How many probes took how long, the shortest first.
        public var latency: [LatencyBucket]

        public init(name: String, changes: [CheckChange], latency: [LatencyBucket]) {
            self.name = name
            self.changes = changes
            self.latency = latency
        }
    }

    /// A change of a check's verdict.
    public struct CheckChange: JSONStructure, Hashable, Sendable {
        /// RFC 3339, UTC.
        public var time: String
        /// From then on.
        public var state: Health
        /// Why, for people.
        public var reason: String

        public init(time: String, state: Health, reason: String) {
            self.time = time
            self.state = state
            self.reason = reason
        }
    }

    /// Probes that took so long.
    public struct LatencyBucket: JSONStructure, Hashable, Sendable {
        /// Longer than the bucket before, and not longer than this; none: longer than all others.
        public var upToMicroseconds: Int?
        /// How many.
        public var probes: Int

        public init(upToMicroseconds: Int? = nil, probes: Int) {
            self.upToMicroseconds = upToMicroseconds
            self.probes = probes
        }
    }

    /// How long the probes of a server's checks took.
    public struct ServerLatency: JSONStructure, Hashable, Sendable {
        /// SERVICE/ADDR:PORT.
        public var server: String
        /// Of each of its checks that runs.
        public var checks: [CheckLatency]

        public init(server: String, checks: [CheckLatency]) {
            self.server = server
            self.checks = checks
        }
    }

    /// How long the probes of a check took.
    public struct CheckLatency: JSONStructure, Hashable, Sendable {
        /// As in Check.
        public var name: String
        /// How many took longer than the limit before and not longer than the one at the same place; one more than
        /// there are limits: longer than all of them.
        public var probes: [Int]

        public init(name: String, probes: [Int]) {
            self.name = name
            self.probes = probes
        }
    }

    /// One probe that changed nothing.
    public struct Trial: JSONStructure, Hashable, Sendable {
        /// As in Check.
        public var name: String
        /// What was asked for, of a check that asks for several things: the path of a url.
        public var step: String?
        /// What it says.
        public var outcome: TrialOutcome
        /// Why, for people.
        public var reason: String?
        /// How long it took.
        public var durationMicroseconds: Int
        /// What happened, in order.
        public var notes: [TrialNote]

        public init(
            name: String, step: String? = nil, outcome: TrialOutcome, reason: String? = nil, durationMicroseconds: Int,
            notes: [TrialNote]
        ) {
            self.name = name
            self.step = step
            self.outcome = outcome
            self.reason = reason
            self.durationMicroseconds = durationMicroseconds
            self.notes = notes
        }
    }

    /// Something that happened in a probe.
    public struct TrialNote: JSONStructure, Hashable, Sendable {
        /// After its start.
        public var microseconds: Int
        /// For people: "connected", "< HTTP/1.0 200 OK".
        public var text: String

        public init(microseconds: Int, text: String) {
            self.microseconds = microseconds
            self.text = text
        }
    }

    /// What a webhook is told: the data of a CloudEvents object of type io.evenkeel.alert, POSTed as
    /// application/cloudevents+json. Its subject is the router_id. Not on the bus, which has the states themselves.
    /// Data of the event `io.evenkeel.alert`.
    public struct AlertNotice: JSONStructure, Hashable, Sendable {
        /// What it adds up to, in one line.
        public var summary: String
        /// The same as a mail would have it, line by line.
        public var text: String
        /// What happened, in order.
        public var changes: [AlertChange]
        /// Earlier changes that waited for too long and are not listed.
        public var dropped: Int

        public init(summary: String, text: String, changes: [AlertChange], dropped: Int) {
            self.summary = summary
            self.text = text
            self.changes = changes
            self.dropped = dropped
        }
    }

    /// One change that people are alerted to.
    public struct AlertChange: JSONStructure, Hashable, Sendable {
        /// What it is about.
        public var kind: AlertKind
        /// Its name: "VI_1", SERVICE, SERVICE/ADDR:PORT.
        public var name: String
        /// As it is now: master, backup, fault, stopped, up, down; deleted when it left the configuration.
        public var state: String
        /// keepalived's line about it: "VRRP Instance VI_1 - Entering MASTER state".
        public var line: String
        /// keepalived's text: "=> VRRP Instance is now owning VRRP VIPs <=".
        public var text: String
        /// Why, for people.
        public var reason: String
        /// When: RFC 3339, UTC.
        public var time: String

        public init(
            kind: AlertKind, name: String, state: String, line: String, text: String, reason: String, time: String
        ) {
            self.kind = kind
            self.name = name
            self.state = state
            self.line = line
            self.text = text
            self.reason = reason
            self.time = time
        }
    }

    /// What became of a test message.
    public struct AlertDelivery: JSONStructure, Hashable, Sendable {
        /// A mail address or a URL.
        public var receiver: String
        /// It was taken.
        public var delivered: Bool
        /// What the server said, or why it was not reached.
        public var answer: String
        /// How long it took.
        public var durationMilliseconds: Int

        public init(receiver: String, delivered: Bool, answer: String, durationMilliseconds: Int) {
            self.receiver = receiver
            self.delivered = delivered
            self.answer = answer
            self.durationMilliseconds = durationMilliseconds
        }
    }
}
