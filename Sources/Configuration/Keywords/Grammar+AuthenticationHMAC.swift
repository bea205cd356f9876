// Rows of `auth_hmac`, and its keys: in the line, as text or hexadecimal, or in a file. What is said about a line with a key shows stars in
// its place.

import Net

/// `auth_hmac` while it is read.
struct AuthenticationHMACDraft: BlockDraft {
    var keys: [(word: Word, id: UInt8, secret: AuthenticationSecret)] = []
    var activeKey: UInt8?
    var window: Int?
    var antiReplay = AuthenticationHMACConfiguration.AntiReplay.time
    var mode = AuthenticationHMACConfiguration.Mode.enforce
}

extension Grammars {
    static let authenticationHMAC = Grammar<AuthenticationHMACDraft>(
        .authenticationHMAC,
        [
            Keyword(
                "key", "ID VALUE|hex:DIGITS|file:PATH", range: "ID 1…255, 32 to 64 bytes", .rare,
                "a key: adverts signed with it are accepted"
            ) { draft, statement, interpreter in
                interpreter.readKey(statement, into: &draft)
            }.required.repeatable.secret,
            .integer(
                "active_key", 1...255, optional: \.activeKey, standard: "the first", .rare, "the key to sign with"),
            .integer(
                "time_window", 1...300, optional: \.window, unit: "s", standard: "3 adverts, 5 to 300", .rare,
                "difference of clocks that is tolerated"),
            .choice(
                "anti_replay", AuthenticationHMACConfiguration.AntiReplay.allCases, \.antiReplay, .rare,
                "how replays are recognised"),
            .choice(
                "mode", AuthenticationHMACConfiguration.Mode.allCases, \.mode, .rare,
                "what happens to unsigned adverts, and whether to sign"),
        ])
}

extension Interpreter {
    private static let keyLength = 32...64
    /// `hex:` and its digits, and a few ends of line.
    static let keyFileLimit = 4 + 2 * 64 + 8

    mutating func readKey(_ statement: Statement, into draft: inout AuthenticationHMACDraft) {
        let words = statement.arguments
        if let word = words.dropFirst().first(where: { !$0.text.hasPrefix("file:") }) { reporter.sources.conceal(word) }
        guard let first = words.first, let value = words.dropFirst().first else { return sayMissing(statement) }
        if let extra = words.dropFirst(2).first {
            return reporter.error(
                .badValue, at: extra, "a key is one word", remedy: "quote it when it has blanks, or write hex:DIGITS")
        }
        guard let id = integer(first, 1...255, of: "the number of a key") else { return }
        if let other = draft.keys.first(where: { $0.id == UInt8(clamping: id) }) {
            return reporter.error(
                .contradiction, at: first, "there is a key \(id) already", remedy: "give each key its own number",
                notes: [(other.word, "the other one")])
        }
        guard let octets = keyOctets(value) else { return }
        draft.keys.append((first, UInt8(clamping: id), AuthenticationSecret(octets)))
    }

    /// The key; empty when it is in a file that is none of this process's business.
    private mutating func keyOctets(_ word: Word) -> [UInt8]? {
        let text = Array(word.text.utf8)
        guard word.text.hasPrefix("file:") else { return decodeKey(text, word, "the key") }
        let path = String(word.text.dropFirst(5))
        switch secretFile(path) {
        case .unknown: return []
        case .unusable(let problem):
            reporter.error(
                .badValue, at: word, "the key file \(path): \(problem)",
                remedy: "it belongs to root and nobody else may read it: chown root and chmod 600 \(path)")
            return nil
        case .content(var bytes):
            while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { bytes.removeLast() }
            return decodeKey(bytes, word, "the key in \(path)")
        }
    }

    private mutating func decodeKey(_ text: [UInt8], _ word: Word, _ what: String) -> [UInt8]? {
        var octets = text
        if text.starts(with: "hex:".utf8) {
            let digits = text.dropFirst(4).map(hexDigit)
            guard digits.count.isMultiple(of: 2), let numbers = digits.allPresent else {
                reporter.error(
                    .badValue, at: word, "\(what) has something after hex: that is no pair of hexadecimal digits",
                    remedy: "write hex: and 64 to 128 digits, as \"openssl rand -hex 32\" gives them")
                return nil
            }
            octets = stride(from: 0, to: numbers.count, by: 2).map { UInt8(numbers[$0] << 4 | numbers[$0 + 1]) }
        }
        guard Self.keyLength.contains(octets.count) else {
            reporter.error(
                .outOfRange, at: word, "\(what) has \(octets.count) bytes; it takes 32 to 64",
                remedy: "write hex: and what \"openssl rand -hex 32\" gives")
            return nil
        }
        return octets
    }

    /// `auth_hmac` of an instance whose version, interval and `authentication` are settled.
    mutating func resolveAuthenticationHMAC(
        _ parsed: Parsed<InstanceDraft>, _ instance: inout VRRPInstanceConfiguration
    ) {
        guard let block = parsed.draft.authenticationHMAC, let first = block.draft.keys.first else { return }
        let draft = block.draft
        if draft.activeKey == nil {
            reporter.warning(
                .adjusted, at: block.opener.keyword,
                "auth_hmac has no active_key: key \(first.id) signs (keepalived turns auth_hmac off then)",
                remedy: "write active_key \(first.id)")
        }
        let active = draft.activeKey ?? first.id
        guard draft.keys.contains(where: { $0.id == active }) else {
            return reporter.error(
                .unknownReference, at: block.place(of: "active_key"), "auth_hmac has no key \(active)",
                remedy: "add key \(active), or name one that is there")
        }
        if instance.authentication != .none {
            reporter.warning(
                .adjusted, at: parsed.place(of: "authentication"),
                "authentication does not go with auth_hmac; it is ignored", remedy: "remove the authentication block")
            instance.authentication = .none
        }
        let adverts = 3 * Int(instance.advertInterval.nanoseconds / 1_000_000_000)
        instance.authenticationHMAC = AuthenticationHMACConfiguration(
            keys: draft.keys.map { AuthenticationHMACConfiguration.Key(id: $0.id, secret: $0.secret) },
            activeKey: active, window: draft.window ?? min(max(adverts, 5), 300), antiReplay: draft.antiReplay,
            mode: draft.mode)
    }
}

extension Array where Element == Int? {
    /// All of them; nil when one is missing.
    fileprivate var allPresent: [Int]? {
        let present = compactMap(\.self)
        return present.count == count ? present : nil
    }
}
