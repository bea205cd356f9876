// The BFD control packet (RFC 5880 §4.1), without authentication.

internal import Net

/// States of a session, as on the wire.
public enum BFDState: UInt8, Hashable, Sendable {
    case adminDown, down, initialize, up
}

/// Why a session went down last (RFC 5880 §4.1). Numbers without a name here are kept as they are.
public struct BFDDiagnostic: Hashable, Sendable, CustomStringConvertible {
    /// 0 to 31.
    public let rawValue: UInt8

    /// Nothing has happened.
    public static let none = BFDDiagnostic(rawValue: 0)
    public static let detectionTimeExpired = BFDDiagnostic(rawValue: 1)
    public static let neighborSignalled = BFDDiagnostic(rawValue: 3)
    public static let administrativelyDown = BFDDiagnostic(rawValue: 7)

    private static let names = [
        "no diagnostic", "control detection time expired", "echo function failed", "neighbor signaled session down",
        "forwarding plane reset", "path down", "concatenated path down", "administratively down",
        "reverse concatenated path down",
    ]

    public var description: String {
        Int(rawValue) < Self.names.count ? Self.names[Int(rawValue)] : "diagnostic \(rawValue)"
    }
}

/// A control packet.
public struct BFDPacket: Hashable, Sendable {
    /// The sender's state.
    public var state: BFDState
    /// Why the sender's session went down last.
    public var diagnostic = BFDDiagnostic.none
    /// Asks for an answer with `isFinal`.
    public var isPoll = false
    public var isFinal = false
    /// The sender wants no periodic packets.
    public var isDemand = false
    /// Packets of the sender that may be lost.
    public var multiplier: UInt8
    /// The sender's session, and as it knows it the receiver's; 0 = not known.
    public var mine: UInt32
    public var yours: UInt32
    /// µs: what the sender would like to send at, and can receive at; 0 = wants nothing.
    public var desiredTransmit: UInt32
    public var requiredReceive: UInt32

    /// 24 octets.
    public static let length = 24

    /// Parses a UDP payload; nil for what must be discarded before a session is looked for (RFC 5880 §6.8.6). An authenticated packet is
    /// refused: no session here uses authentication.
    public init?(_ octets: ArraySlice<UInt8>) {
        var reader = ByteReader(octets)
        guard let first = try? reader.readUInt8(), let second = try? reader.readUInt8(),
            let multiplier = try? reader.readUInt8(), let length = try? reader.readUInt8(),
            let mine = try? reader.readUInt32(), let yours = try? reader.readUInt32(),
            let transmit = try? reader.readUInt32(), let receive = try? reader.readUInt32(),
            (try? reader.readUInt32()) != nil, let state = BFDState(rawValue: second >> 6)
        else { return nil }
        let isAuthenticated = second & 0x04 != 0
        let isMultipoint = second & 0x01 != 0
        guard first >> 5 == 1, Int(length) >= Self.length, Int(length) <= octets.count, multiplier != 0, mine != 0,
            !isAuthenticated, !isMultipoint, yours != 0 || state == .down || state == .adminDown
        else { return nil }
        self.state = state
        diagnostic = BFDDiagnostic(rawValue: first & 0x1F)
        isPoll = second & 0x20 != 0
        isFinal = second & 0x10 != 0
        isDemand = second & 0x02 != 0
        self.multiplier = multiplier
        self.mine = mine
        self.yours = yours
        desiredTransmit = transmit
        requiredReceive = receive
    }

    init(
        state: BFDState, multiplier: UInt8, mine: UInt32, yours: UInt32, desiredTransmit: UInt32,
        requiredReceive: UInt32
    ) {
        self.state = state
        self.multiplier = multiplier
        self.mine = mine
        self.yours = yours
        self.desiredTransmit = desiredTransmit
        self.requiredReceive = requiredReceive
    }

    /// The UDP payload. No echo packets are wanted.
    public var octets: [UInt8] {
        var octets: [UInt8] = [1 << 5 | diagnostic.rawValue]
        octets.append(state.rawValue << 6 | (isPoll ? 0x20 : 0) | (isFinal ? 0x10 : 0) | (isDemand ? 0x02 : 0))
        octets += [multiplier, UInt8(Self.length)]
        for value in [mine, yours, desiredTransmit, requiredReceive, 0] { octets.append(bigEndian: value) }
        return octets
    }
}
