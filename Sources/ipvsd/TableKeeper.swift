// Keeps the kernel's IPVS table as the reconciler wants it. Commands of one loop turn travel together; what the kernel refuses or what cannot
// be known is answered by dumping the table and starting from there, at first at once, then ever more slowly up to `longestRetry`. A dump every
// `checkInterval` finds what others changed.
//
// The module may be missing (hosts without IPVS, a module that is loaded later): that is a state with a remedy, not a reason to exit.

import Configuration
import Glibc
import IPVS
import Netlink
import Platform

final class TableKeeper {
    /// Why the table cannot be kept, for people.
    struct Problem: Hashable {
        let message: String
        let remedy: String
    }

    /// What the owner hears.
    enum News {
        /// The table of these services was written or read anew.
        case changed([VirtualServerIdentity])
        /// Somebody else changed the table; it is as it should be again.
        case repaired([Command])
        /// Why the table as a whole cannot be kept, or nil again.
        case problem(Problem?)
        /// What the kernel refuses, by service, empty when nothing; and the services for which that is news.
        case refused([VirtualServerIdentity: String], news: Set<VirtualServerIdentity>)
    }

    /// How often the table is compared when nothing happens.
    private static let checkInterval: Duration = .seconds(10)
    private static let longestRetry: Duration = .seconds(10)

    /// The judgement; change it through the methods here, which send what it commands.
    private(set) var reconciler: Reconciler
    /// What the kernel refuses, by service.
    private(set) var refusals: [VirtualServerIdentity: String] = [:]
    private(set) var problem: Problem?
    private let loop: EventLoop
    private let logger: Logger
    /// Hears what happens to the table.
    var news: (News) -> Void = { _ in }
    private var client: IPVSClient?
    private var timer: LoopTimer?
    private var pending: [Command] = []
    private var retry: Duration = .zero
    /// The last cycle left nothing undone, so a difference found now was made by somebody else.
    private var wasInOrder = false
    private var timeouts: IPVSTimeouts

    init(_ reconciler: Reconciler, timeouts: IPVSTimeouts, loop: EventLoop, logger: Logger) {
        self.reconciler = reconciler
        self.timeouts = timeouts
        self.loop = loop
        self.logger = logger
        timer = loop.timer { [weak self] in self?.check() }
    }

    /// Takes the configuration, keeping state by identity.
    func configure(_ servers: [VirtualServerConfiguration], timeouts: IPVSTimeouts) {
        send(reconciler.configure(servers))
        if timeouts != self.timeouts {
            self.timeouts = timeouts
            writeTimeouts()
        }
    }

    /// A verdict about a server.
    func heard(_ server: ServerIdentity, isUp: Bool, isVerified: Bool) {
        send(reconciler.heard(server, isUp: isUp, isVerified: isVerified))
    }

    /// A person's decision about a server.
    func decide(_ server: ServerIdentity, _ override: ServerOverride) {
        send(reconciler.decide(server, override))
    }

    /// Compares the kernel's table with the desired one and writes the difference; the first time adopts what is there.
    func check() {
        flush()
        do throws(NetlinkError) {
            let client = try connected()
            let table = KernelTable(try client.services())
            let isFirst = reconciler.table == nil
            let commands = reconciler.observed(table)
            if isFirst {
                logger.info("IPVS table read: \(table.services.count) services, \(commands.count) changes to make")
            }
            if problem != nil {
                problem = nil
                logger.notice("the IPVS table can be kept again")
                news(.problem(nil))
            }
            if isFirst { writeTimeouts() }
            let isDrift = wasInOrder && !commands.isEmpty
            guard execute(commands, areWhole: true) else { return }
            if isDrift { news(.repaired(commands)) }
            settle()
        } catch {
            fail(error)
        }
    }

    /// The table with its counters, for people; nil when the kernel cannot be asked.
    func snapshot() -> [ServiceSnapshot]? {
        do throws(NetlinkError) { return try connected().services() } catch { return nil }
    }

