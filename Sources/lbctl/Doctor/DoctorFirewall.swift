// Firewall rules as far as they decide about the few kinds of packets that a director lives by. A rule whose conditions are not all understood may
// apply or not: a packet counts as dropped only where no such rule could have let it pass, so what is said is so.
import Net

/// A packet of which something is known.
struct FirewallPacket: Equatable {
    enum State: String { case new, established, related, invalid, untracked }

    var family: AddressFamily
    /// IPPROTO_*.
    var transport: UInt8
    /// By which it comes (input) or goes (output).
    var interface: String?
    var source: IPAddress?
    var destination: IPAddress?
    var sourcePort: UInt16?
    var destinationPort: UInt16?
    var state = State.new

    /// 224.0.0.0/4 or ff00::/8.
    var isMulticast: Bool { destination.map { $0.octets[0] >> 4 == (family == .inet ? 14 : 15) } ?? false }
}

/// What is known of a condition.
enum Certainty: Equatable {
    case yes, no, maybe

    static func both(_ parts: some Sequence<Certainty>) -> Certainty {
        var result = Certainty.yes
        for part in parts {
            if part == .no { return .no }
            if part == .maybe { result = .maybe }
        }
        return result
    }

    var negated: Certainty {
        switch self {
        case .yes: .no
        case .no: .yes
        case .maybe: .maybe
        }
    }
}

/// One condition of a rule.
indirect enum FirewallCondition: Equatable {
    case family(AddressFamily)
    case transports(Set<UInt8>)
    /// Names; `+` or `*` at the end stands for anything.
    case incoming([String])
    case outgoing([String])
    case sources([ClosedRange<IPAddress>])
    case destinations([ClosedRange<IPAddress>])
    case sourcePorts([ClosedRange<UInt16>])
    case destinationPorts([ClosedRange<UInt16>])
    case states(Set<String>)
    /// `host`, `multicast`, `broadcast`.
    case packetTypes(Set<String>)
    case not(FirewallCondition)
    /// Not understood.
    case other

    func holds(for packet: FirewallPacket, at hook: FirewallHook) -> Certainty {
        switch self {
        case .family(let family): packet.family == family ? .yes : .no
        case .transports(let numbers): numbers.contains(packet.transport) ? .yes : .no
        case .incoming(let names):
            hook == .forward ? Self.named(names, nil) : hook.isIncoming ? Self.named(names, packet.interface) : .no
        case .outgoing(let names):
            hook == .forward ? Self.named(names, nil) : hook.isIncoming ? .no : Self.named(names, packet.interface)
        case .sources(let ranges): Self.within(ranges, packet.source)
        case .destinations(let ranges): Self.within(ranges, packet.destination)
        case .sourcePorts(let ranges): Self.within(ranges, packet.sourcePort)
        case .destinationPorts(let ranges): Self.within(ranges, packet.destinationPort)
        case .states(let names): names.contains(packet.state.rawValue) ? .yes : .no
        case .packetTypes(let names): names.contains(packet.isMulticast ? "multicast" : "host") ? .yes : .no
        case .not(let condition): condition.holds(for: packet, at: hook).negated
        case .other: .maybe
        }
    }

    private static func within<Value: Comparable>(_ ranges: [ClosedRange<Value>], _ value: Value?) -> Certainty {
        guard let value else { return ranges.isEmpty ? .no : .maybe }
        return ranges.contains { $0.contains(value) } ? .yes : .no
    }

    private static func named(_ patterns: [String], _ name: String?) -> Certainty {
        // Which one is not known; what concerns others does not go by lo.
        guard let name else { return patterns.allSatisfy { $0 == "lo" } ? .no : .maybe }
        let isNamed = patterns.contains { pattern in
            pattern.hasSuffix("*") || pattern.hasSuffix("+") ? name.hasPrefix(pattern.dropLast()) : name == pattern
        }
        return isNamed ? .yes : .no
    }
}

/// Where a base chain is.
enum FirewallHook: String {
    case prerouting, input, forward, output, postrouting

    var isIncoming: Bool { self == .prerouting || self == .input }
}

struct FirewallRule: Equatable {
    enum Verdict: Equatable {
        case accept, drop
        case jump(String), goTo(String)
        case leave
        /// The next rule.
        case next
        /// It may end here.
        case other
    }

    var conditions: [FirewallCondition]
    var verdict: Verdict
}

struct FirewallChain: Equatable {
    /// Where the kernel begins; nil: other chains come here.
    struct Base: Equatable {
        var hook: FirewallHook
        var dropsByDefault: Bool
    }

    var name: String
    var base: Base?
    var rules: [FirewallRule] = []
}

/// The chains that know each other.
struct FirewallTable: Equatable {
    /// Who made it, and with what it is changed.
    enum Kind: Equatable {
        /// `inet`, `ip`, `ip6`.
        case nftables(family: String)
        case iptables, ip6tables
    }

    var kind: Kind
    var name: String
    var chains: [String: FirewallChain] = [:]

    fileprivate func concerns(_ family: AddressFamily) -> Bool {
        switch kind {
        case .nftables(let name): name == "inet" || name == (family == .inet ? "ip" : "ip6")
        case .iptables: family == .inet
        case .ip6tables: family == .inet6
        }
    }

    /// The base chain that drops a packet for certain.
    func drop(of packet: FirewallPacket, at hook: FirewallHook) -> FirewallChain? {
        guard concerns(packet.family) else { return nil }
        return chains.values.filter { $0.base?.hook == hook }.sorted { $0.name < $1.name }.first { chain in
            var isDoubtful = false
            return switch walk(chain, packet, hook, depth: 0, &isDoubtful) {
            case .dropped: !isDoubtful
            case .passed: false
            case .fellThrough: chain.base?.dropsByDefault == true && !isDoubtful
            }
        }
    }

    private enum Fate { case passed, dropped, fellThrough }

    /// nf_tables and x_tables refuse loops; this is the kernel's own limit.
    private static let deepest = 16

    /// `isDoubtful`: a rule on the way may have let the packet pass.
    private func walk(
        _ chain: FirewallChain, _ packet: FirewallPacket, _ hook: FirewallHook, depth: Int, _ isDoubtful: inout Bool
    ) -> Fate {
        for rule in chain.rules {
            let certainty = Certainty.both(rule.conditions.lazy.map { $0.holds(for: packet, at: hook) })
            guard certainty != .no else { continue }
            switch rule.verdict {
            case .next: continue
            case .accept:
                if certainty == .yes { return .passed }
                isDoubtful = true
            case .drop:
                if certainty == .yes { return .dropped }
            case .leave:
                if certainty == .yes { return .fellThrough }
                isDoubtful = true
            case .other: isDoubtful = true
            case .jump(let name), .goTo(let name):
                guard depth < Self.deepest, let target = chains[name] else {
                    isDoubtful = true
                    continue
                }
                var mayHavePassed = false
                let fate = walk(target, packet, hook, depth: depth + 1, &mayHavePassed)
                isDoubtful = isDoubtful || mayHavePassed || (certainty == .maybe && fate == .passed)
                guard certainty == .yes else { continue }
                if fate != .fellThrough { return fate }
                if case .goTo = rule.verdict { return .fellThrough }
            }
        }
        return .fellThrough
    }
}
