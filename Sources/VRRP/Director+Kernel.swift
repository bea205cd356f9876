// What a director asks of the kernel, and what becomes of it: addresses, routes and rules by one way. Also what follows no election.

public import Configuration
internal import Net

extension Director {
    /// static_ipaddress, static_routes and static_rules: there from the start to the end, whoever is master.
    struct Statics {
        var addresses: [AddressLine] = []
        var routes: [RouteLine] = []
        var rules: [RuleLine] = []
        var placed: [InterfaceAddress] = []
        var routing = RoutingWants()
        /// `track_group`: who cannot do without them.
        var needs: [String: StaticNeeds] = [:]
        /// What of that is missing.
        var losses: [String: Set<Fault>] = [:]

        /// The interfaces that they name.
        var devices: [String] { addresses.compactMap(\.device) + routes.flatMap(\.devices) }
    }

    /// Compares what is wanted with the table. What comes: addresses, routes, rules; what goes: rules, routes, addresses.
    mutating func plan(at now: Instant) {
        let (first, last) = routing.plan(against: table, at: now)
        effects.changes = first + keeper.plan(against: table, at: now).map { .address($0) } + last
    }

    mutating func takeNews(at now: Instant) {
        let news = keeper.held.news(at: now)
        let routes = routing.routes.news(at: now)
        let rules = routing.rules.news(at: now)
        changed.formUnion(news.moved.union(routes.moved).union(rules.moved))
        for taken in news.taken { routers[taken.router]?.machine.statistics.addressesPutBack += 1 }
        for taken in routes.taken { routers[taken.router]?.machine.statistics.routesPutBack += 1 }
        for taken in rules.taken { routers[taken.router]?.machine.statistics.routesPutBack += 1 }
        effects.remarks += news.taken.map { Remark.takenOff($0.router, $0.object.prefix) }
        effects.remarks += routes.taken.map { .routingTakenOff($0.router, RoutingTrouble.name($0.object)) }
        effects.remarks += rules.taken.map { .routingTakenOff($0.router, RoutingTrouble.name($0.object)) }
    }

    /// The kernel's answer. It has done what it did not refuse; its notification is on the way.
    mutating func answered(_ changes: [KernelChange], _ refused: [KernelChange: String?], at now: Instant) {
        for change in changes {
            let words = refused[change]
            switch change {
            case .address(let change):
                if let words { keeper.refused(change, words, at: now) } else { addressDone(change) }
            case .route(let change):
                if let words {
                    // It may be there already, unheard.
                    effects.isRoutingInDoubt = true
                    routing.routes.refused(change, words, at: now)
                    continue
                }
                switch change {
                case .add(let route):
                    if table.routing.route(for: route) == nil { table.routing.insert(route) }
                case .delete(let route): table.routing.remove(route)
                }
                routing.routes.done(change)
            case .rule(let change):
                if let words {
                    routing.rules.refused(change, words, at: now)
                    continue
                }
                switch change {
                case .add(let rule): table.routing.insert(rule)
                case .delete(let rule): table.routing.remove(rule)
                }
                routing.rules.done(change)
            }
        }
    }

    private mutating func addressDone(_ change: AddressChange) {
        switch change {
        case .add(var address):
            if address.isDetectedFirst { address.flags |= InterfaceAddress.tentative }
            if !table.has(address.key) { table.apply(.address(address)) }
        case .delete(let address): table.apply(.addressGone(address))
        }
        keeper.done(change)
    }

    /// Nobody knows whether the kernel did the change.
    mutating func areUnknown(_ change: KernelChange, _ words: String, at now: Instant) {
        switch change {
        case .address(let change): keeper.isUnknown(change, words, at: now)
        case .route(let change): routing.routes.isUnknown(change, words, at: now)
        case .rule(let change): routing.rules.isUnknown(change, words, at: now)
        }
    }

