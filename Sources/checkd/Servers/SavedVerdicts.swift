// The verdicts that outlive the process: a new checkd starts from them, so that killing it changes nothing for the servers.
// Verdicts of an earlier boot are not believed; the whole machine was away.
import JSON
import Net
import Platform

/// What is kept about one server.
struct SavedServer: Codable, Hashable {
    var server: String
    var state: SavedState
    var since: String
    var reason: String
    var checks: [SavedCheck]
}

/// What is kept about one checker.
struct SavedCheck: Codable, Hashable {
    /// `CheckerConfiguration.identity`.
    var check: String
    var state: SavedState
    var since: String
    var reason: String
}

/// A verdict in the file.
enum SavedState: String, Codable, Hashable {
    case up, down
}

/// The whole file.
struct SavedVerdicts: Codable {
    var boot: String
    var servers: [SavedServer]
}

/// Reads the file once and replaces it at changes: in the turn of the change, so that what somebody was told is on record, but
/// with many servers not so often that writing takes more than a tenth of the time.
final class VerdictFile {
    private static let limits = JSONLimits(octets: 64 << 20, depth: 16)

    private let file: StateFile
    private let boot: String
    private let loop: EventLoop
    private var timer: LoopTimer?
    private var nextWrite = Instant.zero
    private var content: () -> [[UInt8]] = { [] }
    /// Called with the reason when writing fails, with nil when it works.
    var problem: (String?) -> Void = { _ in }

    init(in directory: String, boot: String, on loop: EventLoop) {
        file = StateFile("checkd.json", in: directory)
        self.boot = boot
        self.loop = loop
    }

    /// What the last process of this boot left; empty when there is nothing usable, with the reason in the log.
    func read(_ logger: Logger) -> [String: SavedServer] {
        do {
            guard let octets = try file.read() else { return [:] }
            let saved: SavedVerdicts = try JSONValue(parsing: octets, limits: Self.limits).decode()
            guard saved.boot == boot else {
                logger.info("verdicts in \(file.path) are from before this boot; not used")
                return [:]
            }
            return Dictionary(saved.servers.map { ($0.server, $0) }, uniquingKeysWith: { first, _ in first })
        } catch {
            logger.warning("verdicts in \(file.path) cannot be used, servers start as configured: \(error)")
            return [:]
        }
    }

    /// Makes later writes ask here for the servers, each as JSON.
    func start(_ content: @escaping () -> [[UInt8]]) {
        self.content = content
        timer = loop.timer { [weak self] in self?.write() }
    }

    /// Something changed.
    func changed() {
        guard let timer, timer.deadline == nil else { return }
        timer.arm(at: max(loop.now, nextWrite))
    }

    /// Writes now what `changed` has announced.
    func flush() {
        guard timer?.deadline != nil else { return }
        timer?.disarm()
        write()
    }

    private func write() {
        let start = loop.refreshNow()
        defer { nextWrite = start + (loop.refreshNow() - start) * 10 }
        var text = Array(#"{"boot":"\#(boot)","servers":["#.utf8)
        for (index, server) in content().enumerated() {
            text += index == 0 ? [] : Array(",\n".utf8)
            text += server
        }
        text += Array("]}\n".utf8)
        do throws(Errno) {
            try file.replace(with: text, durable: false)
            problem(nil)
        } catch {
            problem("\(file.path): \(error)")
        }
    }
}
