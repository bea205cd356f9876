// What a virtual router asks its driver to do, and what it tells about itself.

public import Net

/// One thing for the director to do. That the addresses are held exactly while the router is master needs no action: it is compared.
public enum Action: Hashable, Sendable {
    /// Send an advertisement of this priority to the group or to every peer.
    case send(priority: UInt8)
    /// Start the gratuitous ARP schedule anew.
    case announce(Occasion)
    /// A backup follows this master from now on.
    case follow(Peer)
    /// The state changed.
    case report(Transition)
}

/// Why the addresses are announced: keepalived has a schedule for each.
public enum Occasion: Hashable, Sendable {
    /// `garp_master_*`
    case becameMaster
    /// `garp_lower_prio_*`: hosts may have learned the other router's MAC.
    case lowerPriorityHeard
}

/// Another router of the same virtual router, as last heard.
public struct Peer: Hashable, Sendable {
    /// Its primary address.
    public var address: IPAddress
    /// Its priority.
    public var priority: UInt8

    /// A router at an address.
    public init(address: IPAddress, priority: UInt8) {
        self.address = address
        self.priority = priority
    }
}

/// The names of the states: RFC 9568 §6.3 and keepalived's FAULT.
public enum StateName: String, Hashable, Sendable, CaseIterable {
    case initialize, fault, backup, master
}

/// A change of state.
public struct Transition: Hashable, Sendable {
    /// The state that was left.
    public var from: StateName
    /// The state that was entered.
    public var to: StateName
    /// Why.
    public var cause: Cause

    /// A change of state and its cause.
    public init(from: StateName, to: StateName, cause: Cause) {
        self.from = from
        self.to = to
        self.cause = cause
    }
}

/// Why a state changed.
public enum Cause: Hashable, Sendable, CustomStringConvertible {
    /// The daemon started the router.
    case started
    /// The daemon came back inside its own master-down interval and goes on as master.
    case continued
    /// The daemon stopped the router.
    case stopped
    /// The router owns the addresses (priority 255).
    case owner
    /// No advertisement of a master for so long; nil when none was ever heard.
    case masterDown(Peer?, silent: Duration)
    /// The master sent priority 0.
    case masterGaveUp(Peer?)
    /// Another router won: higher priority, or the same and a higher address.
    case outranked(Peer)
    /// A fault began.
    case fault(Fault)
    /// The last fault ended.
    case faultsEnded
    /// The router did not run for so long that another one may be master: `timer_expired_backup`.
    case late(Duration)
    /// Somebody asked the router to step down.
    case steppedDown
    /// The other members of the sync group moved.
    case group

    public var description: String {
        switch self {
        case .started: "started"
        case .continued: "continues as master after a restart"
        case .stopped: "stopped"
        case .owner: "owns the addresses"
        case .masterDown(nil, let time): "no master heard for \(time.seconds)"
        case .masterDown(let peer?, let time): "no advertisement from \(peer.address) for \(time.seconds)"
        case .masterGaveUp(let peer): "\(peer.map { "\($0.address)" } ?? "the master") gave up (priority 0)"
        case .outranked(let peer): "\(peer.address) advertises priority \(peer.priority)"
        case .fault(let fault): "\(fault)"
        case .faultsEnded: "the last fault ended"
        case .late(let time): "the timer fired \(time.seconds) late: another master may have taken over"
        case .steppedDown: "asked to step down"
        case .group: "follows its sync group"
        }
    }
}

/// A reason for which a router cannot take part. A router leaves FAULT only when its set of faults is empty; a set keeps
/// count by cause, so that two failed links need two repairs.
public enum Fault: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// There is no such interface.
    case interfaceMissing(String)
    /// The interface is not up or has no carrier.
    case interfaceDown(String)
    /// The interface has no address to advertise from.
    case noSourceAddress(String)
    /// The interface has no link-local IPv6 address that has passed duplicate address detection.
    case noLinkLocalAddress(String)
    /// `unicast_fault_no_peer`: there is nobody to speak to.
    case noUnicastPeer
    /// The macvlan of `use_vmac`, or the ipvlan of `use_ipvlan`, cannot be had, and why.
    case noVirtualLink(String, String)
    /// The sockets cannot be opened.
    case noSocket(String)
    /// `track_group`: a static address, route or rule cannot be put back.
    case staticLost(String)
    /// A tracked script without a weight failed, or cannot be run.
    case scriptFailed(String)
    /// A tracked interface that must be down is up.
    case interfaceUp(String)
    /// Something tracked stands so that it is a fault.
    case tracked(Tracker)
    /// Another member of this sync group is in FAULT.
    case group(String)

    public var description: String {
        switch self {
        case .interfaceMissing(let name): "interface \(name) does not exist"
        case .interfaceDown(let name): "interface \(name) is down"
        case .noSourceAddress(let name): "interface \(name) has no usable address"
        case .noLinkLocalAddress(let name): "interface \(name) has no IPv6 link-local address that is ready"
        case .noUnicastPeer: "no unicast peer is configured"
        case .noVirtualLink(let name, let why): "no interface \(name) can be made: \(why)"
        case .noSocket(let why): "no VRRP socket: \(why)"
        case .staticLost(let what): "static \(what) is missing"
        case .scriptFailed(let name): "track_script \(name) failed"
        case .interfaceUp(let name): "interface \(name) is up, and tracked with reverse"
        case .tracked(let tracker): "\(tracker) has failed"
        case .group(let name): "another member of sync group \(name) is in fault"
        }
    }
}

extension Duration {
    /// `3.609 s`
    var seconds: String {
        let milliseconds = nanoseconds / 1_000_000
        let rest = String(milliseconds % 1000)
        return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - rest.utf8.count))\(rest) s"
    }
}
