// vrrpd: holds the elections and the virtual addresses.

import Bus
import Configuration
import Glibc
import Net
import Netlink
import Platform

@main
enum Main {
    static func main() {
        let options = DaemonOptions.fromCommandLine(
            ProgramDescription(name: "vrrpd", summary: "VRRP elections and the virtual addresses of their masters"))
        exit(run(options, Logger(level: options.logLevel)))
    }

    /// Runs until told to stop.
    /// - Returns: the exit status: 0 stopped, 1 cannot run here, 2 the configuration is refused.
    private static func run(_ options: DaemonOptions, _ logger: Logger) -> Int32 {
        do {
            let loaded = try ConfigurationFile(path: options.config)
            for warning in loaded.warnings { logger.warning("\(warning.position): \(warning.message)") }
            let loop = try EventLoop()
            let daemon = try Daemon(loaded.configuration, options: options, loop: loop, logger: logger)
            let face = try BusFace(daemon, options: options, loop: loop, logger: logger)
            try show(face, daemon)
            let stopTimer = loop.timer { loop.stop() }
            let signals = try SignalWatch([SIGTERM, SIGINT, SIGHUP, SIGUSR1], on: loop) { signal in
                guard signal != SIGHUP else { return face.reload.reload() }
                guard stopTimer.deadline == nil else { return }
                ServiceManager.notify(.stopping)
                if signal == SIGUSR1, let next = configurationOfSuccessor(options, logger) {
                    daemon.leaveToSuccessor(next)
                    return loop.stop()
                }
                daemon.stop()
                // Long enough for the last events to reach busd.
                stopTimer.arm(after: .milliseconds(50))
            }
            try daemon.start()
            face.stateIsComplete(loaded)
            ServiceManager.notify(.ready)
            let keepAlive = ServiceManager.keepAlive(on: loop)
            try withExtendedLifetime((face, signals, keepAlive)) { try loop.run() }
            return 0
        } catch let refusal as ConfigurationRefusal {
            Console.write(refusal.description, to: STDERR_FILENO)
            return 2
        } catch {
            logger.error("vrrpd cannot run: \(error)")
            return 1
        }
    }

    /// What the next process will read; nil when it could not start, so that addresses left in place would be unguarded.
    private static func configurationOfSuccessor(_ options: DaemonOptions, _ logger: Logger) -> Configuration? {
        do {
            return try ConfigurationFile(path: options.config).configuration
        } catch {
            logger.warning("the configuration would be refused at the next start: giving up the addresses instead")
            return nil
        }
    }

    /// The private socket also keeps a second vrrpd from running on the same run directory. Any other trouble with it is no
    /// reason not to hold elections.
    private static func show(_ face: BusFace, _ daemon: Daemon) throws {
        do throws(Errno) {
            try face.start()
        } catch {
            if error.code == EADDRINUSE { throw error }
            daemon.alarms.set(
                "bus", Alarms.Alarm(message: "no private socket: \(error)", remedy: "make the run directory writable"))
        }
    }
}
