// Rows of `bfd_instance`, and what becomes of them.
import Net

/// `bfd_instance` while it is read.
struct BFDDraft: BlockDraft {
    var model = BFDConfiguration(name: "", neighbor: .v4(IPv4Address(0, 0, 0, 0)))
    var neighbor: IPAddress?
    var timeToLive: UInt8?
    var hopLimit: UInt8?
    var maximumHops: Int?
    var tellsInstances = false
    var tellsCheckers = false
}

extension Grammars {
    static let bfd = Grammar<BFDDraft>(
        .bfd,
        [
            neighbor.required, neighbor.alias("neighbour_ip"),
            .address("source_ip", \.model.source, standard: "automatic", .common, "source address"),
            milliseconds("min_rx", \.model.receive, "least interval of received packets"),
            milliseconds("min_tx", \.model.transmit, "least interval of sent packets"),
            milliseconds("idle_tx", \.model.idleTransmit, "interval while down, at least 1000"),
            .integer("multiplier", 1...255, \.model.multiplier, .rare, "packets missed until down"),
            .toggle("passive", \.model.isPassive, .rare, "wait for the neighbour to begin"),
            .integer("ttl", 1...255, optional: \.timeToLive, standard: "255", .rare, "TTL of sent packets (IPv4)"),
            .integer(
                "hoplimit", 1...255, optional: \.hopLimit, standard: "255; keepalived 64", .rare,
                "hop limit of sent packets (IPv6)"),
            .integer(
                "max_hops", -1...255, optional: \.maximumHops, standard: "0; any with multihop", .rare,
                "hops a received packet may have made"),
            .boolean("multihop", \.model.isMultihop, .rare, "port 4784 instead of 3784"),
            weight(-253...253, \.model.weight, \.model.isReversed, .rare, "change of priority; 0 = down is FAULT"),
            .toggle("vrrp", \.tellsInstances, .rare, "for instances only, unless checker is there too"),
            .toggle("checker", \.tellsCheckers, .rare, "for checkers only, unless vrrp is there too"),
        ])

    private static let neighbor = Keyword<BFDDraft>.address("neighbor_ip", \.neighbor, .common, "the neighbour")

    private static func milliseconds(
        _ word: String, _ path: any WritableKeyPath<BFDDraft, Duration> & Sendable, _ meaning: String
    ) -> Keyword<BFDDraft> {
        let standard = BFDDraft()[keyPath: path].nanoseconds / 1_000_000
        return Keyword(word, "N", unit: "ms", range: "1…60000", standard: "\(standard)", .rare, meaning) {
            draft, statement, interpreter in
            guard let argument = interpreter.single(statement) else { return }
            guard let thousandfold = parseSeconds(argument.text), thousandfold >= .seconds(1),
                thousandfold <= .seconds(60_000)
            else {
                return interpreter.reporter.error(
                    .badValue, at: argument, "\(word) is 1 to 60000 milliseconds", remedy: "write a number between them"
                )
            }
            draft[keyPath: path] = .nanoseconds(thousandfold.nanoseconds / 1000)
        }
    }
}

extension Interpreter {
    mutating func resolveBFD(_ drafts: [Parsed<BFDDraft>]) -> [BFDConfiguration] {
        var taken: [String: Word] = [:]
        var neighbors: [String: Word] = [:]
        return drafts.compactMap { parsed in
            guard let name = uniqueName(parsed, &taken), let neighbor = parsed.draft.neighbor else { return nil }
            var session = parsed.draft.model
            session.name = name
            session.neighbor = neighbor
            if let source = session.source, source.family != neighbor.family {
                reporter.error(
                    .contradiction, at: parsed.place(of: "source_ip"), "source_ip and neighbor_ip are of two families",
                    remedy: "write both as IPv4 or both as IPv6")
            }
            let isIPv6 = neighbor.family == .inet6
            session.timeToLive = (isIPv6 ? parsed.draft.hopLimit : parsed.draft.timeToLive) ?? 255
            session.maximumHops = parsed.draft.maximumHops ?? (session.isMultihop ? -1 : 0)
            if session.maximumHops == -1 { session.maximumHops = nil }
            if parsed.draft.tellsInstances != parsed.draft.tellsCheckers {
                session.tellsInstances = parsed.draft.tellsInstances
                session.tellsCheckers = parsed.draft.tellsCheckers
            }
            let place = parsed.place(of: "neighbor_ip")
            if let other = neighbors.updateValue(place, forKey: "\(neighbor) \(session.isMultihop)") {
                reporter.error(
                    .contradiction, at: place, "there is a session with \(neighbor) already",
                    remedy: "name that one wherever it is meant", notes: [(other, "the other one")])
            }
            return session
        }
    }

    /// The session that a line names, as long as it is for such lines.
    mutating func session(
        _ word: Word, in configuration: Configuration, of audience: KeyPath<BFDConfiguration, Bool>, spelled own: String
    ) -> BFDConfiguration? {
        guard let session = sessions[word.text] else {
            sayUnknownReference(word, "bfd_instance", configuration.bfdSessions.map(\.name))
            return nil
        }
        guard session[keyPath: audience] else {
            reporter.error(
                .contradiction, at: word, "bfd_instance \(word.text) is not for this: it lacks the word \(own)",
                remedy: "write \(own) in its block too, or neither vrrp nor checker")
            return nil
        }
        return session
    }

    /// A session runs whether anybody here looks at it or not.
    mutating func sayUnusedSessions(_ drafts: [Parsed<BFDDraft>], _ configuration: Configuration) {
        let tracked = configuration.instances.map(\.trackedSessions) + configuration.syncGroups.map(\.trackedSessions)
        let used = configuration.checkedSessions.union(tracked.joined().map(\.name))
        for word in drafts.compactMap(\.opener.arguments.first) where !used.contains(word.text) {
            reporter.warning(
                .unused, at: word, "nothing here looks at bfd_instance \(word.text); it runs for its neighbor alone",
                remedy: "name it in a track_bfd or a BFD_CHECK, or take it out")
        }
    }
}
