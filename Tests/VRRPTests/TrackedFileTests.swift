// What a tracked file says: strtol's number, and what stands where there is none.

import Testing

@testable import VRRP

@Suite struct TrackedFileTests {
    @Test(arguments: [
        ("5\n", TrackedFile.Reading.value(5)), ("  \t\n-12 and more", .value(-12)), ("+7", .value(7)), ("", .none),
        ("abc", .none), ("-", .none), ("0x1F", .value(31)), ("0X1f", .value(31)), ("010", .value(8)), ("08", .value(0)),
        ("0x", .value(0)), ("0xg", .value(0)), ("12.5", .value(12)), ("--1", .none), ("0", .value(0)),
        ("-2147483648", .value(-2_147_483_648)), ("-2147483649", .tooLarge), ("2147483648", .value(2_147_483_648)),
        ("2147483649", .tooLarge), ("99999999999999999999999999", .tooLarge),
        ("-99999999999999999999999999", .tooLarge),
    ])
    func `the number is what strtol reads`(_ text: String, _ reading: TrackedFile.Reading) {
        #expect(TrackedFile.number(Array(text.utf8)[...]) == reading)
    }

    @Test func `every octet sequence is read without a trap`() {
        var random = SplitMix(seed: 8)
        for _ in 0..<20_000 {
            let octets = (0..<Int(random.next() % 40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            _ = TrackedFile.report(.octets(octets), after: nil)
        }
    }

    @Test func `a file that is missing, not readable or has no number counts as 0, one that is too large as before`() {
        let before = TrackedFile.report(.octets(Array("17".utf8)), after: nil)
        #expect(before == TrackerReport(.number(17), "17"))
        #expect(TrackedFile.report(.missing, after: before).standing == .number(0))
        #expect(TrackedFile.report(.unreadable("no"), after: before).standing == .number(0))
        #expect(TrackedFile.report(.octets([]), after: before).standing == .number(0))
        let large = TrackedFile.report(.octets(Array("5000000000".utf8)), after: before)
        #expect(large.standing == .number(17))
        #expect(large.hindrance != nil)
        #expect(TrackedFile.report(.octets(Array("5000000000".utf8)), after: nil).standing == .number(0))
    }

    @Test func `what stands behind the 127th octet is not read`() {
        #expect(
            TrackedFile.report(.octets(Array((String(repeating: " ", count: 127) + "9").utf8)), after: nil).standing
                == .number(0))
    }
}
