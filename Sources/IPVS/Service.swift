// Virtual services as the kernel keeps them. What identifies a service (`VirtualServerIdentity`), what can be edited in place
// (`ServiceAttributes`) and what only counts (`Counters`) are three values, so that comparing tables never looks at a counter.

public import Configuration
public import Net

/// What `ipvsadm -E` can change about a service while its connections go on.
public struct ServiceAttributes: Equatable, Sendable {
    /// The scheduler's module name without `ip_vs_`: rr, wrr, lc, wlc, ….
    public var scheduler: String
    /// Scheduler flags and one-packet scheduling.
    public var flags: SchedulerFlags
    /// A client stays with its server; whole seconds.
    public var persistence: Persistence?

    /// Attributes; wlc as keepalived and ipvsadm have it.
    public init(scheduler: String = "wlc", flags: SchedulerFlags = [], persistence: Persistence? = nil) {
        self.scheduler = scheduler
        self.flags = flags
        self.persistence = persistence
    }

    /// What a `virtual_server` block asks for.
    public init(_ configuration: VirtualServerConfiguration) {
        self.init(
            scheduler: configuration.scheduler, flags: configuration.schedulerFlags,
            persistence: configuration.persistence)
    }
}

extension VirtualServerIdentity {
    /// Parses the service's name on the bus: `tcp/192.0.2.1:80`, `udp/[2001:db8::1]:53`, `fwmark/7/inet`.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first else { return nil }
        if first == "fwmark", parts.count == 3, let family = AddressFamily(rawValue: String(parts[2])),
            let mark = UInt32(parts[1]), mark > 0, String(mark) == parts[1]
        {
            self = .firewallMark(mark, family)
        } else if parts.count == 2, let transport = TransportProtocol(rawValue: String(first)),
            let endpoint = Endpoint(String(parts[1]))
        {
            self = .address(transport, endpoint)
        } else {
            return nil
        }
    }
}

/// A real server of a service: `tcp/192.168.200.254:80/192.168.200.103:80` on the bus.
public struct ServerIdentity: Hashable, Sendable, LosslessStringConvertible {
    /// The service.
    public var service: VirtualServerIdentity
    /// The server's address and port.
    public var endpoint: Endpoint

    /// A server of a service.
    public init(_ service: VirtualServerIdentity, _ endpoint: Endpoint) {
        self.service = service
        self.endpoint = endpoint
    }

    /// Parses the server's name on the bus.
    public init?(_ text: String) {
        guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")),
            let service = VirtualServerIdentity(text[..<slash]),
            let endpoint = Endpoint(String(text[text.utf8.index(after: slash)...]))
        else { return nil }
        self.init(service, endpoint)
    }

    public var description: String { "\(service)/\(endpoint)" }
}
