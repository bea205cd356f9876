// io.evenkeel.Check: what checkd answers on the bus.
import Bus

/// Answers calls for the daemon.
final class BusFace {
    /// A long list goes out in parts that fit a message.
    private static let serversPerReply = 100

    private let service: DaemonService
    private let daemon: CheckDaemon

    /// Adds the handlers; the service is started by the caller.
    init(_ service: DaemonService, _ daemon: CheckDaemon) {
        self.service = service
        self.daemon = daemon
        answerQuestions()
    }

    private func answerQuestions() {
        service.handle(CheckAPI.List.self) { [daemon] _, responder in
            var rest = daemon.servers[...]
            while responder.wantsMore, rest.count > Self.serversPerReply {
                responder.send(CheckAPI.List.Reply(servers: rest.prefix(Self.serversPerReply).map(\.health)))
                rest = rest.dropFirst(Self.serversPerReply)
            }
            responder.reply(CheckAPI.List.Reply(servers: rest.map(\.health)))
        }
        service.handle(CheckAPI.Run.self) { [daemon] call, responder in
            guard let server = daemon.server(named: call.server) else {
                return responder.fail(CheckAPI.ServerNotFound(name: call.server))
            }
            server.run { server in
                guard daemon.server(named: server.name) === server else {
                    return responder.fail(CheckAPI.ServerNotFound(name: server.name))
                }
                responder.reply(CheckAPI.Run.Reply(health: server.health))
            }
        }
    }
}
