// `use_vmac` and `use_vmac_addr`: words to a macvlan's name and hardware address. Names are settled when all instances are known: IPv4 and IPv6 may have a
// virtual router of the same number on one interface, and it may be there on several interfaces.
import Net

extension Interpreter {
    /// The words of `use_vmac`: a name, a hardware address of six octets or its first five, in any order.
    mutating func virtualMAC(_ statement: Statement) -> VirtualMACDraft {
        var draft = VirtualMACDraft()
        for (place, word) in statement.arguments.enumerated() {
            if word.text.utf8.contains(UInt8(ascii: ":")) {
                draft.mac = hardwareAddress(word)
            } else if word.text == "netlink_notify_msg" {
                continue
            } else if draft.name == nil {
                if isInterfaceName(word) { draft.name = word }
            } else {
                ignoreExtra(statement.arguments[place...], statement)
                break
            }
        }
        return draft
    }

    /// Of five octets the sixth is left 0 for the virtual router's number.
    private mutating func hardwareAddress(_ word: Word) -> MACAddress? {
        let isShort = word.text.utf8.count { $0 == UInt8(ascii: ":") } == 4
        guard let mac = MACAddress(isShort ? word.text + ":00" : word.text), mac.octets[0] & 1 == 0, mac.rawValue != 0
        else {
            reporter.error(
                .badValue, at: word, "\(quoted(word.text)) is not the hardware address of an interface",
                remedy: "leave it out for the virtual router's own, 00:00:5e:00:01:VRID")
            return nil
        }
        return mac
    }

    /// Gives each `use_vmac` its macvlan: names from the file first, then PREFIX.VRID, PREFIX6.VRID for IPv6, PREFIX.VRID.N for want of both.
    mutating func resolveVirtualMACs(
        _ instances: inout [VRRPInstanceConfiguration], _ places: [Parsed<InstanceDraft>], _ global: GlobalDefinitions
    ) {
        var taken = Set(instances.compactMap(\.interface))
        let given = places.indices.filter { places[$0].draft.virtualLinkName != nil }
        let others = places.indices.filter {
            places[$0].draft.virtualLinkName == nil && places[$0].draft.hasVirtualLink
        }
        for index in given + others {
            let instance = instances[index]
            let parsed = places[index]
            let word = parsed.draft.ipvlan == nil ? "use_vmac" : "use_ipvlan"
            guard instance.interface != nil else {
                reporter.error(
                    .contradiction, at: parsed.place(of: word),
                    "\(parsed.opener.title) has \(word) and no interface for it to be on",
                    remedy: "write interface IF")
                continue
            }
            let given = parsed.draft.virtualLinkName
            let name =
                given?.text ?? freeName(instance.virtualRouterID, instance.family, global.virtualMACPrefix, taken)
            guard isFree(name, given, parsed, &taken) else { continue }
            if let draft = parsed.draft.ipvlan {
                resolveIPVLAN(parsed, draft, named: name, &instances[index], beside: instances)
                continue
            }
            let own = VirtualMACConfiguration.mac(virtualRouterID: instance.virtualRouterID, instance.family)
            var mac = instance.strict ? own : parsed.draft.virtualMAC?.mac ?? own
            if mac.octets[5] == 0 { mac = MACAddress(rawValue: mac.rawValue | UInt64(instance.virtualRouterID)) }
            let isUnicast = if case .unicast = instance.delivery { true } else { false }
            instances[index].virtualMAC = VirtualMACConfiguration(
                name: name, mac: mac,
                transmitsOnBase: isUnicast || parsed.draft.transmitsOnBase && !instance.strict)
        }
        resolveAddressMACs(&instances, places, global, &taken)
    }

    /// `use_vmac_addr`, and `use_vmac` of an address: where the instance's own macvlan does not fit, because the address is on another
    /// interface or of the other family, it gets one there. Of one hardware address there can be but one on an interface.
    private mutating func resolveAddressMACs(
        _ instances: inout [VRRPInstanceConfiguration], _ places: [Parsed<InstanceDraft>], _ global: GlobalDefinitions,
        _ taken: inout Set<String>
    ) {
        struct Place: Hashable {
            let device: String
            let mac: MACAddress
        }
        var names: [Place: String] = [:]
        for instance in instances {
            guard let virtual = instance.virtualMAC, let device = instance.interface else { continue }
            names[Place(device: device, mac: virtual.mac)] = virtual.name
        }
        for index in instances.indices {
            let instance = instances[index]
            for list in [\VRRPInstanceConfiguration.virtualAddresses, \.excludedAddresses] {
                for number in instance[keyPath: list].indices {
                    let line = instance[keyPath: list][number]
                    let family = line.prefix.address.family
                    let isElsewhere = line.device != instance.interface || family != instance.family
                    let isAsked =
                        isElsewhere
                        ? line.asksForVirtualMAC || places[index].draft.usesVirtualMACForAddresses
                        : line.asksForVirtualMAC && instance.virtualMAC == nil
                    guard isAsked, let device = line.device else { continue }
                    let mac = VirtualMACConfiguration.mac(virtualRouterID: instance.virtualRouterID, family)
                    let place = Place(device: device, mac: mac)
                    let prefix = global.virtualMACAddressPrefix ?? global.virtualMACPrefix
                    let name = names[place] ?? freeName(instance.virtualRouterID, family, prefix, taken)
                    guard names[place] != nil || isFree(name, nil, places[index], &taken) else { return }
                    names[place] = name
                    instances[index][keyPath: list][number].virtualMAC = VirtualMACConfiguration(name: name, mac: mac)
                }
            }
        }
    }

    private func freeName(
        _ number: UInt8, _ family: AddressFamily, _ prefix: String, _ taken: Set<String>
    ) -> String {
        let first = "\(prefix).\(number)"
        if !taken.contains(first) { return first }
        if family == .inet6, !taken.contains("\(prefix)6.\(number)") { return "\(prefix)6.\(number)" }
        return (1...taken.count + 1).lazy.map { "\(first).\($0)" }.first { !taken.contains($0) } ?? first
    }

    private mutating func isFree(
        _ name: String, _ word: Word?, _ parsed: Parsed<InstanceDraft>, _ taken: inout Set<String>
    ) -> Bool {
        guard name.utf8.count <= 15 else {
            reporter.error(
                .badValue, at: parsed.place(of: parsed.draft.ipvlan == nil ? "use_vmac" : "use_ipvlan"),
                "\(quoted(name)) is too long for an interface's name",
                remedy: "give it a name of at most 15 bytes, or write a shorter vmac_prefix")
            return false
        }
        guard taken.insert(name).inserted else {
            reporter.error(
                .contradiction, at: word ?? parsed.place(of: "use_vmac"),
                "\(quoted(name)) is the name of another interface of this file", remedy: "give each its own")
            return false
        }
        return true
    }
}

extension InstanceDraft {
    /// The name that the file gives the macvlan or ipvlan.
    fileprivate var virtualLinkName: Word? { ipvlan == nil ? virtualMAC?.name : ipvlan?.name }
    fileprivate var hasVirtualLink: Bool { ipvlan != nil || virtualMAC != nil }
}
