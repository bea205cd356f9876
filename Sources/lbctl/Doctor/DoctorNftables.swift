// `nft --json list ruleset` as FirewallTable: libnftables-json(5).
import JSON
import Net

extension FirewallTable {
    private static let families: Set<String> = ["ip", "ip6", "inet"]

    /// Families with rules that packets meet before, or without, those that look at IP.
    static func familiesBelow(_ ruleset: JSONValue) -> [String] {
        let items = ruleset.member("nftables")?.array ?? []
        let found = Set(items.compactMap { $0.member("rule")?.member("family")?.string })
        return found.subtracting(families).sorted()
    }

    /// The tables of a ruleset that look at IP packets.
    static func nftables(_ ruleset: JSONValue) -> [FirewallTable] {
        let items = ruleset.member("nftables")?.array ?? []
        var sets: [String: [JSONValue]] = [:]
        var tables: [String: FirewallTable] = [:]
        func key(_ item: JSONValue, _ name: String) -> String? {
            guard let family = item.member("family")?.string, families.contains(family),
                let table = item.member(name)?.string
            else { return nil }
            return "\(family) \(table)"
        }
        for item in items {
            if let set = item.member("set"), let key = key(set, "table"), let name = set.member("name")?.string {
                sets["\(key) @\(name)"] = set.member("elem")?.array ?? []
            }
            guard let chain = item.member("chain"), let key = key(chain, "table"),
                let name = chain.member("name")?.string, let family = chain.member("family")?.string
            else { continue }
            let hook = chain.member("hook")?.string.flatMap { FirewallHook(rawValue: $0) }
            let base = hook.map {
                FirewallChain.Base(hook: $0, dropsByDefault: chain.member("policy")?.string == "drop")
            }
            let table = chain.member("table")?.string ?? ""
            tables[key, default: FirewallTable(kind: .nftables(family: family), name: table)].chains[name] =
                FirewallChain(name: name, base: base)
        }
        for item in items {
            guard let rule = item.member("rule"), let key = key(rule, "table"),
                let chain = rule.member("chain")?.string
            else { continue }
            let reader = NftablesRuleReader { sets["\(key) \($0)"] }
            tables[key]?.chains[chain]?.rules += reader.rules(rule.member("expr")?.array ?? [])
        }
        return tables.sorted { $0.key < $1.key }.map(\.value)
    }
}

private struct NftablesRuleReader {
    /// What is in a set, by `@NAME`.
    let set: (String) -> [JSONValue]?

    /// One rule, or one for each line of a verdict map.
    func rules(_ statements: [JSONValue]) -> [FirewallRule] {
        var conditions: [FirewallCondition] = []
        for statement in statements {
            guard case .object(let object) = statement, let (name, value) = object.first else {
                conditions.append(.other)
                continue
            }
            switch name {
            case "match": conditions += self.conditions(value)
            case "accept": return [FirewallRule(conditions: conditions, verdict: .accept)]
            case "drop", "reject": return [FirewallRule(conditions: conditions, verdict: .drop)]
            case "return": return [FirewallRule(conditions: conditions, verdict: .leave)]
            case "jump", "goto":
                let target = value.member("target")?.string ?? ""
                return [
                    FirewallRule(conditions: conditions, verdict: name == "jump" ? .jump(target) : .goTo(target))
                ]
            case "vmap": return verdictMap(value, conditions)
            case "counter", "log", "mangle", "notrack", "comment", "ct helper", "flow", "quota": continue
            // Among them limit, xt (of iptables-nft; iptables-save says it better), queue, dnat, tproxy.
            case _: conditions.append(.other)
            }
        }
        return [FirewallRule(conditions: conditions, verdict: conditions.contains(.other) ? .other : .next)]
    }

    private func verdictMap(_ value: JSONValue, _ conditions: [FirewallCondition]) -> [FirewallRule] {
        guard let key = value.member("key"), let lines = value.member("data")?.member("set")?.array else {
            return [FirewallRule(conditions: conditions + [.other], verdict: .other)]
        }
        return lines.flatMap { line -> [FirewallRule] in
            guard let pair = line.array, pair.count == 2 else {
                return [FirewallRule(conditions: conditions + [.other], verdict: .other)]
            }
            return rules([pair[1]]).map { rule in
                FirewallRule(
                    conditions: conditions + self.conditions(left: key, right: pair[0]), verdict: rule.verdict)
            }
        }
    }

    private func conditions(_ match: JSONValue) -> [FirewallCondition] {
        guard let left = match.member("left"), let right = match.member("right") else { return [.other] }
        let found = conditions(left: left, right: right)
        switch match.member("op")?.string {
        case "==", "in": return found
        // What comes before the last is what the expression needs to be there at all.
        case "!=": return found.dropLast() + (found.last.map { $0 == .other ? [.other] : [.not($0)] } ?? [])
        case _: return found.dropLast() + [.other]
        }
    }

