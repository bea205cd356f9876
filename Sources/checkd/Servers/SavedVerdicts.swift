// The verdicts that outlive the process: a new checkd starts from them, so that killing it changes nothing for the servers.
// Verdicts of an earlier boot are not believed; the whole machine was away.
import CLinux
import Glibc
import JSON
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

/// The first line of the file.
private struct Header: Codable {
    var boot: String
}

/// A file of JSON lines: the boot, then the servers; a later line about a server replaces an earlier one. A change appends one
/// line before anybody is told, whatever the number of servers; the file is written anew when it has grown.
final class VerdictFile {
    /// Written anew when changes have made the file this much longer than it was.
    private static let growth = 1 << 20
    private static let newline = UInt8(ascii: "\n")

    private let file: StateFile
    private let boot: String
    private let logger: Logger
    private var descriptor: FileDescriptor?
    private var appended = 0
    /// Called with the reason when writing fails, with nil when it works.
    var problem: (String?) -> Void = { _ in }

    init(in directory: String, boot: String, _ logger: Logger) {
        file = StateFile("checkd.json", in: directory)
        self.boot = boot
        self.logger = logger
    }

    /// What the last process of this boot left; empty when there is nothing usable, with the reason in the log.
    func read() -> [String: SavedServer] {
        do {
            guard let octets = try file.read() else { return [:] }
            var lines = octets.split(separator: Self.newline)[...]
            let header: Header = try JSONValue(parsing: lines.popFirst() ?? []).decode()
            guard header.boot == boot else {
                logger.info("verdicts in \(file.path) are from before this boot; not used")
                return [:]
            }
            var servers: [String: SavedServer] = [:]
            for line in lines {
                // The last line is incomplete when the machine's disk was full or the process died over it.
                guard let server: SavedServer = try? JSONValue(parsing: line).decode() else { continue }
                servers[server.server] = server
            }
            return servers
        } catch {
            logger.warning("verdicts in \(file.path) cannot be used, servers start as configured: \(error)")
            return [:]
        }
    }

    /// Writes everything anew: at start, when servers have come or gone, and when `append` asks for it.
    func rewrite(_ servers: [SavedServer]) {
        attempt { () throws(Errno) in
            var text = Array(#"{"boot":"\#(boot)"}"#.utf8) + [Self.newline]
            for server in servers { text += Self.line(server) }
            descriptor = nil
            try file.replace(with: text, durable: false)
            let number = try Errno.check(ek_open(file.path, O_WRONLY | O_APPEND, 0), "open")
            descriptor = FileDescriptor(owning: number)
            appended = 0
        }
    }

    /// Records that a server changed. False when it is time to write everything anew instead.
    func append(_ server: SavedServer) -> Bool {
        guard let number = descriptor?.number, appended < Self.growth else { return false }
        let line = Self.line(server)
        attempt { () throws(Errno) in
            let written = try Errno.check(ek_write(number, line, line.count), "write")
            guard written == line.count else { throw Errno(ENOSPC, "write") }
            appended += line.count
        }
        return descriptor != nil
    }

    private static func line(_ server: SavedServer) -> [UInt8] {
        ((try? JSONValue(encoding: server).serialised()) ?? []) + [newline]
    }

    private func attempt(_ body: () throws(Errno) -> Void) {
        do throws(Errno) {
            try body()
            problem(nil)
        } catch {
            descriptor = nil
            problem("\(file.path): \(error)")
        }
    }
}
