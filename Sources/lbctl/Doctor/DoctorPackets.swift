// Which packets a director lives by, and what it is when the firewall drops them: advertisements both ways, clients' packets to the services, what goes
// on to the servers, and with masquerading their answers.
import Configuration
import Net

extension DoctorFacts {
    /// More services or servers than this are looked at no further: rules are about kinds of packets, and what one meets others meet.
    private static let most = 200

    func firewallFindings() -> [Finding] {
        let services = (configuration?.virtualServers ?? []).prefix(Self.most)
        let needed =
            (configuration?.instances ?? []).flatMap(advertisements) + services.flatMap(requests)
            + services.flatMap(forwarded)
        var seen: Set<String> = []
        return needed.compactMap { need in
            for table in firewall {
                for hook in need.hooks {
                    guard let chain = table.drop(of: need.packet, at: hook) else { continue }
                    let finding = need.finding(table, chain, hook)
                    return seen.insert(finding.remedy ?? finding.what).inserted ? finding : nil
                }
            }
            return nil
        }
    }

    private func advertisements(_ instance: VRRPInstanceConfiguration) -> [NeededPacket] {
        var transport = FirewallProtocol.vrrp
        if case .authenticationHeader = instance.authentication { transport = FirewallProtocol.authenticationHeader }
        // Those to a virtual MAC come in by an interface of its own.
        let interface = instance.virtualMAC == nil && instance.ipvlan == nil ? instance.interface : nil
        let packet = FirewallPacket(family: instance.family, transport: transport, interface: interface)
        let routes: [(peer: IPAddress?, group: IPAddress?)] =
            switch instance.delivery {
            case .multicast(let group): [(nil, group)]
            case .unicast(let peers, _): peers.map { ($0.address, nil) }
            }
        return routes.flatMap { peer, group -> [NeededPacket] in
            var (incoming, outgoing) = (packet, packet)
            (incoming.source, incoming.destination) = (peer, group ?? instance.sourceAddress)
            (outgoing.source, outgoing.destination) = (instance.sourceAddress, group ?? peer)
            return [
                NeededPacket(
                    packet: incoming, hooks: [.prerouting, .input], what: "advertisements of \(instance.name)",
                    why: "this director does not hear the others, and becomes master beside them"),
                NeededPacket(
                    packet: outgoing, hooks: [.output, .postrouting], what: "advertisements of \(instance.name)",
                    why: "the others do not hear this director, and become master beside it"),
            ]
        }
    }

    private func requests(_ service: VirtualServerConfiguration) -> [NeededPacket] {
        guard case .address(let transport, let endpoint) = service.identity else { return [] }
        let packet = FirewallPacket(
            family: endpoint.address.family, transport: transport.number, destination: endpoint.address,
            destinationPort: endpoint.port == 0 ? nil : endpoint.port)
        return [
            NeededPacket(
                packet: packet, hooks: [.prerouting, .input], what: "packets of clients to \(service.identity)",
                why: "IPVS takes them behind the firewall's input chain: nobody reaches the service")
        ]
    }

