// The kernel's IPVS table over generic netlink: writing. The family's number is asked for once, and again when the kernel does not know it
// any more, which is what unloading and loading ip_vs does. Reading is in IPVSClient+Reading.swift.

internal import CNlGenl
public import Configuration
internal import Glibc
public import IPVS

/// Reads and writes the IPVS table.
///
/// Of the errors thrown here, those whose `stateIsUnknown` is true pass by themselves (answers lost, a dump that was interrupted): read
/// again what the request was about, at once, and make an alarm of it only when that goes on. The client may be used on after any error.
public final class IPVSClient {
    let client: NetlinkClient
    private var encoder: IPVSEncoder?

    /// A client; the kernel need not have IPVS yet.
    public init(_ client: NetlinkClient) {
        self.client = client
    }

    /// Executes commands in order, in as few system calls as possible. A command that the kernel does not execute does not stop those
    /// after it. Throws when the outcome of part of the batch is unknown (`stateIsUnknown`) or nothing could be sent; `.noFamily` when
    /// the ip_vs module is not loaded.
    public func apply(_ commands: [Command]) throws(NetlinkError) -> BatchOutcome {
        BatchOutcome(try attempt(commands).map { CommandFailure(commands[$0.index], $0.error) })
    }

    /// The same for commands that were given by hand: what the kernel said to each that it did not execute, in their order.
    public func attempt(_ commands: [Command]) throws(NetlinkError) -> [NetlinkRefusal] {
        guard !commands.isEmpty else { return [] }
        let refusals = try run(commands)
        // The family's number being unknown is ENOENT as well, to every message.
        guard refusals.contains(where: { $0.error.code == ENOENT }), try familyHasChanged() else { return refusals }
        return try run(commands)
    }

    /// Sets the counters of one service and its servers to 0, or (nil) all of the table. ESRCH: there is no such service.
    public func zero(_ service: VirtualServerIdentity?) throws(NetlinkError) {
        try request { (encoder) throws(NetlinkError) in
            try client.run(encoder.zeroMessage(service))
        }
    }

    /// Empties the table.
    public func flush() throws(NetlinkError) {
        try request { (encoder) throws(NetlinkError) in try client.run(encoder.message(IPVS_CMD_FLUSH)) }
    }

    /// Sets the connection timeouts (`ipvsadm --set`).
    public func setTimeouts(_ timeouts: TableTimeouts) throws(NetlinkError) {
        try request { (encoder) throws(NetlinkError) in try client.run(encoder.timeoutMessage(timeouts)) }
    }

    /// Makes a request to which ENOENT is no answer, again with the family's new number if it is refused so.
    func request<Result>(
        _ body: (IPVSEncoder) throws(NetlinkError) -> Result
    ) throws(NetlinkError) -> Result {
        do {
            return try body(resolved())
        } catch .refused(ENOENT, let message) {
            guard try familyHasChanged() else { throw .refused(code: ENOENT, message: message) }
            return try body(resolved())
        }
    }

    private func run(_ commands: [Command]) throws(NetlinkError) -> [NetlinkRefusal] {
        let encoder = try resolved()
        var batch = NetlinkBatch()
        for command in commands { try batch.append(encoder.message(command)) }
        return try client.run(batch)
    }

    /// Asks for the family's number again. `.noFamily` when the module was unloaded.
    func familyHasChanged() throws(NetlinkError) -> Bool {
        let before = encoder?.family
        encoder = nil
        return try resolved().family != before
    }

    /// The encoder for the family's number, asked of the kernel when it is not known.
    func resolved() throws(NetlinkError) -> IPVSEncoder {
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
