// What ipvsd remembers of its services across a restart, as text: the form of the standings that outlives the process. One item a line; a
// damaged line costs one item:
//
//   evenkeel-standings 1
//   boot 8a1f…
//   service tcp/192.168.200.254:80 ours held
//   up 192.168.200.103:80
//   down 192.168.200.104:80
//   unheard 192.168.200.105:80
//   change 192.168.200.103:80 -5
//
// All of it is worth something only while the kernel that it was about runs: another boot forgets it, and it is never synced. The file of
// 0.1.0 (`evenkeel-ipvs 1`) is read as well; its `override` lines are decisions.

public import Configuration
public import Net

/// What was known of a server's health.
public enum RememberedHealth: String, Equatable, Sendable {
    case up, down
    /// It was configured, and nobody had said anything.
    case unheard

    /// As health; nil when nothing was known.
    var health: Health? {
        switch self {
        case .up: .up
        case .down: .down
        case .unheard: nil
        }
    }
}

/// What was known of a service.
public struct RememberedService: Equatable, Sendable {
    /// We may delete it.
    public var isOwned = false
    /// On which side of the quorum it was.
    public var side: QuorumSide?
    /// Since when it was on a side, that one as a rule: a process may end between the two.
    public var since: SideSince?
    /// The servers that were configured.
    public var servers: [Endpoint: RememberedHealth] = [:]
    /// What checks add to configured weights, where that is not 0.
    public var weightChanges: [Endpoint: Int64] = [:]

    /// Nothing known.
    public init() {}
}

/// Since when a service is on a side of its quorum.
public struct SideSince: Equatable, Sendable {
    /// The side.
    public var side: QuorumSide
    /// When it came there: RFC 3339, UTC.
    public var time: String

    /// A side, and when the service came there.
    public init(side: QuorumSide, time: String) {
        self.side = side
        self.time = time
    }
}

/// What an earlier process knew.
public struct Memory: Equatable, Sendable {
    /// By service.
    public var services: [VirtualServerIdentity: RememberedService] = [:]
    /// Decisions in a file of 0.1.0.
    public private(set) var decisions: [ServerIdentity: Decision] = [:]

    private static let header = "evenkeel-standings 1"
    private static let oldHeader = "evenkeel-ipvs 1"

    /// Nothing remembered.
    public init() {}

    /// Whether `text` is a file of 0.1.0.
    public static func isOld(_ text: String) -> Bool {
        text.split(separator: "\n", maxSplits: 1).first == oldHeader[...]
    }

    /// Reads what was written in boot `boot` or an earlier one; lines that do not parse are left out. A boot without a name is never the
    /// same as another.
    public init(parsing text: String, boot: String) {
        var lines = text.split(separator: "\n")[...]
        let header = lines.popFirst()
        let isSameBoot = !boot.isEmpty && lines.popFirst() == "boot \(boot)"
        if header == Self.header[...], isSameBoot {
            readServices(lines)
        } else if header == Self.oldHeader[...] {
            readOld(lines, isSameBoot: isSameBoot)
        }
    }

    private mutating func readServices(_ lines: ArraySlice<Substring>) {
        var current: VirtualServerIdentity?
        for line in lines {
            let words = line.split(separator: " ")
            if words.first == "service" {
                current = nil
                guard words.count == 4, let service = VirtualServerIdentity(words[1]) else { continue }
                current = service
                services[service] = RememberedService()
                services[service]?.isOwned = words[2] == "ours"
                services[service]?.side = QuorumSide(rawValue: String(words[3]))
            } else if let current, words.count == 2, let health = RememberedHealth(rawValue: String(words[0])),
                let endpoint = Endpoint(String(words[1]))
            {
                services[current]?.servers[endpoint] = health
            } else if let current, words.count == 3, words[0] == "change", let endpoint = Endpoint(String(words[1])) {
                services[current]?.weightChanges[endpoint] = Int64(words[2])
            } else if let current, words.count == 3, words[0] == "since",
                let side = QuorumSide(rawValue: String(words[1]))
            {
                services[current]?.since = SideSince(side: side, time: String(words[2]))
            }
        }
    }

    private mutating func readOld(_ lines: ArraySlice<Substring>, isSameBoot: Bool) {
        for line in lines {
            let words = line.split(separator: " ")
            guard words.count >= 2 else { continue }
            if words[0] == "override" {
                guard let server = ServerIdentity(String(words[1])), let decision = Decision(words: words.dropFirst(2))
                else {
                    continue
                }
                decisions[server] = decision
            } else if words[0] == "owned", isSameBoot {
                guard let service = VirtualServerIdentity(words[1]) else { continue }
                services[service, default: RememberedService()].isOwned = true
            } else if isSameBoot, let health = RememberedHealth(rawValue: String(words[0])) {
                guard let server = ServerIdentity(String(words[1])) else { continue }
                services[server.service, default: RememberedService()].servers[server.endpoint] = health
            }
        }
    }

    /// The content of the file in boot `boot`. It follows the table: of a service whose table was not read yet, it says what it said before.
    /// - Parameter since: since when each service is on its side.
    public static func text(
        of standings: [VirtualServerIdentity: Standing], since: [VirtualServerIdentity: SideSince] = [:], boot: String
    ) -> String {
        var text = Lines("\(header)\nboot \(boot)\n")
        for (service, standing) in standings where standing.pool != nil || standing.isOwned {
            let remembered = standing.remembered
            let side = remembered == nil ? standing.pool?.side : remembered?.side
            text.add("service \(service) \(standing.isOwned ? "ours" : "unwritten") \(side?.rawValue ?? "unknown")\n")
            if let since = since[service] { text.add("since \(since.side.rawValue) \(since.time)\n") }
            for (endpoint, health) in remembered?.servers ?? [:] { text.add("\(health.rawValue) \(endpoint)\n") }
            for (endpoint, change) in remembered?.weightChanges ?? [:] { text.add("change \(endpoint) \(change)\n") }
            guard remembered == nil else { continue }
            for member in standing.pool?.members ?? [] where member.departure == nil && !standing.isUnwritten(member) {
                // Not interpolated: there may be tens of thousands.
                text.add(RememberedHealth(member).rawValue)
                text.add(" ")
                text.add(member.configuration.endpoint.description)
                text.add("\n")
                if member.weightChange != 0 {
                    text.add("change \(member.configuration.endpoint) \(member.weightChange)\n")
                }
            }
        }
        return String(decoding: text.octets, as: UTF8.self)
    }

    /// A text that grows by tens of thousands of words; to append to a String costs several times as much.
    private struct Lines {
        private(set) var octets: [UInt8]

        init(_ text: String) { octets = Array(text.utf8) }

        mutating func add(_ word: String) {
            var word = word
            word.withUTF8 { octets.append(contentsOf: $0) }
        }
    }
}

extension Standing {
    /// True when a server is missing from the table only because it was not put there yet or is refused: the next process shall take it
    /// for a new one, not for one that was taken out.
    fileprivate func isUnwritten(_ member: Member) -> Bool {
        guard member.health != .down else { return false }
        if member.acceptance == .refused(heldWeight: nil) { return true }
        return member.health == .unknown(adopted: nil) && held.entry?.destinations[member.configuration.endpoint] == nil
    }
}

extension RememberedHealth {
    fileprivate init(_ member: Member) {
        switch member.health {
        case .up: self = member.configuration.checkers.isEmpty ? .unheard : .up
        case .down: self = .down
        case .unknown: self = .unheard
        }
    }
}
