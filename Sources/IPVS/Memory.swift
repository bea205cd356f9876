// What ipvsd remembers across a restart, as text: which services are its own, the last health it heard, and what people decided. One item a
// line, so that a person can read it and a damaged line costs one item:
//
//   evenkeel-ipvs 1
//   boot 8a1f…
//   owned tcp/192.168.200.254:80
//   up tcp/192.168.200.254:80/192.168.200.103:80
//   down tcp/192.168.200.254:80/192.168.200.104:80
//   unheard tcp/192.168.200.254:80/192.168.200.105:80
//   override tcp/192.168.200.254:80/192.168.200.104:80 drained weight=5 since=2026-11-21T15:04:05.678Z uid=0
//
// Ownership and health are worth something only while the kernel that they were about runs: another boot forgets them.

public import Configuration

/// A person's decision with who made it and when.
public struct Decision: Equatable, Sendable {
    /// What was decided.
    public var override: ServerOverride
    /// When: RFC 3339, UTC.
    public var since: String
    /// The user who did it.
    public var uid: Int

    /// A decision.
    public init(override: ServerOverride, since: String, uid: Int) {
        self.override = override
        self.since = since
        self.uid = uid
    }
}

/// The content of the state file.
public struct Memory: Equatable, Sendable {
    /// The services we may delete.
    public var owned: Set<VirtualServerIdentity> = []
    /// The servers that were configured.
    public var servers: Set<ServerIdentity> = []
    /// The last verdict heard of them.
    public var health: [ServerIdentity: Bool] = [:]
    /// What was decided by hand.
    public var decisions: [ServerIdentity: Decision] = [:]

    private static let header = "evenkeel-ipvs 1"

    /// Nothing remembered.
    public init() {}

    /// Whether `text` is a state file that `init(parsing:boot:)` understands.
    public static func isReadable(_ text: String) -> Bool {
        text.split(separator: "\n").first == header[...]
    }

    /// Reads a state file written in boot `boot` or an earlier one. Lines that do not parse are left out.
    public init(parsing text: String, boot: String) {
        var lines = text.split(separator: "\n")[...]
        guard lines.popFirst() == Self.header[...] else { return }
        let isSameBoot = lines.popFirst() == "boot \(boot)"
        for line in lines {
            let words = line.split(separator: " ")
            guard words.count >= 2 else { continue }
            switch words[0] {
            case "owned" where isSameBoot:
                if let service = VirtualServerIdentity(words[1]) { owned.insert(service) }
            case "up" where isSameBoot, "down" where isSameBoot, "unheard" where isSameBoot:
                guard let server = ServerIdentity(String(words[1])) else { continue }
                servers.insert(server)
                health[server] = words[0] == "unheard" ? nil : words[0] == "up"
            case "override":
                if let server = ServerIdentity(String(words[1])), let decision = Decision(words: words.dropFirst(2)) {
                    decisions[server] = decision
                }
            default: continue
            }
        }
    }

    /// The state file's content in boot `boot`.
    public func text(boot: String) -> String {
        var text = "\(Self.header)\nboot \(boot)\n"
        for service in owned { text += "owned \(service)\n" }
        for server in servers { text += "\(health[server].map { $0 ? "up" : "down" } ?? "unheard") \(server)\n" }
        for (server, decision) in decisions { text += "override \(server) \(decision.words)\n" }
        return text
    }
}

extension Decision {
    fileprivate init?(words: ArraySlice<Substring>) {
        guard let first = words.first, let mode = ServerOverride.Mode(rawValue: String(first)) else { return nil }
        self.init(override: ServerOverride(mode: mode), since: "", uid: 0)
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "weight":
                guard let weight = Int32(parts[1]), weight >= 0 else { return nil }
                override.weight = weight
            case "since": since = String(parts[1])
            case "uid": uid = Int(parts[1]) ?? 0
            default: continue
            }
        }
    }

    fileprivate var words: String {
        let weight = override.weight.map { " weight=\($0)" } ?? ""
        return "\(override.mode.rawValue)\(weight) since=\(since) uid=\(uid)"
    }
}
