// Lines of virtual_routes, static_routes, virtual_rules and static_rules: the words of `ip route` and `ip rule` that keepalived
// has (vrrp_iproute.c, vrrp_iprule.c of 2.4).
import Net

/// What follows a word of a route or rule line.
enum LineValue: Sendable {
    case nothing
    /// An address, perhaps after `inet` or `inet6`.
    case address
    /// An address with or without a length, or a word that stands for all.
    case prefix
    case device
    case number(ClosedRange<Int>)
    /// `A-B`, or one number.
    case range(ClosedRange<Int>)
    /// A number, decimal or 0x hexadecimal, perhaps with another one behind a slash.
    case mark
    /// Seconds or milliseconds: `100ms`, `1.5s`, `200`.
    case time
    case boolean
    case choice([String])
    /// A name or a number that only the machine knows: tables, protocols, groups.
    case name
    /// Names or numbers; numbers within the range.
    case named([String], ClosedRange<Int>)
    /// The rest of the line up to a word that the line has itself: how packets are wrapped.
    case rest
}

extension LineValue {
    /// What follows the word, for people.
    var syntax: String {
        switch self {
        case .nothing: ""
        case .address: "ADDR"
        case .prefix: "NETWORK[/LENGTH]"
        case .device: "IF"
        case .number: "N"
        case .range: "N[-N]"
        case .mark: "N[/MASK]"
        case .time: "N[s|ms]"
        case .boolean: "BOOL"
        case .choice: "WORD"
        case .name, .named: "NAME|N"
        case .rest: "…"
        }
    }

    /// Which values it takes, where they can be listed.
    var range: String? {
        switch self {
        case .number(let range), .range(let range): "\(range.lowerBound)…\(range.upperBound)"
        case .choice(let words): words.joined(separator: ", ")
        case .named(let words, let range):
            "\(words.joined(separator: ", ")), \(range.lowerBound)…\(range.upperBound)"
        case .boolean: "on, off"
        case .nothing, .address, .prefix, .device, .mark, .time, .name, .rest: nil
        }
    }
}

/// The language of a kind of line.
struct LineGrammar: Sendable {
    /// "route" or "rule".
    let kind: String
    let words: [String: LineValue]
    /// Words that may have `lock` between them and their value.
    let lockable: Set<String>
    let vocabulary: Vocabulary

    init(_ kind: String, lockable: Set<String> = [], _ words: [String: LineValue]) {
        self.kind = kind
        self.words = words
        self.lockable = lockable
        vocabulary = Vocabulary(words.keys.sorted())
    }
}

extension Grammars {
    private static let anyNumber = 0...Int(UInt32.max)
    private static let scopes = LineValue.named(["global", "site", "link", "host", "nowhere"], 0...255)

    /// `ip route`.
    static let routeLine = LineGrammar(
        "route",
        lockable: [
            "mtu", "advmss", "rtt", "rttvar", "reordering", "window", "cwnd", "ssthresh", "rto_min", "congctl",
        ],
        [
            "to": .prefix, "from": .prefix, "via": .address, "gw": .address, "or": .address, "src": .address,
            "as": .address, "dev": .device, "oif": .device, "table": .name, "vrf": .name, "protocol": .name,
            "proto": .name, "tos": .mark, "dsfield": .mark, "scope": scopes, "priority": .number(anyNumber),
            "preference": .number(anyNumber), "metric": .number(anyNumber), "mtu": .number(anyNumber),
            "hoplimit": .number(0...255), "advmss": .number(anyNumber), "rtt": .time, "rttvar": .time, "rto_min": .time,
            "reordering": .number(anyNumber), "window": .number(anyNumber), "cwnd": .number(anyNumber),
            "ssthresh": .number(anyNumber), "realms": .name, "initcwnd": .number(anyNumber),
            "initrwnd": .number(anyNumber), "quickack": .boolean, "congctl": .name, "features": .choice(["ecn"]),
            "pref": .choice(["low", "medium", "high"]), "ttl-propagate": .choice(["enabled", "disabled"]),
            "fastopen_no_cookie": .boolean, "expires": .number(anyNumber), "encap": .rest, "onlink": .nothing,
            "nexthop": .nothing, "weight": .number(1...256), "add": .nothing, "append": .nothing, "prepend": .nothing,
            "replace": .nothing, "no_track": .nothing, "track_group": .name, "unicast": .nothing, "local": .nothing,
            "broadcast": .nothing, "multicast": .nothing, "anycast": .nothing, "throw": .nothing,
            "unreachable": .nothing, "prohibit": .nothing, "blackhole": .nothing, "nat": .nothing,
        ])

    /// `ip rule`.
    static let ruleLine = LineGrammar(
        "rule",
        [
            "not": .nothing, "from": .prefix, "to": .prefix, "iif": .device, "dev": .device, "oif": .device,
            "tos": .mark, "dsfield": .mark, "fwmark": .mark, "preference": .number(anyNumber),
            "order": .number(anyNumber), "pref": .number(anyNumber), "priority": .number(anyNumber), "realms": .name,
            "table": .name, "lookup": .name, "goto": .number(anyNumber), "suppress_prefixlength": .number(0...128),
            "suppress_prefixlen": .number(0...128), "suppress_ifgroup": .name, "uidrange": .range(anyNumber),
            "l3mdev": .nothing, "protocol": .name, "ip_proto": .name, "ipproto": .name, "sport": .range(0...65535),
            "dport": .range(0...65535), "tun_id": .number(anyNumber), "blackhole": .nothing, "prohibit": .nothing,
            "unreachable": .nothing, "nop": .nothing, "no_track": .nothing, "track_group": .name,
        ])

    /// Words that this version reads and does not act on: their line is left out, and that is said.
    static let routeWordsNotActedOn: Set<String> = ["encap", "vrf", "as", "ttl-propagate", "nat"]

    /// One of these says what a rule does.
    static let ruleActions: Set<String> = [
        "table", "lookup", "goto", "realms", "l3mdev", "blackhole", "prohibit", "unreachable", "nop",
    ]
}
