// `auth_type AH`: version 2 inside an IP Authentication Header (RFC 2402) with HMAC-MD5-96 (RFC 2403), as keepalived has it. The SPI is the
// source address; the integrity check covers the packet with TOS, fragment field and header checksum zero, the TTL too in unicast. The
// sequence number goes on from the highest of the virtual router that was sent or heard, because keepalived drops anything lower.

internal import Net

/// HMAC-MD5 (RFC 2104) of a message under a key: 16 octets; nil where this host has no MD5. Handed in, because this module links nothing.
public typealias KeyedDigest = (_ key: [UInt8], _ message: [UInt8]) -> [UInt8]?

/// What an advertisement is signed with.
public struct HeaderSignature: Hashable, Sendable {
    /// Eight octets, zero padded.
    public var key: [UInt8]
    /// Grows with every advertisement of the virtual router.
    public var sequence: UInt32
}

/// The header of a received packet.
public struct AuthenticationHeader: Hashable, Sendable {
    /// Octets: next header, length, reserved, SPI, sequence number, 12 of integrity check value.
    static let length = 24
    static let protocolNumber: UInt8 = 51
    /// Its own length in 32-bit words less 2.
    private static let words: UInt8 = 4
    private static let checked = 12
    /// An IPv4 header without options: keepalived and we send no others.
    private static let base = 20

    /// The SPI.
    public let parameters: UInt32
    /// The sequence number.
    public let sequence: UInt32

    /// Reads it; fails for what is cut off or does not carry VRRP.
    init(parsing bytes: ArraySlice<UInt8>) throws(DecodeError) {
        var reader = ByteReader(bytes)
        let next = try reader.octet()
        let words = try reader.octet()
        _ = try reader.word()
        parameters = try reader.double()
        sequence = try reader.double()
        guard bytes.count >= Self.length else { throw .truncated(needed: Self.length, available: bytes.count) }
        guard next == Advertisement.protocolNumber, words == Self.words else { throw .notVRRP }
    }

    /// Puts the header into an IPv4 packet that `Advertisement.encodePacket` made.
    /// - Returns: false when there is no digest; the packet must not be sent then.
    public static func seal(
        _ packet: inout [UInt8], _ signature: HeaderSignature, isUnicast: Bool, _ digest: KeyedDigest
    ) -> Bool {
        guard packet.count >= base else { return false }
        let total = UInt16(clamping: packet.count + length)
        packet[2] = UInt8(total >> 8)
        packet[3] = UInt8(truncatingIfNeeded: total)
        // The kernel fills in an identification of zero, and the check covers it.
        let identification = UInt16(truncatingIfNeeded: signature.sequence) | 0x8000
        packet[4] = UInt8(identification >> 8)
        packet[5] = UInt8(truncatingIfNeeded: identification)
        packet[9] = protocolNumber
        var header: [UInt8] = [Advertisement.protocolNumber, words, 0, 0]
        header += packet[12..<16]
        header.append(bigEndian: signature.sequence)
        header += repeatElement(0, count: checked)
        packet.insert(contentsOf: header, at: base)
        guard let value = digest(signature.key, image(of: packet[...], isUnicast: isUnicast)) else { return false }
        packet.replaceSubrange((base + length - checked)..<(base + length), with: value.prefix(checked))
        return true
    }

    /// True when a received packet's integrity check value is right under the key. Takes the same time wherever it differs.
    static func verifies(
        _ packet: ArraySlice<UInt8>, key: [UInt8], isUnicast: Bool, _ digest: KeyedDigest
    ) -> Bool {
        let start = packet.startIndex
        guard packet.count >= base + length, packet[start] == 0x45 else { return false }
        let total = Int(packet[start + 2]) << 8 | Int(packet[start + 3])
        guard total >= base + length, total <= packet.count else { return false }
        let place = start + base + length - checked
        guard let value = digest(key, image(of: packet.prefix(total), isUnicast: isUnicast)), value.count >= checked
        else { return false }
        var difference: UInt8 = 0
        for index in 0..<checked { difference |= value[index] ^ packet[place + index] }
        return difference == 0
    }

    /// The packet as it is checked: what may change on the way, and the value itself, are zero.
    private static func image(of packet: ArraySlice<UInt8>, isUnicast: Bool) -> [UInt8] {
        var image = Array(packet)
        for index in [1, 6, 7, 10, 11] + (isUnicast ? [8] : []) { image[index] = 0 }
        image.replaceSubrange((base + length - checked)..<(base + length), with: repeatElement(0, count: checked))
        return image
    }
}
