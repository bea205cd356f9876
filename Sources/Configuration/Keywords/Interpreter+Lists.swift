// Blocks of lines that are not keywords (names, peers, tracked things), and single lines with a small language of their own
// (lvs_timeouts, lvs_sync_daemon, USER [GROUP]). Everything here gives what could be read and says what could not.
import Net

extension Interpreter {
    /// The words of each line of a list block; braces within are said.
    mutating func listLines(_ statement: Statement) -> [Words] {
        statement.children.map { line in
            if line.hasBlock {
                reporter.error(
                    .unexpectedBrace, at: line.keyword, "a line of \(statement.keyword.text) takes no { … }",
                    remedy: "is the } of \(statement.keyword.text) missing above?")
            }
            return line.words
        }
    }

    /// `NAME [weight N [reverse|noreverse]]` lines.
    mutating func trackLines(_ statement: Statement, limit: Int) -> [TrackDraft] {
        listLines(statement).map { words in
            var draft = TrackDraft(word: words[0])
            if statement.keyword.text == "track_interface" { noteInterface(words[0]) }
            var rest = words.dropFirst()
            if rest.first?.text == "weight" {
                rest.removeFirst()
                if let value = rest.popFirst() {
                    draft.weight = integer(value, -limit...limit, of: "weight")
                } else {
                    reporter.error(
                        .missingValue, at: words[0], "weight needs a number", remedy: "write weight -20, say")
                }
                if rest.first?.text == "reverse" || rest.first?.text == "noreverse" {
                    draft.isReversed = rest.removeFirst().text == "reverse"
                }
            }
            if let extra = rest.first {
                reporter.error(
                    .unknownKeyword, at: extra, "\(quoted(extra.text)) is not expected after \(words[0].text)",
                    remedy: "write NAME [weight N [reverse]], one on each line")
            }
            return draft
        }
    }

    /// `ADDR [min_ttl N] [max_ttl N]` lines.
    mutating func peers(_ statement: Statement) -> [(word: Word, peer: UnicastPeer)] {
        listLines(statement).compactMap { words in
            guard let address = address(words[0]) else { return nil }
            var low: Int?
            var high: Int?
            var rest = words.dropFirst()
            while let word = rest.popFirst() {
                guard word.text == "min_ttl" || word.text == "max_ttl", let value = rest.popFirst() else {
                    reporter.error(
                        .unknownKeyword, at: word, "\(quoted(word.text)) is not expected after a peer's address",
                        remedy: "write ADDR [min_ttl N] [max_ttl N], one peer on each line")
                    break
                }
                let number = integer(value, 0...255, of: word.text)
                if word.text == "min_ttl" { low = number } else { high = number }
            }
            guard low != nil || high != nil else { return (words[0], UnicastPeer(address)) }
            let first = UInt8(clamping: low ?? 0)
            let last = UInt8(clamping: high ?? 255)
            guard first <= last else {
                reporter.error(.contradiction, at: words[0], "min_ttl is larger than max_ttl")
                return (words[0], UnicastPeer(address))
            }
            return (words[0], UnicastPeer(address, timeToLive: first...last))
        }
    }

    /// An interface name.
    mutating func interface(_ statement: Statement) -> String? {
        guard let word = single(statement), noteInterface(word) else { return nil }
        return word.text
    }

