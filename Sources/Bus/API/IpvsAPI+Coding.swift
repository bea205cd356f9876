// Generated from Sources/Bus/interfaces/io.evenkeel.Ipvs.varlink: change that and run `make generate`.
// How the types of `io.evenkeel.Ipvs` are read from JSON and written.
public import JSON

extension IpvsAPI.Service {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
        self.context = try members.required("context")
        self.runtime = try members.required("runtime")
        self.servers = try members.required("servers")
        self.origin = try members.optional("origin")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 5)
        object.add("name", self.name)
        object.add("context", self.context)
        object.add("runtime", self.runtime)
        object.add("servers", self.servers)
        object.add("origin", self.origin)
        return object
    }
}

extension IpvsAPI.ServiceSummary {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
        self.context = try members.required("context")
        self.runtime = try members.required("runtime")
        self.origin = try members.optional("origin")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 4)
        object.add("name", self.name)
        object.add("context", self.context)
        object.add("runtime", self.runtime)
        object.add("origin", self.origin)
        return object
    }
}

extension IpvsAPI.ServiceContext {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.transport = try members.optional("transport")
        self.address = try members.optional("address")
        self.port = try members.optional("port")
        self.firewallMark = try members.optional("firewallMark")
        self.family = try members.optional("family")
        self.scheduler = try members.optional("scheduler")
        self.schedulerFlags = try members.optional("schedulerFlags")
        self.persistenceTimeoutSeconds = try members.optional("persistenceTimeoutSeconds")
        self.persistencePrefixLength = try members.optional("persistencePrefixLength")
        self.persistenceEngine = try members.optional("persistenceEngine")
        self.onePacket = try members.optional("onePacket")
        self.quorum = try members.optional("quorum")
        self.hysteresis = try members.optional("hysteresis")
        self.sorryServer = try members.optional("sorryServer")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 14)
        object.add("transport", self.transport)
        object.add("address", self.address)
        object.add("port", self.port)
        object.add("firewallMark", self.firewallMark)
        object.add("family", self.family)
        object.add("scheduler", self.scheduler)
        object.add("schedulerFlags", self.schedulerFlags)
        object.add("persistenceTimeoutSeconds", self.persistenceTimeoutSeconds)
        object.add("persistencePrefixLength", self.persistencePrefixLength)
        object.add("persistenceEngine", self.persistenceEngine)
        object.add("onePacket", self.onePacket)
        object.add("quorum", self.quorum)
        object.add("hysteresis", self.hysteresis)
        object.add("sorryServer", self.sorryServer)
        return object
    }
}

extension IpvsAPI.ServiceRuntime {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.state = try members.required("state")
        self.since = try members.optional("since")
        self.reason = try members.required("reason")
        self.weightUp = try members.required("weightUp")
        self.onSorryServer = try members.required("onSorryServer")
        self.inKernel = try members.required("inKernel")
        self.problem = try members.optional("problem")
        self.counters = try members.optional("counters")
        self.isLeaving = try members.optional("isLeaving")
        self.repairs = try members.optional("repairs")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 10)
        object.add("state", self.state)
        object.add("since", self.since)
        object.add("reason", self.reason)
        object.add("weightUp", self.weightUp)
        object.add("onSorryServer", self.onSorryServer)
        object.add("inKernel", self.inKernel)
        object.add("problem", self.problem)
        object.add("counters", self.counters)
        object.add("isLeaving", self.isLeaving)
        object.add("repairs", self.repairs)
        return object
    }
}

extension IpvsAPI.Server {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
        self.context = try members.required("context")
        self.runtime = try members.required("runtime")
        self.origin = try members.optional("origin")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 4)
        object.add("name", self.name)
        object.add("context", self.context)
        object.add("runtime", self.runtime)
        object.add("origin", self.origin)
        return object
    }
}

extension IpvsAPI.ServerContext {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.address = try members.optional("address")
        self.port = try members.optional("port")
        self.forwarding = try members.optional("forwarding")
        self.weight = try members.optional("weight")
        self.upperThreshold = try members.optional("upperThreshold")
        self.lowerThreshold = try members.optional("lowerThreshold")
        self.inhibitOnFailure = try members.optional("inhibitOnFailure")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 7)
        object.add("address", self.address)
        object.add("port", self.port)
        object.add("forwarding", self.forwarding)
        object.add("weight", self.weight)
        object.add("upperThreshold", self.upperThreshold)
        object.add("lowerThreshold", self.lowerThreshold)
        object.add("inhibitOnFailure", self.inhibitOnFailure)
        return object
    }
}

