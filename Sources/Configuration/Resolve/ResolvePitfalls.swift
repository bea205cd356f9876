// What is allowed and hurts all the same: each with what will happen, and the mend.
import Net

/// A virtual address on its instance's interface.
struct PlacedAddress: Sendable {
    var word: Word
    var prefix: IPPrefix
    var interface: String
    /// The source of the instance's adverts, which is an address of the interface.
    var source: IPAddress?
}

extension Interpreter {
    /// Remembers the addresses of an instance that are on its interface: whether they belong there is asked when the machine is.
    mutating func notePlaces(_ addresses: [(word: Word, line: AddressLine)], _ draft: InstanceDraft) {
        guard let interface = draft.model.interface, draft.virtualMAC == nil, draft.ipvlan == nil else { return }
        let source = (draft.unicastSource ?? draft.multicastSource).flatMap { $0.isLinkLocal ? nil : $0 }
        for (word, line) in addresses where line.device == interface && line.peer == nil {
            placedAddresses.append(
                PlacedAddress(word: word, prefix: line.prefix, interface: interface, source: source))
        }
    }

    /// Addresses that nobody on their interface's network looks for there. What the interface has says it; where the machine is not known,
    /// the source of adverts, if the address has a prefix.
    mutating func sayMisplaced(_ machine: some MachineFacts) {
        guard !placedAddresses.isEmpty else { return }
        let all = machine.networks(in: global.networkNamespace)
        for placed in placedAddresses {
            let address = placed.prefix.address
            // On every link, and RFC 9568's first address of IPv6.
            guard !address.isLinkLocal else { continue }
            let networks = all?[placed.interface]?
                .filter { $0.address.family == address.family && $0.address != address && !$0.address.isLinkLocal }
            let known: String
            if let networks, !networks.isEmpty {
                guard !networks.contains(where: { $0.contains(address) }) else { continue }
                known = "\(placed.interface) is in \(networks.map(\.description).joined(separator: ", "))"
            } else if let source = placed.source, source.family == address.family {
                guard placed.prefix.length < address.family.bits, !placed.prefix.contains(source) else { continue }
                known = "adverts on \(placed.interface) come from \(source)"
            } else {
                continue
            }
            reporter.warning(
                .contradiction, at: placed.word,
                "\(placed.prefix) is in another network than its interface (\(known)): its neighbours reach it through a router only, "
                    + "or not at all",
                remedy:
                    "check the address and its prefix; name the right interface with dev IF, or give \(placed.interface) an "
                    + "address of that network")
        }
    }

    /// Pitfalls of a service that was resolved.
    mutating func sayPitfalls(_ parsed: Parsed<VirtualServerDraft>, _ server: VirtualServerConfiguration) {
        if let sorry = server.sorryServer, let word = parsed.draft.sorryServer?.word,
            let twin = server.realServers.first(where: { $0.endpoint == sorry.endpoint })
        {
            let place = parsed.draft.realServers.first {
                $0.opener.arguments.first?.text == word.text
            }?.opener.arguments.first
            reporter.warning(
                .contradiction, at: word,
                "\(twin.endpoint) is a real_server of \(parsed.opener.title) too: when the quorum is lost, clients are sent to it "
                    + "although it may be what failed",
                remedy: "name a host that serves nothing but the apology, or remove sorry_server",
                notes: place.map { [($0, "the real server")] } ?? [])
        }
        if server.schedulerFlags.contains(.onePacket), server.persistence != nil,
            let flag = parsed.draft.flags.first(where: { $0.flag == .onePacket })
        {
            reporter.warning(
                .contradiction, at: flag.word,
                "with persistence all packets of a client go to one server: ops spreads nothing",
                remedy: "remove persistence_timeout to spread each packet, or remove ops")
        }
    }
}
