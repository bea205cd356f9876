// How much goes through a service or a server per second: from the counters of two looks, or as the kernel estimates it.
import Bus

/// Per second.
struct TrafficRates: Equatable {
    var connections = 0.0
    var packetsIn = 0.0
    var packetsOut = 0.0
    var bytesIn = 0.0
    var bytesOut = 0.0

    /// Nothing goes through.
    init() {}

    /// The kernel's own estimate, which follows what happens within some ten seconds.
    init(estimatedIn counters: IpvsAPI.Counters) {
        connections = Double(counters.connectionsPerSecond ?? 0)
        packetsIn = Double(counters.packetsInPerSecond ?? 0)
        packetsOut = Double(counters.packetsOutPerSecond ?? 0)
        bytesIn = Double(counters.bytesInPerSecond ?? 0)
        bytesOut = Double(counters.bytesOutPerSecond ?? 0)
    }

    /// What was counted in `seconds`; nil when the counters began anew in between, or no time has passed.
    init?(from old: IpvsAPI.Counters, to new: IpvsAPI.Counters, seconds: Double) {
        guard seconds > 0, new.connections >= old.connections, new.packetsIn >= old.packetsIn,
            new.packetsOut >= old.packetsOut, new.bytesIn >= old.bytesIn, new.bytesOut >= old.bytesOut
        else { return nil }
        connections = Double(new.connections - old.connections) / seconds
        packetsIn = Double(new.packetsIn - old.packetsIn) / seconds
        packetsOut = Double(new.packetsOut - old.packetsOut) / seconds
        bytesIn = Double(new.bytesIn - old.bytesIn) / seconds
        bytesOut = Double(new.bytesOut - old.bytesOut) / seconds
    }

    static func += (left: inout TrafficRates, right: TrafficRates) {
        left.connections += right.connections
        left.packetsIn += right.packetsIn
        left.packetsOut += right.packetsOut
        left.bytesIn += right.bytesIn
        left.bytesOut += right.bytesOut
    }
}
