// `iptables-save` and `ip6tables-save` as FirewallTable: iptables-extensions(8).
import Net

extension FirewallTable {
    /// The tables of a saved ruleset.
    static func iptables(_ text: String, _ kind: Kind) -> [FirewallTable] {
        var tables: [FirewallTable] = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("*") {
                tables.append(FirewallTable(kind: kind, name: String(line.dropFirst())))
            } else if line.hasPrefix(":"), !tables.isEmpty {
                let words = line.dropFirst().split(separator: " ")
                guard words.count > 1 else { continue }
                let name = String(words[0])
                let base = FirewallHook(rawValue: name.lowercased()).flatMap { hook in
                    words[1] == "-" ? nil : FirewallChain.Base(hook: hook, dropsByDefault: words[1] == "DROP")
                }
                tables[tables.count - 1].chains[name] = FirewallChain(name: name, base: base)
            } else if line.hasPrefix("-A "), !tables.isEmpty {
                let words = Self.words(line)
                guard words.count > 1 else { continue }
                let chains = Set(tables[tables.count - 1].chains.keys)
                tables[tables.count - 1].chains[words[1]]?.rules.append(Self.rule(words.dropFirst(2), chains))
            }
        }
        return tables
    }

    /// Words with quotes and backslashes as iptables-save writes them.
    private static func words(_ line: Substring) -> [String] {
        var words: [String] = []
        var word: String?
        var isQuoted = false
        var isEscaped = false
        for character in line {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
                word = word ?? ""
            } else if character == " ", !isQuoted {
                if let word { words.append(word) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        return words + (word.map { [$0] } ?? [])
    }

    /// Options without a word behind them.
    private static let flags: Set<String> = ["--syn", "-f", "--random", "--random-fully", "--persistent"]
    /// Options that have no say in whether a rule applies.
    private static let remarks: Set<String> = [
        "-m", "--comment", "--reject-with", "--log-prefix", "--log-level", "--set-xmark", "--set-mark", "--to-ports",
        "--to-destination", "--to-source", "--nflog-group", "--nflog-prefix", "--notrack", "--helper", "--zone",
    ]

    private static func rule(_ words: ArraySlice<String>, _ chains: Set<String>) -> FirewallRule {
        var rule = FirewallRule(conditions: [], verdict: .next)
        var rest = words
        var isNegated = false
        while let option = rest.popFirst() {
            if option == "!" {
                isNegated = true
                continue
            }
            let value = flags.contains(option) ? "" : rest.first.map { $0.hasPrefix("-") ? "" : $0 } ?? ""
            if !value.isEmpty { rest.removeFirst() }
            let parts = value.split(separator: ",").map(String.init)
            var condition: FirewallCondition?
            switch option {
            case "-p":
                condition = value == "all" ? nil : FirewallProtocol.number(value).map { .transports([$0]) } ?? .other
            case "-i": condition = .incoming([value])
            case "-o": condition = .outgoing([value])
            case "-s": condition = all(parts) { IPPrefix(mask($0))?.range }.map { .sources($0) } ?? .other
            case "-d": condition = all(parts) { IPPrefix(mask($0))?.range }.map { .destinations($0) } ?? .other
            case "--sport", "--sports", "--source-ports":
                condition = all(parts, ports).map { .sourcePorts($0) } ?? .other
            case "--dport", "--dports", "--destination-ports":
                condition = all(parts, ports).map { .destinationPorts($0) } ?? .other
            case "--state", "--ctstate": condition = .states(Set(parts.map { $0.lowercased() }))
            case "--pkt-type": condition = .packetTypes([value])
            case "-j", "-g": rule.verdict = verdict(value, goesTo: option == "-g", chains)
            case _ where remarks.contains(option): break
            case _: condition = .other
            }
            if let condition { rule.conditions.append(isNegated && condition != .other ? .not(condition) : condition) }
            isNegated = false
        }
        return rule
    }

    private static func verdict(_ target: String, goesTo: Bool, _ chains: Set<String>) -> FirewallRule.Verdict {
        switch target {
        case "ACCEPT": .accept
        case "DROP", "REJECT": .drop
        case "RETURN": .leave
        case "QUEUE", "NFQUEUE", "SYNPROXY", "TPROXY": .other
        case _ where chains.contains(target): goesTo ? .goTo(target) : .jump(target)
        case _: .next
        }
    }

    private static func all<Value>(_ parts: [String], _ read: (String) -> Value?) -> [Value]? {
        let values = parts.compactMap(read)
        return values.count == parts.count && !values.isEmpty ? values : nil
    }

    private static func ports(_ text: String) -> ClosedRange<UInt16>? {
        let ends = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let first = ends.first, ends.count <= 2 else { return nil }
        let low = first.isEmpty ? 0 : UInt16(first)
        let high = ends.count == 1 ? low : ends[1].isEmpty ? UInt16.max : UInt16(ends[1])
        guard let low, let high, low <= high else { return nil }
        return low...high
    }

    /// `10.0.0.0/255.0.0.0` with a length.
    private static func mask(_ text: String) -> String {
        let parts = text.split(separator: "/")
        guard parts.count == 2, case .v4(let mask)? = IPAddress(String(parts[1])) else { return text }
        return "\(parts[0])/\(mask.rawValue.nonzeroBitCount)"
    }
}
