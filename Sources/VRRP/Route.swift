// Routes and routing rules as the kernel has them (rtnetlink(7), linux/rtnetlink.h, linux/fib_rules.h), as values: Netlink decodes and
// encodes them, keepers compare them.
//
// Both carry who made them. Ours are marked with protocol 112, as our addresses are (IFA_PROTO): keepalived's own 18 would make a
// keepalived on the same host and us take each other's for leftovers. `protocol` of a line overrides it.

public import Configuration
public import Net

/// Where the kernel looks for a route: several of one slot stand in a row (IPv4) or share (IPv6).
public struct RouteSlot: Hashable, Sendable {
    /// Host bits zero.
    public var destination: IPPrefix
    /// IPv6 only.
    public var source: IPPrefix?
    /// The routing table.
    public var table: UInt32
    /// The type of service.
    public var typeOfService: UInt8
    /// The metric.
    public var priority: UInt32

    /// A slot.
    public init(
        destination: IPPrefix, source: IPPrefix? = nil, table: UInt32 = 254, typeOfService: UInt8 = 0,
        priority: UInt32 = 0
    ) {
        self.destination = destination
        self.source = source
        self.table = table
        self.typeOfService = typeOfService
        self.priority = priority
    }
}

/// A route.
public struct Route: Hashable, Sendable {
    /// One way to the destination.
    public struct Hop: Hashable, Sendable {
        /// The neighbour; nil = the destination is on the link.
        public var gateway: IPAddress?
        /// The interface; nil = wanted without one, the kernel finds it.
        public var link: Int32?
        /// 1...256.
        public var weight: Int
        /// RTNH_F_ONLINK.
        public var isOnLink: Bool

        /// A way.
        public init(gateway: IPAddress? = nil, link: Int32? = nil, weight: Int = 1, isOnLink: Bool = false) {
            self.gateway = gateway
            self.link = link
            self.weight = weight
            self.isOnLink = isOnLink
        }

        /// True when the kernel's `other` is what this one asks for.
        func accepts(_ other: Hop) -> Bool { gateway == other.gateway && (link == nil || link == other.link) }
    }

    /// Where the kernel looks for it.
    public var slot: RouteSlot
    /// unicast, blackhole …
    public var kind: RouteLine.Kind
    /// Empty for those that lead nowhere.
    public var hops: [Hop]
    /// RTPROT_*: who made it.
    public var origin: UInt8
    /// RT_SCOPE_*.
    public var scope: UInt8
    /// RTA_PREFSRC.
    public var preferredSource: IPAddress?
    /// RTA_FLOW.
    public var realms: UInt32?
    /// RTAX_*.
    public var metrics: [RouteLine.Metric: UInt32]
    /// RTAX_LOCK.
    public var locked: Set<RouteLine.Metric> = []
    /// RTAX_CC_ALGO.
    public var congestionControl: String?
    /// RTA_PREF (IPv6).
    public var preference: UInt8?
    /// RTA_EXPIRES (IPv6): seconds.
    public var expires: UInt32?
    /// What happens beside another route of the slot.
    public var placement = RouteLine.Placement.prepend

    /// A route.
    public init(
        _ slot: RouteSlot, kind: RouteLine.Kind = .unicast, hops: [Hop] = [], origin: UInt8 = Route.ofVRRP,
        scope: UInt8 = 0, preferredSource: IPAddress? = nil, metrics: [RouteLine.Metric: UInt32] = [:]
    ) {
        self.slot = slot
        self.kind = kind
        self.hops = hops
        self.origin = origin
        self.scope = scope
        self.preferredSource = preferredSource
        self.metrics = metrics
    }

    /// The mark of routes and rules that vrrpd adds.
    public static let ofVRRP = InterfaceAddress.ofVRRP

