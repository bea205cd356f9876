// What belongs to whom: a daemon's interface, event source and event types belong to the user it runs as. Being in the
// daemons' group lets a process publish and register; it does not make it another daemon.
import Bus
import Platform

/// What belongs to one daemon.
struct Property: Hashable {
    /// `vrrpd`; its alarms and its configuration have this as subject or as the part of it before a `/`.
    let daemon: String
    /// The user it runs as.
    let account: String
    let interface: String
    /// Beginning of its event types.
    let types: String

    /// The source of its events.
    var source: String { "/" + daemon }

    /// The suite's daemons, as the units in deploy/systemd run them.
    static let suite = [
        Property(
            daemon: "vrrpd", account: "root", interface: VrrpAPI.interface, types: "io.evenkeel.vrrp."),
        Property(
            daemon: "ipvsd", account: "evenkeel-ipvsd", interface: IpvsAPI.interface, types: "io.evenkeel.ipvs."),
        Property(
            daemon: "checkd", account: "evenkeel-checkd", interface: CheckAPI.interface, types: "io.evenkeel.check."),
    ]
}

/// What a peer may register and publish.
enum Claim: Hashable {
    /// Everything but what is busd's own: root, and the user busd runs as.
    case everything
    /// What belongs to this daemon.
    case property(Property)
    /// What belongs to nobody of the suite: administrators' own tools.
    case foreign
    case nothing

    private static let suitePrefix = "io.evenkeel."
    private static let busTypes = "io.evenkeel.bus."
    private static let busSource = "/busd"
    /// Types that all daemons share; the subject tells them apart.
    private static let sharedTypes = "io.evenkeel.daemon."

    /// Whether an interface may be registered.
    func covers(interface: String) -> Bool {
        guard !interface.hasPrefix("org.varlink."), interface != BusAPI.interface else { return false }
        return switch self {
        case .everything: true
        case .property(let property): interface == property.interface
        case .foreign: !interface.hasPrefix(Self.suitePrefix)
        case .nothing: false
        }
    }

    /// Whether a source may be spoken for.
    func covers(source: String) -> Bool {
        guard source != Self.busSource else { return false }
        return switch self {
        case .everything: true
        case .property(let property): source == property.source
        case .foreign: !Property.suite.contains { $0.source == source }
        case .nothing: false
        }
    }

    /// Whether events of a type about a subject may be published.
    func covers(type: String, subject: String) -> Bool {
        guard !type.hasPrefix(Self.busTypes) else { return false }
        switch self {
        case .everything: return true
        case .property(let property):
            if type.hasPrefix(property.types) { return true }
            let isItself = subject == property.daemon || subject.hasPrefix(property.daemon + "/")
            return type.hasPrefix(Self.sharedTypes) && isItself
        case .foreign: return !type.hasPrefix(Self.suitePrefix)
        case .nothing: return false
        }
    }
}
