// One vrrpd process: its files and sockets, joined to the daemon.

import Bus
import Configuration
import Glibc
import Net
import Netlink
import Platform
import ScriptClient
import VRRP

/// Everything a process has.
final class Program: RunningDaemon {
    private let options: DaemonOptions
    private let loop: EventLoop
    private let logger: Logger
    private let heartbeat: Heartbeat
    private let ledger: Ledger
    private let daemon: Daemon
    private let face: BusFace
    private let kernel: NetlinkKernel
    private let watchers: Watchers
    private var tuning: ProcessTuning?
    private var localIGMP = LocalIGMP()
    private var runDirectory: RunDirectory?
    /// Held by the first vrrpd of the network namespace: it alone may take addresses for leftovers that no router has.
    private let claim: FileDescriptor?
    /// What the process was started with.
    private let running: GlobalDefinitions
    /// Until the start.
    private var loaded: ConfigurationFile?
    private var watch: Watch?
    private var ruleWatch: Watch?
    private var stopTimer: LoopTimer?
    private var stopBy = Instant.distantFuture

    /// The first vrrpd listens there. Abstract, so it belongs to the network namespace and goes with the process.
    static let claim = "@evenkeel-vrrpd"
    /// The nftables table of that one.
    static let table = "evenkeel_vrrpd"

    /// What is told at stop has so long; scriptd goes on with it when this process has gone.
    private static let lastWords = Duration.seconds(2)
    /// scriptd has so long to take on `shutdown_script`.
    private static let lastOfAll = Duration.seconds(1)
    private var isConcluding = false
    /// When the private socket is tried again, and how long after that.
    private var socketRetry: LoopTimer?
    private var socketPace = RetryPace()

    /// Opens what no instance can do without. EWOULDBLOCK: another vrrpd has this run directory.
    init(_ context: DaemonContext) throws {
        let loaded = try context.configuration(workingIn: \.networkNamespace)
        self.loaded = loaded
        running = loaded.configuration.global
        options = context.options
        loop = context.loop
        logger = context.logger
        let logger = self.logger
        let directory: Result<String, Errno>
        do throws(Errno) {
            let own = try RunDirectory(in: options.runDirectory)
            directory = .success(own.path)
            runDirectory = consume own
        } catch {
            guard error.code != EWOULDBLOCK else {
                logger.error(
                    "another vrrpd holds \(options.runDirectory)/vrrpd/lock; stop it, or name another --run-dir")
                throw error
            }
            directory = .failure(error)
        }
        heartbeat = Heartbeat(in: directory)
        try loop.wakePunctually()
        claim = try? UnixSocket.listen(at: Self.claim, mode: 0)
        ledger = Ledger(directory: options.stateDirectory, on: loop)
        let file = ledger.file("stepped-down", durable: false)
        // A table is replaced as a whole: another vrrpd's must have another name.
        kernel = try NetlinkKernel(table: claim != nil ? Self.table : "\(Self.table)_\(getpid())")
        let wire = SocketWire(on: loop)
        let scriptd = ScriptdAddress(socket: options.privateSocket(of: "scriptd"), caller: "vrrpd/\(getpid())")
        let scripts = ScriptdScripts(scriptd, on: loop)
        let pipes = NotifyPipes(scriptd, on: loop)
        let steppedDown = Self.identities(in: file, logger)
        var fired: () -> Void = {}
        let turns = LoopTurns(on: loop) { fired() }
        let daemon = Daemon(
            steppedDown: steppedDown, kernel: kernel, wire: wire, notes: heartbeat, scripts: scripts,
            pipes: pipes, turns: turns, isAlone: claim != nil)
        fired = { [weak daemon] in daemon?.timerFired() }
        wire.arrived = { [weak daemon] in daemon?.hear($0) }
        scripts.heard = { [weak daemon] in daemon?.hear($1, of: $0) }
        scripts.heardOfJob = { [weak daemon] in daemon?.hear($1, ofJob: $0) }
        pipes.troubleChanged = { [weak daemon] in daemon?.pipesChanged() }
        watchers = Watchers(on: loop) { [weak daemon] in daemon?.hear($0, of: $1) }
        daemon.watcher = watchers
        self.daemon = daemon
        var tune: (GlobalDefinitions) -> Void = { _ in }
        face = try BusFace(
            daemon, steppedDown: file, options: options, running: running, loop: loop, logger: logger
        ) { [daemon] in
            daemon.reload($0)
            tune($0.global)
        }
        face.publish(watchers.sessions)
        tuning = ProcessTuning(on: loop, logger: logger) { [weak self] in self?.show($0) }
        tune = { [weak self] in self?.tune($0) }
        self.tune(loaded.configuration.global)
    }

    /// Takes part.
    func start() throws {
        socketRetry = loop.timer { [weak self] in self?.listen() }
        try show()
        watch = try loop.watch(kernel.number, .read) { [daemon] _ in daemon.hearKernel() }
        kernel.watchRules = { [weak self] in self?.watch(rules: $0) }
        stopTimer = loop.timer { [weak self] in self?.endWhenTold() }
        guard let loaded = loaded.take() else { return }
        try daemon.start(loaded.configuration, after: predecessors())
        face.stateIsComplete(loaded)
    }

