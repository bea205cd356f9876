// `lb_kind` and its kin: NAT, DR, or TUN with what packets are wrapped in; and the lines of virtual_server_group. Both are
// small languages inside one line, so they are read by hand here and only named in the rows.
import Net

/// `virtual_server_group`, not expanded.
struct ServerGroupDraft: Sendable {
    /// An address range with a port, or a firewall mark.
    enum Member: Sendable {
        case addresses([IPAddress], port: UInt16)
        case firewallMark(UInt32, AddressFamily?)
    }
    var name: Word
    var members: [Member] = []
}

extension Grammars {
    /// `NAT|DR|TUN …`.
    static func forwardingRow<Draft>(
        _ word: String, _ path: any WritableKeyPath<Draft, ForwardingMethod> & Sendable, standard: String,
        _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword<Draft> {
        Keyword(word, forwardingSyntax, standard: standard, tier, meaning) { draft, statement, interpreter in
            draft[keyPath: path] = interpreter.forwarding(statement) ?? draft[keyPath: path]
        }.showing { $0[keyPath: path].words }
    }

    /// The same where no value means the service's.
    static func forwardingRow<Draft>(
        _ word: String, optional path: any WritableKeyPath<Draft, ForwardingMethod?> & Sendable, standard: String,
        _ tier: KeywordTable.Tier, _ meaning: String
    ) -> Keyword<Draft> {
        Keyword(word, forwardingSyntax, standard: standard, tier, meaning) { draft, statement, interpreter in
            draft[keyPath: path] = interpreter.forwarding(statement) ?? draft[keyPath: path]
        }.showing { $0[keyPath: path]?.words }
    }

    private static let forwardingSyntax = "NAT|DR|TUN [type ipip|gue port N|gre] [nocsum|csum|remcsum]"
}

extension ForwardingMethod {
    /// As the file has it.
    var words: String {
        switch self {
        case .masquerade: "NAT"
        case .directRouting: "DR"
        case .tunnel(.ipip): "TUN"
        case .tunnel(.gue(let port, let checksum)): "TUN type gue port \(port) \(checksum.rawValue)"
        case .tunnel(.gre(let checksum)): "TUN type gre \(checksum.rawValue)"
        }
    }
}

extension Interpreter {
    /// `NAT|DR|TUN [type ipip|gue port N|gre] [nocsum|csum|remcsum]`.
    mutating func forwarding(_ statement: Statement) -> ForwardingMethod? {
        guard let word = statement.arguments.first else {
            sayMissing(statement)
            return nil
        }
        let rest = statement.arguments.dropFirst()
        switch word.text {
        case "NAT":
            ignoreExtra(rest, statement)
            return .masquerade
        case "DR":
            ignoreExtra(rest, statement)
            return .directRouting
        case "TUN": return tunnel(rest, statement).map { .tunnel($0) }
        default:
            sayNotOneOf(["NAT", "DR", "TUN"], word, statement)
            return nil
        }
    }

    private mutating func tunnel(_ words: Words, _ statement: Statement) -> TunnelKind? {
        var rest = words
        var type = "ipip"
        var port: Word?
        var checksum = TunnelKind.Checksum.none
        while let word = rest.popFirst() {
            if word.text == "type", let value = rest.popFirst() {
                type = value.text
                guard ["ipip", "gue", "gre"].contains(type) else {
                    sayNotOneOf(["ipip", "gue", "gre"], value, statement)
                    return nil
                }
            } else if word.text == "port", let value = rest.popFirst() {
                port = value
            } else if let value = TunnelKind.Checksum(rawValue: word.text) {
                checksum = value
            } else {
                reporter.error(
                    .badValue, at: word, "\(quoted(word.text)) is not expected after TUN",
                    remedy: "write TUN [type ipip|gue port N|gre] [nocsum|csum|remcsum]")
                return nil
            }
        }
        switch type {
        case "gue":
            guard let port, let number = integer(port, 1...65535, of: "port") else {
                if port == nil { reporter.error(.missingValue, at: statement.keyword, "TUN type gue needs a port") }
                return nil
            }
            return .gue(port: UInt16(clamping: number), checksum)
        case "gre":
            if checksum == .remote {
                reporter.error(.contradiction, at: statement.keyword, "remcsum is for type gue only")
                return nil
            }
            return .gre(checksum)
        default:
            return .ipip
        }
    }

    /// `ADDR[-RANGE] [PORT]` and `fwmark N [inet|inet6]` lines.
    mutating func serverGroup(_ statement: Statement) -> ServerGroupDraft {
        var group = ServerGroupDraft(name: statement.arguments.first ?? statement.keyword)
        if statement.arguments.isEmpty { sayMissing(statement) }
        if statement.block?.statements.isEmpty == true {
            reporter.warning(
                .missingValue, at: group.name, "\(statement.title) is empty, so its virtual_server serves nothing",
                remedy: "write ADDR PORT or fwmark N between its braces")
        }
        for words in listLines(statement) {
            if words[0].text == "fwmark" {
                guard words.count > 1, let mark = integer(words[1], 1...Int(UInt32.max), of: "fwmark") else {
                    if words.count < 2 { reporter.error(.missingValue, at: words[0], "fwmark needs a number") }
                    continue
                }
                let family = words.count > 2 ? AddressFamily(rawValue: words[2].text) : nil
                group.members.append(.firewallMark(UInt32(clamping: mark), family))
            } else if let addresses = addressRange(words[0]) {
                let port = words.count > 1 ? integer(words[1], 0...65535, of: "the port") : 0
                group.members.append(.addresses(addresses, port: UInt16(clamping: port ?? 0)))
            }
        }
        return group
    }

    /// One address, `A.B.C.D-N`, `A.B.C.D-A.B.C.E`, or IPv6 `ADDR-HEX` (last 16 bits).
    private mutating func addressRange(_ word: Word) -> [IPAddress]? {
        let parts = word.text.split(separator: "-", maxSplits: 1).map(String.init)
        guard parts.count == 2, let first = parts.first.flatMap({ IPAddress($0) }) else {
            return address(word).map { [$0] }
        }
        let range: [IPAddress]?
        switch first {
        case .v4(let low):
            let last = IPv4Address(parts[1])?.rawValue ?? UInt8(parts[1]).map { low.rawValue & ~0xFF | UInt32($0) }
            range = last.flatMap {
                $0 >= low.rawValue && $0 - low.rawValue < 65536
                    ? (low.rawValue...$0).map { .v4(IPv4Address(rawValue: $0)) } : nil
            }
        case .v6(let low):
            let last = UInt16(parts[1], radix: 16).map { low.low & ~0xFFFF | UInt64($0) }
            range = last.flatMap { last in
                last >= low.low ? (low.low...last).map { .v6(IPv6Address(high: low.high, low: $0)) } : nil
            }
        }
        if range == nil {
            reporter.error(
                .badValue, at: word, "\(quoted(word.text)) is not an address range",
                remedy: "write 192.0.2.1-9 or 2001:db8::1-f, the end not below the start")
        }
        return range
    }
}
