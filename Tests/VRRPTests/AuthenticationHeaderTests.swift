// `auth_type AH`: what is signed, what is refused, and whose the sequence number is.

import Configuration
import Net
import Testing

@testable import VRRP
@testable import vrrpd

private let key: [UInt8] = Array("secret".utf8) + [0, 0]
private let other = IPAddress.v4(IPv4Address(10, 0, 0, 2))
private let group = IPAddress.v4(Advertisement.group4)

private func packet(
    _ sequence: UInt32, priority: UInt8 = 200, key: [UInt8] = key, isUnicast: Bool = false
) -> [UInt8] {
    var packet: [UInt8] = []
    Advertisement(
        version: .v2, virtualRouterID: 51, priority: priority, interval: .seconds(1),
        addresses: [.v4(IPv4Address(10, 0, 0, 100))], isSigned: true
    ).encodePacket(into: &packet, from: other, to: group, checksum: .messageOnly)
    let signature = HeaderSignature(key: key, sequence: sequence)
    #expect(AuthenticationHeader.seal(&packet, signature, isUnicast: isUnicast, KeyedMD5.digest))
    return packet
}

private func signed() -> VRRPInstanceConfiguration {
    var block = block()
    block.version = .v2
    block.authentication = .authenticationHeader(key: key)
    return block
}

@Suite struct AuthenticationHeaderTests {
    @Test(arguments: [
        // RFC 2202 §2, cases 1, 2 and 6.
        ([UInt8](repeating: 0x0B, count: 16), Array("Hi There".utf8), "9294727a3638bb1c13f48ef8158bfc9d"),
        (Array("Jefe".utf8), Array("what do ya want for nothing?".utf8), "750c783e6ab0b503eaa86e310a5db738"),
        (
            [UInt8](repeating: 0xAA, count: 80), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"
        ),
    ])
    func `the digest is that of RFC 2202`(key: [UInt8], message: [UInt8], digest: String) throws {
        let octets = try #require(KeyedMD5.digest(key: key, message: message))
        #expect(octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == digest)
    }

    @Test func `a sealed packet has the fields of RFC 2402 and keepalived`() throws {
        let octets = packet(0x0102_0304)
        #expect(octets.count == 20 + 24 + 20)
        #expect(octets[2..<4] == [0, 64], "total length")
        #expect(octets[4..<6] != [0, 0], "an identification that the kernel leaves alone")
        #expect(octets[9] == 51)
        #expect(octets[20..<24] == [112, 4, 0, 0])
        #expect(octets[24..<28] == [10, 0, 0, 2], "the SPI is the source")
        #expect(octets[28..<32] == [1, 2, 3, 4])
        #expect(octets[48] == 2, "authentication type")
        let received = try ReceivedAdvertisement(packet: octets[...])
        #expect(received.header?.sequence == 0x0102_0304)
        #expect(received.advertisement.virtualRouterID == 51)
        #expect(ReceivedAdvertisement.virtualRouterID(ofPacket: octets[...]) == 51)
        for count in octets.indices {
            #expect(throws: DecodeError.self) { try ReceivedAdvertisement(packet: octets[..<count]) }
        }
    }

    @Test func `what may change on the way is not covered, all else is`() {
        let octets = packet(7)
        let mutable: Set<Int> = [1, 6, 7, 10, 11]
        for index in octets.indices {
            var changed = octets
            changed[index] ^= 0x10
            let isRight = AuthenticationHeader.verifies(changed[...], key: key, isUnicast: false, KeyedMD5.digest)
            #expect(isRight == mutable.contains(index), "octet \(index)")
        }
        var far = packet(7, isUnicast: true)
        far[8] = 60
        #expect(AuthenticationHeader.verifies(far[...], key: key, isUnicast: true, KeyedMD5.digest))
    }

    @Test func `wrong keys and old numbers are dropped, and a new master goes on from what it heard`() throws {
        let (network, host) = lone([signed()])
        host.start()
        network.run(.seconds(1))
        func refused() -> UInt64? { host.view()?.machine.statistics.refused[.authentication] }
        func hear(_ octets: [UInt8]) {
            host.arrive(octets, to: group, at: 2)
            network.run(.milliseconds(1))
        }
        hear(packet(5000, key: Array("another!".utf8)))
        #expect(refused() == 1)
        hear(packet(5000))
        #expect(host.view()?.machine.statistics.received == 1)
        for old in [5000, 4999, 1] as [UInt32] { hear(packet(old)) }
        #expect(refused() == 4)
        #expect(host.view()?.machine.statistics.received == 1)
        hear(packet(5001, priority: 0))
        network.run(.seconds(2))
        #expect(host.state() == .master)
        #expect(host.sent.last?.router == 51)
        let numbers = host.sequences
        #expect(numbers.first == 5002)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func `two of ours elect one, and a crashed master that goes on is believed`() {
        let network = hosts([[signed()], [signed()]])
        for host in network.hosts { host.start() }
        network.run(.seconds(60))
        let masters = network.hosts.filter { $0.state() == .master }
        #expect(masters.count == 1)
        guard let master = masters.first, let backup = network.hosts.first(where: { $0 !== master }) else { return }
        master.crash()
        network.run(.milliseconds(300))
        master.start()
        network.run(.seconds(30))
        #expect(master.state() == .master)
        #expect(backup.state() == .backup)
        #expect(backup.view()?.machine.statistics.refused[.authentication] == nil)
    }

    @Test func `an instance without the header drops those with it, and the other way round`() throws {
        let plain = RouterConfiguration(version: .v2, virtualRouterID: 51)
        var guarded = plain
        guarded.headerKey = key
        let sealed = try ReceivedAdvertisement(packet: packet(1)[...])
        #expect(throws: DecodeError.self) { try plain.admit(sealed) }
        var octets: [UInt8] = []
        plain.advertisement(priority: 9).encodePacket(into: &octets, from: other, to: group, checksum: .messageOnly)
        let bare = try ReceivedAdvertisement(packet: octets[...])
        #expect(throws: DecodeError.self) { try guarded.admit(bare) }
    }
}