extension IpvsAPI.ServerRuntime {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.health = try members.required("health")
        self.since = try members.optional("since")
        self.reason = try members.required("reason")
        self.stale = try members.required("stale")
        self.inKernel = try members.required("inKernel")
        self.effectiveWeight = try members.required("effectiveWeight")
        self.override = try members.optional("override")
        self.activeConnections = try members.optional("activeConnections")
        self.inactiveConnections = try members.optional("inactiveConnections")
        self.persistentConnections = try members.optional("persistentConnections")
        self.counters = try members.optional("counters")
        self.departure = try members.optional("departure")
        self.weightChange = try members.optional("weightChange")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 13)
        object.add("health", self.health)
        object.add("since", self.since)
        object.add("reason", self.reason)
        object.add("stale", self.stale)
        object.add("inKernel", self.inKernel)
        object.add("effectiveWeight", self.effectiveWeight)
        object.add("override", self.override)
        object.add("activeConnections", self.activeConnections)
        object.add("inactiveConnections", self.inactiveConnections)
        object.add("persistentConnections", self.persistentConnections)
        object.add("counters", self.counters)
        object.add("departure", self.departure)
        object.add("weightChange", self.weightChange)
        return object
    }
}

extension IpvsAPI.Departure {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.since = try members.required("since")
        self.limitSeconds = try members.required("limitSeconds")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("since", self.since)
        object.add("limitSeconds", self.limitSeconds)
        return object
    }
}

extension IpvsAPI.Override {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.kind = try members.required("kind")
        self.weight = try members.optional("weight")
        self.since = try members.required("since")
        self.uid = try members.optional("uid")
        self.isOver = try members.optional("isOver")
        self.limitSeconds = try members.optional("limitSeconds")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 6)
        object.add("kind", self.kind)
        object.add("weight", self.weight)
        object.add("since", self.since)
        object.add("uid", self.uid)
        object.add("isOver", self.isOver)
        object.add("limitSeconds", self.limitSeconds)
        return object
    }
}

extension IpvsAPI.Orphan {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.server = try members.required("server")
        self.override = try members.required("override")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("server", self.server)
        object.add("override", self.override)
        return object
    }
}

extension IpvsAPI.Synchronisation {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.interface = try members.required("interface")
        self.instance = try members.optional("instance")
        self.daemons = try members.required("daemons")
        self.problem = try members.optional("problem")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 4)
        object.add("interface", self.interface)
        object.add("instance", self.instance)
        object.add("daemons", self.daemons)
        object.add("problem", self.problem)
        return object
    }
}

extension IpvsAPI.SyncDaemon {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.role = try members.required("role")
        self.interface = try members.required("interface")
        self.syncID = try members.required("syncID")
        self.group = try members.required("group")
        self.port = try members.required("port")
        self.timeToLive = try members.required("timeToLive")
        self.maximumLength = try members.optional("maximumLength")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 7)
        object.add("role", self.role)
        object.add("interface", self.interface)
        object.add("syncID", self.syncID)
        object.add("group", self.group)
        object.add("port", self.port)
        object.add("timeToLive", self.timeToLive)
        object.add("maximumLength", self.maximumLength)
        return object
    }
}

extension IpvsAPI.Counters {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.connections = try members.required("connections")
        self.packetsIn = try members.required("packetsIn")
        self.packetsOut = try members.required("packetsOut")
        self.bytesIn = try members.required("bytesIn")
        self.bytesOut = try members.required("bytesOut")
        self.connectionsPerSecond = try members.optional("connectionsPerSecond")
        self.packetsInPerSecond = try members.optional("packetsInPerSecond")
        self.packetsOutPerSecond = try members.optional("packetsOutPerSecond")
        self.bytesInPerSecond = try members.optional("bytesInPerSecond")
        self.bytesOutPerSecond = try members.optional("bytesOutPerSecond")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 10)
        object.add("connections", self.connections)
        object.add("packetsIn", self.packetsIn)
        object.add("packetsOut", self.packetsOut)
        object.add("bytesIn", self.bytesIn)
        object.add("bytesOut", self.bytesOut)
        object.add("connectionsPerSecond", self.connectionsPerSecond)
        object.add("packetsInPerSecond", self.packetsInPerSecond)
        object.add("packetsOutPerSecond", self.packetsOutPerSecond)
        object.add("bytesInPerSecond", self.bytesInPerSecond)
        object.add("bytesOutPerSecond", self.bytesOutPerSecond)
        return object
    }
}

