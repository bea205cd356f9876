// Routes and rules that follow mastership, or stand always (static_routes, static_rules): the comparison of Keeper for both, and the order
// in which they go. Routes need addresses to speak from, rules need the tables that they lead to: addresses, routes, rules when they
// come, the other way round when they go (keepalived's order).

internal import Configuration
internal import Net

extension Route: Kept {
    /// Two routes of one slot are two when they lead elsewhere.
    struct Key: Hashable {
        let slot: RouteSlot
        let kind: RouteLine.Kind
        let gateways: [IPAddress?]
        let links: [Int32?]
    }

    var key: Key { Key(slot: slot, kind: kind, gateways: hops.map(\.gateway), links: hops.map(\.link)) }

    func isPresent(in table: LinkTable) -> Bool { table.routing.route(for: self) != nil }

    /// The kernel has no routes through interfaces that are not up.
    func isPossible(in table: LinkTable) -> Bool {
        hops.allSatisfy { $0.link.map { table.links[$0].map { $0.flags & Link.up != 0 } ?? false } ?? true }
    }
}

extension Rule: Kept {
    var key: RuleLine { line }

    func isPresent(in table: LinkTable) -> Bool { table.routing.rule(for: self) != nil }
    func isPossible(in table: LinkTable) -> Bool { true }
}

/// What one router, or the host, wants.
struct RoutingWants: Equatable {
    var routes: [Route] = []
    var rules: [Rule] = []
    /// Routes whose interface is not there, in words, with its name.
    var unplaced: [RoutingTrouble] = []

    init() {}

    init(_ routes: [RouteLine], _ rules: [RuleLine], in table: LinkTable) {
        for line in routes {
            if let route = Route(line, link: { table.link(named: $0)?.index }) {
                self.routes.append(route)
            } else {
                let device = line.devices.first { table.link(named: $0) == nil } ?? ""
                unplaced.append(.noInterface("\(line.destination)", device))
            }
        }
        self.rules = rules.map { Rule($0) }
    }
}

/// What is wrong with one route or rule, which is named as `ip` would.
public enum RoutingTrouble: Hashable, Sendable, CustomStringConvertible {
    /// The kernel refuses it; tried again every second.
    case refused(String, String)
    /// Somebody else takes it off again and again.
    case takenOffAgainAndAgain(String)
    /// Its interface is not there.
    case noInterface(String, String)

    /// For people.
    public var description: String {
        switch self {
        case .refused(let what, let words): "\(what): \(words)"
        case .takenOffAgainAndAgain(let what): "\(what): somebody else takes it off again and again"
        case .noInterface(let what, let device): "route \(what): there is no interface \(device)"
        }
    }

    init<Object: Kept & CustomStringConvertible>(_ trouble: Keeper<Object>.Trouble) {
        switch trouble {
        case .refused(let object, let words): self = .refused(Self.name(object), words)
        case .takenOffAgainAndAgain(let object): self = .takenOffAgainAndAgain(Self.name(object))
        }
    }

    /// `route 192.0.2.0/24 via 198.51.100.1`
    static func name<Object: CustomStringConvertible>(_ object: Object) -> String {
        object is Rule ? "rule \(object)" : "route \(object)"
    }
}

/// Compares routes and rules of all routers with the kernel's.
struct RoutingKeeper {
    var routes = Keeper<Route>()
    var rules = Keeper<Rule>()
    /// Wanted and held routes by where the kernel looks for them.
    private var bySlot: [RouteSlot: Set<Route.Key>] = [:]

    /// True when something is wanted or held.
    var isInUse: Bool { !routes.entries.isEmpty || !rules.entries.isEmpty }

    var deadline: Instant? {
        [routes.deadline, rules.deadline, routes.calmAt, rules.calmAt].compactMap(\.self).min()
    }

    mutating func want(_ wants: RoutingWants, by router: RouterID) {
        for route in wants.routes {
            bySlot[route.slot, default: []].insert(route.key)
            routes.want(route, by: router)
        }
        for rule in wants.rules { rules.want(rule, by: router) }
    }

    mutating func release(_ wants: RoutingWants, by router: RouterID) {
        for route in wants.routes { routes.release(route.key, by: router) }
        for rule in wants.rules { rules.release(rule.key, by: router) }
    }

