// `virtual_server`: identity, persistence, flags, quorum. A group becomes one service for each of its addresses.
import Net

extension Interpreter {
    mutating func resolveVirtualServers(_ file: FileDraft, _ configuration: Configuration)
        -> [VirtualServerConfiguration]
    {
        var taken: [VirtualServerIdentity: (word: Word, index: Int)] = [:]
        var servers: [VirtualServerConfiguration] = []
        var marks = GroupMarks(configuration.global)
        let groups = Dictionary(file.serverGroups.map { ($0.name.text, $0) }, uniquingKeysWith: { first, _ in first })
        effective?.reopenFile()
        for (number, statement) in file.virtualServers.enumerated() {
            turn = 2 * number + 1
            let parsed = read(statement, Grammars.virtualServer, from: VirtualServerDraft(global: global))
            let head = parsed.opener.arguments.first ?? parsed.opener.keyword
            for (identity, group, marked) in identities(parsed, groups, in: file, &marks) {
                var server = resolveVirtualServer(parsed, identity, group, configuration)
                server.marked = marked
                if let other = taken[identity] {
                    join(server, to: &servers[other.index], at: head, other: other.word)
                } else {
                    taken[identity] = (head, servers.count)
                    servers.append(server)
                }
            }
        }
        effective?.end()
        return servers
    }

    /// An address that stands in two groups: the kernel has one service for it, with the real servers of both, as keepalived
    /// leaves it there. Anything else that is there twice is an error.
    private mutating func join(
        _ server: VirtualServerConfiguration, to first: inout VirtualServerConfiguration, at head: Word, other: Word
    ) {
        guard let group = server.group, let firstGroup = first.group, group != firstGroup,
            server.marked == nil, first.marked == nil
        else {
            return reporter.error(
                .duplicateName, at: head, "there is a virtual_server \(server.identity) already",
                remedy: (server.marked == nil) == (first.marked == nil)
                    ? "put all real servers into one block"
                    : "write an nftables_ipvs_start_fwmark above all marks that are in use",
                notes: [(other, "the other one")])
        }
        guard server.scheduler == first.scheduler, server.schedulerFlags == first.schedulerFlags,
            server.persistence == first.persistence
        else {
            return reporter.error(
                .contradiction, at: head,
                "\(server.identity) is in groups \(firstGroup) and \(group), which differ in scheduler or persistence",
                remedy: "take it out of one of them, or make the two alike", notes: [(other, "the other one")])
        }
        reporter.warning(
            .adjusted, at: head,
            "\(server.identity) is in groups \(firstGroup) and \(group): one service has the real servers of both",
            remedy: "take it out of one of them if that is not meant", notes: [(other, "whose quorum counts")])
        let known = Set(first.realServers.map(\.endpoint))
        first.realServers += server.realServers.filter { !known.contains($0.endpoint) }
    }

    /// What a block is: one address, one mark, or all of a group's.
    private mutating func identities(
        _ parsed: Parsed<VirtualServerDraft>, _ groups: [String: ServerGroupDraft], in file: FileDraft,
        _ marks: inout GroupMarks
    ) -> [(VirtualServerIdentity, group: String?, marked: MarkedAddresses?)] {
        let words = parsed.opener.arguments
        let draft = parsed.draft
        guard let first = words.first else {
            reporter.error(
                .missingValue, at: parsed.opener.keyword, "virtual_server needs an address, fwmark N or group NAME",
                remedy: "write virtual_server 192.0.2.1 80 {")
            return []
        }
        ignoreExtra(words.dropFirst(2), parsed.opener)
        switch first.text {
        case "fwmark":
            guard let word = words.dropFirst().first else {
                reporter.error(.missingValue, at: first, "fwmark needs a number")
                return []
            }
            guard let mark = integer(word, 1...Int(UInt32.max), of: "fwmark") else { return [] }
            return [(.firewallMark(UInt32(clamping: mark), markFamily(draft)), nil, nil)]
        case "group":
            guard let name = words.dropFirst().first else {
                reporter.error(.missingValue, at: first, "group needs a name")
                return []
            }
            guard let group = groups[name.text] else {
                sayUnknownReference(name, "virtual_server_group", file.serverGroups.map(\.name.text))
                return []
            }
            sayDefaultProtocol(parsed)
            if let mark = marks.mark(of: group, transport(draft)) { return marked(group, draft, mark, name, &marks) }
            return expand(group, draft).map { ($0, name.text, nil) }
        default:
            guard let endpoint = endpoint(words, of: "virtual_server") else { return [] }
            if let family = draft.family, family != endpoint.address.family {
                reporter.error(
                    .contradiction, at: parsed.place(of: "ip_family"), "ip_family is not that of \(endpoint.address)",
                    remedy: "remove it; it is for fwmark")
            }
            sayDefaultProtocol(parsed)
            return [(.address(transport(draft), endpoint), nil, nil)]
        }
    }

