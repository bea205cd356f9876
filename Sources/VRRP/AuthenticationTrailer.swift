// `auth_hmac` of keepalived 2.4: 28 octets after the VRRP message with the number of a key, a time-based sequence number and HMAC-SHA-256
// cut to 16 octets. A packet has it when it is longer by just that; version 2 and 3, both families.
//
// The HMAC covers a pseudo-header (family, version, virtual router, source), the message with a checksum of zero, the trailer, and 16 octets
// of zero in its own place. The first keepalived that had it took the checksum as it was: that is accepted over IPv4, and never sent.

internal import Configuration
internal import Net

/// HMAC-SHA-256 (RFC 2104) of a message under a key, over the first 32 octets of `digest`; false where this host has no SHA-256. Handed in,
/// because this module links nothing.
public typealias TrailerDigest = (_ key: [UInt8], _ message: [UInt8], _ digest: inout [UInt8]) -> Bool

/// What an advertisement is signed with.
public struct TrailerSignature: Hashable, Sendable {
    /// The number of the key.
    var keyID: UInt8
    /// The key.
    var key: AuthenticationSecret
    /// Grows with every advertisement; the same to all unicast peers.
    public var sequence: TrailerSequence
}

/// A sequence number: seconds since 1970, 1/65536 of a second, and a counter for what has the same time.
public struct TrailerSequence: Hashable, Sendable {
    /// The three fields in one.
    public let value: UInt64

    /// From the wire.
    public init(value: UInt64) {
        self.value = value
    }

    /// A time, with the counter at 0.
    init(_ time: WallTime) {
        let seconds = UInt64(truncatingIfNeeded: time.nanoseconds / 1_000_000_000)
        let rest = UInt64(truncatingIfNeeded: time.nanoseconds % 1_000_000_000)
        value = seconds << 32 | (rest << 16 / 1_000_000_000) << 16
    }

    /// The seconds since 1970, modulo 2^32.
    var seconds: UInt32 { UInt32(truncatingIfNeeded: value >> 32) }

    /// Serial number arithmetic (RFC 1982): goes on over the wrap of 2106.
    func isAfter(_ other: TrailerSequence) -> Bool { Int64(bitPattern: value &- other.value) > 0 }
}

/// A received trailer.
public struct AuthenticationTrailer: Hashable, Sendable {
    /// Octets: type, key, reserved (2), sequence (8), HMAC (16).
    static let length = 28
    static let codeLength = 16
    /// HMAC-SHA-256 cut to 16 octets.
    static let kind: UInt8 = 1

    let kind: UInt8
    let keyID: UInt8
    let reserved: UInt16
    /// When it was signed.
    public let sequence: TrailerSequence
    private let code: (high: UInt64, low: UInt64)

    init(reading reader: inout ByteReader<ArraySlice<UInt8>>) throws(DecodeError) {
        kind = try reader.octet()
        keyID = try reader.octet()
        reserved = try reader.word()
        sequence = TrailerSequence(value: try reader.quad())
        code = (try reader.quad(), try reader.quad())
    }

    /// It is one that this version understands.
    var isWellFormed: Bool { kind == Self.kind && reserved == 0 }

    /// True for the HMAC of the trailer. Takes the same time wherever it differs.
    fileprivate func has(_ digest: [UInt8]) -> Bool {
        guard digest.count >= Self.codeLength else { return false }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for index in 0..<8 {
            high = high << 8 | UInt64(digest[index])
            low = low << 8 | UInt64(digest[index + 8])
        }
        return (high ^ code.high) | (low ^ code.low) == 0
    }

    public static func == (one: Self, other: Self) -> Bool {
        one.kind == other.kind && one.keyID == other.keyID && one.reserved == other.reserved
            && one.sequence == other.sequence && one.code == other.code
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(sequence)
        hasher.combine(code.high)
        hasher.combine(code.low)
    }
}

