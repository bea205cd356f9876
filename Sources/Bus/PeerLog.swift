// Log lines that a peer can cause as often as it likes. The first of a kind and user within a minute is written whole;
// those after it are counted, and the sum is written when the minute is over, so that nobody fills the journal and
// nothing goes unseen.
import Net
public import Platform

/// Writes what peers did wrong.
public final class PeerLog {
    private struct Key: Hashable {
        let kind: String
        let uid: UInt32
    }

    /// How long lines are summed: an operator who looks sees what goes on now.
    private static let window: Duration = .seconds(60)
    /// Users and kinds of one minute that get lines of their own; what others do is summed in one line.
    private static let remembered = 64
    /// Octets of a line that come from the peer.
    private static let quoted = 200

    private let logger: Logger
    private let who: String
    private var further: [Key: Int] = [:]
    private var others = 0
    private var windowEnd: LoopTimer?
    private let loop: EventLoop

    /// - Parameter who: begins every line: the daemon, or nothing.
    public init(_ who: String, on loop: EventLoop, logger: Logger) {
        self.who = who
        self.loop = loop
        self.logger = logger
        windowEnd = loop.timer { [weak self] in self?.sumUp() }
    }

    /// A peer did something that deserves a line. `kind` has a handful of values, in words that go after "N more".
    public func note(_ kind: String, _ peer: PeerCredentials, _ detail: @autoclosure () -> String) {
        if windowEnd?.deadline == nil { windowEnd?.arm(after: Self.window) }
        let key = Key(kind: kind, uid: peer.uid)
        if let count = further[key] {
            further[key] = count + 1
        } else if further.count < Self.remembered {
            further[key] = 0
            logger.warning("\(who)\(kind): uid \(peer.uid), pid \(peer.pid): \(Self.shortened(detail()))")
        } else {
            others += 1
        }
    }

    private func sumUp() {
        for (key, count) in further where count > 0 {
            logger.warning("\(who)\(key.kind): \(count) more by uid \(key.uid) within a minute")
        }
        if others > 0 { logger.warning("\(who)\(others) more refusals of other users within a minute") }
        further = [:]
        others = 0
    }

    private static func shortened(_ text: String) -> String {
        text.utf8.count <= quoted ? text : String(decoding: text.utf8.prefix(quoted), as: UTF8.self) + "…"
    }
}
