// A command line while it is read, with ipvsadm's defaults for what was not said, and what becomes of it when everything is known.

internal import Configuration
internal import Net

struct DialectDraft {
    let command: CommandName
    /// The options that were given.
    private(set) var given: OptionNames = []
    private var role: SyncRole?

    // The service. Nothing is known of it before its option.
    var transport: IPTransport?
    var family: AddressFamily?
    var address = IPAddress.v4(IPv4Address(rawValue: 0))
    var port: UInt16 = 0
    var mark: UInt32?
    private(set) var scheduler = "wlc"
    var flags: UInt32 = 0
    private(set) var schedulerFlags: String?
    private var persistence: UInt32?
    var netmask = AddressFamily.inet.hostNetmask
    private var engine: String?

    // The server.
    var server = Endpoint(.v4(IPv4Address(rawValue: 0)), port: 0)
    var forwarding = ScannedWord.ForwardingName.gatewaying
    private var weight: Int32 = 1
    private var upperThreshold: UInt32 = 0
    private var lowerThreshold: UInt32 = 0
    private var tunnel = TunnelName.ipip
    private var tunnelPort: UInt16 = 0

    // The synchronisation daemon.
    private var interface = "eth0"
    private var syncID: UInt8 = 0
    private var group = IPAddress.v4(IPv4Address(224, 0, 0, 81))
    private var groupPort: UInt16 = 8848
    private var timeToLive: UInt8 = 1
    private var maximumLength: UInt16?

    private var format: ListFormat = []
    /// `--set`.
    var timeouts = TableTimeouts(tcp: 0, tcpFin: 0, udp: 0)

    /// A command line that begins with `command` and its argument.
    init(_ command: CommandName, _ argument: String?) throws(DialectError) {
        self.command = command
        guard command == .startDaemon || command == .stopDaemon else { return }
        switch argument {
        case "master": role = .master
        case "backup": role = .backup
        case _:
            throw .usage(
                command == .startDaemon
                    ? "illegal start-daemon parameter specified" : "illegal start_daemon specified")
        }
    }

    /// An option is given, which it may be once.
    mutating func set(_ option: OptionName) throws(DialectError) {
        guard !given.contains(option) else { throw .usage("multiple '\(option.text)' options specified") }
        given = given.union([option])
    }

    /// A timeout in seconds.
    static func timeout(_ text: String, from least: Int) throws(DialectError) -> UInt32 {
        guard let seconds = DialectValues.number(text, in: least...Persistence.longestTimeout) else {
            throw .usage("invalid timeout value `\(text)' specified")
        }
        return UInt32(seconds)
    }

    /// An option that says something by itself.
    mutating func take(_ option: OptionName, _ argument: String?) throws(DialectError) {
        try set(option)
        let text = argument ?? ""
        func number(_ range: ClosedRange<Int>, _ what: String) throws(DialectError) -> Int {
            guard let number = DialectValues.number(text, in: range) else { throw .usage("illegal \(what) specified") }
            return number
        }
        switch option {
        // With values that the parser reads.
        case .service, .server, .netmask, .forwarding: break
        case .scheduler: scheduler = text.isEmpty ? scheduler : Self.cut(text, to: 15)
        case .persistent: persistence = argument == nil ? 360 : try Self.timeout(text, from: 1)
        case .engine: engine = text.isEmpty ? nil : Self.cut(text, to: 16)
        case .onePacket: flags |= SchedulerFlags.onePacket.rawValue
        case .schedulerFlags: schedulerFlags = text.isEmpty ? nil : Self.cut(text, to: 127)
        case .weight: weight = Int32(try number(0...Int(Int32.max), "weight"))
        case .upperThreshold: upperThreshold = UInt32(try number(0...Int(Int32.max), "u_threshold"))
        case .lowerThreshold: lowerThreshold = UInt32(try number(0...Int(Int32.max), "l_threshold"))
        case .multicastInterface: interface = text.isEmpty ? interface : Self.cut(text, to: 15)
        case .syncID: syncID = UInt8(try number(0...255, "syncid"))
        case .multicastGroup: try takeGroup(text)
        case .multicastPort: groupPort = UInt16(try number(1...65535, "mcast-port"))
        case .multicastTTL: timeToLive = UInt8(try number(1...255, "mcast-ttl"))
        // An IPv4 packet without its header and UDP's.
        case .maximumLength: maximumLength = UInt16(try number(1...65535 - 20 - 8, "sync-maxlen"))
        case .tunnelType:
            guard let name = TunnelName(rawValue: text) else { throw .usage("illegal tunnel type specified") }
            tunnel = name
        case .tunnelPort: tunnelPort = UInt16(try number(1...65535, "tunnel port"))
        case .tunnelNoChecksum, .tunnelChecksum, .tunnelRemoteChecksum: break
        case .connection, .timeout, .daemon: break
        case .numeric: format.insert(.numeric)
        case .stats: format.insert(.stats)
        case .rate: format.insert(.rate)
        case .thresholds: format.insert(.thresholds)
        case .persistentConnections: format.insert(.persistentConnections)
        case .noSort: format.insert(.noSort)
        case .exact: format.insert(.exact)
        case .tunnelInformation: format.insert(.tunnels)
        }
    }

