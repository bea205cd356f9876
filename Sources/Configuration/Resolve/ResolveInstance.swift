// `vrrp_instance`: family, version, priority, interval, source and destination, as keepalived settles them.
import Net

extension Interpreter {
    mutating func resolveInstances(
        _ drafts: [Parsed<InstanceDraft>], _ configuration: Configuration
    ) -> [VRRPInstanceConfiguration] {
        var taken: [String: Word] = [:]
        var instances: [VRRPInstanceConfiguration] = []
        var places: [Parsed<InstanceDraft>] = []
        var numbered: [RouterNumber: [Int]] = [:]
        for parsed in drafts {
            guard let name = uniqueName(parsed, &taken) else {
                failedInstances.formUnion(parsed.opener.arguments.first.map { [$0.text] } ?? [])
                continue
            }
            var instance = parsed.draft.model
            instance.name = name
            resolveAddresses(parsed, &instance)
            resolveVersion(parsed, &instance)
            resolvePriority(parsed, &instance)
            resolveInterval(parsed, &instance)
            resolveAuthentication(parsed, &instance)
            resolveAuthenticationHMAC(parsed, &instance)
            resolveDelivery(parsed, &instance)
            resolveVRF(parsed, &instance)
            resolveBursts(parsed, &instance)
            let lists = resolveTracks(parsed.draft.tracked, configuration, own: instance.interface)
            instance.trackedInterfaces = lists.interfaces
            instance.trackedScripts = lists.scripts
            instance.trackedFiles = lists.files
            instance.trackedProcesses = lists.processes
            instance.trackedUnits = lists.units
            instance.trackedSessions = lists.sessions
            resolveStrict(parsed, &instance)
            // Without a number that could be read, which is said where it stands, it is like no other.
            let alike = instance.virtualRouterID == 0 ? [] : numbered[instance.number] ?? []
            if let other = alike.first(where: { instances[$0].clashes(with: instance) }) {
                sayClash(parsed, instance, places[other], instances[other])
            }
            for other in alike where instances[other].sharesNumber(with: instance) {
                instances[other].shareNumber()
                instance.shareNumber()
            }
            numbered[instance.number, default: []].append(instances.count)
            instances.append(instance)
            places.append(parsed)
        }
        resolveVirtualMACs(&instances, places, configuration.global)
        for (parsed, instance) in zip(places, instances) {
            settle(parsed) { draft in
                draft.model = instance
                draft.lowerPriorityDelay = instance.gratuitousARP.lowerPriorityDelay
                draft.lowerPriorityCount = instance.gratuitousARP.lowerPriorityCount
            }
        }
        return instances
    }

    private mutating func resolveAddresses(_ parsed: Parsed<InstanceDraft>, _ instance: inout VRRPInstanceConfiguration)
    {
        let device = instance.interface
        let addresses = parsed.draft.virtualAddresses.flatMap { addressLines($0, device: device) }
        let excluded = parsed.draft.excludedAddresses.flatMap { addressLines($0, device: device) }
        instance.virtualAddresses = addresses.map(\.line)
        instance.excludedAddresses = excluded.map(\.line)
        sayNowhere(addresses + excluded, parsed)
        notePlaces(addresses + excluded, parsed.draft)
        instance.family =
            instance.virtualAddresses.first?.prefix.address.family ?? parsed.draft.unicastSource?.family
            ?? parsed.draft.multicastSource?.family ?? parsed.draft.unicastPeers.first?.peer.address.family ?? .inet
        let family = instance.family
        if instance.virtualAddresses.contains(where: { $0.prefix.address.family != family }) {
            reporter.error(
                .contradiction, at: parsed.place(of: "virtual_ipaddress"),
                "\(parsed.opener.title) mixes IPv4 and IPv6 addresses",
                remedy: "move those of one family to virtual_ipaddress_excluded, or to an instance of their own")
        }
        let isEmpty = parsed.draft.virtualAddresses.allSatisfy { $0.block?.statements.isEmpty ?? true }
        if isEmpty, !parsed.draft.allowsNoAddresses, !parsed.attempted.contains("virtual_ipaddress") {
            reporter.warning(
                .missingKeyword, at: parsed.opener.keyword, "\(parsed.opener.title) has no virtual_ipaddress",
                remedy: "add addresses, or no_virtual_ipaddress when none is meant")
        }
        let limit = family == .inet ? 255 : 90
        if instance.virtualAddresses.count > limit {
            reporter.warning(
                .adjusted, at: parsed.place(of: "virtual_ipaddress"),
                "\(instance.virtualAddresses.count) addresses do not fit into an advert; those after \(limit) are excluded from it"
            )
            instance.excludedAddresses += instance.virtualAddresses[limit...]
            instance.virtualAddresses.removeLast(instance.virtualAddresses.count - limit)
        }
    }

