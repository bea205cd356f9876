// What ipvsadm refuses before it asks the kernel, and where it puts a server: one place for its command line and for the commands of the bus.

public import Configuration
public import Net

/// What a service or a server cannot be, although the kernel might take it.
public enum RuleFault: Error, Equatable, Sendable {
    /// Port 0, which is every port, without persistence.
    case portZero
    /// One-packet scheduling of something else than UDP.
    case onePacket
    /// A server of another address family than its service, without a tunnel.
    case family
    /// Words about a tunnel where there is none.
    case tunnel
}

extension VirtualServerIdentity {
    /// Checks what a service shall be.
    public func check(_ flags: SchedulerFlags, isPersistent: Bool) throws(RuleFault) {
        guard case .address(let transport, let endpoint) = self else { return }
        if endpoint.port == 0, !isPersistent { throw .portZero }
        if flags.contains(.onePacket), transport != .udp { throw .onePacket }
    }

    /// Checks what a server of the service shall be.
    public func check(_ server: Endpoint, isTunnelled: Bool, hasTunnelWords: Bool) throws(RuleFault) {
        guard !isTunnelled else { return }
        if server.address.family != family { throw .family }
        if hasTunnelWords { throw .tunnel }
    }

    /// Where a server is: only masquerading changes ports, so with direct routing and tunnels its port is the service's.
    public func place(of server: Endpoint, isMasqueraded: Bool) -> Endpoint {
        guard !isMasqueraded, case .address(_, let endpoint) = self else { return server }
        return Endpoint(server.address, port: endpoint.port)
    }
}
