// The kernel's table in the words of the bus, both ways: what is listed, and the commands to change it.

import Bus
import Configuration
import IPVS
import Net

extension TableCommand {
    /// A command of the bus; everything that can be judged without the kernel is.
    init(_ command: IpvsAPI.TableCommand) throws(MalformedCommand) {
        do throws(MalformedCommand) {
            self = try Self.understood(command)
        } catch {
            guard let problem = error.problem else { throw error }
            let subject = [command.service, command.server].compactMap(\.self).joined(separator: "/")
            throw MalformedCommand(
                field: error.field, problem: "\(subject.isEmpty ? command.action.rawValue : subject): \(problem)")
        }
    }

    private static func understood(_ command: IpvsAPI.TableCommand) throws(MalformedCommand) -> TableCommand {
        switch command.action {
        case .addService:
            return .change(.addService(try service(command), try ServiceAttributes(command)))
        case .editService:
            return .change(.editService(try service(command), try ServiceAttributes(command)))
        case .deleteService: return .change(.deleteService(try service(command)))
        case .addServer:
            let (service, server, attributes) = try destination(command)
            return .change(.addDestination(service, server, attributes))
        case .editServer:
            let (service, server, attributes) = try destination(command)
            return .change(.editDestination(service, server, attributes))
        case .deleteServer:
            return .change(.deleteDestination(try service(command), try server(command)))
        case .flush: return .flush
        case .zero: return .zero(command.service == nil ? nil : try service(command))
        case .setTimeouts:
            guard let timeouts = command.timeouts else { throw MalformedCommand(field: "timeouts") }
            return .setTimeouts(
                tcp: try seconds(timeouts.tcpSeconds, from: 0, "timeouts.tcpSeconds"),
                tcpFin: try seconds(timeouts.tcpFinSeconds, from: 0, "timeouts.tcpFinSeconds"),
                udp: try seconds(timeouts.udpSeconds, from: 0, "timeouts.udpSeconds"))
        case .startDaemon:
            guard let daemon = command.daemon else { throw MalformedCommand(field: "daemon") }
            return .synchronise(.start(try SyncDaemon(daemon)))
        case .stopDaemon:
            switch command.role {
            case .master: return .synchronise(.stop(.master))
            case .backup: return .synchronise(.stop(.backup))
            case .other, nil: throw MalformedCommand(field: "role")
            }
        case .other: throw MalformedCommand(field: "action")
        }
    }

    private static func destination(
        _ command: IpvsAPI.TableCommand
    ) throws(MalformedCommand) -> (VirtualServerIdentity, Endpoint, DestinationAttributes) {
        let (service, server) = (try Self.service(command), try Self.server(command))
        let attributes = try DestinationAttributes(command)
        let isTunnelled = if case .method(.tunnel) = attributes.forwarding { true } else { false }
        do throws(RuleFault) {
            try service.check(
                server, isTunnelled: isTunnelled, hasTunnelWords: command.serverSettings?.tunnel != nil)
        } catch {
            throw MalformedCommand(error)
        }
        let isMasqueraded = attributes.forwarding == .method(.masquerade)
        return (service, service.place(of: server, isMasqueraded: isMasqueraded), attributes)
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

/// Within ipvsadm's limit: the kernel multiplies by the rate of its clock, in 32 bits.
private func seconds(_ value: Int, from least: Int, _ field: String) throws(MalformedCommand) -> UInt32 {
    guard (least...Persistence.longestTimeout).contains(value) else {
        throw MalformedCommand(
            field: field,
            problem: "\(field) is \(least) to \(Persistence.longestTimeout) seconds (31 days), not \(value)")
    }
    return UInt32(value)
}

/// A word that travels in the kernel's messages and in files.
private func isName(_ text: String, atMost length: Int) -> Bool {
    (1...length).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
}

extension ServiceAttributes {
    /// From a command.
    init(_ command: IpvsAPI.TableCommand) throws(MalformedCommand) {
        guard let settings = command.serviceSettings,
            let service = command.service.flatMap({ VirtualServerIdentity($0) })
        else { throw MalformedCommand(field: "serviceSettings") }
        let family = service.family
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
        do throws(RuleFault) {
            try service.check(flags, isPersistent: settings.persistenceTimeoutSeconds != nil)
        } catch {
            throw MalformedCommand(error)
        }
        guard let timeout = settings.persistenceTimeoutSeconds else {
            let problem = "it does nothing without persistence: give a persistence timeout, or leave it out"
            if settings.persistencePrefixLength != nil {
                throw MalformedCommand(
                    field: "serviceSettings.persistencePrefixLength", problem: "persistencePrefixLength: \(problem)")
            }
            if settings.persistenceEngine != nil {
                throw MalformedCommand(
                    field: "serviceSettings.persistenceEngine", problem: "persistenceEngine: \(problem)")
            }
            return
        }
        let prefix = settings.persistencePrefixLength ?? family.bits
        guard (0...family.bits).contains(prefix) else {
            throw MalformedCommand(field: "serviceSettings.persistencePrefixLength")
        }
        if let engine = settings.persistenceEngine, !isName(engine, atMost: 15) {
            throw MalformedCommand(field: "serviceSettings.persistenceEngine")
        }
        persistence = Persistence(
            timeout: .seconds(Int64(try seconds(timeout, from: 1, "serviceSettings.persistenceTimeoutSeconds"))),
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
