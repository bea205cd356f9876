// Generated from Sources/Bus/interfaces/io.evenkeel.Vrrp.varlink: change that and run `make generate`.
// How the types of `io.evenkeel.Vrrp` are read from JSON and written.
public import JSON

extension VrrpAPI.Instance {
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

extension VrrpAPI.InstanceContext {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.interface = try members.optional("interface")
        self.virtualInterface = try members.optional("virtualInterface")
        self.virtualMac = try members.optional("virtualMac")
        self.accept = try members.optional("accept")
        self.virtualRouterId = try members.optional("virtualRouterId")
        self.version = try members.optional("version")
        self.family = try members.optional("family")
        self.initialState = try members.optional("initialState")
        self.priority = try members.optional("priority")
        self.advertisementIntervalMilliseconds = try members.optional("advertisementIntervalMilliseconds")
        self.preempt = try members.optional("preempt")
        self.preemptDelayMilliseconds = try members.optional("preemptDelayMilliseconds")
        self.sourceAddress = try members.optional("sourceAddress")
        self.unicastPeers = try members.optional("unicastPeers")
        self.virtualAddresses = try members.optional("virtualAddresses")
        self.excludedAddresses = try members.optional("excludedAddresses")
        self.virtualRoutes = try members.optional("virtualRoutes")
        self.virtualRules = try members.optional("virtualRules")
        self.trackedInterfaces = try members.optional("trackedInterfaces")
        self.syncGroup = try members.optional("syncGroup")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 20)
        object.add("interface", self.interface)
        object.add("virtualInterface", self.virtualInterface)
        object.add("virtualMac", self.virtualMac)
        object.add("accept", self.accept)
        object.add("virtualRouterId", self.virtualRouterId)
        object.add("version", self.version)
        object.add("family", self.family)
        object.add("initialState", self.initialState)
        object.add("priority", self.priority)
        object.add("advertisementIntervalMilliseconds", self.advertisementIntervalMilliseconds)
        object.add("preempt", self.preempt)
        object.add("preemptDelayMilliseconds", self.preemptDelayMilliseconds)
        object.add("sourceAddress", self.sourceAddress)
        object.add("unicastPeers", self.unicastPeers)
        object.add("virtualAddresses", self.virtualAddresses)
        object.add("excludedAddresses", self.excludedAddresses)
        object.add("virtualRoutes", self.virtualRoutes)
        object.add("virtualRules", self.virtualRules)
        object.add("trackedInterfaces", self.trackedInterfaces)
        object.add("syncGroup", self.syncGroup)
        return object
    }
}

extension VrrpAPI.InstanceRuntime {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.state = try members.required("state")
        self.since = try members.required("since")
        self.reason = try members.required("reason")
        self.effectivePriority = try members.required("effectivePriority")
        self.steppedDown = try members.required("steppedDown")
        self.faults = try members.required("faults")
        self.master = try members.optional("master")
        self.masterPriority = try members.optional("masterPriority")
        self.masterDownIntervalMilliseconds = try members.optional("masterDownIntervalMilliseconds")
        self.heldAddresses = try members.required("heldAddresses")
        self.heldRoutes = try members.optional("heldRoutes")
        self.heldRules = try members.optional("heldRules")
        self.routingTroubles = try members.optional("routingTroubles")
        self.statistics = try members.required("statistics")
        self.peers = try members.optional("peers")
        self.scripts = try members.optional("scripts")
        self.trackers = try members.optional("trackers")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 17)
        object.add("state", self.state)
        object.add("since", self.since)
        object.add("reason", self.reason)
        object.add("effectivePriority", self.effectivePriority)
        object.add("steppedDown", self.steppedDown)
        object.add("faults", self.faults)
        object.add("master", self.master)
        object.add("masterPriority", self.masterPriority)
        object.add("masterDownIntervalMilliseconds", self.masterDownIntervalMilliseconds)
        object.add("heldAddresses", self.heldAddresses)
        object.add("heldRoutes", self.heldRoutes)
        object.add("heldRules", self.heldRules)
        object.add("routingTroubles", self.routingTroubles)
        object.add("statistics", self.statistics)
        object.add("peers", self.peers)
        object.add("scripts", self.scripts)
        object.add("trackers", self.trackers)
        return object
    }
}

extension VrrpAPI.Peer {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.address = try members.required("address")
        self.silentMilliseconds = try members.required("silentMilliseconds")
        self.advertisementsReceived = try members.required("advertisementsReceived")
        self.priority = try members.optional("priority")
        self.version = try members.optional("version")
        self.advertisementIntervalMilliseconds = try members.optional("advertisementIntervalMilliseconds")
        self.checksum = try members.optional("checksum")
        self.discarded = try members.required("discarded")
        self.refusal = try members.optional("refusal")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 9)
        object.add("address", self.address)
        object.add("silentMilliseconds", self.silentMilliseconds)
        object.add("advertisementsReceived", self.advertisementsReceived)
        object.add("priority", self.priority)
        object.add("version", self.version)
        object.add("advertisementIntervalMilliseconds", self.advertisementIntervalMilliseconds)
        object.add("checksum", self.checksum)
        object.add("discarded", self.discarded)
        object.add("refusal", self.refusal)
        return object
    }
}

extension VrrpAPI.Tracker {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.kind = try members.required("kind")
        self.name = try members.required("name")
        self.state = try members.required("state")
        self.since = try members.optional("since")
        self.detail = try members.required("detail")
        self.weight = try members.required("weight")
        self.reverse = try members.required("reverse")
        self.effect = try members.required("effect")
        self.fault = try members.required("fault")
        self.hindrance = try members.optional("hindrance")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 10)
        object.add("kind", self.kind)
        object.add("name", self.name)
        object.add("state", self.state)
        object.add("since", self.since)
        object.add("detail", self.detail)
        object.add("weight", self.weight)
        object.add("reverse", self.reverse)
        object.add("effect", self.effect)
        object.add("fault", self.fault)
        object.add("hindrance", self.hindrance)
        return object
    }
}

