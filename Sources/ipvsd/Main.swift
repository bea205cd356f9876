// ipvsd: keeps the kernel's IPVS table as configuration, checks and people want it.

import Bus
import Configuration
import Glibc
import Platform

@main
struct Main {
    static func main() {
        let options = DaemonOptions.fromCommandLine(
            ProgramDescription(
                name: "ipvsd", summary: "keeps the kernel's IPVS table as configuration, checks and people want it"))
        let logger = Logger(level: options.logLevel)
        do {
            try run(options, logger)
        } catch let refusal as ConfigurationRefusal {
            Console.write(refusal.description, to: STDERR_FILENO)
            exit(2)
        } catch {
            logger.error("ipvsd cannot start: \(error)")
            exit(1)
        }
    }

    private static func run(_ options: DaemonOptions, _ logger: Logger) throws {
        let configuration = try ConfigurationFile(path: options.config)
        for warning in configuration.warnings { logger.warning("\(warning.position): \(warning.message)") }
        let loop = try EventLoop()
        let daemon = try IPVSDaemon(configuration, options: options, loop: loop, logger: logger)
        let signals = try SignalWatch([SIGTERM, SIGINT, SIGHUP], on: loop) { signal in
            if signal == SIGHUP { daemon.reload?.reload() } else { loop.stop() }
        }
        let keepAlive = ServiceManager.keepAlive(on: loop)
        try daemon.start()
        ServiceManager.notify(.ready)
        try withExtendedLifetime((signals, keepAlive)) { try loop.run() }
        ServiceManager.notify(.stopping)
        daemon.stop()
    }
}