    /// Without multicast an instance needs no interface, but its addresses do.
    private mutating func sayNowhere(_ addresses: [(word: Word, line: AddressLine)], _ parsed: Parsed<InstanceDraft>) {
        let homeless = addresses.filter { $0.line.device == nil }
        guard !parsed.draft.unicastPeers.isEmpty, !parsed.isWritten("interface"), let first = homeless.first else {
            return
        }
        let others = homeless.count > 1 ? " (nor have \(homeless.count - 1) more)" : ""
        reporter.error(
            .missingValue, at: first.word, "\(first.line.prefix.address) has no interface to be on\(others)",
            remedy: "write dev IF after it, or interface IF in \(parsed.opener.title)")
    }

    private mutating func resolveVersion(_ parsed: Parsed<InstanceDraft>, _ instance: inout VRRPInstanceConfiguration) {
        guard instance.family == .inet6 else { return }
        if parsed.has("version"), instance.version == .v2 {
            // keepalived sends packets of version 2 over IPv6 then, which no RFC knows.
            reporter.error(
                .contradiction, at: parsed.place(of: "version"), "VRRP version 2 has no IPv6",
                remedy: "write version 3 on every director of \(parsed.opener.title)")
        }
        instance.version = .v3
    }

    private mutating func resolvePriority(_ parsed: Parsed<InstanceDraft>, _ instance: inout VRRPInstanceConfiguration)
    {
        if !parsed.has("priority"), instance.initialState == .master {
            instance.priority = 255
            reporter.warning(
                .adjusted, at: parsed.place(of: "state"),
                "state MASTER without a priority means 255, the owner of the addresses",
                remedy: "write the priority that is meant")
        }
        if instance.priority == 255, instance.initialState == .backup {
            instance.initialState = .master
            if parsed.has("state") {
                reporter.warning(
                    .adjusted, at: parsed.place(of: "state"), "priority 255 starts as master whatever state says",
                    remedy: "write state MASTER, or a priority below 255")
            }
        }
        if !instance.preempt, instance.initialState == .master {
            instance.preempt = true
            reporter.warning(
                .adjusted, at: parsed.statement("nopreempt")?.keyword ?? parsed.opener.keyword,
                "nopreempt does not go with state MASTER; it is ignored", remedy: "write state BACKUP on every director"
            )
        }
        if instance.preemptDelay > .zero, !instance.preempt || instance.initialState == .master {
            let why = !instance.preempt ? "nopreempt" : instance.priority == 255 ? "priority 255" : "state MASTER"
            reporter.warning(
                .adjusted, at: parsed.place(of: "preempt_delay"),
                "preempt_delay does not go with \(why); it is ignored",
                remedy:
                    "remove it, or \(!instance.preempt ? "remove nopreempt" : "write state BACKUP and a priority below 255")"
            )
            instance.preemptDelay = .zero
        }
        if parsed.has("preempt"), parsed.has("nopreempt") {
            reporter.warning(
                .contradiction, at: parsed.place(of: "preempt"),
                "preempt and nopreempt are both given; the last one counts", remedy: "remove one of them")
        }
    }

    private mutating func resolveInterval(_ parsed: Parsed<InstanceDraft>, _ instance: inout VRRPInstanceConfiguration)
    {
        let given = instance.advertInterval
        switch instance.version {
        case .v2:
            let seconds = max(1, (given.nanoseconds + 500_000_000) / 1_000_000_000)
            instance.advertInterval = .seconds(seconds)
        case .v3:
            let centiseconds = min(4095, max(1, (given.nanoseconds + 5_000_000) / 10_000_000))
            instance.advertInterval = .milliseconds(centiseconds * 10)
        }
        guard instance.advertInterval != given else { return }
        let rule = instance.version == .v2 ? "version 2 has whole seconds" : "version 3 has steps of 0.01 up to 40.95 s"
        reporter.warning(
            .adjusted, at: parsed.place(of: "advert_int"), "\(rule); \(secondsText(instance.advertInterval)) s is used",
            remedy: instance.version == .v2 ? "write version 3 for shorter intervals" : nil)
    }

