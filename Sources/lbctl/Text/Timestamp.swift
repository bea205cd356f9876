// Points in time as the bus writes them (RFC 3339, UTC) and as people read them.
import Glibc

/// A wall-clock time in seconds since 1970.
struct Timestamp: Hashable, Comparable, Sendable {
    let seconds: Double

    init(seconds: Double) {
        self.seconds = seconds
    }

    /// Now.
    static var now: Timestamp {
        var value = timespec()
        clock_gettime(CLOCK_REALTIME, &value)
        return Timestamp(seconds: Double(value.tv_sec) + Double(value.tv_nsec) / 1e9)
    }

    /// Reads `2026-11-21T15:04:05.678Z`; nil for anything else.
    init?(_ text: String) {
        let digits = Array(text.utf8)
        guard digits.count >= 20, digits.last == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>) -> Int32? { Int32(String(decoding: digits[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            digits[4] == UInt8(ascii: "-"), digits[7] == UInt8(ascii: "-"), digits[10] == UInt8(ascii: "T"),
            digits[13] == UInt8(ascii: ":"), digits[16] == UInt8(ascii: ":")
        else { return nil }
        let tail = digits[19..<digits.count - 1]
        guard let fraction = tail.isEmpty ? 0 : Double("0" + String(decoding: tail, as: UTF8.self)) else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year - 1900, month - 1, day)
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (hour, minute, second)
        seconds = Double(timegm(&parts)) + fraction
    }

    static func < (left: Timestamp, right: Timestamp) -> Bool { left.seconds < right.seconds }

    /// How long ago, in one unit: `just now`, `12 s ago`, `3 min ago`, `5 h ago`, `9 days ago`.
    func ago(from now: Timestamp) -> String {
        let age = now.seconds - seconds
        return age < 1 ? "just now" : "\(Timestamp.span(age)) ago"
    }

    /// For how long already: `12 s`, `3 min`.
    func age(at now: Timestamp) -> String { Timestamp.span(max(0, now.seconds - seconds)) }

    /// A length of time in one unit, rounded down, with at least two of it where a smaller unit would do.
    static func span(_ seconds: Double) -> String {
        guard seconds < 1e12 else { return "ages" }
        let whole = Int(max(0, seconds))
        return switch whole {
        case ..<120: "\(whole) s"
        case ..<7200: "\(whole / 60) min"
        case ..<172_800: "\(whole / 3600) h"
        default: "\(whole / 86_400) days"
        }
    }

    /// `15:04:05.678` in the local time zone.
    var clock: String {
        var whole = time_t(clamping: Int(max(-1e15, min(1e15, seconds.rounded(.down)))))
        var parts = tm()
        localtime_r(&whole, &parts)
        let milliseconds = Int((seconds - seconds.rounded(.down)) * 1000)
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { Self.padded(Int($0), 2) }
        return clock.joined(separator: ":") + "." + Self.padded(milliseconds, 3)
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