    /// A configuration line, with its interfaces found by `link`; nil while one of them is not there.
    init?(_ line: RouteLine, link: (String) -> Int32?) {
        let family = line.destination.address.family
        // ip6_route_info_create: a metric of 0 is IP6_RT_PRIO_USER.
        let priority = line.priority ?? 0
        self.init(
            RouteSlot(
                destination: line.destination.network, source: line.source?.network, table: line.table,
                typeOfService: line.typeOfService, priority: family == .inet6 && priority == 0 ? 1024 : priority),
            kind: line.kind, origin: line.origin ?? Self.ofVRRP, scope: line.scope ?? Self.scope(of: line),
            preferredSource: line.preferredSource, metrics: line.metrics)
        for hop in line.hops {
            var index: Int32?
            if let device = hop.device {
                guard let found = link(device) else { return nil }
                index = found
            }
            hops.append(Hop(gateway: hop.gateway, link: index, weight: hop.weight, isOnLink: hop.isOnLink))
        }
        realms = line.realms
        locked = line.locked
        congestionControl = line.congestionControl
        preference = line.preference
        expires = line.expires
        placement = line.placement
    }

    /// What `ip route` gives a route without `scope`.
    private static func scope(of line: RouteLine) -> UInt8 {
        guard line.destination.address.family == .inet else { return 0 }
        switch line.kind {
        case .local: return 254
        case .broadcast, .multicast, .anycast: return 253
        case .unicast: return line.hops.allSatisfy { $0.gateway == nil } ? 253 : 0
        case .blackhole, .unreachable, .prohibit, .throw: return 0
        }
    }

    /// True when the kernel's route `other` of the same slot is what this one asks for.
    func accepts(_ other: Route) -> Bool {
        guard kind == other.kind, origin == other.origin else { return false }
        if let preferredSource, preferredSource != other.preferredSource { return false }
        guard metrics.allSatisfy({ other.metrics[$0.key] == $0.value }) else { return false }
        return acceptsHops(of: other)
    }

    /// IPv4 keeps the order; IPv6 joins routes of one slot into one with several hops.
    func acceptsHops(of other: Route) -> Bool {
        switch slot.destination.address.family {
        case .inet:
            hops.isEmpty || hops.count == other.hops.count && zip(hops, other.hops).allSatisfy { $0.accepts($1) }
        case .inet6: hops.allSatisfy { hop in other.hops.contains { hop.accepts($0) } }
        }
    }
}

extension Route: CustomStringConvertible {
    /// As `ip route` begins it.
    public var description: String {
        var words = kind == .unicast ? [] : ["\(kind)"]
        words.append(slot.destination.length == 0 ? "default" : "\(slot.destination)")
        words += hops.compactMap(\.gateway).map { "via \($0)" }
        if slot.table != 254 { words.append("table \(slot.table)") }
        return words.joined(separator: " ")
    }
}

/// A routing rule.
public struct Rule: Hashable, Sendable, CustomStringConvertible {
    /// What it says; `origin` and `trackGroup` are nil and `isTracked` true here.
    public var line: RuleLine
    /// FRA_PROTOCOL: who made it.
    public var origin: UInt8

    /// A rule.
    public init(_ line: RuleLine, origin: UInt8 = Route.ofVRRP) {
        self.line = line
        self.origin = line.origin ?? origin
        self.line.origin = nil
        self.line.isTracked = true
        self.line.trackGroup = nil
        self.line.source = line.source?.network
        self.line.destination = line.destination?.network
    }

    /// As `ip rule` begins it.
    public var description: String {
        var words = ["priority \(line.priority)"]
        words.append("from \(line.source.map { "\($0)" } ?? "all")")
        if let destination = line.destination { words.append("to \(destination)") }
        if case .table(let table?) = line.action { words.append("table \(table)") }
        return words.joined(separator: " ")
    }
}

extension IPPrefix {
    /// Host bits zero.
    public var network: IPPrefix {
        let octets = address.octets.enumerated().map { index, octet in
            let bits = min(8, max(0, length - index * 8))
            return octet & ~UInt8(truncatingIfNeeded: 0xFF >> bits)
        }
        return IPAddress(octets: octets).flatMap { IPPrefix($0, length: length) } ?? self
    }
}
