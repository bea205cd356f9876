// Reads the kernel's table: single services when there is a reason to doubt what is known of them, all of it every ten seconds in slices, so
// that no turn of the loop pays for the whole of a large table. It also has the clocks by which refused commands are tried again, one for
// each service.

import Configuration
import IPVS
import Net
import Netlink
import Platform

/// The table with its counters, whoever made it.
struct TableDump {
    /// When the reading of it ended.
    let taken: Instant
    let services: [ServiceSnapshot]
}

struct TableWatch {
    /// How often the whole table is compared when nothing happens.
    static let interval = Duration.seconds(10)
    /// A dump for people is at most that old.
    static let freshness = Duration.seconds(1)
    static let longestRetry = Duration.seconds(10)
    private static let readsPerTurn = 50

    private struct Sweep {
        let begin: Instant
        /// Services written since it began: what it read of them may be older.
        var touched: Set<VirtualServerIdentity> = []
        /// What it read, when somebody waits for it.
        var found: [ServiceSnapshot]?
    }

    private struct Retry {
        var next: Instant
        var pace: RetryPace
    }

    /// Somebody who waits for a dump.
    private typealias Listener = (TableDump?) -> Void

    private let kernel: any IPVSKernel
    private var sweep: Sweep?
    private var nextSweep = Instant.zero
    private var lastSweep: Instant?
    private var doubted: Set<VirtualServerIdentity> = []
    private var retries: [VirtualServerIdentity: Retry] = [:]
    private var dump: TableDump?
    /// What the sweeps found of the traffic.
    private(set) var history = TrafficHistory()
    /// They take the dump of the sweep that is under way.
    private var waiting: [Listener] = []
    /// They wait for a sweep that begins after they asked.
    private var waitingForNext: [Listener] = []
    /// Drained servers that were seen without connections.
    private var idle: Set<ServerIdentity> = []
    /// Answers to be given when the turn's work is done.
    private var answers: [() -> Void] = []

    init(_ kernel: any IPVSKernel) {
        self.kernel = kernel
    }

    /// When `read` or `forgive` has something to do.
    func deadline(_ reconciler: Reconciler) -> Instant {
        if sweep != nil || !doubted.isEmpty || !reconciler.unread.isEmpty || !waiting.isEmpty || !waitingForNext.isEmpty
            || !answers.isEmpty
        {
            return .zero
        }
        var deadline = nextSweep
        for retry in retries.values where retry.next < deadline { deadline = retry.next }
        if let dump { deadline = min(deadline, dump.taken + Self.freshness) }
        return deadline
    }

    /// Reads what is due. Returns the services that somebody else changed.
    mutating func read(
        _ reconciler: inout Reconciler, at now: Instant
    ) throws(NetlinkError) -> Set<VirtualServerIdentity> {
        var drifted: Set<VirtualServerIdentity> = []
        if let dump, now >= dump.taken + Self.freshness { self.dump = nil }
        let unread = reconciler.unread
        let wantsSweep = now >= nextSweep || unread.count > Self.readsPerTurn
        var single = doubted
        if unread.count <= Self.readsPerTurn, sweep != nil || !wantsSweep { single.formUnion(unread) }
        for service in single.prefix(Self.readsPerTurn) {
            let snapshot = try kernel.service(service)
            if let snapshot { noteIdle(snapshot, reconciler) }
            let entry = snapshot.map(ServiceEntry.init)
            doubted.remove(service)
            sweep?.touched.insert(service)
            if reconciler.observed(service, entry) { drifted.insert(service) }
        }
        if sweep != nil, waiting.isEmpty || sweep?.found != nil {
            try readSlice(&reconciler, &drifted, at: now)
        } else if wantsSweep || !waiting.isEmpty || !waitingForNext.isEmpty {
            try begin(&reconciler, &drifted, at: now)
        }
        return drifted
    }

    private mutating func begin(
        _ reconciler: inout Reconciler, _ drifted: inout Set<VirtualServerIdentity>, at now: Instant
    ) throws(NetlinkError) {
        let present = Set(try kernel.beginSweep())
        lastSweep = now
        nextSweep = now + Self.interval
        waiting += waitingForNext
        waitingForNext = []
        sweep = Sweep(begin: now, found: waiting.isEmpty ? nil : [])
        for (service, standing) in reconciler.standings
        where !present.contains(service) && standing.held != .absent && (standing.pool != nil || standing.isOwned) {
            if reconciler.observed(service, nil) { drifted.insert(service) }
        }
    }

