// `vrrp_instance`: one virtual router as this director takes part in it. Values that contradict each other have been settled
// as keepalived settles them (nopreempt with state MASTER, intervals that a version cannot carry, …), with a warning.
public import Net

/// The protocol version an instance speaks.
public enum VRRPVersion: Int, Equatable, Sendable {
    /// RFC 3768: IPv4 only, whole seconds, may authenticate.
    case v2 = 2
    /// RFC 9568: both families, centiseconds.
    case v3 = 3
}

/// One `vrrp_instance` block, resolved.
public struct VRRPInstanceConfiguration: Equatable, Sendable {
    /// What the instance wants to be before it has heard anything. Only a hint: a priority below 255 starts as backup.
    public enum InitialState: String, Equatable, Sendable {
        case master = "MASTER"
        case backup = "BACKUP"
    }

    /// The block's name: the instance's name on the bus, in events and in logs.
    public var name: String
    /// `state`.
    public var initialState = InitialState.backup
    /// `interface`; nil only with unicast and a `unicast_src_ip` (then the routing table decides).
    public var interface: String?
    /// `virtual_router_id`, 1...255.
    public var virtualRouterID: UInt8
    /// The family of the virtual addresses in adverts.
    public var family: AddressFamily
    /// `version`; always v3 for IPv6.
    public var version = VRRPVersion.v2
    /// `priority`, 1...255; 255 = owner of the addresses. `state MASTER` without `priority` is 255.
    public var priority: UInt8 = 100
    /// `advert_int`: whole seconds 1...255 in v2, 10 ms...40.95 s in 10 ms steps in v3.
    public var advertInterval = Duration.seconds(1)
    /// `authentication { … }`; v2 only.
    public var authentication = VRRPAuthentication.none
    /// `auth_hmac { … }`; then there is no `authentication`.
    public var authenticationHMAC: AuthenticationHMACConfiguration?
    /// `mcast_src_ip` or `unicast_src_ip`: source of adverts; nil = the interface's primary address.
    public var sourceAddress: IPAddress?
    /// Where adverts go.
    public var delivery: AdvertDelivery
    /// `virtual_ipaddress { … }`: carried in adverts, in file order.
    public var virtualAddresses: [AddressLine] = []
    /// `virtual_ipaddress_excluded { … }`: added and removed with the others, not in adverts; either family.
    public var excludedAddresses: [AddressLine] = []
    /// `virtual_routes`: routes that come and go with mastership.
    public var routes: [RouteLine] = []
    /// `virtual_rules`: routing rules that come and go with mastership.
    public var rules: [RuleLine] = []
    /// False = `nopreempt`: a live master of lower priority is left alone. Always true for priority 255 and `state MASTER`.
    public var preempt = true
    /// `preempt_delay`: how long a lower-priority master is tolerated before it is pre-empted, 0...1000 s.
    public var preemptDelay = Duration.zero
    /// `garp_*`.
    public var gratuitousARP = GratuitousARPSettings()
    /// `down_timer_adverts`.
    public var downTimerAdverts = 3
    /// `accept` (default) / `no_accept`: whether this host answers for the addresses as master.
    public var accept = true
    /// `strict_mode` or `vrrp_strict`.
    public var strict = false
    /// `skip_check_adv_addr`.
    public var skipCheckAdvertAddresses = false
    /// `check_unicast_src`, or a `min_ttl`/`max_ttl` on a peer: adverts from others than the peers are dropped.
    public var checkUnicastSource = false
    /// Another unicast instance has this number on this interface from this address: only the peers tell whose an advert is.
    public var sharesNumber = false
    /// `v3_checksum_as_v2`: v3/IPv4 adverts are sent without pseudo-header in the checksum, as RFC 9568 says.
    public var checksumWithoutPseudoHeader = false
    /// `old_unicast_checksum`.
    public var oldUnicastChecksum = OldUnicastChecksum.automatic
    /// `lower_prio_no_advert`: a master does not answer an advert of lower priority.
    public var lowerPriorityNoAdvert = false
    /// `owner_ignore_adverts`: with priority 255 adverts of others are ignored; always in strict mode.
    public var ownerIgnoresAdverts = false
    /// False = `dont_track_primary`: the instance does not go to FAULT with its own interface.
    public var tracksPrimaryInterface = true
    /// `track_src_ip`: FAULT when the source address goes away.
    public var tracksSourceAddress = false
    /// `promote_secondaries` on the interface.
    public var promoteSecondaries = false
    /// `track_interface { … }`.
    public var trackedInterfaces: [TrackedObject] = []
    /// `track_script { … }`; every name is in `Configuration.scripts`.
    public var trackedScripts: [TrackedObject] = []
    /// `track_file { … }`; every name is in `Configuration.trackFiles`.
    public var trackedFiles: [TrackedObject] = []
    /// `track_process { … }`; every name is in `Configuration.trackProcesses`.
    public var trackedProcesses: [TrackedObject] = []
    /// `track_unit { … }`; every name is in `Configuration.trackUnits`.
    public var trackedUnits: [TrackedObject] = []
    /// `track_bfd { … }`; every name is in `Configuration.bfdSessions`.
    public var trackedSessions: [TrackedObject] = []
    /// `notify*` commands.
    public var notify = NotifyCommands()
    /// `notify_priority_changes`: `notify` and the pipes are told of changes of the effective priority.
    public var notifiesPriorityChanges = false
    /// `timer_expired_backup`: a master that did not run for so long that a router of this priority may have taken over gives way; nil = not.
    public var lateYieldsTo: UInt8?
    /// `kernel_rx_buf_size`, else `vrrp_rx_bufs_policy`.
    public var receiveBuffer = ReceiveBufferPolicy.standard
    /// `smtp_alert`: mail on every transition.
    public var mailAlert = false
    /// `use_vmac`: the macvlan to speak and listen on; nil = the interface itself.
    public var virtualMAC: VirtualMACConfiguration?
    /// `use_ipvlan`: the ipvlan to speak and listen on; never beside `virtualMAC`.
    public var ipvlan: IPVLANConfiguration?
    /// `vrf`: the VRF that adverts are sent and heard in; unicast without an interface only.
    public var vrf: String?

