// VRRP advertisements as a raw socket delivers them: IPv4 packets whole, IPv6 messages without their header.
import Net
import VRRP

/// The first octet chooses: bit 0 the family, bit 1 whether the checksum is corrected first, which a mutation breaks and
/// chance does not repair. The rest is the packet.
func fuzzAdvertisement(_ input: UnsafeRawBufferPointer) {
    guard let choice = input.first else { return }
    var bytes = Array(input.dropFirst())
    if choice & 1 == 0 {
        _ = ReceivedAdvertisement.virtualRouterID(ofPacket: bytes[...])
        if choice & 2 != 0, let first = bytes.first { correctChecksum(of: &bytes, from: Int(first & 0x0F) * 4) }
        if let received = try? ReceivedAdvertisement(packet: bytes[...]) { checkReadsBack(received) }
        return
    }
    let source = IPAddress.v6(IPv6Address(high: 0xFE80 << 48, low: 1))
    let group = IPAddress.v6(Advertisement.group6)
    if choice & 2 != 0 { correctChecksum(of: &bytes, from: 0, pseudoHeader: (source, group)) }
    let received = try? ReceivedAdvertisement(message: bytes[...], from: source, to: group, timeToLive: choice)
    if let received { checkReadsBack(received) }
}

/// Writes the checksum that the VRRP message at `start` should have.
private func correctChecksum(
    of bytes: inout [UInt8], from start: Int, pseudoHeader: (IPAddress, IPAddress)? = nil
) {
    guard bytes.count >= start + 8 else { return }
    bytes.replaceSubrange(start + 6..<start + 8, with: [0, 0])
    var sum = InternetChecksum()
    sum.add(bytes[start...])
    if let (source, destination) = pseudoHeader {
        for address in [source, destination] {
            var octets: [UInt8] = []
            octets.append(address)
            sum.add(octets[...])
        }
        sum.add([0, 0, UInt8(bytes.count >> 8 & 0xFF), UInt8(bytes.count & 0xFF), 0, 0, 0, 112][...])
    }
    bytes[start + 6] = UInt8(sum.value >> 8)
    bytes[start + 7] = UInt8(sum.value & 0xFF)
}

/// What was accepted can be sent, and is then read as the same.
private func checkReadsBack(_ received: ReceivedAdvertisement) {
    var message: [UInt8] = []
    received.advertisement.encode(
        into: &message, from: received.source, to: received.destination, checksum: received.checksum)
    do {
        let again = try ReceivedAdvertisement(
            message: message[...], from: received.source, to: received.destination, timeToLive: received.timeToLive)
        precondition(again.advertisement.addresses == received.advertisement.addresses)
        precondition(again.advertisement.priority == received.advertisement.priority)
        precondition(again.advertisement.password == received.advertisement.password)
    } catch {
        preconditionFailure("an accepted advertisement does not survive its own encoder: \(error)")
    }
}
