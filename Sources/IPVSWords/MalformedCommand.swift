// Why a command of the bus is not even tried, and what to do about it.

internal import IPVS

/// A command that lacks something or has it out of its range.
public struct MalformedCommand: Error, Equatable {
    /// Which of its fields.
    public let field: String
    /// What is wrong and what to do, where ipvsadm refuses such a command of a person too. nil: it is a program's fault.
    public var problem: String?
}

extension MalformedCommand {
    /// One about `field`.
    init(_ field: String, _ problem: String? = nil) { self.init(field: field, problem: problem) }

    /// What a service or a server cannot be.
    init(_ fault: RuleFault) {
        switch fault {
        case .portZero:
            self.init(
                field: "service",
                problem: "port 0 is every port, which only a persistent service can have: name a port, or make it "
                    + "persistent")
        case .onePacket:
            self.init(
                field: "serviceSettings.onePacket",
                problem: "one-packet scheduling is for UDP and firewall marks only: leave it out")
        case .family:
            self.init(
                field: "server",
                problem: "a server of another address family than the service's needs a tunnel: choose method tun, or "
                    + "an address of the service's family")
        case .tunnel:
            self.init(
                field: "serverSettings.tunnel",
                problem: "what is said of a tunnel goes with method tun only: choose tun, or leave it out")
        }
    }
}
