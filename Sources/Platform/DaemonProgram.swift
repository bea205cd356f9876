// The main of every daemon: options, log, loop, signals, readiness, and the order in which they come and go. What differs is the daemon.
public import Configuration
import Glibc

/// What a daemon is made with.
public struct DaemonContext {
    /// The command line.
    public let options: DaemonOptions
    /// The log.
    public let logger: Logger
    /// The loop that will run it.
    public let loop: EventLoop
    fileprivate let ending: Ending

    /// Reads the configuration, logs its warnings, and goes to the network namespace that it names for this daemon. To be done before any
    /// socket is made and any thread begun.
    public func configuration(
        workingIn namespace: KeyPath<GlobalDefinitions, NetworkNamespaceName?>
    ) throws(ConfigurationRefusal) -> ConfigurationFile {
        let loaded = try ConfigurationFile(atStart: options)
        if let refusal = loaded.refusal {
            logger.error("configuration refused; starting with the last good one (--last-good):")
            for line in refusal.description.split(separator: "\n") { logger.error("\(line)") }
        }
        for warning in loaded.warnings { logger.warning("\(warning.position): \(warning.message)") }
        if let name = loaded.configuration.global[keyPath: namespace] {
            try enter(name, besides: loaded.configuration.global.networkNamespace)
            if NetworkNamespace.isCurrent(name.path) { ending.watch(name, on: loop, logger) }
        }
        return loaded
    }

    private func enter(
        _ name: NetworkNamespaceName, besides usual: NetworkNamespaceName?
    ) throws(ConfigurationRefusal) {
        do throws(Errno) {
            try NetworkNamespace.enter(name.path)
        } catch {
            // Without privilege nobody sees where the host's first process works. Who is not in `net_namespace` was put elsewhere on purpose.
            if name == .host, usual.map({ !NetworkNamespace.isCurrent($0.path) }) ?? true { return }
            let remedy =
                error.code == ENOENT
                ? "make it first: ip netns add \(name)"
                : "have the daemon started there: NetworkNamespacePath=\(name.path) in its unit, which the units of "
                    + "evenkeel@\(usual ?? name).target have; they read /etc/evenkeel/\(usual ?? name).conf"
            throw ConfigurationRefusal(diagnostics: [
                .ofFile(
                    options.config, .machine, "network namespace \(name) cannot be entered: \(error)", remedy: remedy)
            ])
        }
    }
}

/// Why a daemon is told to end.
public enum StopReason: Hashable, Sendable {
    /// SIGTERM or SIGINT: it will not be back.
    case terminate
    /// SIGUSR1: another process of it starts at once (`systemctl restart`).
    case handOver
}

/// A daemon as `DaemonProgram` runs it.
public protocol RunningDaemon: AnyObject {
    /// Begins; the loop runs after it. The service manager is told of readiness when this returns.
    func start() throws
    /// SIGHUP.
    func reload()
    /// Ends: calls the loop's `stop` when it is done. Called once; a second signal ends the loop at once.
    func stop(_ reason: StopReason)
}

/// Runs a daemon.
public enum DaemonProgram {
    /// How long the reader of the log is given at the end.
    private static let farewell = Duration.milliseconds(200)

    /// Runs the daemon that `make` gives until it is told to stop, then exits: 0 stopped, 1 it cannot run here, 2 usage, or the configuration
    /// is refused.
    public static func run(
        _ program: ProgramDescription, _ make: (DaemonContext) throws -> any RunningDaemon
    ) -> Never {
        let options = DaemonOptions.fromCommandLine(program)
        let logger = Logger(level: options.logLevel)
        let ending = Ending()
        do {
            let loop = try EventLoop()
            let context = DaemonContext(options: options, logger: logger, loop: loop, ending: ending)
            // First of all: a signal that comes during the start waits for the loop.
            let signals = try watchSignals(on: loop, ending)
            let made = try make(context)
            ending.daemon = made
            try made.start()
            ServiceManager.notify(.ready)
            let keepAlive = ServiceManager.keepAlive(on: loop)
            try withExtendedLifetime((made, signals, keepAlive)) { try loop.run() }
        } catch let refusal as ConfigurationRefusal {
            Console.write(refusal.description, to: STDERR_FILENO)
            ending.status = 2
        } catch {
            logger.error("\(program.name) cannot run: \(error)")
            ending.status = 1
        }
        Logger.flush(within: farewell)
        exit(ending.status)
    }

    private static func watchSignals(on loop: EventLoop, _ ending: Ending) throws(Errno) -> SignalWatch {
        try SignalWatch([SIGTERM, SIGINT, SIGHUP, SIGUSR1], on: loop) { signal in
            if signal == SIGHUP {
                if !ending.isStopping { ending.daemon?.reload() }
            } else if ending.isStopping {
                loop.stop()
            } else {
                ending.stop(signal == SIGUSR1 ? .handOver : .terminate)
            }
        }
    }
}

/// How a daemon ends.
private final class Ending {
    weak var daemon: (any RunningDaemon)?
    var status: Int32 = 0
    private(set) var isStopping = false
    private var namespaceWatch: NamespaceWatch?

    func stop(_ reason: StopReason) {
        isStopping = true
        ServiceManager.notify(.stopping)
        daemon?.stop(reason)
    }

    /// A daemon whose network has gone ends, so that the next one works in the new one.
    func watch(_ name: NetworkNamespaceName, on loop: EventLoop, _ logger: Logger) {
        namespaceWatch = NamespaceWatch(name.path, on: loop) { [weak self] in
            guard let self, !isStopping else { return }
            logger.error(
                "network namespace \(name) was deleted and made again: this process is still in the old one and ends; "
                    + "its unit starts it in the new one, else do so yourself")
            status = 1
            stop(.terminate)
        }
    }
}
