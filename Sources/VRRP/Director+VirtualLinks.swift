// `use_vmac`: a router speaks from a macvlan's hardware address and has its addresses there. The parent is what its carrier, its source
// address and its sockets depend on.

internal import Configuration
internal import Net

extension Director {
    /// Wants the router's macvlan, or none where its interface is not there.
    mutating func wantVirtualLink(of index: Dictionary<RouterID, Router>.Index, on parent: Link?) {
        let router = routers.values[index]
        guard let virtual = router.block.virtualMAC, let parent, phase != .stopped
        else { return virtualLinks.release(by: router.id) }
        let usesIPv6 = router.block.addresses.contains {
            router.block.isOnVirtualLink($0) && $0.prefix.address.family == .inet6
        }
        let wanted = VirtualLink(name: virtual.name, parent: parent.index, mac: virtual.mac, usesIPv6: usesIPv6)
        virtualLinks.want(wanted, isUp: router.isHolding, by: router.id)
    }

    /// The macvlan as it is in the table; nil while it is not there or not the one that is wanted.
    func presence(of wanted: VirtualLink) -> Link? {
        table.link(named: wanted.name).flatMap { $0.isThe(wanted) ? $0 : nil }
    }

    /// The macvlan's channel while it is up. Packets from another router with the same hardware address are handed to it, not to the parent
    /// (macvlan_handle_frame); all others to both.
    func virtualChannel(of block: VRRPInstanceConfiguration, _ base: ChannelKey?) -> ChannelKey? {
        guard case .multicast = block.delivery, let name = block.virtualMAC?.name, let base, let parent = base.link,
            let link = table.link(named: name), link.isPrivateMacvlan, link.parent == parent, link.isUp
        else { return nil }
        var key = base
        key.link = link.index
        key.birth = table.birth(of: link.index)
        return key
    }

    /// Why the macvlan cannot be had: somebody else's interface has its name, or the kernel refuses something.
    func virtualLinkFaults(of router: Router) -> Set<Fault> {
        guard let wanted = virtualLinks.wanted(by: router.id) else { return [] }
        if let refusal = virtualLinks.refusal(of: router.id) { return [.noVirtualLink(wanted.name, refusal)] }
        if let link = table.link(named: wanted.name), !link.isThe(wanted), link.mark == nil {
            return [.noVirtualLink(wanted.name, "another interface has that name")]
        }
        return []
    }

    /// The kernel's answer to changes of interfaces.
    mutating func answered(_ changes: [LinkChange], _ refused: [LinkChange: String], at now: Instant) {
        var ids: Set<RouterID> = []
        for change in changes {
            if let id = virtualLinks.answered(change, refusal: refused[change], at: now) { ids.insert(id) }
            guard refused[change] == nil else { continue }
            // The kernel has done it; its notification is on the way.
            switch change {
            case .create: break
            case .configure(let index, _, let settings):
                // Of an interface that is down there is none.
                if let link = table.links[index] { table.apply(.link(link.configured(settings))) }
            case .set(let index, let isUp):
                guard var link = table.links[index] else { continue }
                link.flags = isUp ? link.flags | Link.up : link.flags & ~(Link.up | Link.running)
                table.apply(.link(link))
            case .delete(let index):
                guard let link = table.links[index] else { continue }
                table.apply(.linkGone(link))
                keeper.linkGone(index)
                virtualLinks.linkGone(index)
            }
        }
        for id in ids.sorted() { derive(id, at: now) }
    }
}

extension VRRPInstanceConfiguration {
    /// Addresses on the instance's own interface are on its macvlan, as in keepalived; those with another `dev` stay.
    func isOnVirtualLink(_ line: AddressLine) -> Bool {
        virtualMAC != nil && line.device != nil && line.device == interface
    }

    /// IPv6 asks its neighbours from a link-local address. Where none is among the virtual ones, the macvlan has the one of its own hardware
    /// address, which moves with it.
    func implied(on virtual: VirtualLink, _ index: Int32) -> InterfaceAddress? {
        let lines = addresses.filter { isOnVirtualLink($0) && $0.prefix.address.family == .inet6 }
        guard !lines.isEmpty, !lines.contains(where: { $0.prefix.address.isLinkLocal }),
            let prefix = IPPrefix(virtual.linkLocal, length: 64)
        else { return nil }
        return InterfaceAddress(
            link: index, prefix: prefix, flags: InterfaceAddress.noDuplicateDetection, origin: InterfaceAddress.ofVRRP)
    }
}
