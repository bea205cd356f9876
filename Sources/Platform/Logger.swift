// One line per event on standard error: with the journal's level prefix when systemd reads it, with a time and the level
// in words otherwise. A message is one record whatever is in it: text from a peer or a file can neither begin another record nor steer a
// terminal. Logging never waits for the reader (see `Outbox`). A logger is a value that is handed to whoever logs.
import CLinux
import Glibc
import Net

/// Log levels, numbered as syslog does.
public enum LogLevel: Int, Comparable, Sendable, CaseIterable {
    case error = 3
    case warning = 4
    case notice = 5
    case info = 6
    case debug = 7

    /// Parses `error`, `warning`, `notice`, `info` or `debug`.
    public init?(_ text: String) {
        guard let level = Self.allCases.first(where: { $0.name == text }) else { return nil }
        self = level
    }

    /// The level's word.
    public var name: String {
        switch self {
        case .error: "error"
        case .warning: "warning"
        case .notice: "notice"
        case .info: "info"
        case .debug: "debug"
        }
    }

    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}

/// Writes log lines to standard error.
public struct Logger: Sendable {
    /// The least important level that is written.
    public let level: LogLevel
    private let toJournal: Bool

    /// A logger for standard error; the journal's format when JOURNAL_STREAM is set.
    public init(level: LogLevel) {
        self.level = level
        toJournal = getenv("JOURNAL_STREAM") != nil
    }

    /// Something failed that a person must mend.
    public func error(_ message: @autoclosure () -> String) { log(.error, message) }
    /// Something is wrong and is worked around or retried.
    public func warning(_ message: @autoclosure () -> String) { log(.warning, message) }
    /// A normal event that matters: a transition, a server up or down.
    public func notice(_ message: @autoclosure () -> String) { log(.notice, message) }
    /// A normal event.
    public func info(_ message: @autoclosure () -> String) { log(.info, message) }
    /// Detail for the developers.
    public func debug(_ message: @autoclosure () -> String) { log(.debug, message) }

    /// Gives the reader of the log up to `limit` to take what waits: for the end of a program.
    public static func flush(within limit: Duration) {
        let end = SystemClock.now + limit
        Outbox.shared.flush()
        while Outbox.shared.isWaiting, SystemClock.now < end {
            usleep(5000)
            Outbox.shared.flush()
        }
    }

    private func log(_ level: LogLevel, _ message: () -> String) {
        guard level <= self.level else { return }
        Outbox.shared.log(record(level, message())) { dropped in
            record(.warning, "\(dropped) log lines dropped: whoever reads this log was not reading")
        }
    }

    /// Octets of a message that are written; journald cuts a record at 48 KiB.
    private static let limit = 8 << 10

    /// A message as one line.
    func record(_ level: LogLevel, _ message: String) -> [UInt8] {
        var line = toJournal ? Array("<\(level.rawValue)>".utf8) : Self.timeOfDay() + " \(level.name) ".utf8
        // Nearly all are plain.
        let isPlain = message.utf8.count <= Self.limit && message.utf8.allSatisfy { (0x20..<0x7f).contains($0) }
        if isPlain { line += message.utf8 }
        for (index, scalar) in message.unicodeScalars.enumerated() where !isPlain {
            guard line.count < Self.limit else {
                line += " … (\(message.unicodeScalars.count - index) more characters)".utf8
                break
            }
            switch scalar.value {
            case 0..<0x20, 0x7f..<0xa0:
                line += (scalar.value < 0x10 ? "\\x0" : "\\x").utf8
                line += String(scalar.value, radix: 16).utf8
            case 0x2028, 0x2029: line += "\\u{\(String(scalar.value, radix: 16))}".utf8
            default: line += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
        }
        line.append(UInt8(ascii: "\n"))
        return line
    }

    private static func timeOfDay() -> [UInt8] {
        let nanoseconds = ek_realtime_ns()
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        var text: [UInt8] = []
        text.append(time: parts, nanoseconds)
        return text
    }
}
