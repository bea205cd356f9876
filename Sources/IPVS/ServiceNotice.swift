// What is told to the administrator's programs and pipes about a virtual service or a real server: keepalived's words and lines.

public import Configuration
public import Net
public import Scripts

/// Whom a notice is about.
public enum ServiceSubject: Hashable, Sendable, CustomStringConvertible {
    case service(VirtualServerIdentity)
    case server(ServerIdentity)

    /// The service, or that of the server.
    public var service: VirtualServerIdentity {
        switch self {
        case .service(let service): service
        case .server(let server): server.service
        }
    }

    /// The name on the bus.
    public var description: String {
        switch self {
        case .service(let service): "\(service)"
        case .server(let server): "\(server)"
        }
    }
}

/// A quorum was gained or lost, or a server came up or went down.
public struct ServiceNotice: Equatable, Sendable {
    /// Whom it is about.
    public let subject: ServiceSubject
    /// The quorum is there; the server is up.
    public let isUp: Bool
    /// What was told before; nil: nothing.
    public let wasUp: Bool?
    /// Its program, if there is one.
    public let program: ToldProgram?
    /// The line in a pipe, without its end: `VS [192.0.2.1]:tcp:80 UP`, `RS [192.0.2.10]:tcp:80 [192.0.2.1]:tcp:80 DOWN`.
    public let line: String

    /// About a service.
    init(_ service: VirtualServerConfiguration, isUp: Bool, wasUp: Bool?) {
        subject = .service(service.identity)
        (self.isUp, self.wasUp) = (isUp, wasUp)
        program =
            isUp
            ? service.quorumUp.map { ToldProgram("quorum_up", $0) }
            : service.quorumDown.map { ToldProgram("quorum_down", $0) }
        line = "VS \(service.pipeName) \(isUp ? "UP" : "DOWN")"
    }

    /// About a server.
    init(_ server: RealServerConfiguration, of service: VirtualServerConfiguration, isUp: Bool, wasUp: Bool?) {
        subject = .server(ServerIdentity(service.identity, server.endpoint))
        (self.isUp, self.wasUp) = (isUp, wasUp)
        program =
            isUp
            ? server.notifyUp.map { ToldProgram("notify_up", $0) }
            : server.notifyDown.map { ToldProgram("notify_down", $0) }
        let name = service.identity.pipeName(of: server.endpoint)
        line = "RS \(name) \(service.pipeName) \(isUp ? "UP" : "DOWN")"
    }

    /// Variables of the program.
    public func environment(reason: String) -> [String: String] {
        var variables = [
            "EVENKEEL_NAME": "\(subject)", "EVENKEEL_STATE": Self.word(isUp),
            "EVENKEEL_OLD_STATE": wasUp.map(Self.word) ?? "INIT", "EVENKEEL_REASON": reason,
        ]
        switch subject {
        case .service: variables["EVENKEEL_TYPE"] = "VS"
        case .server(let server):
            variables["EVENKEEL_TYPE"] = "RS"
            variables["EVENKEEL_SERVICE"] = "\(server.service)"
        }
        return variables
    }

    private static func word(_ isUp: Bool) -> String { isUp ? "UP" : "DOWN" }
}

extension VirtualServerConfiguration {
    /// keepalived's name of the service in pipes and mails; a group has one for all its addresses.
    public var pipeName: String { group.map { "[\($0)]:0" } ?? identity.pipeName }
}

extension VirtualServerIdentity {
    /// keepalived's name of it: `[192.0.2.1]:tcp:80`, `FWM 7`.
    public var pipeName: String {
        switch self {
        case .address(_, let endpoint): pipeName(of: endpoint)
        case .firewallMark(let mark, _): "FWM \(mark)"
        }
    }

    /// keepalived's name of an endpoint of the service.
    public func pipeName(of endpoint: Endpoint) -> String {
        let transport =
            switch self {
            case .address(let transport, _): transport.rawValue
            case .firewallMark: "none"
            }
        return "[\(endpoint.address)]:\(transport):\(endpoint.port)"
    }
}
