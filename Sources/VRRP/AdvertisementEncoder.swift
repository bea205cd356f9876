// Writes an advertisement into a buffer that the caller keeps: sending needs no allocation once the buffer has grown.

public import Net

extension Advertisement {
    /// Appends the VRRP message.
    ///
    /// Version 2 (RFC 3768 §5.1), authentication data always present; version 3 (RFC 9568 §5.1):
    /// ```
    ///  0                   1                   2                   3
    ///  |Ver 2|Type 1| Virtual Rtr ID|   Priority    | Count IP Addrs|
    ///  |  Auth Type   | Adver Int (s) |          Checksum           |   version 2
    ///  |rsvd |  Max Adver Int (cs)    |          Checksum           |   version 3
    ///  |                        addresses …                         |
    ///  |              authentication data (8 octets)                |   version 2
    /// ```
    /// - Parameters:
    ///   - priority: what to send instead of the value's own priority; 0 to give up.
    ///   - source: the packet's source, for the pseudo-header.
    ///   - destination: the packet's destination, for the pseudo-header.
    ///   - group: what stands there instead in `groupPseudoHeader`.
    public func encode(
        into bytes: inout [UInt8], priority: UInt8? = nil, from source: IPAddress, to destination: IPAddress,
        checksum form: ChecksumForm, group: IPv4Address = Advertisement.group4
    ) {
        let start = bytes.count
        bytes.append(version.rawValue << 4 | 1)
        bytes.append(virtualRouterID)
        bytes.append(priority ?? self.priority)
        bytes.append(UInt8(clamping: addresses.count))
        let interval = intervalField
        switch version {
        case .v2:
            bytes.append(isSigned ? 2 : password == nil ? 0 : 1)
            bytes.append(UInt8(truncatingIfNeeded: interval))
        case .v3:
            bytes.append(bigEndian: interval & 0x0FFF)
        }
        bytes.append(bigEndian: UInt16(0))
        for address in addresses.prefix(255) { bytes.append(address) }
        if version == .v2 {
            let bits = password?.bits ?? 0
            bytes.append(bigEndian: UInt32(truncatingIfNeeded: bits >> 32))
            bytes.append(bigEndian: UInt32(truncatingIfNeeded: bits))
        }
        var sum = InternetChecksum()
        if version == .v3, form != .messageOnly || source.family == .inet6 {
            let isGroup = form == .groupPseudoHeader && source.family == .inet
            sum.addPseudoHeader(from: source, to: isGroup ? .v4(group) : destination, length: bytes.count - start)
        }
        sum.add(bytes[start...])
        let value = sum.value
        bytes[start + 6] = UInt8(truncatingIfNeeded: value >> 8)
        bytes[start + 7] = UInt8(truncatingIfNeeded: value)
    }

    /// Replaces `bytes` by the whole packet: header with TTL or hop limit 255 (unless given) and precedence "internetwork control" (0xC0),
    /// then the message. IPv4's identification and header checksum are the kernel's to fill (raw(7), IP_HDRINCL). Source and
    /// destination are of one family.
    public func encodePacket(
        into bytes: inout [UInt8], priority: UInt8? = nil, from source: IPAddress, to destination: IPAddress,
        checksum form: ChecksumForm, group: IPv4Address = Advertisement.group4,
        timeToLive: UInt8 = Advertisement.timeToLive
    ) {
        let family = source.family
        let message = Advertisement.length(version, addresses: min(addresses.count, 255), family: family)
        bytes.removeAll(keepingCapacity: true)
        switch family {
        case .inet:
            bytes.append(0x45)
            bytes.append(0xC0)
            bytes.append(bigEndian: UInt16(clamping: 20 + message))
            bytes.append(bigEndian: UInt32(0))
            bytes.append(timeToLive)
            bytes.append(Advertisement.protocolNumber)
            bytes.append(bigEndian: UInt16(0))
        case .inet6:
            bytes.append(bigEndian: UInt32(0x6C00_0000))
            bytes.append(bigEndian: UInt16(clamping: message))
            bytes.append(Advertisement.protocolNumber)
            bytes.append(timeToLive)
        }
        bytes.append(source)
        bytes.append(destination)
        encode(into: &bytes, priority: priority, from: source, to: destination, checksum: form, group: group)
    }
}

extension Advertisement {
    /// Replaces `frame` by the Ethernet frame of a packet that `encodePacket` made, for its group (RFC 1112 §6.4, RFC 2464 §7). Nobody fills in
    /// IPv4's header checksum here.
    public static func encodeFrame(
        into frame: inout [UInt8], _ packet: [UInt8], from mac: MACAddress, to group: IPAddress
    ) {
        frame.removeAll(keepingCapacity: true)
        let (destination, type): (MACAddress, UInt16) =
            switch group {
            case .v4(let group): (MACAddress(rawValue: 0x0100_5E00_0000 | UInt64(group.rawValue & 0x7F_FFFF)), 0x0800)
            case .v6(let group): (MACAddress(rawValue: 0x3333_0000_0000 | group.low & 0xFFFF_FFFF), 0x86DD)
            }
        frame.append(mac: destination)
        frame.append(mac: mac)
        frame.append(bigEndian: type)
        frame += packet
        guard case .v4 = group, packet.count >= 20 else { return }
        var sum = InternetChecksum()
        sum.add(packet[..<20])
        let value = sum.value
        frame[24] = UInt8(truncatingIfNeeded: value >> 8)
        frame[25] = UInt8(truncatingIfNeeded: value)
    }
}

extension InternetChecksum {
    /// The pseudo-header of RFC 9568 §5.2.8: addresses, length, protocol.
    mutating func addPseudoHeader(from source: IPAddress, to destination: IPAddress, length: Int) {
        add(address: source)
        add(address: destination)
        add(UInt16(truncatingIfNeeded: length))
        add(UInt16(Advertisement.protocolNumber))
    }

    private mutating func add(address: IPAddress) {
        switch address {
        case .v4(let address):
            add(UInt16(truncatingIfNeeded: address.rawValue >> 16))
            add(UInt16(truncatingIfNeeded: address.rawValue))
        case .v6(let address):
            add(address.high)
            add(address.low)
        }
    }

    private mutating func add(_ value: UInt64) {
        add(UInt16(truncatingIfNeeded: value >> 48))
        add(UInt16(truncatingIfNeeded: value >> 32))
        add(UInt16(truncatingIfNeeded: value >> 16))
        add(UInt16(truncatingIfNeeded: value))
    }
}
