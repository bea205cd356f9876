// The kernel's table over the bus, as ipvsadm has it: ListTable and ChangeTable.

import Bus
import Configuration
import Glibc
import IPVS
import IPVSWords
import Net
import Netlink
import Platform
import Varlink

extension IPVSDaemon {
    /// Commands in one call.
    private static let commandLimit = 2000
    /// Servers of one service in one part of an answer.
    private static let serversInPart = 200
    /// Commands that one line of the log names.
    private static let namesInLog = 10

    // MARK: Reading

    func listTable(_ call: IpvsAPI.ListTable, _ responder: Responder<IpvsAPI.ListTable>) {
        var first = IpvsAPI.ListTable.Reply(services: [])
        do throws(NetlinkError) {
            let facts = try keeper.facts()
            first.version = "\(facts.version >> 16 & 255).\(facts.version >> 8 & 255).\(facts.version & 255)"
            first.connectionTableSize = Int(facts.connectionTableSize)
            first.timeouts = IpvsAPI.ConnectionTimeouts(
                tcpSeconds: Int(facts.tcpTimeout), tcpFinSeconds: Int(facts.tcpFinTimeout),
                udpSeconds: Int(facts.udpTimeout))
            first.daemons = try sync.running().map(IpvsAPI.SyncDaemon.init)
        } catch {
            return responder.fail(IpvsAPI.NoTable(KernelProblem(error)))
        }
        if let name = call.service { return listOne(name, first, responder) }
        keeper.list(at: loop.now, isFresh: true) { [weak self] dump in
            guard let self else { return }
            guard let dump else {
                let problem = keeper.kernelHealth.problem ?? KernelProblem(.timedOut)
                return responder.fail(IpvsAPI.NoTable(problem))
            }
            list(dump.services, first, responder)
        }
        planTurn()
    }

    private func listOne(
        _ name: String, _ first: IpvsAPI.ListTable.Reply, _ responder: Responder<IpvsAPI.ListTable>
    ) {
        guard let identity = VirtualServerIdentity(name) else {
            return responder.fail(.invalidParameter("service"))
        }
        guard let service = keeper.snapshot(of: identity) else {
            return responder.fail(IpvsAPI.ServiceNotFound(name: name))
        }
        list([service], first, responder)
    }

    private func list(
        _ services: [ServiceSnapshot], _ first: IpvsAPI.ListTable.Reply, _ responder: Responder<IpvsAPI.ListTable>
    ) {
        guard !services.isEmpty else { return responder.reply(first) }
        let pieces = services.flatMap { service -> [TablePiece] in
            let count = service.destinations.count
            return stride(from: 0, to: max(count, 1), by: Self.serversInPart).map {
                TablePiece(service: service, servers: $0..<min($0 + Self.serversInPart, count))
            }
        }
        responder.reply(list: Array(pieces.enumerated())) { [weak self] part in
            var reply = part.first?.offset == 0 ? first : IpvsAPI.ListTable.Reply(services: [])
            reply.services = part.compactMap { self?.tableService($0.element) }
            return reply
        }
    }

    private func tableService(_ piece: TablePiece) -> IpvsAPI.TableService {
        let service = piece.service
        let standing = keeper.reconciler.standings[service.identity]
        let origin = origin(of: standing)
        return IpvsAPI.TableService(
            name: "\(service.identity)", origin: origin, settings: IpvsAPI.ServiceSettings(service.attributes),
            counters: IpvsAPI.Counters(service.counters),
            servers: service.destinations[piece.servers].map { destination in
                let endpoint = destination.endpoint
                var origin = origin
                if let standing, standing.configured != nil || standing.handMade.attributes != nil {
                    if standing.isHandMade(endpoint) {
                        origin = .hand
                    } else if standing.pool?.destination(endpoint) == nil {
                        origin = .foreign
                    }
                }
                return IpvsAPI.TableServer(destination, origin)
            })
    }

    // MARK: Changing

    func changeTable(_ call: IpvsAPI.ChangeTable, _ responder: Responder<IpvsAPI.ChangeTable>) {
        guard call.commands.count <= Self.commandLimit else { return responder.fail(.invalidParameter("commands")) }
        var commands: [TableCommand] = []
        commands.reserveCapacity(call.commands.count)
        var refusal: HandFailure?
        for (index, command) in call.commands.enumerated() {
            do throws(MalformedCommand) {
                let understood = try TableCommand(command)
                if refusal == nil { commands.append(understood) }
            } catch {
                guard let problem = error.problem else {
                    return responder.fail(.invalidParameter("commands[\(index)].\(error.field)"))
                }
                // It fails in its turn: what stands before it is done.
                if refusal == nil { refusal = HandFailure(code: EINVAL, problem: problem, isOurs: true) }
            }
        }
        let caller = responder.caller
        let file = configurationPath
        let writer = keeper.handWriter(
            file: file, synchronise: { [sync] in sync.byHand($0, file: file) },
            decision: { Decision(override: $0, since: SystemClock.timestamp, uid: caller.uid) })
        keeper.run(commands, with: writer, at: loop.now) { report, outcome in
            responder.reply(IpvsAPI.ChangeTable.Reply(report, refusal, outcome))
        }
        let named = commands.prefix(Self.namesInLog).map { "\($0)" }.joined(separator: ", ")
        let more = commands.count > Self.namesInLog ? " and \(commands.count - Self.namesInLog) more" : ""
        logger.notice("by hand, by uid \(caller.uid), pid \(caller.pid): \(named)\(more)")
        planTurn()
    }
}

extension IpvsAPI.ChangeTable.Reply {
    /// How far commands got, and what is kept of them. `refusal`: of the command that would have followed.
    init(_ report: HandReport, _ refusal: HandFailure?, _ outcome: DecisionOutcome) {
        self.init(
            done: report.done,
            failure: (report.failure ?? refusal).map {
                IpvsAPI.CommandFailure(
                    index: report.done, code: Int($0.code), problem: $0.problem, byDaemon: $0.isOurs)
            }, left: report.left)
        if case .notKept(let path, let problem) = outcome { notKept = "\(path): \(problem)" }
    }
}

/// A service with some of its servers.
private struct TablePiece {
    let service: ServiceSnapshot
    let servers: Range<Int>
}

extension IpvsAPI.NoTable {
    init(_ problem: KernelProblem) {
        self.init(problem: problem.message, remedy: problem.remedy)
    }
}
