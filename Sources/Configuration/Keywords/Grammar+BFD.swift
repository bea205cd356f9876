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
            .toggle("vrrp", \.tellsInstances, .rare, "tell instances only"),
            .notYet("checker", "tell checkers only"),
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
            return session
        }
    }
}
