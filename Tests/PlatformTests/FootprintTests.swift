import Testing

@testable import Platform

@Suite struct FootprintTests {
    @Test func `only mappings of files that nobody can write and that hold no private page are given back`() {
        let header = ["Size: 4 kB", "Anonymous: 0 kB"]
        let changed = ["Size: 4 kB", "Anonymous: 4 kB"]
        let text =
            (["1000-2000 r-xp 00000000 fe:00 12 /usr/sbin/vrrpd"] + header
            + ["2000-3000 r--p 00001000 fe:00 12 /usr/sbin/vrrpd"] + changed
            + ["3000-4000 rw-p 00002000 fe:00 12 /usr/sbin/vrrpd"] + header
            + ["4000-5000 r--p 00000000 00:00 0 "] + header
            + ["ffff0000-ffff1000 r--s 00000000 fe:00 13 /a name with spaces"] + header
            + ["nonsense", "zz-1 r-xp 0 0 1 /x", "Anonymous:"]).joined(separator: "\n")
        #expect(Footprint.cleanMappings(Array(text.utf8)) == [0x1000..<0x2000, 0xFFFF_0000..<0xFFFF_1000])
    }

    @Test func `a process goes on as before after giving back its pages`() {
        let before = Array(0..<1000).map(String.init)
        #expect(Footprint.settle() > 0)
        #expect(Array(0..<1000).map(String.init) == before)
    }
}