extension IpvsAPI.TrafficSample {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.endedMillisecondsAgo = try members.required("endedMillisecondsAgo")
        self.milliseconds = try members.required("milliseconds")
        self.connections = try members.required("connections")
        self.packetsIn = try members.required("packetsIn")
        self.packetsOut = try members.required("packetsOut")
        self.bytesIn = try members.required("bytesIn")
        self.bytesOut = try members.required("bytesOut")
        self.activeConnections = try members.required("activeConnections")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 8)
        object.add("endedMillisecondsAgo", self.endedMillisecondsAgo)
        object.add("milliseconds", self.milliseconds)
        object.add("connections", self.connections)
        object.add("packetsIn", self.packetsIn)
        object.add("packetsOut", self.packetsOut)
        object.add("bytesIn", self.bytesIn)
        object.add("bytesOut", self.bytesOut)
        object.add("activeConnections", self.activeConnections)
        return object
    }
}

extension IpvsAPI.TrafficHistory {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
        self.samples = try members.required("samples")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("name", self.name)
        object.add("samples", self.samples)
        return object
    }
}

extension IpvsAPI.TableService {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
        self.origin = try members.required("origin")
        self.settings = try members.required("settings")
        self.counters = try members.required("counters")
        self.servers = try members.required("servers")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 5)
        object.add("name", self.name)
        object.add("origin", self.origin)
        object.add("settings", self.settings)
        object.add("counters", self.counters)
        object.add("servers", self.servers)
        return object
    }
}

extension IpvsAPI.ServiceSettings {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.scheduler = try members.required("scheduler")
        self.schedulerFlags = try members.optional("schedulerFlags")
        self.persistenceTimeoutSeconds = try members.optional("persistenceTimeoutSeconds")
        self.persistencePrefixLength = try members.optional("persistencePrefixLength")
        self.persistenceEngine = try members.optional("persistenceEngine")
        self.onePacket = try members.optional("onePacket")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 6)
        object.add("scheduler", self.scheduler)
        object.add("schedulerFlags", self.schedulerFlags)
        object.add("persistenceTimeoutSeconds", self.persistenceTimeoutSeconds)
        object.add("persistencePrefixLength", self.persistencePrefixLength)
        object.add("persistenceEngine", self.persistenceEngine)
        object.add("onePacket", self.onePacket)
        return object
    }
}

extension IpvsAPI.TableServer {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
        self.origin = try members.required("origin")
        self.settings = try members.required("settings")
        self.activeConnections = try members.required("activeConnections")
        self.inactiveConnections = try members.required("inactiveConnections")
        self.persistentConnections = try members.required("persistentConnections")
        self.counters = try members.required("counters")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 7)
        object.add("name", self.name)
        object.add("origin", self.origin)
        object.add("settings", self.settings)
        object.add("activeConnections", self.activeConnections)
        object.add("inactiveConnections", self.inactiveConnections)
        object.add("persistentConnections", self.persistentConnections)
        object.add("counters", self.counters)
        return object
    }
}

extension IpvsAPI.ServerSettings {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.forwarding = try members.required("forwarding")
        self.tunnel = try members.optional("tunnel")
        self.weight = try members.required("weight")
        self.upperThreshold = try members.optional("upperThreshold")
        self.lowerThreshold = try members.optional("lowerThreshold")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 5)
        object.add("forwarding", self.forwarding)
        object.add("tunnel", self.tunnel)
        object.add("weight", self.weight)
        object.add("upperThreshold", self.upperThreshold)
        object.add("lowerThreshold", self.lowerThreshold)
        return object
    }
}

extension IpvsAPI.Tunnel {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.kind = try members.required("kind")
        self.port = try members.optional("port")
        self.checksum = try members.optional("checksum")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 3)
        object.add("kind", self.kind)
        object.add("port", self.port)
        object.add("checksum", self.checksum)
        return object
    }
}

extension IpvsAPI.ConnectionTimeouts {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.tcpSeconds = try members.required("tcpSeconds")
        self.tcpFinSeconds = try members.required("tcpFinSeconds")
        self.udpSeconds = try members.required("udpSeconds")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 3)
        object.add("tcpSeconds", self.tcpSeconds)
        object.add("tcpFinSeconds", self.tcpFinSeconds)
        object.add("udpSeconds", self.udpSeconds)
        return object
    }
}

extension IpvsAPI.TableCommand {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.action = try members.required("action")
        self.service = try members.optional("service")
        self.server = try members.optional("server")
        self.serviceSettings = try members.optional("serviceSettings")
        self.serverSettings = try members.optional("serverSettings")
        self.timeouts = try members.optional("timeouts")
        self.daemon = try members.optional("daemon")
        self.role = try members.optional("role")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 8)
        object.add("action", self.action)
        object.add("service", self.service)
        object.add("server", self.server)
        object.add("serviceSettings", self.serviceSettings)
        object.add("serverSettings", self.serverSettings)
        object.add("timeouts", self.timeouts)
        object.add("daemon", self.daemon)
        object.add("role", self.role)
        return object
    }
}

