// Between ipvsadm's words and those of the bus. ipvsadm can say two things that ipvsd does not keep: they are refused with what to do.
import Bus
import Configuration
import IPVS
import Net

/// Something that the bus has no words for.
struct Inexpressible: Error {
    let problem: String
}

extension IpvsAPI.TableCommand {
    init(_ request: TableRequest) throws(Inexpressible) {
        switch request {
        case .addService(let rule):
            self.init(action: .addService, service: "\(rule.identity)", serviceSettings: try .init(rule))
        case .editService(let rule):
            self.init(action: .editService, service: "\(rule.identity)", serviceSettings: try .init(rule))
        case .deleteService(let service): self.init(action: .deleteService, service: "\(service)")
        case .addServer(let service, let server, let attributes):
            self.init(action: .addServer, service: "\(service)", server: "\(server)", serverSettings: .init(attributes))
        case .editServer(let service, let server, let attributes):
            self.init(
                action: .editServer, service: "\(service)", server: "\(server)", serverSettings: .init(attributes))
        case .deleteServer(let service, let server):
            self.init(action: .deleteServer, service: "\(service)", server: "\(server)")
        case .clear: self.init(action: .flush)
        case .zero(let service): self.init(action: .zero, service: service.map { "\($0)" })
        case .setTimeouts(let timeouts):
            self.init(
                action: .setTimeouts,
                timeouts: IpvsAPI.ConnectionTimeouts(
                    tcpSeconds: Int(timeouts.tcp), tcpFinSeconds: Int(timeouts.tcpFin), udpSeconds: Int(timeouts.udp)))
        case .startDaemon(let daemon):
            self.init(
                action: .startDaemon,
                daemon: IpvsAPI.SyncDaemon(
                    role: .init(daemon.role), interface: daemon.interface, syncID: Int(daemon.syncID),
                    group: "\(daemon.group)", port: Int(daemon.port), timeToLive: Int(daemon.timeToLive),
                    maximumLength: daemon.maximumLength.map { Int($0) }))
        case .stopDaemon(let role): self.init(action: .stopDaemon, role: .init(role))
        }
    }
}

extension IpvsAPI.SyncRole {
    fileprivate init(_ role: SyncRole) {
        switch role {
        case .master: self = .master
        case .backup: self = .backup
        }
    }
}

extension IpvsAPI.ServiceSettings {
    fileprivate init(_ rule: ServiceRule) throws(Inexpressible) {
        let family = rule.identity.family
        let prefix: Int
        switch family {
        case .inet:
            prefix = rule.netmask.nonzeroBitCount
            guard prefix == 0 || rule.netmask == UInt32.max << UInt32(32 - prefix) || rule.persistenceSeconds == nil
            else {
                throw Inexpressible(
                    problem: "ipvsd keeps no netmask that is no prefix, \(IPv4Address(rawValue: rule.netmask)): "
                        + "give another one, or use --direct")
            }
        case .inet6: prefix = Int(rule.netmask)
        }
        guard rule.engine == nil || rule.persistenceSeconds != nil else {
            throw Inexpressible(
                problem: "a persistence engine does nothing without persistence, and ipvsd does not keep it: add -p")
        }
        let names: [(SchedulerFlags, String)] = [(.flag1, "flag-1"), (.flag2, "flag-2"), (.flag3, "flag-3")]
        let isPersistent = rule.persistenceSeconds != nil
        self.init(
            scheduler: rule.scheduler, schedulerFlags: names.filter { rule.flags.contains($0.0) }.map(\.1),
            persistenceTimeoutSeconds: rule.persistenceSeconds.map { Int($0) },
            persistencePrefixLength: isPersistent ? prefix : nil, persistenceEngine: rule.engine,
            onePacket: rule.flags.contains(.onePacket))
    }
}

extension IpvsAPI.ServerSettings {
    fileprivate init(_ attributes: DestinationAttributes) {
        var forwarding = IpvsAPI.Forwarding.dr
        var tunnel: IpvsAPI.Tunnel?
        switch attributes.forwarding {
        case .method(.masquerade): forwarding = .nat
        case .method(.directRouting): forwarding = .dr
        case .method(.tunnel(let kind)):
            forwarding = .tun
            switch kind {
            case .ipip: tunnel = IpvsAPI.Tunnel(kind: .ipip)
            case .gue(let port, let checksum):
                tunnel = IpvsAPI.Tunnel(kind: .gue, port: Int(port), checksum: .init(checksum))
            case .gre(let checksum): tunnel = IpvsAPI.Tunnel(kind: .gre, checksum: .init(checksum))
            }
        case .local: forwarding = .local
        case .bypass: forwarding = .bypass
        }
        self.init(
            forwarding: forwarding, tunnel: tunnel, weight: Int(attributes.weight),
            upperThreshold: Int(attributes.upperThreshold), lowerThreshold: Int(attributes.lowerThreshold))
    }
}

