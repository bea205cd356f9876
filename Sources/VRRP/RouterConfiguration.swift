// What a virtual router is told by the configuration: the parameters of RFC 9568 §6.1 and keepalived's additions.

public import Configuration
public import Net

/// When a router of higher priority takes over from a live master.
public enum Preemption: Hashable, Sendable {
    /// As soon as the master-down timer runs out (RFC 9568 §6.1, Preempt_Mode true).
    case enabled
    /// keepalived's `preempt_delay`: lower advertisements are accepted as valid for that long after the first one.
    case delayed(Duration)
    /// `nopreempt`: never; a missing master or priority 0 still triggers.
    case disabled
}

/// From whom advertisements are accepted.
public enum Origin: Hashable, Sendable {
    /// From the link only: the TTL must be 255 (RFC 9568 §7.1). Multicast.
    case link
    /// From anywhere: unicast as keepalived does it by default.
    case anywhere
    /// From these peers only, with a TTL in the range: `check_unicast_src`, `min_ttl`, `max_ttl`.
    case peers([IPAddress: ClosedRange<UInt8>])
}

/// The parameters of one virtual router.
public struct RouterConfiguration: Hashable, Sendable {
    /// The protocol's version.
    public var version: ProtocolVersion
    /// 1...255.
    public var virtualRouterID: UInt8
    /// 1...254, or 255 for the owner of the addresses.
    public var priority: UInt8
    /// The advertisement interval: whole seconds in version 2, centiseconds in 3.
    public var interval: Duration
    /// The virtual addresses that are advertised.
    public var addresses: [IPAddress]
    /// Version 2's simple text password.
    public var password: Password?
    /// Version 2: the key of the Authentication Header, eight octets; nil = none.
    public var headerKey: [UInt8]?
    /// `auth_hmac`: the keys, and what is believed; nil = none.
    public var authenticationHMAC: AuthenticationHMACConfiguration?
    /// When to take over from a lower master.
    public var preemption: Preemption
    /// Missed advertisements until the master counts as gone: `down_timer_adverts`, 3 in the RFC.
    public var missedAdvertisements: Int
    /// Answer a lower advertisement with one's own at once (RFC 9568 §6.4.3; off: `lower_prio_no_advert`).
    public var answersLowerPriority: Bool
    /// Send one more advertisement before yielding to a higher one: `higher_prio_send_advert`.
    public var answersHigherPriority: Bool
    /// From whom advertisements are accepted.
    public var origin: Origin
    /// Drop adverts over unicast that have old keepalived's checksum: `old_unicast_checksum never`.
    public var refusesOldChecksum = false
    /// Compare the advertised addresses with one's own; off: `skip_check_adv_addr`.
    public var checksAddresses: Bool
    /// An owner (priority 255) does not listen to anybody: `owner_ignore_adverts`.
    public var ownerIgnoresAdvertisements: Bool
    /// True when the router moves with the others of a sync group.
    public var isGrouped: Bool
    /// `timer_expired_backup`: the highest priority of the other routers. A master that was silent for so long that this one may have taken
    /// over gives way; nil = it goes on.
    public var yieldsTo: UInt8?

    /// A router with the RFC's defaults.
    public init(
        version: ProtocolVersion, virtualRouterID: UInt8, priority: UInt8 = 100, interval: Duration = .seconds(1),
        addresses: [IPAddress] = [], password: Password? = nil, preemption: Preemption = .enabled,
        missedAdvertisements: Int = 3, answersLowerPriority: Bool = true, answersHigherPriority: Bool = false,
        origin: Origin = .link, checksAddresses: Bool = true,
        ownerIgnoresAdvertisements: Bool = false, isGrouped: Bool = false
    ) {
        self.version = version
        self.virtualRouterID = virtualRouterID
        self.priority = priority
        self.interval = interval
        self.addresses = addresses
        self.password = password
        self.preemption = preemption
        self.missedAdvertisements = missedAdvertisements
        self.answersLowerPriority = answersLowerPriority
        self.answersHigherPriority = answersHigherPriority
        self.origin = origin
        self.checksAddresses = checksAddresses
        self.ownerIgnoresAdvertisements = ownerIgnoresAdvertisements
        self.isGrouped = isGrouped
    }

    /// The advertisement that this router sends, at a priority.
    public func advertisement(priority: UInt8) -> Advertisement {
        Advertisement(
            version: version, virtualRouterID: virtualRouterID, priority: priority, interval: interval,
            addresses: addresses, password: version == .v2 ? password : nil,
            isSigned: version == .v2 && headerKey != nil)
    }

    /// Checks a received advertisement against the configuration, in keepalived's order.
    /// - Returns: `.addressList` as a remark when the virtual addresses differ: such an advertisement still counts,
    ///   because dropping it would make two masters (RFC 9568 §7.1, "MAY").
    public func admit(_ received: ReceivedAdvertisement) throws(DecodeError) -> DecodeError? {
        let advertisement = received.advertisement
        if received.checksum == .groupPseudoHeader, refusesOldChecksum { throw .oldChecksum }
        try admit(from: received.source, timeToLive: received.timeToLive)
        guard advertisement.version == version else { throw .version(advertisement.version.rawValue) }
        guard advertisement.virtualRouterID == virtualRouterID else {
            throw .virtualRouterID(advertisement.virtualRouterID)
        }
        switch version {
        case .v2:
            let type: UInt8 = headerKey != nil ? 2 : password == nil ? 0 : 1
            guard received.authenticationType == type, (received.header != nil) == (headerKey != nil) else {
                throw .authentication(.type(received.authenticationType))
            }
            if let password {
                guard let sent = advertisement.password, sent.matches(password) else {
                    throw .authentication(.password)
                }
            }
            guard advertisement.interval == interval else { throw .interval(advertisement.interval) }
        case .v3:
            guard advertisement.interval > .zero else { throw .interval(.zero) }
        }
        return !checksAddresses || lists(advertisement.addresses) ? nil : .addressList
    }

    private func admit(from source: IPAddress, timeToLive: UInt8) throws(DecodeError) {
        switch origin {
        case .link:
            guard timeToLive == Advertisement.timeToLive else { throw .timeToLive(timeToLive) }
        case .anywhere:
            return
        case .peers(let peers):
            guard let range = peers[source] else { throw .source(source) }
            guard range.contains(timeToLive) else { throw .timeToLive(timeToLive) }
        }
    }

    /// True when both lists hold the same addresses, in any order.
    private func lists(_ other: [IPAddress]) -> Bool {
        addresses == other || (addresses.count == other.count && addresses.allSatisfy(other.contains))
    }
}
