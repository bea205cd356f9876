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
        let loop = try EventLoop()
        let privateSocket = options.privateSocket(of: "bus")
        let broker = try Broker(
            address: "unix:" + options.busSocket, privateDirectory: options.runDirectory + "/private",
            descriptors: raiseDescriptorLimit(), loop: loop, logger: logger)
        let inherited = UnixSocket.inherited()
        let sockets =
            inherited.isEmpty
            ? [try listen(at: options.busSocket, in: options.runDirectory, 0o755, 0o666, logger)] : inherited
        var listeners = try sockets.map { socket in
            try Listener(FileDescriptor(owning: socket), on: loop) { broker.accepted($0, privately: false) }
        }
        let door = try listen(at: privateSocket, in: options.runDirectory + "/private", 0o750, 0o660, logger)
        listeners.append(
            try Listener(FileDescriptor(owning: door), on: loop) { broker.accepted($0, privately: true) })
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
        unlink(privateSocket)
    }

    /// At the bus everybody may connect, and the peer's credentials decide what for. The daemons have a socket of their
    /// own, so that nobody else can fill its queue.
    private static func listen(
        at path: String, in directory: String, _ directoryMode: UInt32, _ mode: UInt32, _ logger: Logger
    ) throws(Errno) -> Int32 {
        do throws(Errno) {
            try FileSystem.makeDirectory(directory, mode: directoryMode)
            return try UnixSocket.listen(at: path, mode: mode).release()
        } catch {
            logger.error(UnixSocket.advice(after: error, listeningAt: path))
            throw error
        }
    }

    /// Every client and every connection to a daemon takes a descriptor. How many there may be.
    private static func raiseDescriptorLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        let before = limit.rlim_cur
        limit.rlim_cur = min(limit.rlim_max, 65_536)
        return setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? Int(limit.rlim_cur) : Int(before)
    }
}
