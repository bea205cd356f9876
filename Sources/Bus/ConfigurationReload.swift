// How a daemon goes over to a new configuration: on the bus in two steps, so that all daemons do or none does; at SIGHUP in
// one step, this daemon alone. A configuration that is refused changes nothing. What is in force stands as an event. The file
// is read off the loop: however large it is, advertisements leave in time meanwhile.
public import Configuration
public import Platform

/// Reloads one daemon.
public final class ConfigurationReload<API: ReloadableAPI> {
    /// Changes that a log line names; the others are counted.
    private static var changesInLog: Int { 20 }

    private let service: DaemonService
    private let path: String
    private let loop: EventLoop
    private let changes: (Configuration) -> [String]
    private let adopt: (ConfigurationFile) -> Void
    private var prepared: ConfigurationFile?

    /// Answers the interface's three methods on `service`.
    /// - Parameters:
    ///   - path: the file that is read.
    ///   - changes: what going over to a configuration would change, one line each.
    ///   - adopt: goes over to it.
    public init(
        _: API.Type, on service: DaemonService, path: String, loop: EventLoop,
        changes: @escaping (Configuration) -> [String],
        adopt: @escaping (ConfigurationFile) -> Void
    ) {
        self.service = service
        self.path = path
        self.loop = loop
        self.changes = changes
        self.adopt = adopt
        service.handle(API.PrepareReload.self) { [weak self] _, responder in self?.prepare(responder) }
        service.handle(API.CommitReload.self) { [weak self] call, responder in
            guard let self, let prepared, prepared.digest == call.digest else {
                return responder.fail(API.NotPrepared(digest: call.digest))
            }
            commit(prepared)
            responder.reply(API.CommitReload.Reply())
        }
        service.handle(API.AbortReload.self) { [weak self] _, responder in
            self?.prepared = nil
            responder.reply(API.AbortReload.Reply())
        }
    }

    /// SIGHUP: prepare and commit in one.
    public func reload() {
        read { [weak self] result in
            switch result {
            case .success(let loaded): self?.commit(loaded)
            case .failure(let refusal):
                self?.service.logger.error("configuration refused, the running one stays:")
                for line in refusal.description.split(separator: "\n") { self?.service.logger.error("\(line)") }
            }
        }
    }

    /// Says on the bus which configuration is in force.
    public func publish(_ loaded: ConfigurationFile) {
        service.events.publish(
            EventType.configuration, subject: service.name,
            data: DaemonConfiguration(digest: loaded.digest, file: path, loaded: SystemClock.timestamp))
    }

    private func prepare(_ responder: Responder<API.PrepareReload>) {
        read { [weak self] result in
            guard let self else { return }
            switch result {
            case .success(let loaded):
                prepared = loaded
                responder.reply(API.PrepareReload.Reply(digest: loaded.digest, changes: changes(loaded.configuration)))
            case .failure(let refusal):
                prepared = nil
                let lines = refusal.diagnostics.filter { $0.severity == .error }.map { "\($0.position): \($0.message)" }
                responder.fail(API.ConfigurationRefused(diagnostics: lines))
            }
        }
    }

    private func read(_ done: @escaping (Result<ConfigurationFile, ConfigurationRefusal>) -> Void) {
        let read: @Sendable () -> Result<ConfigurationFile, ConfigurationRefusal> = { [path] in
            Result { () throws(ConfigurationRefusal) in try ConfigurationFile(path: path) }
        }
        do throws(Errno) {
            try Background.run(on: loop, read, done: done)
        } catch {
            service.logger.warning("reading the configuration on the loop: \(error)")
            done(read())
        }
    }

    private func commit(_ loaded: ConfigurationFile) {
        prepared = nil
        let changes = changes(loaded.configuration)
        let named = changes.prefix(Self.changesInLog).joined(separator: "; ")
        let rest = changes.count > Self.changesInLog ? "; \(changes.count - Self.changesInLog) more" : ""
        service.logger.notice(
            "configuration \(loaded.digest.prefix(8)) of \(path): \(changes.isEmpty ? "no change" : named + rest)")
        adopt(loaded)
        publish(loaded)
    }
}
