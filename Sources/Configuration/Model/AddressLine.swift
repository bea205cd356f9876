// A line of `virtual_ipaddress`, `virtual_ipaddress_excluded` or `static_ipaddress`: what is to be configured on which
// interface, in the terms of rtnetlink, so that vrrpd only has to hand it on.
public import Net

/// An address to configure: `ADDR[/MASK] [brd …] [dev IF] [scope S] [label L] …`.
public struct AddressLine: Equatable, Sendable {
    /// The broadcast address to set (IPv4).
    public enum Broadcast: Equatable, Sendable {
        /// `brd ADDR`.
        case address(IPv4Address)
        /// `brd +`: all host bits one.
        case allOnes
        /// `brd -`: all host bits zero.
        case allZeros
    }

    /// How long the address is preferred as a source.
    public enum PreferredLifetime: Equatable, Sendable {
        case forever
        /// Seconds; 0 = deprecated at once, so never chosen as source.
        case seconds(UInt32)
    }

    /// The address with its prefix length; /32 or /128 unless given.
    public var prefix: IPPrefix
    /// `dev`: the instance's interface filled in; nil only for an instance without an interface.
    public var device: String?
    /// `brd`.
    public var broadcast: Broadcast?
    /// `scope` as rtnetlink has it: 0 global, 200 site, 253 link, 254 host, 255 nowhere.
    public var scope: UInt8 = 0
    /// `label`, at most 15 octets (IPv4).
    public var label: String?
    /// `peer ADDR[/MASK]`.
    public var peer: IPPrefix?
    /// `preferred_lft`; an IPv6 /128 is 0 unless given, all others forever.
    public var preferredLifetime: PreferredLifetime
    /// False = `-nodad`: the kernel does duplicate address detection first (IPv6). keepalived's default is no detection.
    public var skipsDuplicateDetection = true
    /// `home`, `mngtmpaddr`, `noprefixroute`, `autojoin`.
    public var options: Set<Option> = []
    /// False = `no_track`: the address's interface and its removal by others do not matter.
    public var isTracked = true
    /// `track_group`, static addresses only: the instances of this group are in FAULT while it cannot be there.
    public var trackGroup: String?
    /// `use_vmac`: it is to have the virtual router's hardware address.
    public var asksForVirtualMAC = false
    /// The macvlan on `device` that it is on, where that is not the instance's own: for `use_vmac` and `use_vmac_addr`.
    public var virtualMAC: VirtualMACConfiguration?

    /// Flags that rtnetlink knows as IFA_F_*.
    public enum Option: String, Equatable, Sendable, CaseIterable {
        case home, mngtmpaddr, noprefixroute, autojoin
    }

    /// keepalived's defaults for one address.
    public init(_ prefix: IPPrefix, device: String?) {
        self.prefix = prefix
        self.device = device
        preferredLifetime =
            prefix.address.family == .inet6 && prefix.length == 128 ? .seconds(0) : .forever
    }
}
