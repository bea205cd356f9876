// Changes as ipvsadm makes them: everything that it can ask of the kernel, in order and in as few system calls as possible. What the kernel
// says to each is for whoever asked; nothing here knows what the table should be.

internal import CNlGenl
internal import Configuration
internal import Glibc
public import IPVS

extension IPVSClient {
    /// Executes requests in order, each whatever became of those before it, and returns those that were refused, by their place.
    /// Throws when the outcome of part of them is unknown (`stateIsUnknown`) or nothing could be sent; `.noFamily` when the ip_vs module is
    /// not loaded. What the kernel may leave without an answer (`apply`) goes by itself, the others in batches.
    public func execute(_ requests: [TableRequest]) throws(NetlinkError) -> [NetlinkRefusal] {
        var refusals: [NetlinkRefusal] = []
        var start = 0
        for (index, request) in requests.enumerated() {
            guard case .command(.synchronise(let command)) = request else { continue }
            refusals += try execute(requests[start..<index])
            do {
                try apply(command)
            } catch .refused(let code, let message) {
                refusals.append(NetlinkRefusal(index: index, error: .refused(code: code, message: message)))
            }
            start = index + 1
        }
        return try refusals + execute(requests[start...])
    }

    private func execute(_ requests: ArraySlice<TableRequest>) throws(NetlinkError) -> [NetlinkRefusal] {
        guard !requests.isEmpty else { return [] }
        var refusals = try send(requests)
        // The family's number being unknown is ENOENT as well, to every message.
        if refusals.contains(where: { $0.error.code == ENOENT }), try familyHasChanged() {
            refusals = try send(requests)
        }
        return refusals.map { NetlinkRefusal(index: requests.startIndex + $0.index, error: $0.error) }
    }

    private func send(_ requests: ArraySlice<TableRequest>) throws(NetlinkError) -> [NetlinkRefusal] {
        let encoder = try resolved()
        var batch = NetlinkBatch()
        for request in requests { try batch.append(encoder.message(request)) }
        return try client.run(batch)
    }
}

extension IPVSEncoder {
    fileprivate func message(_ request: TableRequest) -> NetlinkMessage {
        switch request {
        case .addService(let rule): message(IPVS_CMD_NEW_SERVICE, rule)
        case .editService(let rule): message(IPVS_CMD_SET_SERVICE, rule)
        case .command(.change(let command)): message(command)
        case .command(.flush): message(IPVS_CMD_FLUSH)
        case .command(.zero(let service)): zeroMessage(service)
        case .command(.setTimeouts(let timeouts)): timeoutMessage(timeouts)
        case .command(.synchronise(let command)): message(command)
        }
    }

    /// IPVS_CMD_ZERO; nil: everything.
    func zeroMessage(_ service: VirtualServerIdentity?) -> NetlinkMessage {
        service.map { serviceMessage(IPVS_CMD_ZERO, $0) } ?? message(IPVS_CMD_ZERO)
    }

    /// IPVS_CMD_SET_CONFIG; 0 keeps what there is.
    func timeoutMessage(_ timeouts: TableTimeouts) -> NetlinkMessage {
        var message = message(IPVS_CMD_SET_CONFIG)
        message.put(IPVS_CMD_ATTR_TIMEOUT_TCP, timeouts.tcp)
        message.put(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, timeouts.tcpFin)
        message.put(IPVS_CMD_ATTR_TIMEOUT_UDP, timeouts.udp)
        return message
    }
}
