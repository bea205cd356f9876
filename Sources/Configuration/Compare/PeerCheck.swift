// What the files of two directors must have in common, and what must differ. Neither file is wrong by itself, so nobody says it when one of
// them is read: two masters, or nobody who takes over, are what comes of it.
import Net

extension LoadedConfiguration {
    /// Warnings about this director's file beside `peer`'s, at the places in this one. Both must have been read with
    /// `LoadOptions.collectsValues`.
    /// - Parameter name: what the peer's file is called.
    public func disagreements(with peer: LoadedConfiguration, named name: String) -> [Diagnostic] {
        guard let configuration, let other = peer.configuration else { return [] }
        var said = PeerDisagreements(blocks: blocks, peer: name)
        for instance in configuration.instances {
            guard let counterpart = other.counterpart(of: instance) else {
                said.say(
                    instance, "virtual_router_id",
                    "no instance of \(name) has virtual_router_id \(instance.virtualRouterID): nobody takes over from this director",
                    remedy: "give \(instance.name) the same number on both directors")
                continue
            }
            said.compare(instance, counterpart)
        }
        for instance in other.instances where configuration.counterpart(of: instance) == nil {
            said.say(
                nil, "",
                "\(name) has vrrp_instance \(instance.name) (\(instance.virtualRouterID)), which is not here: "
                    + "nobody takes over from the peer",
                remedy: "add it here too")
        }
        said.compareServices(configuration, other)
        return said.diagnostics
    }
}

extension Configuration {
    /// The instance of the same virtual router: by number and family, where several have them by name.
    fileprivate func counterpart(of instance: VRRPInstanceConfiguration) -> VRRPInstanceConfiguration? {
        let same = instances.filter {
            $0.virtualRouterID == instance.virtualRouterID && $0.family == instance.family
        }
        return same.first { $0.name == instance.name } ?? same.first
    }
}

extension [AddressLine] {
    fileprivate var set: Set<IPAddress> { Set(map(\.prefix.address)) }
}

/// Collects what is said.
private struct PeerDisagreements {
    let blocks: [EffectiveBlock]
    let peer: String
    var diagnostics: [Diagnostic] = []

    mutating func say(
        _ instance: VRRPInstanceConfiguration?, _ word: String, _ message: String, remedy: String
    ) {
        say(in: instance.map { "vrrp_instance \($0.name)" }, word, message, remedy: remedy)
    }

    private mutating func say(in title: String?, _ word: String, _ message: String, remedy: String) {
        let block = title.flatMap { title in blocks.first { $0.title == title } } ?? blocks.first
        let written = block?.settings.first { $0.word == word }?.origin.position
        let position = written ?? block?.position ?? SourcePosition(file: "", line: 0, column: 0)
        diagnostics.append(
            Diagnostic(
                severity: .warning, code: .contradiction,
                source: SourceExcerpt(position: position, length: 1, line: ""), message: message, remedy: remedy,
                notes: []))
    }

    mutating func compare(_ own: VRRPInstanceConfiguration, _ other: VRRPInstanceConfiguration) {
        if own.priority == other.priority {
            say(
                own, "priority",
                "\(peer) has priority \(own.priority) too: the higher interface address decides who is master, not you",
                remedy: "give the director that shall usually hold the addresses a higher priority")
        }
        if own.version != other.version {
            say(
                own, "version",
                "\(peer) speaks version \(other.version.rawValue), this one \(own.version.rawValue): neither hears the other, both become master",
                remedy: "write the same version on both")
        } else if own.version == .v2, own.advertInterval != other.advertInterval {
            say(
                own, "advert_int",
                "\(peer) has advert_int \(secondsText(other.advertInterval)), this one \(secondsText(own.advertInterval)): "
                    + "version 2 drops adverts of another interval, so both become master",
                remedy: "write the same advert_int on both, or version 3, which follows the master's")
        }
        if own.authentication != other.authentication {
            say(
                own, "auth_pass", "\(peer) has another authentication: neither hears the other, both become master",
                remedy: "write the same auth_type and auth_pass on both")
        }
        if (own.authenticationHMAC == nil) != (other.authenticationHMAC == nil) {
            say(
                own, "auth_hmac",
                "only one of the two signs its adverts (auth_hmac): the one that checks drops the other's",
                remedy: "write auth_hmac with the same keys on both")
        }
        compareAddresses(own, other)
        compareDelivery(own, other)
    }

