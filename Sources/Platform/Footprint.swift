// What a daemon keeps resident. Reading the configuration and starting the Swift runtime touch most of a program's pages
// once; a daemon then lives on a third of them. They are given back: the kernel would do so only under pressure, and until
// then they count as ours. Only unchanged pages of files are let go, so the worst that can happen is a page fault.
import CLinux
import Glibc

/// Giving back what only the start needed.
public enum Footprint {
    /// Returns freed heap and unmaps clean pages of programs and libraries. Octets of address space looked at; 0 where
    /// /proc is missing. Takes about a millisecond.
    @discardableResult
    public static func settle() -> Int {
        ek_trim_heap()
        let text = (try? FileSystem.contents(of: "/proc/self/smaps", limit: 1 << 22)) ?? nil
        return cleanMappings(text ?? []).reduce(0) { sum, range in
            ek_forget_pages(range.lowerBound, range.upperBound) == 0 ? sum + range.count : sum
        }
    }

    /// Returns freed heap to the kernel: after a burst, when much was let go of at once.
    public static func trimHeap() {
        ek_trim_heap()
    }

    /// The mappings of files in smaps' text (proc_pid_smaps(5)) of which no page is a private copy. Octets, not texts: the loop waits.
    static func cleanMappings(_ text: [UInt8]) -> [Range<UInt64>] {
        var found: [Range<UInt64>] = []
        var current: Range<UInt64>?
        for line in text.split(separator: UInt8(ascii: "\n")) {
            if line.starts(with: anonymous) {
                let size = line.dropFirst(anonymous.count).drop { $0 == UInt8(ascii: " ") }
                if let current, size.starts(with: none) { found.append(current) }
                current = nil
            } else if let first = line.first, isHexadecimal(first), let header = mapping(line) {
                current = header
            }
        }
        return found
    }

    private static let anonymous = Array("Anonymous:".utf8)
    private static let none = Array("0 ".utf8)

    /// `7f00-7f10 r-xp 00000000 fe:00 1234 /usr/lib/…`: its range when it is a file's (inode not 0) and nobody can write to
    /// it: one that can be written might be, between the look and the call.
    private static func mapping(_ line: ArraySlice<UInt8>) -> Range<UInt64>? {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
        guard words.count == 6, !words[1].contains(UInt8(ascii: "w")), !words[4].elementsEqual([UInt8(ascii: "0")])
        else {
            return nil
        }
        let ends = words[0].split(separator: UInt8(ascii: "-"))
        guard ends.count == 2, let start = number(ends[0]), let end = number(ends[1]), start < end else { return nil }
        return start..<end
    }

    private static func isHexadecimal(_ octet: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(octet)
    }

    /// Of at most sixteen hexadecimal digits.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard (1...16).contains(digits.count) else { return nil }
        var number: UInt64 = 0
        for digit in digits {
            guard isHexadecimal(digit) else { return nil }
            number =
                number << 4
                | UInt64(digit < UInt8(ascii: "a") ? digit - UInt8(ascii: "0") : digit - UInt8(ascii: "a") + 10)
        }
        return number
    }
}
