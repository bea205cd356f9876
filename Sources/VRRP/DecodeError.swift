// Why an advertisement was not acted on. One case per counter of the VRRP MIBs (RFC 2787, RFC 6527), so that "garbage on
// the wire" always has a name and a number.

public import Net

/// An advertisement that was refused, with what was seen.
public enum DecodeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Shorter than its headers or its address count say.
    case truncated(needed: Int, available: Int)
    /// Longer than its address count says.
    case oversized(expected: Int, actual: Int)
    /// Not an IP packet that carries VRRP.
    case notVRRP
    /// The TTL was not 255: it came through a router (RFC 9568 §7.1).
    case timeToLive(UInt8)
    /// Not one of the configured unicast peers.
    case source(IPAddress)
    /// A version that is unknown or not the configured one.
    case version(UInt8)
    /// Not type 1, ADVERTISEMENT.
    case type(UInt8)
    /// Neither form of the checksum fits.
    case checksum(UInt16)
    /// The checksum is that of old keepalived over unicast, and `old_unicast_checksum never` is configured.
    case oldChecksum
    /// A virtual router that is not configured here.
    case virtualRouterID(UInt8)
    /// Authentication type or password differ from the configured ones.
    case authentication(AuthenticationFailure)
    /// `auth_hmac`: why it is not believed.
    case trailer(TrailerFailure)
    /// Version 2: not the configured interval (RFC 3768 §7.1: discard). Version 3: zero.
    case interval(Duration)
    /// Other virtual addresses than the configured ones. Counted, but the advertisement counts too (RFC 9568 §7.1).
    case addressList

    /// The counter that the error adds to.
    public var reason: Reason {
        switch self {
        case .truncated, .oversized, .notVRRP: .length
        case .timeToLive: .timeToLive
        case .source: .source
        case .version: .version
        case .type: .type
        case .checksum, .oldChecksum: .checksum
        case .virtualRouterID: .virtualRouterID
        case .authentication: .authentication
        case .trailer(let failure): failure.reason
        case .interval: .interval
        case .addressList: .addressList
        }
    }

    public var description: String {
        switch self {
        case .truncated(let needed, let available): "truncated: \(needed) octets needed, \(available) there"
        case .oversized(let expected, let actual): "too long: \(expected) octets expected, \(actual) there"
        case .notVRRP: "not a VRRP packet"
        case .timeToLive(let value): "TTL \(value) is outside the accepted range (255 on a link)"
        case .source(let address): "\(address) is not a configured peer"
        case .version(let value): "version \(value) is not the configured one"
        case .type(let value): "type \(value) is not an advertisement"
        case .checksum(let value): "wrong checksum 0x\(String(value, radix: 16))"
        case .oldChecksum: "the checksum of old keepalived: leave out old_unicast_checksum never to accept it"
        case .virtualRouterID(let value): "virtual router \(value) is not configured here"
        case .authentication(let failure): "\(failure)"
        case .trailer(let failure): "\(failure)"
        case .interval(let value): "interval \(value) differs from the configured one: set the same advert_int on both"
        case .addressList: "its virtual addresses differ from the configured ones"
        }
    }
}

/// How version 2 authentication failed.
public enum AuthenticationFailure: Hashable, Sendable, CustomStringConvertible {
    /// The peer uses another type: 0 none, 1 simple text, 2 AH.
    case type(UInt8)
    /// The same type, another password.
    case password
    /// AH: another key, or a packet that was changed on the way.
    case signature
    /// AH: a sequence number that was heard before.
    case replay(UInt32)

    public var description: String {
        switch self {
        case .type(let type): "authentication type \(type) is not the configured one"
        case .password: "wrong password"
        case .signature: "wrong signature: set the same auth_pass on both"
        case .replay(let number): "sequence number \(number) was heard before"
        }
    }
}

/// Why an advertisement is not believed where `auth_hmac` is configured, or is there although it is not.
public enum TrailerFailure: Hashable, Sendable, CustomStringConvertible {
    /// It is signed, and `auth_hmac` is not configured.
    case unexpected
    /// It is not signed.
    case missing
    /// Another kind of trailer.
    case malformed
    /// Signed longer ago than `time_window` allows.
    case past
    /// Signed later than `time_window` allows.
    case future
    /// Signed with a key that is not configured.
    case unknownKey(UInt8)
    /// The HMAC is not that of the key.
    case code(key: UInt8)
    /// A sequence number that is not above all that were heard of its sender.
    case replay

    /// The counter that it adds to.
    var reason: Reason {
        switch self {
        case .unexpected: .authentication
        case .missing: .unsigned
        case .malformed: .malformedTrailer
        case .past, .future: .stale
        case .unknownKey: .unknownKey
        case .code: .wrongHMAC
        case .replay: .replay
        }
    }

    public var description: String {
        switch self {
        case .unexpected: "it is signed: set the same auth_hmac here"
        case .missing: "it is not signed: set the same auth_hmac there, or mode permissive here until that is done"
        case .malformed: "its trailer is not HMAC-SHA-256 of auth_hmac"
        case .past: "it was signed before the time window: synchronise the clocks, or somebody repeats old packets"
        case .future: "it was signed after the time window: synchronise the clocks"
        case .unknownKey(let id): "it is signed with key \(id), which auth_hmac does not have: add it here first"
        case .code(let id): "wrong signature: key \(id) must be the same on both, or somebody forges advertisements"
        case .replay: "it was heard before: somebody repeats packets, or the sender's clock went back"
        }
    }
}

/// The classes that are counted.
public enum Reason: String, Hashable, Sendable, CaseIterable {
    case length, timeToLive, source, version, type, checksum, virtualRouterID, authentication, interval, addressList
    case unsigned, malformedTrailer, stale, unknownKey, wrongHMAC, replay
}
