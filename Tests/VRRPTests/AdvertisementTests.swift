// The wire format on annotated octets, both ways, and everything that must be refused.

import Net
import Testing

@testable import VRRP

/// scenarios/dr-cluster's master, as keepalived 2.2.7 sends it.
private let source = IPv4Address(192, 168, 200, 101)
private let password = Password("1111".utf8)

private func header(length: UInt8, timeToLive: UInt8 = 255, protocolNumber: UInt8 = 112) -> [UInt8] {
    [
        0x45, 0xC0, 0x00, length,  // IPv4, 20 octets of header, internetwork control, total length
        0x00, 0x00, 0x00, 0x00,  // identification (the kernel's), no fragment
        timeToLive, protocolNumber, 0x00, 0x00,  // TTL, protocol, header checksum (the kernel's)
        192, 168, 200, 101,  // source
        224, 0, 0, 18,  // the group
    ]
}

private let version2: [UInt8] =
    header(length: 40) + [
        0x21, 0x33, 0x64, 0x01,  // version 2 type 1, VRID 51, priority 100, one address
        0x01, 0x01, 0x8D, 0xC0,  // simple text, 1 s, checksum
        192, 168, 200, 254,
        0x31, 0x31, 0x31, 0x31, 0, 0, 0, 0,  // "1111" padded
    ]

private func version3(checksum: UInt16) -> [UInt8] {
    header(length: 32) + [
        0x31, 0x33, 0x64, 0x01,  // version 3 type 1, VRID 51, priority 100, one address
        0x00, 0x64, UInt8(checksum >> 8), UInt8(checksum & 0xFF),  // 100 centiseconds
        192, 168, 200, 254,
    ]
}

private let virtualAddress = IPAddress.v4(IPv4Address(192, 168, 200, 254))

private func advertisement(_ version: ProtocolVersion) -> Advertisement {
    Advertisement(
        version: version, virtualRouterID: 51, priority: 100, interval: .seconds(1), addresses: [virtualAddress],
        password: version == .v2 ? password : nil)
}

private func encode(_ advertisement: Advertisement, _ form: ChecksumForm, priority: UInt8? = nil) -> [UInt8] {
    var bytes: [UInt8] = []
    advertisement.encodePacket(
        into: &bytes, priority: priority, from: .v4(source), to: .v4(Advertisement.group4), checksum: form)
    return bytes
}

@Suite struct AdvertisementTests {
    @Test(arguments: [
        (version2, ProtocolVersion.v2, ChecksumForm.messageOnly),
        (version3(checksum: 0xE0BF), .v3, .messageOnly),
        (version3(checksum: 0x7722), .v3, .pseudoHeader),
    ])
    func `annotated octets decode and encode`(bytes: [UInt8], version: ProtocolVersion, form: ChecksumForm) throws {
        let received = try ReceivedAdvertisement(packet: bytes[...])
        #expect(received.advertisement == advertisement(version))
        #expect(received.source == .v4(source))
        #expect(received.destination == .v4(Advertisement.group4))
        #expect(received.timeToLive == 255)
        #expect(received.checksum == form)
        #expect(encode(advertisement(version), form) == bytes)
    }

    @Test func `Ethernet padding behind the total length is ignored`() throws {
        let padded = version3(checksum: 0xE0BF) + [UInt8](repeating: 0xAA, count: 14)
        #expect(try ReceivedAdvertisement(packet: padded[...]).advertisement == advertisement(.v3))
    }

    @Test func `options in the IP header are skipped`() throws {
        var bytes = version3(checksum: 0xE0BF)
        bytes[0] = 0x46
        bytes[3] += 4
        bytes.insert(contentsOf: [1, 1, 1, 0], at: 20)
        #expect(try ReceivedAdvertisement(packet: bytes[...]).advertisement == advertisement(.v3))
    }

