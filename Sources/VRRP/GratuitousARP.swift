// Telling the link where the virtual addresses are: gratuitous ARP (RFC 9568 §8.1.2) and the unsolicited Neighbour Advertisement
// (RFC 9568 §8.2.2, RFC 4861 §7.2.6), as whole frames for an AF_PACKET socket, and the schedule by which they are sent.

public import Net

/// Frames that announce an address.
public enum Announcement {
    /// Octets of a neighbour advertisement's frame, the longer one.
    public static let longest = 86

    /// Appends the announcement of `address`: ARP for IPv4, a Neighbour Advertisement for IPv6; those of a family are of one length.
    /// - Parameter isRouter: the host forwards IPv6 (the R flag).
    public static func append(
        to frames: inout [UInt8], _ address: IPAddress, mac: MACAddress, isRouter: Bool = false
    ) {
        switch address {
        case .v4(let address): appendARP(to: &frames, address, mac: mac)
        case .v6(let address): appendNeighborAdvertisement(to: &frames, address, mac: mac, isRouter: isRouter)
        }
    }

    /// An ARP request that nobody answers: sender and target are the address itself, the target's MAC is broadcast, as
    /// keepalived sends it. RFC 826's fields: hardware 1, protocol 0x0800, lengths 6 and 4, operation 1.
    private static func appendARP(to frame: inout [UInt8], _ address: IPv4Address, mac: MACAddress) {
        frame.append(mac: .broadcast)
        frame.append(mac: mac)
        frame.append(bigEndian: UInt16(0x0806))
        frame.append(bigEndian: UInt16(1))
        frame.append(bigEndian: UInt16(0x0800))
        frame.append(6)
        frame.append(4)
        frame.append(bigEndian: UInt16(1))
        frame.append(mac: mac)
        frame.append(bigEndian: address.rawValue)
        frame.append(mac: .broadcast)
        frame.append(bigEndian: address.rawValue)
    }

    /// To all nodes (ff02::1), Override set, Solicited clear, with the target link-layer address option.
    private static func appendNeighborAdvertisement(
        to frame: inout [UInt8], _ address: IPv6Address, mac: MACAddress, isRouter: Bool
    ) {
        let allNodes = IPv6Address(high: 0xFF02_0000_0000_0000, low: 1)
        frame.append(mac: MACAddress(rawValue: 0x3333_0000_0001))
        frame.append(mac: mac)
        frame.append(bigEndian: UInt16(0x86DD))
        frame.append(bigEndian: UInt32(0x6000_0000))
        frame.append(bigEndian: UInt16(32))
        frame.append(58)
        frame.append(255)
        frame.append(.v6(address))
        frame.append(.v6(allNodes))
        let message = frame.count
        frame.append(136)
        frame.append(0)
        frame.append(bigEndian: UInt16(0))
        frame.append(bigEndian: UInt32(isRouter ? 0xA000_0000 : 0x2000_0000))
        frame.append(.v6(address))
        frame.append(2)
        frame.append(1)
        frame.append(mac: mac)
        var sum = InternetChecksum()
        sum.add(frame[(message - 32)...])
        sum.add(UInt16(32))
        sum.add(UInt16(58))
        let value = sum.value
        frame[message + 2] = UInt8(truncatingIfNeeded: value >> 8)
        frame[message + 3] = UInt8(truncatingIfNeeded: value)
    }
}

extension [UInt8] {
    mutating func append(mac: MACAddress) {
        for shift in [40, 32, 24, 16, 8, 0] as [UInt64] { append(UInt8(truncatingIfNeeded: mac.rawValue >> shift)) }
    }
}
