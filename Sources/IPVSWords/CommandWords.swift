// Commands to the table in the words of the bus, both ways. What comes from the bus is judged here as far as it can be without the kernel.

public import Bus
internal import Configuration
public import IPVS
internal import Net

extension TableCommand {
    /// A command of the bus.
    public init(_ command: IpvsAPI.TableCommand) throws(MalformedCommand) {
        do throws(MalformedCommand) {
            self = try Self.understood(command)
        } catch {
            guard let problem = error.problem else { throw error }
            let subject = [command.service, command.server].compactMap(\.self).joined(separator: "/")
            throw MalformedCommand(
                error.field, "\(subject.isEmpty ? command.action.rawValue : subject): \(problem)")
        }
    }

    private static func understood(_ command: IpvsAPI.TableCommand) throws(MalformedCommand) -> TableCommand {
        switch command.action {
        case .addService:
            let (service, attributes) = try description(command)
            return .change(.addService(service, attributes))
        case .editService:
            let (service, attributes) = try description(command)
            return .change(.editService(service, attributes))
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
            guard let timeouts = command.timeouts else { throw MalformedCommand("timeouts") }
            return .setTimeouts(
                TableTimeouts(
                    tcp: try seconds(timeouts.tcpSeconds, from: 0, "timeouts.tcpSeconds"),
                    tcpFin: try seconds(timeouts.tcpFinSeconds, from: 0, "timeouts.tcpFinSeconds"),
                    udp: try seconds(timeouts.udpSeconds, from: 0, "timeouts.udpSeconds")))
        case .startDaemon:
            guard let daemon = command.daemon else { throw MalformedCommand("daemon") }
            try daemon.check()
            guard let made = SyncDaemon(daemon) else { throw MalformedCommand("daemon") }
            return .synchronise(.start(made))
        case .stopDaemon:
            guard let role = command.role.flatMap({ SyncRole($0) }) else { throw MalformedCommand("role") }
            return .synchronise(.stop(role))
        case .other: throw MalformedCommand("action")
        }
    }

    private static func description(
        _ command: IpvsAPI.TableCommand
    ) throws(MalformedCommand) -> (VirtualServerIdentity, ServiceAttributes) {
        let service = try service(command)
        guard let settings = command.serviceSettings else { throw MalformedCommand("serviceSettings") }
        try settings.check(service)
        return (service, ServiceAttributes(settings, of: service.family))
    }

    private static func destination(
        _ command: IpvsAPI.TableCommand
    ) throws(MalformedCommand) -> (VirtualServerIdentity, Endpoint, DestinationAttributes) {
        let (service, server) = (try Self.service(command), try Self.server(command))
        guard let settings = command.serverSettings else { throw MalformedCommand("serverSettings") }
        try settings.check()
        guard let attributes = DestinationAttributes(settings), case .method(let method) = attributes.forwarding else {
            throw MalformedCommand("serverSettings.forwarding")
        }
        let isTunnelled = if case .tunnel = method { true } else { false }
        do throws(RuleFault) {
            try service.check(server, isTunnelled: isTunnelled, hasTunnelWords: settings.tunnel != nil)
        } catch {
            throw MalformedCommand(error)
        }
        return (service, service.place(of: server, isMasqueraded: method == .masquerade), attributes)
    }

    private static func service(_ command: IpvsAPI.TableCommand) throws(MalformedCommand) -> VirtualServerIdentity {
        guard let service = command.service.flatMap({ VirtualServerIdentity($0) }) else {
            throw MalformedCommand("service")
        }
        return service
    }

    private static func server(_ command: IpvsAPI.TableCommand) throws(MalformedCommand) -> Endpoint {
        guard let server = command.server.flatMap({ Endpoint($0) }) else { throw MalformedCommand("server") }
        return server
    }
}

/// Within ipvsadm's limit: the kernel multiplies by the rate of its clock, in 32 bits.
@discardableResult
private func seconds(_ value: Int, from least: Int, _ field: String) throws(MalformedCommand) -> UInt32 {
    guard (least...Persistence.longestTimeout).contains(value) else {
        throw MalformedCommand(
            field, "\(field) is \(least) to \(Persistence.longestTimeout) seconds (31 days), not \(value)")
    }
    return UInt32(value)
}

/// A word that travels in the kernel's messages and in files.
private func isName(_ text: String, atMost length: Int) -> Bool {
    (1...length).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
}

