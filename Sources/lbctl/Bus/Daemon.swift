// The daemons and the interfaces they serve.

/// A daemon that lbctl knows.
enum Daemon: String, CaseIterable, Sendable {
    case vrrpd, ipvsd, checkd

    /// Its interface.
    var interface: String {
        switch self {
        case .vrrpd: "io.evenkeel.Vrrp"
        case .ipvsd: "io.evenkeel.Ipvs"
        case .checkd: "io.evenkeel.Check"
        }
    }

    /// What is missing without it, for people.
    var absence: String {
        switch self {
        case .vrrpd: "no elections: this director takes over nothing and gives nothing up"
        case .ipvsd: "the kernel goes on forwarding with the last table; failed servers stay in it"
        case .checkd: "nobody checks the real servers; the last verdicts stay in force"
        }
    }

    /// The daemon that serves an interface.
    init?(serving interface: String) {
        guard let daemon = Self.allCases.first(where: { $0.interface == interface }) else { return nil }
        self = daemon
    }
}
