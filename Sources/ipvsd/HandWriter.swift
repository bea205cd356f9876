// Carries out what is asked for by hand, in order, until something fails. The kernel judges each command, as it would ipvsadm's; what it took is
// noted as wanted, so that the table and what is wanted of it agree afterwards. Additions travel together; those that the kernel executed after
// one that it refused are taken back. Where it is not known what the kernel did, the services are read again and put as they are wanted.

import Configuration
import Glibc
import IPVS
import Netlink

/// Why a command was not done.
struct HandFailure: Equatable {
    /// errno.
    let code: Int32
    /// For people.
    var problem: String
    /// It is not the kernel's answer, nor what that would be: only `problem` says it.
    let isOurs: Bool
}

/// What became of commands that were given by hand.
struct HandReport {
    /// How many were done.
    var done = 0
    /// Why the next one was not.
    var failure: HandFailure?
    /// What the kernel executed.
    var executed: [Command] = []
    /// Servers of the configuration that were given a weight, with the places of their commands.
    var weighed: [(index: Int, server: ServerIdentity)] = []
    /// Services of which it must be read what the kernel has.
    var doubted: Set<VirtualServerIdentity> = []
    /// Deletions of what was made by hand and the kernel did not have any more.
    var forgotten: [Command] = []
    /// Services of the configuration that a flush left.
    var left: Int?
    /// It changed something that the next process has to know.
    var isToBeKept = false

    /// The process ends, and has emptied the table.
    static let stopping: HandReport = {
        var report = HandReport()
        report.failure = HandFailure(
            code: EAGAIN, problem: "ipvsd is being stopped and has emptied the table: repeat it when it runs again",
            isOurs: true)
        return report
    }()
}

struct HandWriter {
    let kernel: any IPVSKernel
    /// The file of the configuration, for people.
    let file: String
    /// Starts and stops synchronisation daemons.
    let synchronise: (SyncCommand) -> HandFailure?
    /// Makes a decision of a weight.
    let decision: (ServerOverride) -> Decision

    /// Carries out `commands` until one fails.
    func run(_ commands: [TableCommand], _ reconciler: inout Reconciler) -> HandReport {
        var report = HandReport()
        while report.done < commands.count, report.failure == nil {
            let rest = commands[report.done...]
            let additions = rest.prefix { $0.isAddition }
            if additions.isEmpty {
                report.failure = runOne(rest[report.done], &reconciler, &report)
                if report.failure == nil { report.done += 1 }
            } else {
                add(additions, &reconciler, &report)
            }
        }
        return report
    }

    // MARK: Additions

    private func add(
        _ additions: ArraySlice<TableCommand>, _ reconciler: inout Reconciler, _ report: inout HandReport
    ) {
        var batch: [Command] = []
        var failure: HandFailure?
        for case .change(let command) in additions {
            switch reconciler.verdict(on: command) {
            case .send:
                batch.append(command)
                continue
            case .leaving: failure = HandFailure(leaving: command, file)
            case .exists, .configured, .note, .nothing, .weigh: failure = HandFailure(exists: command)
            }
            break
        }
        let refusals: [NetlinkRefusal]
        do throws(NetlinkError) {
            refusals = try kernel.attempt(batch)
        } catch {
            report.doubted.formUnion(batch.map(\.service))
            report.failure = HandFailure(error, "the table is not written")
            return
        }
        let count = refusals.first?.index ?? batch.count
        accept(batch[..<count], &reconciler, &report)
        for command in batch[..<count] { endDecision(command, &reconciler) }
        report.done += count
        report.failure = failure
        if let refusal = refusals.first {
            report.failure = HandFailure(batch[refusal.index], refusal.error)
            report.doubted.insert(batch[refusal.index].service)
            let refused = Set(refusals.map(\.index))
            takeBack(batch[count...].indices.filter { !refused.contains($0) }.map { batch[$0] }, &report)
        }
    }

    /// A decision about a server that was there once under the same name ends with its addition; with weight 0 only that of a weight.
    private func endDecision(_ command: Command, _ reconciler: inout Reconciler) {
        guard case .addDestination(let service, let endpoint, let attributes) = command,
            let standing = reconciler.standings[service], standing.isHandMade(endpoint),
            var decision = standing.decisions[endpoint]
        else { return }
        decision.override.weight = nil
        let isOver = attributes.weight > 0 || decision.override.isEmpty
        reconciler.decide(ServerIdentity(service, endpoint), isOver ? nil : decision)
    }