    private func expand(_ group: ServerGroupDraft, _ draft: VirtualServerDraft) -> [VirtualServerIdentity] {
        group.members.flatMap { member -> [VirtualServerIdentity] in
            switch member {
            case .addresses(let addresses, let port):
                addresses.map { .address(transport(draft), Endpoint($0, port: port)) }
            case .firewallMark(let mark, let family):
                [.firewallMark(mark, family ?? markFamily(draft))]
            }
        }
    }

    func transport(_ draft: VirtualServerDraft) -> VirtualServerIdentity.TransportProtocol {
        switch draft.transport {
        case .tcp: .tcp
        case .udp: .udp
        case .sctp: .sctp
        }
    }

    /// A mark has the family that is said, else that of its real servers.
    private func markFamily(_ draft: VirtualServerDraft) -> AddressFamily {
        let server = draft.realServers.first?.opener.arguments.first.flatMap { IPAddress($0.text) }
        return draft.family ?? server?.family ?? .inet
    }

    private mutating func sayDefaultProtocol(_ parsed: Parsed<VirtualServerDraft>) {
        guard !parsed.isWritten("protocol") else { return }
        reporter.warning(
            .adjusted, at: parsed.opener.keyword,
            "\(parsed.opener.title) has no protocol; UDP is used, as keepalived does",
            remedy: "add protocol TCP or protocol UDP")
    }

    private mutating func resolveVirtualServer(
        _ parsed: Parsed<VirtualServerDraft>, _ identity: VirtualServerIdentity, _ group: String?,
        _ configuration: Configuration
    ) -> VirtualServerConfiguration {
        let draft = parsed.draft
        var server = VirtualServerConfiguration(identity: identity)
        server.group = group
        if group != nil { server.groupTransport = transport(draft) }
        server.scheduler = draft.scheduler?.text ?? server.scheduler
        server.schedulerFlags = resolveFlags(parsed, identity)
        server.forwarding = draft.forwarding
        server.persistence = resolvePersistence(parsed, identity)
        server.quorumUp = draft.quorumUp
        server.quorumDown = draft.quorumDown
        server.alpha = draft.check.alpha
        server.omega = draft.omega
        server.suspendsWithoutAddress = draft.suspendsWithoutAddress
        server.mailAlert = draft.mailAlert ?? false
        server.realServers = resolveRealServers(parsed, identity, configuration)
        resolveQuorum(parsed, &server)
        if let sorry = draft.sorryServer {
            let forwarding = draft.sorryForwarding ?? draft.forwarding
            let endpoint = resolvePort(sorry.endpoint, forwarding, identity, at: sorry.word)
            sayFamily(sorry.word, endpoint.address, forwarding, identity)
            server.sorryServer = SorryServerConfiguration(
                endpoint: endpoint, forwarding: forwarding, inhibits: draft.sorryInhibits)
        }
        if server.realServers.isEmpty, server.sorryServer == nil, !parsed.has("real_server") {
            reporter.warning(.missingKeyword, at: parsed.opener.keyword, "\(parsed.opener.title) has no real_server")
        }
        sayPitfalls(parsed, server)
        settle(parsed) { draft in
            (draft.quorum, draft.hysteresis) = (server.quorum, server.hysteresis)
            draft.persistenceTimeout = server.persistence?.timeout
        }
        return server
    }

