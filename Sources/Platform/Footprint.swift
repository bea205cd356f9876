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
        return cleanMappings(String(decoding: text ?? [], as: UTF8.self)).reduce(0) { sum, range in
            ek_forget_pages(range.lowerBound, range.upperBound) == 0 ? sum + range.count : sum
        }
    }

    /// Returns freed heap to the kernel: after a burst, when much was let go of at once.
    public static func trimHeap() {
        ek_trim_heap()
    }

    /// The mappings of files in smaps' text (proc_pid_smaps(5)) of which no page is a private copy.
    static func cleanMappings(_ text: String) -> [Range<UInt64>] {
        var found: [Range<UInt64>] = []
        var current: Range<UInt64>?
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.first == "Anonymous:" {
                if let current, words.dropFirst().first == "0" { found.append(current) }
                current = nil
            } else if words.count >= 6, let header = mapping(words) {
                current = header
            }
        }
        return found
    }

    /// `7f00-7f10 r-xp 00000000 fe:00 1234 /usr/lib/…`: its range when it is a file's (inode not 0) and nobody can write to
    /// it: one that can be written might be, between the look and the call.
    private static func mapping(_ words: [Substring]) -> Range<UInt64>? {
        let ends = words[0].split(separator: "-")
        guard ends.count == 2, let start = UInt64(ends[0], radix: 16), let end = UInt64(ends[1], radix: 16),
            start < end,
            !words[1].contains("w"), words[4] != "0"
        else { return nil }
        return start..<end
    }
}
