// io.evenkeel.Check: what checkd answers on the bus, and reloading.
import Bus
import Configuration
import Platform

/// Answers calls for the daemon.
final class BusFace {
    /// A long list goes out in parts that fit a message.
    private static let serversPerReply = 100

    private let service: DaemonService
    private let daemon: CheckDaemon
    private let path: String
    private let logger: Logger
    private var prepared: ConfigurationFile?

    /// Adds the handlers; the service is started by the caller.
    init(_ service: DaemonService, _ daemon: CheckDaemon, configuration path: String, _ logger: Logger) {
        self.service = service
        self.daemon = daemon
        self.path = path
        self.logger = logger
        answerQuestions()
        answerReload()
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

    private func answerReload() {
        service.handle(CheckAPI.PrepareReload.self) { [weak self, daemon, path] _, responder in
            do throws(ConfigurationRefusal) {
                let loaded = try ConfigurationFile(path: path)
                self?.prepared = loaded
                responder.reply(
                    CheckAPI.PrepareReload.Reply(
                        digest: loaded.digest, changes: daemon.changes(to: loaded.configuration)))
            } catch {
                self?.prepared = nil
                responder.fail(
                    CheckAPI.ConfigurationRefused(
                        diagnostics: error.diagnostics.map { "\($0.position): \($0.message)" }))
            }
        }
        service.handle(CheckAPI.CommitReload.self) { [weak self] call, responder in
            guard let self, let prepared, prepared.digest == call.digest else {
                return responder.fail(CheckAPI.NotPrepared(digest: call.digest))
            }
            commit(prepared)
            responder.reply(CheckAPI.CommitReload.Reply())
        }
        service.handle(CheckAPI.AbortReload.self) { [weak self] _, responder in
            self?.prepared = nil
            responder.reply(CheckAPI.AbortReload.Reply())
        }
    }

    /// SIGHUP: prepare and commit in one; a refused configuration changes nothing.
    func reload() {
        do throws(ConfigurationRefusal) {
            commit(try ConfigurationFile(path: path))
        } catch {
            logger.error("configuration refused, the running one stays:\n\(error)")
        }
    }

    private func commit(_ loaded: ConfigurationFile) {
        prepared = nil
        let changes = daemon.changes(to: loaded.configuration)
        logger.notice("configuration loaded: \(changes.isEmpty ? "no change" : changes.joined(separator: "; "))")
        daemon.reload(loaded.configuration)
        publish(loaded)
    }

    /// Says which configuration is in force.
    func publish(_ loaded: ConfigurationFile) {
        service.events.publish(
            EventType.configuration, subject: "checkd",
            data: DaemonConfiguration(digest: loaded.digest, file: path, loaded: SystemClock.timestamp))
    }
}