extension VrrpAPI.TrackedScript {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
        self.state = try members.required("state")
        self.since = try members.optional("since")
        self.weight = try members.required("weight")
        self.reverse = try members.required("reverse")
        self.running = try members.required("running")
        self.lastResult = try members.optional("lastResult")
        self.lastLine = try members.optional("lastLine")
        self.hindrance = try members.optional("hindrance")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 9)
        object.add("name", self.name)
        object.add("state", self.state)
        object.add("since", self.since)
        object.add("weight", self.weight)
        object.add("reverse", self.reverse)
        object.add("running", self.running)
        object.add("lastResult", self.lastResult)
        object.add("lastLine", self.lastLine)
        object.add("hindrance", self.hindrance)
        return object
    }
}

extension VrrpAPI.InstanceStatistics {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.advertisementsSent = try members.required("advertisementsSent")
        self.advertisementsReceived = try members.required("advertisementsReceived")
        self.becameMaster = try members.required("becameMaster")
        self.releasedMaster = try members.required("releasedMaster")
        self.becameFault = try members.optional("becameFault")
        self.latestTakeoverMilliseconds = try members.optional("latestTakeoverMilliseconds")
        self.priorityZeroSent = try members.required("priorityZeroSent")
        self.priorityZeroReceived = try members.required("priorityZeroReceived")
        self.lateTimers = try members.optional("lateTimers")
        self.longestLatenessMilliseconds = try members.optional("longestLatenessMilliseconds")
        self.addressesPutBack = try members.optional("addressesPutBack")
        self.routesPutBack = try members.optional("routesPutBack")
        self.discarded = try members.required("discarded")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 13)
        object.add("advertisementsSent", self.advertisementsSent)
        object.add("advertisementsReceived", self.advertisementsReceived)
        object.add("becameMaster", self.becameMaster)
        object.add("releasedMaster", self.releasedMaster)
        object.add("becameFault", self.becameFault)
        object.add("latestTakeoverMilliseconds", self.latestTakeoverMilliseconds)
        object.add("priorityZeroSent", self.priorityZeroSent)
        object.add("priorityZeroReceived", self.priorityZeroReceived)
        object.add("lateTimers", self.lateTimers)
        object.add("longestLatenessMilliseconds", self.longestLatenessMilliseconds)
        object.add("addressesPutBack", self.addressesPutBack)
        object.add("routesPutBack", self.routesPutBack)
        object.add("discarded", self.discarded)
        return object
    }
}

extension VrrpAPI.LateTimer {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.instance = try members.required("instance")
        self.at = try members.required("at")
        self.latenessMilliseconds = try members.required("latenessMilliseconds")
        self.state = try members.required("state")
        self.gaveWay = try members.required("gaveWay")
        self.count = try members.required("count")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 6)
        object.add("instance", self.instance)
        object.add("at", self.at)
        object.add("latenessMilliseconds", self.latenessMilliseconds)
        object.add("state", self.state)
        object.add("gaveWay", self.gaveWay)
        object.add("count", self.count)
        return object
    }
}

extension VrrpAPI.OtherMaster {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.instance = try members.required("instance")
        self.peer = try members.required("peer")
        self.since = try members.required("since")
        self.reason = try members.required("reason")
        self.detail = try members.required("detail")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 5)
        object.add("instance", self.instance)
        object.add("peer", self.peer)
        object.add("since", self.since)
        object.add("reason", self.reason)
        object.add("detail", self.detail)
        return object
    }
}

extension VrrpAPI.DroppedPeer {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.instance = try members.required("instance")
        self.peer = try members.required("peer")
        self.since = try members.required("since")
        self.reason = try members.required("reason")
        self.detail = try members.required("detail")
        self.count = try members.required("count")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 6)
        object.add("instance", self.instance)
        object.add("peer", self.peer)
        object.add("since", self.since)
        object.add("reason", self.reason)
        object.add("detail", self.detail)
        object.add("count", self.count)
        return object
    }
}

extension VrrpAPI.Heartbeat {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.intervalSeconds = try members.required("intervalSeconds")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("intervalSeconds", self.intervalSeconds)
        return object
    }
}

extension VrrpAPI.BFDSession {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
        self.neighbor = try members.required("neighbor")
        self.state = try members.required("state")
        self.since = try members.required("since")
        self.detail = try members.required("detail")
        self.hindrance = try members.optional("hindrance")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 6)
        object.add("name", self.name)
        object.add("neighbor", self.neighbor)
        object.add("state", self.state)
        object.add("since", self.since)
        object.add("detail", self.detail)
        object.add("hindrance", self.hindrance)
        return object
    }
}

extension VrrpAPI.List {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension VrrpAPI.List.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.instances = try members.required("instances")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("instances", self.instances)
        return object
    }
}

extension VrrpAPI.Show {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("name", self.name)
        return object
    }
}

extension VrrpAPI.Show.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.instance = try members.required("instance")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("instance", self.instance)
        return object
    }
}

extension VrrpAPI.Failover {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("name", self.name)
        return object
    }
}

extension VrrpAPI.Resume {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("name", self.name)
        return object
    }
}

extension VrrpAPI.InstanceNotFound {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.name = try members.required("name")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("name", self.name)
        return object
    }
}

extension VrrpAPI.TooLarge {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}