    /// What goes to the servers, and comes back from them.
    private func forwarded(_ service: VirtualServerConfiguration) -> [NeededPacket] {
        guard case .address(let transport, let endpoint) = service.identity else { return [] }
        return service.realServers.prefix(Self.most).flatMap { server -> [NeededPacket] in
            let address = server.endpoint.address
            let why = "connections to \(service.identity) get no answer"
            var packet = FirewallPacket(
                family: address.family, transport: transport.number, destination: address,
                destinationPort: server.endpoint.port == 0 ? nil : server.endpoint.port,
                state: ipvsTracks ? .new : .untracked)
            var answers: [NeededPacket] = []
            switch server.forwarding {
            case .masquerade:
                // Without net.ipv4.vs.conntrack the tracking knows nothing of the request, so a SYN-ACK is invalid to it.
                let answer = FirewallPacket(
                    family: address.family, transport: transport.number, source: address,
                    sourcePort: packet.destinationPort,
                    state: ipvsTracks ? .established : transport == .tcp ? .invalid : .new)
                answers = [
                    NeededPacket(
                        packet: answer, hooks: [.prerouting, .forward], what: "answers of \(server.endpoint)", why: why)
                ]
            case .directRouting:
                packet.destination = endpoint.address
                packet.family = endpoint.address.family
            case .tunnel(let kind):
                packet.destinationPort = nil
                switch kind {
                case .ipip:
                    packet.transport =
                        address.family != endpoint.address.family || address.family == .inet6
                        ? (endpoint.address.family == .inet6 ? FirewallProtocol.ipv6 : FirewallProtocol.ipip)
                        : FirewallProtocol.ipip
                case .gue(let port, _): (packet.transport, packet.destinationPort) = (FirewallProtocol.udp, port)
                case .gre: packet.transport = FirewallProtocol.gre
                }
                answers = [tooLong(service, endpoint.address.family)]
            }
            return [
                NeededPacket(packet: packet, hooks: [.output], what: "packets to server \(server.endpoint)", why: why)
            ] + answers
        }
    }

    /// A tunnel takes octets: clients must be told that their packets are too long.
    private func tooLong(_ service: VirtualServerConfiguration, _ family: AddressFamily) -> NeededPacket {
        NeededPacket(
            packet: FirewallPacket(
                family: family, transport: family == .inet ? FirewallProtocol.icmp : FirewallProtocol.icmp6,
                state: .related),
            hooks: [.output], what: "ICMP errors to clients of \(service.identity)",
            why: "tunnels have a smaller MTU, and clients do not hear that their packets are too long: transfers hang")
    }
}

/// A packet that must pass.
private struct NeededPacket {
    var packet: FirewallPacket
    var hooks: [FirewallHook]
    var what: String
    var why: String

    func finding(_ table: FirewallTable, _ chain: FirewallChain, _ hook: FirewallHook) -> Finding {
        let (place, remedy): (String, String)
        switch table.kind {
        case .nftables(let family):
            place = "chain \(chain.name) of nft table \(family) \(table.name)"
            remedy =
                "nft insert rule \(family) \(table.name.shellWord) \(chain.name.shellWord) \(words(nft: family)) accept"
        case .iptables, .ip6tables:
            let program = table.kind == .iptables ? "iptables" : "ip6tables"
            place = "chain \(chain.name) of \(program) (\(table.name))"
            remedy = "\(program) -t \(table.name) -I \(chain.name.shellWord) \(iptablesWords) -j ACCEPT"
        }
        return Finding(
            severity: .willHurt, subject: "firewall", what: "\(what) are dropped by \(place)", why: why,
            remedy: remedy + "; and the same in the firewall's own configuration")
    }

    private func words(nft family: String) -> String {
        let name = packet.family == .inet ? "ip" : "ip6"
        var words: [String] = []
        if family == "inet" { words.append("meta nfproto \(packet.family == .inet ? "ipv4" : "ipv6")") }
        if let source = packet.source { words.append("\(name) saddr \(source)") }
        if let destination = packet.destination { words.append("\(name) daddr \(destination)") }
        words.append("meta l4proto \(packet.transport)")
        if let port = packet.sourcePort { words.append("th sport \(port)") }
        if let port = packet.destinationPort { words.append("th dport \(port)") }
        return words.joined(separator: " ")
    }

    private var iptablesWords: String {
        var words: [String] = []
        if let source = packet.source { words.append("-s \(source)") }
        if let destination = packet.destination { words.append("-d \(destination)") }
        words.append("-p \(packet.transport)")
        if let port = packet.sourcePort { words.append("--sport \(port)") }
        if let port = packet.destinationPort { words.append("--dport \(port)") }
        return words.joined(separator: " ")
    }
}

extension VirtualServerIdentity.TransportProtocol {
    fileprivate var number: UInt8 {
        switch self {
        case .tcp: FirewallProtocol.tcp
        case .udp: FirewallProtocol.udp
        case .sctp: FirewallProtocol.sctp
        }
    }
}
