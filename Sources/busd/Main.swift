// busd, the message bus: options, sockets and signals. What it does is in `Broker`.
import Bus
import Glibc
import Platform
import Varlink

@main
struct Main {
    private static let program = ProgramDescription(
        name: "busd", summary: "routes calls between clients and daemons, fans out events, decides who may call what")

    static func main() {
        let options = DaemonOptions.fromCommandLine(program)
        let logger = Logger(level: options.logLevel)
        do {
            try run(options, logger)
        } catch {
            logger.error("busd: \(error)")
            exit(1)
        }
    }

    private static func run(_ options: DaemonOptions, _ logger: Logger) throws {
        raiseDescriptorLimit()
        let loop = try EventLoop()
        let broker = try Broker(
            address: "unix:" + options.busSocket, loop: loop, logger: logger, ownUser: geteuid())
        let inherited = UnixSocket.inherited()
        let sockets = inherited.isEmpty ? [try listen(options, logger)] : inherited
        let listeners = try sockets.map { socket in
            try Listener(FileDescriptor(owning: socket), on: loop) { broker.accepted($0) }
        }
        let signals = try SignalWatch([SIGTERM, SIGINT, SIGHUP], on: loop) { signal in
            if signal == SIGHUP { broker.policy = Policy() } else { loop.stop() }
        }
        let keepAlive = ServiceManager.keepAlive(on: loop)
        ServiceManager.notify(.ready)
        logger.info("busd \(evenkeelVersion) listens on \(options.busSocket)")
        try withExtendedLifetime((listeners, signals, keepAlive)) { try loop.run() }
        ServiceManager.notify(.stopping)
        broker.shutDown()
        if inherited.isEmpty { unlink(options.busSocket) }
    }

    /// Everybody may connect; the peer's credentials decide what for.
    private static func listen(_ options: DaemonOptions, _ logger: Logger) throws(Errno) -> Int32 {
        do throws(Errno) {
            try FileSystem.makeDirectory(options.runDirectory, mode: 0o755)
            return try UnixSocket.listen(at: options.busSocket, mode: 0o666).release()
        } catch {
            logger.error(UnixSocket.advice(after: error, listeningAt: options.busSocket))
            throw error
        }
    }

    /// Every client and every call under way takes a descriptor.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 65_536)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
