// What people decided about servers and made by hand, as the text of a file of its own, so that a person can read it and nothing else can take
// it along when it fails. The last line counts the others, says the how manieth content of the file this is, and has a checksum of all that
// stands before: a file that was cut or damaged is not taken for a whole one. (Files of 0.1.0 only count.)
//
//   evenkeel-decisions 1
//   override tcp/192.168.200.254:80/192.168.200.104:80 drained weight=5 since=2026-11-21T15:04:05.678Z uid=0
//   end 1 serial=7 sum=9f3c0a6be1d2c455
//
// The lines of what was made by hand are in HandMadeText.swift.

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

    init?(words: ArraySlice<Substring>) {
        guard let first = words.first, let mode = ServerOverride.Mode(rawValue: String(first)) else { return nil }
        self.init(override: ServerOverride(mode: mode), since: "", uid: 0)
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            switch parts[0] {
            case "weight":
                guard let weight = Int32(parts[1]), weight >= 0 else { return nil }
                override.weight = weight
            case "limit":
                guard let limit = UInt32(parts[1]) else { return nil }
                override.drainLimit = limit
            case "since": since = String(parts[1])
            case "uid": uid = Int(parts[1]) ?? 0
            default: continue
            }
        }
    }

    fileprivate var words: String {
        let weight = override.weight.map { " weight=\($0)" } ?? ""
        let limit = override.drainLimit.map { " limit=\($0)" } ?? ""
        return "\(override.mode.rawValue)\(weight)\(limit) since=\(since) uid=\(uid)"
    }
}

/// The content of the file of decisions.
public struct DecisionText: Sendable {
    private static let header = "evenkeel-decisions 1"

    /// By server.
    public var decisions: [ServerIdentity: Decision] = [:]
    /// What was made by hand, by service.
    public var handMade: [VirtualServerIdentity: HandMade] = [:]
    /// The later content of two has the higher one.
    public var serial: UInt64
    /// Every line was understood, and none is missing.
    public private(set) var isWhole = true

    /// Some decisions, and what was made by hand.
    public init(
        _ decisions: [ServerIdentity: Decision] = [:], handMade: [VirtualServerIdentity: HandMade] = [:],
        serial: UInt64 = 0
    ) {
        self.decisions = decisions
        self.handMade = handMade
        self.serial = serial
    }

    /// Nothing was decided, and nothing made by hand.
    public var isEmpty: Bool { decisions.isEmpty && handMade.isEmpty }

    /// Reads a file; what is understood is kept even if it is not whole.
    public init(parsing text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: true)[...]
        let header = lines.popFirst()
        let end = lines.popLast() ?? ""
        let words = end.split(separator: " ")
        serial = words.dropFirst(2).first.flatMap { UInt64($0.dropFirst("serial=".count)) } ?? 0
        let count = "end \(lines.count)"
        let numbered = "\(count) serial=\(serial)"
        let sum = Self.checksum(of: text[..<end.startIndex] + numbered)
        isWhole =
            header == Self.header[...] && text.hasSuffix("\n")
            && (end == count || end == "\(numbered) sum=\(sum)")
        if words.first != "end" { lines.append(end) }
        for line in lines where !take(line.split(separator: " ")) { isWhole = false }
    }

    /// Reads a line; false when it is not understood.
    private mutating func take(_ words: [Substring]) -> Bool {
        guard words.count >= 3 else { return false }
        let values = words.dropFirst(2)
        if words[0] == "service" {
            guard let service = VirtualServerIdentity(words[1]), let attributes = ServiceAttributes(words: values)
            else { return false }
            handMade[service, default: HandMade()].attributes = attributes
            return true
        }
        guard let server = ServerIdentity(String(words[1])) else { return false }
        if words[0] == "server" {
            guard let attributes = DestinationAttributes(words: values) else { return false }
            handMade[server.service, default: HandMade()].servers[server.endpoint] = attributes
            return true
        }
        guard words[0] == "override", let decision = Decision(words: values) else { return false }
        decisions[server] = decision
        return true
    }

    /// The file's content.
    public var text: String {
        var lines = decisions.map { "override \($0.key) \($0.value.words)" }
        for (service, made) in handMade { lines += made.lines(of: service) }
        let content = ([Self.header] + lines + ["end \(lines.count) serial=\(serial)"]).joined(separator: "\n")
        return content + " sum=\(Self.checksum(of: content[...]))\n"
    }

    /// FNV-1a, in hexadecimal.
    private static func checksum(of text: Substring) -> String {
        let sum = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return String(sum, radix: 16)
    }
}