    private mutating func resolveFlags(
        _ parsed: Parsed<VirtualServerDraft>, _ identity: VirtualServerIdentity
    ) -> SchedulerFlags {
        var flags: SchedulerFlags = []
        let scheduler = parsed.draft.scheduler?.text ?? "wlc"
        for (word, flag) in parsed.draft.flags {
            if flag == .onePacket, case .address(let transport, _) = identity, transport != .udp {
                reporter.warning(
                    .adjusted, at: word, "ops is for UDP and firewall marks; it is ignored",
                    remedy: "remove it, or write protocol UDP")
            } else if word.text.hasPrefix("sh-") || word.text.hasPrefix("mh-"), !word.text.hasPrefix(scheduler + "-") {
                reporter.warning(
                    .adjusted, at: word, "\(word.text) does not go with scheduler \(scheduler); it is ignored")
            } else {
                flags.insert(flag)
            }
        }
        return flags
    }

    private mutating func resolvePersistence(
        _ parsed: Parsed<VirtualServerDraft>, _ identity: VirtualServerIdentity
    ) -> Persistence? {
        let draft = parsed.draft
        let bits = identity.family.bits
        var persistence = draft.persistenceTimeout.map {
            Persistence(timeout: $0, prefixLength: bits, engine: draft.engine)
        }
        if let word = draft.granularity {
            let length: Int?
            if let mask = IPv4Address(word.text), identity.family == .inet {
                length = (~mask.rawValue &+ 1) & ~mask.rawValue == 0 ? mask.rawValue.nonzeroBitCount : nil
            } else {
                length = Int(word.text).flatMap { (1...bits).contains($0) ? $0 : nil }
            }
            guard let length else {
                reporter.error(
                    .badValue, at: word, "\(quoted(word.text)) is not a mask or a prefix length",
                    remedy: identity.family == .inet ? "write 255.255.255.0, say" : "write 64, say")
                return persistence
            }
            persistence = persistence ?? Persistence(prefixLength: bits, engine: draft.engine)
            persistence?.prefixLength = length
        }
        if case .address(_, let endpoint) = identity, endpoint.port == 0, persistence == nil {
            reporter.warning(
                .adjusted, at: parsed.opener.keyword,
                "\(parsed.opener.title) has no port, which needs persistence; persistence_timeout 360 is used")
            persistence = Persistence(prefixLength: bits, engine: draft.engine)
        }
        return persistence
    }

    private mutating func resolveQuorum(
        _ parsed: Parsed<VirtualServerDraft>, _ server: inout VirtualServerConfiguration
    ) {
        server.quorum = parsed.draft.quorum
        server.hysteresis = parsed.draft.hysteresis
        let total = server.realServers.reduce(0) { $0 + $1.weight }
        if server.quorum > total, total > 0 {
            reporter.warning(
                .adjusted, at: parsed.place(of: "quorum"),
                "quorum \(server.quorum) is more than all weights together; \(total) is used", remedy: "lower it")
            server.quorum = total
        }
        if server.hysteresis >= server.quorum, server.hysteresis > 0 {
            reporter.warning(
                .adjusted, at: parsed.place(of: "hysteresis"),
                "hysteresis must be less than quorum; \(server.quorum - 1) is used", remedy: "lower it, or raise quorum"
            )
            server.hysteresis = server.quorum - 1
        }
        if server.hysteresis > 0, total > 0, server.quorum + server.hysteresis > total {
            reporter.warning(
                .contradiction, at: parsed.place(of: "hysteresis"),
                "the quorum is gained at \(server.quorum) + \(server.hysteresis), but all weights together are \(total): it never is",
                remedy: "lower hysteresis or quorum, or add servers")
        }
    }

    /// Only tunnels carry one family to servers of the other.
    mutating func sayFamily(
        _ word: Word, _ address: IPAddress, _ forwarding: ForwardingMethod, _ identity: VirtualServerIdentity
    ) {
        if case .tunnel = forwarding { return }
        guard address.family != identity.family else { return }
        reporter.error(
            .contradiction, at: word, "\(address) is not of the family of \(identity)",
            remedy: "use a server of the same family; only TUN can mix them")
    }
}

extension VirtualServerIdentity {
    /// The service's port; 0 for a mark.
    var port: UInt16 {
        switch self {
        case .address(_, let endpoint): endpoint.port
        case .firewallMark: 0
        }
    }
}
