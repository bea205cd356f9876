// Writes what differs, in two phases for each service: what adds or raises goes first, what lowers or deletes follows only for services of
// which nothing was refused. All services that have something to write share the datagrams of a phase.

import Configuration
import IPVS
import Netlink

/// What became of the writing of one turn.
struct WriteReport {
    /// Commands that the kernel executed, in order.
    var executed: [Command] = []
    /// Commands that the kernel refused: they are tried again by the service's retry clock.
    var refusals: [CommandFailure] = []
    /// Commands whose answer shows that somebody else changed the table; their services are to be read.
    var surprises: [CommandFailure] = []

    /// Services in which something was refused.
    var refusedServices: Set<VirtualServerIdentity> { Set(refusals.map(\.command.service)) }
}

struct TableWriter {
    /// Commands sent in one turn of the loop: about 70 ms of the kernel's time.
    static let commandsPerTurn = 2000
    private static let servicesPerRound = 250
    /// A refusal makes a service be compared again; what is left after so many rounds waits for the next turn.
    private static let roundsPerTurn = 4

    let kernel: any IPVSKernel
    /// Services whose last answers were surprising, with how many times in a row.
    private var surprised: [VirtualServerIdentity: Int] = [:]

    init(_ kernel: any IPVSKernel) {
        self.kernel = kernel
    }

    /// Writes what is pending, as far as a turn's limit allows. After an error the services that were being written are unread.
    mutating func write(_ reconciler: inout Reconciler, _ report: inout WriteReport) throws(NetlinkError) {
        for _ in 0..<Self.roundsPerTurn where !reconciler.pending.isEmpty {
            let budget = Self.commandsPerTurn - report.executed.count - report.refusals.count
            guard budget > 0 else { return }
            try writeRound(&reconciler, budget, &report)
        }
    }

    private mutating func writeRound(
        _ reconciler: inout Reconciler, _ limit: Int, _ report: inout WriteReport
    ) throws(NetlinkError) {
        var budget = limit
        var raising: [Command] = []
        var lowering: [Command] = []
        var again: Set<VirtualServerIdentity> = []
        var done: [VirtualServerIdentity] = []
        for (service, scope) in reconciler.takePending(Self.servicesPerRound) {
            guard budget > 0 else {
                reconciler.plan(service, scope)
                continue
            }
            let change = reconciler.change(of: service, scope)
            raising += change.raising.prefix(budget)
            budget -= change.raising.count
            if budget >= change.lowering.count {
                lowering += change.lowering
                done.append(service)
            } else {
                again.insert(service)
            }
            budget -= change.lowering.count
        }
        var failed = try send(raising, lowering, &reconciler, &report)
        let second = failed.isEmpty ? lowering : lowering.filter { !failed.contains($0.service) }
        failed.formUnion(try send(second, [], &reconciler, &report))
        for service in done where !failed.contains(service) {
            surprised[service] = nil
            reconciler.settle(service)
        }
        for service in again.union(failed) where !reconciler.unread.contains(service) {
            reconciler.plan(service, .all)
        }
    }

    /// Sends one phase. Returns the services in which a command was not executed. `next` are the commands that would follow: if what
    /// happened is not known, their services are unread as well.
    private mutating func send(
        _ commands: [Command], _ next: [Command], _ reconciler: inout Reconciler, _ report: inout WriteReport
    ) throws(NetlinkError) -> Set<VirtualServerIdentity> {
        guard !commands.isEmpty else { return [] }
        let outcome: BatchOutcome
        do throws(NetlinkError) {
            outcome = try kernel.apply(commands)
        } catch {
            for command in commands { reconciler.lost(command.service) }
            for command in next { reconciler.lost(command.service) }
            throw error
        }
        let executed = outcome.executed(of: commands)
        report.executed += executed
        // Those of one service stand together.
        var rest = executed[...]
        while let service = rest.first?.service {
            let own = rest.prefix { $0.service == service }
            reconciler.took(own, of: service)
            rest = rest[own.endIndex...]
        }
        return sort(outcome, &reconciler, &report)
    }

    private mutating func sort(
        _ outcome: BatchOutcome, _ reconciler: inout Reconciler, _ report: inout WriteReport
    ) -> Set<VirtualServerIdentity> {
        guard !outcome.isClean else { return [] }
        var refused: [VirtualServerIdentity: [Command]] = [:]
        for failure in outcome.refusals {
            refused[failure.command.service, default: []].append(failure.command)
            report.refusals.append(failure)
        }
        for service in outcome.surprisingServices { surprised[service, default: 0] += 1 }
        for failure in outcome.surprises {
            let service = failure.command.service
            if surprised[service, default: 0] > 2 {
                // The kernel says one thing and shows another: no reason to ask without a pause.
                refused[service, default: []].append(failure.command)
                report.refusals.append(failure)
            } else {
                reconciler.lost(service)
                report.surprises.append(failure)
            }
        }
        for (service, commands) in refused { reconciler.refused(service, commands) }
        return Set(refused.keys).union(outcome.surprisingServices)
    }
}

extension BatchOutcome {
    /// Those of the batch's commands that were executed: what was not stands in its order.
    fileprivate func executed(of commands: [Command]) -> [Command] {
        guard !isClean else { return commands }
        var refusals = refusals[...]
        var surprises = surprises[...]
        return commands.filter { command in
            if refusals.first?.command == command {
                refusals.removeFirst()
            } else if surprises.first?.command == command {
                surprises.removeFirst()
            } else {
                return true
            }
            return false
        }
    }
}
