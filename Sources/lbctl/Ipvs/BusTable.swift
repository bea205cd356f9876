// `lbctl ipvs` without --direct: the table through ipvsd, with the caller's rights. What is made here ipvsd keeps, repairs and brings back after
// a boot; what the configuration says stays.
import Bus
import Configuration
import Glibc
import IPVS
import IPVSWords
import JSON
import Net
import Platform
import Varlink

final class BusTable<Bus: Daemons>: TableAccess {
    /// Commands in a call: ipvsd takes no more.
    private static var limit: Int { 2000 }
    /// ipvsd writes its decisions to the disk before it answers.
    private static var patience: Duration { .seconds(60) }

    private let bus: Bus
    /// For what is worth knowing and no refusal.
    private let notice: (String) -> Void

    /// - Parameter notice: takes lines for people.
    init(_ bus: Bus, notice: @escaping (String) -> Void) {
        self.bus = bus
        self.notice = notice
    }

    func execute(_ requests: [TableRequest]) throws(TableFailure) -> [RefusedRequest] {
        var refusals: [RefusedRequest] = []
        var start = 0
        while start < requests.count {
            var commands: [IpvsAPI.TableCommand] = []
            var problem: String?
            for request in requests[start...].prefix(Self.limit) {
                do throws(Inexpressible) {
                    commands.append(try IpvsAPI.TableCommand(request))
                } catch {
                    problem = error.problem
                    break
                }
            }
            let (done, refusal) = try send(commands)
            start += done
            if var refusal {
                refusal.index = start
                refusals.append(refusal)
                start += 1
            } else if let problem {
                refusals.append(RefusedRequest(index: start, code: EINVAL, text: problem))
                start += 1
            }
        }
        return refusals
    }

    /// Sends commands up to the first one that is refused; how many were done.
    private func send(_ commands: [IpvsAPI.TableCommand]) throws(TableFailure) -> (Int, RefusedRequest?) {
        guard !commands.isEmpty else { return (0, nil) }
        let reply: IpvsAPI.ChangeTable.Reply
        do throws(Failure) {
            reply = try bus.call(IpvsAPI.ChangeTable(commands: commands), timeout: Self.patience).decoded()
        } catch .refused(_, "org.varlink.service.InvalidParameter", let parameters) {
            // A list with a command that ipvsd does not take is not begun: those before it go first, then it is what is refused.
            let parameter = parameters["parameter"]?.string ?? ""
            guard let place = Self.place(in: parameter), place < commands.count else {
                throw .other("ipvsd does not take \(parameter.printable)", status: ExitStatus.failed.rawValue)
            }
            guard place == 0 else { return try send(Array(commands[..<place])) }
            let text = "ipvsd does not take this: \(parameter.split(separator: ".").dropFirst().joined(separator: "."))"
            return (0, RefusedRequest(index: 0, code: EINVAL, text: text))
        } catch {
            throw TableFailure(error)
        }
        if let left = reply.left, left > 0 {
            notice("\(counted(left, "service")) of the configuration \(left == 1 ? "stays" : "stay")\n")
        }
        if let unkept = reply.notKept { notice("what was done is \(Refusal.notKept(unkept.printable))\n") }
        guard let failure = reply.failure else { return (commands.count, nil) }
        let code = Int32(truncatingIfNeeded: failure.code)
        if code == ENOPROTOOPT { throw .unavailable(code) }
        return (
            reply.done, RefusedRequest(index: reply.done, code: code, text: failure.byDaemon ? failure.problem : nil)
        )
    }

    /// N of `commands[N].field`.
    private static func place(in parameter: String) -> Int? {
        guard parameter.hasPrefix("commands[") else { return nil }
        return Int(parameter.dropFirst("commands[".count).prefix { $0 != "]" })
    }

    func table() throws(TableFailure) -> WholeTable {
        let replies = try asked { (bus) throws(Failure) in try bus.list(IpvsAPI.ListTable()) }
        var services: [ServiceSnapshot] = []
        var facts = KernelFacts()
        for (index, answer) in replies.enumerated() {
            let reply = try decoded(answer)
            if index == 0 { facts = KernelFacts(reply) }
            try add(reply.services, to: &services)
        }
        return WholeTable(facts: facts, services: services)
    }

    func service(_ identity: VirtualServerIdentity) throws(TableFailure) -> ServiceSnapshot? {
        let replies: [Answer<IpvsAPI.ListTable>]
        do throws(Failure) {
            replies = try bus.list(IpvsAPI.ListTable(service: "\(identity)"))
        } catch .refused(_, IpvsAPI.ServiceNotFound.error, _) {
            return nil
        } catch {
            throw TableFailure(error)
        }
        var services: [ServiceSnapshot] = []
        for answer in replies { try add(decoded(answer).services, to: &services) }
        return services.first
    }

    func facts() throws(TableFailure) -> KernelFacts { KernelFacts(try beginning()) }

    func syncDaemons() throws(TableFailure) -> [SyncDaemon] {
        try beginning().daemons?.compactMap(SyncDaemon.init) ?? []
    }

    /// The first part of the table's listing, which has everything that is no service.
    private func beginning() throws(TableFailure) -> IpvsAPI.ListTable.Reply {
        var first: JSONObject?
        try asked { (bus) throws(Failure) in
            try bus.send(IpvsAPI.ListTable().call(more: true), to: nil, .everyReply(bus.timeout)) { reply in
                first = reply
                return .enough
            }
        }
        return try decoded(Answer<IpvsAPI.ListTable>(parameters: first ?? [:]))
    }

    /// A service with very many servers comes in parts.
    private func add(
        _ parts: [IpvsAPI.TableService], to services: inout [ServiceSnapshot]
    ) throws(TableFailure) {
        for part in parts {
            guard let service = ServiceSnapshot(part) else {
                throw TableFailure(.protocolViolation("ListTable: \(part.name.printable)"))
            }
            if let last = services.indices.last, services[last].identity == service.identity {
                services[last].destinations += service.destinations
            } else {
                services.append(service)
            }
        }
    }

    private func decoded(_ answer: Answer<IpvsAPI.ListTable>) throws(TableFailure) -> IpvsAPI.ListTable.Reply {
        try asked { (_) throws(Failure) in try answer.decoded() }
    }

    private func asked<Reply>(_ ask: (Bus) throws(Failure) -> Reply) throws(TableFailure) -> Reply {
        do throws(Failure) { return try ask(bus) } catch { throw TableFailure(error) }
    }
}

extension TableFailure {
    /// A failure of the bus: where ipvsd cannot be asked, the kernel still can.
    init(_ failure: Failure) {
        let direct = "'lbctl ipvs --direct' talks to the kernel without ipvsd (as root)"
        switch failure {
        case .busUnreachable(let socket, let errno):
            let target = "evenkeel\(UnitName.instance(at: socket).map { "@\($0)" } ?? "").target"
            self = .other(
                "ipvsd cannot be asked, since busd is not reachable at \(socket) (\(errno)): "
                    + "'systemctl start \(target)'; \(direct)", status: failure.status.rawValue)
        case .refused(_, IpvsAPI.NoTable.error, let parameters):
            let problem = parameters["problem"]?.string ?? "the kernel's table cannot be read"
            self = .other(
                "\(problem)\(parameters["remedy"]?.string.map { ": \($0)" } ?? "")", status: failure.status.rawValue)
        case _ where failure.status == .unreachable:
            self = .other("\(failure); \(direct)", status: failure.status.rawValue)
        case _: self = .other("\(failure)", status: failure.status.rawValue)
        }
    }
}
