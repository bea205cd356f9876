// What the kernel's table has, with its traffic, in the words of the bus and back.

public import Bus
internal import Configuration
public import IPVS
public import Net

extension ServiceSnapshot {
    /// nil when its name or a server of it is none.
    public init?(_ service: IpvsAPI.TableService) {
        guard let identity = VirtualServerIdentity(service.name) else { return nil }
        self.init(identity: identity, attributes: ServiceAttributes(service.settings, of: identity.family))
        counters = Counters(service.counters)
        for server in service.servers {
            guard let destination = DestinationSnapshot(server) else { return nil }
            destinations.append(destination)
        }
    }
}

extension DestinationSnapshot {
    fileprivate init?(_ server: IpvsAPI.TableServer) {
        guard let endpoint = Endpoint(server.name), let attributes = DestinationAttributes(server.settings) else {
            return nil
        }
        self.init(endpoint: endpoint, attributes: attributes)
        activeConnections = UInt32(clamping: server.activeConnections)
        inactiveConnections = UInt32(clamping: server.inactiveConnections)
        persistentConnections = UInt32(clamping: server.persistentConnections)
        counters = Counters(server.counters)
    }
}

extension IpvsAPI.TableServer {
    /// A server of the kernel's table and where it comes from.
    public init(_ destination: DestinationSnapshot, _ origin: IpvsAPI.Origin) {
        self.init(
            name: "\(destination.endpoint)", origin: origin,
            settings: IpvsAPI.ServerSettings(destination.attributes),
            activeConnections: Int(destination.activeConnections),
            inactiveConnections: Int(destination.inactiveConnections),
            persistentConnections: Int(destination.persistentConnections),
            counters: IpvsAPI.Counters(destination.counters))
    }
}

extension Counters {
    fileprivate init(_ counters: IpvsAPI.Counters) {
        self.init()
        connections = UInt64(clamping: counters.connections)
        inPackets = UInt64(clamping: counters.packetsIn)
        outPackets = UInt64(clamping: counters.packetsOut)
        inBytes = UInt64(clamping: counters.bytesIn)
        outBytes = UInt64(clamping: counters.bytesOut)
        connectionRate = UInt64(clamping: counters.connectionsPerSecond ?? 0)
        inPacketRate = UInt64(clamping: counters.packetsInPerSecond ?? 0)
        outPacketRate = UInt64(clamping: counters.packetsOutPerSecond ?? 0)
        inByteRate = UInt64(clamping: counters.bytesInPerSecond ?? 0)
        outByteRate = UInt64(clamping: counters.bytesOutPerSecond ?? 0)
    }
}

extension IpvsAPI.Counters {
    /// Traffic since the counters were zeroed, and its rates.
    public init(_ counters: Counters) {
        self.init(
            connections: Int(clamping: counters.connections), packetsIn: Int(clamping: counters.inPackets),
            packetsOut: Int(clamping: counters.outPackets), bytesIn: Int(clamping: counters.inBytes),
            bytesOut: Int(clamping: counters.outBytes), connectionsPerSecond: Int(clamping: counters.connectionRate),
            packetsInPerSecond: Int(clamping: counters.inPacketRate),
            packetsOutPerSecond: Int(clamping: counters.outPacketRate),
            bytesInPerSecond: Int(clamping: counters.inByteRate),
            bytesOutPerSecond: Int(clamping: counters.outByteRate))
    }
}

extension IpvsAPI.TrafficSample {
    /// A stretch of a history, as it looks at `now`.
    public init(_ sample: TrafficSample, at now: Instant) {
        self.init(
            endedMillisecondsAgo: Int((now - sample.end) / .milliseconds(1)),
            milliseconds: Int(sample.duration / .milliseconds(1)), connections: Int(clamping: sample.connections),
            packetsIn: Int(clamping: sample.inPackets), packetsOut: Int(clamping: sample.outPackets),
            bytesIn: Int(clamping: sample.inBytes), bytesOut: Int(clamping: sample.outBytes),
            activeConnections: Int(sample.activeConnections))
    }
}