    /// What the master holds, and what of it is in its adverts.
    private mutating func compareAddresses(_ own: VRRPInstanceConfiguration, _ other: VRRPInstanceConfiguration) {
        func listed(_ addresses: some Sequence<IPAddress>) -> String {
            addresses.sorted().map(\.description).joined(separator: ", ")
        }
        let (advertised, excluded) = (own.virtualAddresses.set, own.excludedAddresses.set)
        let (othersAdvertised, othersExcluded) = (other.virtualAddresses.set, other.excludedAddresses.set)
        let missing = advertised.union(excluded).symmetricDifference(othersAdvertised.union(othersExcluded))
        for (word, here) in [
            ("virtual_ipaddress", advertised.union(othersAdvertised)),
            ("virtual_ipaddress_excluded", excluded.union(othersExcluded)),
        ] {
            let lost = missing.intersection(here)
            guard !lost.isEmpty else { continue }
            say(
                own, word, "only one of the two has \(listed(lost)): a takeover loses it",
                remedy: "write the same \(word) on both")
        }
        let halfSaid = advertised.symmetricDifference(othersAdvertised).subtracting(missing)
        if !halfSaid.isEmpty {
            say(
                own, "virtual_ipaddress",
                "only one of the two advertises \(listed(halfSaid)), the other one excludes it: each says of the other's "
                    + "adverts that their addresses differ",
                remedy: "write it in virtual_ipaddress on both, or in virtual_ipaddress_excluded on both")
        }
    }

    private mutating func compareDelivery(_ own: VRRPInstanceConfiguration, _ other: VRRPInstanceConfiguration) {
        switch (own.delivery, other.delivery) {
        case (.multicast(let group), .multicast(let second)):
            guard group != second else { return }
            say(
                own, "mcast_dst_ip", "\(peer) sends to \(second), this one to \(group): both become master",
                remedy: "write the same group on both")
        case (.unicast(let peers, _), .unicast(let others, _)):
            for (sender, file, listener) in [
                (own.sourceAddress, "this file", peer), (other.sourceAddress, peer, "this file"),
            ] where sender == nil {
                say(
                    own, "unicast_peer",
                    "\(file) has no unicast_src_ip: whether the address that its director sends from is among the "
                        + "unicast_peer of \(listener) cannot be seen",
                    remedy: "write unicast_src_ip on both directors")
            }
            for (sender, listeners, place) in [
                (other.sourceAddress, peers, "peers here"), (own.sourceAddress, others, peer),
            ] {
                guard let sender, !listeners.contains(where: { $0.address == sender }) else { continue }
                say(
                    own, "unicast_peer",
                    "\(sender) is not among the unicast_peer of \(place == peer ? peer : "this file")"
                        + ": its director is sent no adverts, and becomes master too",
                    remedy: "add \(sender) to unicast_peer")
            }
        case (.multicast, .unicast), (.unicast, .multicast):
            say(
                own, "unicast_peer", "one of the two sends to a group, the other to peers: both become master",
                remedy: "write unicast_peer on both, or on neither")
        }
    }

    mutating func compareServices(_ own: Configuration, _ other: Configuration) {
        let here = Dictionary(own.virtualServers.map { ($0.identity, $0) }) { first, _ in first }
        let there = Dictionary(other.virtualServers.map { ($0.identity, $0) }) { first, _ in first }
        for service in own.virtualServers where there[service.identity] == nil {
            say(
                in: nil, "", "\(peer) has no virtual_server \(service.identity): after a takeover nobody serves it",
                remedy: "add it there")
        }
        for service in other.virtualServers where here[service.identity] == nil {
            say(
                in: nil, "",
                "\(peer) has virtual_server \(service.identity), which is not here: after a takeover nobody serves it",
                remedy: "add it here")
        }
        for service in own.virtualServers {
            guard let counterpart = there[service.identity] else { continue }
            let missing = Set(service.realServers.map(\.endpoint))
                .symmetricDifference(counterpart.realServers.map(\.endpoint))
            guard !missing.isEmpty else { continue }
            let names = missing.map(\.description).sorted().joined(separator: ", ")
            say(
                in: nil, "", "only one of the two has \(names) in \(service.identity): a takeover changes who serves",
                remedy: "write the same real servers on both")
        }
    }
}