extension IpvsAPI.CommandFailure {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.index = try members.required("index")
        self.code = try members.required("code")
        self.problem = try members.required("problem")
        self.byDaemon = try members.required("byDaemon")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 4)
        object.add("index", self.index)
        object.add("code", self.code)
        object.add("problem", self.problem)
        object.add("byDaemon", self.byDaemon)
        return object
    }
}

extension IpvsAPI.ListServices {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension IpvsAPI.ListServices.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.services = try members.required("services")
        self.orphans = try members.optional("orphans")
        self.synchronisation = try members.optional("synchronisation")
        self.countersAgeMilliseconds = try members.optional("countersAgeMilliseconds")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 4)
        object.add("services", self.services)
        object.add("orphans", self.orphans)
        object.add("synchronisation", self.synchronisation)
        object.add("countersAgeMilliseconds", self.countersAgeMilliseconds)
        return object
    }
}

extension IpvsAPI.ShowService {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("name", self.name)
        return object
    }
}

extension IpvsAPI.ShowService.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.service = try members.required("service")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("service", self.service)
        return object
    }
}

extension IpvsAPI.ListTraffic {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.service = try members.optional("service")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("service", self.service)
        return object
    }
}

extension IpvsAPI.ListTraffic.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.histories = try members.required("histories")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("histories", self.histories)
        return object
    }
}

extension IpvsAPI.ListTable {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.service = try members.optional("service")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("service", self.service)
        return object
    }
}

extension IpvsAPI.ListTable.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.services = try members.required("services")
        self.timeouts = try members.optional("timeouts")
        self.daemons = try members.optional("daemons")
        self.version = try members.optional("version")
        self.connectionTableSize = try members.optional("connectionTableSize")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 5)
        object.add("services", self.services)
        object.add("timeouts", self.timeouts)
        object.add("daemons", self.daemons)
        object.add("version", self.version)
        object.add("connectionTableSize", self.connectionTableSize)
        return object
    }
}

extension IpvsAPI.ChangeTable {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.commands = try members.required("commands")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("commands", self.commands)
        return object
    }
}

extension IpvsAPI.ChangeTable.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.done = try members.required("done")
        self.failure = try members.optional("failure")
        self.left = try members.optional("left")
        self.notKept = try members.optional("notKept")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 4)
        object.add("done", self.done)
        object.add("failure", self.failure)
        object.add("left", self.left)
        object.add("notKept", self.notKept)
        return object
    }
}

extension IpvsAPI.SetWeight {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.server = try members.required("server")
        self.weight = try members.required("weight")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("server", self.server)
        object.add("weight", self.weight)
        return object
    }
}

extension IpvsAPI.Drain {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.server = try members.required("server")
        self.limitSeconds = try members.optional("limitSeconds")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("server", self.server)
        object.add("limitSeconds", self.limitSeconds)
        return object
    }
}

extension IpvsAPI.Disable {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.server = try members.required("server")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("server", self.server)
        return object
    }
}

extension IpvsAPI.Enable {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.server = try members.required("server")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("server", self.server)
        return object
    }
}

extension IpvsAPI.Reset {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.server = try members.required("server")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("server", self.server)
        return object
    }
}

extension IpvsAPI.CutDepartures {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension IpvsAPI.CutDepartures.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.servers = try members.required("servers")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("servers", self.servers)
        return object
    }
}

extension IpvsAPI.ServiceNotFound {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("name", self.name)
        return object
    }
}

extension IpvsAPI.ServerNotFound {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("name", self.name)
        return object
    }
}

extension IpvsAPI.NotKept {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.server = try members.required("server")
        self.path = try members.required("path")
        self.problem = try members.required("problem")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 3)
        object.add("server", self.server)
        object.add("path", self.path)
        object.add("problem", self.problem)
        return object
    }
}

extension IpvsAPI.NotTaken {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.server = try members.required("server")
        self.problem = try members.required("problem")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("server", self.server)
        object.add("problem", self.problem)
        return object
    }
}

extension IpvsAPI.Leaving {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.server = try members.required("server")
        self.file = try members.required("file")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("server", self.server)
        object.add("file", self.file)
        return object
    }
}

extension IpvsAPI.NoTable {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.problem = try members.required("problem")
        self.remedy = try members.required("remedy")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("problem", self.problem)
        object.add("remedy", self.remedy)
        return object
    }
}

extension IpvsAPI.TooLarge {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}