    private mutating func resolveBursts(_ parsed: Parsed<InstanceDraft>, _ instance: inout VRRPInstanceConfiguration) {
        let draft = parsed.draft
        // As in keepalived they follow global_defs, not the instance's other bursts.
        instance.gratuitousARP.lowerPriorityDelay =
            draft.lowerPriorityDelay ?? global.gratuitousARP.lowerPriorityDelay
        instance.gratuitousARP.lowerPriorityCount =
            draft.lowerPriorityCount ?? global.gratuitousARP.lowerPriorityCount
    }

    private mutating func resolveAuthentication(
        _ parsed: Parsed<InstanceDraft>, _ instance: inout VRRPInstanceConfiguration
    ) {
        guard let draft = parsed.draft.authentication, let kind = draft.kind, let secret = draft.secret else { return }
        guard instance.version == .v2 else {
            return reporter.warning(
                .adjusted, at: secret, "version 3 has no authentication; it is ignored",
                remedy: "remove the authentication block")
        }
        var octets = Array(secret.text.utf8)
        if octets.count > 8 {
            // The password itself is nobody's business: what a check prints is pasted into tickets.
            reporter.warning(
                .adjusted, at: secret, "auth_pass is longer than 8 bytes; the first 8 are used, as keepalived does",
                remedy: "write 8 bytes or fewer, the same on every director")
        }
        octets = Array(octets.prefix(8))
        octets += repeatElement(0, count: 8 - octets.count)
        switch kind {
        case .password: instance.authentication = .password(octets)
        case .header: instance.authentication = .authenticationHeader(key: octets)
        }
    }

    private mutating func sayClash(
        _ parsed: Parsed<InstanceDraft>, _ instance: VRRPInstanceConfiguration, _ other: Parsed<InstanceDraft>,
        _ first: VRRPInstanceConfiguration
    ) {
        reporter.error(
            .contradiction, at: parsed.place(of: "virtual_router_id"),
            "\(instance.name) and \(first.name) have the same virtual_router_id \(instance.virtualRouterID) on \(instance.interface ?? "the same addresses")",
            remedy: instance.delivery.isUnicast
                ? "give one of them another number, or peers that the other one does not have"
                : "give each virtual router of a network its own number",
            notes: [(other.place(of: "virtual_router_id"), "\(first.name)'s")])
    }
}

/// What adverts are told apart by.
private struct RouterNumber: Hashable {
    let virtualRouterID: UInt8
    let family: AddressFamily
    let interface: String?
}

extension VRRPInstanceConfiguration {
    fileprivate var number: RouterNumber {
        RouterNumber(virtualRouterID: virtualRouterID, family: family, interface: interface)
    }

    /// True when the two, which have one number, would hear each other's adverts as their own virtual router's. Unicast instances may
    /// have one number as long as their peers differ, or their own addresses.
    fileprivate func clashes(with other: VRRPInstanceConfiguration) -> Bool {
        switch (delivery, other.delivery) {
        case (.multicast(let group), .multicast(let second)): return group == second
        case (.unicast(let peers, _), .unicast(let others, _)):
            return mayShareSource(with: other) && !Set(peers.map(\.address)).isDisjoint(with: others.map(\.address))
        case (.multicast, .unicast), (.unicast, .multicast): return false
        }
    }

    /// True for two unicast instances, which have one number, that speak from one address, as far as is known.
    fileprivate func sharesNumber(with other: VRRPInstanceConfiguration) -> Bool {
        delivery.isUnicast && other.delivery.isUnicast && mayShareSource(with: other)
    }

    /// Then an advert must come from a peer.
    fileprivate mutating func shareNumber() {
        sharesNumber = true
        checkUnicastSource = true
    }

    private func mayShareSource(with other: VRRPInstanceConfiguration) -> Bool {
        sourceAddress == other.sourceAddress || sourceAddress == nil || other.sourceAddress == nil
    }
}

extension AdvertDelivery {
    fileprivate var isUnicast: Bool {
        switch self {
        case .multicast: false
        case .unicast: true
        }
    }
}
