// Generated from Sources/Bus/interfaces/io.evenkeel.Script.varlink: change that and run `make generate`.
// How the types of `io.evenkeel.Script` are read from JSON and written.
public import JSON

extension ScriptAPI.Lane {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
        self.owner = try members.required("owner")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("name", self.name)
        object.add("owner", self.owner)
        return object
    }
}

extension ScriptAPI.Program {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.arguments = try members.required("arguments")
        self.pid = try members.required("pid")
        self.runningMilliseconds = try members.required("runningMilliseconds")
        self.isEnding = try members.required("isEnding")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 4)
        object.add("arguments", self.arguments)
        object.add("pid", self.pid)
        object.add("runningMilliseconds", self.runningMilliseconds)
        object.add("isEnding", self.isEnding)
        return object
    }
}

extension ScriptAPI.Run {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.arguments = try members.required("arguments")
        self.user = try members.optional("user")
        self.group = try members.optional("group")
        self.secure = try members.required("secure")
        self.environment = try members.required("environment")
        self.timeoutMilliseconds = try members.optional("timeoutMilliseconds")
        self.id = try members.optional("id")
        self.lane = try members.optional("lane")
        self.umask = try members.optional("umask")
        self.allGroups = try members.optional("allGroups")
        self.networkNamespace = try members.optional("networkNamespace")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 11)
        object.add("arguments", self.arguments)
        object.add("user", self.user)
        object.add("group", self.group)
        object.add("secure", self.secure)
        object.add("environment", self.environment)
        object.add("timeoutMilliseconds", self.timeoutMilliseconds)
        object.add("id", self.id)
        object.add("lane", self.lane)
        object.add("umask", self.umask)
        object.add("allGroups", self.allGroups)
        object.add("networkNamespace", self.networkNamespace)
        return object
    }
}

extension ScriptAPI.Run.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.outcome = try members.required("outcome")
        self.status = try members.optional("status")
        self.signal = try members.optional("signal")
        self.lastLine = try members.required("lastLine")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 4)
        object.add("outcome", self.outcome)
        object.add("status", self.status)
        object.add("signal", self.signal)
        object.add("lastLine", self.lastLine)
        return object
    }
}

extension ScriptAPI.End {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.id = try members.required("id")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("id", self.id)
        return object
    }
}

extension ScriptAPI.End.Reply {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension ScriptAPI.Write {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.path = try members.required("path")
        self.user = try members.optional("user")
        self.group = try members.optional("group")
        self.line = try members.required("line")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 4)
        object.add("path", self.path)
        object.add("user", self.user)
        object.add("group", self.group)
        object.add("line", self.line)
        return object
    }
}

extension ScriptAPI.Write.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.written = try members.required("written")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("written", self.written)
        return object
    }
}

extension ScriptAPI.Hold {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.path = try members.required("path")
        self.user = try members.optional("user")
        self.group = try members.optional("group")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 3)
        object.add("path", self.path)
        object.add("user", self.user)
        object.add("group", self.group)
        return object
    }
}

extension ScriptAPI.Hold.Reply {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension ScriptAPI.List {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension ScriptAPI.List.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.programs = try members.required("programs")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("programs", self.programs)
        return object
    }
}

extension ScriptAPI.Refused {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.reason = try members.required("reason")
        self.message = try members.required("message")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("reason", self.reason)
        object.add("message", self.message)
        return object
    }
}

extension ScriptAPI.Busy {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.programs = try members.required("programs")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("programs", self.programs)
        return object
    }
}

extension ScriptAPI.Unable {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.message = try members.required("message")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("message", self.message)
        return object
    }
}

extension ScriptAPI.NotAllowed {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.uid = try members.required("uid")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("uid", self.uid)
        return object
    }
}

extension ScriptAPI.TooLarge {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}
