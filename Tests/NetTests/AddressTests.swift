// Addresses as text: what is taken, what is refused, how it is written.
import Net
import Testing

@Suite struct AddressTests {
    @Test(arguments: ["0.0.0.0", "255.255.255.255", "192.168.200.254", "10.9.99.100"])
    func `IPv4 text survives a round trip`(_ text: String) {
        #expect(IPv4Address(text)?.description == text)
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "1..2.3", "a.b.c.d", "-1.2.3.4", ".1.2.3",
        "1.2.3.", "1.2.3.0000",
    ])
    func `what is not an IPv4 address is refused`(_ text: String) {
        #expect(IPv4Address(text) == nil)
    }

    @Test(arguments: [
        ("::", "::"), ("::1", "::1"), ("2001:db8::1", "2001:db8::1"), ("fe80:0:0:0:1:0:0:1", "fe80::1:0:0:1"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("::ffff:192.0.2.1", "::ffff:c000:201"), ("2001:DB8::", "2001:db8::"),
        ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ])
    func `IPv6 text is written as RFC 5952 says`(_ text: String, _ expected: String) {
        #expect(IPv6Address(text)?.description == expected)
    }

    @Test(arguments: [
        "", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:",
        "::1.2.3", "1:2:3:4:5:6:7::8:9", "g::", "+1::", "::1%eth0",
    ])
    func `what is not an IPv6 address is refused`(_ text: String) {
        #expect(IPv6Address(text) == nil)
    }

    @Test func `a prefix defaults to the host`() {
        #expect(IPPrefix("192.0.2.1")?.description == "192.0.2.1/32")
        #expect(IPPrefix("2001:db8::1")?.length == 128)
        #expect(IPPrefix("192.0.2.1/24")?.length == 24)
        #expect(IPPrefix("192.0.2.1/33") == nil)
        #expect(IPPrefix("192.0.2.1/") == nil)
    }

    @Test(arguments: ["192.0.2.1:80", "[2001:db8::1]:443"])
    func `endpoints survive a round trip`(_ text: String) {
        #expect(Endpoint(text)?.description == text)
    }

    @Test(arguments: ["192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "[192.0.2.1]:80", "192.0.2.1:\u{301}80"])
    func `what is not an endpoint is refused`(_ text: String) {
        #expect(Endpoint(text) == nil)
    }

    @Test func `addresses compare as unsigned numbers in network order`() throws {
        let low = try #require(IPAddress("10.0.0.1"))
        let high = try #require(IPAddress("200.0.0.1"))
        #expect(low < high)
    }

    @Test func `MAC addresses are read and printed`() {
        #expect(MACAddress("00-00-5E-00-01-33")?.description == "00:00:5e:00:01:33")
        #expect(MACAddress("00:00:5e:00:01") == nil)
        #expect(MACAddress("+0:00:5e:00:01:33") == nil)
    }
}

@Suite struct WireTests {
    @Test func `a read past the end throws and moves nothing`() throws {
        var reader = ByteReader([1, 2, 3] as [UInt8])
        #expect(try reader.readUInt16() == 0x0102)
        #expect(throws: Truncated(needed: 4, available: 1)) { try reader.readUInt32() }
        #expect(try reader.readUInt8() == 3)
        #expect(reader.remaining == 0)
    }

    @Test func `the checksum is RFC 1071's example`() {
        #expect(InternetChecksum.of([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7]) == ~0xDDF2)
        #expect(InternetChecksum.of([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7, 0x22, 0x0D]) == 0)
        #expect(InternetChecksum.of([0xFF]) == 0x00FF)
    }

    @Test func `instants saturate`() {
        #expect(Instant.distantFuture + .seconds(1) == .distantFuture)
        #expect(Instant(nanoseconds: 5) + .nanoseconds(7) == Instant(nanoseconds: 12))
        #expect(Instant(nanoseconds: 12) - Instant(nanoseconds: 5) == .nanoseconds(7))
    }
}