    private func conditions(left: JSONValue, right: JSONValue) -> [FirewallCondition] {
        let values = values(right)
        if let key = left.member("meta")?.member("key")?.string {
            switch key {
            case "l4proto": return [Self.all(values, FirewallProtocol.number).map { .transports(Set($0)) } ?? .other]
            case "iifname", "iif": return [Self.all(values, \.string).map { .incoming($0) } ?? .other]
            case "oifname", "oif": return [Self.all(values, \.string).map { .outgoing($0) } ?? .other]
            case "pkttype": return [Self.all(values, \.string).map { .packetTypes(Set($0)) } ?? .other]
            case "nfproto", "protocol":
                switch values?.count == 1 ? values?.first?.string : nil {
                case "ipv4", "ip": return [.family(.inet)]
                case "ipv6", "ip6": return [.family(.inet6)]
                case _: return [.other]
                }
            case _: return [.other]
            }
        }
        if left.member("ct")?.member("key")?.string == "state" {
            return [Self.all(values, \.string).map { .states(Set($0)) } ?? .other]
        }
        guard let payload = left.member("payload"), let header = payload.member("protocol")?.string,
            let field = payload.member("field")?.string
        else { return [.other] }
        let needed: [FirewallCondition]
        switch header {
        case "ip": needed = [.family(.inet)]
        case "ip6": needed = [.family(.inet6)]
        case "th": needed = []
        case _:
            guard let number = FirewallProtocol.number(.string(header)) else { return [.other] }
            needed = [.transports([number])]
        }
        switch field {
        case "saddr": return needed + [Self.all(values, Self.addresses).map { .sources($0) } ?? .other]
        case "daddr": return needed + [Self.all(values, Self.addresses).map { .destinations($0) } ?? .other]
        case "sport": return needed + [Self.all(values, Self.ports).map { .sourcePorts($0) } ?? .other]
        case "dport": return needed + [Self.all(values, Self.ports).map { .destinationPorts($0) } ?? .other]
        case "protocol", "nexthdr":
            return needed + [Self.all(values, FirewallProtocol.number).map { .transports(Set($0)) } ?? .other]
        case _: return needed + [.other]
        }
    }

    /// The alternatives of a right side; nil: not understood.
    private func values(_ right: JSONValue) -> [JSONValue]? {
        if let list = right.array ?? right.member("set")?.array {
            return list.map { $0.member("elem")?.member("val") ?? $0 }
        }
        if let name = right.string, name.hasPrefix("@") {
            return set(name)?.map { $0.member("elem")?.member("val") ?? $0 }
        }
        return [right]
    }

    /// All of them, or nil: a set of which a part is not understood is not understood.
    private static func all<Value>(_ values: [JSONValue]?, _ read: (JSONValue) -> Value?) -> [Value]? {
        guard let values else { return nil }
        let read = values.compactMap(read)
        return read.count == values.count ? read : nil
    }

    private static func addresses(_ value: JSONValue) -> ClosedRange<IPAddress>? {
        if let text = value.string { return IPAddress(text).map { $0...$0 } }
        if let prefix = value.member("prefix"), let text = prefix.member("addr")?.string,
            let address = IPAddress(text), let length = prefix.member("len")?.int
        {
            return IPPrefix(address, length: Int(length))?.range
        }
        guard let ends = value.member("range")?.array, ends.count == 2,
            let first = ends[0].string.flatMap({ IPAddress($0) }), let last = ends[1].string.flatMap({ IPAddress($0) }),
            first <= last
        else { return nil }
        return first...last
    }

    private static func ports(_ value: JSONValue) -> ClosedRange<UInt16>? {
        func port(_ value: JSONValue) -> UInt16? {
            value.int.flatMap { UInt16(exactly: $0) } ?? value.string.flatMap { UInt16($0) }
        }
        if let ends = value.member("range")?.array, ends.count == 2, let first = port(ends[0]),
            let last = port(ends[1]),
            first <= last
        {
            return first...last
        }
        return port(value).map { $0...$0 }
    }
}

extension JSONValue {
    /// A member of an object.
    fileprivate func member(_ name: String) -> JSONValue? {
        guard case .object(let object) = self else { return nil }
        return object[name]
    }
}

extension JSONObject {
    fileprivate var first: (name: String, value: JSONValue)? { members.first.map { ($0.key, $0.value) } }
}

extension IPPrefix {
    /// Its first and last address.
    var range: ClosedRange<IPAddress>? {
        var (first, last) = (address.octets, address.octets)
        for bit in length..<address.family.bits {
            let mask = UInt8(0x80) >> UInt8(bit % 8)
            first[bit / 8] &= ~mask
            last[bit / 8] |= mask
        }
        guard let first = IPAddress(octets: first), let last = IPAddress(octets: last) else { return nil }
        return first...last
    }
}

/// Names of /etc/protocols that firewalls use.
enum FirewallProtocol {
    static let vrrp: UInt8 = 112, authenticationHeader: UInt8 = 51, ipip: UInt8 = 4, gre: UInt8 = 47, icmp: UInt8 = 1
    static let tcp: UInt8 = 6, udp: UInt8 = 17, sctp: UInt8 = 132, ipv6: UInt8 = 41, icmp6: UInt8 = 58

    private static let numbers: [String: UInt8] = [
        "vrrp": vrrp, "carp": vrrp, "ah": authenticationHeader, "ipencap": ipip, "ipip": ipip, "gre": gre,
        "icmp": icmp, "tcp": tcp, "udp": udp, "sctp": sctp, "ipv6": ipv6, "icmpv6": icmp6, "ipv6-icmp": icmp6,
        "esp": 50, "igmp": 2, "udplite": 136, "dccp": 33, "ospf": 89,
    ]

    static func number(_ value: JSONValue) -> UInt8? {
        value.int.flatMap { UInt8(exactly: $0) } ?? value.string.flatMap { number($0) }
    }

    static func number(_ name: String) -> UInt8? { UInt8(name) ?? numbers[name] }
}