    /// keepalived's defaults for what is not given.
    public init(
        name: String, interface: String?, virtualRouterID: UInt8, family: AddressFamily = .inet,
        delivery: AdvertDelivery? = nil
    ) {
        self.name = name
        self.interface = interface
        self.virtualRouterID = virtualRouterID
        self.family = family
        if family == .inet6 { version = .v3 }
        self.delivery = delivery ?? .multicast(group: AdvertDelivery.defaultGroup(family))
    }
}

/// `authentication { auth_type … auth_pass … }`, RFC 2338 §5.3.6 (withdrawn by RFC 3768, in wide use).
public enum VRRPAuthentication: Equatable, Sendable {
    /// Authentication type 0.
    case none
    /// Type 1: 8 octets in clear, zero padded.
    case password([UInt8])
    /// Type 2, IP Authentication Header with HMAC-MD5-96: the key, zero padded to 8 octets.
    case authenticationHeader(key: [UInt8])
}

/// `old_unicast_checksum [never]`: keepalived before 2.0 had the multicast group in the checksum of version 3 over IPv4 unicast.
public enum OldUnicastChecksum: Equatable, Sendable {
    /// Accepted; peers that send it get it.
    case automatic
    /// Accepted; every peer gets it.
    case always
    /// Refused.
    case never
}

/// Where an instance's adverts go.
public enum AdvertDelivery: Equatable, Sendable {
    /// To a group: the default.
    case multicast(group: IPAddress)
    /// To each peer; `timeToLive` is what is sent (`unicast_ttl`).
    case unicast(peers: [UnicastPeer], timeToLive: UInt8)

