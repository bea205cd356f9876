// A question that is asked once for all real servers that want it answered: the same checker (kind, target, source, urls, digests, program …) on
// the same schedule, in several virtual servers. Each server keeps its own verdict, events and history; what they share are probes and results.
//
// Who is due first has the probe made, and those who wait for their own time come along, so they go in step from the first probe on. A server
// that pauses (ha_suspend) stays behind; one that is new, or goes on after a pause, begins where the others stand (`Checker.goesOn`).
import Configuration
import HealthCheck
import Net

/// One question.
final class SharedProbe: Hashable {
    /// A checker of a server.
    private struct Asker {
        /// Asks no more before it goes (`WatchedServer.stop`).
        unowned let server: WatchedServer
        let index: Int

        init(_ server: WatchedServer, _ index: Int) {
            (self.server, self.index) = (server, index)
        }

        func isOf(_ server: WatchedServer, _ index: Int) -> Bool {
            self.server === server && self.index == index
        }

    }

    /// A probe, and who waits for it.
    private struct Run {
        let step: Int
        var askers: [Asker]
        var attempt: ProbeAttempt?
    }

    /// A result on its way to those who waited for it, the next one last.
    private struct Delivery {
        let report: ProbeReport
        var askers: [Asker]
    }

    /// Servers that get a result in one turn of the loop.
    private static let resultsPerTurn = 100

    let checker: CheckerConfiguration
    let kind: any ProbeKind
    /// Made when it is asked for: ten thousand of them would be a megabyte.
    var identity: String { kind.identity }
    private weak var probes: SharedProbes?
    private var askers: [Asker] = []
    /// At most one for each step.
    private var runs: [Run] = []
    private var deliveries: [Delivery] = []
    /// Somebody may know by probing. While nobody does, newcomers by the thousand do not look at each other.
    private var isKnown = false

    fileprivate init(_ checker: CheckerConfiguration, _ kind: any ProbeKind, _ probes: SharedProbes) {
        self.checker = checker
        self.kind = kind
        self.probes = probes
    }

    deinit { for run in runs { run.attempt?.cancel() } }

    static func == (one: SharedProbe, other: SharedProbe) -> Bool { one.checker == other.checker }
    func hash(into hasher: inout Hasher) { hasher.combine(checker) }

    /// How many ask and do not pause.
    private(set) var count = 0

    /// A result is on its way to those who waited for it.
    var isTelling: Bool { !deliveries.isEmpty }

    /// A checker asks from now on.
    func add(_ server: WatchedServer, _ index: Int) {
        askers.append(Asker(server, index))
        if !server.isSuspended { count += 1 }
    }

    /// A checker that asks pauses, or goes on.
    func pauses(_ pauses: Bool) { count += pauses ? -1 : 1 }

    /// A checker asks no more, and waits for nothing. A probe for which nobody waits is given up.
    func remove(_ server: WatchedServer, _ index: Int) {
        Self.remove(server, index, from: &askers)
        if !server.isSuspended { count -= 1 }
        for position in deliveries.indices { Self.remove(server, index, from: &deliveries[position].askers) }
        for position in runs.indices {
            Self.remove(server, index, from: &runs[position].askers)
            if runs[position].askers.isEmpty { runs[position].attempt?.cancel() }
        }
        runs.removeAll { $0.askers.isEmpty }
        if askers.isEmpty { probes?.forget(self) }
    }

    private static func remove(_ server: WatchedServer, _ index: Int, from askers: inout [Asker]) {
        guard let position = askers.firstIndex(where: { $0.isOf(server, index) }) else { return }
        askers.swapAt(position, askers.count - 1)
        askers.removeLast()
    }

    /// A checker of another that knows by probing, and goes on probing, as it stands.
    func known(besides server: WatchedServer, _ index: Int) -> Checker? {
        guard isKnown else { return nil }
        for asker in askers where !asker.isOf(server, index) && asker.server.knows(asker.index) {
            return asker.server.checker(asker.index)
        }
        isKnown = false
        return nil
    }

    /// One whose probe is under way, as it stands.
    var asking: Checker? {
        runs.first?.askers.first.map { asker in asker.server.checker(asker.index) }
    }

    /// A checker wants this step's result, which was `due` then (nil: nobody waited for a time). Who waits for its own time gets it too.
    func ask(_ step: Int, due: Instant?, for server: WatchedServer, _ index: Int) {
        let asker = Asker(server, index)
        if let position = runs.firstIndex(where: { $0.step == step }) { return runs[position].askers.append(asker) }
        runs.append(Run(step: step, askers: [asker]))
        let attempt = probes?.runner.run(kind, step: step, timeout: checker.schedule.connectTimeout, due: due) {
            [unowned self] in ended(step, $0)
        }
        runs[runs.count - 1].attempt = attempt
        guard askers.count > 1 else { return }
        let checker = server.checker(index)
        for other in askers where !other.isOf(server, index) { other.server.joins(other.index, checker) }
    }

    private func ended(_ step: Int, _ report: ProbeReport) {
        guard let position = runs.firstIndex(where: { $0.step == step }) else { return }
        var askers = runs.remove(at: position).askers
        if askers.count == 1, deliveries.isEmpty { return tell(askers[0], report) }
        askers.reverse()
        deliveries.append(Delivery(report: report, askers: askers))
        if deliveries.count == 1 { deliver() }
    }

    /// Tells some, and the others in the next turns: thousands hold up nobody else's probe.
    private func deliver() {
        var budget = Self.resultsPerTurn
        while budget > 0, let report = deliveries.first?.report {
            guard let asker = deliveries[0].askers.popLast() else {
                deliveries.removeFirst()
                continue
            }
            tell(asker, report)
            budget -= 1
        }
        if !deliveries.isEmpty { probes?.runner.turns.soon { [weak self] in self?.deliver() } }
    }

    private func tell(_ asker: Asker, _ report: ProbeReport) {
        // Whoever waits for the result may let go of the server.
        let server = asker.server
        server.finished(asker.index, report)
        isKnown = isKnown || server.knows(asker.index)
    }
}

/// All questions.
final class SharedProbes {
    let runner: ProbeRunner
    private var probes: Set<SharedProbe> = []

    init(_ runner: ProbeRunner) { self.runner = runner }

    /// How many different ones there are.
    var count: Int { probes.count }

    /// The question of a checker, which `kind` asks unless it is asked already.
    func probe(for checker: CheckerConfiguration, _ kind: any ProbeKind) -> SharedProbe {
        probes.insert(SharedProbe(checker, kind, self)).memberAfterInsert
    }

    fileprivate func forget(_ probe: SharedProbe) { probes.remove(probe) }
}
