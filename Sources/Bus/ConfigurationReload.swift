// How a daemon goes over to a new configuration: on the bus in two steps, so that all daemons do or none does; at
// SIGHUP in one step, this daemon alone. A configuration that is refused changes nothing. What is in force stands as an
// event. The file is read off the loop: however large it is, advertisements leave in time meanwhile. One read is under
// way at a time; who asks meanwhile gets the next one, which begins after the request and so sees what the request was
// about.
public import Configuration
public import Platform

/// Reloads one daemon.
public final class ConfigurationReload<API: ReloadableAPI>: ReloadHandler {
    /// Changes that a log line names; the others are counted.
    private static var changesInLog: Int { 20 }

    /// Who waits for a read.
    private enum Request {
        /// The first of two steps.
        case prepare(Responder<API.PrepareReload>)
        /// Both in one: SIGHUP.
        case load
    }

    /// A configuration that has been read and waits for the second step.
    private struct Prepared {
        let file: ConfigurationFile
        /// The connection that asked for it; it is dropped when that ends.
        let connection: ObjectIdentifier
    }

    typealias Reader = @Sendable () -> Result<ConfigurationFile, ConfigurationRefusal>

    private let service: DaemonService
    private let path: String
    private let loop: EventLoop
    private let changes: (Configuration) -> [String]
    private let adopt: (ConfigurationFile) -> Void
    private let reader: Reader
    private let keeper: ConfigurationKeeper?
    private var prepared: Prepared?
    private var inForce: DaemonConfiguration?
    /// Those for whom the read under way is; nil when none is.
    private var underWay: [Request]?
    private var next: [Request] = []

    /// Answers the interface's three methods; its events go to `service`.
    /// - Parameters:
    ///   - path: the file that is read.
    ///   - running: what the process was started with: a configuration for another network is refused.
    ///   - changes: what going over to a configuration would change, one line each.
    ///   - adopt: goes over to it.
    public convenience init(
        _ api: API.Type, on service: DaemonService, path: String, running: GlobalDefinitions, loop: EventLoop,
        changes: @escaping (Configuration) -> [String],
        adopt: @escaping (ConfigurationFile) -> Void
    ) {
        let reader: Reader = {
            Result { () throws(ConfigurationRefusal) in try ConfigurationFile(path: path, after: running) }
        }
        let keeper = ConfigurationKeeper(
            directory: service.options.stateDirectory, loop: loop)
        self.init(
            api, on: service, path: path, loop: loop, reader: reader, keeper: keeper, changes: changes, adopt: adopt)
    }

    /// `reader` runs on a thread of its own.
    init(
        _: API.Type, on service: DaemonService, path: String, loop: EventLoop, reader: @escaping Reader,
        keeper: ConfigurationKeeper? = nil,
        changes: @escaping (Configuration) -> [String],
        adopt: @escaping (ConfigurationFile) -> Void
    ) {
        self.service = service
        self.path = path
        self.loop = loop
        self.reader = reader
        self.keeper = keeper
        self.changes = changes
        self.adopt = adopt
        service.events.provide(
            EventType.configuration, subjects: { [name = service.name] in [name] },
            state: { [weak self] _ in self?.inForce })
        keeper?.failureChanged = { [weak self] in
            guard let self else { return }
            alarmChanged?(alarm)
        }
    }

    /// SIGHUP: prepare and commit in one.
    public func reload() {
        if !next.contains(where: { if case .load = $0 { true } else { false } }) { read(.load) }
    }

    /// That the last good configuration is in force because the file is refused, or that the one in force cannot be kept.
    public var alarm: Alarm? { refused ?? keeper?.failure.map(unkept) }
    private var refused: Alarm?
    /// Called when `alarm` may have changed.
    public var alarmChanged: ((Alarm?) -> Void)?

    /// Says on the bus which configuration is in force, and keeps it.
    public func publish(_ loaded: ConfigurationFile) {
        inForce = DaemonConfiguration(
            digest: loaded.digest, file: path, loaded: SystemClock.timestamp, needs: loaded.configuration.neededDaemons)
        service.events.changed(EventType.configuration, subject: service.name)
        if loaded.refusal == nil, let bundle = loaded.bundle { keeper?.keep(bundle) }
        refused = loaded.refusal.map { refusal in
            let first = refusal.diagnostics.first { $0.severity == .error }
            let problem = first.map { "\($0.position): \($0.message)" } ?? path
            return Alarm(
                message: "the configuration was refused at the start, the last good one is in force: \(problem)",
                remedy:
                    "'lbctl config check' says what to mend, then 'lbctl reload'; or go back with 'lbctl reload --rollback'"
            )
        }
        alarmChanged?(alarm)
    }

    private func unkept(_ failure: Errno) -> Alarm {
        Alarm(
            message:
                "the configuration in force cannot be kept in \(service.options.stateDirectory): \(failure); until it "
                + "is, 'lbctl reload --rollback' goes nowhere and a start with --last-good has an older one",
            remedy: "make room or give the daemon's user access to the directory; retrying")
    }

    // MARK: The interface's methods

    public func prepareReload(_ call: API.PrepareReload, _ responder: Responder<API.PrepareReload>) {
        read(.prepare(responder))
    }

    public func commitReload(_ call: API.CommitReload, _ responder: Responder<API.CommitReload>) {
        guard let file = prepared?.file, file.digest == call.digest else {
            return responder.fail(API.NotPrepared(digest: call.digest))
        }
        commit(file)
        responder.reply(API.CommitReload.Reply())
    }

    public func abortReload(_ call: API.AbortReload, _ responder: Responder<API.AbortReload>) {
        prepared = nil
        responder.reply(API.AbortReload.Reply())
    }

    // MARK: Reading

    private func read(_ request: Request) {
        next.append(request)
        if underWay == nil { beginRead() }
    }

    private func beginRead() {
        underWay = next
        next = []
        do throws(Errno) {
            try Background.run(on: loop, reader) { [weak self] in self?.finishRead($0) }
        } catch {
            service.logger.warning("reading the configuration on the loop: \(error)")
            finishRead(reader())
        }
    }

    private func finishRead(_ result: Result<ConfigurationFile, ConfigurationRefusal>) {
        let requests = underWay ?? []
        underWay = nil
        for request in requests {
            switch (request, result) {
            case (.prepare(let responder), .success(let loaded)): prepare(loaded, for: responder)
            case (.prepare(let responder), .failure(let refusal)):
                prepared = nil
                let lines = refusal.diagnostics.filter { $0.severity == .error }.map { "\($0.position): \($0.message)" }
                responder.fail(API.ConfigurationRefused(diagnostics: lines))
            case (.load, .success(let loaded)): commit(loaded)
            case (.load, .failure(let refusal)):
                service.logger.error("configuration refused, the running one stays:")
                for line in refusal.description.split(separator: "\n") { service.logger.error("\(line)") }
            }
        }
        if !next.isEmpty { beginRead() }
    }

    private func prepare(_ loaded: ConfigurationFile, for responder: Responder<API.PrepareReload>) {
        // A connection that has ended during the read commits nothing any more.
        guard let connection = responder.connection else { return }
        prepared = Prepared(file: loaded, connection: connection)
        responder.whenConnectionEnds("reload") { [weak self] in
            if self?.prepared?.connection == connection { self?.prepared = nil }
        }
        responder.reply(API.PrepareReload.Reply(digest: loaded.digest, changes: changes(loaded.configuration)))
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
