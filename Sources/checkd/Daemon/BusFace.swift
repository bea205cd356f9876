// io.evenkeel.Check: what checkd answers on the bus.
import Bus

extension CheckDaemon: CheckAPI.Handler {
    func list(_ call: CheckAPI.List, _ responder: Responder<CheckAPI.List>) {
        responder.reply(list: servers) { CheckAPI.List.Reply(servers: $0.map(\.health)) }
    }

    func run(_ call: CheckAPI.Run, _ responder: Responder<CheckAPI.Run>) {
        guard let server = server(named: call.server) else {
            return responder.fail(CheckAPI.ServerNotFound(name: call.server))
        }
        server.run { [weak self] server in
            guard self?.server(named: server.name) === server else {
                return responder.fail(CheckAPI.ServerNotFound(name: server.name))
            }
            responder.reply(CheckAPI.Run.Reply(health: server.health))
        }
    }

    func showHistory(_ call: CheckAPI.ShowHistory, _ responder: Responder<CheckAPI.ShowHistory>) {
        guard let server = server(named: call.server) else {
            return responder.fail(CheckAPI.ServerNotFound(name: call.server))
        }
        responder.reply(server.history)
    }

    func probeOnce(_ call: CheckAPI.ProbeOnce, _ responder: Responder<CheckAPI.ProbeOnce>) {
        guard let server = server(named: call.server) else {
            return responder.fail(CheckAPI.ServerNotFound(name: call.server))
        }
        server.attempt { responder.reply(CheckAPI.ProbeOnce.Reply(trials: $0)) }
    }
}
