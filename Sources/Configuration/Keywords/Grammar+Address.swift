// Address lines: `ADDR[/MASK] [brd …] [dev IF] [scope S] [label L] …`, as in virtual_ipaddress, virtual_ipaddress_excluded
// and static_ipaddress. Their words are rows of the keyword table too: spelling, values and documentation come from it, only
// the assignment of each to the model is code.
import Net

extension Grammars {
    /// The words of an address line, for documentation and spelling.
    static let addressLine: [KeywordTable.Entry] = [
        word("brd", "ADDR|+|-", "none", .common, "broadcast address; + all host bits one, - zero"),
        word("broadcast", "ADDR|+|-", "none", .common, "the same as brd"),
        word("dev", "IF", "the instance's interface", .everywhere, "interface that gets the address"),
        word("scope", "NAME|N", "global", .common, "scope: global, site, link, host, nowhere or a number"),
        word("label", "TEXT", "none", .everywhere, "IPv4 label, at most 15 bytes"),
        word("peer", "ADDR[/MASK]", "none", .rare, "the other end of a point-to-point link"),
        word("home", "", "off", .rare, "IFA_F_HOMEADDRESS"),
        word("-nodad", "", "off", .rare, "duplicate address detection is done"),
        word("mngtmpaddr", "", "off", .rare, "IFA_F_MANAGETEMPADDR"),
        word("noprefixroute", "", "off", .rare, "no route for the prefix"),
        word("autojoin", "", "off", .rare, "join the multicast group at switches"),
        word("no_track", "", "off", .rare, "its interface and its removal do not matter"),
        word(
            "preferred_lft", "SECONDS|forever", "forever; 0 for IPv6 /128", .rare, "how long it is preferred as source"),
        word("track_group", "NAME", "none", .rare, "static only: whose instances need it"),
        word("use_vmac", "", "off", .rare, "virtual only: on a VMAC, also on another interface"),
    ]

    fileprivate static let addressWords = WordIndex(addressLine)

    private static func word(
        _ word: String, _ value: String, _ standard: String, _ tier: KeywordTable.Tier, _ meaning: String
    ) -> KeywordTable.Entry {
        KeywordTable.Entry(
            word: word, value: value, standard: standard, meaning: meaning, tier: tier, support: .supported, kind: .list
        )
    }
}

extension Interpreter {
    /// The address lines of a block; lines that are wrong are said and left out.
    mutating func addressLines(_ statement: Statement, device: String?) -> [(word: Word, line: AddressLine)] {
        listLines(statement).compactMap { words in addressLine(words, device: device).map { (words[0], $0) } }
    }

    private mutating func addressLine(_ words: Words, device: String?) -> AddressLine? {
        guard let first = words.first, let prefix = prefix(first) else { return nil }
        var line = AddressLine(prefix, device: device)
        var rest = words.dropFirst()
        while let word = rest.popFirst() {
            guard let row = Grammars.addressWords.row(of: word.text) else {
                sayUnknownAddressWord(word)
                return line
            }
            var value: Word?
            if !Grammars.addressLine[row].value.isEmpty {
                guard let next = rest.popFirst() else {
                    reporter.error(
                        .missingValue, at: word, "\(word.text) needs a value",
                        remedy: "write \(word.text) \(Grammars.addressLine[row].value)")
                    return line
                }
                value = next
            }
            apply(word, value, to: &line)
        }
        return line
    }

    private mutating func apply(_ word: Word, _ value: Word?, to line: inout AddressLine) {
        let text = value?.text ?? ""
        switch word.text {
        case "dev":
            if let value, noteInterface(value) { line.device = text }
        case "brd", "broadcast": applyBroadcast(value ?? word, to: &line)
        case "scope": applyScope(value ?? word, to: &line)
        case "label":
            if text.utf8.count > 15 {
                reporter.error(.outOfRange, at: value ?? word, "the label is longer than 15 bytes")
            } else if line.prefix.address.family == .inet6 {
                reporter.warning(.adjusted, at: word, "an IPv6 address has no label; it is ignored")
            } else {
                line.label = text
            }
        case "peer": line.peer = value.flatMap { prefix($0) }
        case "-nodad": line.skipsDuplicateDetection = false
        case "no_track": line.isTracked = false
        case "track_group": line.trackGroup = value.flatMap { trackGroup($0) }
        case "use_vmac":
            line.asksForVirtualMAC = !readsStatics
            if readsStatics {
                reporter.warning(
                    .adjusted, at: word, "a static address belongs to no virtual router; use_vmac is ignored")
            }
        case "preferred_lft":
            if text == "forever" || text == "infinity" {
                line.preferredLifetime = .forever
            } else if let value, let seconds = integer(value, 0...Int(UInt32.max) - 1, of: "preferred_lft") {
                line.preferredLifetime = .seconds(UInt32(clamping: seconds))
            }
        default:
            if let option = AddressLine.Option(rawValue: word.text) { line.options.insert(option) }
        }
    }

    private mutating func applyBroadcast(_ value: Word, to line: inout AddressLine) {
        switch value.text {
        case "+": line.broadcast = .allOnes
        case "-": line.broadcast = .allZeros
        default:
            guard case .v4(let address)? = address(value) else { return }
            line.broadcast = .address(address)
        }
        if line.prefix.address.family == .inet6 {
            reporter.warning(.adjusted, at: value, "an IPv6 address has no broadcast address; it is ignored")
            line.broadcast = nil
        }
    }

    private mutating func applyScope(_ value: Word, to line: inout AddressLine) {
        let names: [String: UInt8] = ["global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255]
        if let scope = names[value.text] ?? UInt8(value.text) {
            guard line.prefix.address.family == .inet else {
                return reporter.warning(
                    .adjusted, at: value, "an IPv6 address has the scope that it is made of; the word is ignored")
            }
            line.scope = scope
        } else {
            reporter.error(
                .badValue, at: value, "\(quoted(value.text)) is not a scope",
                remedy: "use global, site, link, host, nowhere or a number from 0 to 255")
        }
    }

    private mutating func sayUnknownAddressWord(_ word: Word) {
        let near = closest(to: word.text, in: Grammars.addressLine.map(\.word))
        let isAddress = IPPrefix(word.text) != nil
        reporter.error(
            .unknownKeyword, at: word, "\(quoted(word.text)) is not a word of an address line",
            remedy: isAddress
                ? "write one address on each line"
                : near.map { "did you mean \($0)?" }
                    ?? "known are dev, brd, scope, label, peer, preferred_lft, no_track, …")
    }

    /// `ADDR` or `ADDR/LENGTH`.
    mutating func prefix(_ word: Word) -> IPPrefix? {
        if let prefix = IPPrefix(word.text) { return prefix }
        let parts = word.text.split(separator: "/", maxSplits: 1)
        if let first = parts.first, parts.count == 2, let address = IPAddress(String(first)) {
            reporter.error(
                .outOfRange, at: word, "\(quoted(word.text)) has no prefix length from 0 to \(address.family.bits)",
                remedy: "write \(address)/\(address.family == .inet ? "24" : "64"), say")
        } else {
            reporter.error(
                .badValue, at: word, "\(quoted(word.text)) is not an IP address",
                remedy: word.text.hasSuffix(",") || word.text.hasSuffix(";")
                    ? "write one address on each line, with nothing behind it"
                    : "write it like 192.0.2.1/24 or 2001:db8::1/64")
        }
        return nil
    }
}
