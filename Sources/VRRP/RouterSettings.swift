// From the configuration's words to what the machine and the kernel are told.

public import Configuration
internal import Net

extension RouterConfiguration {
    /// The machine's parameters for an instance.
    /// - Parameter mtu: of the interface; addresses that do not fit a packet of that size are held but not advertised.
    init(_ instance: VRRPInstanceConfiguration, isGrouped: Bool, mtu: Int = .max) {
        self.init(
            version: instance.version == .v2 ? .v2 : .v3, virtualRouterID: instance.virtualRouterID,
            priority: instance.priority, interval: instance.advertInterval,
            addresses: instance.virtualAddresses.prefix(instance.advertisable(within: mtu)).map(\.prefix.address),
            preemption: .enabled,
            missedAdvertisements: instance.downTimerAdverts, answersLowerPriority: !instance.lowerPriorityNoAdvert,
            answersHigherPriority: !instance.strict,
            checksAddresses: !instance.skipCheckAdvertAddresses,
            ownerIgnoresAdvertisements: instance.ownerIgnoresAdverts, isGrouped: isGrouped)
        switch instance.authentication {
        case .none: break
        case .password(let octets): password = Password(octets)
        case .authenticationHeader(let key): headerKey = key
        }
        authenticationHMAC = instance.authenticationHMAC
        refusesOldChecksum = instance.oldUnicastChecksum == .never
        if !instance.preempt {
            preemption = .disabled
        } else if instance.preemptDelay > .zero {
            preemption = .delayed(instance.preemptDelay)
        }
        switch instance.delivery {
        case .multicast:
            origin = .link
        case .unicast(let peers, _):
            let ranges = peers.map { ($0.address, $0.timeToLive ?? 0...255) }
            origin = instance.checkUnicastSource ? .peers(Dictionary(ranges) { _, last in last }) : .anywhere
        }
    }
}

extension AnnouncementSchedule.Settings {
    /// The schedule that `garp_*` asks for.
    init(_ settings: GratuitousARPSettings) {
        self.init()
        becameMaster = AnnouncementSchedule.Parameters(count: settings.count, delay: settings.delay)
        lowerPriority = AnnouncementSchedule.Parameters(
            count: settings.lowerPriorityCount, delay: settings.lowerPriorityDelay)
        refresh = settings.refresh
        refreshCount = settings.refreshCount
        extra = settings.extraInterval
    }
}

extension VRRPInstanceConfiguration {
    /// How many virtual addresses an advertisement carries: 255, or fewer on an interface with a small MTU, because a packet whose header
    /// we write is not fragmented (raw(7)).
    func advertisable(within mtu: Int) -> Int {
        let header = (family == .inet ? 20 : 40) + (isSigned ? AuthenticationHeader.length : 0)
        let trailer = authenticationHMAC?.signs == true ? AuthenticationTrailer.length : 0
        let rest = mtu - header - 8 - (version == .v2 ? 8 : 0) - trailer
        return min(255, max(0, rest / (family.bits / 8)))
    }

    /// Octets of an advertisement with its IP header.
    var advertisementLength: Int {
        let header = (family == .inet ? 20 : 40) + (isSigned ? AuthenticationHeader.length : 0)
        return header + 8 + (version == .v2 ? 8 : 0) + virtualAddresses.count * family.bits / 8
    }

    /// What makes two blocks the same virtual router across a reload: not the name (keepalived's vrrp_exist).
    public struct Identity: Hashable, Sendable, CustomStringConvertible {
        let virtualRouterID: UInt8
        let family: AddressFamily
        let interface: String?
        let local: IPAddress?
        /// Only where another unicast instance is the same in all of the above.
        let name: String?

        /// `51/inet/eth0/224.0.0.18`
        public var description: String {
            "\(virtualRouterID)/\(family)/\(interface ?? "-")/\(local.map { "\($0)" } ?? "-")"
                + (name.map { "/" + $0 } ?? "")
        }
    }

    /// This block's identity.
    public var identity: Identity {
        let local: IPAddress? =
            switch delivery {
            case .multicast(let group): group
            case .unicast: sourceAddress
            }
        return Identity(
            virtualRouterID: virtualRouterID, family: family, interface: socketDevice, local: local,
            name: sharesNumber ? name : nil)
    }

    /// Every address that comes and goes with mastership.
    public var addresses: [AddressLine] { virtualAddresses + excludedAddresses }

    /// The configured source address must be on the host: `track_src_ip`, or unicast, where nothing is heard without it.
    var needsSourceAddress: Bool {
        switch delivery {
        case .multicast: tracksSourceAddress
        case .unicast: true
        }
    }

    /// Nobody but its owner answers for a virtual address of a router without Accept_Mode (RFC 9568 §6.1).
    var refusesPackets: Bool { !accept && priority != 255 }

    /// What its advertisements' checksum is made of, but for peers that are seen to be old.
    var checksum: ChecksumForm {
        if checksumWithoutPseudoHeader { return .messageOnly }
        switch delivery {
        case .multicast: return .pseudoHeader
        case .unicast: return oldUnicastChecksum == .always ? .groupPseudoHeader : .pseudoHeader
        }
    }

    /// Its advertisements travel in Authentication Headers.
    var isSigned: Bool {
        switch authentication {
        case .none, .password: false
        case .authenticationHeader: true
        }
    }

    /// Interfaces whose loss is a fault: its own, those of its addresses, and those tracked without a weight.
    func vitalInterfaces(tracking tracked: [TrackedObject]) -> [String] {
        var names = tracksPrimaryInterface ? [socketDevice].compactMap(\.self) : []
        names += addresses.filter(\.isTracked).compactMap(\.device).filter { $0 != interface }
        names += routes.filter(\.isTracked).flatMap(\.devices).filter { $0 != interface }
        names += rules.filter(\.isTracked).flatMap(\.devices).filter { $0 != interface }
        names += tracked.filter { $0.weight == 0 && !$0.isReversed }.map(\.name)
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }
}

extension InterfaceAddress {
    /// A configuration line on a link.
    init(_ line: AddressLine, on link: Int32) {
        self.init(
            link: link, prefix: line.prefix, peer: line.peer, scope: line.scope, label: line.label ?? "",
            origin: Self.ofVRRP)
        if case .v4(let address) = line.prefix.address, let kind = line.broadcast {
            let hostBits: UInt32 = line.prefix.length == 32 ? 0 : .max >> UInt32(line.prefix.length)
            switch kind {
            case .address(let given): broadcast = given
            case .allOnes: broadcast = IPv4Address(rawValue: address.rawValue | hostBits)
            case .allZeros: broadcast = IPv4Address(rawValue: address.rawValue & ~hostBits)
            }
        }
        if line.prefix.address.family == .inet6, line.skipsDuplicateDetection {
            flags |= InterfaceAddress.noDuplicateDetection
        }
        for option in line.options {
            switch option {
            case .home: flags |= InterfaceAddress.home
            case .mngtmpaddr: flags |= InterfaceAddress.manageTemporary
            case .noprefixroute: flags |= InterfaceAddress.noPrefixRoute
            case .autojoin: flags |= InterfaceAddress.autoJoin
            }
        }
        switch line.preferredLifetime {
        case .forever: preferredLifetime = nil
        case .seconds(let seconds): preferredLifetime = seconds
        }
    }
}
