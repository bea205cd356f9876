// `track_group`: instances that cannot do without static addresses, routes and rules. Those are there whoever is master; while the interface of
// one is down or away, or the kernel has it not although it was asked for it, the instances of its group are in FAULT.

internal import Configuration
internal import Net

extension Director {
    /// What one instance cannot do without.
    struct StaticNeeds {
        var addresses: [AddressLine] = []
        var routes: [RouteLine] = []
        var rules: [RuleLine] = []

        /// The interfaces that it is on.
        var devices: [String] {
            addresses.compactMap(\.device) + routes.flatMap(\.devices) + rules.flatMap(\.devices)
        }
    }

    /// Who needs which static lines, by the instance's name.
    static func staticNeeds(of configuration: Configuration) -> [String: StaticNeeds] {
        var needs: [String: StaticNeeds] = [:]
        for group in configuration.trackGroups {
            for name in group.members {
                needs[name, default: StaticNeeds()].addresses += configuration.staticAddresses.filter {
                    $0.trackGroup == group.name && $0.isTracked
                }
                needs[name, default: StaticNeeds()].routes += configuration.staticRoutes.filter {
                    $0.trackGroup == group.name && $0.isTracked
                }
                needs[name, default: StaticNeeds()].rules += configuration.staticRules.filter {
                    $0.trackGroup == group.name && $0.isTracked
                }
            }
        }
        return needs
    }

    /// After every event that may have to do with it: tells the instances whose static things went or came.
    mutating func reviewStaticNeeds(at now: Instant) {
        guard !statics.needs.isEmpty else { return }
        var losses: [String: Set<Fault>] = [:]
        for (name, needs) in statics.needs {
            let lost = lost(of: needs, at: now)
            if !lost.isEmpty { losses[name] = lost }
        }
        guard losses != statics.losses else { return }
        let names = Set(losses.keys).union(statics.losses.keys).filter { losses[$0] != statics.losses[$0] }
        statics.losses = losses
        for id in order where routers[id].map({ names.contains($0.block.name) }) ?? false { derive(id, at: now) }
    }

    /// What the kernel has not although it was asked for it.
    private func lost(of needs: StaticNeeds, at now: Instant) -> Set<Fault> {
        guard phase != .waiting, phase != .stopped else { return [] }
        var faults: Set<Fault> = []
        for line in needs.addresses {
            guard let link = line.device.flatMap({ table.link(named: $0) }) else { continue }
            let address = InterfaceAddress(line, on: link.index)
            if !address.isPresent(in: table), keeper.held.trouble(with: address.key, at: now) != nil {
                faults.insert(.staticLost("address \(line.prefix)"))
            }
        }
        let wants = RoutingWants(needs.routes, needs.rules, in: table)
        for route in wants.routes
        where !route.isPresent(in: table) && routing.routes.trouble(with: route.key, at: now) != nil {
            faults.insert(.staticLost(RoutingTrouble.name(route)))
        }
        for rule in wants.rules
        where !rule.isPresent(in: table) && routing.rules.trouble(with: rule.key, at: now) != nil {
            faults.insert(.staticLost(RoutingTrouble.name(rule)))
        }
        return faults
    }
}
