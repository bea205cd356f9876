// The routes and rules of a scripted kernel. As in Linux, routes go without a word when their interface is set down or deleted, or when the
// address that they speak from goes (IPv4); the same route twice is EEXIST; a route whose interface is not up is ENETDOWN.

import Configuration
import Net
import Netlink
import VRRP

struct ScriptedRouting {
    private(set) var snapshot = RoutingSnapshot()

    /// ENETDOWN, EEXIST, ESRCH, ENOENT as the kernel has them; and what it then says.
    mutating func apply(_ change: KernelChange, isUp: (Int32) -> Bool) -> (NetlinkError?, RoutingEvent?) {
        func refusal(_ code: Int32) -> (NetlinkError?, RoutingEvent?) { (.refused(code: code, message: ""), nil) }
        switch change {
        case .address: return (nil, nil)
        case .route(.add(let route)):
            guard route.hops.allSatisfy({ $0.link.map(isUp) ?? true }) else { return refusal(100) }
            guard !snapshot.routes.contains(where: { $0.slot == route.slot && $0.hops == route.hops }) else {
                return refusal(17)
            }
            snapshot.routes.append(route)
            return (nil, .route(route))
        case .route(.delete(let route)):
            guard let index = index(of: route) else { return (nil, nil) }
            return (nil, .routeGone(snapshot.routes.remove(at: index)))
        case .rule(.add(let rule)):
            guard !snapshot.rules.contains(where: { $0.line == rule.line }) else { return (nil, nil) }
            snapshot.rules.append(rule)
            return (nil, .rule(rule))
        case .rule(.delete(let rule)):
            guard let index = snapshot.rules.firstIndex(where: { $0.line == rule.line }) else { return (nil, nil) }
            return (nil, .ruleGone(snapshot.rules.remove(at: index)))
        }
    }

    private func index(of route: Route) -> Int? {
        snapshot.routes.firstIndex { $0.slot == route.slot && $0.hops == route.hops && $0.origin == route.origin }
    }

    /// Routes through an interface go, and nobody is told.
    mutating func linkWentDown(_ link: Int32) {
        snapshot.routes.removeAll { $0.hops.contains { $0.link == link } }
    }

    /// So do those that speak from an address.
    mutating func addressWent(_ address: IPAddress) {
        snapshot.routes.removeAll { $0.preferredSource == address }
    }
}
