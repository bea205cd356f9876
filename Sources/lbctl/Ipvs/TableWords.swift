// Between ipvsadm's words and those of the bus. ipvsadm can say two things that ipvsd does not keep: they are refused with what to do.
import Bus
import Configuration
import IPVS
import IPVSWords
import Net

/// Something that the bus has no words for.
struct Inexpressible: Error {
    let problem: String
}

extension IpvsAPI.TableCommand {
    init(_ request: TableRequest) throws(Inexpressible) {
        switch request {
        case .addService(let rule): self.init(.change(.addService(rule.identity, try ServiceAttributes(rule))))
        case .editService(let rule): self.init(.change(.editService(rule.identity, try ServiceAttributes(rule))))
        case .command(let command): self.init(command)
        }
    }
}

extension ServiceAttributes {
    fileprivate init(_ rule: ServiceRule) throws(Inexpressible) {
        self.init(scheduler: rule.scheduler)
        flags = rule.flags
        guard let seconds = rule.persistenceSeconds else {
            guard rule.engine == nil else {
                throw Inexpressible(
                    problem: "a persistence engine does nothing without persistence, and ipvsd does not keep it: add -p"
                )
            }
            return
        }
        let prefix =
            switch rule.identity.family {
            case .inet: rule.netmask.nonzeroBitCount
            case .inet6: Int(rule.netmask)
            }
        guard rule.identity.family.netmask(prefix) == rule.netmask else {
            throw Inexpressible(
                problem: "ipvsd keeps no netmask that is no prefix, \(IPv4Address(rawValue: rule.netmask)): "
                    + "give another one, or use --direct")
        }
        persistence = Persistence(timeout: .seconds(Int64(seconds)), prefixLength: prefix, engine: rule.engine)
    }
}

extension KernelFacts {
    /// From the first part of a listing.
    init(_ reply: IpvsAPI.ListTable.Reply) {
        self.init()
        version = (reply.version ?? "").split(separator: ".").reduce(0) { $0 << 8 | (UInt32($1) ?? 0) & 0xFF }
        connectionTableSize = UInt32(clamping: reply.connectionTableSize ?? 0)
        tcpTimeout = UInt32(clamping: reply.timeouts?.tcpSeconds ?? 0)
        tcpFinTimeout = UInt32(clamping: reply.timeouts?.tcpFinSeconds ?? 0)
        udpTimeout = UInt32(clamping: reply.timeouts?.udpSeconds ?? 0)
    }
}
