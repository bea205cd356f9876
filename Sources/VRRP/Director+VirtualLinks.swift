// `use_vmac`: a router speaks from a macvlan's hardware address and has its addresses there. The parent is what its carrier, its source
// address and its sockets depend on. `use_vmac_addr`: addresses on other interfaces have macvlans there. And `promote_secondaries`, which is a
// setting of an interface like those that macvlans need. `use_ipvlan`: the router speaks from an ipvlan with an address of its
// own; its virtual addresses stay on the interface, as in keepalived: the kernel hands frames for them to the one interface that has them, and
// what the host sends from them leaves by the other one's route.

internal import Configuration
internal import Net

extension Director {
    /// Wants the router's macvlans whose interface is there, and what else is to be so on its interface.
    mutating func wantVirtualLinks(of index: RouterTable.Index, on parent: Link?) {
        let router = routers.values[index]
        guard phase != .stopped else { return virtualLinks.release(by: router.id) }
        var want = VirtualLinkKeeper.Want(isUp: router.isHolding)
        for (virtual, device) in router.block.virtualMACs {
            guard let parent = table.link(named: device) else { continue }
            let usesIPv6 = router.block.addresses(on: virtual).contains { $0.prefix.address.family == .inet6 }
            var link = VirtualLink(
                name: virtual.name, parent: parent.index, kind: .macvlan(virtual.mac), usesIPv6: usesIPv6)
            link.vrf = vrf(of: parent)
            want.links.append(link)
        }
        if let ipvlan = router.block.ipvlan, let parent {
            var link = VirtualLink(
                name: ipvlan.name, parent: parent.index, kind: .ipvlan(flags: ipvlan.mode.rawValue))
            link.vrf = vrf(of: parent)
            want.links.append(link)
        }
        // Its macvlan has it anyway.
        if router.block.promoteSecondaries, router.block.virtualMAC == nil { want.promoted = parent?.index }
        virtualLinks.want(want, by: router.id)
    }

    /// The VRF that an interface is in: what is made on it belongs there, too.
    private func vrf(of link: Link) -> Int32? {
        link.master.flatMap { table.links[$0] }.flatMap { $0.kind == .vrf ? $0.index : nil }
    }

    /// Where a router's sockets are, where its source address is looked for and whose MTU counts: its interface, or its ipvlan when that
    /// works; without an interface its VRF.
    func speakingLink(of router: Router) -> Link? {
        guard let device = router.block.socketDevice, let link = table.link(named: device) else { return nil }
        guard let name = router.block.ipvlan?.name,
            let wanted = virtualLinks.wanted(by: router.id).first(where: { $0.name == name }),
            let ipvlan = presence(of: wanted), ipvlan.isUp
        else { return link }
        return ipvlan
    }

    /// The address that a router's ipvlan has whoever is master.
    mutating func placeResident(_ index: RouterTable.Index) {
        let router = routers.values[index]
        var resident: InterfaceAddress?
        if let ipvlan = router.block.ipvlan, let prefix = ipvlan.address,
            let wanted = virtualLinks.wanted(by: router.id).first(where: { $0.name == ipvlan.name }),
            let link = presence(of: wanted)
        {
            resident = InterfaceAddress(
                link: link.index, prefix: prefix, flags: InterfaceAddress.noDuplicateDetection,
                origin: InterfaceAddress.ofVRRP)
        }
        guard resident != router.resident else { return }
        routers.values[index].resident = resident
        if let old = router.resident, old.key != resident?.key { keeper.held.release(old.key, by: router.id) }
        if let resident { keeper.held.want(resident, by: router.id) }
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

    /// Why the macvlan or ipvlan cannot be had: somebody else's interface has its name, or the kernel refuses something.
    func virtualLinkFaults(of router: Router) -> Set<Fault> {
        let wanted = virtualLinks.wanted(by: router.id)
        if let first = wanted.first, let refusal = virtualLinks.refusal(of: router.id) {
            let missing = wanted.first { presence(of: $0) == nil } ?? first
            return [.noVirtualLink(missing.name, refusal)]
        }
        let hindered = wanted.filter { wanted in
            table.link(named: wanted.name).map { !$0.isThe(wanted) && $0.mark == nil } ?? false
        }
        return Set(hindered.map { .noVirtualLink($0.name, "another interface has that name") })
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
        changed.formUnion(ids.filter { routers[$0]?.block.promoteSecondaries ?? false })
        for id in ids.sorted() { derive(id, at: now) }
    }
}

extension VRRPInstanceConfiguration {
    /// The macvlan that an address is on: one of its own, or the instance's where the address is on the instance's interface. Those with
    /// another `dev` stay there, as in keepalived.
    func virtualMAC(of line: AddressLine) -> VirtualMACConfiguration? {
        line.virtualMAC ?? (line.device != nil && line.device == interface ? virtualMAC : nil)
    }

    /// The device that its sockets are bound to; nil = the routes decide.
    var socketDevice: String? { interface ?? vrf }

    /// Its macvlans with the interface of each; the one that it speaks from first.
    var virtualMACs: [(virtual: VirtualMACConfiguration, device: String)] {
        var result: [(virtual: VirtualMACConfiguration, device: String)] = []
        if let virtualMAC, let interface { result.append((virtualMAC, interface)) }
        for line in addresses {
            guard let virtual = line.virtualMAC, let device = line.device,
                !result.contains(where: { $0.virtual.name == virtual.name })
            else { continue }
            result.append((virtual, device))
        }
        return result
    }

    /// The addresses on one of them.
    func addresses(on virtual: VirtualMACConfiguration) -> [AddressLine] {
        addresses.filter { virtualMAC(of: $0)?.name == virtual.name }
    }

    /// IPv6 asks its neighbours from a link-local address. Where none is among the virtual ones, the macvlan has the one of its own hardware
    /// address, which moves with it.
    func implied(on virtual: VirtualLink, _ index: Int32) -> InterfaceAddress? {
        let lines = addresses.filter {
            virtualMAC(of: $0)?.name == virtual.name && $0.prefix.address.family == .inet6
        }
        guard !lines.isEmpty, !lines.contains(where: { $0.prefix.address.isLinkLocal }), let mac = virtual.mac,
            let prefix = IPPrefix(VirtualLink.linkLocal(of: mac), length: 64)
        else { return nil }
        return InterfaceAddress(
            link: index, prefix: prefix, flags: InterfaceAddress.noDuplicateDetection, origin: InterfaceAddress.ofVRRP)
    }
}