    /// Takes back additions that nobody wants any more, because one before them failed.
    private func takeBack(_ additions: [Command], _ report: inout HandReport) {
        guard !additions.isEmpty else { return }
        report.doubted.formUnion(additions.map(\.service))
        let deletions = additions.reversed().compactMap { command -> Command? in
            switch command {
            case .addService(let service, _): .deleteService(service)
            case .addDestination(let service, let endpoint, _): .deleteDestination(service, endpoint)
            case .editService, .deleteService, .editDestination, .deleteDestination: nil
            }
        }
        do throws(NetlinkError) {
            if let refusal = try kernel.attempt(deletions).first { throw refusal.error }
        } catch {
            let problem = report.failure?.problem ?? ""
            report.failure = HandFailure(
                code: report.failure?.code ?? EIO,
                problem: "\(problem); what was added after it could not be taken back: \(error)",
                isOurs: false)
        }
    }

    private func accept(
        _ commands: some Collection<Command>, _ reconciler: inout Reconciler, _ report: inout HandReport
    ) {
        guard !commands.isEmpty else { return }
        reconciler.made(Array(commands))
        report.executed += commands
    }

    // MARK: Everything else

    private func runOne(
        _ command: TableCommand, _ reconciler: inout Reconciler, _ report: inout HandReport
    ) -> HandFailure? {
        do throws(NetlinkError) {
            switch command {
            case .change(let change): return try run(change, &reconciler, &report)
            case .flush: return try flush(&reconciler, &report)
            case .zero(let service): try kernel.zero(service)
            case .setTimeouts(let timeouts): try kernel.setTimeouts(timeouts)
            case .synchronise(let command): return synchronise(command)
            }
            return nil
        } catch {
            guard case .zero(.some) = command, case .refused(ESRCH, _) = error else {
                return HandFailure(error, "\(command)")
            }
            return HandFailure(
                code: ESRCH,
                problem: "\(command): the kernel has no such service; 'lbctl service list' shows those it has",
                isOurs: false)
        }
    }

    private func run(
        _ command: Command, _ reconciler: inout Reconciler, _ report: inout HandReport
    ) throws(NetlinkError) -> HandFailure? {
        switch reconciler.verdict(on: command) {
        case .send:
            do throws(NetlinkError) {
                if let refusal = try kernel.attempt([command]).first { throw refusal.error }
            } catch {
                report.doubted.insert(command.service)
                guard case .refused = error else { throw error }
                var failure = HandFailure(command, error)
                if isGone(command, error, reconciler) {
                    // Somebody else was faster: it is not put back.
                    reconciler.made([command])
                    report.forgotten.append(command)
                    failure.problem += "; ipvsd does not put it back"
                }
                return failure
            }
            accept([command], &reconciler, &report)
            adoptWeight(command, &reconciler, &report)
        case .note:
            reconciler.made([command])
            adoptWeight(command, &reconciler, &report)
        case .nothing: break
        case .weigh(let weight):
            guard let endpoint = command.endpoint else { break }
            weigh(ServerIdentity(command.service, endpoint), weight, weight, &reconciler, &report)
        case .exists: return HandFailure(exists: command)
        case .configured:
            let configured = reconciler.standings[command.service]?.configured
            let isReal = configured?.realServers.contains { $0.endpoint == command.endpoint } == true
            return HandFailure(configured: command, file, isSorry: command.endpoint != nil && !isReal)
        case .leaving: return HandFailure(leaving: command, file)
        }
        return nil
    }

    /// True when the kernel's answer to a deletion is that it does not have what was made by hand.
    private func isGone(_ command: Command, _ error: NetlinkError, _ reconciler: Reconciler) -> Bool {
        guard let made = reconciler.standings[command.service]?.handMade else { return false }
        return switch command {
        case .deleteService: error.code == ESRCH && made.attributes != nil
        case .deleteDestination(_, let endpoint):
            (error.code == ESRCH || error.code == ENOENT) && made.servers[endpoint] != nil
        case .addService, .editService, .addDestination, .editDestination: false
        }
    }

    /// The weight that was decided about an edited server is in what was made by hand now.
    private func adoptWeight(_ command: Command, _ reconciler: inout Reconciler, _ report: inout HandReport) {
        guard case .editDestination(let service, let endpoint, let attributes) = command,
            reconciler.standings[service]?.decisions[endpoint] != nil
        else { return }
        weigh(ServerIdentity(service, endpoint), nil, attributes.weight, &reconciler, &report)
    }

