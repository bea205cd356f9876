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
        addReload()
    }

    private func addDecisions() {
        bus.handle(IpvsAPI.SetWeight.self) { [weak self] call, responder in
            guard let weight = Int32(exactly: call.weight), weight >= 0 else {
                return responder.fail(.invalidParameter("weight"))
            }
            self?.decide(call.server, responder) {
                $0.weight = weight
            } reply: {
                IpvsAPI.SetWeight.Reply(seq: $0)
            }
        }
        bus.handle(IpvsAPI.Drain.self) { [weak self] call, responder in
            self?.decide(call.server, responder) {
                $0.mode = .drained
            } reply: {
                IpvsAPI.Drain.Reply(seq: $0)
            }
        }
        bus.handle(IpvsAPI.Disable.self) { [weak self] call, responder in
            self?.decide(call.server, responder) {
                $0.mode = .disabled
            } reply: {
                IpvsAPI.Disable.Reply(seq: $0)
            }
        }
        bus.handle(IpvsAPI.Enable.self) { [weak self] call, responder in
            self?.decide(call.server, responder) {
                $0.mode = .enabled
            } reply: {
                IpvsAPI.Enable.Reply(seq: $0)
            }
        }
        bus.handle(IpvsAPI.Reset.self) { [weak self] call, responder in
            self?.decide(call.server, responder) {
                $0 = ServerOverride()
            } reply: {
                IpvsAPI.Reset.Reply(seq: $0)
            }
        }
    }

    private func decide<Method>(
        _ name: String, _ responder: Responder<Method>, _ change: (inout ServerOverride) -> Void,
        reply: @escaping (Int?) -> Method.Reply
    ) {
        guard let server = ServerIdentity(name),
            keeper.reconciler.pools[server.service]?.member(server.endpoint) != nil
        else { return responder.fail(IpvsAPI.ServerNotFound(name: name)) }
        let caller = responder.caller
        logger.notice("\(Method.method) \(server) by uid \(caller.uid), pid \(caller.pid)")
        decide(server, by: caller, change) { responder.reply(reply($0)) }
    }

    private func addReload() {
        bus.handle(IpvsAPI.PrepareReload.self) { [weak self] _, responder in
            guard let self else { return }
            do throws(ConfigurationRefusal) {
                let loaded = try ConfigurationFile(path: options.config)
                prepared = loaded
                let changes = keeper.reconciler.changes(to: loaded.configuration.virtualServers)
                responder.reply(
                    IpvsAPI.PrepareReload.Reply(digest: loaded.digest, changes: changes.map(\.description)))
            } catch {
                prepared = nil
                let lines = error.diagnostics.map { "\($0.position): \($0.message)" }
                responder.fail(IpvsAPI.ConfigurationRefused(diagnostics: lines))
            }
        }
        bus.handle(IpvsAPI.CommitReload.self) { [weak self] call, responder in
            guard let self else { return }
            guard let prepared, prepared.digest == call.digest else {
                return responder.fail(IpvsAPI.NotPrepared(digest: call.digest))
            }
            commit(prepared)
            responder.reply(IpvsAPI.CommitReload.Reply())
        }
        bus.handle(IpvsAPI.AbortReload.self) { [weak self] _, responder in
            self?.prepared = nil
            responder.reply(IpvsAPI.AbortReload.Reply())
        }
    }

    /// SIGHUP: prepare and commit in one, this daemon alone.
    func reload() {
        do throws(ConfigurationRefusal) {
            commit(try ConfigurationFile(path: options.config))
        } catch {
            logger.error("reload refused, the running configuration stays:\n\(error)")
        }
    }
}