extension IpvsAPI.ServiceSettings {
    fileprivate func check(_ service: VirtualServerIdentity) throws(MalformedCommand) {
        // IP_VS_SCHEDNAME_MAXLEN and IP_VS_PENAME_MAXLEN are 16, with the NUL.
        guard isName(scheduler, atMost: 15) else { throw MalformedCommand("serviceSettings.scheduler") }
        guard (schedulerFlags ?? []).allSatisfy({ name in SchedulerFlags.named.contains { $0.name == name } }) else {
            throw MalformedCommand("serviceSettings.schedulerFlags")
        }
        do throws(RuleFault) {
            let flags = ServiceAttributes(self, of: service.family).flags
            try service.check(flags, isPersistent: persistenceTimeoutSeconds != nil)
        } catch {
            throw MalformedCommand(error)
        }
        guard let timeout = persistenceTimeoutSeconds else {
            let problem = "it does nothing without persistence: give a persistence timeout, or leave it out"
            if persistencePrefixLength != nil {
                throw MalformedCommand("serviceSettings.persistencePrefixLength", "persistencePrefixLength: \(problem)")
            }
            if persistenceEngine != nil {
                throw MalformedCommand("serviceSettings.persistenceEngine", "persistenceEngine: \(problem)")
            }
            return
        }
        try seconds(timeout, from: 1, "serviceSettings.persistenceTimeoutSeconds")
        guard (0...service.family.bits).contains(persistencePrefixLength ?? 0) else {
            throw MalformedCommand("serviceSettings.persistencePrefixLength")
        }
        guard persistenceEngine.map({ isName($0, atMost: 15) }) ?? true else {
            throw MalformedCommand("serviceSettings.persistenceEngine")
        }
    }
}

extension IpvsAPI.ServerSettings {
    fileprivate func check() throws(MalformedCommand) {
        guard (0...Int(Int32.max)).contains(weight) else { throw MalformedCommand("serverSettings.weight") }
        guard UInt32(exactly: upperThreshold ?? 0) != nil else {
            throw MalformedCommand("serverSettings.upperThreshold")
        }
        guard UInt32(exactly: lowerThreshold ?? 0) != nil else {
            throw MalformedCommand("serverSettings.lowerThreshold")
        }
        try tunnel?.check()
    }
}

extension IpvsAPI.Tunnel {
    fileprivate func check() throws(MalformedCommand) {
        let portField = "serverSettings.tunnel.port"
        let checksumField = "serverSettings.tunnel.checksum"
        if case .other = checksum { throw MalformedCommand(checksumField) }
        switch kind {
        case .ipip:
            guard checksum == nil else {
                throw MalformedCommand(
                    checksumField, "\(checksumField) goes with gue and gre only: choose one of them, or leave it out")
            }
        case .gre:
            guard checksum != .remcsum else {
                throw MalformedCommand(
                    checksumField, "\(checksumField): remcsum goes with gue only: choose csum or nocsum, or gue")
            }
        case .gue:
            guard (1...0xFFFF).contains(port ?? 0) else {
                throw MalformedCommand(
                    portField, "\(portField): gue needs the UDP port that the server listens at, 1 to 65535")
            }
            return
        case .other: throw MalformedCommand("serverSettings.tunnel.kind")
        }
        guard port == nil else {
            throw MalformedCommand(portField, "\(portField) goes with gue only: choose gue, or leave it out")
        }
    }
}

extension IpvsAPI.SyncDaemon {
    fileprivate func check() throws(MalformedCommand) {
        guard SyncRole(role) != nil else { throw MalformedCommand("daemon.role") }
        // IFNAMSIZ is 16, with the NUL.
        guard isName(interface, atMost: 15) else { throw MalformedCommand("daemon.interface") }
        guard UInt8(exactly: syncID) != nil else { throw MalformedCommand("daemon.syncID") }
        guard IPAddress(group) != nil else { throw MalformedCommand("daemon.group") }
        guard UInt16(exactly: port) != nil else { throw MalformedCommand("daemon.port") }
        guard UInt8(exactly: timeToLive) != nil else { throw MalformedCommand("daemon.timeToLive") }
        guard UInt16(exactly: maximumLength ?? 0) != nil else { throw MalformedCommand("daemon.maximumLength") }
    }
}

extension IpvsAPI.TableCommand {
    /// A command for the bus.
    public init(_ command: TableCommand) {
        switch command {
        case .change(.addService(let service, let attributes)):
            self.init(action: .addService, service: "\(service)", serviceSettings: .init(attributes))
        case .change(.editService(let service, let attributes)):
            self.init(action: .editService, service: "\(service)", serviceSettings: .init(attributes))
        case .change(.deleteService(let service)): self.init(action: .deleteService, service: "\(service)")
        case .change(.addDestination(let service, let server, let attributes)):
            self.init(action: .addServer, service: "\(service)", server: "\(server)", serverSettings: .init(attributes))
        case .change(.editDestination(let service, let server, let attributes)):
            self.init(
                action: .editServer, service: "\(service)", server: "\(server)", serverSettings: .init(attributes))
        case .change(.deleteDestination(let service, let server)):
            self.init(action: .deleteServer, service: "\(service)", server: "\(server)")
        case .flush: self.init(action: .flush)
        case .zero(let service): self.init(action: .zero, service: service.map { "\($0)" })
        case .setTimeouts(let timeouts):
            self.init(
                action: .setTimeouts,
                timeouts: IpvsAPI.ConnectionTimeouts(
                    tcpSeconds: Int(timeouts.tcp), tcpFinSeconds: Int(timeouts.tcpFin), udpSeconds: Int(timeouts.udp)))
        case .synchronise(.start(let daemon)): self.init(action: .startDaemon, daemon: .init(daemon))
        case .synchronise(.stop(let role)): self.init(action: .stopDaemon, role: .init(role))
        }
    }
}
