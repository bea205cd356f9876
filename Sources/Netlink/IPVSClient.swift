// The kernel's IPVS table over generic netlink. The family's number is asked for once and again when the kernel does not know it any more,
// which is what unloading and loading ip_vs does.

internal import CNlGenl
public import Configuration
internal import Glibc
public import IPVS

/// A command that the kernel refused for good.
public struct CommandFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was asked.
    public let command: Command
    /// `.refused` with the kernel's errno.
    public let error: NetlinkError

    init(_ command: Command, _ error: NetlinkError) {
        self.command = command
        self.error = error
    }

    /// Says what to do where the errno has one known meaning.
    public var description: String {
        switch (command, error.code) {
        case (.addService(_, let attributes), ENOENT), (.editService(_, let attributes), ENOENT):
            let modules =
                ["ip_vs_\(attributes.scheduler)"] + (attributes.persistence?.engine.map { ["ip_vs_pe_\($0)"] } ?? [])
            return
                "\(command): the kernel has no such scheduler or persistence engine; modprobe \(modules.joined(separator: " "))"
        case (_, ESRCH): return "\(command): the kernel does not have the service"
        case (_, _): return "\(command): \(error)"
        }
    }
}

/// Reads and writes the IPVS table.
public final class IPVSClient {
    private let client: NetlinkClient
    private var encoder: IPVSEncoder?

    /// A client; the kernel need not have IPVS yet.
    public init(_ client: NetlinkClient) {
        self.client = client
    }

    /// The whole table with its counters. `.noFamily` when the ip_vs module is not loaded.
    public func services() throws(NetlinkError) -> [ServiceSnapshot] {
        var services: [ServiceSnapshot] = []
        do {
            services = try dumpServices()
        } catch .refused(ENOENT, _) {
            // The family's number changed: the module was unloaded, or unloaded and loaded again.
            encoder = nil
            services = try dumpServices()
        }
        for index in services.indices {
            services[index].destinations = try destinations(of: services[index].identity)
        }
        return services
    }

    /// One service with its counters; nil when the kernel does not have it.
    public func service(_ identity: VirtualServerIdentity) throws(NetlinkError) -> ServiceSnapshot? {
        var service: ServiceSnapshot?
        do {
            try client.query(resolved().serviceMessage(IPVS_CMD_GET_SERVICE, identity)) { reply in
                service = reply.nest(IPVS_CMD_ATTR_SERVICE).flatMap(ServiceSnapshot.init)
            }
        } catch .refused(ESRCH, _) {
            return nil
        }
        service?.destinations = try destinations(of: identity)
        return service
    }

    /// Executes commands in order, in as few system calls as possible. What is already so is not an error: adding what exists edits it,
    /// editing what is missing adds it, deleting what is missing is done. Returns the commands that the kernel refused.
    public func apply(_ commands: [Command]) throws(NetlinkError) -> [CommandFailure] {
        var failures: [CommandFailure] = []
        var corrections: [Command] = []
        for refusal in try run(commands) {
            let command = commands[refusal.index]
            switch Outcome(of: command, refusal.error) {
            case .done: continue
            case .instead(let correction): corrections.append(correction)
            case .failed: failures.append(CommandFailure(command, refusal.error))
            }
        }
        for refusal in try run(corrections) {
            failures.append(CommandFailure(corrections[refusal.index], refusal.error))
        }
        return failures
    }

    /// Sets the connection timeouts in seconds (`ipvsadm --set`); 0 keeps the kernel's.
    public func setTimeouts(tcp: UInt32, tcpFin: UInt32, udp: UInt32) throws(NetlinkError) {
        var message = try resolved().message(IPVS_CMD_SET_CONFIG)
        message.put(IPVS_CMD_ATTR_TIMEOUT_TCP, tcp)
        message.put(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, tcpFin)
        message.put(IPVS_CMD_ATTR_TIMEOUT_UDP, udp)
        try client.run(message)
    }

    /// What a refusal means.
    private enum Outcome {
        case done
        case instead(Command)
        case failed

        init(of command: Command, _ error: NetlinkError) {
            switch (command, error.code) {
            case (.addService(let service, let attributes), EEXIST):
                self = .instead(.editService(service, attributes))
            case (.editService(let service, let attributes), ESRCH):
                self = .instead(.addService(service, attributes))
            case (.addDestination(let service, let endpoint, let attributes), EEXIST):
                self = .instead(.editDestination(service, endpoint, attributes))
            case (.editDestination(let service, let endpoint, let attributes), ENOENT):
                self = .instead(.addDestination(service, endpoint, attributes))
            case (.deleteService, ESRCH), (.deleteDestination, ENOENT), (.deleteDestination, ESRCH):
                self = .done
            case (.addService, _), (.editService, _), (.deleteService, _), (.addDestination, _), (.editDestination, _),
                (.deleteDestination, _):
                self = .failed
            }
        }
    }

    private func run(_ commands: [Command]) throws(NetlinkError) -> [NetlinkRefusal] {
        guard !commands.isEmpty else { return [] }
        let encoder = try resolved()
        var batch = NetlinkBatch()
        for command in commands { try batch.append(encoder.message(command)) }
        return try client.run(batch)
    }

    private func dumpServices() throws(NetlinkError) -> [ServiceSnapshot] {
        var services: [ServiceSnapshot] = []
        try client.query(resolved().message(IPVS_CMD_GET_SERVICE, flags: NLM_F_DUMP)) { reply in
            if let service = reply.nest(IPVS_CMD_ATTR_SERVICE).flatMap(ServiceSnapshot.init) {
                services.append(service)
            }
        }
        return services
    }

    private func destinations(of service: VirtualServerIdentity) throws(NetlinkError) -> [DestinationSnapshot] {
        var destinations: [DestinationSnapshot] = []
        try client.query(resolved().serviceMessage(IPVS_CMD_GET_DEST, service, flags: NLM_F_DUMP)) { reply in
            guard let nest = reply.nest(IPVS_CMD_ATTR_DEST) else { return }
            if let destination = DestinationSnapshot(nest, serviceFamily: service.family) {
                destinations.append(destination)
            }
        }
        return destinations
    }

    /// The encoder for the family's number, asked of the kernel when it is not known.
    private func resolved() throws(NetlinkError) -> IPVSEncoder {
        if let encoder { return encoder }
        var request = NetlinkMessage(
            family: UInt16(GENL_ID_CTRL), command: UInt8(CTRL_CMD_GETFAMILY), version: 1)
        request.put(Int(CTRL_ATTR_FAMILY_NAME), IPVS_GENL_NAME)
        var family: UInt16?
        do {
            try client.query(request) { reply in
                family = reply.attributes(after: 4).first { $0.type == Int(CTRL_ATTR_FAMILY_ID) }?.number()
            }
        } catch .refused(ENOENT, _) {
            throw .noFamily(IPVS_GENL_NAME)
        }
        guard let family else { throw .malformed("no family number") }
        let encoder = IPVSEncoder(family: family)
        self.encoder = encoder
        return encoder
    }
}

extension NetlinkReply {
    /// The attributes in the nest `type` after the generic netlink header.
    fileprivate func nest(_ type: Int) -> NetlinkAttributes? {
        attributes(after: 4).first { $0.type == type }?.nested
    }
}