    private mutating func readSlice(
        _ reconciler: inout Reconciler, _ drifted: inout Set<VirtualServerIdentity>, at now: Instant
    ) throws(NetlinkError) {
        let slice = try kernel.nextSlice()
        guard !slice.isEmpty else {
            if let sweep { history.forget(notSeenSince: sweep.begin) }
            let found = sweep?.found
            sweep = nil
            if let found { answer(TableDump(taken: now, services: found)) }
            return
        }
        for snapshot in slice {
            let service = snapshot.identity
            sweep?.found?.append(snapshot)
            history.note(snapshot, at: now)
            guard let standing = reconciler.standings[service], standing.pool != nil || standing.isOwned else {
                continue
            }
            if sweep?.touched.contains(service) == true { continue }
            noteIdle(snapshot, reconciler)
            if case .present(let entry) = standing.held, entry.isShown(by: snapshot) { continue }
            if reconciler.observed(service, ServiceEntry(snapshot)) { drifted.insert(service) }
        }
    }

    /// Servers that are being drained, have weight 0 and no connection, and no client that would come back to them.
    private mutating func noteIdle(_ snapshot: ServiceSnapshot, _ reconciler: Reconciler) {
        guard let draining = reconciler.draining[snapshot.identity] else { return }
        for destination in snapshot.destinations where destination.attributes.weight == 0 {
            let (active, inactive) = (destination.activeConnections, destination.inactiveConnections)
            guard draining.contains(destination.endpoint), active == 0, inactive == 0,
                destination.persistentConnections == 0
            else { continue }
            idle.insert(ServerIdentity(snapshot.identity, destination.endpoint))
        }
    }

    /// Drained servers that were seen without connections since the last call.
    mutating func takeIdle() -> Set<ServerIdentity> {
        defer { idle = [] }
        return idle
    }

    // MARK: Reasons to look

    /// A service whose state is to be read at once.
    mutating func doubt(_ services: some Sequence<VirtualServerIdentity>) {
        doubted.formUnion(services)
    }

    /// Services were written.
    mutating func wrote(_ commands: [Command]) {
        guard sweep != nil else { return }
        for command in commands { sweep?.touched.insert(command.service) }
    }

    /// Somebody else changed the table: the rest of it is looked at soon, but not more than once a second.
    mutating func suspect(at now: Instant) {
        nextSweep = min(nextSweep, max(now, (lastSweep ?? .zero) + Self.freshness))
    }

    /// A request failed: what was being read is read anew. `isOut`: not soon, so nobody is kept waiting.
    mutating func abandon(isOut: Bool) {
        sweep = nil
        nextSweep = .zero
        if isOut { answer(nil) }
    }

    // MARK: Retries

    /// Something was refused of these services: they are tried again after 1, 2, 4 … 10 s.
    mutating func refused(_ services: Set<VirtualServerIdentity>, at now: Instant) {
        for service in services {
            if let retry = retries[service], retry.next > now { continue }
            var pace = retries[service]?.pace ?? RetryPace(longest: Self.longestRetry)
            retries[service] = Retry(next: now + pace.next(), pace: pace)
        }
    }

    /// Lets what is due be tried again; forgets the clocks of services of which nothing is refused.
    mutating func forgive(_ reconciler: inout Reconciler, at now: Instant) {
        var due = 0
        for (service, retry) in retries {
            if reconciler.standings[service]?.refusals.isEmpty ?? true {
                retries[service] = nil
            } else if retry.next <= now, due < Self.readsPerTurn {
                due += 1
                reconciler.forgive(service)
            }
        }
    }

    // MARK: Dumps for people

    /// Calls `done` with the table and its counters, at most a second old, or as new as the call; nil when the kernel cannot be asked.
    mutating func list(at now: Instant, isFresh: Bool, _ done: @escaping (TableDump?) -> Void) {
        if isFresh {
            waitingForNext.append(done)
        } else if let dump, now < dump.taken + Self.freshness {
            answers.append { done(dump) }
        } else {
            waiting.append(done)
        }
    }

    /// The answers that became due.
    mutating func takeAnswers() -> [() -> Void] {
        defer { answers = [] }
        return answers
    }

    /// The dump that is kept is not how the table is any more.
    mutating func outdate() {
        dump = nil
    }

    private mutating func answer(_ found: TableDump?) {
        if found != nil { dump = found }
        answers += waiting.map { done in { done(found) } }
        waiting = []
        guard found == nil else { return }
        answers += waitingForNext.map { done in { done(nil) } }
        waitingForNext = []
    }
}