extension IpvsAPI.TunnelChecksum {
    fileprivate init(_ checksum: TunnelKind.Checksum) {
        switch checksum {
        case .none: self = .nocsum
        case .whole: self = .csum
        case .remote: self = .remcsum
        }
    }
}

extension KernelFacts {
    /// From the first part of a listing.
    init(_ reply: IpvsAPI.ListTable.Reply) {
        self.init()
        version = (reply.version ?? "").split(separator: ".").reduce(0) { $0 << 8 | (UInt32($1) ?? 0) & 0xFF }
        connectionTableSize = UInt32(clamping: reply.connectionTableSize ?? 0)
        tcpTimeout = UInt32(clamping: reply.timeouts?.tcpSeconds ?? 0)
        tcpFinTimeout = UInt32(clamping: reply.timeouts?.tcpFinSeconds ?? 0)
        udpTimeout = UInt32(clamping: reply.timeouts?.udpSeconds ?? 0)
    }
}

extension SyncDaemon {
    /// nil when it is none.
    init?(_ daemon: IpvsAPI.SyncDaemon) {
        let role: SyncRole
        switch daemon.role {
        case .master: role = .master
        case .backup: role = .backup
        case .other: return nil
        }
        guard let group = IPAddress(daemon.group) else { return nil }
        self.init(
            role: role, interface: daemon.interface, syncID: UInt8(clamping: daemon.syncID), group: group,
            port: UInt16(clamping: daemon.port), timeToLive: UInt8(clamping: daemon.timeToLive),
            maximumLength: daemon.maximumLength.map { UInt16(clamping: $0) })
    }
}

extension ServiceSnapshot {
    /// nil when its name is none.
    init?(_ service: IpvsAPI.TableService) {
        guard let identity = VirtualServerIdentity(service.name) else { return nil }
        let settings = service.settings
        var attributes = ServiceAttributes(scheduler: settings.scheduler)
        for name in settings.schedulerFlags ?? [] {
            switch name {
            case "flag-1": attributes.flags.insert(.flag1)
            case "flag-2": attributes.flags.insert(.flag2)
            case "flag-3": attributes.flags.insert(.flag3)
            case _: continue
            }
        }
        if settings.onePacket == true { attributes.flags.insert(.onePacket) }
        attributes.persistence = settings.persistenceTimeoutSeconds.map {
            Persistence(
                timeout: .seconds(Int64($0)), prefixLength: settings.persistencePrefixLength ?? identity.family.bits,
                engine: settings.persistenceEngine)
        }
        self.init(identity: identity, attributes: attributes)
        counters = Counters(service.counters)
        for server in service.servers {
            guard let destination = DestinationSnapshot(server) else { return nil }
            destinations.append(destination)
        }
    }
}

extension DestinationSnapshot {
    fileprivate init?(_ server: IpvsAPI.TableServer) {
        guard let endpoint = Endpoint(server.name), let forwarding = PacketForwarding(server.settings) else {
            return nil
        }
        self.init(
            endpoint: endpoint,
            attributes: DestinationAttributes(
                forwarding: forwarding, weight: Int32(clamping: server.settings.weight),
                upperThreshold: UInt32(clamping: server.settings.upperThreshold ?? 0),
                lowerThreshold: UInt32(clamping: server.settings.lowerThreshold ?? 0)))
        activeConnections = UInt32(clamping: server.activeConnections)
        inactiveConnections = UInt32(clamping: server.inactiveConnections)
        persistentConnections = UInt32(clamping: server.persistentConnections)
        counters = Counters(server.counters)
    }
}

extension PacketForwarding {
    fileprivate init?(_ settings: IpvsAPI.ServerSettings) {
        switch settings.forwarding {
        case .nat: self = .method(.masquerade)
        case .dr: self = .method(.directRouting)
        case .local: self = .local
        case .bypass: self = .bypass
        case .other: return nil
        case .tun:
            let checksum: TunnelKind.Checksum
            switch settings.tunnel?.checksum {
            case .csum: checksum = .whole
            case .remcsum: checksum = .remote
            case .nocsum, .other, nil: checksum = .none
            }
            switch settings.tunnel?.kind {
            case .ipip, nil: self = .method(.tunnel(.ipip))
            case .gue: self = .method(.tunnel(.gue(port: UInt16(clamping: settings.tunnel?.port ?? 0), checksum)))
            case .gre: self = .method(.tunnel(.gre(checksum)))
            case .other: return nil
            }
        }
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
