// `bfd_instance`: a BFD session with a neighbor (RFC 5880), and `track_unit`: a systemd unit.
public import Net

/// One `bfd_instance` block.
public struct BFDConfiguration: Equatable, Sendable {
    /// The block's name.
    public var name: String
    /// `neighbor_ip`.
    public var neighbor: IPAddress
    /// `source_ip`; nil = the routing table decides.
    public var source: IPAddress?
    /// `min_rx`: the least interval of packets that we can receive.
    public var receive = Duration.milliseconds(10)
    /// `min_tx`: the interval that we would like to send at while the session is up.
    public var transmit = Duration.milliseconds(10)
    /// `idle_tx`: while it is not.
    public var idleTransmit = Duration.milliseconds(1000)
    /// `multiplier`: our packets that may be missed.
    public var multiplier: UInt8 = 5
    /// `passive`: the neighbor begins.
    public var isPassive = false
    /// `ttl` or `hoplimit` of what is sent.
    public var timeToLive: UInt8 = 255
    /// `max_hops`: hops that a packet may have made; nil = any number.
    public var maximumHops: Int? = 0
    /// `multihop`: port 4784.
    public var isMultihop = false
    /// `weight`, -253...253.
    public var weight = 0
    /// `weight N reverse`.
    public var isReversed = false
    /// Instances may track it: not with `checker` alone.
    public var tellsInstances = true
    /// Checks may name it: not with `vrrp` alone.
    public var tellsCheckers = true

    /// keepalived's defaults for one neighbor.
    public init(name: String, neighbor: IPAddress) {
        self.name = name
        self.neighbor = neighbor
    }

    /// The neighbor could not tell the two apart: a session goes on from one to the other.
    public func isSameSession(as other: BFDConfiguration) -> Bool {
        var other = other
        (other.name, other.weight, other.isReversed) = (name, weight, isReversed)
        (other.tellsInstances, other.tellsCheckers) = (tellsInstances, tellsCheckers)
        return self == other
    }

    /// RFC 5881 §5: a packet of one hop still has the TTL that it was sent with.
    public func accepts(timeToLive received: Int) -> Bool {
        guard let maximumHops else { return true }
        return received >= Int(timeToLive) - maximumHops
    }
}

/// One `track_unit` block.
public struct TrackUnitConfiguration: Equatable, Sendable {
    /// The block's name.
    public var name: String
    /// `unit`, with its suffix.
    public var unit: String
    /// `weight`, -253...253; 0 = not active is FAULT.
    public var weight = 0
    /// `weight N reverse`.
    public var isReversed = false
    /// `max_restarts`: starts after the first within `window` that are tolerated; nil = any number.
    public var maximumRestarts: Int?
    /// `window`.
    public var window = Duration.seconds(600)
    /// `terminate_delay`: tolerated while it is not active.
    public var terminateDelay = Duration.zero

    /// A unit that must be active.
    public init(name: String, unit: String) {
        self.name = name
        self.unit = unit
    }
}
