// The kernel's routes and rules as last heard: routes of our making only (a host may have a million others), rules all of them. The kernel
// says nothing when it drops IPv4 routes because their interface or address went: then they are read anew.

internal import Configuration
internal import Net

/// Routes and rules of interest.
public struct RoutingTable: Sendable {
    private var routes: [RouteSlot: [Route]] = [:]
    private var rules: [RuleLine: Rule] = [:]

    /// Knows nothing.
    public init() {}

    /// What a dump said.
    public init(_ snapshot: RoutingSnapshot) {
        for route in snapshot.routes { insert(route) }
        for rule in snapshot.rules { rules[rule.line] = rule }
    }

    /// All routes.
    var allRoutes: [Route] { routes.values.flatMap(\.self) }
    /// All rules.
    var allRules: [Rule] { Array(rules.values) }

    /// The kernel's route that is what `wanted` asks for.
    func route(for wanted: Route) -> Route? { routes[wanted.slot]?.first { wanted.accepts($0) } }

    /// The kernel's rule that says the same.
    func rule(for wanted: Rule) -> Rule? { rules[wanted.line] }

    /// Takes over what the kernel said, or what it did for us.
    mutating func insert(_ route: Route) {
        let others = (routes[route.slot] ?? []).filter { old in
            old.kind != route.kind
                || !(old.acceptsHops(of: route) || route.acceptsHops(of: old) || Self.isJoined(old, route))
        }
        routes[route.slot] = others + [route]
    }

    /// IPv6: a route of one slot that has a hop of the other has become it.
    private static func isJoined(_ old: Route, _ new: Route) -> Bool {
        old.slot.destination.address.family == .inet6
            && old.hops.contains { hop in new.hops.contains { $0.accepts(hop) } }
    }

    mutating func remove(_ route: Route) {
        guard var here = routes[route.slot] else { return }
        switch route.slot.destination.address.family {
        case .inet:
            if let index = here.firstIndex(where: {
                $0.kind == route.kind && $0.origin == route.origin
                    && ($0.acceptsHops(of: route) || route.acceptsHops(of: $0))
            }) {
                here.remove(at: index)
            }
        case .inet6:
            for index in here.indices.reversed() where here[index].kind == route.kind {
                let before = here[index].hops.count
                here[index].hops.removeAll { hop in route.hops.contains { $0.accepts(hop) || hop.accepts($0) } }
                if here[index].hops.isEmpty, before > 0 || route.hops.isEmpty || route.kind != .unicast {
                    here.remove(at: index)
                }
            }
        }
        routes[route.slot] = here.isEmpty ? nil : here
    }

    /// Another route took the place of the first of the slot.
    mutating func replaceFirst(of slot: RouteSlot) {
        guard routes[slot]?.isEmpty == false else { return }
        routes[slot]?.removeFirst()
        if routes[slot]?.isEmpty == true { routes[slot] = nil }
    }

    mutating func insert(_ rule: Rule) { rules[rule.line] = rule }
    mutating func remove(_ rule: Rule) { rules[rule.line] = nil }
}

/// What exists now.
public struct RoutingSnapshot: Hashable, Sendable {
    /// Routes of our making.
    public var routes: [Route] = []
    /// Rules.
    public var rules: [Rule] = []

    /// Nothing.
    public init() {}
}

/// A notification about routes or rules.
public enum RoutingEvent: Hashable, Sendable {
    /// A route of our making appeared or changed.
    case route(Route)
    /// A route took the place of another one of its slot, whoever made it.
    case replaced(Route)
    /// A route of our making is gone.
    case routeGone(Route)
    /// A rule appeared.
    case rule(Rule)
    /// A rule is gone.
    case ruleGone(Rule)
}
