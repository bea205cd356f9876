// `vrrpd --release`: takes off what a vrrpd that will not return has left in the kernel: addresses, routes and rules with our mark, macvlans and
// the table of `no_accept`. The unit calls it after every end of the service (ExecStopPost): systemd says how the service ended, and where the
// next process is about to go on everything stays. It is a daemon with an empty configuration that ends after its first turn, so that there is
// one way in which things are taken off.

import Configuration
import Glibc
import Net
import Netlink
import Platform
import ScriptClient
import VRRP

/// The step after the end.
enum Release {
    /// True where no other process will go on with what is there. Both arguments are of systemd.exec(5), "Environment Variables in Spawned
    /// Processes"; without them a person has called.
    static func isDue(result: String?, status: String?) -> Bool {
        switch result {
        case nil: true
        // It hung: nobody has advertised for longer than any backup waits.
        case "timeout": true
        // The configuration is refused, which the unit does not try again (RestartPreventExitStatus=).
        case "exit-code": status == "2"
        // It gave its addresses up, or left them to the next process; or systemd starts that one at once.
        case .some: false
        }
    }

    /// Takes everything off.
    /// - Returns: the exit status.
    static func run(_ logger: Logger) -> Int32 {
        guard let claim = try? UnixSocket.listen(at: Program.claim, mode: 0) else {
            logger.notice("another vrrpd runs in this network: nothing is taken off; stop it first")
            return 0
        }
        defer { withExtendedLifetime(claim) {} }
        do {
            let loop = try EventLoop()
            // Nobody is told of anything.
            let scriptd = ScriptdAddress(socket: "", caller: "")
            let daemon = Daemon(
                steppedDown: [], kernel: try NetlinkKernel(table: Program.table), wire: SocketWire(on: loop),
                notes: Heartbeat(in: .failure(Errno(ENOENT, "open"))),
                scripts: ScriptdScripts(scriptd, on: loop), pipes: NotifyPipes(scriptd, on: loop),
                turns: LoopTurns(on: loop) {}, isAlone: true)
            let report = Report(logger)
            daemon.observer = report
            try daemon.start(Configuration(), after: [:])
            // The remarks come at the end of the turn.
            try loop.turn(timeoutMilliseconds: 0)
            withExtendedLifetime(report) {}
            return 0
        } catch {
            logger.error("what vrrpd has left cannot be taken off: \(error)")
            return 1
        }
    }

    /// Says what was taken off.
    private final class Report: DaemonObserver {
        private let logger: Logger

        init(_ logger: Logger) { self.logger = logger }

        func happened(_ remark: Remark) {
            if case .leftBehind(_, let prefixes) = remark { say(prefixes.map { "\($0)" }) }
            if case .routingLeftBehind(_, let names) = remark { say(names) }
        }

        private func say(_ names: [String]) {
            logger.notice("left behind by a vrrpd that is gone, and taken off: \(names.joined(separator: ", "))")
        }

        func changed(_ routers: Set<RouterID>) {}
        func steppedDown(_ identities: Set<String>) {}
        func troubled(_ trouble: Trouble) {}
    }
}
