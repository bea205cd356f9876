// The IP header before a VRRP message, of either family, as far as VRRP looks at it. IPv6 is read as the kernel hands it over: extension
// headers have been taken off.

internal import Net

/// What an IP header says.
struct PacketHeader {
    /// Octets of the header, IPv4's options included.
    let length: Int
    /// Octets of the packet.
    let totalLength: Int
    /// TTL or hop limit.
    let timeToLive: UInt8
    let source: IPAddress
    let destination: IPAddress
    /// The message stands in an Authentication Header.
    let isSigned: Bool

    /// Octets before the VRRP message.
    var messageOffset: Int { length + (isSigned ? AuthenticationHeader.length : 0) }

    /// Fails for a header that is cut off, and for what is no IP packet that carries VRRP.
    init(parsing bytes: ArraySlice<UInt8>) throws(DecodeError) {
        var reader = ByteReader(bytes)
        let first = try reader.octet()
        _ = try reader.octet()
        let protocolNumber: UInt8
        switch first >> 4 {
        case 4:
            length = Int(first & 0x0F) * 4
            totalLength = Int(try reader.word())
            _ = try reader.double()
            timeToLive = try reader.octet()
            protocolNumber = try reader.octet()
            _ = try reader.word()
            source = try reader.address(.inet)
            destination = try reader.address(.inet)
            guard length >= 20 else { throw .notVRRP }
        case 6:
            _ = try reader.word()
            length = 40
            totalLength = 40 + Int(try reader.word())
            protocolNumber = try reader.octet()
            timeToLive = try reader.octet()
            source = try reader.address(.inet6)
            destination = try reader.address(.inet6)
        case _:
            throw .notVRRP
        }
        isSigned = protocolNumber == AuthenticationHeader.protocolNumber && first >> 4 == 4
        guard isSigned || protocolNumber == Advertisement.protocolNumber else { throw .notVRRP }
    }
}
