// Generated from Sources/Bus/interfaces/io.evenkeel.Check.varlink: change that and run `make generate`.
// How the types of `io.evenkeel.Check` are read from JSON and written.
public import JSON

extension CheckAPI.ServerHealth {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.server = try members.required("server")
        self.state = try members.required("state")
        self.verified = try members.required("verified")
        self.since = try members.required("since")
        self.reason = try members.required("reason")
        self.checks = try members.required("checks")
        self.weightChange = try members.optional("weightChange")
        self.weighed = try members.optional("weighed")
        self.suspended = try members.optional("suspended")
        self.heldSince = try members.optional("heldSince")
        self.heldUntil = try members.optional("heldUntil")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 11)
        object.add("server", self.server)
        object.add("state", self.state)
        object.add("verified", self.verified)
        object.add("since", self.since)
        object.add("reason", self.reason)
        object.add("checks", self.checks)
        object.add("weightChange", self.weightChange)
        object.add("weighed", self.weighed)
        object.add("suspended", self.suspended)
        object.add("heldSince", self.heldSince)
        object.add("heldUntil", self.heldUntil)
        return object
    }
}

extension CheckAPI.Heartbeat {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.intervalSeconds = try members.required("intervalSeconds")
        self.latenessMicroseconds = try members.optional("latenessMicroseconds")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("intervalSeconds", self.intervalSeconds)
        object.add("latenessMicroseconds", self.latenessMicroseconds)
        return object
    }
}

extension CheckAPI.Check {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
        self.context = try members.required("context")
        self.runtime = try members.required("runtime")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 3)
        object.add("name", self.name)
        object.add("context", self.context)
        object.add("runtime", self.runtime)
        return object
    }
}

extension CheckAPI.CheckContext {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.kind = try members.optional("kind")
        self.target = try members.optional("target")
        self.delayMilliseconds = try members.optional("delayMilliseconds")
        self.retryDelayMilliseconds = try members.optional("retryDelayMilliseconds")
        self.timeoutMilliseconds = try members.optional("timeoutMilliseconds")
        self.rise = try members.optional("rise")
        self.fall = try members.optional("fall")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 7)
        object.add("kind", self.kind)
        object.add("target", self.target)
        object.add("delayMilliseconds", self.delayMilliseconds)
        object.add("retryDelayMilliseconds", self.retryDelayMilliseconds)
        object.add("timeoutMilliseconds", self.timeoutMilliseconds)
        object.add("rise", self.rise)
        object.add("fall", self.fall)
        return object
    }
}

extension CheckAPI.CheckRuntime {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.state = try members.required("state")
        self.since = try members.required("since")
        self.reason = try members.required("reason")
        self.successes = try members.required("successes")
        self.failures = try members.required("failures")
        self.lastProbe = try members.optional("lastProbe")
        self.durationMicroseconds = try members.optional("durationMicroseconds")
        self.lastLine = try members.optional("lastLine")
        self.certificateEnd = try members.optional("certificateEnd")
        self.certificateDays = try members.optional("certificateDays")
        self.weightChange = try members.optional("weightChange")
        self.sharedBy = try members.optional("sharedBy")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 12)
        object.add("state", self.state)
        object.add("since", self.since)
        object.add("reason", self.reason)
        object.add("successes", self.successes)
        object.add("failures", self.failures)
        object.add("lastProbe", self.lastProbe)
        object.add("durationMicroseconds", self.durationMicroseconds)
        object.add("lastLine", self.lastLine)
        object.add("certificateEnd", self.certificateEnd)
        object.add("certificateDays", self.certificateDays)
        object.add("weightChange", self.weightChange)
        object.add("sharedBy", self.sharedBy)
        return object
    }
}

extension CheckAPI.CheckHistory {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
        self.changes = try members.required("changes")
        self.latency = try members.required("latency")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 3)
        object.add("name", self.name)
        object.add("changes", self.changes)
        object.add("latency", self.latency)
        return object
    }
}

extension CheckAPI.CheckChange {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.time = try members.required("time")
        self.state = try members.required("state")
        self.reason = try members.required("reason")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 3)
        object.add("time", self.time)
        object.add("state", self.state)
        object.add("reason", self.reason)
        return object
    }
}

extension CheckAPI.LatencyBucket {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.upToMicroseconds = try members.optional("upToMicroseconds")
        self.probes = try members.required("probes")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("upToMicroseconds", self.upToMicroseconds)
        object.add("probes", self.probes)
        return object
    }
}

