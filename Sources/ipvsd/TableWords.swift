// The kernel's table in the words of the bus, both ways: what is listed, and the commands to change it.

import Bus
import Configuration
import IPVS
import Net

/// A command that lacks something or has it out of its range.
struct MalformedCommand: Error {
    /// Which of its fields.
    let field: String
}

extension TableCommand {
    /// A command of the bus; everything that can be judged without the kernel is.
    init(_ command: IpvsAPI.TableCommand) throws(MalformedCommand) {
        switch command.action {
        case .addService:
            self = .change(.addService(try Self.service(command), try ServiceAttributes(command)))
        case .editService:
            self = .change(.editService(try Self.service(command), try ServiceAttributes(command)))
        case .deleteService: self = .change(.deleteService(try Self.service(command)))
        case .addServer:
            self = .change(
                .addDestination(try Self.service(command), try Self.server(command), try .init(command)))
        case .editServer:
            self = .change(
                .editDestination(try Self.service(command), try Self.server(command), try .init(command)))
        case .deleteServer:
            self = .change(.deleteDestination(try Self.service(command), try Self.server(command)))
        case .flush: self = .flush
        case .zero: self = .zero(command.service == nil ? nil : try Self.service(command))
        case .setTimeouts:
            guard let timeouts = command.timeouts else { throw MalformedCommand(field: "timeouts") }
            self = .setTimeouts(
                tcp: try seconds(timeouts.tcpSeconds, "timeouts.tcpSeconds"),
                tcpFin: try seconds(timeouts.tcpFinSeconds, "timeouts.tcpFinSeconds"),
                udp: try seconds(timeouts.udpSeconds, "timeouts.udpSeconds"))
        case .startDaemon:
            guard let daemon = command.daemon else { throw MalformedCommand(field: "daemon") }
            self = .synchronise(.start(try SyncDaemon(daemon)))
        case .stopDaemon:
            switch command.role {
            case .master: self = .synchronise(.stop(.master))
            case .backup: self = .synchronise(.stop(.backup))
            case .other, nil: throw MalformedCommand(field: "role")
            }
        case .other: throw MalformedCommand(field: "action")
        }
    }

    private static func service(_ command: IpvsAPI.TableCommand) throws(MalformedCommand) -> VirtualServerIdentity {
        guard let service = command.service.flatMap({ VirtualServerIdentity($0) }) else {
            throw MalformedCommand(field: "service")
        }
        return service
    }

    private static func server(_ command: IpvsAPI.TableCommand) throws(MalformedCommand) -> Endpoint {
        guard let server = command.server.flatMap({ Endpoint($0) }) else { throw MalformedCommand(field: "server") }
        return server
    }
}

/// Within what the kernel takes: its clock must not overflow.
private func seconds(_ value: Int, _ field: String) throws(MalformedCommand) -> UInt32 {
    guard let seconds = Int32(exactly: value), seconds >= 0 else { throw MalformedCommand(field: field) }
    return UInt32(seconds)
}

/// A word that travels in the kernel's messages and in files.
private func isName(_ text: String, atMost length: Int) -> Bool {
    (1...length).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
}

extension ServiceAttributes {
    /// From a command.
    init(_ command: IpvsAPI.TableCommand) throws(MalformedCommand) {
        guard let settings = command.serviceSettings,
            let family = command.service.flatMap({ VirtualServerIdentity($0) })?.family
        else { throw MalformedCommand(field: "serviceSettings") }
        // IP_VS_SCHEDNAME_MAXLEN and IP_VS_PENAME_MAXLEN are 16, with the NUL.
        guard isName(settings.scheduler, atMost: 15) else { throw MalformedCommand(field: "serviceSettings.scheduler") }
        self.init(scheduler: settings.scheduler)
        for name in settings.schedulerFlags ?? [] {
            guard let flag = SchedulerFlags.named.first(where: { $0.name == name })?.flag else {
                throw MalformedCommand(field: "serviceSettings.schedulerFlags")
            }
            flags.insert(flag)
        }
        if settings.onePacket == true { flags.insert(.onePacket) }
        guard let timeout = settings.persistenceTimeoutSeconds else { return }
        let prefix = settings.persistencePrefixLength ?? family.bits
        guard (0...family.bits).contains(prefix) else {
            throw MalformedCommand(field: "serviceSettings.persistencePrefixLength")
        }
        if let engine = settings.persistenceEngine, !isName(engine, atMost: 15) {
            throw MalformedCommand(field: "serviceSettings.persistenceEngine")
        }
        persistence = Persistence(
            timeout: .seconds(Int64(try seconds(timeout, "serviceSettings.persistenceTimeoutSeconds"))),
            prefixLength: prefix, engine: settings.persistenceEngine)
    }
}

extension DestinationAttributes {
    /// From a command.
    init(_ command: IpvsAPI.TableCommand) throws(MalformedCommand) {
        guard let settings = command.serverSettings else { throw MalformedCommand(field: "serverSettings") }
        guard let weight = Int32(exactly: settings.weight), weight >= 0 else {
            throw MalformedCommand(field: "serverSettings.weight")
        }
        guard let upper = UInt32(exactly: settings.upperThreshold ?? 0) else {
            throw MalformedCommand(field: "serverSettings.upperThreshold")
        }
        guard let lower = UInt32(exactly: settings.lowerThreshold ?? 0) else {
            throw MalformedCommand(field: "serverSettings.lowerThreshold")
        }
        let method: ForwardingMethod
        switch settings.forwarding {
        case .nat: method = .masquerade
        case .dr: method = .directRouting
        case .tun: method = .tunnel(try TunnelKind(settings.tunnel))
        case .local, .bypass, .other: throw MalformedCommand(field: "serverSettings.forwarding")
        }
        self.init(forwarding: .method(method), weight: weight, upperThreshold: upper, lowerThreshold: lower)
    }
}

