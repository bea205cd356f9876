// Where an instance's adverts come from and go to: interface, source address, group or peers.
import Net

extension Interpreter {
    mutating func resolveDelivery(_ parsed: Parsed<InstanceDraft>, _ instance: inout VRRPInstanceConfiguration) {
        let draft = parsed.draft
        instance.sourceAddress = draft.unicastSource ?? draft.multicastSource
        let sourceWord = draft.unicastSource != nil ? "unicast_src_ip" : "mcast_src_ip"
        if let source = instance.sourceAddress, source.family != instance.family {
            reporter.error(
                .contradiction, at: parsed.place(of: sourceWord), "the source address is not of the addresses' family",
                remedy: "write an \(instance.family == .inet ? "IPv4" : "IPv6") address")
        }
        let wantsUnicast = parsed.has("unicast_src_ip") || parsed.has("unicast_peer")
        if draft.faultsWithoutPeer, wantsUnicast {
            resolveUnicast(parsed, &instance)
        } else if draft.unicastPeers.isEmpty {
            resolveSource(parsed, sourceWord, &instance)
            resolveMulticast(parsed, &instance)
        } else {
            resolveUnicast(parsed, &instance)
        }
        if instance.interface == "lo" {
            reporter.error(
                .contradiction, at: parsed.place(of: "interface"), "VRRP cannot run on the loopback interface",
                remedy: "name the interface that the other directors are on")
        }
    }

    /// RFC 9568 §5.1.2.1: IPv6 advertisements to the group come from a link-local address. keepalived's fail to be sent (EINVAL) otherwise.
    private mutating func resolveSource(
        _ parsed: Parsed<InstanceDraft>, _ word: String, _ instance: inout VRRPInstanceConfiguration
    ) {
        guard case .v6(let source)? = instance.sourceAddress, !source.isLinkLocal else { return }
        reporter.warning(
            .adjusted, at: parsed.place(of: word),
            "\(source) is not link-local: IPv6 adverts come from the interface's link-local address",
            remedy: "remove \(word), or write a link-local address of the interface")
        instance.sourceAddress = nil
    }

    private mutating func resolveMulticast(_ parsed: Parsed<InstanceDraft>, _ instance: inout VRRPInstanceConfiguration)
    {
        if instance.interface == nil, !parsed.isWritten("interface") {
            reporter.error(
                .missingKeyword, at: parsed.opener.keyword, "\(parsed.opener.title) has no interface",
                remedy: "add interface IF, the interface that the other directors are on")
        }
        let standard: IPAddress = instance.family == .inet ? .v4(global.multicastGroup4) : .v6(global.multicastGroup6)
        let group = parsed.draft.multicastGroup ?? standard
        if !group.isMulticast || group.family != instance.family {
            reporter.error(
                .badValue, at: parsed.place(of: "mcast_dst_ip"),
                "\(group) is not a multicast group of the addresses' family")
        }
        instance.delivery = .multicast(group: group)
        if let peers = parsed.statement("unicast_peer") {
            // What is wrong in it has been said.
            guard peers.block?.statements.isEmpty ?? true else { return }
            reporter.warning(
                .contradiction, at: peers.keyword, "unicast_peer names nobody: adverts are multicast",
                remedy: "write the other directors' addresses in it, or remove it")
        } else if parsed.has("unicast_src_ip") {
            reporter.warning(
                .contradiction, at: parsed.place(of: "unicast_src_ip"),
                "without unicast_peer adverts are multicast from this address",
                remedy: "add unicast_peer { ADDR }, or write mcast_src_ip")
        }
    }

    private mutating func resolveUnicast(_ parsed: Parsed<InstanceDraft>, _ instance: inout VRRPInstanceConfiguration) {
        if instance.interface == nil, instance.sourceAddress == nil, !parsed.isWritten("interface") {
            reporter.error(
                .missingKeyword, at: parsed.opener.keyword,
                "\(parsed.opener.title) has neither interface nor unicast_src_ip",
                remedy: "add one of them")
        }
        let needsLink = instance.interface == nil && !parsed.isWritten("interface")
        if needsLink, let source = instance.sourceAddress, source.isLinkLocal {
            sayNoLink(of: source, at: parsed.place(of: "unicast_src_ip"), parsed)
        }
        var peers: [UnicastPeer] = []
        var taken: Set<IPAddress> = []
        for (word, peer) in parsed.draft.unicastPeers {
            if peer.address.family != instance.family {
                reporter.error(
                    .contradiction, at: word, "the peer is not of the addresses' family",
                    remedy: "write an \(instance.family == .inet ? "IPv4" : "IPv6") address")
            } else if needsLink, peer.address.isLinkLocal {
                sayNoLink(of: peer.address, at: word, parsed)
            } else if peer.address == instance.sourceAddress {
                reporter.warning(.adjusted, at: word, "this is the own unicast_src_ip; it is left out of the peers")
            } else if !taken.insert(peer.address).inserted {
                reporter.warning(.duplicateKeyword, at: word, "\(peer.address) is a peer already")
            } else {
                peers.append(peer)
            }
        }
        if peers.contains(where: { $0.timeToLive != nil }) { instance.checkUnicastSource = true }
        instance.delivery = .unicast(peers: peers, timeToLive: parsed.draft.unicastTimeToLive)
    }

    private mutating func sayNoLink(of address: IPAddress, at word: Word, _ parsed: Parsed<InstanceDraft>) {
        reporter.error(
            .missingValue, at: word, "\(address) is link-local: it means nothing without an interface",
            remedy: "write interface IF in \(parsed.opener.title)")
    }
}
