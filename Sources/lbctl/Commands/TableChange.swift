// Services and servers made by hand: what `lbctl service add|edit|delete` and `lbctl server add|edit|delete` share. ipvsd keeps what they make across
// restarts and reloads; what the configuration says it leaves as it is.
import ArgumentParser
import Bus
import Configuration

enum TableChange {
    /// Does one command.
    static func make(
        _ command: IpvsAPI.TableCommand, _ outcome: String, _ daemons: some Daemons
    ) throws(Failure) -> Shown {
        let answer = try daemons.call(IpvsAPI.ChangeTable(commands: [command]))
        let reply = try answer.decoded()
        let unkept = reply.notKept.map { Refusal.notKept($0.printable) }
        if let failure = reply.failure {
            throw .notDone([failure.problem.printable, unkept].compactMap(\.self).joined(separator: "\n"))
        }
        if let unkept { throw .notDone("\(outcome): \(unkept)") }
        return Shown(wire: [answer.parameters]) { $0.add(Cell("\(outcome).")) }
    }

    /// A service as the kernel has it.
    static func service(_ name: String, _ daemons: some Daemons) throws(Failure) -> IpvsAPI.TableService {
        let answers = try Naming.explaining("virtual service", name) { () throws(Failure) in
            try Naming.known(of: daemons).services
        } _: { () throws(Failure) in
            try daemons.list(IpvsAPI.ListTable(service: name))
        }
        var parts = try answers.all(\.services)[...]
        guard var service = parts.popFirst() else { throw .unknownName(kind: "virtual service", name: name, known: []) }
        for part in parts { service.servers += part.servers }
        return service
    }

    /// The name of a service that need not be there.
    static func newName(_ text: String) throws(Failure) -> String {
        guard text.contains("/") else {
            throw .usage(
                "'\(text)' names no service: write tcp/ADDR:PORT, udp/ADDR:PORT, sctp/ADDR:PORT or fwmark/N/inet")
        }
        return text
    }
}

/// What can be said about a service.
struct ServiceOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "The kernel's scheduler: rr, wrr, lc, wlc, sh, mh ….")
    var scheduler: String?

    @Option(
        name: [.customShort("b"), .long],
        help: "Flags of the scheduler, with commas: sh-fallback, sh-port, mh-fallback, mh-port, flag-1, flag-2, flag-3."
    )
    var flags: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("A client stays with its server that long; 0: not persistent.", valueName: "seconds"))
    var persistent: Int?

    @Option(help: ArgumentHelp("Clients of one prefix of that length count as one.", valueName: "length"))
    var prefix: Int?

    @Option(help: "The persistence engine: sip.")
    var engine: String?

    @Flag(inversion: .prefixedNo, help: "Schedule every datagram by itself (UDP and fwmark).")
    var onePacket: Bool?

    /// The names of the flags as the bus has them.
    private static let flagNames = [
        "flag-1": "flag-1", "sh-fallback": "flag-1", "mh-fallback": "flag-1", "flag-2": "flag-2", "sh-port": "flag-2",
        "mh-port": "flag-2", "flag-3": "flag-3",
    ]

    func validate() throws {
        for flag in flags?.split(separator: ",") ?? [] where Self.flagNames[String(flag)] == nil {
            throw ValidationError(
                "There is no flag '\(flag)': \(Self.flagNames.keys.sorted().joined(separator: ", ")).")
        }
        if let persistent, !(0...Persistence.longestTimeout).contains(persistent) {
            throw ValidationError("--persistent takes seconds, 0 to \(Persistence.longestTimeout) (31 days).")
        }
        if let prefix, !(1...128).contains(prefix) { throw ValidationError("--prefix is 1 to 128 (32 with IPv4).") }
    }

    /// The settings with what was said changed.
    func changed(_ before: IpvsAPI.ServiceSettings) -> IpvsAPI.ServiceSettings {
        var settings = before
        if let scheduler { settings.scheduler = scheduler }
        if let flags {
            settings.schedulerFlags = Set(flags.split(separator: ",").compactMap { Self.flagNames[String($0)] })
                .sorted()
        }
        if let persistent { settings.persistenceTimeoutSeconds = persistent == 0 ? nil : persistent }
        if let prefix { settings.persistencePrefixLength = prefix }
        if let engine { settings.persistenceEngine = engine.isEmpty ? nil : engine }
        if let onePacket { settings.onePacket = onePacket }
        if settings.persistenceTimeoutSeconds == nil, prefix != nil || engine != nil {
            settings.persistenceTimeoutSeconds = 300
        }
        if settings.persistenceTimeoutSeconds == nil {
            settings.persistencePrefixLength = nil
            settings.persistenceEngine = nil
        }
        return settings
    }
}

