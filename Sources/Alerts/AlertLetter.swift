// What people read: one change in keepalived's words, or many in a list with a line that says what it adds up to.

/// The subject and the text of a message.
public struct AlertLetter: Equatable, Sendable {
    /// Without control characters.
    public let subject: String
    /// Lines without their ends.
    public let lines: [String]

    private static let longestSubject = 200

    /// About what waits; `router` is router_id.
    public init(_ waiting: AlertChannel.Waiting, router: String) {
        let name = router.isEmpty ? "" : "[\(router)] "
        if let only = waiting.changes.first, waiting.changes.count == 1, waiting.dropped == 0 {
            subject = name + only.line
            lines = [only.text, ""] + Self.details(of: only)
            return
        }
        let count = waiting.changes.count + waiting.dropped
        let sum = Self.sum(of: waiting.changes).joined(separator: ", ")
        let text = "\(name)\(count) changes: \(sum)"
        subject = text.count > Self.longestSubject ? text.prefix(Self.longestSubject - 1) + "…" : text
        var lines =
            ["\(count) changes; as things stand now:", ""] + Self.sum(of: waiting.changes) + ["", "What happened:"]
        if waiting.dropped > 0 {
            lines.append("")
            lines.append("\(waiting.dropped) earlier changes are not listed: they waited for too long.")
        }
        for change in waiting.changes {
            lines += ["", change.line, change.text] + Self.details(of: change)
        }
        self.lines = lines
    }

    private static func details(of change: AlertChange) -> [String] {
        (change.reason.isEmpty ? [] : ["Reason: \(change.reason)"]) + ["Since: \(change.time)"]
    }

    /// What the last change of each subject adds up to: `3 real servers DOWN`.
    private static func sum(of changes: [AlertChange]) -> [String] {
        var latest: [AlertSubject: AlertChange] = [:]
        for change in changes { latest[change.subject] = change }
        var counts: [(word: String, count: Int, only: AlertChange)] = []
        for change in changes where latest[change.subject]?.number == change.number {
            let word = "\(change.subject.kind.plural) \(change.headline)"
            if let index = counts.firstIndex(where: { $0.word == word }) {
                counts[index].count += 1
            } else {
                counts.append((word, 1, change))
            }
        }
        return counts.map { $0.count == 1 ? $0.only.line : "\($0.count) \($0.word)" }
    }
}

extension AlertSubject.Kind {
    fileprivate var plural: String {
        switch self {
        case .instance: "VRRP instances"
        case .group: "VRRP groups"
        case .service: "virtual servers"
        case .server: "real servers"
        }
    }
}