    /// Gives a server the weight of a decision; one above 0 ends a drain.
    private func weigh(
        _ server: ServerIdentity, _ decided: Int32?, _ weight: Int32, _ reconciler: inout Reconciler,
        _ report: inout HandReport
    ) {
        let standing = reconciler.standings[server.service]
        var override = standing?.decisions[server.endpoint]?.override ?? ServerOverride()
        let configured = standing?.configured?.realServers.first { $0.endpoint == server.endpoint }?.weight
        override.weight = configured == decided.map { Int($0) } ? nil : decided
        if override.mode == .drained || override.mode == .left, weight > 0 { override.mode = .enabled }
        reconciler.decide(server, override.isEmpty ? nil : decision(override))
        report.weighed.append((report.done, server))
    }

    /// Everything but the services of the configuration goes.
    private func flush(
        _ reconciler: inout Reconciler, _ report: inout HandReport
    ) throws(NetlinkError) -> HandFailure? {
        let configured = reconciler.standings.values.filter { $0.configured != nil }
        report.left = configured.count
        let made = reconciler.standings.values.filter { $0.configured == nil && $0.pool != nil }.map(\.identity)
        if configured.isEmpty {
            try kernel.flush()
            accept(made.map { .deleteService($0) }, &reconciler, &report)
            return nil
        }
        let names = try kernel.serviceNames()
        let others = names.filter { reconciler.standings[$0]?.configured == nil }.map { Command.deleteService($0) }
        let refusals: [NetlinkRefusal]
        do throws(NetlinkError) {
            refusals = try kernel.attempt(others)
        } catch {
            report.doubted.formUnion(others.map(\.service))
            throw error
        }
        // ESRCH: somebody else was faster.
        if let refusal = refusals.first(where: { $0.error.code != ESRCH }) {
            report.doubted.formUnion(others.map(\.service))
            throw refusal.error
        }
        let gone = Set(others.map(\.service))
        accept(others, &reconciler, &report)
        reconciler.made(made.filter { !gone.contains($0) }.map { .deleteService($0) })
        for standing in configured {
            let added = standing.handMade.servers.keys.sorted().map { Command.deleteDestination(standing.identity, $0) }
            for command in added {
                guard let failure = try run(command, &reconciler, &report) else { continue }
                if report.forgotten.last != command { return failure }
            }
        }
        return nil
    }
}

extension HandFailure {
    /// What the kernel said to a command.
    init(_ command: Command, _ error: NetlinkError) {
        self.init(code: error.code ?? EIO, problem: CommandFailure(command, error).description, isOurs: false)
    }

    /// The kernel could not be asked, or its answer was lost.
    init(_ error: NetlinkError, _ what: String) {
        if case .noFamily = error {
            let problem = KernelProblem(error)
            self.init(code: ENOPROTOOPT, problem: "\(problem.message); \(problem.remedy)", isOurs: true)
        } else {
            self.init(code: error.code ?? EIO, problem: "\(what): \(error)", isOurs: false)
        }
    }

    /// As the kernel would say it.
    init(exists command: Command) {
        self.init(code: EEXIST, problem: "\(command): it exists already", isOurs: false)
    }

    /// It left the configuration.
    init(leaving command: Command, _ file: String) {
        let subject: String
        let deletion: String
        if case .editDestination(let service, let endpoint, _) = command {
            let server = ServerIdentity(service, endpoint)
            subject = "\(server)"
            deletion = "'lbctl server delete \(server)'"
        } else {
            subject = "\(command.service)"
            deletion = "'lbctl service delete \(command.service)'"
        }
        self.init(
            code: EPERM,
            problem: "\(subject) has left \(file) and drains at weight 0: put it into that file again and run "
                + "'lbctl reload'; or \(deletion) cuts off its connections, and then it can be made by hand",
            isOurs: true)
    }

    /// The configuration says otherwise.
    /// - Parameter isSorry: it is about a sorry server, of which nothing can be decided.
    init(configured command: Command, _ file: String, isSorry: Bool) {
        let remedy: String
        let what: String
        if let endpoint = command.endpoint {
            let server = ServerIdentity(command.service, endpoint)
            what = isSorry ? "the sorry server \(server)" : "\(server)"
            remedy =
                if isSorry {
                    "it comes and goes with the quorum; edit that file and run 'lbctl reload'"
                } else if case .deleteDestination = command {
                    "'lbctl server drain \(server)' or 'disable' takes it out; to be rid of it, edit that file and run "
                        + "'lbctl reload'"
                } else {
                    "'lbctl server weight \(server) N' changes its weight; for the rest, edit that file and run "
                        + "'lbctl reload'"
                }
        } else {
            what = "\(command.service)"
            remedy = "edit that file and run 'lbctl reload'"
        }
        self.init(code: EPERM, problem: "\(what) is configured in \(file): \(remedy)", isOurs: true)
    }
}
