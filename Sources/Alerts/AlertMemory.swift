// What outlives the process, as JSON.
public import JSON

extension RouterLook.State: JSONCodable {}
extension AlertSubject.Kind: JSONCodable {}

extension AlertStream.Memory: JSONStructure {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        told = try members.required("told")
        changes = try members.required("changes")
        positions = try members.required("positions")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 3)
        object.add("told", told)
        object.add("changes", changes)
        object.add("positions", positions)
        return object
    }
}

extension ToldAlerts: JSONStructure {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        instances = try members.required("instances")
        groups = try members.required("groups")
        services = try members.required("services")
        servers = try members.required("servers")
        number = try members.required("number")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 5)
        object.add("instances", instances)
        object.add("groups", groups)
        object.add("services", services)
        object.add("servers", servers)
        object.add("number", number)
        return object
    }
}

extension ToldServer: JSONStructure {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        isUp = try members.required("isUp")
        failing = try members.required("failing")
        isHeld = try members.required("isHeld")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 3)
        object.add("isUp", isUp)
        object.add("failing", failing)
        object.add("isHeld", isHeld)
        return object
    }
}

extension AlertSubject: JSONStructure {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        kind = try members.required("kind")
        name = try members.required("name")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("kind", kind)
        object.add("name", name)
        return object
    }
}

extension AlertChange: JSONStructure {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        number = try members.required("number")
        subject = try members.required("subject")
        state = try members.required("state")
        title = try members.required("title")
        headline = try members.required("headline")
        text = try members.required("text")
        reason = try members.required("reason")
        time = try members.required("time")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 8)
        object.add("number", number)
        object.add("subject", subject)
        object.add("state", state)
        object.add("title", title)
        object.add("headline", headline)
        object.add("text", text)
        object.add("reason", reason)
        object.add("time", time)
        return object
    }
}