    /// One service with its counters; nil when the kernel does not have it or cannot be asked.
    func snapshot(of service: VirtualServerIdentity) -> ServiceSnapshot? {
        do throws(NetlinkError) { return try connected().service(service) } catch { return nil }
    }

    /// Collects the turn's commands, so that a burst of verdicts is one batch.
    private func send(_ commands: [Command]) {
        guard !commands.isEmpty else { return }
        if pending.isEmpty { loop.soon { [weak self] in self?.flush() } }
        pending += commands
    }

    private func flush() {
        guard !pending.isEmpty else { return }
        let commands = pending
        pending = []
        _ = execute(commands, areWhole: false)
    }

    /// Executes commands; `areWhole` when they are everything that differs, so that what is not refused now is refused no more.
    /// False when something is left to try again.
    private func execute(_ commands: [Command], areWhole: Bool) -> Bool {
        do throws(NetlinkError) {
            let outcome = try connected().apply(commands)
            for command in commands { logger.debug("\(command)") }
            note(outcome.refusals, areWhole: areWhole)
            for case .deleteService(let service) in commands where refusals[service] == nil {
                reconciler.disown(service)
            }
            news(.changed(commands.map(\.service)))
            guard !outcome.isClean else { return true }
            // What was refused is not there, whatever we believed; the rest goes on being kept meanwhile.
            reconciler.believe(KernelTable(try connected().services()))
            tryAgain()
            return false
        } catch {
            fail(error)
            return false
        }
    }

    private func note(_ failures: [CommandFailure], areWhole: Bool) {
        // The first refusal of a service explains those of its servers.
        let found = Dictionary(
            failures.map { ($0.command.service, $0.description) }, uniquingKeysWith: { first, _ in first })
        let refusals = areWhole ? found : self.refusals.merging(found) { _, new in new }
        guard refusals != self.refusals else { return }
        let services = Set(refusals.keys).union(self.refusals.keys).filter { refusals[$0] != self.refusals[$0] }
        for service in services {
            if let text = refusals[service] { logger.error("\(text)") }
        }
        self.refusals = refusals
        news(.refused(refusals, news: services))
    }

    private func settle() {
        wasInOrder = true
        retry = .zero
        timer?.arm(after: Self.checkInterval)
    }

    private func fail(_ error: NetlinkError) {
        reconciler.lostTable()
        let problem = Problem(error)
        if problem != self.problem {
            self.problem = problem
            logger.error("\(problem.message); \(problem.remedy)")
            news(.problem(problem))
        }
        // A socket whose answers were lost may still hold old ones.
        client = nil
        tryAgain()
    }

    private func tryAgain() {
        wasInOrder = false
        timer?.arm(after: retry)
        retry = min(max(retry * 2, .seconds(1)), Self.longestRetry)
    }

    private func writeTimeouts() {
        let seconds = { (duration: Duration?) in UInt32(clamping: duration?.components.seconds ?? 0) }
        guard timeouts != IPVSTimeouts() else { return }
        do throws(NetlinkError) {
            try connected().setTimeouts(
                tcp: seconds(timeouts.tcp), tcpFin: seconds(timeouts.tcpFin), udp: seconds(timeouts.udp))
        } catch {
            logger.warning("lvs_timeouts not set: \(error)")
        }
    }

    private func connected() throws(NetlinkError) -> IPVSClient {
        if let client { return client }
        let client = IPVSClient(NetlinkClient(try NetlinkSocket(.generic)))
        self.client = client
        return client
    }
}

extension TableKeeper.Problem {
    init(_ error: NetlinkError) {
        message = "the IPVS table cannot be kept: \(error)"
        remedy =
            switch error {
            case .noFamily: "run 'modprobe ip_vs', and name ip_vs in /etc/modules-load.d/evenkeel.conf; retrying"
            case .refused(EPERM, _), .system(_, EPERM): "give the process CAP_NET_ADMIN; retrying"
            case .system, .refused, .overrun, .timedOut, .dumpInterrupted, .malformed, .messageTooLong:
                "the table is read again and repaired; if this goes on, keep the log and report it"
            }
    }
}
