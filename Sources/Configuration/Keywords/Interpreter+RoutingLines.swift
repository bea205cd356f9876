// Lines of routes and rules that passed the check → their model. What only the machine knows by name (tables, protocols …) is a number
// afterwards.
import Net

extension UInt32 {
    /// Decimal or 0x hexadecimal, as iproute2's files have them.
    public init?(routing text: some StringProtocol) {
        if text.hasPrefix("0x") { self.init(text.dropFirst(2), radix: 16) } else { self.init(text) }
    }
}

extension Interpreter {
    /// The route of a line without mistakes; nil when something in it is not acted on, or its names are not known here.
    mutating func route(_ line: LineCheck, to word: Word) -> RouteLine? {
        if let unused = line.values.first(where: { Grammars.routeWordsNotActedOn.contains($0.word.text) }) {
            count(unused.word, .notYet, in: .list)
            return nil
        }
        let family = line.family?.family ?? (word.text == "default6" ? .inet6 : .inet)
        guard let destination = prefixOrAll(word, family) else { return nil }
        var route = RouteLine(to: destination)
        var base = RouteLine.Hop()
        var hops: [RouteLine.Hop] = []
        var isComplete = true
        func change(_ body: (inout RouteLine.Hop) -> Void) {
            if hops.isEmpty { body(&base) } else { body(&hops[hops.count - 1]) }
        }
        for (name, value, isLocked) in line.values {
            switch name.text {
            case "nexthop": hops.append(RouteLine.Hop())
            case "via", "gw": change { $0.gateway = IPAddress(value.text) }
            case "or":
                if hops.isEmpty { hops = [base] }
                var other = RouteLine.Hop()
                other.gateway = IPAddress(value.text)
                other.device = base.device
                hops.append(other)
            case "dev", "oif": change { $0.device = value.text }
            case "weight": change { $0.weight = Int(value.text) ?? 1 }
            case "onlink": change { $0.isOnLink = true }
            case "src": route.preferredSource = IPAddress(value.text)
            case "from": route.source = prefixOrAll(value, family)
            case "table": isComplete = assign(name, value, .tables, &route.table) && isComplete
            case "protocol", "proto":
                var number: UInt32 = 0
                isComplete = assign(name, value, .protocols, &number) && isComplete
                route.origin = UInt8(clamping: number)
            case "tos", "dsfield":
                var number: UInt32 = 0
                isComplete = assign(name, value, .servicetypes, &number) && isComplete
                route.typeOfService = UInt8(clamping: number)
            case "scope": route.scope = scope(value)
            case "priority", "preference", "metric": route.priority = UInt32(value.text)
            case "realms": route.realms = realms(name, value)
            case "pref": route.preference = ["low": 3, "medium": 0, "high": 1][value.text]
            case "expires": route.expires = UInt32(value.text)
            case "congctl": route.congestionControl = value.text
            case "add": route.placement = .add
            case "append": route.placement = .append
            case "prepend": route.placement = .prepend
            case "replace": route.placement = .replace
            case "no_track": route.isTracked = false
            case "track_group": route.trackGroup = trackGroup(value)
            default:
                if let kind = Self.kinds[name.text] { route.kind = kind }
                if let metric = Self.metrics[name.text] {
                    route.metrics[metric] = self.metric(name.text, value.text)
                    if isLocked { route.locked.insert(metric) }
                }
            }
        }
        if hops.isEmpty, base != RouteLine.Hop() { hops = [base] }
        route.hops = hops
        return isComplete ? route : nil
    }

    /// The rule of a line without mistakes.
    mutating func rule(_ line: LineCheck, at first: Word) -> RuleLine? {
        var rule = RuleLine(line.family?.family ?? .inet)
        var hasPriority = false
        var isComplete = true
        func number(_ text: some StringProtocol) -> UInt32 { UInt32(routing: text) ?? 0 }
        for (name, value, _) in line.values {
            switch name.text {
            case "not": rule.isInverted = true
            case "from": rule.source = isAll(value.text) ? nil : IPPrefix(value.text)
            case "to": rule.destination = isAll(value.text) ? nil : IPPrefix(value.text)
            case "iif", "dev": rule.inputDevice = value.text
            case "oif": rule.outputDevice = value.text
            case "tos", "dsfield":
                var bits: UInt32 = 0
                isComplete = assign(name, value, .servicetypes, &bits) && isComplete
                rule.typeOfService = UInt8(clamping: bits)
            case "fwmark":
                let parts = value.text.split(separator: "/")
                rule.mark = parts.first.map { number($0) }
                if parts.count > 1 { rule.markMask = number(parts[1]) }
            case "preference", "order", "pref", "priority":
                rule.priority = number(value.text)
                hasPriority = true
            case "realms": rule.realms = realms(name, value)
            case "table", "lookup":
                var table: UInt32 = 0
                isComplete = assign(name, value, .tables, &table) && isComplete
                rule.action = .table(table)
            case "goto": rule.action = .goTo(number(value.text))
            case "l3mdev": rule.action = .table(nil)
            case "nop": rule.action = .nop
            case "blackhole": rule.action = .blackhole
            case "unreachable": rule.action = .unreachable
            case "prohibit": rule.action = .prohibit
            case "suppress_prefixlength", "suppress_prefixlen": rule.suppressedPrefixLength = number(value.text)
            case "suppress_ifgroup":
                var group: UInt32 = 0
                isComplete = assign(name, value, .groups, &group) && isComplete
                rule.suppressedGroup = group
            case "uidrange": rule.users = range(value.text)
            case "protocol":
                var origin: UInt32 = 0
                isComplete = assign(name, value, .protocols, &origin) && isComplete
                rule.origin = UInt8(clamping: origin)
            case "ip_proto", "ipproto": rule.transport = transport(value)
            case "sport": rule.sourcePorts = range(value.text)
            case "dport": rule.destinationPorts = range(value.text)
            case "tun_id": rule.tunnelID = UInt64(value.text)
            case "no_track": rule.isTracked = false
            case "track_group": rule.trackGroup = trackGroup(value)
            default: break
            }
        }
        if !hasPriority {
            rule.priority = nextRulePriority
            reporter.warning(
                .missingValue, at: first,
                "the rule has no priority: it gets \(nextRulePriority), as keepalived counts down",
                remedy: "write priority N, so that its place does not depend on other lines")
            nextRulePriority -= 1
        }
        return isComplete ? rule : nil
    }

