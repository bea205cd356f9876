// checkd: keeps a watched server for every real server of the configuration, publishes what they find out, saves it, and
// follows reloads. The same address under two services is two watched servers.
import Bus
import Configuration
import HealthCheck
import Platform

/// Everything that is checked.
final class CheckDaemon {
    private let loop: EventLoop
    private let logger: Logger
    private let service: DaemonService
    private let file: VerdictFile
    private let runner: ProbeRunner
    private let alarms: Alarms
    private let limit: ProbeLimit
    private var generator = SystemRandomNumberGenerator()
    private var troubled: [String: String] = [:]
    private var byName: [String: WatchedServer] = [:]
    /// In the order of the configuration.
    private(set) var servers: [WatchedServer] = []

    /// A daemon that checks nothing yet.
    init(_ service: DaemonService, stateDirectory: String, on loop: EventLoop, _ logger: Logger) {
        self.loop = loop
        self.logger = logger
        self.service = service
        limit = ProbeLimit.ofThisProcess()
        runner = ProbeRunner(limit: limit.probes, on: loop)
        alarms = Alarms(service.events, logger)
        file = VerdictFile(in: stateDirectory, boot: SystemClock.bootID, logger)
        file.problem = { [alarms] problem in
            if let problem {
                alarms.raise(
                    .state, "verdicts are not saved: \(problem)",
                    remedy: "make the state directory writable for checkd, or name another with --state-dir")
            } else {
                alarms.clear(.state)
            }
        }
    }

    /// A server by its name on the bus.
    func server(named name: String) -> WatchedServer? { byName[name] }

    /// Begins with what an earlier process of this boot knew.
    func start(_ configuration: Configuration) {
        let remembered = file.read()
        adopt(configuration) { remembered[$0] }
        if !remembered.isEmpty {
            let down = servers.count { $0.machine.verdict == .down }
            logger.info("starting from the saved verdicts of \(remembered.count) servers, \(down) down")
        }
        service.events.stateIsComplete()
    }

    /// Follows a new configuration; servers that it does not change are not disturbed.
    func reload(_ configuration: Configuration) {
        adopt(configuration) { [byName] in byName[$0]?.saved }
    }

    /// What `reload` would do, for people.
    func changes(to configuration: Configuration) -> [String] {
        let wanted = Self.realServers(of: configuration)
        let names = Set(wanted.map(\.name))
        var lines = servers.filter { !names.contains($0.name) }.map { "stop checking \($0.name)" }
        for (name, server) in wanted {
            if let known = byName[name] {
                if known.configuration.checkers != server.checkers { lines.append("change the checks of \(name)") }
            } else {
                lines.append("start checking \(name)")
            }
        }
        return lines
    }

    private func adopt(_ configuration: Configuration, remembered: (String) -> SavedServer?) {
        let wanted = Self.realServers(of: configuration)
        let names = Set(wanted.map(\.name))
        for server in servers where !names.contains(server.name) {
            byName[server.name] = nil
            server.stop()
            service.events.remove(EventType.checkServer, subject: server.name)
        }
        servers = wanted.map { name, wanted in
            if let known = byName[name], known.configuration.checkers == wanted.checkers { return known }
            let saved = remembered(name)
            byName[name]?.stop()
            let server = WatchedServer(name, wanted, remembered: saved, surroundings())
            byName[name] = server
            return server
        }
        for server in servers where !server.isStarted {
            publish(server)
            server.start(using: &generator)
        }
        file.rewrite(servers.map(\.saved))
        sayWhatIsMissing()
    }

    private static func realServers(
        of configuration: Configuration
    ) -> [(name: String, server: RealServerConfiguration)] {
        configuration.virtualServers.flatMap { service in
            service.realServers.map { ("\(service.identity)/\($0.endpoint)", $0) }
        }
    }

    private func surroundings() -> Surroundings {
        Surroundings(
            loop: loop, runner: runner, logger: logger,
            changed: { [weak self] server in
                guard let self else { return }
                if !file.append(server.saved) { file.rewrite(servers.map(\.saved)) }
                publish(server)
            },
            trouble: { [weak self] server, problem in self?.trouble(server, problem) })
    }

    private func publish(_ server: WatchedServer) {
        service.events.publish(EventType.checkServer, subject: server.name, data: server.health)
    }

    // MARK: Alarms

    private func trouble(_ server: WatchedServer, _ problem: String?) {
        guard troubled[server.name] != problem else { return }
        troubled[server.name] = problem
        guard let (name, problem) = troubled.min(by: { $0.key < $1.key }) else { return alarms.clear(.probing) }
        let others = troubled.count == 1 ? "" : " and \(troubled.count - 1) more"
        alarms.raise(
            .probing, "\(name)\(others): cannot be probed from here: \(problem); the last verdict stays",
            remedy: "see docs/checkd.md, \"Probes that cannot be made\"")
    }

    private func sayWhatIsMissing() {
        let missing = servers.flatMap { server in
            server.configuration.checkers.compactMap { checker in
                (checker.reasonNotRun ?? checker.reasonIncomplete).map { "\(server.name): \($0)" }
            }
        }
        if let first = missing.first {
            let others = missing.count == 1 ? "" : " and \(missing.count - 1) more"
            alarms.raise(
                .unsupportedChecks, "\(first)\(others); such a check never takes a server out",
                remedy: "use TCP_CHECK, HTTP_GET or SSL_GET without regex")
        } else {
            alarms.clear(.unsupportedChecks)
        }
        let checkers = servers.reduce(0) { $0 + $1.records.count }
        if limit.isShort(for: checkers) {
            alarms.raise(
                .descriptors,
                "\(checkers) checks and only \(limit.descriptors) descriptors: \(limit.probes) probes at once",
                remedy: "raise LimitNOFILE of the unit to \(checkers + ProbeLimit.reserve)")
        } else {
            alarms.clear(.descriptors)
        }
    }
}
