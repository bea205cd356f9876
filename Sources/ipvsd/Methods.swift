// The methods of io.evenkeel.Ipvs.

import Bus
import Configuration
import IPVS
import IPVSWords
import Net
import Platform
import Varlink

extension IPVSDaemon: IpvsAPI.Handler {
    func listServices(_ call: IpvsAPI.ListServices, _ responder: Responder<IpvsAPI.ListServices>) {
        keeper.list(at: loop.now) { [weak self] in self?.list($0, responder) }
        planTurn()
    }

    func listTraffic(_ call: IpvsAPI.ListTraffic, _ responder: Responder<IpvsAPI.ListTraffic>) {
        let history = keeper.history
        var subjects = history.subjects
        if let name = call.service {
            guard let service = VirtualServerIdentity(name) else { return responder.fail(.invalidParameter("service")) }
            subjects = subjects.filter { $0.service == service }
        }
        let now = loop.now
        responder.reply(list: subjects) { part in
            IpvsAPI.ListTraffic.Reply(
                histories: part.map { subject in
                    let samples =
                        switch subject {
                        case .service(let service): history.samples(of: service)
                        case .server(let server): history.samples(of: server)
                        }
                    return IpvsAPI.TrafficHistory(
                        name: "\(subject)", samples: samples.map { IpvsAPI.TrafficSample($0, at: now) })
                })
        }
    }

    func showService(_ call: IpvsAPI.ShowService, _ responder: Responder<IpvsAPI.ShowService>) {
        guard let service = VirtualServerIdentity(call.name), let standing = keeper.reconciler.standings[service],
            let pool = standing.pool
        else { return responder.fail(IpvsAPI.ServiceNotFound(name: call.name)) }
        let snapshot = keeper.snapshot(of: service)
        responder.reply(IpvsAPI.ShowService.Reply(service: self.service(standing, pool, snapshot)))
    }

    func setWeight(_ call: IpvsAPI.SetWeight, _ responder: Responder<IpvsAPI.SetWeight>) {
        guard let weight = Int32(exactly: call.weight), weight >= 0 else {
            return responder.fail(.invalidParameter("weight"))
        }
        decide(call.server, responder) { $0.weight = weight }
    }

    func drain(_ call: IpvsAPI.Drain, _ responder: Responder<IpvsAPI.Drain>) {
        var limit: UInt32?
        if let wanted = call.limitSeconds {
            guard let seconds = UInt32(exactly: wanted) else {
                return responder.fail(.invalidParameter("limitSeconds"))
            }
            limit = seconds
        }
        decide(call.server, responder) {
            if $0.mode != .left { $0.mode = .drained }
            $0.drainLimit = limit
        }
    }

    func disable(_ call: IpvsAPI.Disable, _ responder: Responder<IpvsAPI.Disable>) {
        decide(call.server, responder) {
            $0.mode = .disabled
            $0.drainLimit = nil
        }
    }

    func enable(_ call: IpvsAPI.Enable, _ responder: Responder<IpvsAPI.Enable>) {
        decide(call.server, responder) {
            $0.mode = .enabled
            $0.drainLimit = nil
        }
    }

    func reset(_ call: IpvsAPI.Reset, _ responder: Responder<IpvsAPI.Reset>) {
        decide(call.server, responder) { $0 = ServerOverride() }
    }

    func cutDepartures(_ call: IpvsAPI.CutDepartures, _ responder: Responder<IpvsAPI.CutDepartures>) {
        let servers = keeper.cutDepartures()
        logger.notice(
            "\(servers) servers that left the configuration are cut off by uid \(responder.caller.uid), "
                + "pid \(responder.caller.pid)")
        responder.reply(IpvsAPI.CutDepartures.Reply(servers: servers))
        planTurn()
    }

    private func list(_ dump: TableDump?, _ responder: Responder<IpvsAPI.ListServices>) {
        let snapshots = Dictionary(
            (dump?.services ?? []).map { ($0.identity, $0) }, uniquingKeysWith: { _, last in last })
        let age = dump.map { Int((loop.now - $0.taken) / .milliseconds(1)) }
        // Those that belong to no service come with the first part.
        let services = listed(snapshots)
        let first = services.first
        let orphans = orphans
        let synchronisation = synchronisation
        responder.reply(list: services) { [weak self] part in
            let standings = self?.keeper.reconciler.standings ?? [:]
            return IpvsAPI.ListServices.Reply(
                services: part.compactMap { identity in
                    guard let self else { return nil }
                    guard let standing = standings[identity], let pool = standing.pool else {
                        return snapshots[identity].map { IpvsAPI.Service(foreign: $0) }
                    }
                    return self.service(standing, pool, snapshots[identity])
                }, orphans: part.first == first ? orphans : nil,
                synchronisation: part.first == first ? synchronisation : nil, countersAgeMilliseconds: age)
        }
    }