/// Makes and checks trailers. Its buffers are kept, so that a packet costs no allocation.
public struct TrailerSealer {
    private static let pseudoHeader = 20
    /// Of the checksum in a message.
    private static let checksum = 6

    private var image: [UInt8] = []
    private var digest = [UInt8](repeating: 0, count: 32)
    private let hash: TrailerDigest

    /// One that works with this digest.
    public init(_ hash: @escaping TrailerDigest) {
        self.hash = hash
        image.reserveCapacity(Self.pseudoHeader + 8 + 8 + 16 * 255 + AuthenticationTrailer.length)
    }

    /// Appends a trailer to a packet that `Advertisement.encodePacket` made.
    /// - Returns: false when there is no digest; the packet must not be sent then.
    public mutating func seal(_ packet: inout [UInt8], _ signature: TrailerSignature) -> Bool {
        guard let header = try? PacketHeader(parsing: packet[...]), packet.count >= header.length + 8 else {
            return false
        }
        packet.append(AuthenticationTrailer.kind)
        packet.append(signature.keyID)
        packet.append(bigEndian: UInt16(0))
        packet.append(bigEndian: UInt32(truncatingIfNeeded: signature.sequence.value >> 32))
        packet.append(bigEndian: UInt32(truncatingIfNeeded: signature.sequence.value))
        draw(packet[header.length...], from: header.source)
        guard hash(signature.key.octets, image, &digest) else { return false }
        packet.append(contentsOf: digest.prefix(AuthenticationTrailer.codeLength))
        lengthen(&packet, header)
        return true
    }

    /// True when the trailer at the end of a received message was made with the key.
    mutating func verifies(
        _ trailer: AuthenticationTrailer, of message: ArraySlice<UInt8>, from source: IPAddress,
        key: AuthenticationSecret
    ) -> Bool {
        let signed = message.dropLast(AuthenticationTrailer.codeLength)
        guard signed.count >= 8 else { return false }
        draw(signed, from: source)
        if hash(key.octets, image, &digest), trailer.has(digest) { return true }
        guard source.family == .inet else { return false }
        for offset in Self.checksum..<(Self.checksum + 2) {
            image[Self.pseudoHeader + offset] = message[message.startIndex + offset]
        }
        return hash(key.octets, image, &digest) && trailer.has(digest)
    }

    /// What is hashed. `message` ends before the HMAC and has 8 octets at least.
    private mutating func draw(_ message: ArraySlice<UInt8>, from source: IPAddress) {
        image.removeAll(keepingCapacity: true)
        image.append(source.family == .inet ? 4 : 6)
        image.append(message[message.startIndex] >> 4)
        image.append(message[message.startIndex + 1])
        image.append(0)
        image.append(source)
        while image.count < Self.pseudoHeader { image.append(0) }
        image.append(contentsOf: message)
        for offset in Self.checksum..<(Self.checksum + 2) { image[Self.pseudoHeader + offset] = 0 }
        for _ in 0..<AuthenticationTrailer.codeLength { image.append(0) }
    }

    /// The header counts the trailer in, and so does IPv6's checksum; IPv4's is over the message alone.
    private func lengthen(_ packet: inout [UInt8], _ header: PacketHeader) {
        switch header.source.family {
        case .inet:
            let length = UInt16(clamping: packet.count)
            packet[2] = UInt8(length >> 8)
            packet[3] = UInt8(truncatingIfNeeded: length)
        case .inet6:
            let count = packet.count - header.length
            packet[4] = UInt8(truncatingIfNeeded: count >> 8)
            packet[5] = UInt8(truncatingIfNeeded: count)
            let place = header.length + Self.checksum
            packet[place] = 0
            packet[place + 1] = 0
            var sum = InternetChecksum()
            sum.addPseudoHeader(from: header.source, to: header.destination, length: count)
            sum.add(packet[header.length...])
            packet[place] = UInt8(truncatingIfNeeded: sum.value >> 8)
            packet[place + 1] = UInt8(truncatingIfNeeded: sum.value)
        }
    }
}
