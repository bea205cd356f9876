// `lvs_sync_daemon`: keeps the kernel's synchronisation daemons as the followed instance is, which vrrpd says on the bus. What was heard last
// stands while vrrpd or the bus is away; before anything was heard, what the kernel has stays as it is. The kernel is looked at every few
// seconds, because it ends a daemon whose interface goes; what it refuses is tried again.

import Bus
import Configuration
import Glibc
import IPVS
import JSON
import Net
import Netlink
import Platform

/// The kernel's synchronisation daemons.
protocol SyncKernel: AnyObject {
    /// Those that run.
    func syncDaemons() throws(NetlinkError) -> [SyncDaemon]
    /// Starts or stops one.
    func apply(_ command: SyncCommand) throws(NetlinkError)
}

final class SyncKeeper {
    /// Between two looks at the kernel.
    private static let period = Duration.seconds(5)

    private let kernel: any SyncKernel
    private(set) var plan = SyncPlan()
    /// What the kernel had when it was looked at last.
    private(set) var held: [SyncDaemon] = []
    /// Why the kernel does not have what is wanted.
    private(set) var problem: SyncProblem?
    /// When `turn` has something to do.
    private(set) var deadline = Instant.distantFuture
    private var pace = RetryPace(longest: .seconds(10))

    init(_ kernel: any SyncKernel) {
        self.kernel = kernel
    }

    /// The daemons are this process's business.
    private var isInUse: Bool { plan.configuration != nil || !plan.started.isEmpty }

    /// Goes over to a configuration.
    func configure(_ configuration: SyncDaemonConfiguration?) {
        guard configuration != plan.configuration else { return }
        plan.configure(configuration)
        problem = nil
        deadline = .zero
    }

    /// The followed instance is in this state.
    func follow(_ state: VrrpAPI.State) {
        switch state {
        case .master: take(.master)
        case .backup, .fault, .initialize: take(.backup)
        case .other: break
        }
    }

    private func take(_ role: SyncRole) {
        guard plan.role != role else { return }
        plan.follow(role)
        deadline = .zero
    }

    /// Does what is due. Returns what was done, for the log.
    func turn(at now: Instant) -> [SyncCommand] {
        guard deadline <= now else { return [] }
        guard isInUse else {
            held = []
            problem = nil
            deadline = .distantFuture
            return []
        }
        var done: [SyncCommand] = []
        var command: SyncCommand?
        do throws(NetlinkError) {
            held = try kernel.syncDaemons()
            for next in plan.commands(holding: held) {
                command = next
                try kernel.apply(next)
                plan.took(next)
                done.append(next)
            }
            if !done.isEmpty { held = try kernel.syncDaemons() }
            problem = nil
            pace.reset()
            deadline = isInUse ? now + Self.period : now
        } catch {
            problem = SyncProblem(command, error)
            deadline = now + pace.next()
        }
        return done
    }

    /// Starts or stops one by hand, which only the kernel remembers; nil when it did.
    func byHand(_ command: SyncCommand, file: String) -> HandFailure? {
        guard plan.configuration == nil else {
            return HandFailure(
                code: EPERM,
                problem: "lvs_sync_daemon is configured in \(file): edit that file and run 'lbctl reload'", isOurs: true
            )
        }
        do throws(NetlinkError) {
            do throws(NetlinkError) {
                try kernel.apply(command)
            } catch {
                // A thread that is stopped before it first ran: the kernel does so and gives no answer (EINTR in netlink_rcv_skb).
                guard error.stateIsUnknown, try isDone(command) else { throw error }
            }
            return nil
        } catch {
            return HandFailure(command, error)
        }
    }

    private func isDone(_ command: SyncCommand) throws(NetlinkError) -> Bool {
        let running = try kernel.syncDaemons()
        switch command {
        case .start(let daemon): return running.contains { $0.isAs(daemon) }
        case .stop(let role): return !running.contains { $0.role == role }
        }
    }

    /// Those that run, as the kernel says now.
    func running() throws(NetlinkError) -> [SyncDaemon] { try kernel.syncDaemons() }

    /// The process ends for good: what it started and nobody changed ends with it.
    func finish() {
        guard !plan.started.isEmpty else { return }
        do throws(NetlinkError) {
            for command in plan.lastCommands(holding: try kernel.syncDaemons()) { try kernel.apply(command) }
        } catch {
            return
        }
    }
}

extension HandFailure {
    /// What the kernel said to a start or a stop.
    fileprivate init(_ command: SyncCommand, _ error: NetlinkError) {
        let problem: String
        switch (command, error) {
        case (.start(let daemon), .refused(EEXIST, _)):
            problem =
                "a sync daemon \(daemon.role) runs already: 'lbctl ipvs -L --daemon' shows it, "
                + "'lbctl ipvs --stop-daemon \(daemon.role)' stops it"
        case (.start(let daemon), .refused(ENODEV, _)):
            problem = "\(daemon): there is no such interface; make it, or name another one"
        case (.stop(let role), .refused(ESRCH, _)):
            problem = "no sync daemon \(role) runs: 'lbctl ipvs -L --daemon' shows what does"
        case (.start(let daemon), _):
            self.init(error, "\(daemon) is not started")
            return
        case (.stop(let role), _):
            self.init(error, "the sync daemon \(role) is not stopped")
            return
        }
        self.init(code: error.code ?? EIO, problem: problem, isOurs: false)
    }
}

/// Why connections are not synchronised, for people.
struct SyncProblem: Hashable {
    let message: String
    let remedy: String

    init(_ command: SyncCommand?, _ error: NetlinkError) {
        var interface = ""
        switch command {
        case .start(let daemon):
            interface = daemon.interface
            message = "connections are not synchronised: \(daemon): \(error)"
        case .stop(let role): message = "the sync daemon \(role) cannot be stopped: \(error)"
        case nil: message = "connections are not synchronised: \(error)"
        }
        remedy =
            switch error {
            case .refused(ENODEV, _): "there is no interface \(interface): make it, or name another one; retrying"
            case .noFamily: "run 'modprobe ip_vs', and name ip_vs in /etc/modules-load.d/evenkeel.conf; retrying"
            case .refused(EPERM, _), .system(_, EPERM): "give the process CAP_NET_ADMIN; retrying"
            case .refused, .system, .overrun, .timedOut, .dumpInterrupted, .malformed, .messageTooLong:
                "look at lvs_sync_daemon and the interface; retrying"
            }
    }
}
