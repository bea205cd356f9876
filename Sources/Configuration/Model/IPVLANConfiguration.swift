// `use_ipvlan [NAME] [ADDR[/LENGTH]] [bridge|private|vepa]`: an interface of its own for an instance, with the hardware address of the one below.
public import Net

/// The ipvlan of an instance.
public struct IPVLANConfiguration: Equatable, Sendable {
    /// Whom the ipvlans of one interface may talk to: IPVLAN_F_* of linux/if_link.h.
    public enum Mode: UInt16, Equatable, Sendable {
        /// Each other.
        case bridge = 0
        /// Nobody of them.
        case `private` = 1
        /// Each other through a switch that sends back.
        case vepa = 2
    }

    /// Its name: PREFIX.VRID unless given.
    public var name: String
    /// The address that it has whoever is master, and that adverts come from; nil = its IPv6 link-local one.
    public var address: IPPrefix?
    /// All ipvlans of one interface have the same.
    public var mode: Mode

    /// An ipvlan by name.
    public init(name: String, address: IPPrefix? = nil, mode: Mode = .bridge) {
        self.name = name
        self.address = address
        self.mode = mode
    }
}
