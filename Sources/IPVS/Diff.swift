// From one table to another in an order that no client notices:
//   1. services are added or edited before their destinations are touched;
//   2. destinations are added, and weights raised, before any weight is lowered or any destination deleted, so that a pool which has
//      somebody to serve before and after is never empty in between (keepalived's sorry server leaves such a moment);
//   3. what changed is edited in place: delete + add would cut established connections and reset counters;
//   4. services that nobody asked us to keep are deleted last, and only if they are ours.

public import Configuration
internal import Net

/// The commands that turn `actual` into `desired`. A service that is in `actual` only is deleted when it is in `owned` and left alone
/// otherwise.
public func diff(
    actual: KernelTable, desired: KernelTable, owned: Set<VirtualServerIdentity>
) -> [Command] {
    var changes = OrderedChanges()
    for (service, entry) in desired.services {
        changes.add(service, from: actual.services[service], to: entry)
    }
    for service in owned where actual.services[service] != nil && desired.services[service] == nil {
        changes.delete(service)
    }
    return changes.commands
}

/// Collects commands into the classes above.
struct OrderedChanges {
    private var services: [Command] = []
    private var raising: [Command] = []
    private var lowering: [Command] = []
    private var deletions: [Command] = []
    private var serviceDeletions: [Command] = []

    /// In safe order.
    var commands: [Command] { services + raising + lowering + deletions + serviceDeletions }

    /// A service that shall be there.
    mutating func add(_ service: VirtualServerIdentity, from actual: ServiceEntry?, to desired: ServiceEntry) {
        if let actual {
            if actual.attributes != desired.attributes { services.append(.editService(service, desired.attributes)) }
        } else {
            services.append(.addService(service, desired.attributes))
        }
        let present = actual?.destinations ?? [:]
        guard present != desired.destinations else { return }
        // In address order, so that a round-robin starts the same way every time.
        for endpoint in desired.destinations.keys.sorted() {
            add(service, endpoint, from: present[endpoint], to: desired.destinations[endpoint])
        }
        for endpoint in present.keys where desired.destinations[endpoint] == nil {
            add(service, endpoint, from: present[endpoint], to: nil)
        }
    }

    /// One destination.
    mutating func add(
        _ service: VirtualServerIdentity, _ endpoint: Endpoint, from actual: DestinationAttributes?,
        to desired: DestinationAttributes?
    ) {
        switch (actual, desired) {
        case (nil, let desired?): raising.append(.addDestination(service, endpoint, desired))
        case (_?, nil): deletions.append(.deleteDestination(service, endpoint))
        case (let actual?, let desired?) where actual != desired:
            let command = Command.editDestination(service, endpoint, desired)
            if desired.weight < actual.weight { lowering.append(command) } else { raising.append(command) }
        case (_?, _?), (nil, nil): break
        }
    }

    /// A service that shall go.
    mutating func delete(_ service: VirtualServerIdentity) {
        serviceDeletions.append(.deleteService(service))
    }
}
