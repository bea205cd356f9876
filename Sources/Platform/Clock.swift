// The only place where a clock is read. Everything that decides gets the time as a value, so that tests move it.
import CLinux
import Glibc
public import Net

/// The clocks, for the edges of a program; pure modules get an `Instant` passed in.
public enum SystemClock {
    /// CLOCK_MONOTONIC now.
    public static var now: Instant { Instant(nanoseconds: ek_monotonic_ns()) }
    /// CLOCK_BOOTTIME now: goes on during suspend and is the same for all processes since boot.
    public static var sinceBoot: Instant { Instant(nanoseconds: ek_boottime_ns()) }
    /// Nanoseconds since 1970 by the wall clock: for timestamps that people read, never for decisions.
    public static var wallNanoseconds: Int64 { ek_realtime_ns() }
    /// The wall clock as RFC 3339 text in UTC with milliseconds: `2026-11-21T15:04:05.678Z`.
    public static var timestamp: String { timestamp(at: wallNanoseconds) }
    /// A time of the wall clock, in nanoseconds since 1970, as such text.
    public static func timestamp(at nanoseconds: Int64) -> String {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text: [UInt8] = []
        text.reserveCapacity(24)
        text.append(Int(parts.tm_year) + 1900, digits: 4)
        text.append(Int(parts.tm_mon) + 1, digits: 2, after: "-")
        text.append(Int(parts.tm_mday), digits: 2, after: "-")
        text.append(time: parts, nanoseconds, after: "T")
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }
    /// Whether something keeps the wall clock right (NTP); nil: not known.
    public static var isSynchronised: Bool? {
        let answer = ek_clock_is_synchronised()
        return answer < 0 ? nil : answer == 1
    }
    /// Differs after each boot (/proc/sys/kernel/random/boot_id); empty where the kernel does not tell.
    public static var bootID: String {
        let bytes = (try? FileSystem.contents(of: "/proc/sys/kernel/random/boot_id", limit: 64)) ?? nil
        return String(decoding: (bytes ?? []).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}

extension [UInt8] {
    /// Adds the last decimal digits of a number that is not negative. Times are written for every event and every log line.
    mutating func append(_ number: Int, digits: Int, after mark: Unicode.Scalar? = nil) {
        if let mark { append(UInt8(ascii: mark)) }
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }

    /// Adds the time of day: `15:04:05.678`.
    mutating func append(time parts: tm, _ nanoseconds: Int64, after mark: Unicode.Scalar? = nil) {
        append(Int(parts.tm_hour), digits: 2, after: mark)
        append(Int(parts.tm_min), digits: 2, after: ":")
        append(Int(parts.tm_sec), digits: 2, after: ":")
        append(Int(nanoseconds / 1_000_000 % 1000), digits: 3, after: ".")
    }
}