    /// Reads lines that follow no election: only these may name a track_group.
    mutating func readStatics<Line>(_ read: (inout Interpreter) -> [Line]) -> [Line] {
        readsStatics = true
        defer { readsStatics = false }
        return read(&self)
    }

    /// The group that a static line names.
    mutating func trackGroup(_ word: Word) -> String? {
        guard readsStatics else {
            reporter.warning(
                .adjusted, at: word, "track_group is for static addresses, routes and rules; it is ignored",
                remedy: "remove it: what an instance has itself is tracked unless no_track")
            return nil
        }
        trackGroups.append(word)
        return word.text
    }

    /// Address lines of static_ipaddress, which may name a group.
    mutating func staticAddressLines(_ statement: Statement, device: String?) -> [AddressLine] {
        let lines = addressLines(statement, device: device)
        for (word, line) in lines where line.device == nil {
            reporter.error(
                .missingValue, at: word, "\(line.prefix.address) has no interface to be on",
                remedy: "write dev IF after it, or default_interface in global_defs")
        }
        return lines.map(\.line)
    }

    // MARK: Values

    private static let kinds: [String: RouteLine.Kind] = [
        "unicast": .unicast, "local": .local, "broadcast": .broadcast, "anycast": .anycast, "multicast": .multicast,
        "blackhole": .blackhole, "unreachable": .unreachable, "prohibit": .prohibit, "throw": .throw,
    ]

    private static let metrics: [String: RouteLine.Metric] = [
        "mtu": .mtu, "window": .window, "rtt": .rtt, "rttvar": .rttvar, "ssthresh": .ssthresh, "cwnd": .cwnd,
        "advmss": .advmss, "reordering": .reordering, "hoplimit": .hoplimit, "initcwnd": .initcwnd,
        "features": .features, "rto_min": .rtoMin, "initrwnd": .initrwnd, "quickack": .quickack,
        "fastopen_no_cookie": .fastopenNoCookie,
    ]

    /// As the kernel keeps it: rtt in eighths of milliseconds, rttvar in quarters.
    private func metric(_ name: String, _ text: String) -> UInt32 {
        switch name {
        case "features": return 1  // RTAX_FEATURE_ECN
        case "quickack", "fastopen_no_cookie": return ["1", "true", "on", "yes"].contains(text) ? 1 : 0
        case "rtt", "rttvar", "rto_min":
            let scale = name == "rtt" ? 8 : name == "rttvar" ? 4 : 1
            guard text.hasSuffix("s") else { return UInt32(text) ?? 0 }
            let isMilliseconds = text.hasSuffix("ms")
            let time = parseSeconds(String(text.dropLast(isMilliseconds ? 2 : 1))) ?? .zero
            let milliseconds = time.nanoseconds / (isMilliseconds ? 1_000_000_000 : 1_000_000)
            return UInt32(clamping: milliseconds * Int64(scale))
        default: return UInt32(text) ?? 0
        }
    }

    private mutating func prefixOrAll(_ word: Word, _ family: AddressFamily) -> IPPrefix? {
        guard isAll(word.text) else { return prefix(word) }
        return IPPrefix(family == .inet ? "0.0.0.0/0" : "::/0")
    }

    private func scope(_ word: Word) -> UInt8? {
        ["global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255][word.text] ?? UInt8(word.text)
    }

    private func range<Number: FixedWidthInteger>(_ text: String) -> ClosedRange<Number>? {
        let ends = text.split(separator: "-").compactMap { Number($0) }
        guard let low = ends.first, let high = ends.last, low <= high else { return nil }
        return low...high
    }

    private mutating func transport(_ word: Word) -> UInt8? {
        if let number = UInt8(word.text) { return number }
        let known: [String: UInt8] = ["icmp": 1, "tcp": 6, "udp": 17, "dccp": 33, "ipv6-icmp": 58, "sctp": 132]
        guard let number = known[word.text] else {
            reporter.error(
                .badValue, at: word, "\(quoted(word.text)) is not a transport protocol",
                remedy: "use tcp, udp, icmp, ipv6-icmp, sctp, dccp or a number")
            return nil
        }
        return number
    }

    private mutating func realms(_ name: Word, _ word: Word) -> UInt32? {
        var realms: UInt32 = 0
        for part in word.text.split(separator: "/", maxSplits: 1) {
            var number: UInt32 = 0
            var piece = word
            piece.text = String(part)
            guard assign(name, piece, .realms, &number) else { return nil }
            realms = realms << 16 | number & 0xFFFF
        }
        return realms
    }

    /// A number, or a name that the machine has. False where the machine is not known: then nobody can say.
    private mutating func assign(_ name: Word, _ word: Word, _ file: RoutingNames, _ target: inout UInt32) -> Bool {
        if let number = UInt32(routing: word.text) ?? file.builtIn[word.text] {
            target = number
            return true
        }
        guard let names = routingNames(file) else { return false }
        guard let number = names[word.text] else {
            sayBad(word, of: name, "add it to /etc/iproute2/\(file.rawValue), or write its number")
            return false
        }
        target = number
        return true
    }
}
