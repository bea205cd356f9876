// What can be asked for by hand: the commands of ipvsadm.

public import Configuration

/// Seconds after which idle connections are forgotten; 0 keeps what the kernel has.
public struct TableTimeouts: Equatable, Sendable {
    /// Established TCP.
    public var tcp: UInt32
    /// TCP after a FIN.
    public var tcpFin: UInt32
    /// UDP.
    public var udp: UInt32

    /// Three timeouts.
    public init(tcp: UInt32, tcpFin: UInt32, udp: UInt32) {
        self.tcp = tcp
        self.tcpFin = tcpFin
        self.udp = udp
    }
}

/// One of ipvsadm's commands.
public enum TableCommand: Equatable, Sendable, CustomStringConvertible {
    /// -A, -E, -D, -a, -e, -d.
    case change(Command)
    /// -C.
    case flush
    /// -Z; nil: everything.
    case zero(VirtualServerIdentity?)
    /// --set.
    case setTimeouts(TableTimeouts)
    /// --start-daemon, --stop-daemon.
    case synchronise(SyncCommand)

    /// For logs.
    public var description: String {
        switch self {
        case .change(let command): "\(command)"
        case .flush: "clear the table"
        case .zero(let service): "zero the counters of \(service.map { "\($0)" } ?? "everything")"
        case .setTimeouts(let timeouts): "timeouts \(timeouts.tcp) \(timeouts.tcpFin) \(timeouts.udp)"
        case .synchronise(.start(let daemon)): "start \(daemon)"
        case .synchronise(.stop(let role)): "stop sync daemon \(role)"
        }
    }

    /// The services that commands add to, or make.
    public static func extended(by commands: [TableCommand]) -> Set<VirtualServerIdentity> {
        Set(
            commands.compactMap { command in
                switch command {
                case .change(.addService(let service, _)), .change(.addDestination(let service, _, _)): service
                case .change, .flush, .zero, .setTimeouts, .synchronise: nil
                }
            })
    }

    /// It only adds: undone by a deletion, and nothing that is in the table is touched.
    public var isAddition: Bool {
        switch self {
        case .change(.addService), .change(.addDestination): true
        case .change(.editService), .change(.deleteService), .change(.editDestination), .change(.deleteDestination),
            .flush, .zero, .setTimeouts, .synchronise:
            false
        }
    }
}

/// What is to be done with a change that was asked for by hand.
public enum HandVerdict: Equatable, Sendable {
    /// The kernel decides.
    case send
    /// Nothing is left to do in the kernel; it is noted.
    case note
    /// It is as it is wanted.
    case nothing
    /// The server is configured: this weight becomes a decision about it.
    case weigh(Int32)
    /// As the kernel would: it exists.
    case exists
    /// The configuration says otherwise.
    case configured
    /// It left the configuration, and keeps what it has until its connections have ended.
    case leaving
}

extension Reconciler {
    /// Judges a change that was asked for by hand.
    public func verdict(on command: Command) -> HandVerdict {
        guard let standing = standings[command.service] else { return .send }
        if standing.isLeaving(command) { return .leaving }
        if let configured = standing.configured {
            switch command {
            case .addService: return .exists
            case .editService(_, let attributes):
                return attributes == ServiceAttributes(configured) ? .nothing : .configured
            case .deleteService: return .configured
            case .addDestination, .editDestination, .deleteDestination: break
            }
            if let verdict = verdict(on: command, in: configured) { return verdict }
        }
        return standing.verdict(onHandMade: command)
    }

    /// About a server of a configured service; nil when it is not configured.
    private func verdict(on command: Command, in configured: VirtualServerConfiguration) -> HandVerdict? {
        guard let endpoint = command.endpoint else { return nil }
        let isSorry = configured.sorryServer?.endpoint == endpoint
        guard let server = configured.realServers.first(where: { $0.endpoint == endpoint }) else {
            return isSorry ? .configured : nil
        }
        switch command {
        case .addDestination: return .exists
        case .deleteDestination: return .configured
        case .editDestination(_, _, let attributes):
            // ipvsadm sends 0 for thresholds that were not given.
            let isAsConfigured =
                attributes.forwarding == .method(server.forwarding)
                && [0, server.upperThreshold].contains(attributes.upperThreshold)
                && [0, server.lowerThreshold].contains(attributes.lowerThreshold)
            return isAsConfigured ? .weigh(attributes.weight) : .configured
        case .addService, .editService, .deleteService: return nil
        }
    }
}

extension Standing {
    /// About what was made by hand: the kernel need not have it (a server that was disabled, say), and then has what was noted when it
    /// comes back.
    fileprivate func verdict(onHandMade command: Command) -> HandVerdict {
        guard held != .unknown else { return .send }
        switch command {
        case .deleteService: return handMade.attributes != nil && held == .absent ? .note : .send
        case .addDestination(_, let endpoint, _):
            return handMade.servers[endpoint] != nil && held.entry?.destinations[endpoint] == nil ? .exists : .send
        case .editDestination(_, let endpoint, _), .deleteDestination(_, let endpoint):
            return handMade.servers[endpoint] != nil && held.entry?.destinations[endpoint] == nil ? .note : .send
        case .addService, .editService: return .send
        }
    }
}