    /// True for what the kernel takes for the name of an interface (dev_valid_name); else an error.
    mutating func isInterfaceName(_ word: Word) -> Bool {
        let isName =
            (1...15).contains(word.text.utf8.count) && ![".", ".."].contains(word.text)
            && !word.text.utf8.contains { [UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: " ")].contains($0) }
        if !isName {
            reporter.error(
                .badValue, at: word, "\(quoted(word.text)) is not an interface name",
                remedy: word.text.contains(":")
                    ? "an alias is a label: name the interface, and write label \(word.text) behind an address"
                    : "it has 1 to 15 bytes, without / and :")
        }
        return isName
    }

    /// Remembers an interface to ask the machine about; false, with an error, when it cannot be the name of one.
    @discardableResult
    mutating func noteInterface(_ word: Word) -> Bool {
        guard isInterfaceName(word) else { return false }
        interfaces.append((word, word.text, turn))
        return true
    }

    /// `USER [GROUP]`.
    mutating func user(_ statement: Statement) -> ScriptUser? {
        guard let user = statement.arguments.first else {
            sayMissing(statement)
            return nil
        }
        ignoreExtra(statement.arguments.dropFirst(2), statement)
        let value = ScriptUser(user: user.text, group: statement.arguments.dropFirst().first?.text)
        users.append((user, value, turn))
        return value
    }

    /// `[tcp N] [tcpfin N] [udp N]`.
    mutating func timeouts(_ statement: Statement, into timeouts: inout IPVSTimeouts) {
        guard !statement.arguments.isEmpty else { return sayMissing(statement) }
        var rest = statement.arguments
        while let word = rest.popFirst() {
            let paths: [String: WritableKeyPath<IPVSTimeouts, Duration?>] = [
                "tcp": \.tcp, "tcpfin": \.tcpFin, "udp": \.udp,
            ]
            guard let path = paths[word.text], let value = rest.popFirst() else {
                return reporter.error(
                    .badValue, at: word, "lvs_timeouts takes pairs of tcp, tcpfin or udp and seconds",
                    remedy: "write lvs_timeouts tcp 900 tcpfin 120 udp 300, say")
            }
            guard let seconds = integer(value, 0...Persistence.longestTimeout, of: "lvs_timeouts \(word.text)")
            else { continue }
            timeouts[keyPath: path] = seconds == 0 ? nil : .seconds(seconds)
        }
    }

    /// `lvs_sync_daemon_interface IF` of an instance. As in keepalived the first counts, and lvs_sync_daemon in global_defs before all.
    mutating func syncDaemon(on interface: Word, of instance: Statement) {
        guard let name = instance.arguments.first else { return }
        let meant = "lvs_sync_daemon \(interface.text) \(name.text)"
        if let daemon = global.syncDaemon {
            return reporter.warning(
                .contradiction, at: interface,
                "lvs_sync_daemon_interface is ignored: \(daemon.interface) synchronises connections already",
                remedy: "remove it, or write \(meant) in global_defs instead of the other")
        }
        noteInterface(interface)
        global.syncDaemon = SyncDaemonConfiguration(interface: interface.text)
        global.syncDaemon?.instance = name.text
        syncDaemonInstance = name
        reporter.warning(
            .deprecated, at: interface, "lvs_sync_daemon_interface is understood as \(meant)",
            remedy: "write that in global_defs")
    }

    /// `IF [[inst] NAME] [id N] [maxlen N] [port N] [ttl N] [group ADDR]`.
    mutating func syncDaemon(_ statement: Statement) -> SyncDaemonConfiguration? {
        guard let interface = statement.arguments.first else {
            sayMissing(statement)
            return nil
        }
        noteInterface(interface)
        var daemon = SyncDaemonConfiguration(interface: interface.text)
        var rest = statement.arguments.dropFirst()
        let known = ["inst", "id", "maxlen", "port", "ttl", "group"]
        if let name = rest.first, !known.contains(name.text), Int(name.text) == nil {
            rest.removeFirst()
            daemon.instance = name.text
            syncDaemonInstance = name
        }
        while let word = rest.popFirst() {
            guard known.contains(word.text), let value = rest.popFirst() else {
                reporter.error(
                    .badValue, at: word, "\(quoted(word.text)) is not expected here",
                    remedy: "write lvs_sync_daemon IF [[inst] NAME] [id N] [maxlen N] [port N] [ttl N] [group ADDR]")
                break
            }
            switch word.text {
            case "inst":
                daemon.instance = value.text
                syncDaemonInstance = value
            case "id":
                daemon.syncID = UInt8(clamping: integer(value, 0...255, of: "id") ?? 0)
                syncDaemonHasID = true
            case "maxlen":
                daemon.maximumLength = integer(value, 1...65507, of: "maxlen").map { UInt16(clamping: $0) }
            case "port": daemon.port = UInt16(clamping: integer(value, 1...65535, of: "port") ?? 8848)
            case "ttl": daemon.timeToLive = UInt8(clamping: integer(value, 1...255, of: "ttl") ?? 1)
            default: daemon.group = address(value) ?? daemon.group
            }
        }
        return daemon
    }
}
