// checkd, the health checker: what `CheckDaemon` needs of the world, put together and run.
import Bus
import Configuration
import Platform

@main
struct Main {
    private static let program = ProgramDescription(
        name: "checkd", summary: "probes the real servers and publishes which are up")

    static func main() {
        DaemonProgram.run(program) { context in try CheckProgram(context) }
    }
}

/// checkd as a process.
private final class CheckProgram: RunningDaemon {
    /// How long the end waits for a verdict that is on its way to the disk.
    private static let farewell = Duration.seconds(1)

    private let loop: EventLoop
    /// What `start` begins with.
    private var first: ConfigurationFile?
    private let service: DaemonService
    private let ledger: Ledger
    private let daemon: CheckDaemon
    private let addresses: LocalAddresses
    private let alerts: AlertDesk
    private let reloading: ConfigurationReload<CheckAPI>

    init(_ context: DaemonContext) throws {
        let (loop, logger, options) = (context.loop, context.logger, context.options)
        self.loop = loop
        let loaded = try context.configuration(workingIn: \.networkNamespace)
        first = loaded
        let service = DaemonService(
            name: "checkd", interface: try Interfaces.check(), options: options, loop: loop, logger: logger)
        let network = ProbeNetwork(on: loop, scriptd: options.privateSocket(of: "scriptd")) {
            service.subscribe(types: BFDNews.types, $0)
        }
        let addresses = LocalAddresses(on: loop, logger: logger)
        ledger = Ledger(directory: options.stateDirectory, on: loop)
        let daemon = CheckDaemon(
            CheckWorld(
                turns: loop, events: service.events,
                alarms: StandingAlarms<CheckAlarm>(daemon: "checkd", events: service.events, logger: logger),
                verdicts: ledger.file("checkd.json", durable: false), boot: SystemClock.bootID,
                limit: ProbeLimit.ofThisProcess(), logger: logger,
                kind: { network.kind(of: $0) }, isHere: { addresses.isHere($0) }))
        addresses.changed = { [weak daemon] in daemon?.addressesChanged() }
        addresses.adopt(loaded.configuration)
        self.addresses = addresses
        network.programs.stuckChanged = { [weak daemon] in daemon?.stuckChanged($0) }
        network.files.problemChanged = { [weak daemon] in daemon?.filesChanged($0) }
        let alerts = AlertDesk(
            AlertWorld(
                turns: loop, carrier: Postman(on: loop), memory: ledger.file("alerts.json", durable: true),
                boot: SystemClock.bootID, hostName: ThisMachine(isExamined: false).hostName, logger: logger,
                subscribe: { service.subscribe(types: AlertFeed.types, $0) }))
        daemon.alerts = alerts
        self.alerts = alerts
        let tuning = ProcessTuning(on: loop, logger: logger) { [weak daemon] in daemon?.processChanged($0) }
        tuning.adopt(loaded.configuration.global.checkerProcess)
        network.scriptRules = loaded.configuration.global.scriptRules
        network.tracked.adopt(loaded.configuration)
        network.files.adopt(loaded.configuration)
        self.service = service
        self.daemon = daemon
        reloading = ConfigurationReload(
            CheckAPI.self, on: service, path: options.config, running: loaded.configuration.global, loop: loop,
            changes: { new in
                daemon.changes(to: new)
                    + network.scriptRules.changes(to: new.global.scriptRules).map { "\($0): change" }
            },
            adopt: {
                tuning.adopt($0.configuration.global.checkerProcess)
                network.scriptRules = $0.configuration.global.scriptRules
                network.tracked.adopt($0.configuration)
                network.files.adopt($0.configuration)
                addresses.adopt($0.configuration)
                daemon.reload($0.configuration)
            })
    }

    func start() throws {
        guard let loaded = first.take() else { return }
        try service.start(CheckAPI.dispatch(to: daemon, reload: reloading))
        daemon.start(loaded.configuration)
        reloading.alarmChanged = { [daemon] in daemon.configurationChanged($0) }
        reloading.publish(loaded)
    }

    func reload() {
        reloading.reload()
    }

    func stop(_ reason: StopReason) {
        alerts.end(hurries: reason == .terminate) { [self] in
            ledger.flush(within: Self.farewell)
            loop.stop()
        }
    }
}