/// What can be said about a server.
struct ServerOptions: ParsableArguments {
    enum Method: String, ExpressibleByArgument, CaseIterable {
        case nat, dr, tun
    }
    enum Wrapping: String, ExpressibleByArgument, CaseIterable {
        case ipip, gue, gre
    }
    enum Checksum: String, ExpressibleByArgument, CaseIterable {
        case nocsum, csum, remcsum
    }

    @Option(name: [.short, .long], help: "How packets get there.")
    var method: Method?

    @Option(help: "What tunnelled packets are wrapped in (with --method tun).")
    var tunnel: Wrapping?

    @Option(help: ArgumentHelp("The UDP port of gue.", valueName: "port"))
    var tunnelPort: Int?

    @Option(help: "Checksums of gue and gre; remcsum with gue only.")
    var tunnelChecksum: Checksum?

    @Option(name: [.short, .long], help: "Share of the load, 0 to 2147483647.")
    var weight: Int?

    @Option(name: [.customShort("x"), .long], help: "Connections at which it gets no more; 0: no limit.")
    var upperThreshold: Int?

    @Option(name: [.customShort("y"), .long], help: "Connections below which it gets some again.")
    var lowerThreshold: Int?

    func validate() throws {
        if let weight, !(0...0x7FFF_FFFF).contains(weight) {
            throw ValidationError("The weight is 0 to 2147483647, not \(weight).")
        }
        for threshold in [upperThreshold, lowerThreshold] {
            if let threshold, !(0...0xFFFF_FFFF).contains(threshold) {
                throw ValidationError("A threshold is 0 to 4294967295, not \(threshold).")
            }
        }
        if tunnel == .gue, tunnelPort == nil {
            throw ValidationError("--tunnel gue needs --tunnel-port, the UDP port that the server listens at.")
        }
        if let tunnelPort, !(1...65535).contains(tunnelPort) {
            throw ValidationError("--tunnel-port is 1 to 65535, not \(tunnelPort).")
        }
        if tunnelPort != nil, tunnel != .gue {
            throw ValidationError("--tunnel-port goes with --tunnel gue: say that too, or leave it out.")
        }
        if tunnelChecksum != nil, tunnel != .gue, tunnel != .gre {
            throw ValidationError(
                "--tunnel-checksum goes with --tunnel gue or --tunnel gre: say one of them too, or leave it out.")
        }
        if tunnelChecksum == .remcsum, tunnel == .gre { throw ValidationError("gre has no remcsum; gue has.") }
        if tunnel != nil, let method, method != .tun {
            throw ValidationError("--tunnel goes with --method tun, not \(method.rawValue): choose one.")
        }
    }

    /// The settings with what was said changed.
    func changed(_ before: IpvsAPI.ServerSettings) -> IpvsAPI.ServerSettings {
        var settings = before
        if let method { settings.forwarding = IpvsAPI.Forwarding(rawValue: method.rawValue) }
        if let tunnel {
            settings.forwarding = .tun
            settings.tunnel = IpvsAPI.Tunnel(
                kind: IpvsAPI.TunnelKind(rawValue: tunnel.rawValue), port: tunnelPort,
                checksum: tunnelChecksum.map { IpvsAPI.TunnelChecksum(rawValue: $0.rawValue) })
        }
        if settings.forwarding != .tun { settings.tunnel = nil }
        if let weight { settings.weight = weight }
        if let upperThreshold { settings.upperThreshold = upperThreshold }
        if let lowerThreshold { settings.lowerThreshold = lowerThreshold }
        return settings
    }
}
