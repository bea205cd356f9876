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
        func padded(_ value: some BinaryInteger, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = [padded(parts.tm_year + 1900, 4), padded(parts.tm_mon + 1, 2), padded(parts.tm_mday, 2)]
        let time = [padded(parts.tm_hour, 2), padded(parts.tm_min, 2), padded(parts.tm_sec, 2)]
        return date.joined(separator: "-") + "T" + time.joined(separator: ":") + "."
            + padded(nanoseconds / 1_000_000 % 1000, 3) + "Z"
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
