// Points in time as the bus writes them (RFC 3339, UTC) and as people read them.
import Glibc

/// A wall-clock time in milliseconds since 1970.
struct Timestamp: Hashable, Comparable, Sendable {
    let milliseconds: Int64

    init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// Now.
    static var now: Timestamp {
        var value = timespec()
        clock_gettime(CLOCK_REALTIME, &value)
        return Timestamp(milliseconds: Int64(value.tv_sec) * 1000 + Int64(value.tv_nsec) / 1_000_000)
    }

    /// Reads `2026-11-21T15:04:05.678Z`; nil for anything else. What is finer than a millisecond is cut off.
    init?(_ text: String) {
        let digits = Array(text.utf8)
        guard digits.count >= 20, digits.last == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>, in allowed: ClosedRange<Int32>) -> Int32? {
            guard digits[range].allSatisfy(Self.isDigit),
                let value = Int32(String(decoding: digits[range], as: UTF8.self)), allowed.contains(value)
            else { return nil }
            return value
        }
        guard let year = number(0..<4, in: 1...9999), let month = number(5..<7, in: 1...12),
            let day = number(8..<10, in: 1...31), let hour = number(11..<13, in: 0...23),
            let minute = number(14..<16, in: 0...59), let second = number(17..<19, in: 0...60),
            digits[4] == UInt8(ascii: "-"), digits[7] == UInt8(ascii: "-"), digits[10] == UInt8(ascii: "T"),
            digits[13] == UInt8(ascii: ":"), digits[16] == UInt8(ascii: ":")
        else { return nil }
        let fraction = digits[19..<digits.count - 1]
        guard fraction.isEmpty || (fraction.count > 1 && fraction.first == UInt8(ascii: ".")),
            fraction.dropFirst().allSatisfy(Self.isDigit)
        else { return nil }
        let thousandths = (Array(fraction.dropFirst().prefix(3)) + Array("000".utf8)).prefix(3)
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year - 1900, month - 1, day)
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (hour, minute, second)
        milliseconds = Int64(timegm(&parts)) * 1000 + thousandths.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    /// How long ago, in one unit: `just now`, `12 s ago`, `3 min ago`, `5 h ago`, `9 days ago`.
    func ago(from now: Timestamp) -> String {
        let age = (now.milliseconds - milliseconds) / 1000
        return age < 1 ? "just now" : "\(Timestamp.span(age)) ago"
    }

    /// For how long already: `12 s`, `3 min`.
    func age(at now: Timestamp) -> String { Timestamp.span(max(0, (now.milliseconds - milliseconds) / 1000)) }

    /// A length of time in one unit, rounded down, with at least two of it where a smaller unit would do.
    private static func span(_ seconds: Int64) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) days"
        }
    }

    /// `15:04:05.678` in the local time zone; on another day than `now`'s with the date before it.
    func clock(at now: Timestamp) -> String {
        let (parts, today) = (local, now.local)
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { Self.padded(Int64($0), 2) }
        let thousandths = milliseconds - wholeSeconds * 1000
        let time = clock.joined(separator: ":") + "." + Self.padded(thousandths, 3)
        guard parts.tm_year != today.tm_year || parts.tm_yday != today.tm_yday else { return time }
        let date = [Int64(parts.tm_year) + 1900, Int64(parts.tm_mon) + 1, Int64(parts.tm_mday)]
        return date.map { Self.padded($0, 2) }.joined(separator: "-") + " " + time
    }

    private var wholeSeconds: Int64 { (milliseconds - (milliseconds < 0 ? 999 : 0)) / 1000 }

    private var local: tm {
        var seconds = time_t(wholeSeconds)
        var parts = tm()
        localtime_r(&seconds, &parts)
        return parts
    }

    private static func isDigit(_ octet: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet) }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
