// `use_ipvlan` and `vrf`: words to an ipvlan's name, address and mode, and what goes with what.
import Net

extension Interpreter {
    /// The words of `use_ipvlan`, in any order.
    mutating func ipvlan(_ statement: Statement) -> IPVLANDraft {
        var draft = IPVLANDraft()
        for word in statement.arguments {
            if let mode = Self.modes[word.text] {
                if draft.mode == nil { draft.mode = mode } else { ignoreExtra([word], statement) }
            } else if let prefix = IPPrefix(word.text) {
                if draft.address == nil { draft.address = prefix } else { ignoreExtra([word], statement) }
            } else if draft.name == nil {
                if isInterfaceName(word) { draft.name = word }
            } else {
                ignoreExtra([word], statement)
            }
        }
        return draft
    }

    private static let modes: [String: IPVLANConfiguration.Mode] = [
        "bridge": .bridge, "private": .private, "vepa": .vepa,
    ]

    /// Settles an instance's ipvlan under a name; IPv4 has no address to speak from unless one is given.
    mutating func resolveIPVLAN(
        _ parsed: Parsed<InstanceDraft>, _ draft: IPVLANDraft, named name: String,
        _ instance: inout VRRPInstanceConfiguration, beside others: [VRRPInstanceConfiguration]
    ) {
        let place = parsed.place(of: "use_ipvlan")
        let address = draft.address ?? instance.sourceAddress.map { IPPrefix(host: $0) }
        guard parsed.draft.virtualMAC == nil else {
            return reporter.error(
                .contradiction, at: place, "\(parsed.opener.title) has use_vmac and use_ipvlan",
                remedy: "remove one of them")
        }
        guard address.map({ $0.address.family == instance.family }) ?? (instance.family == .inet6) else {
            return reporter.error(
                .contradiction, at: place,
                "\(parsed.opener.title) has no \(instance.family == .inet ? "IPv4" : "IPv6") address for its ipvlan",
                remedy: "write use_ipvlan ADDR/LENGTH: adverts come from that address")
        }
        let mode = draft.mode ?? .bridge
        if let other = others.first(where: {
            $0.interface == instance.interface && $0.ipvlan.map { $0.mode != mode } ?? false
        }) {
            return reporter.error(
                .contradiction, at: place, "\(other.name) has an ipvlan of another mode on the same interface",
                remedy: "write the same of bridge, private and vepa in both")
        }
        instance.sourceAddress = instance.sourceAddress ?? address?.address
        instance.ipvlan = IPVLANConfiguration(name: name, address: address, mode: mode)
    }

    /// A VRF takes the place of the interface, as in keepalived.
    mutating func resolveVRF(_ parsed: Parsed<InstanceDraft>, _ instance: inout VRRPInstanceConfiguration) {
        guard instance.vrf != nil else { return }
        let isUnicast = if case .unicast = instance.delivery { true } else { false }
        guard !isUnicast || instance.interface != nil else { return }
        reporter.warning(
            .adjusted, at: parsed.place(of: "vrf"), "vrf is for unicast without an interface; it is ignored",
            remedy: "remove it: an interface in a VRF is used in that VRF anyway")
        instance.vrf = nil
    }
}
