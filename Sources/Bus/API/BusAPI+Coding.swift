// Generated from Sources/Bus/interfaces/io.evenkeel.Bus.varlink: change that and run `make generate`.
// How the types of `io.evenkeel.Bus` are read from JSON and written.
public import JSON

extension BusAPI.Event {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.specversion = try members.required("specversion")
        self.id = try members.required("id")
        self.source = try members.required("source")
        self.type = try members.required("type")
        self.subject = try members.required("subject")
        self.time = try members.required("time")
        self.data = try members.optional("data")
        self.seq = try members.optional("seq")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 8)
        object.add("specversion", self.specversion)
        object.add("id", self.id)
        object.add("source", self.source)
        object.add("type", self.type)
        object.add("subject", self.subject)
        object.add("time", self.time)
        object.add("data", self.data)
        object.add("seq", self.seq)
        return object
    }
}

extension BusAPI.Service {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
        self.interfaces = try members.required("interfaces")
        self.address = try members.required("address")
        self.uid = try members.required("uid")
        self.pid = try members.required("pid")
        self.since = try members.required("since")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 6)
        object.add("name", self.name)
        object.add("interfaces", self.interfaces)
        object.add("address", self.address)
        object.add("uid", self.uid)
        object.add("pid", self.pid)
        object.add("since", self.since)
        return object
    }
}

extension BusAPI.InterfaceState {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.state = try members.required("state")
        self.service = try members.required("service")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("state", self.state)
        object.add("service", self.service)
        return object
    }
}

extension BusAPI.DaemonAlarm {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.active = try members.required("active")
        self.message = try members.required("message")
        self.remedy = try members.required("remedy")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 3)
        object.add("active", self.active)
        object.add("message", self.message)
        object.add("remedy", self.remedy)
        return object
    }
}

extension BusAPI.DaemonConfiguration {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.digest = try members.required("digest")
        self.file = try members.required("file")
        self.loaded = try members.required("loaded")
        self.needs = try members.optional("needs")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 4)
        object.add("digest", self.digest)
        object.add("file", self.file)
        object.add("loaded", self.loaded)
        object.add("needs", self.needs)
        return object
    }
}

extension BusAPI.Statistics {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.seq = try members.required("seq")
        self.connections = try members.required("connections")
        self.subscriptions = try members.required("subscriptions")
        self.kept = try members.required("kept")
        self.queuedBytes = try members.required("queuedBytes")
        self.published = try members.required("published")
        self.overruns = try members.required("overruns")
        self.refused = try members.required("refused")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 8)
        object.add("seq", self.seq)
        object.add("connections", self.connections)
        object.add("subscriptions", self.subscriptions)
        object.add("kept", self.kept)
        object.add("queuedBytes", self.queuedBytes)
        object.add("published", self.published)
        object.add("overruns", self.overruns)
        object.add("refused", self.refused)
        return object
    }
}

extension BusAPI.Subscribe {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.types = try members.optional("types")
        self.subjects = try members.optional("subjects")
        self.retained = try members.optional("retained")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 3)
        object.add("types", self.types)
        object.add("subjects", self.subjects)
        object.add("retained", self.retained)
        return object
    }
}

extension BusAPI.Subscribe.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.event = try members.optional("event")
        self.snapshotComplete = try members.optional("snapshotComplete")
        self.seq = try members.optional("seq")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 3)
        object.add("event", self.event)
        object.add("snapshotComplete", self.snapshotComplete)
        object.add("seq", self.seq)
        return object
    }
}

extension BusAPI.Publish {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.events = try members.required("events")
        self.completeSource = try members.optional("completeSource")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("events", self.events)
        object.add("completeSource", self.completeSource)
        return object
    }
}

extension BusAPI.Publish.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.seq = try members.required("seq")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("seq", self.seq)
        return object
    }
}

extension BusAPI.Register {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
        self.interfaces = try members.required("interfaces")
        self.address = try members.required("address")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 3)
        object.add("name", self.name)
        object.add("interfaces", self.interfaces)
        object.add("address", self.address)
        return object
    }
}

extension BusAPI.Register.Reply {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension BusAPI.ListServices {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension BusAPI.ListServices.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.services = try members.required("services")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("services", self.services)
        return object
    }
}

extension BusAPI.GetStatistics {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension BusAPI.GetStatistics.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.statistics = try members.required("statistics")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("statistics", self.statistics)
        return object
    }
}

extension BusAPI.ServiceUnavailable {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.interface = try members.required("interface")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("interface", self.interface)
        return object
    }
}

extension BusAPI.Overrun {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.seq = try members.required("seq")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("seq", self.seq)
        return object
    }
}

extension BusAPI.QuotaExceeded {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.quota = try members.required("quota")
        self.limit = try members.required("limit")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("quota", self.quota)
        object.add("limit", self.limit)
        return object
    }
}

extension BusAPI.AlreadyRegistered {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.interface = try members.required("interface")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("interface", self.interface)
        return object
    }
}