    @Test(arguments: [version2, version3(checksum: 0x7722)])
    func `every prefix is refused as too short`(bytes: [UInt8]) {
        for count in 0..<bytes.count {
            #expect {
                try ReceivedAdvertisement(packet: bytes[..<count])
            } throws: {
                ($0 as? DecodeError)?.reason == .length
            }
        }
    }

    @Test(arguments: [version2, version3(checksum: 0x7722)])
    func `a flipped bit anywhere in the message is refused`(bytes: [UInt8]) {
        for bit in (20 * 8)..<(bytes.count * 8) {
            var bytes = bytes
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: DecodeError.self) { try ReceivedAdvertisement(packet: bytes[...]) }
        }
    }

    @Test func `each kind of damage has its reason`() {
        func reason(_ change: (inout [UInt8]) -> Void) -> Reason? {
            var bytes = version2
            change(&bytes)
            do throws(DecodeError) {
                _ = try ReceivedAdvertisement(packet: bytes[...])
                return nil
            } catch {
                return error.reason
            }
        }
        #expect(reason { $0[20] = 0x41 } == .version)
        #expect(reason { $0[20] = 0x22 } == .type)
        #expect(reason { $0[26] ^= 1 } == .checksum)
        #expect(reason { $0[23] = 2 } == .length)
        #expect(reason { $0[23] = 0 } == .length)
        #expect(reason { $0[9] = 17 } == .length)
        #expect(reason { $0[0] = 0x44 } == .length)
        #expect(reason { $0[0] = 0x65 } == .length)
        #expect(reason { $0[3] = 200 } == .length)
    }

    @Test func `random octets never trap`() {
        var random = SplitMix(seed: 7)
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random), bytes.count >= 24 {
                bytes.replaceSubrange(0..<20, with: header(length: UInt8(bytes.count)))
                bytes[20] = Bool.random(using: &random) ? 0x21 : 0x31
            }
            _ = try? ReceivedAdvertisement(packet: bytes[...])
            _ = ReceivedAdvertisement.virtualRouterID(ofPacket: bytes[...])
        }
    }

    @Test func `what is encoded decodes to the same value`() throws {
        var random = SplitMix(seed: 3)
        for _ in 0..<2_000 {
            let version = Bool.random(using: &random) ? ProtocolVersion.v2 : .v3
            let value = Advertisement(
                version: version, virtualRouterID: .random(in: 1...255, using: &random),
                priority: .random(in: 0...255, using: &random),
                interval: version == .v2
                    ? .seconds(Int.random(in: 1...255, using: &random))
                    : .milliseconds(10 * Int.random(in: 1...4095, using: &random)),
                addresses: (0..<Int.random(in: 0...255, using: &random)).map { _ in
                    .v4(IPv4Address(rawValue: .random(in: 0...UInt32.max, using: &random)))
                },
                password: version == .v2 && Bool.random(using: &random) ? password : nil)
            let form: ChecksumForm = version == .v3 && Bool.random(using: &random) ? .pseudoHeader : .messageOnly
            let received = try ReceivedAdvertisement(packet: encode(value, form)[...])
            #expect(received.advertisement == value)
            #expect(received.checksum == form)
        }
    }

    @Test func `an IPv6 message carries its pseudo-header`() throws {
        let source = try #require(IPAddress("fe80::1"))
        let group = IPAddress.v6(Advertisement.group6)
        let value = Advertisement(
            version: .v3, virtualRouterID: 9, priority: 200, interval: .milliseconds(500),
            addresses: [try #require(IPAddress("fe80::9")), try #require(IPAddress("2001:db8::9"))])
        var bytes: [UInt8] = []
        value.encode(into: &bytes, from: source, to: group, checksum: .messageOnly)
        let received = try ReceivedAdvertisement(message: bytes[...], from: source, to: group, timeToLive: 255)
        #expect(received.advertisement == value)
        #expect(throws: DecodeError.self) {
            try ReceivedAdvertisement(message: bytes[...], from: .v6(.any), to: group, timeToLive: 255)
        }
    }

    /// Heard from keepalived 2.2.7 but for the flow label, which the kernel fills in there.
    @Test func `annotated octets of an IPv6 packet decode and encode`() throws {
        let octets: [UInt8] = [
            0x6C, 0, 0, 0,  // version 6, traffic class 0xC0, no flow label
            0, 24, 112, 255,  // payload length, VRRP, hop limit
            0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0x20, 0x32, 0x0A, 0xFF, 0xFE, 0x99, 0x41, 0x93,
            0xFF, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12,
            0x31, 0x33, 0x64, 1,  // version 3 type 1, VRID 51, priority 100, one address
            0, 100, 0xD3, 0x30,  // 100 centiseconds, checksum with pseudo-header
            0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
        ]
        let received = try ReceivedAdvertisement(packet: octets[...])
        #expect(received.source == IPAddress("fe80::2032:aff:fe99:4193"))
        #expect(received.destination == .v6(Advertisement.group6))
        #expect(received.timeToLive == 255)
        #expect(received.advertisement.addresses == [IPAddress("2001:db8::1")])
        var bytes: [UInt8] = []
        received.advertisement.encodePacket(
            into: &bytes, from: received.source, to: received.destination, checksum: .messageOnly)
        #expect(bytes == octets)
        #expect(ReceivedAdvertisement.virtualRouterID(ofPacket: octets[..<44]) == 0x33)
        for count in octets.indices {
            #expect(throws: DecodeError.self) { try ReceivedAdvertisement(packet: octets[..<count]) }
        }
        for bit in (40 * 8)..<(octets.count * 8) {
            var octets = octets
            octets[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: DecodeError.self) { try ReceivedAdvertisement(packet: octets[...]) }
        }
    }

    @Test func `an interval outside the field is clamped`() throws {
        var value = advertisement(.v3)
        value.interval = .seconds(100)
        #expect(
            try ReceivedAdvertisement(packet: encode(value, .messageOnly)[...]).advertisement.interval
                == .milliseconds(40_950))
        value.version = .v2
        value.interval = .milliseconds(10)
        #expect(
            try ReceivedAdvertisement(packet: encode(value, .messageOnly)[...]).advertisement.interval == .seconds(1))
    }

    @Test func `encoding again reuses the buffer`() {
        var bytes: [UInt8] = []
        let value = advertisement(.v2)
        value.encodePacket(into: &bytes, from: .v4(source), to: .v4(Advertisement.group4), checksum: .messageOnly)
        let before = bytes.withUnsafeBytes { $0.baseAddress }
        value.encodePacket(
            into: &bytes, priority: 0, from: .v4(source), to: .v4(Advertisement.group4), checksum: .messageOnly)
        #expect(bytes.withUnsafeBytes { $0.baseAddress } == before)
        #expect(bytes[22] == 0)
    }
}

