// checkd, the health checker: options, configuration, signals. What it does is in `CheckDaemon`.
import Bus
import Configuration
import Glibc
import Platform

@main
struct Main {
    private static let program = ProgramDescription(
        name: "checkd", summary: "probes the real servers and publishes which are up")

    static func main() {
        let options = DaemonOptions.fromCommandLine(program)
        let logger = Logger(level: options.logLevel)
        do {
            try run(options, logger)
        } catch let refusal as ConfigurationRefusal {
            Console.write("\(refusal)", to: STDERR_FILENO)
            exit(2)
        } catch {
            logger.error("checkd: \(error)")
            exit(1)
        }
    }

    private static func run(_ options: DaemonOptions, _ logger: Logger) throws {
        let loaded = try ConfigurationFile(path: options.config)
        for warning in loaded.warnings { logger.warning("\(warning.position): \(warning.message)") }
        let loop = try EventLoop()
        let service = DaemonService(
            name: "checkd", interface: try Interfaces.check(), options: options, loop: loop, logger: logger)
        let network = ProbeNetwork(on: loop)
        let ledger = Ledger(directory: options.stateDirectory, on: loop)
        let daemon = CheckDaemon(
            CheckWorld(
                turns: loop, events: service.events,
                alarms: StandingAlarms<CheckAlarm>(daemon: "checkd", events: service.events, logger: logger),
                verdicts: ledger.file("checkd.json", durable: false), boot: SystemClock.bootID,
                limit: ProbeLimit.ofThisProcess(), logger: logger,
                support: { ProbeSupport($0, on: network) }))
        let face = BusFace(service, daemon)
        let reload = ConfigurationReload(
            CheckAPI.self, on: service, path: options.config, loop: loop, changes: { daemon.changes(to: $0) },
            adopt: { daemon.reload($0.configuration) })
        try service.start()
        daemon.start(loaded.configuration)
        reload.publish(loaded)
        let signals = try SignalWatch([SIGTERM, SIGINT, SIGHUP], on: loop) { signal in
            if signal == SIGHUP { reload.reload() } else { loop.stop() }
        }
        let keepAlive = ServiceManager.keepAlive(on: loop)
        ServiceManager.notify(.ready)
        logger.info("checkd \(evenkeelVersion) checks \(daemon.servers.count) servers")
        try withExtendedLifetime((signals, keepAlive, face, reload)) { try loop.run() }
        ServiceManager.notify(.stopping)
        ledger.flush(within: .seconds(1))
    }
}
