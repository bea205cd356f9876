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
        DaemonProgram.run(program) { context in try BusProcess(context) }
    }
}

/// busd as a process.
private final class BusProcess: RunningDaemon {
    private let context: DaemonContext
    private let broker: Broker
    private var listeners: [Listener] = []
    /// Socket files that this process made and takes away.
    private var paths: [String] = []

    init(_ context: DaemonContext) throws {
        self.context = context
        let options = context.options
        broker = try Broker(
            address: "unix:" + options.busSocket, privateDirectory: options.runDirectory + "/private",
            descriptors: Self.raiseDescriptorLimit(), loop: context.loop, logger: context.logger)
    }

    func start() throws {
        let options = context.options
        var sockets = UnixSocket.inherited()
        if sockets.isEmpty { sockets = [try listen(at: options.busSocket, in: options.runDirectory, 0o755, 0o666)] }
        for socket in sockets {
            listeners.append(
                try Listener(FileDescriptor(owning: socket), on: context.loop) { [broker] in
                    broker.accepted($0, privately: false)
                })
        }
        let door = try listen(
            at: options.privateSocket(of: "bus"), in: options.runDirectory + "/private", 0o750, 0o660)
        listeners.append(
            try Listener(FileDescriptor(owning: door), on: context.loop) { [broker] in
                broker.accepted($0, privately: true)
            })
        context.logger.info("busd \(evenkeelVersion) listens on \(options.busSocket)")
    }

    func reload() {
        broker.policy = Policy()
    }

    func stop(_ reason: StopReason) {
        broker.shutDown()
        for path in paths { unlink(path) }
        context.loop.stop()
    }

    /// At the bus everybody may connect, and the peer's credentials decide what for. The daemons have a socket of their
    /// own, so that nobody else can fill its queue.
    private func listen(
        at path: String, in directory: String, _ directoryMode: UInt32, _ mode: UInt32
    ) throws(Errno) -> Int32 {
        do throws(Errno) {
            try FileSystem.makeDirectory(directory, mode: directoryMode)
            let socket = try UnixSocket.listen(at: path, mode: mode).release()
            paths.append(path)
            return socket
        } catch {
            context.logger.error(UnixSocket.advice(after: error, listeningAt: path))
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