    private mutating func takeGroup(_ text: String) throws(DialectError) {
        let isV6 = text.utf8.contains(UInt8(ascii: ":"))
        guard let address = IPAddress(text), address.isMulticast else {
            throw .usage("invalid \(isV6 ? "IPv6" : "IPv4") mcast-group `\(text)'")
        }
        group = address
    }

    /// At most so many octets of a text, as strncpy(3) takes them.
    private static func cut(_ text: String, to octets: Int) -> String {
        text.utf8.count <= octets ? text : String(decoding: text.utf8.prefix(octets), as: UTF8.self)
    }
}

extension DialectDraft {
    /// What the whole asks for, when the options go with the command.
    func finished() throws(DialectError) -> DialectCommand {
        switch command {
        case .addService: .change(.addService(try rule()))
        case .editService: .change(.editService(try rule()))
        case .deleteService: .change(.command(.change(.deleteService(service))))
        case .flush: .change(.command(.flush))
        case .addServer: .change(.command(.change(.addDestination(service, endpoint, try attributes()))))
        case .editServer: .change(.command(.change(.editDestination(service, endpoint, try attributes()))))
        case .deleteServer: .change(.command(.change(.deleteDestination(service, server))))
        case .zero: .change(.command(.zero(namesNothing ? nil : service)))
        case .startDaemon: .change(.command(.synchronise(.start(daemon))))
        case .stopDaemon: .change(.command(.synchronise(.stop(role ?? .master))))
        case .restore: .restore
        case .save: .save(format)
        case .list: .list(try listing(), format)
        case .set: .change(.command(.setTimeouts(timeouts)))
        }
    }

    private var service: VirtualServerIdentity {
        if let mark { return .firewallMark(mark, family ?? .inet) }
        return .address(transport ?? .tcp, Endpoint(address, port: port))
    }

    /// No service, or 0.0.0.0:0, which is the same to `-Z`.
    private var namesNothing: Bool { mark == nil && port == 0 && address.octets.allSatisfy { $0 == 0 } }

    private func rule() throws(DialectError) -> ServiceRule {
        let flags = SchedulerFlags(rawValue: self.flags)
        do throws(RuleFault) {
            try service.check(flags, isPersistent: persistence != nil)
        } catch {
            throw .usage(error.text)
        }
        return ServiceRule(
            identity: service, scheduler: scheduler, flags: flags,
            persistenceSeconds: persistence, netmask: netmask, engine: engine)
    }

    private var endpoint: Endpoint { service.place(of: server, isMasqueraded: forwarding == .masquerading) }

    private func attributes() throws(DialectError) -> DestinationAttributes {
        do throws(RuleFault) {
            try service.check(
                server, isTunnelled: forwarding == .tunneling,
                hasTunnelWords: !given.isDisjoint(with: OptionName.ofTunnels))
        } catch {
            throw .usage(error.text)
        }
        try tunnel.check(given)
        let method: ForwardingMethod =
            switch forwarding {
            case .masquerading: .masquerade
            case .gatewaying: .directRouting
            case .tunneling: .tunnel(tunnelKind)
            }
        return DestinationAttributes(
            forwarding: .method(method), weight: weight, upperThreshold: upperThreshold, lowerThreshold: lowerThreshold)
    }

    private var tunnelKind: TunnelKind {
        let checksum: TunnelKind.Checksum =
            given.contains(.tunnelChecksum) ? .whole : given.contains(.tunnelRemoteChecksum) ? .remote : .none
        return switch tunnel {
        case .ipip: .ipip
        case .gue: .gue(port: tunnelPort, checksum)
        case .gre: .gre(checksum)
        }
    }

    private var daemon: SyncDaemon {
        SyncDaemon(
            role: role ?? .master, interface: interface, syncID: syncID, group: group, port: groupPort,
            timeToLive: timeToLive, maximumLength: maximumLength)
    }

    private func listing() throws(DialectError) -> Listing {
        let counters: OptionNames = [.stats, .rate, .thresholds]
        let others: OptionNames = [.timeout, .daemon]
        if !given.isDisjoint(with: others.union([.connection])), !given.isDisjoint(with: counters) {
            throw .usage("options conflicts in the list command")
        }
        if !given.isDisjoint(with: others), given.contains(.persistentConnections) {
            throw .usage("options conflicts in the list command")
        }
        if given.contains(.connection) { return .connections }
        if given.contains(.service) { return .service(service) }
        if given.contains(.timeout) { return .timeouts }
        return given.contains(.daemon) ? .daemons : .table
    }
}

extension RuleFault {
    /// What ipvsadm says.
    fileprivate var text: String {
        switch self {
        case .portZero: "Zero port specified for non-persistent service"
        case .onePacket: "One-Packet Scheduling is only for UDP virtual services"
        case .family: "Different address family is allowed only for tunneling servers"
        case .tunnel: "Tunnel options conflict with forward method"
        }
    }
}