@Suite struct AdmissionTests {
    private let configuration = RouterConfiguration(
        version: .v2, virtualRouterID: 51, addresses: [virtualAddress], password: password)

    private func refusal(_ configuration: RouterConfiguration, _ value: Advertisement, ttl: UInt8 = 255) -> Reason? {
        var bytes = encode(value, .messageOnly)
        bytes[8] = ttl
        do throws(DecodeError) {
            return try configuration.admit(try ReceivedAdvertisement(packet: bytes[...]))?.reason
        } catch {
            return error.reason
        }
    }

    @Test func `the configured advertisement is admitted`() {
        #expect(refusal(configuration, advertisement(.v2)) == nil)
    }

    @Test func `each difference has its reason`() {
        #expect(refusal(configuration, advertisement(.v2), ttl: 254) == .timeToLive)
        #expect(refusal(configuration, advertisement(.v3)) == .version)
        var other = advertisement(.v2)
        other.virtualRouterID = 52
        #expect(refusal(configuration, other) == .virtualRouterID)
        other = advertisement(.v2)
        other.password = Password("1112".utf8)
        #expect(refusal(configuration, other) == .authentication)
        other.password = nil
        #expect(refusal(configuration, other) == .authentication)
        other = advertisement(.v2)
        other.interval = .seconds(2)
        #expect(refusal(configuration, other) == .interval)
        other = advertisement(.v2)
        other.addresses = []
        #expect(refusal(configuration, other) == .addressList)
    }

    @Test func `version 3 takes any interval but zero`() throws {
        let configuration = RouterConfiguration(version: .v3, virtualRouterID: 51, addresses: [virtualAddress])
        var other = advertisement(.v3)
        other.interval = .milliseconds(30)
        #expect(refusal(configuration, other) == nil)
        var bytes = encode(other, .messageOnly)
        bytes[25] = 0
        bytes[26] = 0
        bytes[27] = 0
        let checksum = InternetChecksum.of(bytes[20...])
        bytes[26] = UInt8(checksum >> 8)
        bytes[27] = UInt8(checksum & 0xFF)
        let received = try ReceivedAdvertisement(packet: bytes[...])
        #expect(throws: DecodeError.interval(.zero)) { try configuration.admit(received) }
    }

    @Test func `addresses in another order are the same list`() {
        let second = IPAddress.v4(IPv4Address(10, 0, 0, 1))
        var configuration = configuration
        configuration.addresses = [virtualAddress, second]
        var value = advertisement(.v2)
        value.addresses = [second, virtualAddress]
        #expect(refusal(configuration, value) == nil)
    }

    @Test func `with a list of peers only they are heard, within their TTLs`() {
        var configuration = configuration
        configuration.origin = .peers([.v4(source): 250...255])
        #expect(refusal(configuration, advertisement(.v2), ttl: 250) == nil)
        #expect(refusal(configuration, advertisement(.v2), ttl: 249) == .timeToLive)
        configuration.origin = .peers([virtualAddress: 0...255])
        #expect(refusal(configuration, advertisement(.v2)) == .source)
        configuration.origin = .anywhere
        #expect(refusal(configuration, advertisement(.v2), ttl: 1) == nil)
    }

    @Test func `a password is eight octets, longer text is cut`() {
        #expect(Password("337639943".utf8) == Password("33763994".utf8))
        #expect(Password("a".utf8) != Password("a0".utf8))
        #expect(Password([]).matches(Password([0, 0])))
    }
}