extension TunnelKind {
    fileprivate init(_ tunnel: IpvsAPI.Tunnel?) throws(MalformedCommand) {
        let checksum: Checksum
        switch tunnel?.checksum {
        case nil, .nocsum: checksum = .none
        case .csum: checksum = .whole
        case .remcsum: checksum = .remote
        case .other: throw MalformedCommand(field: "serverSettings.tunnel.checksum")
        }
        switch tunnel?.kind {
        case nil, .ipip: self = .ipip
        case .gue:
            guard let port = tunnel?.port.flatMap({ UInt16(exactly: $0) }), port > 0 else {
                throw MalformedCommand(field: "serverSettings.tunnel.port")
            }
            self = .gue(port: port, checksum)
        case .gre:
            guard checksum != .remote else { throw MalformedCommand(field: "serverSettings.tunnel.checksum") }
            self = .gre(checksum)
        case .other: throw MalformedCommand(field: "serverSettings.tunnel.kind")
        }
    }
}

extension SyncDaemon {
    fileprivate init(_ daemon: IpvsAPI.SyncDaemon) throws(MalformedCommand) {
        let role: SyncRole
        switch daemon.role {
        case .master: role = .master
        case .backup: role = .backup
        case .other: throw MalformedCommand(field: "daemon.role")
        }
        // IFNAMSIZ is 16, with the NUL.
        guard isName(daemon.interface, atMost: 15) else { throw MalformedCommand(field: "daemon.interface") }
        guard let id = UInt8(exactly: daemon.syncID) else { throw MalformedCommand(field: "daemon.syncID") }
        guard let group = IPAddress(daemon.group) else { throw MalformedCommand(field: "daemon.group") }
        guard let port = UInt16(exactly: daemon.port) else { throw MalformedCommand(field: "daemon.port") }
        guard let timeToLive = UInt8(exactly: daemon.timeToLive) else {
            throw MalformedCommand(field: "daemon.timeToLive")
        }
        var length: UInt16?
        if let wanted = daemon.maximumLength {
            guard let fits = UInt16(exactly: wanted) else { throw MalformedCommand(field: "daemon.maximumLength") }
            length = fits
        }
        self.init(
            role: role, interface: daemon.interface, syncID: id, group: group, port: port, timeToLive: timeToLive,
            maximumLength: length)
    }
}

extension IpvsAPI.SyncDaemon {
    init(_ daemon: SyncDaemon) {
        self.init(
            role: IpvsAPI.SyncRole(daemon.role), interface: daemon.interface, syncID: Int(daemon.syncID),
            group: "\(daemon.group)", port: Int(daemon.port), timeToLive: Int(daemon.timeToLive),
            maximumLength: daemon.maximumLength.map { Int($0) })
    }
}

extension IpvsAPI.ServiceSettings {
    init(_ attributes: ServiceAttributes) {
        self.init(
            scheduler: attributes.scheduler, schedulerFlags: attributes.flags.names,
            persistenceTimeoutSeconds: attributes.persistence.map { Int($0.timeout.components.seconds) },
            persistencePrefixLength: attributes.persistence?.prefixLength,
            persistenceEngine: attributes.persistence?.engine,
            onePacket: attributes.flags.contains(.onePacket) ? true : nil)
    }
}

extension IpvsAPI.TableServer {
    init(_ destination: DestinationSnapshot, _ origin: IpvsAPI.Origin) {
        self.init(
            name: "\(destination.endpoint)", origin: origin,
            settings: IpvsAPI.ServerSettings(destination.attributes),
            activeConnections: Int(destination.activeConnections),
            inactiveConnections: Int(destination.inactiveConnections),
            persistentConnections: Int(destination.persistentConnections),
            counters: IpvsAPI.Counters(destination.counters))
    }
}

extension IpvsAPI.ServerSettings {
    init(_ attributes: DestinationAttributes) {
        self.init(
            forwarding: IpvsAPI.Forwarding(attributes.forwarding), tunnel: IpvsAPI.Tunnel(attributes.forwarding),
            weight: Int(attributes.weight), upperThreshold: Int(attributes.upperThreshold),
            lowerThreshold: Int(attributes.lowerThreshold))
    }
}

extension IpvsAPI.Tunnel {
    fileprivate init?(_ forwarding: PacketForwarding) {
        guard case .method(.tunnel(let kind)) = forwarding else { return nil }
        switch kind {
        case .ipip: self.init(kind: .ipip)
        case .gue(let port, let checksum): self.init(kind: .gue, port: Int(port), checksum: .init(checksum))
        case .gre(let checksum): self.init(kind: .gre, checksum: .init(checksum))
        }
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

extension IpvsAPI.NoTable {
    init(_ problem: KernelProblem) {
        self.init(problem: problem.message, remedy: problem.remedy)
    }
}
