// `--direct`: the kernel's table over generic netlink, without ipvsd. As ipvsadm does, the module is loaded when it is not there.
import Configuration
import Glibc
import IPVS
import Netlink

final class DirectTable: TableAccess {
    /// A dump that others' changes interrupt is begun again; after so many it is not their fault any more.
    private static let attempts = 5

    private var client: IPVSClient?
    private var hasLoadedModule = false

    func execute(_ requests: [TableRequest]) throws(TableFailure) -> [RefusedRequest] {
        let refusals = try asked(isReading: false) { (client) throws(NetlinkError) in try client.execute(requests) }
        // Somebody without the privilege gets that answer to everything.
        if refusals.contains(where: { $0.error.code == EPERM }) { throw .unavailable(EPERM) }
        return refusals.map { RefusedRequest(index: $0.index, code: $0.error.code ?? 0) }
    }

    func table() throws(TableFailure) -> WholeTable {
        try asked { (client) throws(NetlinkError) in
            WholeTable(facts: try client.facts(), services: try client.services())
        }
    }

    func service(_ identity: VirtualServerIdentity) throws(TableFailure) -> ServiceSnapshot? {
        try asked { (client) throws(NetlinkError) in try client.service(identity) }
    }

    func facts() throws(TableFailure) -> KernelFacts {
        try asked { (client) throws(NetlinkError) in try client.facts() }
    }

    func syncDaemons() throws(TableFailure) -> [SyncDaemon] {
        try asked { (client) throws(NetlinkError) in try client.syncDaemons() }
    }

    private func asked<Answer>(
        isReading: Bool = true, _ ask: (IPVSClient) throws(NetlinkError) -> Answer
    ) throws(TableFailure) -> Answer {
        for attempt in 1... {
            do throws(NetlinkError) {
                return try ask(connected())
            } catch .noFamily {
                guard loadModule() else { throw .unavailable(ENOPROTOOPT) }
            } catch .refused(let code, _) {
                throw code == EPERM ? .unavailable(EPERM) : .refused(code)
            } catch {
                guard error.stateIsUnknown, isReading, attempt < Self.attempts else {
                    let isUnknown = error.stateIsUnknown && !isReading
                    throw .other(
                        "\(error)\(isUnknown ? "; -L shows what was done" : "")", status: ExitStatus.failed.rawValue)
                }
            }
        }
        throw .unavailable(ENOPROTOOPT)
    }

    private func connected() throws(NetlinkError) -> IPVSClient {
        if let client { return client }
        let client = IPVSClient(NetlinkClient(try NetlinkSocket(.generic)))
        self.client = client
        return client
    }

    /// Once; true when it may be there now.
    private func loadModule() -> Bool {
        guard !hasLoadedModule else { return false }
        hasLoadedModule = true
        let words = ["/sbin/modprobe", "--", "ip_vs"]
        var arguments = words.map { strdup($0) }
        defer { for argument in arguments { free(argument) } }
        arguments.append(nil)
        var child: pid_t = 0
        guard posix_spawn(&child, words[0], nil, nil, arguments, environ) == 0 else { return false }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return status == 0
    }
}