    /// 224.0.0.18 or ff02::12.
    public static func defaultGroup(_ family: AddressFamily) -> IPAddress {
        switch family {
        case .inet: .v4(IPv4Address(224, 0, 0, 18))
        case .inet6: .v6(IPv6Address(high: 0xFF02_0000_0000_0000, low: 0x12))
        }
    }
}

/// A line of `unicast_peer { … }`.
public struct UnicastPeer: Equatable, Sendable {
    /// The peer's address.
    public var address: IPAddress
    /// TTLs that are accepted from this peer (`min_ttl`, `max_ttl`); nil = any.
    public var timeToLive: ClosedRange<UInt8>?

    /// A peer.
    public init(_ address: IPAddress, timeToLive: ClosedRange<UInt8>? = nil) {
        self.address = address
        self.timeToLive = timeToLive
    }
}

/// The gratuitous ARP and unsolicited neighbour advertisement schedule.
public struct GratuitousARPSettings: Equatable, Sendable {
    /// `garp_master_delay`: from becoming master to the second burst; zero = no second burst.
    public var delay = Duration.seconds(5)
    /// `garp_master_repeat`: packets per address in a burst.
    public var count = 5
    /// `garp_master_refresh`: a burst every so often while master; zero = never.
    public var refresh = Duration.zero
    /// `garp_master_refresh_repeat`: packets per address in a refresh.
    public var refreshCount = 1
    /// `garp_lower_prio_delay`: to the second burst after a lower-priority advert was heard.
    public var lowerPriorityDelay = Duration.seconds(5)
    /// `garp_lower_prio_repeat`: packets per address after a lower-priority advert was heard; 0 = none.
    public var lowerPriorityCount = 5
    /// `vrrp_garp_interval`: least time between two gratuitous ARPs on an interface.
    public var interval = Duration.zero
    /// `vrrp_gna_interval`: least time between two neighbour advertisements on an interface.
    public var neighbourInterval = Duration.zero
    /// `garp_extra_if`: one for each VMAC that is on another interface, every so often while master; zero = none.
    public var extraInterval = Duration.zero
    /// `garp_extra_if all`: also for other interfaces with an address of the instance.
    public var extraCoversAll = false

    /// keepalived's defaults.
    public init() {}
}

/// `garp_group`: interfaces that share a limit, because they lead to one switch.
public struct GARPGroupConfiguration: Equatable, Sendable {
    /// `garp_interval`: least time between two gratuitous ARPs; zero = no limit.
    public var interval = Duration.zero
    /// `gna_interval`: least time between two neighbour advertisements; zero = no limit.
    public var neighbourInterval = Duration.zero
    /// Names of interfaces.
    public var interfaces: [String] = []

    /// A group of nothing.
    public init() {}
}

/// `use_vmac [NAME] [MAC]`.
public struct VirtualMACConfiguration: Equatable, Sendable {
    /// The macvlan's name: PREFIX.VRID unless given, PREFIX6.VRID where IPv4 has that.
    public var name: String
    /// Its hardware address: 00:00:5e:00:01:VRID, for IPv6 00:00:5e:00:02:VRID (RFC 9568 §7.3), unless given.
    public var mac: MACAddress
    /// True = `vmac_xmit_base`, or unicast: adverts leave with the parent's own hardware address.
    public var transmitsOnBase: Bool

    /// A macvlan by name.
    public init(name: String, mac: MACAddress, transmitsOnBase: Bool = false) {
        self.name = name
        self.mac = mac
        self.transmitsOnBase = transmitsOnBase
    }

    /// The virtual router's own hardware address.
    public static func mac(virtualRouterID: UInt8, _ family: AddressFamily) -> MACAddress {
        MACAddress(rawValue: (family == .inet ? 0x0000_5E00_0100 : 0x0000_5E00_0200) | UInt64(virtualRouterID))
    }
}
