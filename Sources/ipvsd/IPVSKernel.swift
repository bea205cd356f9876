// What ipvsd asks of the kernel, so that a simulation can put a scripted kernel in its place.

import Configuration
import Glibc
import IPVS
import Net
import Netlink
import Platform

/// The kernel's IPVS table.
protocol IPVSKernel: AnyObject {
    /// Executes commands in order; those in neither list of the outcome were executed.
    func apply(_ commands: [Command]) throws(NetlinkError) -> BatchOutcome
    /// Executes commands that were given by hand, and says which it did not.
    func attempt(_ commands: [Command]) throws(NetlinkError) -> [NetlinkRefusal]
    /// Sets counters to 0: of one service with its servers, or (nil) all.
    func zero(_ service: VirtualServerIdentity?) throws(NetlinkError)
    /// Empties the table.
    func flush() throws(NetlinkError)
    /// The names of the table's services.
    func serviceNames() throws(NetlinkError) -> [VirtualServerIdentity]
    /// What the kernel's IPVS is.
    func facts() throws(NetlinkError) -> KernelFacts
    /// One service with its servers and counters; nil when the table does not have it.
    func service(_ identity: VirtualServerIdentity) throws(NetlinkError) -> ServiceSnapshot?
    /// Begins to read the whole table and returns the names of its services. A sweep that was not read to its end is dropped.
    func beginSweep() throws(NetlinkError) -> [VirtualServerIdentity]
    /// The next services of the sweep with their servers; empty at the end. Attributes of services are as of the begin.
    func nextSlice() throws(NetlinkError) -> [ServiceSnapshot]
    /// Sets the connection timeouts.
    func setTimeouts(_ timeouts: TableTimeouts) throws(NetlinkError)
}

extension IPVSKernel {
    /// More services than this are looked up by one list of all names.
    private static var singleLookups: Int { 8 }

    /// What the table has of services; nothing of those that it does not have, or that cannot be asked for.
    func present(of services: Set<VirtualServerIdentity>) -> [VirtualServerIdentity: Set<Endpoint>] {
        do throws(NetlinkError) {
            let found =
                services.count > Self.singleLookups ? services.intersection(try serviceNames()) : services
            var present: [VirtualServerIdentity: Set<Endpoint>] = [:]
            for service in found {
                guard let snapshot = try self.service(service) else { continue }
                present[service] = Set(snapshot.destinations.map(\.endpoint))
            }
            return present
        } catch {
            return [:]
        }
    }

    /// Takes services out of the table: `ours`, or all there are.
    func empty(_ flush: TableFlush, ours: [VirtualServerIdentity]) throws(NetlinkError) {
        func attempt() throws(NetlinkError) {
            switch flush {
            case .everything: try self.flush()
            case .services:
                // ESRCH: somebody else was faster.
                let refusals = try self.attempt(ours.map { .deleteService($0) })
                if let refusal = refusals.first(where: { $0.error.code != ESRCH }) { throw refusal.error }
            }
        }
        do throws(NetlinkError) {
            try attempt()
        } catch {
            guard error.stateIsUnknown else { throw error }
            try attempt()
        }
    }
}

/// The real one; its socket is opened when it is first needed, and again after it failed.
final class NetlinkKernel: IPVSKernel, SyncKernel {
    private static let receiveBuffer: Int32 = 4 << 20

    private var client: IPVSClient?
    private var walk: TableWalk?
    /// Where the kernel's answers wait.
    var buffer = NetlinkBuffer() {
        didSet { if buffer != oldValue { client = nil } }
    }
    /// Why the socket does not have that buffer, for people.
    private(set) var bufferProblem: String?

    func apply(_ commands: [Command]) throws(NetlinkError) -> BatchOutcome {
        try ask { (client) throws(NetlinkError) in try client.apply(commands) }
    }

    func attempt(_ commands: [Command]) throws(NetlinkError) -> [NetlinkRefusal] {
        try ask { (client) throws(NetlinkError) in try client.attempt(commands) }
    }

    func zero(_ service: VirtualServerIdentity?) throws(NetlinkError) {
        try ask { (client) throws(NetlinkError) in try client.zero(service) }
    }

    func flush() throws(NetlinkError) {
        try ask { (client) throws(NetlinkError) in try client.flush() }
    }

    func serviceNames() throws(NetlinkError) -> [VirtualServerIdentity] {
        try ask { (client) throws(NetlinkError) in try client.serviceNames() }
    }

    func facts() throws(NetlinkError) -> KernelFacts {
        try ask { (client) throws(NetlinkError) in try client.facts() }
    }

    func service(_ identity: VirtualServerIdentity) throws(NetlinkError) -> ServiceSnapshot? {
        try ask { (client) throws(NetlinkError) in try client.service(identity) }
    }

    func beginSweep() throws(NetlinkError) -> [VirtualServerIdentity] {
        let (walk, services) = try ask { (client) throws(NetlinkError) in try client.beginWalk() }
        self.walk = walk
        return services
    }

    func nextSlice() throws(NetlinkError) -> [ServiceSnapshot] {
        guard var walk else { return [] }
        let slice = try ask { (client) throws(NetlinkError) in try client.advance(&walk) }
        self.walk = walk.isComplete ? nil : walk
        return slice
    }

    func setTimeouts(_ timeouts: TableTimeouts) throws(NetlinkError) {
        try ask { (client) throws(NetlinkError) in try client.setTimeouts(timeouts) }
    }

    func syncDaemons() throws(NetlinkError) -> [SyncDaemon] {
        try ask { (client) throws(NetlinkError) in try client.syncDaemons() }
    }

    func apply(_ command: SyncCommand) throws(NetlinkError) {
        try ask { (client) throws(NetlinkError) in try client.apply(command) }
    }

    private func opened() throws(NetlinkError) -> IPVSClient {
        if let client { return client }
        let socket = try NetlinkSocket(.generic, receiveBuffer: Self.receiveBuffer)
        bufferProblem = ReceiveBuffer.set(buffer, atLeast: Int(Self.receiveBuffer), of: socket.number)
        let client = IPVSClient(NetlinkClient(socket))
        self.client = client
        return client
    }

    private func ask<Answer>(
        _ question: (IPVSClient) throws(NetlinkError) -> Answer
    ) throws(NetlinkError) -> Answer {
        do throws(NetlinkError) {
            return try question(try opened())
        } catch {
            // A socket whose answers were lost may still hold old ones.
            if case .refused = error {} else { client = nil }
            throw error
        }
    }
}
