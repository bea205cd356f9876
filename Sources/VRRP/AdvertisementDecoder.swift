// Reads an advertisement from octets that anybody on the link may have sent: total, bounded, every failure typed. What
// is checked here needs no configuration; what needs it (version, password, interval, addresses) is in Admission.

public import Net

/// An advertisement with what its packet said about it.
public struct ReceivedAdvertisement: Hashable, Sendable {
    /// The packet's source: the sender's primary address.
    public let source: IPAddress
    /// The group, or our own address in unicast.
    public let destination: IPAddress
    /// The packet's TTL or hop limit.
    public let timeToLive: UInt8
    /// The authentication type field of version 2: 0 none, 1 simple text, 2 AH; 0 in version 3.
    public let authenticationType: UInt8
    /// The Authentication Header that the message came in; not checked yet.
    public let header: AuthenticationHeader?
    /// The trailer of `auth_hmac`; not checked yet.
    public let trailer: AuthenticationTrailer?
    /// Which checksum fitted.
    public let checksum: ChecksumForm
    /// The message.
    public let advertisement: Advertisement

    /// Decodes a whole IPv4 or IPv6 packet. Octets beyond the length that its header gives are Ethernet padding and are ignored. `group`: the one
    /// that old keepalived has in the checksum over unicast.
    public init(
        packet bytes: ArraySlice<UInt8>, group: IPv4Address = Advertisement.group4
    ) throws(DecodeError) {
        let header = try PacketHeader(parsing: bytes)
        guard header.totalLength >= header.length, header.totalLength <= bytes.count else {
            throw .truncated(needed: max(header.length, header.totalLength), available: bytes.count)
        }
        let payload = bytes.dropFirst(header.length).prefix(header.totalLength - header.length)
        try self.init(
            message: header.isSigned ? payload.dropFirst(AuthenticationHeader.length) : payload, from: header.source,
            to: header.destination, timeToLive: header.timeToLive, group: group,
            header: header.isSigned ? try AuthenticationHeader(parsing: payload) : nil)
    }

    /// Decodes a VRRP message whose IP header was taken off.
    public init(
        message bytes: ArraySlice<UInt8>, from source: IPAddress, to destination: IPAddress, timeToLive: UInt8,
        group: IPv4Address = Advertisement.group4, header: AuthenticationHeader? = nil
    ) throws(DecodeError) {
        var reader = ByteReader(bytes)
        let versionAndType = try reader.octet()
        let identifier = try reader.octet()
        let priority = try reader.octet()
        let count = Int(try reader.octet())
        let word = try reader.word()
        let checksumField = try reader.word()
        guard let version = ProtocolVersion(rawValue: versionAndType >> 4), version == .v3 || source.family == .inet
        else { throw .version(versionAndType >> 4) }
        guard versionAndType & 0x0F == 1 else { throw .type(versionAndType & 0x0F) }
        let expected = Advertisement.length(version, addresses: count, family: source.family)
        guard bytes.count >= expected else { throw .truncated(needed: expected, available: bytes.count) }
        let hasTrailer = bytes.count == expected + AuthenticationTrailer.length
        guard bytes.count == expected || hasTrailer else {
            throw .oversized(expected: expected, actual: bytes.count)
        }
        // Over IPv6 it covers all that is there, because the kernel makes it for keepalived.
        let covered = source.family == .inet ? bytes.prefix(expected) : bytes
        guard let form = Self.checksumForm(of: covered, version, from: source, to: destination, group: group) else {
            throw .checksum(checksumField)
        }
        guard identifier != 0 else { throw .virtualRouterID(0) }

        var addresses: [IPAddress] = []
        addresses.reserveCapacity(count)
        for _ in 0..<count { addresses.append(try reader.address(source.family)) }
        var interval = Duration.milliseconds(10 * Int(word & 0x0FFF))
        var password: Password?
        authenticationType = version == .v2 ? UInt8(truncatingIfNeeded: word >> 8) : 0
        if version == .v2 {
            interval = .seconds(Int(word & 0xFF))
            let bits = try reader.quad()
            if authenticationType == 1 { password = Password(bits: bits) }
        }
        trailer = hasTrailer ? try AuthenticationTrailer(reading: &reader) : nil
        self.source = source
        self.destination = destination
        self.timeToLive = timeToLive
        self.header = header
        checksum = form
        advertisement = Advertisement(
            version: version, virtualRouterID: identifier, priority: priority, interval: interval,
            addresses: addresses, password: password, isSigned: header != nil)
    }

    /// The virtual router that a packet is about, even when it is otherwise broken: for attributing errors.
    public static func virtualRouterID(ofPacket bytes: ArraySlice<UInt8>) -> UInt8? {
        guard let header = try? PacketHeader(parsing: bytes) else { return nil }
        return bytes.dropFirst(header.messageOffset + 1).first
    }

    /// The sender of a packet, even when the message is broken.
    public static func source(ofPacket bytes: ArraySlice<UInt8>) -> IPAddress? {
        (try? PacketHeader(parsing: bytes))?.source
    }

    /// The form whose sum over the message is zero; nil when none is.
    private static func checksumForm(
        of bytes: ArraySlice<UInt8>, _ version: ProtocolVersion, from source: IPAddress, to destination: IPAddress,
        group: IPv4Address
    ) -> ChecksumForm? {
        var sum = InternetChecksum()
        sum.add(bytes)
        if source.family == .inet, sum.value == 0 { return .messageOnly }
        guard version == .v3 else { return nil }
        var withGroup = sum
        sum.addPseudoHeader(from: source, to: destination, length: bytes.count)
        if sum.value == 0 { return .pseudoHeader }
        guard source.family == .inet, !destination.isMulticast else { return nil }
        withGroup.addPseudoHeader(from: source, to: .v4(group), length: bytes.count)
        return withGroup.value == 0 ? .groupPseudoHeader : nil
    }
}

/// The reader's calls with this module's error.
extension ByteReader {
    mutating func octet() throws(DecodeError) -> UInt8 {
        do { return try readUInt8() } catch { throw DecodeError(error) }
    }

    mutating func word() throws(DecodeError) -> UInt16 {
        do { return try readUInt16() } catch { throw DecodeError(error) }
    }

    mutating func double() throws(DecodeError) -> UInt32 {
        do { return try readUInt32() } catch { throw DecodeError(error) }
    }

    mutating func quad() throws(DecodeError) -> UInt64 { UInt64(try double()) << 32 | UInt64(try double()) }

    mutating func address(_ family: AddressFamily) throws(DecodeError) -> IPAddress {
        switch family {
        case .inet:
            .v4(IPv4Address(rawValue: try double()))
        case .inet6:
            .v6(
                IPv6Address(
                    high: UInt64(try double()) << 32 | UInt64(try double()),
                    low: UInt64(try double()) << 32 | UInt64(try double())))
        }
    }
}

extension DecodeError {
    init(_ error: Truncated) {
        self = .truncated(needed: error.needed, available: error.available)
    }
}