    /// Finds what its routes and rules are now; what changed is exchanged, what stays is not touched.
    mutating func placeRouting(_ index: RouterTable.Index) {
        let router = routers.values[index]
        let wants = RoutingWants(router.block.routes, router.block.rules, in: table)
        guard wants != router.routing else { return }
        routers.values[index].routing = wants
        changed.insert(router.id)
        if router.isHolding { routing.exchange(router.routing, for: wants, by: router.id) }
    }
    // MARK: What follows no election

    /// Finds where static addresses and routes belong now, once vrrpd takes part.
    mutating func placeStatics() {
        guard phase != .waiting, phase != .stopped else { return }
        let placed = statics.addresses.compactMap { line in
            line.device.flatMap { table.link(named: $0) }.map { InterfaceAddress(line, on: $0.index) }
        }
        let wants = RoutingWants(statics.routes, statics.rules, in: table)
        if placed != statics.placed {
            changed.insert(.host)
            let keys = Set(placed.map(\.key))
            for old in statics.placed where !keys.contains(old.key) { keeper.held.release(old.key, by: .host) }
            for address in placed { keeper.held.want(address, by: .host) }
            statics.placed = placed
        }
        guard wants != statics.routing else { return }
        changed.insert(.host)
        routing.exchange(statics.routing, for: wants, by: .host)
        statics.routing = wants
    }

    /// Whose routes are of interest grows with a configuration and never shrinks: what was made under an earlier one is to be taken off.
    /// - Returns: true when it grew.
    public mutating func widen(for configuration: Configuration) -> Bool {
        let routes = configuration.staticRoutes + configuration.instances.flatMap(\.routes)
        let before = routeOrigins
        routeOrigins.formUnion(routes.compactMap(\.origin))
        return routeOrigins != before
    }

    /// At the end they go, as keepalived's do.
    mutating func releaseStatics() {
        for address in statics.placed { keeper.held.release(address.key, by: .host) }
        routing.release(statics.routing, by: .host)
        statics = Statics()
    }

    /// Routes and rules that a process before this one left: configured ones by their owner, marked ones that nobody has as strays.
    mutating func adoptRouting(of id: RouterID, isNoted: Bool) -> [String] {
        let wants = id == .host ? statics.routing : routers[id]?.routing ?? RoutingWants()
        var names: [String] = []
        for route in wants.routes {
            guard let present = table.routing.route(for: route), present.origin == Route.ofVRRP || isNoted else {
                continue
            }
            routing.adopt(route, from: id)
            names.append(RoutingTrouble.name(route))
        }
        for rule in wants.rules {
            guard let present = table.routing.rule(for: rule), present.origin == Route.ofVRRP || isNoted else {
                continue
            }
            routing.rules.adopt(rule, from: id)
            names.append(RoutingTrouble.name(rule))
        }
        return names
    }

    /// What was left of static ones stays; what nobody has is taken off, unless another vrrpd of this network namespace has it.
    mutating func adoptStatics() {
        for line in statics.addresses {
            guard let link = line.device.flatMap({ table.link(named: $0) }) else { continue }
            let address = InterfaceAddress(line, on: link.index)
            if table.address(address.key)?.origin == InterfaceAddress.ofVRRP { keeper.held.adopt(address, from: .host) }
        }
        statics.routing = RoutingWants(statics.routes, statics.rules, in: table)
        _ = adoptRouting(of: .host, isNoted: false)
        statics.routing = RoutingWants()
        if isAlone { adoptStrayRouting() }
    }

    /// Marked ones that no configuration has.
    private mutating func adoptStrayRouting() {
        let routes = table.routing.allRoutes.filter { stray in
            stray.origin == Route.ofVRRP
                && !routing.routes.entries.values.contains { $0.object.slot == stray.slot && $0.object.accepts(stray) }
        }
        let rules = table.routing.allRules.filter { $0.origin == Route.ofVRRP && !routing.rules.isOurs($0.key) }
        for route in routes { routing.adopt(route, from: .nobody) }
        for rule in rules { routing.rules.adopt(rule, from: .nobody) }
        let names = routes.map { RoutingTrouble.name($0) } + rules.map { RoutingTrouble.name($0) }
        if !names.isEmpty { effects.remarks.append(.routingLeftBehind(.nobody, names.sorted())) }
    }
}