extension CheckAPI.ServerLatency {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.server = try members.required("server")
        self.checks = try members.required("checks")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("server", self.server)
        object.add("checks", self.checks)
        return object
    }
}

extension CheckAPI.CheckLatency {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
        self.probes = try members.required("probes")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("name", self.name)
        object.add("probes", self.probes)
        return object
    }
}

extension CheckAPI.Trial {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
        self.step = try members.optional("step")
        self.outcome = try members.required("outcome")
        self.reason = try members.optional("reason")
        self.durationMicroseconds = try members.required("durationMicroseconds")
        self.notes = try members.required("notes")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 6)
        object.add("name", self.name)
        object.add("step", self.step)
        object.add("outcome", self.outcome)
        object.add("reason", self.reason)
        object.add("durationMicroseconds", self.durationMicroseconds)
        object.add("notes", self.notes)
        return object
    }
}

extension CheckAPI.TrialNote {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.microseconds = try members.required("microseconds")
        self.text = try members.required("text")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("microseconds", self.microseconds)
        object.add("text", self.text)
        return object
    }
}

extension CheckAPI.AlertNotice {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.summary = try members.required("summary")
        self.text = try members.required("text")
        self.changes = try members.required("changes")
        self.dropped = try members.required("dropped")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 4)
        object.add("summary", self.summary)
        object.add("text", self.text)
        object.add("changes", self.changes)
        object.add("dropped", self.dropped)
        return object
    }
}

extension CheckAPI.AlertChange {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.kind = try members.required("kind")
        self.name = try members.required("name")
        self.state = try members.required("state")
        self.line = try members.required("line")
        self.text = try members.required("text")
        self.reason = try members.required("reason")
        self.time = try members.required("time")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 7)
        object.add("kind", self.kind)
        object.add("name", self.name)
        object.add("state", self.state)
        object.add("line", self.line)
        object.add("text", self.text)
        object.add("reason", self.reason)
        object.add("time", self.time)
        return object
    }
}

extension CheckAPI.AlertDelivery {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.receiver = try members.required("receiver")
        self.delivered = try members.required("delivered")
        self.answer = try members.required("answer")
        self.durationMilliseconds = try members.required("durationMilliseconds")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 4)
        object.add("receiver", self.receiver)
        object.add("delivered", self.delivered)
        object.add("answer", self.answer)
        object.add("durationMilliseconds", self.durationMilliseconds)
        return object
    }
}

extension CheckAPI.List {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension CheckAPI.List.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.servers = try members.required("servers")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("servers", self.servers)
        return object
    }
}

extension CheckAPI.Run {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.server = try members.required("server")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("server", self.server)
        return object
    }
}

extension CheckAPI.Run.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.health = try members.required("health")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("health", self.health)
        return object
    }
}

extension CheckAPI.ShowHistory {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.server = try members.required("server")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("server", self.server)
        return object
    }
}

extension CheckAPI.ShowHistory.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.health = try members.required("health")
        self.checks = try members.required("checks")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("health", self.health)
        object.add("checks", self.checks)
        return object
    }
}

extension CheckAPI.ListLatencies {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension CheckAPI.ListLatencies.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.upToMicroseconds = try members.required("upToMicroseconds")
        self.servers = try members.required("servers")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("upToMicroseconds", self.upToMicroseconds)
        object.add("servers", self.servers)
        return object
    }
}

extension CheckAPI.ProbeOnce {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.server = try members.required("server")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("server", self.server)
        return object
    }
}

extension CheckAPI.ProbeOnce.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.trials = try members.required("trials")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("trials", self.trials)
        return object
    }
}

extension CheckAPI.ComputeDigest {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.target = try members.required("target")
        self.tls = try members.required("tls")
        self.path = try members.required("path")
        self.virtualhost = try members.optional("virtualhost")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 4)
        object.add("target", self.target)
        object.add("tls", self.tls)
        object.add("path", self.path)
        object.add("virtualhost", self.virtualhost)
        return object
    }
}

extension CheckAPI.ComputeDigest.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.digest = try members.required("digest")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("digest", self.digest)
        return object
    }
}

extension CheckAPI.TestAlerts {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension CheckAPI.TestAlerts.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.deliveries = try members.required("deliveries")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("deliveries", self.deliveries)
        return object
    }
}

extension CheckAPI.ServerNotFound {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("name", self.name)
        return object
    }
}

extension CheckAPI.NoPage {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.reason = try members.required("reason")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("reason", self.reason)
        return object
    }
}

extension CheckAPI.TestUnderWay {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension CheckAPI.TooLarge {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}
