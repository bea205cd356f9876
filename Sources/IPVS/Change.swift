// From what the kernel has of a service to what it should have, in two phases that no client notices:
//   1. raising: the service is added or edited, destinations are added, weights raised;
//   2. lowering: weights are lowered, destinations deleted, the service deleted.
// The second phase follows only when the first was accepted, so a pool that has somebody to serve before and after is never empty in
// between (keepalived's sorry server leaves such a moment). What changed is edited in place: delete + add would cut connections and reset
// counters.

public import Configuration
internal import Net

/// The commands for one service, in their two phases.
public struct Change: Equatable, Sendable {
    /// Adds and raises; sent first.
    public internal(set) var raising: [Command] = []
    /// Lowers and deletes; sent when nothing of `raising` was refused.
    public internal(set) var lowering: [Command] = []

    /// Nothing to do.
    public init() {}

    /// True when there is nothing to do.
    public var isEmpty: Bool { raising.isEmpty && lowering.isEmpty }
    /// Both phases in order.
    public var commands: [Command] { raising + lowering }

    /// Everything that turns `actual` (nil = not in the table) into `desired`.
    public init(_ service: VirtualServerIdentity, from actual: ServiceEntry?, to desired: ServiceEntry) {
        if let actual {
            if actual.attributes != desired.attributes { raising.append(.editService(service, desired.attributes)) }
        } else {
            raising.append(.addService(service, desired.attributes))
        }
        let present = actual?.destinations ?? [:]
        guard present != desired.destinations else { return }
        // In address order, so that a round-robin starts the same way every time.
        for endpoint in desired.destinations.keys.sorted() {
            add(service, endpoint, from: present[endpoint], to: desired.destinations[endpoint])
        }
        for endpoint in present.keys.sorted() where desired.destinations[endpoint] == nil {
            lowering.append(.deleteDestination(service, endpoint))
        }
    }

    /// What one destination needs.
    mutating func add(
        _ service: VirtualServerIdentity, _ endpoint: Endpoint, from actual: DestinationAttributes?,
        to desired: DestinationAttributes?
    ) {
        switch (actual, desired) {
        case (nil, let desired?): raising.append(.addDestination(service, endpoint, desired))
        case (_?, nil): lowering.append(.deleteDestination(service, endpoint))
        case (let actual?, let desired?) where actual != desired:
            let command = Command.editDestination(service, endpoint, desired)
            if desired.weight < actual.weight { lowering.append(command) } else { raising.append(command) }
        case (_?, _?), (nil, nil): break
        }
    }

    /// Without the commands for which `isRefused` holds. A service that cannot be added gets no destinations either.
    func without(_ isRefused: (Command) -> Bool) -> Change {
        var change = self
        change.raising.removeAll(where: isRefused)
        change.lowering.removeAll(where: isRefused)
        if case .addService = raising.first, change.raising.first != raising.first { change.raising = [] }
        return change
    }
}