    /// Services in the order of the configuration, then those made by hand, then those of others.
    private func listed(_ snapshots: [VirtualServerIdentity: ServiceSnapshot]) -> [VirtualServerIdentity] {
        let standings = keeper.reconciler.standings
        let made = standings.values.filter { $0.pool != nil && $0.configured == nil }.map(\.identity)
        // Ours that are just being deleted are nobody's to be listed.
        let foreign = snapshots.keys.filter { standings[$0]?.pool == nil && standings[$0]?.isOwned != true }
        return configuration.virtualServers.map(\.identity) + made.sorted { "\($0)" < "\($1)" }
            + foreign.sorted { "\($0)" < "\($1)" }
    }

    private func decide<Method>(
        _ name: String, _ responder: Responder<Method>, _ change: (inout ServerOverride) -> Void
    ) where Method.Reply == ChangeReply {
        guard let server = ServerIdentity(name),
            isKnown(server) || Method.method == IpvsAPI.Reset.method && isOrphan(server)
        else { return responder.fail(IpvsAPI.ServerNotFound(name: name)) }
        let caller = responder.caller
        logger.notice("\(Method.method) \(server) by uid \(caller.uid), pid \(caller.pid)")
        let reply = DecisionReply(name, responder)
        // Asked for now, so that the place in the order of events is that of this change.
        let before = keeper.reconciler.standings[server.service]?.decisions[server.endpoint]
        decide(server, by: caller, change) { reply.kept($0) }
        if Method.method != IpvsAPI.Reset.method,
            keeper.reconciler.standings[server.service]?.waitsForReturn(server.endpoint) == true
        {
            reply.hindrance = .leaving(file: configurationPath)
        } else {
            reply.hindrance = keeper.problem(of: server).map { .kernel($0) }
        }
        guard keeper.reconciler.standings[server.service]?.decisions[server.endpoint] != before else {
            return reply.published(nil)
        }
        bus.events.changed(EventType.ipvsServer, subject: name) { reply.published($0) }
    }

    private func isKnown(_ server: ServerIdentity) -> Bool {
        keeper.reconciler.standings[server.service]?.pool?.member(server.endpoint) != nil
    }

    private func isOrphan(_ server: ServerIdentity) -> Bool {
        keeper.reconciler.standings[server.service]?.decisions[server.endpoint] != nil
    }
}

/// The answer to a decision: given when it is in the table and on the disk, and the bus has numbered its event or had a second to do so.
private final class DecisionReply<Method: VarlinkMethod> where Method.Reply == ChangeReply {
    /// Why the table does not have what follows from a decision.
    enum Hindrance {
        /// The server has left that file: it follows when it is back.
        case leaving(file: String)
        /// The kernel does not take it.
        case kernel(String)
    }

    /// What keeps it from having its effect now.
    var hindrance: Hindrance?
    private let server: String
    private let responder: Responder<Method>
    private var outcome: DecisionOutcome?
    private var seq: Int??

    init(_ server: String, _ responder: Responder<Method>) {
        self.server = server
        self.responder = responder
    }

    func kept(_ outcome: DecisionOutcome) {
        self.outcome = outcome
        answer()
    }

    func published(_ seq: Int?) {
        self.seq = .some(seq)
        answer()
    }

    private func answer() {
        guard let outcome, let seq else { return }
        switch outcome {
        case .notKept(let path, let reason):
            responder.fail(IpvsAPI.NotKept(server: server, path: path, problem: reason))
        case .kept:
            switch hindrance {
            case .leaving(let file): responder.fail(IpvsAPI.Leaving(server: server, file: file))
            case .kernel(let problem): responder.fail(IpvsAPI.NotTaken(server: server, problem: problem))
            case nil: responder.reply(ChangeReply(seq: seq))
            }
        }
    }
}