    /// A failure means only that nobody hears when another program flushes the rules.
    private func watch(rules: NftablesMonitor) {
        do throws(Errno) {
            ruleWatch = try loop.watch(rules.number, .read) { [daemon] _ in
                if rules.isTouched() { daemon.rulesTouched() }
            }
        } catch {
            logger.warning("changes of the nftables rules are not heard: \(error)")
        }
    }

    func reload() { face.reload.reload() }

    func stop(_ reason: StopReason) {
        switch reason {
        case .terminate: stop()
        case .handOver: leaveToSuccessor()
        }
    }

    private func endWhenTold() {
        guard !isConcluding else { return end() }
        guard daemon.hasToldAll || loop.now >= stopBy else {
            stopTimer?.arm(after: .milliseconds(20))
            return
        }
        isConcluding = true
        stopTimer?.arm(after: Self.lastOfAll)
        daemon.conclude { [weak self] in self?.stopTimer?.arm(after: .zero) }
    }

    /// What was written last reaches the disk.
    private func end() {
        try? localIGMP.adopt(isDisabled: false)
        ledger.flush(within: .seconds(1))
        loop.stop()
    }

    private func predecessors() -> [String: Predecessor] {
        do throws(Errno) {
            return try heartbeat.predecessors(orAt: options.runDirectory + "/private/vrrpd.heartbeat")
        } catch {
            logger.warning("the heartbeat file of an earlier process is not believed: \(error)")
            return [:]
        }
    }

    private func stop() {
        daemon.stop()
        stopBy = loop.now + Self.lastWords
        // Long enough for the last events to reach busd.
        stopTimer?.arm(after: .milliseconds(50))
    }

    /// Reads off the loop what the next process will read: advertisements leave in time meanwhile. A configuration that would be refused, or
    /// is for another network, means that nobody would guard the addresses: then they are given up.
    private func leaveToSuccessor() {
        let read: @Sendable () -> Configuration? = { [options, running] in
            guard let next = try? ConfigurationFile(atStart: options) else { return nil }
            guard (try? next.check(after: running, in: options.config)) != nil else { return nil }
            return next.configuration
        }
        do throws(Errno) {
            try Background.run(on: loop, read) { [weak self] in self?.leave(to: $0) }
        } catch {
            logger.warning("reading the next configuration on the loop: \(error)")
            leave(to: read())
        }
    }

    private func leave(to next: Configuration?) {
        guard let next else {
            logger.warning(
                "the next process would refuse the configuration, or go to another network: giving up the addresses")
            return stop()
        }
        daemon.leave(to: next)
        logger.notice("leaving masterships and addresses to the next process")
        end()
    }

    /// Joins the bus. Whatever stands in the way of the private socket is no reason not to hold elections, but another vrrpd of root's.
    private func show() throws {
        guard let error = listen(), error.code == EADDRINUSE,
            let connection = try? UnixSocket.connect(to: options.privateSocket(of: "vrrpd")),
            let peer = try? PeerCredentials(of: connection.number), peer.uid == 0 || peer.uid == geteuid()
        else { return }
        throw error
    }

    /// Opens the private socket. What stands in its way is an alarm, and it is tried again after 1, 2, 4 … 60 s.
    @discardableResult
    private func listen() -> Errno? {
        do throws(Errno) {
            try face.start()
            face.set(.bus, nil)
            return nil
        } catch {
            let path = options.privateSocket(of: "vrrpd")
            face.set(
                .bus,
                Alarm(
                    message: "no private socket: \(error)",
                    remedy: "lbctl cannot reach this vrrpd; take away what stands at \(path); it is tried again"))
            socketRetry?.arm(after: socketPace.next())
            return error
        }
    }

    /// Identities of the instances that stepped down and were not resumed.
    private static func identities(in file: LedgerFile, _ logger: Logger) -> Set<String> {
        do throws(Errno) {
            let text = String(decoding: try file.read() ?? [], as: UTF8.self)
            return Set(text.split(separator: "\n").map(String.init))
        } catch {
            logger.warning("\(file.path): \(error); instances that stepped down take part again")
            return []
        }
    }

    /// Scheduling, memory and buffers as a configuration wants them.
    private func tune(_ global: GlobalDefinitions) {
        tuning?.adopt(global.vrrpProcess)
        let troubles = kernel.setBuffers(commands: global.vrrpCommandBuffer, monitor: global.vrrpMonitorBuffer)
        face.set(
            .buffers,
            troubles.first.map {
                Alarm(
                    message: "\($0.word): \($0.why)",
                    remedy: "write \($0.word)_force, give vrrpd CAP_NET_ADMIN, or raise net.core.rmem_max")
            })
        watchers.setProcessBuffer(global.processMonitorBuffer)
        do throws(NetlinkError) {
            try localIGMP.adopt(isDisabled: global.disablesLocalIGMP)
            face.set(.igmp, nil)
        } catch {
            let unit = "let vrrpd write \(LocalIGMP.path) (ReadWritePaths= of its unit) and reload, or set it yourself"
            face.set(.igmp, Alarm(message: "disable_local_igmp: \(error)", remedy: unit))
        }
    }

    private func show(_ troubles: [ProcessAspect: ProcessTrouble]) {
        for aspect in ProcessAspect.allCases {
            face.set(
                .process(aspect),
                troubles[aspect].map { trouble in
                    let text = trouble.message(aspect, of: "vrrp")
                    return Alarm(message: text.message, remedy: text.remedy)
                })
        }
    }
}
