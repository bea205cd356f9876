// The methods of io.evenkeel.Ipvs.

import Bus
import Configuration
import IPVS
import Platform
import Varlink

extension IPVSDaemon {
    func addMethods() {
        bus.handle(IpvsAPI.ListServices.self) { [weak self] _, responder in
            guard let self else { return }
            let snapshots = Dictionary(
                (keeper.snapshot() ?? []).map { ($0.identity, $0) }, uniquingKeysWith: { _, last in last })
            let services = loaded.configuration.virtualServers.compactMap { server in
                keeper.reconciler.pools[server.identity].map { view($0).service(snapshots[server.identity]) }
            }
            responder.reply(list: services) { IpvsAPI.ListServices.Reply(services: $0) }
        }
        bus.handle(IpvsAPI.ShowService.self) { [weak self] call, responder in
            guard let self else { return }
            guard let service = VirtualServerIdentity(call.name), let pool = keeper.reconciler.pools[service] else {
                return responder.fail(IpvsAPI.ServiceNotFound(name: call.name))
            }
            responder.reply(IpvsAPI.ShowService.Reply(service: view(pool).service(keeper.snapshot(of: service))))
        }
        addDecisions()
    }

    private func addDecisions() {
        bus.handle(IpvsAPI.SetWeight.self) { [weak self] call, responder in
            guard let weight = Int32(exactly: call.weight), weight >= 0 else {
                return responder.fail(.invalidParameter("weight"))
            }
            self?.decide(call.server, responder) { $0.weight = weight }
        }
        bus.handle(IpvsAPI.Drain.self) { [weak self] call, responder in
            self?.decide(call.server, responder) { $0.mode = .drained }
        }
        bus.handle(IpvsAPI.Disable.self) { [weak self] call, responder in
            self?.decide(call.server, responder) { $0.mode = .disabled }
        }
        bus.handle(IpvsAPI.Enable.self) { [weak self] call, responder in
            self?.decide(call.server, responder) { $0.mode = .enabled }
        }
        bus.handle(IpvsAPI.Reset.self) { [weak self] call, responder in
            self?.decide(call.server, responder) { $0 = ServerOverride() }
        }
    }

    private func decide<Method>(
        _ name: String, _ responder: Responder<Method>, _ change: (inout ServerOverride) -> Void
    ) where Method.Reply == ChangeReply {
        guard let server = ServerIdentity(name),
            keeper.reconciler.pools[server.service]?.member(server.endpoint) != nil
        else { return responder.fail(IpvsAPI.ServerNotFound(name: name)) }
        let caller = responder.caller
        logger.notice("\(Method.method) \(server) by uid \(caller.uid), pid \(caller.pid)")
        decide(server, by: caller, change) { responder.reply(ChangeReply(seq: $0)) }
    }
}