    /// Gives back what is not wanted any more; what stays is not touched.
    mutating func exchange(_ old: RoutingWants, for new: RoutingWants, by router: RouterID) {
        let routeKeys = Set(new.routes.map(\.key))
        let ruleKeys = Set(new.rules.map(\.key))
        for route in old.routes where !routeKeys.contains(route.key) { routes.release(route.key, by: router) }
        for rule in old.rules where !ruleKeys.contains(rule.key) { rules.release(rule.key, by: router) }
        want(new, by: router)
    }

    mutating func adopt(_ route: Route, from router: RouterID) {
        bySlot[route.slot, default: []].insert(route.key)
        routes.adopt(route, from: router)
    }

    // MARK: What the kernel says

    /// Applies a notification. True when routes are to be read anew to be sure.
    mutating func heard(
        _ event: RoutingEvent, _ table: inout LinkTable, goesAlong: (Route) -> Bool, at now: Instant
    ) -> Bool {
        switch event {
        case .route(let route): change(&table, route.slot, at: now) { $0.insert(route) }
        case .routeGone(let route):
            change(&table, route.slot, goesAlong: goesAlong(route), at: now) { $0.remove(route) }
        case .replaced(let route):
            guard bySlot[route.slot] != nil else { return false }
            change(&table, route.slot, at: now) { routing in
                routing.replaceFirst(of: route.slot)
                routing.insert(route)
            }
            return true
        case .rule(let rule):
            table.routing.insert(rule)
            rules.heard(rule.key, isGone: false, at: now)
        case .ruleGone(let rule):
            table.routing.remove(rule)
            rules.heard(rule.key, isGone: true, at: now)
        }
        return false
    }

    private mutating func change(
        _ table: inout LinkTable, _ slot: RouteSlot, goesAlong: Bool = false, at now: Instant,
        _ body: (inout RoutingTable) -> Void
    ) {
        guard let keys = bySlot[slot] else { return body(&table.routing) }
        let before = keys.filter { isPresent($0, table) }
        body(&table.routing)
        for key in keys {
            let isThere = isPresent(key, table)
            if before.contains(key), !isThere {
                if goesAlong { routes.wentAlong(key) } else { routes.heard(key, isGone: true, at: now) }
            } else if isThere {
                routes.heard(key, isGone: false, at: now)
            }
        }
        let left = keys.filter { routes.entries[$0] != nil }
        bySlot[slot] = left.isEmpty ? nil : left
    }

    private func isPresent(_ key: Route.Key, _ table: LinkTable) -> Bool {
        routes.entries[key]?.object.isPresent(in: table) ?? false
    }

    // MARK: The difference

    /// What to ask of the kernel now: before addresses change, and after.
    mutating func plan(against table: LinkTable, at now: Instant) -> (first: [KernelChange], last: [KernelChange]) {
        guard routes.isDue(at: now) || rules.isDue(at: now) else { return ([], []) }
        let routes = self.routes.differences(from: table, at: now)
        let rules = self.rules.differences(from: table, at: now)
        let first =
            rules.removals.sorted { $0.ordinal < $1.ordinal }.map { KernelChange.rule(.delete($0.object)) }
            + routes.removals.sorted { $0.ordinal < $1.ordinal }.map { KernelChange.route(.delete($0.object)) }
        let last =
            routes.additions.sorted { $0.ordinal < $1.ordinal }.map { KernelChange.route(.add($0.object)) }
            + rules.additions.sorted { $0.ordinal < $1.ordinal }.map { KernelChange.rule(.add($0.object)) }
        return (first, last)
    }

    /// The table was read anew.
    mutating func tableReplaced(by table: LinkTable) {
        routes.tableReplaced(by: table)
        rules.tableReplaced(by: table)
    }

    /// What is wrong with what a router wants, or has still to give back.
    func troubles(of router: RouterID, _ wants: RoutingWants, at now: Instant) -> [RoutingTrouble] {
        let routeKeys = Set(wants.routes.map(\.key) + routes.lingering(of: router))
        let ruleKeys = Set(wants.rules.map(\.key) + rules.lingering(of: router))
        let found =
            routeKeys.compactMap { routes.trouble(with: $0, at: now) }.map { RoutingTrouble($0) }
            + ruleKeys.compactMap { rules.trouble(with: $0, at: now) }.map { RoutingTrouble($0) }
        return found.sorted { "\($0)" < "\($1)" }
    }
}
